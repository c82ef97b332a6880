"""`fe pilot` and `fe optimise`: λ windows at even distances, by a pilot or by energies that are there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gibbsflow.cli.options import Json, Out, Segments, TimeBudget, parse_duration_s, remark, verb

By = Literal["length", "overlap"]


def pilot(
    leg: Annotated[Path, typer.Option("--leg", help="Leg folder, as fe prepare writes it.")],
    state: Annotated[Path, typer.Option("--state", help="State folder of the pilot, kept: none of a replicate's.")],
    out: Out,
    time_budget: TimeBudget = None,
    segments: Segments = None,
    as_json: Json = False,
) -> None:
    """Sample a leg for a short while, and write it with λ windows at even distances, ready for fe run.

    Its length, and what is made equal, are settings of the leg (fe_pilot_ps, schedule_by, schedule_spacing).
    """
    budget = parse_duration_s(time_budget)
    with verb(out, state=state, as_json=as_json) as result:
        from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
        from gibbsflow.binding.analyse.placement.pilot import place_by_pilot
        from gibbsflow.engines.choice.engine_choice import engine_versions
        from gibbsflow.engines.md_engines import engine_for
        from gibbsflow.report.figures.placement_figure import write_figure
        from gibbsflow.workflow.result import versions
        from gibbsflow.workflow.state.segments import Stopper

        with Stopper(budget, segments) as stopper:
            given = read_leg_folder(leg)
            result.versions = versions(*engine_for(given.md).programs) | engine_versions(given.md)
            placed = place_by_pilot(given, state, out, stopper, result)
            write_figure(out, f"{placed.transformation} {placed.leg}")


def optimise(
    run: Annotated[
        list[Path],
        typer.Option("--run", help="Folder of fe run, finished or not; one for each replicate or group of windows."),
    ],
    out: Out,
    by: Annotated[By, typer.Option("--by", help="What neighbours have in equal parts.")] = "length",
    spacing: Annotated[
        float | None,
        typer.Option("--spacing", min=0.05, max=5, help="Distance of neighbours aimed at; default: 1.25."),
    ] = None,
    windows: Annotated[
        int | None, typer.Option("--windows", min=2, max=99, help="Number of windows, whatever their distance.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Place the λ windows of a leg at even distances, by the energies of its runs alone.

    Writes schedule.yaml, which fe prepare reads (--complex_schedule and the like), distances.csv, placement.json and
    placement.svg.
    """
    if spacing is not None and windows is not None:
        raise typer.BadParameter("--spacing and --windows both say how many windows there are; right: one of them")
    with verb(out, as_json=as_json) as result:
        from gibbsflow.binding.analyse.placement.even_states import SPACING
        from gibbsflow.binding.analyse.placement.placement_files import place_from_runs, write_placement
        from gibbsflow.report.figures.placement_figure import write_figure
        from gibbsflow.workflow.files import inputs_hash

        placed = place_from_runs(run, by=by, spacing=spacing or SPACING, windows=windows)
        paths = sorted({path for folder in run for path in folder.glob("window_*.parquet")})
        result.inputs_hash = inputs_hash(
            files={f"{number:04d}": path for number, path in enumerate(paths)},
            settings={"by": by, "spacing": placed.spacing, "windows": windows},
            physics=1,
        )
        told = placed.account.as_dict()
        result.figures = write_placement(placed, out, f"by {len(run)} runs") | {"warnings": told["warnings"]}
        write_figure(out, f"{len(placed.given)} windows before, {len(placed.states)} now")
        for warning in told["warnings"]:
            typer.echo(f"warning: {warning}", err=True)
        number = f"{len(placed.states)} windows, of {len(placed.given)}"
        expected = f"{placed.expected_error_ratio:.2f} of their error expected at equal cost"
        remark(f"{number}; {expected}: {out / 'schedule.yaml'}")
