"""Validation as a condition of convergence, in Nextflow: killed in its midst, gone on with, and asked for less."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from pipeline.launcher import REPO, Launcher, Run

# one generation that has converged by all but its properties; a lattice constant that no silicon has
SETTINGS = """
elements: [Si]
structure: diamond
goal: md
temperature_k: [300, 900]
engine: tblite
generator: {{supercell: [1, 1, 1], volume_steps: 5, cell_strain_count: 3, rattle_count: 8, thermal_count: 3}}
labels: {{batch_size: 20}}
training: {{cutoff_angstrom: 4.5, max_coefficients: 70, time_budget_min: 0.1, processes: 1}}
exploration: {{steps: 20, segment_steps: 20, grade_interval: 10}}
selection: {{budget: 2}}
loop: {{trajectories: 1, initial_labels: 16, holdout_labels: 3}}
convergence: {{max_generations: 1, generations: 1, force_mae_ev_per_angstrom: 5, stress_mae_gpa: 9, fraction_above: 1,
              validation: WARN}}
validation:
  properties: [cell, eos]
  eos_volumes: 51
  eos_residual_mev_per_atom: 100
  references: [{{property: lattice_a, value: {lattice}, unit: Å, source: a test}}]
"""
ARGUMENTS = ("run", str(REPO / "main.nf"), "--mode", "potential", "--config", "si.yaml", "--outdir", "out", "-resume")


def kept(state: Path) -> dict[str, tuple[int, bytes]]:
    """Properties and labels that are kept, with the time of their writing."""
    found = [*state.glob("validation/potential-*/*.json"), *state.glob("labels/*/*/label.json")]
    return {str(path.relative_to(state)): (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def verdict(run: Run) -> dict:
    assert run.code == 0, run.text
    return json.loads((run.outdir / "validation" / "result.json").read_text())


def stopped_by(run: Run) -> str:
    return json.loads((run.outdir / "checkpoint.json").read_text())["stopped_by"]


@pytest.mark.slow
def test_killed_in_a_validation_that_fails_and_then_one_that_passes(nextflow: Launcher) -> None:
    settings, state = nextflow.folder / "si.yaml", nextflow.folder / "state" / "out"
    settings.write_text(SETTINGS.format(lattice=9.0))
    with subprocess.Popen(
        [REPO / "nextfloww", *ARGUMENTS],
        cwd=nextflow.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as killed:  # fmt: skip
        end = time.monotonic() + 400
        while not list(state.glob("validation/potential-*/cell.json")) and time.monotonic() < end:
            assert killed.poll() is None, "the run ended before it was to be killed"
            time.sleep(0.01)
        os.killpg(killed.pid, signal.SIGKILL)
    before = kept(state)
    assert {Path(name).name for name in before if "validation" in name} == {"cell.json"}

    failed = nextflow(*ARGUMENTS, timeout_s=900)
    found = verdict(failed)
    assert found["verdict"] == "FAIL" and stopped_by(failed) == "generations"
    assert found["reasons"][0].startswith("cell: lattice_a") and found["reused"] == 1
    after = kept(state)
    assert {name: after[name] for name in before} == before and len(after) == len(before) + 1
    # in one go, without Nextflow and from nothing, all numbers are the same
    (work,) = [Path(task["workdir"]) for task in failed.trace if "TRAIN_VALIDATE" in task["name"]]
    whole = work.parent / "whole"
    words = [
        "--potential",
        failed.outdir / "potential",
        "--data",
        work / "train.extxyz",
        "--config",
        work / "config.json",
    ]
    done = subprocess.run([REPO / "bin" / "train", "validate", *words, "--out", whole], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    anew = json.loads((whole / "result.json").read_text())
    assert {key: anew[key] for key in ("verdict", "reasons", "quantities")} == {
        key: found[key] for key in ("verdict", "reasons", "quantities")
    }

    right = next(row["potential"] for row in found["quantities"] if row["quantity"] == "lattice_a")
    settings.write_text(SETTINGS.format(lattice=round(right, 2)))
    passed = nextflow(*ARGUMENTS, timeout_s=900)
    assert verdict(passed)["verdict"] in ("PASS", "WARN") and stopped_by(passed) == "converged", passed.text
    assert verdict(passed)["reused"] == 2 and kept(state) == after
    assert {name.split(" ")[0] for name in passed.tasks("CACHED")} >= {"DFT_LABEL", "TRAIN_FIT", "INFER_EXPLORE"}
