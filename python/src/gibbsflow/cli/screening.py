"""`infer screen`: a cheap model looks at structures before they are labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import Config, Json, Out, verb


def screen(
    structures: Annotated[list[Path], typer.Option("--structures", help="Structures; may be repeated.")],
    out: Out,
    config: Config = None,
    potential: Annotated[
        Path | None, typer.Option("--potential", help="Folder of a potential, for surrogate: {model: potential}.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Leave out, or relax, structures whose forces or energy are out of all measure by a cheap model.

    What goes on to its label is in screened.extxyz, what does not in left_out.extxyz; result.json says why.
    """
    with verb(out, as_json=as_json) as result:
        from contextlib import closing

        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.potential.data.structures import read_frames, write_frames
        from gibbsflow.potential.explore.screening import screen as screening
        from gibbsflow.potential.explore.screening.surrogates import make_surrogate
        from gibbsflow.workflow.files import inputs_hash

        settings = PotentialConfig.of_verb(config).surrogate
        if config is not None and settings.pair_file is not None:
            settings = settings.model_copy(update={"pair_file": config.parent / settings.pair_file})
        frames = [frame for path in structures for frame in read_frames(path)]
        elements = sorted({symbol for frame in frames for symbol in frame.get_chemical_symbols()})
        with closing(make_surrogate(settings, elements, potential)) as model:
            found = screening.screen(frames, model, settings)
        content = {**settings.model_dump(mode="json", exclude={"pair_file"}), "identity": model.identity}
        files = {f"structures{k}": path for k, path in enumerate(structures)}
        result.inputs_hash = inputs_hash(files=files, settings=content, physics=screening.PHYSICS)
        result.figures = screening.figures(found, model)
        write_frames(out / "screened.extxyz", [one.atoms for one in found if one.fate != "screened"])
        write_frames(out / "left_out.extxyz", [one.given for one in found if one.fate == "screened"])
        counts = ", ".join(f"{count} {fate}" for fate, count in result.figures["fates"].items())
        typer.echo(f"{model.name}: {counts}", err=True)


def register(app: typer.Typer) -> None:
    """Give this verb to a program."""
    app.command()(screen)
