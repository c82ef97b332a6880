"""``fe``: legs, their sampling, and how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.extension import extend
from gibbsflow.cli.fe_inputs import write
from gibbsflow.cli.options import (
    Config,
    DryRun,
    Json,
    Out,
    Segments,
    State,
    System,
    TimeBudget,
    new_app,
    parse_duration_s,
    parse_windows,
    remark,
    verb,
)
from gibbsflow.cli.placement import optimise, pilot
from gibbsflow.cli.status import Folder, StatusCommand, Watch, show
from gibbsflow.workflow.state.state_folder import window_folder

app = new_app("fe", "Free-energy legs: prepare them, sample their λ windows, see how far they are.")
for more in (pilot, optimise, extend, write):
    app.command()(more)


@app.command()
def prepare(
    system: System,
    out: Out,
    partner: Annotated[Path | None, typer.Option("--partner", help="System that an edge ends with.")] = None,
    edge: Annotated[Path | None, typer.Option("--edge", help="Folder of the edge (gibbsflow network edges).")] = None,
    config: Config = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Write the legs: λ states, restraint, start and settings, and the standard-state term; of an edge, from a to b."""
    with verb(out, state=state, as_json=as_json) as result:
        from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
        from gibbsflow.binding.alchemy.restraint.holding import motion_of_held
        from gibbsflow.binding.campaign.edges import prepare_legs_of
        from gibbsflow.binding.system import SimSystem
        from gibbsflow.config.binding import BindingConfig
        from gibbsflow.report.figures.equilibration_figure import plot_restraint
        from gibbsflow.workflow.state.status import write_plan

        settings = BindingConfig.read(config) if config else BindingConfig()
        prepared = prepare_legs_of(SimSystem.read(system), partner, edge, settings, out, result)
        if motion := motion_of_held(prepared):
            plot_restraint(out / "restraint.svg", motion, f"{prepared.name}: what the restraint holds (dashed: where)")
            prepared.with_artifacts(restraint_plot="restraint.svg").write()
        if state is not None:
            given = out.glob("legs/*") if settings.fe.schedule == "given" else ()  # else pilots will tell
            legs = [read_leg_folder(path) for path in sorted(given)]
            write_plan(state, {leg.leg: leg.planned_ns for leg in legs}, settings.run.replicates)


@app.command()
def run(
    leg: Annotated[Path, typer.Option("--leg", help="Leg folder, as fe prepare writes it.")],
    replicate: Annotated[int, typer.Option("--replicate", min=0, help="Number of the independent repeat, from 0.")],
    state: Annotated[
        Path,
        typer.Option(
            "--state",
            help="State folder of this leg and replicate, kept; each independent window has its own in it.",
        ),
    ],
    out: Out,
    window: Annotated[
        list[str] | None,
        typer.Option("--window", help="Sample this window, or a range such as 3-6; repeatable (sampler: independent)."),
    ] = None,
    time_budget: TimeBudget = None,
    segments: Segments = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Sample the windows of a leg, or go on where an earlier run of the same command stopped.

    By replica exchange all windows run in this process; the independent sampler takes those of --window, or all, one
    after the other. A finished window is not repeated: its results are written to --out again.
    """
    budget = parse_duration_s(time_budget)
    windows = parse_windows(window or ())
    home = None if dry_run else state / window_folder(windows[0]) if windows else state
    with verb(out, state=home, as_json=as_json) as result:
        from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
        from gibbsflow.binding.analyse.placement.pilot import hand_on
        from gibbsflow.binding.sample.sampling import check_request, sample_leg
        from gibbsflow.engines.choice.engine_choice import engine_versions
        from gibbsflow.engines.md_engines import engine_for
        from gibbsflow.workflow.result import versions
        from gibbsflow.workflow.state.segments import Stopper

        with Stopper(budget, segments) as stopper:
            prepared = read_leg_folder(leg)
            result.versions = versions(*engine_for(prepared.md).programs) | engine_versions(prepared.md)
            if dry_run:
                check_request(prepared, replicate, windows)
                plan = prepared.sampling
                total_ps = (count := len(windows or prepared.states)) * plan.samples * plan.sample_ps
                remark(f"{count} windows x {plan.samples * plan.sample_ps:g} ps = {total_ps:g} ps")
                result.figures |= {"windows": count, "planned_ps": total_ps, "segments": plan.segments}
                return
            sample_leg(prepared, replicate, windows, state, out, stopper, result)
            hand_on(leg, out)


@app.command()
def share(
    leg: Annotated[list[Path], typer.Option("--leg", help="Leg folder of a run; one for each of the runs.")],
    replicate: Annotated[list[int], typer.Option("--replicate", min=0, help="Its replicate.")],
    state: Annotated[list[Path], typer.Option("--state", help="Its state folder.")],
    run_out: Annotated[list[Path], typer.Option("--run-out", help="Folder of its results.")],
    out: Out,
    window: Annotated[list[str] | None, typer.Option("--window", help="Its windows, as 3-6 (independent).")] = None,
    time_budget: TimeBudget = None,
    as_json: Json = False,
) -> None:
    """Sample several legs at the same time, as on one GPU: each a process of `fe run`, all under one MPS daemon.

    What fails by itself leaves the others alone: it has no results, and its state says why.
    """
    with verb(out, as_json=as_json) as result:
        from gibbsflow.binding.sample.shared_gpu import runs_of, sample_together

        runs = runs_of(leg, replicate, state, run_out, window or ())
        code = sample_together(runs, out, time_budget, result)
    if code:
        raise typer.Exit(code)


@app.command(cls=StatusCommand)
def status(folder: Folder, watch: Watch = None, as_json: Json = False) -> None:
    """Show how far each equilibration and λ window below a state folder is; those of an exchange run share theirs."""
    show(folder, watch_s=watch, as_json=as_json)


if __name__ == "__main__":
    app()
