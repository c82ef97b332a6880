"""Explicit solvent through Nextflow, for real and a fraction of a picosecond long: its numbers mean nothing."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pipeline.launcher import REPO, Launcher, Run
from pipeline.test_real import STATES, wait_for

TINY = {
    "outdir": "out",
    "solvent": "tip3p",
    "charge_method": "gas",
    "padding_angstrom": 8,
    "cutoff_angstrom": 7,
    "minimise_steps": 50,
    "heat_ps": 0.04,
    "density_ps": 0.04,
    "equil_ps": 0.08,
    "equil_segment_ps": 0.04,
    "replicates": 1,
    "window_ps": 0.96,
    "window_equil_ps": 0.08,
    "sample_ps": 0.04,
    "segment_ps": 0.08,
    "complex_schedule": "held.yaml",
    "solvent_schedule": "free.yaml",
}


def asked(folder: Path, sheet: str, **params: Any) -> tuple[str, ...]:
    """Write the inputs and settings of a run; the words that start it."""
    (folder / "ligands.csv").write_text(sheet)
    for name, restraint in (("held", 1), ("free", 0)):
        (folder / f"{name}.yaml").write_text(STATES.format(restraint))
    given = TINY | {"input": "ligands.csv"} | params
    given = {key: value for key, value in given.items() if value is not None}
    (folder / "params.json").write_text(json.dumps(given))
    return ("run", str(REPO / "main.nf"), "-params-file", "params.json", "-resume")


def results(run: Run) -> dict[str, dict[str, str]]:
    with open(run.outdir / "results.csv") as file:
        return {row["ligand"]: row for row in csv.DictReader(file)}


@pytest.mark.slow
def test_solvation_is_killed_in_mid_leg_goes_on_and_lists_what_was_dropped(nextflow: Launcher, tmp_path: Path) -> None:
    sheet = "ligand,smiles\nmethanol,CO\nacetate,CC(=O)[O-]\n"
    words = asked(tmp_path, sheet, mode="asfe", complex_schedule=None, on_failure="prune")
    leg = tmp_path / "state" / "out" / "alone" / "methanol" / "solvent" / "replicate_0"
    with open(tmp_path / "killed.log", "w") as log:
        first = subprocess.Popen(
            [REPO / "nextfloww", *words], cwd=tmp_path, stdout=log, stderr=log, text=True, start_new_session=True
        )
        wait_for(leg / "segment-00001.npz", first)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    drawn = (leg / "segment-00000.npz").read_bytes()
    assert not (leg / "FINISHED").exists()

    second = nextflow(*words)
    assert second.code == 0, second.text
    assert second.cached >= 4 and (leg / "segment-00000.npz").read_bytes() == drawn
    rows = results(second)
    assert (rows["methanol"]["status"], rows["methanol"]["mode"], rows["methanol"]["replicates"]) == (
        "finished", "asfe", "1",
    )  # fmt: skip
    assert rows["acetate"]["status"] == "failed" and "a charge of -1 e" in rows["acetate"]["cause"]
    record = json.loads((second.outdir / "record.methanol.json").read_text())
    legs = {one["leg"]: one["dg_kcal_per_mol"] for one in record["legs"]}
    assert float(rows["methanol"]["dg_kcal_per_mol"]) == pytest.approx(legs["vacuum"] - legs["solvent"], abs=2e-3)
    assert not list(second.outdir.rglob("anchors*")) and (second.outdir / "report.html").exists()


@pytest.mark.slow
def test_binding_in_water(nextflow: Launcher, tmp_path: Path) -> None:
    host = str(REPO / "assets" / "demo" / "cb7.sdf")
    words = asked(tmp_path, "ligand,smiles\nb2,OCC12CCC(CC1)(CC2)CO\n", receptor=host, window_ps=0.16)
    run = nextflow(*words)
    assert run.code == 0, run.text
    row = results(run)["b2"]
    assert (row["status"], row["mode"]) == ("finished", "abfe") and row["dg_kcal_per_mol"]
    prepared = json.loads((run.outdir / "phases" / "b2" / "prepare_equil" / "system.json").read_text())["meta"]
    boxes = prepared["solvation"]
    assert boxes["complex"]["waters"] > boxes["solvent"]["waters"] > 150
    assert boxes["complex"]["cations"] == boxes["complex"]["anions"] > 0  # 0.15 mol/L with a receptor

    stopped = nextflow(*asked(tmp_path, (tmp_path / "ligands.csv").read_text(), receptor=host, mode="md", outdir="md"))
    assert stopped.code == 0, stopped.text
    assert (tmp_path / "md" / "results.csv").exists() and not (tmp_path / "md" / "phases" / "b2" / "fe").exists()


def test_what_cannot_be_solvated_is_refused_at_once(nextflow: Launcher, tmp_path: Path) -> None:
    host = str(REPO / "assets/demo/cb7.sdf")
    given = {"mode": "asfe", "receptor": host, "padding_angstrom": 5, "complex_schedule": None}
    run = nextflow(*asked(tmp_path, "ligand,smiles\nm,C\na,CC(=O)[O-]\n", **given))
    told = [
        "io, receptor: " + host + " (right: none in mode asfe)",
        "row 2, padding_angstrom: m: a box of at most",
        "row 3, charge_correction: a: the free energy of a charge of -1 e depends on",
        "row 3, padding_angstrom: a: a box of at most",
    ]
    errors = [line for line in run.text.splitlines() if "(right: " in line]
    assert run.code != 0 and run.submitted == 0 and len(errors) == len(told), run.text
    assert all(text in line for text, line in zip(told, errors, strict=True)), run.text
