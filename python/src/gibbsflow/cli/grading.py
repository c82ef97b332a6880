"""`infer grade` and `infer embed`: which regions of structures a potential does not know, and boxes around them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gibbsflow.cli.options import Config, Json, Out, remark, verb

Potential = Annotated[Path, typer.Option("--potential", help="Folder of a potential (`train fit`: DIR/potential).")]
Structures = Annotated[list[Path], typer.Option("--structures", help="Structures; may be repeated.")]


def grade(
    potential: Potential,
    structures: Structures,
    out: Out,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Grade every atom of structures; clusters of unknown atoms are listed with what is around them.

    Thresholds are those of `exploration` where they are given, else those that were calibrated with the potential.
    """
    with verb(out, as_json=as_json) as result:
        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.potential.data.structures import write_frames
        from gibbsflow.potential.explore.grading import grade_frames
        from gibbsflow.workflow.files import inputs_hash

        settings = PotentialConfig.of_verb(config).exploration
        frames = _read(structures)
        files = {f"structures{k}": path for k, path in enumerate(structures)}
        graded, result.figures = grade_frames(frames, potential, settings)
        content = settings.model_dump(mode="json")
        result.inputs_hash = inputs_hash(files={**files, "potential": potential}, settings=content, physics=1)
        write_frames(out / "graded.extxyz", graded)
        told = result.figures
        remark(
            f"{told['frames_unknown']} of {told['frames']} structures hold unknown atoms, "
            f"{told['frames_outside']} are outside of the range; atom by atom in {out / 'graded.extxyz'}"
        )


def embed(
    potential: Potential,
    structures: Structures,
    out: Out,
    config: Config = None,
    seed: Annotated[int, typer.Option("--seed", help="Tag of the boxes.")] = 2026,
    as_json: Json = False,
) -> None:
    """Cut small periodic boxes around the unknown atoms of structures of more than `embedding.largest_cell_atoms`.

    Boxes go to embedded.extxyz with a force_mask, 1 in the core and 0 in the buffer, which `train fit` obeys; smaller
    structures go there as they are.
    """
    with verb(out, as_json=as_json) as result:
        from contextlib import closing

        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.errors import InputError, Problem
        from gibbsflow.potential.data.structures import write_frames
        from gibbsflow.potential.explore.calculator import PotentialCalculator, read_graded
        from gibbsflow.potential.explore.embedding import embed as cut
        from gibbsflow.workflow.files import inputs_hash

        settings = PotentialConfig.of_verb(config).embedding
        if settings.largest_cell_atoms is None:
            right = "the largest number of atoms that is labelled whole"
            raise InputError(Problem("embedding", "not given", right, field="largest_cell_atoms"))
        frames = _read(structures)
        read_graded(potential)
        with closing(PotentialCalculator(potential)) as calculator:
            made = cut([atoms for _, atoms in frames], calculator, settings, seed=seed, generation=0)
        files = {f"structures{k}": path for k, path in enumerate(structures)}
        content = {**settings.model_dump(mode="json"), "seed": seed}
        result.inputs_hash = inputs_hash(files={**files, "potential": potential}, settings=content, physics=1)
        result.seed, result.figures = seed, made.figures()
        write_frames(out / "embedded.extxyz", made.frames)
        remark(f"{len(made.records)} boxes, {len(made.refused)} structures without one")


def _read(paths: list[Path]) -> list[tuple[str, Any]]:
    """Structures, each with its source."""
    from gibbsflow.potential.data.structures import read_frames

    return [(f"{path.name}:{k}", atoms) for path in paths for k, atoms in enumerate(read_frames(path))]


def register(app: typer.Typer) -> None:
    """Give these verbs to a program."""
    for command in (grade, embed):
        app.command()(command)
