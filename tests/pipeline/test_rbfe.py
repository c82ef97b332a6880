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
