"""`system_prep structures`: make the structures that a potential starts to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import Config, Json, Out, remark, verb


def structures(
    out: Out,
    config: Config = None,
    generation: Annotated[
        int, typer.Option("--generation", min=0, help="Number that tags all structures, from 0.")
    ] = 0,
    holdout: Annotated[
        bool, typer.Option("--holdout", help="Make the hold-out set, from a sampler of its own.")
    ] = False,
    known: Annotated[
        list[Path] | None,
        typer.Option("--known", help="Structures that are there already (extxyz); equal ones are dropped."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make structures of the target by the generators of the config; the same config and seed give the same."""
    with verb(out, as_json=as_json) as result:
        from gibbsflow.config.potential_config import PotentialConfig
        from gibbsflow.potential.data.structures import read_frames, write_frames
        from gibbsflow.potential.generators.generate import PHYSICS, generate
        from gibbsflow.workflow.files import inputs_hash

        settings = PotentialConfig.of_verb(config)
        target, generator = settings.target, settings.generator
        files = {f"known{n}": path for n, path in enumerate(known or [])}
        content = {"target": target.model_dump(mode="json"), "generator": generator.model_dump(mode="json")}
        result.inputs_hash = inputs_hash(files=files, settings={**content, "holdout": holdout}, physics=PHYSICS)
        result.seed = generator.generator_seed
        there = [frame for path in known or [] for frame in read_frames(path)]
        made = generate(settings.beside(config).target, generator, generation=generation, holdout=holdout, known=there)
        write_frames(out / "structures.extxyz", made.frames)
        result.figures = made.figures()
        remark(f"{len(made.frames)} structures in {out / 'structures.extxyz'}")
