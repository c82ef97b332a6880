"""``gibbsflow``: a campaign without Nextflow, and the care of campaigns."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli import archiving, care, dft, network
from gibbsflow.cli.launch import launch
from gibbsflow.cli.options import DryRun, new_app, remark, verb
from gibbsflow.cli.status import clean
from gibbsflow.cli.watch import pack, watch
from gibbsflow.errors import EXIT_STOPPED

app = new_app("gibbsflow", "A whole campaign in this process, for debugging; the care of campaigns.")


@app.command("run-local")
def run_local(
    config: Annotated[
        Path, typer.Argument(help="YAML with the sections io, run, system, param, md, equil, fe, analysis.")
    ],
    dry_run: DryRun = False,
    measure: Annotated[
        bool,
        typer.Option("--measure", help="With --dry-run: time MD here for some 20 s, and scale the estimate by it."),
    ] = False,
) -> None:
    """Run a campaign without Nextflow: the same checks, phases, folders and state, one item after the other.

    Paths in the file are relative to the current folder, those in the samplesheet to the samplesheet.
    """
    if measure and not dry_run:
        raise typer.BadParameter("--measure needs --dry-run: nothing was started")
    code = 0
    with verb(None) as result:
        from gibbsflow.binding.campaign.phases import PIPELINES
        from gibbsflow.binding.campaign.run_local import LocalRun, checked
        from gibbsflow.config.binding import Launch
        from gibbsflow.workflow.care.campaign_note import todays_note
        from gibbsflow.workflow.state.cleaning import clean_failures
        from gibbsflow.workflow.state.locks import campaign_lock

        launch = Launch.read(config)
        checked_campaign = checked(launch, dry_run=dry_run and not measure)
        local = LocalRun(launch, checked_campaign.rows, verbs())
        lost = len(checked_campaign.left_out)
        them = "them" if len(local.rows) != 1 else "it"
        said = f"nothing wrong with {them}; {lost} left out" if lost else "nothing wrong"
        held = f"receptor {launch.io.receptor}" if launch.io.receptor else "no receptor"
        remark(f"{len(local.rows)} ligand{'s' * (len(local.rows) != 1)}, {held}: {said}")
        remark("\n".join(checked_campaign.charges))
        if dry_run:
            from gibbsflow.binding.campaign.foreseen.expected_cost import MEASURE_S, estimate
            from gibbsflow.config.binding import BindingConfig

            typer.echo(PIPELINES[launch.run.mode].describe())
            settings = BindingConfig.from_mapping(launch.model_dump(mode="json", exclude={"io"}), where="io")
            time_s, contents = MEASURE_S if measure else None, checked_campaign.contents
            found = estimate(local.rows, launch.io.receptor, settings, contents=contents, measure_s=time_s)
            result.figures["estimate"] = found.as_dict()
            typer.echo(found.text())
            return
        with campaign_lock(local.state):
            if launch.run.clean_failures:
                clean_failures(local.state)
            checked_campaign.record(local.system_state)
            io, mode = launch.io, launch.run.mode
            todays_note(local.state, mode=mode, outdir=local.out, param_cache=io.param_cache).write(local.state)
            code = local.run()
        result.figures |= {"exit_code": code, "outdir": str(local.out)}
        if code:
            result.status = "partial" if code == EXIT_STOPPED else "failed"
        else:
            result.cause, text = local.outcome()
            result.status = "failed" if result.cause else "finished"
            typer.echo(text)
    if code:
        raise typer.Exit(code)


app.command("list")(care.list_all)
app.command()(watch)
app.command()(pack)
app.command()(care.du)
app.command()(care.clean)
app.command()(archiving.archive)
app.command()(archiving.restore)
app.command()(archiving.move)
app.command("clean-failures")(clean)
app.add_typer(network.app, name="network")
app.add_typer(dft.app, name="dft")
app.command(hidden=True)(launch)  # for the pipeline


@app.command(hidden=True)
def params(file: Annotated[Path, typer.Argument(help="File of parameters, as -params-file takes it.")]) -> None:
    """Check a file of parameters before Nextflow reads it: each key once, each value of its parameter's type."""
    with verb(None):
        from gibbsflow.config.launch.generate import nextflow_schema
        from gibbsflow.config.launch.params_file import check_params_file

        groups = nextflow_schema()["$defs"].values()
        check_params_file(file, {key: item for group in groups for key, item in group["properties"].items()})


@app.command()
def crate(outdir: Annotated[Path, typer.Argument(help="Results of a run of the pipeline.")]) -> None:
    """Describe a finished run as a Workflow Run RO-Crate: ro-crate-metadata.json beside its results."""
    with verb(None, reads=True):
        from gibbsflow.report.crate import write_crate
        from gibbsflow.workflow.folders.published import set_strays_aside

        for note in set_strays_aside(outdir):
            remark(note)
        typer.echo(write_crate(outdir))


def verbs() -> dict[str, Callable[..., int]]:
    """The verbs of all phases as functions that return their exit code, by ``program verb``."""
    from gibbsflow.binding.campaign.phases import CAMPAIGN_VERB, EXTEND_VERB, PILOT_VERB, PIPELINES

    of_phases = [step.verb for pipeline in PIPELINES.values() for step in pipeline]
    named = dict.fromkeys([*of_phases, PILOT_VERB, EXTEND_VERB, CAMPAIGN_VERB])
    programs = {words: words.split() for words in named}
    return {
        words: _returning(getattr(import_module(f"gibbsflow.cli.{program}"), name))
        for words, (program, name) in programs.items()
    }


def _returning(command: Callable[..., None]) -> Callable[..., int]:
    @wraps(command)
    def run(**options: object) -> int:
        try:
            command(**options)
        except typer.Exit as end:
            return end.exit_code
        return 0

    return run


if __name__ == "__main__":
    app()
