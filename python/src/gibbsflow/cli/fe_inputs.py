"""``fe write``: a leg as inputs of a program that gibbsflow does not run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gibbsflow.cli.options import Json, Out, remark, verb


def write(
    leg: Annotated[Path, typer.Option("--leg", help="Leg folder, as fe prepare writes it.")],
    out: Out,
    replicate: Annotated[int, typer.Option("--replicate", min=0, help="Number of the independent repeat, from 0.")] = 0,
    engine: Annotated[Literal["amber"], typer.Option("--engine", help="amber: AMBER's pmemd.cuda.")] = "amber",
    as_json: Json = False,
) -> None:
    """Write the windows of a leg as inputs and scripts for another program; its output is read by `analysis leg`."""
    with verb(out, as_json=as_json) as result:
        from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
        from gibbsflow.binding.sample.amber.leg_files import write_leg_files

        record = write_leg_files(read_leg_folder(leg), replicate, out)
        result.figures |= {"engine": engine, "windows": len(record["clambda"]), "segments": record["segments"]}
        for note in record["notes"]:
            remark(f"note: {note}")
