"""`analysis`: energies of windows to free energies, verdicts, tables and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gibbsflow.cli.comparing import compare
from gibbsflow.cli.extension import next_round
from gibbsflow.cli.network import network
from gibbsflow.cli.options import Config, Json, Out, State, System, new_app, say, verb
from gibbsflow.cli.standard_state import standard_state

app = new_app(
    "analysis", "Free energies from the energies of windows: legs, transformations, campaigns; standard-state terms."
)
app.command()(network)
app.command()(compare)
app.command("next-round")(next_round)
app.command("standard-state")(standard_state)


@app.command()
def leg(
    files: Annotated[list[Path], typer.Option("--input", help="Energies of a window; repeat for each window.")],
    out: Out,
    format: Annotated[
        Literal["auto", "gibbsflow", "parquet", "gromacs", "amber"],
        typer.Option(help="Files of `fe run` (gibbsflow, parquet), dhdl.xvg, outputs of pmemd or sander; auto: any."),
    ] = "auto",
    temperature: Annotated[float | None, typer.Option(min=1.0, help="Temperature, K, as in the files.")] = None,
    decorrelate: Annotated[
        Literal["auto", "always", "never"],
        typer.Option(help="auto: values from all samples, own errors from uncorrelated ones; always, never: both."),
    ] = "auto",
    entropy: Annotated[
        bool, typer.Option(help="Split ΔG into enthalpy and entropy; needs whole energies, as `fe run` writes them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Free energy of one leg and replicate: MBAR, BAR, TI, overlap, convergence."""
    with verb(out, as_json=as_json) as result:
        from gibbsflow.binding.analyse import collect, verdict
        from gibbsflow.report.tables.results_table import leg_text
        from gibbsflow.workflow.files import inputs_hash
        from gibbsflow.workflow.result import versions

        samples = collect.read_leg(files, format, temperature_k=temperature)
        samples.account.settle()
        result.figures = verdict.account_figures(samples)
        result.figures |= verdict.leg_figures(samples, decorrelate, entropy=entropy)
        if samples.missing:
            result.status, result.cause, result.message = "partial", "MissingWindows", result.figures["reasons"][0]
            typer.echo(f"partial: {result.message}", err=True)
        result.versions = versions("alchemlyb", "pymbar", "numpy")
        result.inputs_hash = inputs_hash(
            files={f"{number:04d}": path for number, path in enumerate(files)},
            settings={"decorrelate": decorrelate, "temperature_k": samples.temperature_k}
            | ({"entropy": True} if entropy else {}),
            physics=4,
        )
        say(leg_text(result.figures), as_json)


@app.command()
def transformation(
    system: System,
    runs: Annotated[list[Path], typer.Option("--run", help="Output of one `fe run`; repeat for all of them.")],
    out: Out,
    config: Config = None,
    state: State = None,
    before: Annotated[
        Path | None, typer.Option(help="The same of the round before, where legs were extended (fe extend).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Binding free energy of one transformation from its legs and replicates, with error and verdict."""
    with verb(out, state=state, as_json=as_json) as result:
        from gibbsflow.binding.analyse.enough.rounds import KEY, read_record
        from gibbsflow.binding.analyse.transformation import FILE_NAME, analyse_transformation
        from gibbsflow.binding.system import SimSystem
        from gibbsflow.config.binding import BindingConfig
        from gibbsflow.errors import UnconvergedError
        from gibbsflow.report.figures.leg_figures import write_figures
        from gibbsflow.workflow.files import write_json

        settings = BindingConfig.read(config) if config else BindingConfig()
        source, earlier = SimSystem.read(system), read_record(before / FILE_NAME) if before else None
        record = analyse_transformation(source, runs, settings.analysis, settings.run.mode, earlier)
        record["figures"] = write_figures(record, source, out)
        write_json(out / FILE_NAME, record)
        result.status, result.cause, result.seed = record["status"], record["cause"], record["seed"]
        result.inputs_hash, result.versions = record["inputs_hash"], record["versions"]
        kept = ("verdict", "reasons", "dg_kcal_per_mol", "dg_error_kcal_per_mol", "error_method", "replicates")
        result.figures = {key: record[key] for key in kept}
        if record["dg_kcal_per_mol"] is None:
            raise UnconvergedError(f"{record['transformation']}: no free energy: {record['cause']}")
        dg = f"{record['dg_kcal_per_mol']:.2f} ± {record['dg_error_kcal_per_mol']:.2f} kcal/mol"
        lines = [f"{record['transformation']}: {dg}, {record['verdict']}", *record["reasons"]]
        lines += [record[KEY]["progress"]] if KEY in record else []
        say("\n  ".join(lines), as_json)


@app.command()
def campaign(
    samplesheet: Annotated[Path, typer.Option("--input", help="Samplesheet of the campaign.")],
    out: Out,
    records: Annotated[
        list[Path] | None, typer.Option("--record", help="Output of one `analysis transformation`; repeat for all.")
    ] = None,
    config: Config = None,
    state: Annotated[Path | None, typer.Option(help="State folder of the campaign, for causes of failures.")] = None,
    network: Annotated[
        Path | None, typer.Option(help="Output of `gibbsflow network edges`, in modes rbfe and rsfe.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Table, records and report of a campaign: one row for each row of the samplesheet, or each edge."""
    with verb(out, as_json=as_json, reads=True) as result:
        from gibbsflow.config.binding import BindingConfig
        from gibbsflow.report.campaign import terminal_table, write_campaign

        settings = BindingConfig.read(config) if config else BindingConfig()
        rows = write_campaign(samplesheet, records or [], settings, state, out, network)
        result.figures = {"rows": len(rows), "finished": sum(row.status == "finished" for row in rows)}
        text = terminal_table(rows)
        if not result.figures["finished"]:  # no exit code, for the failure policy was kept: docs/usage.md
            result.status = "failed"
            result.cause = "NothingFinished"
            result.message = (
                f"NOTHING FINISHED: none of {len(rows)} rows has a result; {out / 'results.csv'} has the causes"
            )
            text += f"\n{result.message}"
        say(text, as_json)


if __name__ == "__main__":
    app()
