"""What a state folder does with what it finds: other inputs, failures, damage, other holders; and what it tells."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from gibbsflow.errors import LockedError, NumericalError, StateError, StoppedEarly
from gibbsflow.workflow.state import attempts, sentinels
from gibbsflow.workflow.state.attempts import read_attempts
from gibbsflow.workflow.state.sentinels import read_sentinel
from gibbsflow.workflow.state.cleaning import clean_failures
from gibbsflow.workflow.state.locks import campaign_lock, folder_lock, holder, process_started
from gibbsflow.workflow.state.resumable import ResumableRun
from gibbsflow.workflow.state.segments import Stopper


def count(folder, *, total=3, fail_at=None, error=NumericalError, segments=None, budget_s=None, **settings):
    """A calculation that counts: each segment adds its number; one may fail. Returns segments, outputs, facts."""
    with Stopper(budget_s, segments) as stopper:
        ran = []
        run = ResumableRun(
            folder, files={}, settings={"by": 1, **settings}, physics=1,
            settings_of_attempt=lambda number: {"timestep_fs": 4 / 2 ** (number - 1)}, most_attempts=3, stopper=stopper,
        )  # fmt: skip

        def segment(number, arrays):
            if number == fail_at:
                raise error(f"segment {number} is not finite")
            ran.append(number)
            value = np.array([arrays["x"][0] + number])
            return {"x": value}, {"x": value, "attempt": np.array([run.attempt])}

        with run:
            run.advance(total, lambda: {"x": np.zeros(1)}, segment, stopper, steps=lambda done: 10 * done)
            return ran, run.outputs(), run.facts()


def test_every_attempt_is_told(tmp_path):
    with pytest.raises(StoppedEarly):
        count(tmp_path, segments=1)
    with pytest.raises(NumericalError):
        count(tmp_path, fail_at=1)
    ran, outputs, facts = count(tmp_path)
    assert ran == [0, 1, 2] and set(outputs["attempt"]) == {2}  # nothing of the first attempt among its samples
    assert facts["attempt"] == 2 and facts["settings_used"] == {"timestep_fs": 2.0}
    assert facts["failed_before"] == "Numerical: segment 1 is not finite"
    told = read_attempts(tmp_path)
    assert [(a.number, a.end, a.cause, a.then, a.segments_done) for a in told] == [
        (1, "stopped", "StoppedEarly", "go on", 1),
        (1, "failed", "Numerical", "safer", 1),
        (2, "finished", "", "go on", 3),
    ]
    mine = holder()
    assert all({k: a.holder[k] for k in ("host", "pid", "process_started")} == {
        k: mine[k] for k in ("host", "pid", "process_started")
    } for a in told)  # fmt: skip
    assert all(a.began <= a.ended for a in told)
    assert count(tmp_path)[0] == [] and len(read_attempts(tmp_path)) == 3  # finished: at once, and nothing to tell


def test_changed_settings_void_what_was_done_and_log_and_result_say_what(tmp_path, caplog):
    count(tmp_path)
    ran, _, facts = count(tmp_path, by=2)
    assert ran == [0, 1, 2] and facts["attempt"] == 1
    assert "setting by: 1 -> 2" in facts["set_aside"] and "setting by: 1 -> 2" in caplog.text
    assert (tmp_path / "superseded-000" / "FINISHED").exists()
    assert [a.set_aside for a in read_attempts(tmp_path)] == ["", facts["set_aside"]]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"inputs_hash": 3}'])
def test_unknown_inputs_are_set_aside_never_deleted(tmp_path, content):
    with pytest.raises(StoppedEarly):
        count(tmp_path, segments=1)
    (tmp_path / "inputs.json").write_text(content)
    ran, _, facts = count(tmp_path)
    assert ran == [0, 1, 2] and "unknown inputs" in facts["set_aside"]
    assert (tmp_path / "superseded-000" / "segment-00000.npz").exists()


def test_damaged_state_is_an_error_and_the_retry_begins_afresh_with_the_same_settings(tmp_path):
    with pytest.raises(StoppedEarly):
        count(tmp_path, segments=2)
    for name in ("checkpoint-current.bin", "checkpoint-previous.bin"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(StateError):
        count(tmp_path)
    ran, outputs, facts = count(tmp_path)
    assert ran == [0, 1, 2] and set(outputs["attempt"]) == {1} and facts["settings_used"] == {"timestep_fs": 4.0}


@pytest.mark.parametrize(("name", "content"), [("FINISHED", ""), ("attempts.json", "{"), ("attempts.json", "[1]")])
def test_damage_that_no_result_depends_on_costs_nothing(tmp_path, name, content, caplog):
    if name == "FINISHED":
        count(tmp_path)
    else:
        with pytest.raises(StoppedEarly):
            count(tmp_path, segments=2)
    (tmp_path / name).write_text(content)
    ran, _, _ = count(tmp_path)
    assert ran == ([] if name == "FINISHED" else [2])
    assert name in caplog.text and read_sentinel(tmp_path, "FINISHED") is not None


def test_a_full_disk_takes_no_rung(tmp_path):
    def full(_):
        return OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        count(tmp_path, fail_at=1, error=full)
    ran, _, facts = count(tmp_path)
    assert ran == [1, 2] and facts["attempt"] == 1


KILLED = """
import os, sys, numpy as np
from gibbsflow.workflow.state.resumable import ResumableRun
from gibbsflow.workflow.state.segments import Stopper
run = ResumableRun(sys.argv[1], files={}, settings={"by": 1}, physics=1)
def segment(number, arrays):
    if number == 1:
        os.kill(os.getpid(), 9)
    return {"x": np.zeros(1)}, {"x": np.zeros(1), "attempt": np.ones(1, int)}
