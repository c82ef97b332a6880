"""`infer screen`: a cheap model looks at structures before they are labelled, by hand or in the learning loop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gibbsflow.cli.options import Config, Json, Out, remark, verb

if TYPE_CHECKING:
    from gibbsflow.workflow.result import Result
    from gibbsflow.workflow.state.segments import Stopper


def screen(
    out: Out,
    structures: Annotated[list[Path] | None, typer.Option("--structures", help="Structures; may be repeated.")] = None,
    begin: Annotated[
        Path | None, typer.Option("--from", help="Instead: state folder of the loop, with its settings.")
    ] = None,
    config: Config = None,
    potential: Annotated[
        Path | None, typer.Option("--potential", help="Folder of a potential, for surrogate: {model: potential}.")
    ] = None,
    surrogate: Annotated[
        Path | None, typer.Option("--surrogate", help="With --from: the surrogate's file, where it lies now.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", help="What the model says is kept here: the same command goes on.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Leave out, or relax, structures whose forces or energy are out of all measure by a cheap model.

    What goes on to its label is in screened.extxyz, what does not in left_out.extxyz; result.json says why.
    With --from the state of the loop after it, whose batches hold what goes on; screening.json says why.
    """
    with verb(out, as_json=as_json) as result:
        from gibbsflow.errors import InputError, Problem
        from gibbsflow.workflow.state.segments import Stopper

        by_hand = begin is None and structures and surrogate is None
        if not by_hand and (begin is None or structures or config or potential):
            right = "--structures with --config and --potential, or --from with --surrogate"
            raise InputError(Problem("infer screen", "it is not clear what is screened", right))
        with Stopper() as stopper:
            if begin is not None:
                _of_state(begin, out, surrogate, state, stopper, result)
            else:
                _of_structures(structures or [], config, potential, out, state, stopper, result)


def _of_structures(
    structures: list[Path], config: Path | None, potential: Path | None, out: Path, state: Path | None,
    stopper: Stopper, result: Result,
) -> None:  # fmt: skip
    from contextlib import closing

    from gibbsflow.config.potential_config import PotentialConfig
    from gibbsflow.potential.data.structures import read_frames, write_frames
    from gibbsflow.potential.explore.screening import screen as screening
    from gibbsflow.potential.explore.screening.surrogates import make_surrogate
    from gibbsflow.workflow.files import inputs_hash

    settings = PotentialConfig.of_verb(config).beside(config).surrogate
    frames = [frame for path in structures for frame in read_frames(path)]
    elements = sorted({symbol for frame in frames for symbol in frame.get_chemical_symbols()})
    with closing(make_surrogate(settings, elements, potential, check=stopper.check)) as model:
        found = screening.screen(frames, model, settings, state=state, stopper=stopper)
    content = {**settings.model_dump(mode="json", exclude={"pair_file", "potential"}), "identity": model.identity}
    files = {f"structures{k}": path for k, path in enumerate(structures)}
    result.inputs_hash = inputs_hash(files=files, settings=content, physics=screening.PHYSICS)
    result.figures = screening.figures(found, model)
    write_frames(out / "screened.extxyz", [one.atoms for one in found if one.fate != "screened"])
    write_frames(out / "left_out.extxyz", [one.given for one in found if one.fate == "screened"])
    _say(model.name, result.figures)


def _of_state(
    begin: Path, out: Path, surrogate: Path | None, state: Path | None, stopper: Stopper, result: Result
) -> None:
    from gibbsflow.config.potential_config import PotentialConfig
    from gibbsflow.potential.loop.screening.screened_state import screen_state
    from gibbsflow.potential.loop.state import CONFIG, LoopCheckpoint

    settings = PotentialConfig.expand(begin / CONFIG).with_files(surrogate=surrogate)
    told = screen_state(begin, settings, out, state=state, stopper=stopper)
    point = LoopCheckpoint.read(out)
    result.seed = point.seed
    result.figures = {
        "generation": point.generation, "phase": point.phase, "stopped_by": point.stopped_by, "reason": point.reason,
        "screenings": list(point.screenings), "notes": told.get("notes", []),
    }  # fmt: skip
    if told:
        _say(told.get("surrogate", settings.surrogate.model), told)


def _say(name: str, told: dict[str, Any]) -> None:
    counts = ", ".join(f"{count} {fate}" for fate, count in told["fates"].items())
    remark("\n".join([f"{name}: {counts or 'nothing was looked at'}", *told["notes"]]))


def register(app: typer.Typer) -> None:
    """Give this verb to a program."""
    app.command()(screen)
