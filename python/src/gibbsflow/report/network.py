"""What a network leaves in its folder: tables, and figures of the plan and of what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from gibbsflow.binding.network.analyse_network import LigandRow, NetworkAnalysis
from gibbsflow.binding.network.design.links import Network
from gibbsflow.binding.network.edge_row import EdgeRow
from gibbsflow.report.figures.experiment_plot import Comparison, draw_comparison
from gibbsflow.report.figures.network_figure import Line, Loop, Node, draw_network, layout
from gibbsflow.report.figures.svg import svg_file
from gibbsflow.report.tables.network_tables import open_cycle, write_tables
from gibbsflow.workflow.files import atomic_open


def write_analysis(analysis: NetworkAnalysis, folder: Path) -> list[Path]:
    """Write tables and figures of a network.

    Parameters
    ----------
    analysis
        Of the network.
    folder
        Where to.

    Returns
    -------
    list of Path
        What was written.
    """
    written = write_tables(analysis, folder)
    for name, svg in figures(analysis).items():
        _write(svg, path := Path(folder) / f"{name}.svg")
        written.append(path)
    return written


def write_plan(network: Network, folder: Path) -> None:
    """Draw a network that is planned.

    Parameters
    ----------
    network
        The plan.
    folder
        Where to.
    """
    lines = [
        Line(edge.ligand_a, edge.ligand_b, text, f"{edge}: difficulty {text}" if text else str(edge))
        for edge in network.edges
        for text in ["" if edge.difficulty is None else f"{edge.difficulty:.2f}"]
    ]
    _write(draw_network([Node(name) for name in network.ligands], lines), Path(folder) / "network.svg")


def figures(analysis: NetworkAnalysis) -> dict[str, str]:
    """Draw a network.

    Parameters
    ----------
    analysis
        Of the network.

    Returns
    -------
    dict
        SVG by name: ``network``, and where something was measured ``experiment_ligands`` and ``experiment_edges``.
    """
    nodes = [Node(row.ligand, _dg(row), row.verdict) for row in analysis.ligands]
    lines = [
        Line(row.ligand_a, row.ligand_b, _value(row), _tip(row), row.verdict, dashed=not row.used)
        for row in analysis.edges
    ]
    count = len(analysis.cycles)
    loops = [Loop(c.ligands, c.closure_kcal_per_mol, c.z, open_cycle(c, count)) for c in analysis.cycles]
    found = {"network": draw_network(nodes, lines, loops)}
    ligands = draw_comparison(_ligands(analysis, analysis.measured))
    edges = draw_comparison(
        [
            Comparison(row.name, row.ddg_kcal_per_mol, row.experimental_ddg_kcal_per_mol, row.ddg_error_kcal_per_mol,
                       row.verdict)
            for row in analysis.edges
            if row.used and row.ddg_kcal_per_mol is not None and row.experimental_ddg_kcal_per_mol is not None
        ],
        "ΔΔG",
    )  # fmt: skip
    return found | ({"experiment_ligands": ligands} if ligands else {}) | ({"experiment_edges": edges} if edges else {})


def graph(analysis: NetworkAnalysis) -> dict[str, Any]:
    """Give a network as the page moves it about; places are those of its figure.

    Parameters
    ----------
    analysis
        Of the network.

    Returns
    -------
    dict
        ``nodes`` [{name, text, verdict, x, y}], ``edges`` [{a, b, text, tip, verdict, used}] and ``cycles``
        [{ligands, text}], values in kcal/mol.
    """
    names = [row.ligand for row in analysis.ligands]
    places, _, _ = layout(names, [(row.ligand_a, row.ligand_b) for row in analysis.edges])
    return {
        "nodes": [
            {
                "name": row.ligand,
                "text": _dg(row),
                "verdict": row.verdict,
                "x": places[row.ligand][0],
                "y": places[row.ligand][1],
            }
            for row in analysis.ligands
        ],
        "edges": [
            {
                "a": row.ligand_a,
                "b": row.ligand_b,
                "text": _value(row),
                "tip": _tip(row),
                "verdict": row.verdict,
                "used": row.used,
            }
            for row in analysis.edges
        ],
        "cycles": [
            {
                "ligands": list(cycle.ligands),
                "text": f"{' → '.join(cycle.ligands)}: {cycle.closure_kcal_per_mol:+.2f} ± "
                f"{cycle.error_kcal_per_mol:.2f} kcal/mol",
            }
            for cycle in analysis.cycles
        ],
    }


def _ligands(analysis: NetworkAnalysis, measured: Mapping[str, float]) -> list[Comparison]:
    """Computed values, each component moved to where its measured ligands are on the mean."""
    found = []
    for part in analysis.figures["components"]:
        rows = [row for row in analysis.ligands if row.component == part["component"] and row.ligand in measured]
        values = [(row, row.dg_kcal_per_mol, measured[row.ligand]) for row in rows if row.dg_kcal_per_mol is not None]
        if values:
            off = 0.0 if part["anchored"] else fmean(exp for _, _, exp in values) - fmean(dg for _, dg, _ in values)
            found += [Comparison(r.ligand, dg + off, exp, r.dg_error_kcal_per_mol, r.verdict) for r, dg, exp in values]
    return found


def _dg(row: LigandRow) -> str:
    return "" if row.dg_kcal_per_mol is None else f"{row.dg_kcal_per_mol:.2f}"


def _value(row: EdgeRow) -> str:
    return "" if row.ddg_kcal_per_mol is None else f"{row.ddg_kcal_per_mol:.2f}±{row.ddg_error_kcal_per_mol or 0:.2f}"


def _tip(row: EdgeRow) -> str:
    return " ".join(word for word in (f"{row.ligand_a} → {row.ligand_b}", _value(row), row.verdict, row.cause) if word)


def _write(svg: str, path: Path) -> None:
    with atomic_open(path, "w") as file:
        file.write(svg_file(svg))