with run:
    run.advance(3, lambda: {"x": np.zeros(1)}, segment, Stopper(), steps=lambda done: done)
"""


def test_who_is_killed_is_lost(tmp_path, caplog):
    process = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)])
    assert process.returncode == -signal.SIGKILL
    assert read_attempts(tmp_path)[0].end == ""
    ran, _, _ = count(tmp_path)
    assert ran == [1, 2] and "left no end" in caplog.text and "stale lock" in caplog.text
    assert [a.end for a in read_attempts(tmp_path)] == ["lost", "finished"]


HOLD = """
import sys, time
from gibbsflow.workflow.state.locks import campaign_lock, folder_lock
with {"folder": folder_lock, "campaign": campaign_lock}[sys.argv[1]](sys.argv[2]):
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


def held(kind, folder, seconds):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, kind, str(folder), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_a_holder_is_waited_for_within_the_time_budget(tmp_path):
    with held("folder", tmp_path, 3) as other:
        with pytest.raises(LockedError, match=f"held by pid {other.pid} on "):
            count(tmp_path)
        with pytest.raises(StoppedEarly, match=f"time budget .* held by pid {other.pid}"):
            count(tmp_path, budget_s=0.5)
        assert count(tmp_path, budget_s=120)[0] == [0, 1, 2]
        other.wait()


def test_one_head_a_campaign(tmp_path, caplog):
    with held("campaign", tmp_path, 60) as other:
        with pytest.raises(LockedError, match=f"held by another run: pid {other.pid} on"), campaign_lock(tmp_path):
            pass
        other.kill()
    assert json.loads((tmp_path / ".head.json").read_text())["pid"] == other.pid
    with campaign_lock(tmp_path):
        assert "ended without letting go" in caplog.text
        assert json.loads((tmp_path / ".head.json").read_text())["pid"] == os.getpid()
    assert not (tmp_path / ".head.json").exists()
    (tmp_path / ".head.json").write_text("{")  # half-written
    with campaign_lock(tmp_path):
        pass


def test_a_lock_of_a_slurm_job_on_another_host_holds_while_the_job_runs(tmp_path, monkeypatch):
    squeue = tmp_path / "squeue"
    squeue.write_text('#!/bin/sh\n[ "$3" = 17 ] && echo RUNNING || exit 1\n')
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for job, free in ((17, False), (18, True)):
        (tmp_path / ".lock").write_text(json.dumps({**holder(), "host": "elsewhere", "slurm_job": str(job)}))
        if free:
            with folder_lock(tmp_path):
                continue
        with pytest.raises(LockedError, match="elsewhere, SLURM job 17"), folder_lock(tmp_path):
            pass


def test_a_pid_is_told_from_its_next_owner():
    assert abs(process_started(os.getpid()) - time.time()) < 24 * 3600
    assert process_started(2**22 + 1) == 0


def test_cleared_is_what_records_failures_alone(tmp_path):
    with pytest.raises(StoppedEarly):
        count(tmp_path, segments=1)
    with pytest.raises(NumericalError):
        count(tmp_path, fail_at=1)
    (tmp_path / "superseded-000").mkdir()
    (tmp_path / "superseded-000" / "progress.json").write_text("{}")
    kept = {"checkpoint-current.bin", "inputs.json", "segment-00000.npz", ".lock", "superseded-000"}
    gone = ["FAILED", "attempts.json", "progress.json"]
    assert [path.name for path in clean_failures(tmp_path, dry_run=True)] == gone
    assert {path.name for path in tmp_path.iterdir()} == kept | set(gone)
    clean_failures(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept
    assert (tmp_path / "superseded-000" / "progress.json").exists()
