"""What a state folder does with what it finds: other inputs, failures, damage, other holders; and what it tells."""

import signal
import subprocess
import sys

import pytest
from counting import count, held

from gibbsflow.errors import LockedError, StateError, StoppedEarly
from gibbsflow.workflow.state.attempts import read_attempts
from gibbsflow.workflow.state.sentinels import read_sentinel


def test_changed_settings_void_what_was_done_and_log_and_result_say_what(tmp_path, caplog):
    count(tmp_path)
    ran, _, facts = count(tmp_path, by=2)
    assert ran == [0, 1, 2] and facts["attempt"] == 1
    assert "setting by: 1 -> 2" in facts["set_aside"] and "setting by: 1 -> 2" in caplog.text
    assert (tmp_path / "superseded-000" / "FINISHED").exists()
    assert [a.set_aside for a in read_attempts(tmp_path)] == ["", facts["set_aside"]]


def test_of_settings_with_parts_what_differs_is_told_and_no_more(tmp_path, caplog):
    """A restraint names its atoms, of a protein thousands; a table of results has the line as its cause."""
    held_by = {"atoms": tuple(range(900)), "k": 10.0}
    count(tmp_path, restraint=held_by)
    _, _, facts = count(tmp_path, restraint=held_by | {"k": 5.0})
    assert facts["set_aside"].endswith("Changed: setting restraint.k: 10.0 -> 5.0")
    _, _, facts = count(tmp_path, restraint={"atoms": (*range(900), 7), "k": 5.0})
    assert "setting restraint.atoms: [0, 1, 2" in facts["set_aside"] and len(facts["set_aside"]) < 300


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


def test_a_holder_is_waited_for_within_the_time_budget(tmp_path):
    with held("folder", tmp_path, 3) as other:
        with pytest.raises(LockedError, match=f"held by pid {other.pid} on "):
            count(tmp_path)
        with pytest.raises(StoppedEarly, match=f"time budget .* held by pid {other.pid}"):
            count(tmp_path, budget_s=0.5)
        assert count(tmp_path, budget_s=120)[0] == [0, 1, 2]
        other.wait()
