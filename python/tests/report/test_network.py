"""What a network leaves in its folder."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from networks import links_of, scattered, true_dg

from gibbsflow.binding.network.analyse_network import analyse_network
from gibbsflow.binding.network.design.planning import plan
from gibbsflow.binding.network.edge_row import EdgeRow
from gibbsflow.binding.network.experiment import Measured
from gibbsflow.report.network import figures, graph, write_analysis, write_plan
from gibbsflow.workflow.account import Account

ROWS = [EdgeRow(link.ligand_a, link.ligand_b, link.ddg, link.error) for link in links_of(true_dg(6), 0.2)]
KNOWN = Measured({"L00": -9.0, "L01": -8.0, "L02": -7.5}, 298.15)


def test_files(tmp_path: Path) -> None:
    write_analysis(analyse_network(ROWS, Account("e"), measured=KNOWN), tmp_path)
    drawn = {path.stem for path in tmp_path.glob("*.svg") if ElementTree.parse(path)}
    assert drawn == {"network", "experiment_ligands", "experiment_edges"}
    assert {path.name for path in tmp_path.glob("*.*sv")} == {"edges.csv", "ligands.csv", "cycles.csv"}


def test_figures() -> None:
    assert set(figures(analyse_network(ROWS, Account("e")))) == {"network"}
    drawn = figures(analyse_network(ROWS, Account("e"), measured=KNOWN))
    assert "Computed against experimental ΔΔG" in drawn["experiment_edges"]
    # of relative values, the computed ones lie about the measured
    assert drawn["experiment_ligands"].count("<circle") == 3 and "L00: −8" in drawn["experiment_ligands"]


def test_plan(tmp_path: Path) -> None:
    network = plan(scattered(5, 1))
    write_plan(network, tmp_path)
    text = (tmp_path / "network.svg").read_text()
    assert all(f"{edge}: difficulty {edge.difficulty:.2f}" in text for edge in network.edges)


def test_graph() -> None:
    """What the page moves about: every ligand with its place, every edge with its value, every cycle."""
    analysis = analyse_network(ROWS, Account("e"), measured=KNOWN)
    found = graph(analysis)
    assert {node["name"]: node["text"] for node in found["nodes"]} == {
        row.ligand: f"{row.dg_kcal_per_mol:.2f}" for row in analysis.ligands
    }
    assert len({(node["x"], node["y"]) for node in found["nodes"]}) == 6
    assert [(edge["a"], edge["b"]) for edge in found["edges"]] == [(row.ligand_a, row.ligand_b) for row in ROWS]
    assert all(edge["used"] and edge["text"] in edge["tip"] for edge in found["edges"])
    assert [cycle["ligands"] for cycle in found["cycles"]] == [list(cycle.ligands) for cycle in analysis.cycles] != []
    assert f"{analysis.cycles[0].closure_kcal_per_mol:+.2f}" in found["cycles"][0]["text"]
