"""Whose a campaign is, in the words of the next that wants it."""

import json
import os
import socket

import pytest

from gibbsflow.workflow.state.locks import campaign_head, campaign_lock

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
