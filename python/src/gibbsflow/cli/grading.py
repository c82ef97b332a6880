"""`infer grade`: says which atoms and regions of structures a potential does not know."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import Config, Json, Out, verb


def grade(
    potential: Annotated[Path, typer.Option("--potential", help="Folder of a potential (`train fit`: DIR/potential).")],
    structures: Annotated[list[Path], typer.Option("--structures", help="Structures to grade; may be repeated.")],
    out: Out,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Grade every atom of structures; clusters of unknown atoms are listed with what is around them.

    Thresholds are those of `exploration` where they are given, else those that were calibrated with the potential.
    """
    with verb(out, as_json=as_json) as result:
        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.potential.data.structures import read_frames, write_frames
        from gibbsflow.potential.explore.grading import grade_frames
        from gibbsflow.workflow.files import inputs_hash

        settings = PotentialConfig.of_verb(config).exploration
        frames = [(f"{path.name}:{k}", atoms) for path in structures for k, atoms in enumerate(read_frames(path))]
        files = {f"structures{k}": path for k, path in enumerate(structures)}
        graded, result.figures = grade_frames(frames, potential, settings)
        content = settings.model_dump(mode="json")
        result.inputs_hash = inputs_hash(files={**files, "potential": potential}, settings=content, physics=1)
        write_frames(out / "graded.extxyz", graded)
        told = result.figures
        typer.echo(
            f"{told['frames_unknown']} of {told['frames']} structures hold unknown atoms, "
            f"{told['frames_outside']} are outside of the range; atom by atom in {out / 'graded.extxyz'}",
            err=True,
        )
