"""`analysis compare`: two campaigns side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import Json, Out, verb


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="Results of a campaign.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Results of another one of the same mode.")],
    out: Out,
    as_json: Json = False,
) -> None:
    """Differences B - A of what two campaigns computed, kcal/mol, with errors, and settings that differ."""
    with verb(out, as_json=as_json, reads=True) as result:
        from gibbsflow.report.comparison import compare_campaigns, comparison_text, write_comparison

        found = compare_campaigns(a, b)
        write_comparison(found, a, b, out)
        result.figures = {
            "mode": found.mode,
            "rows": len(found.rows),
            "compared": found.both,
            "mean_difference_kcal_per_mol": found.mean_kcal_per_mol,
            "rms_difference_kcal_per_mol": found.rms_kcal_per_mol,
            "beyond_two_errors": found.far,
            "settings_that_differ": [name for name, _, _ in found.settings],
        }
        typer.echo(comparison_text(found), err=as_json)
