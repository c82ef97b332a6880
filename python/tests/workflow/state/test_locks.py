"""Locks: one writer a folder, one head a campaign; those that died hold nothing, and are told by name."""

import json
import os
import signal
import socket
import time

import pytest
from counting import held

from gibbsflow.errors import LockedError
from gibbsflow.workflow.state.locks import (
    campaign_head,
    campaign_lock,
    describe_holder,
    folder_lock,
    holder,
    is_held,
    process_started,
)

RECORD = {"run": "dead_run", "pid": 1, "host": "elsewhere", "slurm_job": "", "since": "yesterday"}


def test_nobody_was_there(tmp_path):
    head = campaign_head(tmp_path / "none")
    assert head.takeover is None and not head.runs_elsewhere
    assert head.refusal.endswith("is held by another run: a run that left no record.")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("content", ["{", "[1, 2]", "", '{"pid": 0}'])
def test_a_record_that_a_crash_has_left_half_written_names_nobody(tmp_path, content):
    (tmp_path / ".head.json").write_text(content)
    head = campaign_head(tmp_path)
    assert head.takeover is None and "a run that left no record" in head.refusal


def test_a_holder_is_named_with_its_run(tmp_path):
    with campaign_lock(tmp_path):
        head = campaign_head(tmp_path)
    assert f"is held by another run: run-local, pid {os.getpid()} on {socket.gethostname()}, since " in head.refusal
    assert campaign_head(tmp_path).takeover is None


def test_who_crashed_is_named(tmp_path):
    (tmp_path / ".head.json").write_text(json.dumps(RECORD | {"slurm_job": "7"}))
    takeover = campaign_head(tmp_path).takeover
    assert takeover is not None
    assert "was held by dead_run, pid 1 on elsewhere, SLURM job 7, since yesterday, which has ended" in takeover


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """A SLURM that gives an answer for job 7."""

    def gives(answer):
        program = tmp_path / "bin" / "squeue"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\n[ "$3" = 7 ] && echo {answer}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        monkeypatch.delenv("SLURM_JOB_ID", raising=False)

    return gives


@pytest.mark.parametrize(("answer", "runs"), [("RUNNING", True), ("", False)])
def test_a_slurm_job_of_another_host_is_asked_after(tmp_path, monkeypatch, squeue, answer, runs):
    squeue(answer)
    (tmp_path / ".head.json").write_text(json.dumps(RECORD | {"slurm_job": "7"}))
    assert campaign_head(tmp_path).runs_elsewhere is runs
    # the same job on another host is this run itself, put back into the queue
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert not campaign_head(tmp_path).runs_elsewhere


def test_a_job_of_this_host_is_the_kernels_to_judge(tmp_path, squeue):
    squeue("RUNNING")
    (tmp_path / ".head.json").write_text(json.dumps(RECORD | {"slurm_job": "7", "host": socket.gethostname()}))
    assert not campaign_head(tmp_path).runs_elsewhere


def test_second_writer_is_refused_and_a_killed_ones_lock_is_taken_over(tmp_path, caplog):
    with held("folder", tmp_path, 60) as other:
        assert is_held(tmp_path)
        with pytest.raises(LockedError, match=str(other.pid)), folder_lock(tmp_path):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert not is_held(tmp_path)
        with folder_lock(tmp_path):
            pass
    assert "stale lock" in caplog.text
    assert not is_held(tmp_path / "nowhere")


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


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ('{"host": "n1", "pid": 7, "slurm_job": "17", "since": "noon"}', "pid 7 on n1, SLURM job 17, since noon"),
        ('{"host": "n1", "pid": 7, "slurm_job": "", "since": "noon"}', "pid 7 on n1, since noon"),
        ("{half", "{half"),
        ("[1]", "[1]"),
        ("", "another process"),
    ],
)
def test_a_holder_is_told_as_far_as_it_is_known(record, words):
    assert describe_holder(record) == words
