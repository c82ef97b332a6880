"""The whole for real, a few picoseconds long: killed within a leg, gone on with, and repeated with nothing to do."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from pipeline.launcher import REPO, Launcher

STATES = "states: [[0, 1, 1], [{0}, 0.5, 1], [{0}, 0, 1], [{0}, 0, 0.5], [{0}, 0, 0]]\n"


def wait_for(path: Path, process: subprocess.Popen[str], timeout_s: float = 300) -> None:
    start = time.monotonic()
    while not path.exists():
        assert process.poll() is None, f"the run ended before {path.name} was there"
        assert time.monotonic() - start < timeout_s, f"{path} did not come"
        time.sleep(0.05)


def md_process(state: Path) -> int:
    """Process id of the `fe run` that holds a state folder."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"gibbsflow.cli.fe" in words and str(state).encode() in words:
            return int(folder.name)
    raise AssertionError(f"no fe run holds {state}")


@pytest.mark.slow
def test_killed_then_resumed_then_nothing_left_to_do(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "ligands.csv").write_text(
        "ligand,smiles,experimental_dg_kcal_per_mol\nb2,OCC12CCC(CC1)(CC2)CO,-13.40\n"
    )
    for leg, restraint in (("complex", 1), ("solvent", 0)):
        (tmp_path / f"{leg}.yaml").write_text(STATES.format(restraint))
    schedules = ("--complex_schedule", "complex.yaml", "--solvent_schedule", "solvent.yaml")
    arguments = ("--input", "ligands.csv", *schedules, "--window_ps", "4")
    state = tmp_path / "state" / "out" / "cb7" / "b2"
    leg = state / "complex" / "replicate_0"

    command = [REPO / "nextfloww", "run", REPO / "main.nf", "-profile", "test", "--outdir", "out", *arguments]
    with open(tmp_path / "killed.log", "w") as log:
        # a process group of its own, as a terminal gives it
        first = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, text=True, start_new_session=True)
        wait_for(leg / "checkpoint-previous.bin", first)
        os.kill(md_process(leg), signal.SIGTERM)  # the scheduler takes one task's node away: exit 75, gone on with
        wait_for(state / "solvent" / "replicate_1" / "segment-00000.npz", first)
        os.killpg(first.pid, signal.SIGKILL)  # and then the whole machine dies
        first.wait()
    assert "terminated with an error exit status (75) -- Execution is retried" in (tmp_path / "killed.log").read_text()

    second = nextflow.pipeline(*arguments, "-resume")
    assert second.code == 0, second.text
    assert second.cached >= 5
    with open(second.outdir / "results.csv") as file:
        (row,) = csv.DictReader(file)
    assert (row["ligand"], row["replicates"], row["status"]) == ("b2", "2", "finished")
    assert -40 < float(row["dg_kcal_per_mol"]) < 0
    record = json.loads((second.outdir / "record.b2.json").read_text())
    assert {(leg["leg"], leg["replicate"]) for leg in record["legs"]} == {
        (name, replicate) for name in ("complex", "solvent") for replicate in (0, 1)
    }

    third = nextflow.pipeline(*arguments, "-resume")
    assert (third.code, third.submitted, third.cached) == (0, 0, len(third.trace))
    assert "b2" in third.text and "Report:" in third.text

    names = ("FINISHED", "attempts.json", "segment-*.npz")
    kept = {path: path.read_bytes() for name in names for path in state.rglob(name)}
    assert len(kept) > 10
    shutil.rmtree(tmp_path / "work")
    shutil.rmtree(tmp_path / ".nextflow")
    fourth = nextflow.pipeline(*arguments)  # the state alone is left: no MD is run again
    assert (fourth.code, fourth.cached) == (0, 0), fourth.text
    assert {path: path.read_bytes() for path in kept} == kept
    assert not list(state.rglob("superseded-*"))
    with open(fourth.outdir / "results.csv") as file:
        assert [again["dg_kcal_per_mol"] for again in csv.DictReader(file)] == [row["dg_kcal_per_mol"]]
    told = json.loads((leg / "attempts.json").read_text())["attempts"]
    ends = [one["end"] for one in told]  # whether it had gone on already when all was killed is chance
    assert (ends[0], ends[-1]) == ("stopped", "finished") and set(ends[1:-1]) <= {"lost"}
    assert {one["number"] for one in told} == {1}
