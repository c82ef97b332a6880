"""From edges to ligands: values, errors, verdicts, what is lost and what is said."""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import PAIRS, links_of, true_dg

from gibbsflow.binding.network.analyse_network import NetworkAnalysis, analyse_network
from gibbsflow.binding.network.edge_row import EdgeRow, reversed_row
from gibbsflow.binding.network.edge_table import edge_of_repeats
from gibbsflow.binding.network.experiment import Measured, read_measured
from gibbsflow.workflow.account import Account

DATA = os.environ.get("GIBBSFLOW_REFERENCE_DATA", "")
PUBLIC = pytest.mark.skipif(not DATA, reason="needs GIBBSFLOW_REFERENCE_DATA: rbfe_network")
DG = true_dg(6)


def rows_of(errors=0.2, noise=None) -> list[EdgeRow]:
    return [EdgeRow(link.ligand_a, link.ligand_b, link.ddg, link.error) for link in links_of(DG, errors, noise)]


def analysed(rows, **options) -> NetworkAnalysis:
    return analyse_network(rows, Account("edges.csv"), **options)


def values(analysis: NetworkAnalysis) -> dict[str, float | None]:
    return {row.ligand: row.dg_kcal_per_mol for row in analysis.ligands}


def test_ranking_with_experiment_and_anchor() -> None:
    known = Measured({f"L{k:02d}": float(dg) for k, dg in enumerate(DG)}, 298.15)
    found = analysed(rows_of(), measured=known, anchor="mean")
    assert values(found) == pytest.approx(dict(known.dg_kcal_per_mol))
    assert [row.rank for row in found.ligands] == [1, 2, 3, 4, 5, 6]
    assert [row.ligand for row in found.ligands] == [f"L{k:02d}" for k in np.argsort(DG)]
    assert found.figures["verdict"] == "PASS" and not found.figures["reasons"]
    agreement = found.figures["agreement"]
    assert agreement["edges"]["rmse_kcal_per_mol"]["value"] == pytest.approx(0, abs=1e-9)
    assert agreement["ligands"][0]["kendall_tau"]["value"] == pytest.approx(1)
    assert found.edges[0].experimental_ddg_kcal_per_mol == pytest.approx(DG[1] - DG[0])
    assert {row.verdict for row in found.edges} == {"PASS"}


def test_experiment_of_edges_alone_gives_the_same_agreement() -> None:
    noise = np.random.default_rng(1).normal(size=len(PAIRS))
    rows = rows_of(0.5, noise)
    known = Measured({f"L{k:02d}": float(dg) for k, dg in enumerate(DG)}, 298.15)
    by_ligand = analysed(rows, measured=known).figures["agreement"]
    told = [
        replace(row, experimental_ddg_kcal_per_mol=float(DG[b] - DG[a]))
        for row, (a, b) in zip(rows, PAIRS, strict=True)
    ]
    by_edge = analysed(told)
    for kind in ("rmse_kcal_per_mol", "mue_kcal_per_mol", "kendall_tau"):
        one, other = (said["ligands"][0][kind] for said in (by_ligand, by_edge.figures["agreement"]))
        assert one == pytest.approx(other)
    assert all(row.experimental_dg_kcal_per_mol is None for row in by_edge.ligands)
    told[0] = replace(told[0], experimental_ddg_kcal_per_mol=9.0)
    assert any("do not add up around cycles" in said for said in analysed(told).figures["warnings"])


