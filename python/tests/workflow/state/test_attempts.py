"""The record of attempts: each with its settings, its holder and its end; a damaged one costs nothing."""

from dataclasses import replace

import pytest
from counting import count

from gibbsflow.errors import EngineError, LockedError, NumericalError, StateError, StoppedEarly, UnboundError
from gibbsflow.workflow.state.attempts import FILE_NAME, Attempt, read_attempts, recall_attempts, write_attempts
from gibbsflow.workflow.state.locks import holder


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


@pytest.mark.parametrize(
    ("error", "end", "cause", "then"),
    [
        (None, "finished", "", "go on"),
        (StoppedEarly("budget"), "stopped", "StoppedEarly", "go on"),
        (EngineError("mdrun failed", code=1), "failed", "Engine", "safer"),
        (EngineError("mdrun crashed", code=-11), "failed", "Engine", "safer"),
        (EngineError("mdrun was ended by SIGKILL", code=-9), "failed", "Engine", "go on"),
        (EngineError("mpirun noticed that a process was killed", code=137), "failed", "Engine", "go on"),
        (KeyboardInterrupt(), "stopped", "KeyboardInterrupt", "go on"),
        (UnboundError("left"), "failed", "Unbound", "safer"),
        (NumericalError("NaN"), "failed", "Numerical", "safer"),
        (StateError("torn"), "failed", "State", "afresh"),
        (LockedError("held"), "failed", "Locked", "go on"),
        (OSError(28, "No space"), "failed", "OSError", "go on"),
    ],
)
def test_how_it_ended_says_what_the_next_call_does(error, end, cause, then):
    attempt = Attempt(1, "h")
    closed = attempt.closed(error, 3)
    assert (closed.end, closed.cause, closed.then, closed.segments_done) == (end, cause, then, 3)
    assert closed.ended >= closed.began and attempt.end == ""  # the one that runs is left as it was


def test_what_is_written_is_read_and_who_left_no_end_is_lost(tmp_path, caplog):
    assert read_attempts(tmp_path) == recall_attempts(tmp_path) == []
    known = [Attempt(1, "h", {"timestep_fs": 4.0}).closed(NumericalError("NaN"), 2), Attempt(2, "h")]
    write_attempts(tmp_path, known)
    assert read_attempts(tmp_path) == known
    assert recall_attempts(tmp_path) == [known[0], replace(known[1], end="lost", cause="Lost")]
    assert f"{known[1].by}, since {known[1].began}" in caplog.text
    assert known[1].by == f"pid {holder()['pid']} on {holder()['host']}"


@pytest.mark.parametrize("content", ["{", "{}", '{"attempts": [{"x": 1}]}', "[1]"])
def test_a_record_that_cannot_be_read_is_an_error_and_moved_away_by_the_holder(tmp_path, content):
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(StateError, match=FILE_NAME):
        read_attempts(tmp_path)
    assert recall_attempts(tmp_path) == []
    assert (tmp_path / "attempts.damaged.json").read_text() == content and not (tmp_path / FILE_NAME).exists()
