"""Faults of the head: Nextflow killed, asked to end, or started twice; the results of one go, and nothing repeated."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pipeline.launcher import REPO, Launcher

pytestmark = pytest.mark.slow
STAND_IN = REPO / "tests/pipeline/stand_in_core.py"
STATES = "states: [[0, 1, 1], [{0}, 0, 1], [{0}, 0, 0]]\n"
ARGUMENTS = ("--input", "ligands.csv", "--complex_schedule", "complex.yaml", "--solvent_schedule", "solvent.yaml")
ARGUMENTS += ("--window_ps", "4", "--heat_ps", "0.2", "--equil_ps", "0.4", "--equil_segment_ps", "0.2")
FINISHED = ("FINISHED", "segment-*.npz")


def campaign(root: Path) -> Launcher:
    root.mkdir()
    (root / "ligands.csv").write_text("ligand,smiles\nb2,OCC12CCC(CC1)(CC2)CO\n")
    for leg, restraint in (("complex", 1), ("solvent", 0)):
        (root / f"{leg}.yaml").write_text(STATES.format(restraint))
    return Launcher(root)


def start(root: Path) -> subprocess.Popen[bytes]:
    words = ["run", REPO / "main.nf", "-profile", "test", "--outdir", "out", *ARGUMENTS, "-resume"]
    env = {**os.environ, "NXF_ANSI_LOG": "false"}
    with open(root / f"head-{time.monotonic_ns()}.log", "w") as log:
        return subprocess.Popen(
            [REPO / "nextfloww", *words], cwd=root, stdout=log, stderr=log, env=env, start_new_session=True
        )


def answer(root: Path) -> str:
    with open(root / "out" / "results.csv") as file:
        (row,) = csv.DictReader(file)
    # three states of 4 ps: whether both replicates converge is a matter of their random numbers
    assert row["status"] in ("finished", "partial") and row["dg_kcal_per_mol"]
    return f"{row['dg_kcal_per_mol']} {row['dg_error_kcal_per_mol']}"


def kept(root: Path) -> dict[str, int]:
    """All that has finished in folders with a sentinel, with its time."""
    homes = [path.parent for path in (root / "state").rglob("FINISHED")]
    return {str(path): path.stat().st_mtime_ns for home in homes for name in FINISHED for path in home.glob(name)}


@pytest.fixture(scope="module")
def whole(whole_root):
    """The answer of a run in one go."""
    return answer(whole_root)


@pytest.fixture(scope="module")
def whole_root(tmp_path_factory):
    """Folder of a run in one go."""
    root = tmp_path_factory.mktemp("head") / "whole"
    run = campaign(root).pipeline(*ARGUMENTS)
    assert run.code == 0, run.text
    return root


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["KILL", "TERM"])
def test_the_head_dies_in_the_middle_of_a_leg(whole, tmp_path, number):
    root = tmp_path / "run"
    nextflow = campaign(root)
    head = start(root)
    there = root / "state" / "out" / "cb7" / "b2" / "complex" / "replicate_0" / "checkpoint-previous.bin"
    end = time.monotonic() + 400
    while not there.exists():
        assert head.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    os.killpg(head.pid, number)
    head.wait(60)
    finished = kept(root)
    run = nextflow.pipeline(*ARGUMENTS, "-resume")
    assert run.code == 0, run.text
    assert answer(root) == whole
    now = kept(root)
    assert {name: now.get(name) for name in finished} == finished


def test_the_work_folder_is_deleted(whole, whole_root):
    """State is enough: no step of MD is repeated, and the answer is the same."""
    finished = kept(whole_root)
    assert len(finished) > 10
    shutil.rmtree(whole_root / "work")
    shutil.rmtree(whole_root / "out")
    run = Launcher(whole_root).pipeline(*ARGUMENTS, "-resume")
    assert run.code == 0, run.text
    assert run.cached == 0
    assert answer(whole_root) == whole
    assert kept(whole_root) == finished


def test_the_head_is_killed_in_each_phase(tmp_path):
    """A stand-in for the core waits in one phase after the other; each time only what was not done is begun."""
    (tmp_path / "plan").mkdir()
    (tmp_path / "ligands.csv").write_text("ligand,smiles\ngood,OCC12CCC(CC1)(CC2)CO\n")
    core = tmp_path / "python"
    core.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} "$@"\n')
    core.chmod(0o755)
    words = [REPO / "nextfloww", "run", REPO / "main.nf", "-profile", "test", "--outdir", "out", "-resume"]
    words += ["--input", "ligands.csv", "--replicates", "1"]
    env = {**os.environ, "NXF_ANSI_LOG": "false", "GIBBSFLOW_PYTHON": str(core)}
    env["STAND_IN_PLAN"] = str(tmp_path / "plan")
    for item in (
        "good.system_prep.system",
        "good.equil.run",
        "good.fe.run.complex_replicate_0",
        "all.analysis.campaign",
    ):
        (tmp_path / "plan" / item).write_text("wait")
        with open(tmp_path / "head.log", "w") as log:
            head = subprocess.Popen(words, cwd=tmp_path, stdout=log, stderr=log, env=env, start_new_session=True)
        waiting = (tmp_path / "plan" / item).with_suffix(".waiting")
        end = time.monotonic() + 600
        while not waiting.exists():
            assert head.poll() is None and time.monotonic() < end, (tmp_path / "head.log").read_text()
            time.sleep(0.05)
        os.killpg(head.pid, signal.SIGKILL)
        head.wait(60)
        (tmp_path / "plan" / item).unlink()
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Submitted process > BINDING:ANALYSIS_CAMPAIGN" in done.stdout
    assert done.stdout.count("Submitted process") == 1  # all else was done before
    assert (tmp_path / "out/results.csv").read_text() == "transformation,status\ngood,finished\n"


def test_two_heads_on_one_campaign(whole, tmp_path):
    """The second is refused at once, in words; the first is not disturbed."""
    root = tmp_path / "run"
    campaign(root)
    first = start(root)
    there = root / "state" / "out" / "cb7" / "b2" / "equil" / "inputs.json"
    end = time.monotonic() + 400
    while not there.exists():
        assert first.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    second = start(root)
    assert second.wait(200) != 0
    told = sorted(root.glob("head-*.log"))[-1].read_text()
    # by Nextflow's own lock of the session, or by ours of the campaign
    assert "Unable to acquire lock" in told or "is held by another run" in told, told
    assert "Submitted process" not in told
    assert first.wait(500) == 0
    assert answer(root) == whole
