"""Tables of a network: what is written can be read again."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from networks import links_of, true_dg

from gibbsflow.binding.network.analyse_network import LIGAND_COLUMNS, NetworkAnalysis, analyse_network
from gibbsflow.binding.network.edge_row import EdgeRow, columns_of
from gibbsflow.binding.network.edge_table import read_edges
from gibbsflow.report.tables.network_tables import CYCLE_COLUMNS, ligand_text, write_tables
from gibbsflow.workflow.account import Account


def analysis(shift: float = 0.0) -> NetworkAnalysis:
    links = links_of(true_dg(6), 0.2)
    rows = [EdgeRow(link.ligand_a, link.ligand_b, link.ddg, link.error, overlap=0.1) for link in links]
    rows[2] = EdgeRow(rows[2].ligand_a, rows[2].ligand_b, (rows[2].ddg_kcal_per_mol or 0) + shift, 0.2)
    rows.append(EdgeRow("L00", "=x", status="failed", cause="Crash: a\nb"))
    return analyse_network(rows, Account("e"))


def rows_in(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_written_and_read_again(tmp_path: Path) -> None:
    found = analysis()
    write_tables(found, tmp_path)
    edges, ligands = rows_in(tmp_path / "edges.csv"), rows_in(tmp_path / "ligands.csv")
    assert tuple(edges[0]) == columns_of(found.edges) and tuple(ligands[0]) == LIGAND_COLUMNS
    assert edges[-1]["cause"] == "Crash: a b" and edges[-1]["ddg_kcal_per_mol"] == "" and edges[-1]["ligand_b"] == "'=x"
    assert ligands[-1] | {"cause": ""} == dict.fromkeys(LIGAND_COLUMNS, "") | {
        "ligand": "'=x", "edges": "0", "status": "failed", "verdict": "FAIL",
    }  # fmt: skip
    account = Account("edges.csv")
    again = analyse_network(read_edges(tmp_path / "edges.csv", account), account)
    assert not account.doubts
    for one, other in zip(again.ligands, found.ligands, strict=True):
        assert one.ligand == other.ligand and one.verdict == other.verdict
        assert one.dg_kcal_per_mol == pytest.approx(other.dg_kcal_per_mol, abs=2e-4)


def test_parquet_has_types(tmp_path: Path) -> None:
    found = analysis()
    write_tables(found, tmp_path)
    table = pq.read_table(tmp_path / "ligands.parquet")
    assert table.column_names == list(LIGAND_COLUMNS) and str(table.schema.field("rank").type) == "int32"
    assert table.column("dg_kcal_per_mol").to_pylist() == [row.dg_kcal_per_mol for row in found.ligands]
    edges = pq.read_table(tmp_path / "edges.parquet")
    assert edges.column_names == list(columns_of(found.edges)) and str(edges.schema.field("overlap").type) == "double"


def test_cycles_and_terminal(tmp_path: Path) -> None:
    found = analysis(4.0)
    write_tables(found, tmp_path)
    cycles = rows_in(tmp_path / "cycles.csv")
    assert tuple(cycles[0]) == CYCLE_COLUMNS and len(cycles) == 4
    assert {row["verdict"] for row in cycles} == {"PASS", "WARN"}
    text = ligand_text(found)
    assert "9 of 10 edges, 4 independent cycles" in text and "network: WARN" in text and "L02~L03 is an outlier" in text
