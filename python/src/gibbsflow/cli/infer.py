"""`infer`: explores with a potential and selects what to label next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gibbsflow.cli import grading, loop, screening
from gibbsflow.cli.options import Config, Json, Out, Segments, TimeBudget, new_app, parse_duration_s, verb

app = new_app("infer", "Explore with a potential by MD that knows when it is guessing, and select structures to label.")
Potential = Annotated[Path, typer.Option("--potential", help="Folder of a potential (`train fit`: DIR/potential).")]
Seed = Annotated[int, typer.Option("--seed", help="Seed.")]


@app.command()
def explore(
    potential: Potential,
    structure: Annotated[Path, typer.Option("--structure", help="Structure that MD starts from (any format of ASE).")],
    out: Out,
    state: Annotated[
        Path, typer.Option("--state", help="State folder: checkpoints and frames, kept between attempts.")
    ],
    config: Config = None,
    frame: Annotated[
        int, typer.Option("--frame", help="Number of the frame in the file, from 0; negative from its end.")
    ] = 0,
    seed: Seed = 2026,
    generation: Annotated[
        int, typer.Option("--generation", min=0, help="Generation that the frames are tagged with.")
    ] = 0,
    time_budget: TimeBudget = None,
    segments: Segments = None,
    as_json: Json = False,
) -> None:
    """Run MD until its steps are done or the extrapolation grade reaches the upper threshold; both are normal outcomes.

    Frames between the thresholds, and the one that stopped it, go to frames.extxyz with their grade.
    """
    with verb(out, state=state, as_json=as_json) as result:
        from gibbsflow.workflow.state.segments import Stopper

        stopper = Stopper(parse_duration_s(time_budget), segments)  # before what takes long to import
        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.potential.explore.exploring import Exploring

        # the plan of a trajectory, which the loop writes, holds its seed and the generation that it was made in
        plan = {"seed": seed, "generation": None}
        settings = PotentialConfig.of_verb(config, beside=plan)
        _present({"potential": potential, "structure": structure})
        with stopper:
            exploring = Exploring.prepare(
                structure, potential, settings.exploration, state,
                frame=frame, seed=seed, generation=generation, labels=settings.labels, stopper=stopper,
            )  # fmt: skip
            result.inputs_hash, result.seed = exploring.home.inputs_hash, seed
            result.figures = exploring.run(stopper, out)


@app.command()
def select(
    candidates: Annotated[list[Path], typer.Option("--candidates", help="Structures to choose from; may be repeated.")],
    labelled: Annotated[
        list[Path], typer.Option("--labelled", help="All that is labelled, in all generations; may be repeated.")
    ],
    potential: Potential,
    out: Out,
    budget: Annotated[int | None, typer.Option("--budget", min=1, help="Structures to select at most.")] = None,
    config: Config = None,
    seed: Seed = 2026,
    as_json: Json = False,
) -> None:
    """Select structures to label: sane distances and forces, no copies, those that all others are near to."""
    with verb(out, as_json=as_json) as result:
        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.potential.data.structures import write_frames
        from gibbsflow.potential.explore import selection
        from gibbsflow.workflow.files import inputs_hash

        settings = PotentialConfig.of_verb(config).selection
        budget = budget or settings.budget
        files = {f"candidates{i}": path for i, path in enumerate(candidates)}
        files |= {f"labelled{i}": path for i, path in enumerate(labelled)} | {"potential": potential}
        _present(files)
        content = {**settings.model_dump(mode="json"), "budget": budget, "seed": seed}
        result.inputs_hash = inputs_hash(files=files, settings=content, physics=selection.PHYSICS)
        result.seed = seed
        with selection.Selector(potential, _frames(labelled), settings) as selector:
            decided = selector.choose(_frames(candidates), budget=budget, seed=seed)
        write_frames(out / "selected.extxyz", [c.atoms for c in decided if c.fate == "selected"])
        result.figures = selection.figures(decided, len(selector.known), budget, selector.notes)


def _present(files: dict[str, Path]) -> None:
    from gibbsflow.errors import InputError, Problem

    right = {"potential": "a folder of a potential, as `train fit` writes DIR/potential"}
    missing = [
        Problem(str(path), "no such file or folder", right.get(role, "a file of structures, such as extxyz or CIF"))
        for role, path in files.items()
        if not path.exists()
    ]
    if missing:
        raise InputError(missing)


def _frames(paths: list[Path]) -> list[tuple[str, Any]]:
    """Frames with their source; an empty file holds none."""
    from gibbsflow.potential.data.structures import read_frames

    found = [(path, read_frames(path) if path.stat().st_size else []) for path in paths]
    return [(f"{path.name}:{number}", atoms) for path, frames in found for number, atoms in enumerate(frames)]


grading.register(app)
screening.register(app)
loop.register(app)

if __name__ == "__main__":
    app()