def test_understated_errors_are_scaled_and_said() -> None:
    """Errors of MBAR alone, 2.8 times too small: errors of ligands cover what they should all the same."""
    rng = np.random.default_rng(5)
    z, plain = [], []
    for _ in range(30):
        found = analysed(rows_of(0.1, 2.8 * rng.normal(size=len(PAIRS))))
        off = [(row.dg_kcal_per_mol or 0) - DG[int(row.ligand[1:])] + DG.mean() for row in found.ligands]
        z += [o / (row.dg_error_kcal_per_mol or 1) for o, row in zip(off, found.ligands, strict=True)]
        plain += [o / (row.ml_error_kcal_per_mol or 1) for o, row in zip(off, found.ligands, strict=True)]
    assert np.sqrt(np.mean(np.square(plain))) > 2.3
    assert 0.58 < (np.abs(z) < 1).mean() < 0.78 and (np.abs(z) < 1.96).mean() > 0.85
    assert found.figures["error_factor"] > 1


def test_an_outlier_and_its_ligands_are_named() -> None:
    rows = rows_of(0.2)
    rows[4] = replace(rows[4], ddg_kcal_per_mol=(rows[4].ddg_kcal_per_mol or 0) + 3, verdict="PASS")
    found = analysed(rows)
    assert [said["edges"] for said in found.figures["outliers"]] == [["L00~L02"]]
    assert found.figures["verdict"] == "WARN" and "L00~L02 is an outlier" in found.figures["reasons"][0]
    assert found.edges[4].verdict == "WARN" and "Outlier: differs by +3.00" in found.edges[4].cause
    assert {row.ligand for row in found.ligands if row.verdict == "WARN"} == {"L00", "L02"}


def test_what_failed_keeps_its_row_and_no_ligand_is_zero_in_silence() -> None:
    rows = [
        *rows_of(),
        EdgeRow("L00", "L09", status="failed", cause="Unconverged: x"),
        EdgeRow("L08", "L09", status="waiting"),
    ]
    rows.append(EdgeRow("L07", "L00", 1.0, 0.1, verdict="FAIL"))
    found = analysed(rows)
    assert len(found.edges) == 12 and found.figures["edges_used"] == 9
    lost = {row.ligand: row for row in found.ligands if row.status == "failed"}
    assert set(lost) == {"L07", "L08", "L09"} and all(row.dg_kcal_per_mol is None for row in lost.values())
    assert lost["L09"].cause == "no edge reaches it: L00~L09 is failed, L08~L09 is waiting"
    assert lost["L07"].cause == "no edge reaches it: L07~L00 is FAIL" and lost["L07"].verdict == "FAIL"
    assert "no free energy of L07, L08, L09" in found.figures["reasons"][-1]
    assert values(found)["L03"] == pytest.approx(DG[3] - DG.mean())


def test_parts_have_scales_of_their_own() -> None:
    rows = [*rows_of(), EdgeRow("x", "y", 2.0, 0.3)]
    known = Measured({"L00": -5.0}, 298.15)
    found = analysed(rows, measured=known, anchor="L00")
    assert [part["anchored"] for part in found.figures["components"]] == [True, False]
    assert "2 components that no edge connects" in found.figures["reasons"][0]
    assert values(found)["x"] == pytest.approx(-1) and values(found)["L00"] == pytest.approx(-5)
    assert {row.component for row in found.ligands} == {1, 2} and found.figures["unchecked_edges"] == ["x~y"]
    assert found.edges[-1].verdict == ""  # nothing checks it


def test_overlap_and_verdicts_that_come_along() -> None:
    rows = [replace(row, verdict="WARN", cause="drift") for row in rows_of()]
    rows[0] = replace(rows[0], overlap=0.01, verdict="", cause="")
    found = analysed(rows)
    assert found.edges[0].cause.startswith("Overlap: 0.010") and found.edges[1].cause == "drift"
    assert all(row.verdict == "WARN" and "each of its edges" in row.cause for row in found.ligands)


def test_nothing_to_rest_on() -> None:
    found = analysed([EdgeRow("a", "b", 1.0, 0.1, verdict="FAIL")])
    assert found.figures["verdict"] == "FAIL" and [row.status for row in found.ligands] == ["failed", "failed"]


# --- OpenFE's results of three sets with their repeats ----------------------------------------------------------------


