"""The benchmark of relative hydration: its table of molecules, and how an edge is held against others' values."""

import importlib.util
import sys
from pathlib import Path

import pytest
from rdkit import Chem

HERE = Path(__file__).parents[5] / "benchmarks" / "relative_hydration"
spec = importlib.util.spec_from_file_location("relative_hydration", HERE / "run.py")
run = sys.modules["relative_hydration"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run)


def row(dg, error, windows=11):
    return {"dg": dg, "error": error, "windows": windows, "window_ps": 80.0, "cpu_s": 600.0}


def test_molecules_are_told_apart_and_have_values_with_errors():
    table = run.published()
    assert len({Chem.CanonSmiles(one["smiles"]) for one in table.values()}) == len(table)
    assert all(0 < run.of_table(one)[1] < 0.05 and one["source"] for one in table.values())


def test_an_edge_is_its_second_ligand_less_its_first():
    told = run.beside("toluene~phenol", {}, {"toluene~phenol": row(-4.7, 0.1)})
    assert told["published"] == pytest.approx(-5.707 + 0.790) and "ligands" not in told
    assert told["apart_from_published"] == pytest.approx(0.217)
    assert told["apart_from_published_sigma"] == pytest.approx(0.217 / (0.027**2 + 0.025**2 + 0.1**2) ** 0.5, abs=0.01)
    assert not run.fails(told)


@pytest.mark.parametrize(
    ("dg", "error", "wrong"),
    [(-4.55, 0.1, True), (-4.55, 0.3, False), (-4.7, 0.02, False), (4.917, 0.1, True)],
    ids=["far and sure", "far and unsure", "near and sure", "sign"],
)
def test_an_edge_fails_where_it_is_far_off_and_sure_of_it(dg, error, wrong):
    assert run.fails(run.beside("toluene~phenol", {}, {"toluene~phenol": row(dg, error)})) is wrong


def test_an_edge_fails_by_its_own_ligands_where_the_published_ones_agree():
    edges = {"benzene~toluene": row(0.02, 0.05)}
    near = {"benzene": row(-0.9, 0.2, 17), "toluene": row(-0.7, 0.2, 17)}
    far = near | {"toluene": row(0.2, 0.2, 17)}
    assert not run.fails(run.beside("benzene~toluene", near, edges))
    told = run.beside("benzene~toluene", far, edges)
    assert run.fails(told) and told["apart_from_ligands"] == pytest.approx(0.02 - 1.1)
    tables = run.table({"edges": edges, "ligands": far, "beside": {"benzene~toluene": told}})
    assert "| benzene → toluene | 0.02 ± 0.05 | 0.02 ± 0.03 |" in tables and "| toluene | 0.20 ± 0.20 |" in tables
