"""The network of a campaign: records of edges become ligands, and what failed keeps its row."""

from __future__ import annotations

from typing import Any

import pytest

from gibbsflow.binding.network.campaign_network import (
    analyse_campaign_network,
    lost_edge,
    row_of_record,
    with_differences,
)
from gibbsflow.binding.network.design.links import Edge
from gibbsflow.binding.network.edge_row import reversed_row

TRUE = {"a": -6.0, "b": -7.0, "c": -5.5}
CORRECTION = 0.001
"""What the record adds to the sum of its legs, such as a finite-size correction, kcal/mol."""


def record(a: str, b: str, *, lost: int | None = None) -> dict[str, Any]:
    """Two repeats of both legs, 0.2 kcal/mol apart in the complex."""
    legs = []
    for replicate in (0, 1):
        off = 0.1 if replicate else -0.1
        for leg, dg in (("complex", 3.0 + TRUE[b] - TRUE[a] + off), ("solvent", 3.0)):
            value = None if replicate == lost and leg == "solvent" else dg
            legs.append(
                {"leg": leg, "replicate": replicate, "dg_kcal_per_mol": value, "mbar_error_kcal_per_mol": 0.05,
                 "overlap": {"min_neighbour": 0.2 - 0.1 * replicate}}
            )  # fmt: skip
    dg = TRUE[b] - TRUE[a] - (0.1 if lost == 1 else 0.0) + CORRECTION
    told = {"status": "finished", "verdict": "WARN", "cause": "", "reasons": ["short"]}
    return {
        "mode": "rbfe",
        "ligands": [a, b],
        "legs": legs,
        "dg_kcal_per_mol": dg,
        "dg_error_kcal_per_mol": 0.15,
    } | told


def test_a_record_is_the_row_of_an_edge() -> None:
    row = row_of_record(record("a", "b"))
    assert (row.name, row.ddg_kcal_per_mol, row.overlap) == ("a~b", pytest.approx(-0.999, abs=1e-9), pytest.approx(0.1))
    assert (row.ddg_error_kcal_per_mol, row.spread) == (0.15, None), "the result's own error, by the rule of results"
    assert (row.verdict, row.cause, row.complex_repeats) == ("WARN", "short", 2)
    assert row.topology == "hybrid" and row_of_record(record("a", "b") | {"topology": "dual"}).topology == "dual"
    assert lost_edge(Edge("a", "b", atoms=()), "failed", "NaN").topology == "dual"
    alone = row_of_record(record("a", "b", lost=1))
    assert (alone.ddg_kcal_per_mol, alone.complex_repeats) == (pytest.approx(-1.099, abs=1e-9), 1)


def test_an_edge_of_solvation_is_solvent_less_vacuum() -> None:
    of_binding = record("a", "b")
    called = {"complex": "solvent", "solvent": "vacuum"}
    legs = [leg | {"leg": called[leg["leg"]]} for leg in of_binding["legs"]]
    row = row_of_record(of_binding | {"mode": "rsfe", "legs": legs, "dg_kcal_per_mol": TRUE["b"] - TRUE["a"]})
    assert row.legs == ("solvent", "vacuum") and row.complex_repeats is None and row.vacuum_repeats == 2
    assert row.solvent_kcal_per_mol - row.vacuum_kcal_per_mol == pytest.approx(row.ddg_kcal_per_mol)
    assert reversed_row(row).vacuum_kcal_per_mol == -row.vacuum_kcal_per_mol


def test_ligands_by_all_edges_and_rows_for_what_is_lost() -> None:
    rows = [
        row_of_record(record("a", "b")),
        row_of_record(record("b", "c")),
        lost_edge(Edge("a", "c"), "failed", "NaN"),
    ]
    measured = {"a": -6.2, "b": None, "c": None, "d": -3.0}
    found = analyse_campaign_network(rows, measured, {"d": "Unbound: it left"}, "a", seed=1)
    ligands = {row.ligand: row for row in found.ligands}
    computed = {name: ligands[name].dg_kcal_per_mol for name in "abc"}
    assert computed == pytest.approx({"a": -6.2, "b": -7.199, "c": -5.698}, abs=1e-9)
    assert ligands["d"].cause == "Unbound: it left" and ligands["d"].verdict == "FAIL"
    assert [row.status for row in found.edges] == ["finished", "finished", "failed"]
    lost = analyse_campaign_network([lost_edge(Edge("a", "c"), "failed", "NaN")], measured, {}, "a", seed=1)
    assert all(row.dg_kcal_per_mol is None for row in lost.ligands) and len(lost.ligands) == 4


def test_measured_differences() -> None:
    found = with_differences([Edge("a", "b"), Edge("b", "c")], [("a", -6.0), ("b", -7.5), ("c", None)])
    assert found == [("a~b", pytest.approx(-1.5)), ("b~c", None)]
