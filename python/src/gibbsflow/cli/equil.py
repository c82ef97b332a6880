"""``equil``: topologies, equilibration and its analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

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
    remark,
    verb,
)
from gibbsflow.cli.status import Folder, StatusCommand, Watch, clean, show

app = new_app("equil", "Equilibration of a complex: topologies, MD, and whether the ligand stays bound.")


@app.command()
def prepare(system: System, out: Out, config: Config = None, state: State = None, as_json: Json = False) -> None:
    """Write topologies and starting coordinates of complex and ligand."""
    with verb(out, state=state, as_json=as_json) as result:
        from gibbsflow.binding.campaign.verbs import prepare_topologies
        from gibbsflow.binding.equilibrate.equilibration import planned
        from gibbsflow.binding.facts import SettingsFacts, TopologyFacts
        from gibbsflow.binding.system import SimSystem
        from gibbsflow.binding.workload import equilibration_work
        from gibbsflow.config.binding import BindingConfig

        settings = BindingConfig.read(config) if config else BindingConfig()
        built, engine = prepare_topologies(SimSystem.read(system), settings, out, state=state)
        atoms, own = built.facts(TopologyFacts), built.facts(SettingsFacts)
        ps = planned(built, own.md, own.equil).length_ps(own.md.timestep_fs)
        result.seed = settings.run.seed
        result.figures |= {
            "receptor_atoms": len(atoms.receptor_atoms),
            "ligand_atoms": len(atoms.ligand_atoms),
            "site_atoms": len(atoms.site_atoms),
            "work": equilibration_work(built, ps).asks(own.md),
            "engine": engine.engine,
            **({"engine_because": engine.because} if engine.because else {}),
        }


@app.command()
def run(
    system: System,
    state: Annotated[Path, typer.Option("--state", help="State folder: checkpoints, frames and sentinels, kept.")],
    out: Out,
    time_budget: TimeBudget = None,
    segments: Segments = None,
    written: Annotated[
        Path | None, typer.Option("--written", help="Folder of `equil write`, FINISHED: read and not run again.")
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Minimise, heat and equilibrate the complex, or go on where an earlier run of the same command stopped.

    A finished run is not repeated: its results are written to --out again.
    """
    budget = parse_duration_s(time_budget)
    with verb(out, state=None if dry_run else state, as_json=as_json) as result:
        from gibbsflow.binding.equilibrate.equilibration import equilibrate, planned
        from gibbsflow.binding.facts import SettingsFacts
        from gibbsflow.binding.system import SimSystem
        from gibbsflow.engines.choice.engine_choice import equilibrating_engine
        from gibbsflow.workflow.result import versions
        from gibbsflow.workflow.state.segments import Stopper

        with Stopper(budget, segments) as stopper:
            given = SimSystem.read(system)
            settings = given.facts(SettingsFacts)
            result.versions = versions(*equilibrating_engine(settings.md).programs)
            if dry_run:
                plan = planned(given, settings.md, settings.equil)
                planned_ps = plan.length_ps(settings.md.timestep_fs)
                result.figures |= {"planned_ps": planned_ps, "segments": len(plan.frames)}
                remark(f"{planned_ps:g} ps in {len(plan.frames)} segments")
                return
            if written is not None:
                from gibbsflow.binding.equilibrate.written.read_back import read_back

                read_back(given, written, state, stopper)
            equilibrate(given, state, out, stopper, result).write()


@app.command()
def write(
    system: System,
    out: Out,
    engine: Annotated[Literal["amber"], typer.Option("--engine", help="amber: AMBER's sander.")] = "amber",
    as_json: Json = False,
) -> None:
    """Write the equilibration as inputs and scripts for another program, to be run where gibbsflow is not."""
    with verb(out, as_json=as_json) as result:
        from gibbsflow.binding.equilibrate.written.equil_files import write_equil_files
        from gibbsflow.binding.system import SimSystem

        record = write_equil_files(SimSystem.read(system), out)
        result.figures |= {"engine": engine, "boxes": record["boxes"], "segments": record["segments"]}


@app.command()
def analyse(system: System, out: Out, state: State = None, as_json: Json = False) -> None:
    """Say whether the ligand is bound, pick the representative frame and anchors, plot; exit 70 where unbound."""
    with verb(out, state=state, as_json=as_json) as result:
        from gibbsflow.binding.equilibrate.equil_analysis import analyse_equilibration
        from gibbsflow.binding.system import SimSystem
        from gibbsflow.report.figures.equilibration_figure import plot_equilibration

        analysis = analyse_equilibration(SimSystem.read(system), out, result, plot="equil.svg")
        plot_equilibration(out / "equil.svg", analysis)
        analysis.system.write()
        analysis.require_bound()


@app.command(cls=StatusCommand)
def status(folder: Folder, watch: Watch = None, as_json: Json = False) -> None:
    """Show how far each equilibration below a state folder is, and what failed before or after it."""
    show(folder, "equil", "phase", watch_s=watch, as_json=as_json)


app.command("clean-failures")(clean)


if __name__ == "__main__":
    app()
