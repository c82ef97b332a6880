"""``gibbsflow network``: which pairs of ligands are compared; ``analysis network``: ligands from these."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gibbsflow.cli.edges import edges
from gibbsflow.cli.options import Config, Json, Out, new_app, say, verb

if TYPE_CHECKING:
    from gibbsflow.binding.network.design.links import Candidates
    from gibbsflow.config.binding import BindingConfig

app = new_app("network", "Networks of relative free energies.")
app.command()(edges)


@app.command()
def plan(
    out: Out,
    ligands: Annotated[
        Path | None, typer.Option("--input", help="Ligands: samplesheet, or SDF with a named record a ligand.")
    ] = None,
    difficulties: Annotated[
        Path | None,
        typer.Option(help="CSV ligand_a, ligand_b, difficulty (0 to 1) of each pair that can be transformed."),
    ] = None,
    config: Config = None,
    network: Annotated[
        str | None, typer.Option(help="star, mst, redundant, or a file with the edges; default: of settings.")
    ] = None,
    hub: Annotated[str | None, typer.Option(help="Centre of a star; default: of the settings, or the best.")] = None,
    hardest: Annotated[
        float,
        typer.Option(min=0.0, max=1.01, help="Difficulty of edges that are taken only where nothing else connects."),
    ] = 0.8,
    diameter: Annotated[int, typer.Option(min=2, help="Most edges between two ligands of a redundant network.")] = 6,
    earlier: Annotated[
        Path | None, typer.Option("--from", help="network.json to plan anew: its edges stay, new ligands are added.")
    ] = None,
    lost: Annotated[list[str] | None, typer.Option(help="Edge A~B that is lost (with --from); or several.")] = None,
    lost_ligand: Annotated[list[str] | None, typer.Option(help="Ligand that is given up (with --from).")] = None,
    as_json: Json = False,
) -> None:
    """Plan a network of edges, read one from a file, or plan around what is lost; no MD."""
    with verb(out, as_json=as_json) as result:
        from gibbsflow.binding.network.design import network_files, planning, replanning
        from gibbsflow.binding.network.design.links import kind_of, pair_called
        from gibbsflow.config.binding import BindingConfig
        from gibbsflow.errors import InputError, Problem
        from gibbsflow.report.network import write_plan

        settings = BindingConfig.read(config) if config else BindingConfig()
        network, hub = network or settings.relative.network, hub or settings.relative.hub
        named = kind_of(network)
        if (lost or lost_ligand) and earlier is None:
            raise InputError(Problem("--lost", "without --from", "the network.json that it is lost of"))
        candidates = _candidates(ligands, difficulties, hardest, settings)
        if candidates is None and (named or earlier):
            raise InputError(Problem("--input", "no ligands", "--input, or --difficulties"))
        if earlier is not None and candidates is not None:
            before = network_files.read_network(earlier, whole=False)
            gone = [pair_called(text, before.ligands) for text in lost or ()]
            given_up = lost_ligand or ()
            done = replanning.replan(before, candidates, lost_edges=gone, lost_ligands=given_up, hub=hub, most=diameter)
            result.figures["new_edges"] = [str(edge) for edge in done.edges if edge not in before.edges]
            result.figures["lost_edges"] = [str(edge) for edge in before.edges if edge not in done.edges]
        elif named and candidates is not None:
            done = planning.plan(candidates, named, hub=hub, most=diameter)
        else:
            done = network_files.read_network(Path(network), candidates.ligands if candidates else None)
        result.figures |= planning.figures(done)
        if earlier is None and result.figures["parts"] > 1:
            raise planning.unconnected(done, ligands, difficulties)
        network_files.write_network(done, out)
        write_plan(done, out)
        say(planning.text(done), as_json)


def _candidates(
    ligands: Path | None, difficulties: Path | None, hardest: float, settings: BindingConfig
) -> Candidates | None:
    from gibbsflow.binding.network.design import ligand_files
    from gibbsflow.binding.network.design.difficulty import read_difficulties
    from gibbsflow.workflow.account import Account

    if difficulties is None:
        return None if ligands is None else ligand_files.compared(ligands, Account(str(ligands)), hardest, settings)
    names = None
    if ligands is not None:
        given = Account(str(ligands))
        names = list(ligand_files.read_molecules(ligands, given))
        given.settle()
    account = Account(str(difficulties))
    found = read_difficulties(difficulties, account, names, hardest)
    account.settle()
    return found


def network(
    edges: Annotated[
        Path, typer.Option(help="CSV with ligand_a, ligand_b and ΔΔG; several rows of a pair are repeats.")
    ],
    out: Out,
    experiment: Annotated[
        Path | None, typer.Option(help="Measured affinities: ligand with kind, value, unit; or a column with its unit.")
    ] = None,
    anchor: Annotated[
        str, typer.Option(help="Zero of the scale: none (mean zero), mean (of experiment), or a ligand's name.")
    ] = "none",
    temperature: Annotated[
        float | None, typer.Option(min=200.0, max=500.0, help="Of measured constants, K; default: 298.15.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the resampling that gives intervals.")] = 0,
    as_json: Json = False,
) -> None:
    """Free energies of ligands from a table of edges: maximum likelihood, cycles, outliers, experiment."""
    with verb(out, as_json=as_json) as result:
        from gibbsflow.binding.network.edge_table import put_together, read_edges
        from gibbsflow.binding.network.experiment import read_measured
        from gibbsflow.workflow.account import Account
        from gibbsflow.workflow.files import inputs_hash

        account, told = Account(str(edges)), Account(str(experiment))
        rows = put_together(read_edges(edges, account), account)
        measured = read_measured(experiment, told, temperature) if experiment else None
        account.take(told)
        if account.of_weight("refuse"):
            account.settle()  # before anything heavy is imported

        from gibbsflow.binding.network.analyse_network import PHYSICS, analyse_network
        from gibbsflow.report.network import write_analysis
        from gibbsflow.report.tables.network_tables import ligand_text

        analysis = analyse_network(rows, account, measured=measured, anchor=anchor, seed=seed)
        write_analysis(analysis, out)
        result.figures, result.seed = analysis.figures, seed
        if lost := analysis.figures["ligands"] - analysis.figures["ligands_with_dg"]:
            result.cause = "LigandsLost"
            result.status = "partial" if analysis.figures["ligands_with_dg"] else "failed"
            result.message = f"{lost} of {analysis.figures['ligands']} ligands have no free energy"
        result.inputs_hash = inputs_hash(
            files={"edges": edges} | ({"experiment": experiment} if experiment else {}),
            settings={"anchor": anchor, "temperature_k": temperature, "seed": seed},
            physics=PHYSICS,
        )
        say(ligand_text(analysis), as_json)
