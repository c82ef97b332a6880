"""`gibbsflow network plan` and `analysis network` as a user types them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from networks import links_of, scattered, true_dg
from rdkit import Chem
from rdkit.Chem import AllChem
from typer.testing import CliRunner

from gibbsflow.cli.analysis import app as analysis
from gibbsflow.cli.gibbsflow import app as gibbsflow


def run(app, *words):
    return CliRunner().invoke(app, [str(word) for word in words])


def plan(*words):
    return run(gibbsflow, "network", "plan", *words)


def result(folder: Path):
    return json.loads((folder / "result.json").read_text())


@pytest.fixture
def difficulties(tmp_path: Path) -> Path:
    path = tmp_path / "difficulties.csv"
    rows = [f"{a},{b},{d}" for (a, b), d in scattered(8, 1).difficulty.items()]
    path.write_text("\n".join(["ligand_a,ligand_b,difficulty", *rows]))
    return path


def edges_of(folder: Path) -> list[tuple[str, str]]:
    with open(folder / "network.csv", newline="") as file:
        return [(row["ligand_a"], row["ligand_b"]) for row in csv.DictReader(file)]


def test_planned_lost_and_planned_anew(tmp_path: Path, difficulties: Path) -> None:
    done = plan("--difficulties", difficulties, "--out", tmp_path / "one")
    assert done.exit_code == 0, done.output
    figures = result(tmp_path / "one")
    assert figures["network"] == "redundant" and figures["ligands"] == 8 and not figures["unchecked_edges"]
    assert "total difficulty" in done.stdout and (tmp_path / "one" / "network.svg").exists()
    before = edges_of(tmp_path / "one")
    a, b = before[0]
    words = ("--from", tmp_path / "one" / "network.json", "--lost", f"{b}~{a}", "--lost-ligand", "L05")
    again = plan("--difficulties", difficulties, *words, "--out", tmp_path / "two")
    assert again.exit_code == 0, again.output
    after = edges_of(tmp_path / "two")
    assert set(after) > {edge for edge in before[1:] if "L05" not in edge}
    assert not any("L05" in edge for edge in after) and (a, b) not in after
    assert set(result(tmp_path / "two")["lost_edges"]) == {"~".join(edge) for edge in before if edge not in after}
    assert result(tmp_path / "two")["new_edges"] == ["~".join(edge) for edge in after if edge not in before]


@pytest.mark.parametrize("kind", ["star", "mst"])
def test_other_kinds_and_molecules(tmp_path: Path, kind: str) -> None:
    sheet = tmp_path / "ligands.csv"
    sheet.write_text("ligand,smiles\nbenzene,c1ccccc1\ntoluene,Cc1ccccc1\nxylene,Cc1ccc(C)cc1\n")
    done = plan("--input", sheet, "--network", kind, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert edges_of(tmp_path / "out") == [("benzene", "toluene"), ("toluene", "xylene")]


def test_settings_of_the_campaign_decide_what_edges_there_are(tmp_path: Path) -> None:
    sheet, water = tmp_path / "ligands.csv", tmp_path / "water.json"
    sheet.write_text("ligand,smiles\ncresol,Cc1ccc(O)cc1\ntoluene,Cc1ccccc1\nanilinium,Cc1ccc([NH3+])cc1\n")
    assert plan("--input", sheet, "--out", tmp_path / "out").exit_code == 0
    assert len(edges_of(tmp_path / "out")) == 3
    settings = {"md": {"solvent": "tip3p"}, "relative": {"network": "star", "hub": "anilinium"}}
    water.write_text(json.dumps(settings))
    told = plan("--input", sheet, "--config", water, "--out", tmp_path / "none")
    assert told.exit_code == 65 and "anilinium" in told.stderr
    water.write_text(json.dumps(settings | {"fe": {"charge_correction": "counter_ion"}}))
    assert plan("--input", sheet, "--config", water, "--out", tmp_path / "out").exit_code == 0
    assert edges_of(tmp_path / "out") == [("anilinium", "cresol"), ("anilinium", "toluene")]


def test_network_from_a_file(tmp_path: Path, difficulties: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("ligand_a,ligand_b\nc,a\nb,c\n")
    assert plan("--network", path, "--out", tmp_path / "out").exit_code == 0
    assert edges_of(tmp_path / "out") == [("c", "a"), ("b", "c")]
    strangers = plan("--network", path, "--difficulties", difficulties, "--out", tmp_path / "out")
    assert strangers.exit_code == 65 and strangers.stderr.count("is none of the ligands") == 3


def test_plans_that_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "d.csv"
    table.write_text("ligand_a,ligand_b,difficulty\na,b,0.1\nc,d,0.1\n")
    apart = plan("--difficulties", table, "--out", tmp_path / "out")
    assert apart.exit_code == 65 and "2 parts that no possible edge connects" in apart.stderr
    assert "difficulties of pairs between them" in apart.stderr
    assert not (tmp_path / "out" / "network.json").exists()
    for words in ((), ("--difficulties", table, "--lost", "a~b"), ("--network", tmp_path / "none.csv")):
        told = plan(*words, "--out", tmp_path / "out")
        assert told.exit_code == 65 and "Traceback" not in told.output


def test_poses_far_apart_are_parts_and_what_would_connect_them_is_said(tmp_path: Path) -> None:
    path, blocks = tmp_path / "l.sdf", []
    for name, smiles, away in (("benzene", "c1ccccc1", 0), ("toluene", "Cc1ccccc1", 0), ("phenol", "Oc1ccccc1", 30)):
        mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
        AllChem.EmbedMolecule(mol, randomSeed=3)
        mol.SetProp("_Name", name)
        mol.GetConformer().SetPositions(mol.GetConformer().GetPositions() + [away, 0, 0])
        blocks.append(Chem.MolToMolBlock(mol) + "$$$$\n")
    path.write_text("".join(blocks))
    told = plan("--input", path, "--out", tmp_path / "out")
    assert told.exit_code == 65 and "benzene, toluene; phenol" in told.stderr
    assert "in its pose where others are" in told.stderr


def test_analysis(tmp_path: Path) -> None:
    dg, edges, experiment = true_dg(6), tmp_path / "edges.csv", tmp_path / "exp.csv"
    lines = [f"{link.ligand_a},{link.ligand_b},{link.ddg:.6f},{link.error}" for link in links_of(dg, 0.2)]
    edges.write_text("\n".join(["ligand_a,ligand_b,ddg_kcal_per_mol,ddg_error_kcal_per_mol", *lines, "L00,L09,,"]))
    experiment.write_text(
        "\n".join(["ligand,dg_kcal_per_mol", *(f"L{k:02d},{value:.6f}" for k, value in enumerate(dg))])
    )
    words = ("network", "--edges", edges, "--experiment", experiment, "--anchor", "L02", "--out", tmp_path / "out")
    done = run(analysis, *words, "--json")
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert figures["status"] == "partial" and figures["cause"] == "LigandsLost" and figures["ligands_with_dg"] == 6
    assert figures["components"][0]["anchored"] and figures["agreement"]["ligands"][0]["count"] == 6
    with open(tmp_path / "out" / "ligands.csv", newline="") as file:
        rows = {row["ligand"]: row for row in csv.DictReader(file)}
    assert float(rows["L03"]["dg_kcal_per_mol"]) == pytest.approx(dg[3], abs=1e-3)
    assert rows["L09"]["status"] == "failed" and rows["L09"]["dg_kcal_per_mol"] == ""
    wrong = run(analysis, *words[:-3], "L77", *words[-2:])
    assert wrong.exit_code == 65 and "'L77' has not a computed" in wrong.stderr


def test_bad_tables(tmp_path: Path) -> None:
    edges = tmp_path / "edges.csv"
    edges.write_text("ligand_a,ligand_b,ddg\na,b,1\n")
    told = run(analysis, "network", "--edges", edges, "--out", tmp_path / "out")
    assert told.exit_code == 65 and "unit in the name" in told.stderr and "Traceback" not in told.output


def test_all_edges_failed(tmp_path: Path) -> None:
    edges = tmp_path / "edges.csv"
    edges.write_text("ligand_a,ligand_b,ddg_kcal_per_mol,status,cause\na,b,,failed,Unconverged: x\n")
    done = run(analysis, "network", "--edges", edges, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert result(tmp_path / "out")["status"] == "failed" and result(tmp_path / "out")["verdict"] == "FAIL"
    with open(tmp_path / "out" / "edges.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["cause"] == "Unconverged: x" and row["ddg_kcal_per_mol"] == ""