def public(system: str) -> tuple[list[dict], dict[str, tuple[float, float]]]:
    content = json.loads((Path(DATA) / "rbfe_network" / "computational_results.json").read_text())
    stored = {
        said["ligand"]: (said["dg"]["magnitude"], said["dg_uncertainty"]["magnitude"])
        for said in content["dg"]
        if said["system_name"] == system
    }
    return [said for said in content["ddg"] if said["system_name"] == system], stored


def public_rows(edges: list[dict]) -> list[EdgeRow]:
    return [
        EdgeRow(said["ligand_a"], said["ligand_b"], said["ddg"]["magnitude"], said["ddg_uncertainty"]["magnitude"])
        for said in edges
    ]


@PUBLIC
@pytest.mark.parametrize(("system", "ligands"), [("tyk2", 16), ("p38", 34), ("irak4_s3", 3), ("egfr", 3)])
def test_stored_values(system: str, ligands: int) -> None:
    edges, stored = public(system)
    assert len(stored) == ligands
    rows = public_rows(edges)
    mixed = [reversed_row(row) if k % 2 else row for k, row in enumerate(rows)]
    random.Random(3).shuffle(mixed)
    for found in (analysed(rows), analysed(mixed)):
        assert values(found) == pytest.approx({name: dg for name, (dg, _) in stored.items()}, abs=1e-9)
        assert {r.ligand: r.ml_error_kcal_per_mol for r in found.ligands} == pytest.approx(
            {n: e for n, (_, e) in stored.items()}
        )


@PUBLIC
def test_tyk2_against_experiment() -> None:
    edges, _ = public("tyk2")
    path = Path(DATA) / "rbfe" / "tyk2" / "experimental_binding_data.json"
    known = read_measured(path, Account(str(path)))
    rows = public_rows(edges)
    (said,) = analysed(rows, measured=known).figures["agreement"]["ligands"]
    assert said["rmse_kcal_per_mol"]["value"] == pytest.approx(0.614, abs=5e-4)
    assert said["mue_kcal_per_mol"]["value"] == pytest.approx(0.502, abs=5e-4)
    whole = analysed(rows)
    in_cycles = set(range(len(rows))) - {
        k for k, row in enumerate(rows) if row.name in whole.figures["unchecked_edges"]
    }
    for gone in sorted(in_cycles)[::5]:
        less = analysed(rows[:gone] + rows[gone + 1 :], measured=known)
        assert len(less.ligands) == 16 and less.figures["cycles"]["independent"] == 6
        assert less.figures["agreement"]["ligands"][0]["rmse_kcal_per_mol"]["value"] == pytest.approx(0.614, abs=0.1)


@PUBLIC
def test_repeats_of_public_data_do_not_close_until_errors_are_scaled() -> None:
    for system, least in (("tyk2", 1.3), ("p38", 1.3)):
        edges, stored = public(system)
        legs = [[[(dg, None) for dg in said[f"dgs_{leg}"]] for leg in ("complex", "solvent")] for said in edges]
        rows = [edge_of_repeats(s["ligand_a"], s["ligand_b"], *leg) for s, leg in zip(edges, legs, strict=True)]
        found = analysed(rows)
        scatter, factor = found.figures["cycles"]["scatter"], found.figures["error_factor"]
        assert scatter == factor > least and 0.5 < found.figures["cycles"]["rms_z"] / factor < 1.5
        off = [row.dg_kcal_per_mol - stored[row.ligand][0] for row in found.ligands if row.dg_kcal_per_mol is not None]
        assert np.sqrt(np.mean(np.square(off))) < 0.3


@PUBLIC
def test_a_public_network_of_two_parts() -> None:
    found = analysed(public_rows(public("irak4_s2")[0]))
    assert [len(part["ligands"]) for part in found.figures["components"]] == [3, 2]
    assert found.figures["verdict"] == "WARN"
