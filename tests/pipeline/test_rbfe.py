"""Relative free energies for real, picoseconds long: an edge is lost, another takes its place, nothing runs twice.

One ligand comes in its pose, the others are laid on it.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
from pipeline.launcher import REPO, Launcher

from gibbsflow.binding.prepare.complex import prepare_system, row_from_options
from gibbsflow.config.binding import BindingConfig

LOST = "adamantane~adamantanol"
CORE = f"""#!/bin/sh
case "$*" in
*"gibbsflow.cli.fe prepare "*{LOST}*) exit 70 ;;
esac
exec {sys.executable} "$@"
"""

RSFE = {
    "mode": "rsfe", "input": "alone.csv", "outdir": "out", "solvent": "obc2", "charge_method": "gas", "replicates": 1,
    "minimise_steps": 50, "heat_ps": 0.2, "equil_ps": 0.4, "equil_segment_ps": 0.2, "window_ps": 2.0,
    "window_equil_ps": 0.2, "sample_ps": 0.1, "segment_ps": 1.0,
}  # fmt: skip


def posed_ligands(folder: Path) -> Path:
    """The ligands of the demo, the first in its pose."""
    with open(REPO / "assets/demo-rbfe/ligands.csv") as file:
        smiles = {row["ligand"]: row["smiles"] for row in csv.DictReader(file)}
    first = next(iter(smiles))
    (folder / "pose").mkdir()
    row = row_from_options(first, None, smiles[first], None, None)
    prepare_system(row, REPO / "assets/demo/cb7.sdf", BindingConfig(), folder / "pose")
    rows = [f"{first},pose/ligand.sdf,,given", *(f"{name},,{text},align" for name, text in smiles.items())]
    del rows[1]
    (folder / "ligands.csv").write_text("ligand,structure,smiles,pose\n" + "\n".join(rows) + "\n")
    return folder / "ligands.csv"


@pytest.mark.slow
def test_an_edge_is_lost_and_its_ligands_keep_their_places(nextflow: Launcher, tmp_path: Path) -> None:
    core = tmp_path / "python"
    core.write_text(CORE)
    core.chmod(0o755)
    given = ("--input", str(posed_ligands(tmp_path)), "--mode", "rbfe", "--network", "mst")
    given += ("--replicates", "1", "--equil_ps", "4", "--window_ps", "2", "--window_equil_ps", "0.5")
    words = ("run", str(REPO / "main.nf"), "-profile", "test", "--outdir", "out", *given, "-resume")
    first = nextflow(*words, timeout_s=900, GIBBSFLOW_PYTHON=str(core))
    assert first.code == 0, first.text

    for name in ("adamantanol", "methyladamantane"):
        prepared = json.loads((first.outdir / "phases" / name / "system_prep" / "result.json").read_text())
        assert prepared["pose"] == "aligned"
        assert any("laid on adamantane by 10 heavy atoms" in note for note in prepared["notes"])
    plans = [json.loads((first.outdir / "network" / name / "network.json").read_text()) for name in ("plan", "replan")]
    before, after = ({f"{edge['ligand_a']}~{edge['ligand_b']}" for edge in plan["edges"]} for plan in plans)
    every = {LOST, "adamantane~methyladamantane", "adamantanol~methyladamantane"}
    assert len(before) == 2 and LOST in before and after == every  # what is lost keeps its row
    assert [path.name for path in (first.outdir / "network/replan/edges").iterdir()] == list(every - before)
    assert (first.reports["ligands.csv"], first.reports["edges.csv"]) == (["ligands.csv"], ["edges.csv"])
    with open(first.outdir / "ligands.csv") as file:
        ligands = {row["ligand"]: row for row in csv.DictReader(file)}
    assert {name: row["status"] for name, row in ligands.items()} == dict.fromkeys(
        ("adamantane", "adamantanol", "methyladamantane"), "finished"
    )
    assert all(row["dg_kcal_per_mol"] for row in ligands.values()) and "adamantanol  " in first.text

    again = nextflow(*words, timeout_s=900, GIBBSFLOW_PYTHON=str(core))
    assert again.code == 0, again.text
    assert not [name for name in again.tasks("COMPLETED") if "FE_RUN" in name]


@pytest.mark.slow
def test_edges_of_solvation_need_no_receptor(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "alone.csv").write_text("ligand,smiles\nbenzene,c1ccccc1\ntoluene,Cc1ccccc1\n")
    (tmp_path / "params.json").write_text(json.dumps(RSFE))
    run = nextflow("run", str(REPO / "main.nf"), "-params-file", "params.json", timeout_s=900)
    assert run.code == 0, run.text
    (edge,) = rows_of(run.outdir / "edges.csv")
    assert (edge["ligand_a"], edge["ligand_b"], edge["status"]) == ("benzene", "toluene", "finished")
    assert "complex_kcal_per_mol" not in edge
    legs = [float(edge[f"{leg}_kcal_per_mol"]) for leg in ("solvent", "vacuum")]
    assert float(edge["ddg_kcal_per_mol"]) == pytest.approx(legs[0] - legs[1], abs=2e-4)
    (row,) = rows_of(run.outdir / "results.csv")
    assert (row["transformation"], row["mode"]) == ("benzene~toluene", "rsfe")
    assert row["dg_kcal_per_mol"] == edge["ddg_kcal_per_mol"]
    assert {row["ligand"] for row in rows_of(run.outdir / "ligands.csv")} == {"benzene", "toluene"}
    record = json.loads((run.outdir / "record.benzene~toluene.json").read_text())
    assert any("no work of opening a cavity" in text for text in record["reasons"])
    assert "Relative solvation free energies" in (run.outdir / "report.html").read_text()


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path) as file:
        return list(csv.DictReader(file))
