"""Whole campaigns in containers, and failed items on a cluster."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable

import pytest
from cluster.campaign import Campaign

WHERE = os.environ.get("GIBBSFLOW_CI_PROFILES", "")


@pytest.mark.cluster
@pytest.mark.skipif(not WHERE, reason="GIBBSFLOW_CI_PROFILES names no profiles, such as slurm,apptainer or docker")
def test_free_energy_is_that_of_a_local_run(campaign: Callable[..., Campaign]) -> None:
    there, here = campaign("there"), campaign("here", user="")
    options = ["--replicates", "1"]
    run = there.start("-profile", f"{WHERE},test", *options, "--array_size", "2")
    assert subprocess.run(here.command("-profile", "test", *options), cwd=here.folder, timeout=900).returncode == 0
    assert run.wait(900) == 0, there.log.read_text()
    assert there.table()[0]["status"] == "finished"
    keys = ("transformation", "status", "verdict", "dg_kcal_per_mol", "dg_error_kcal_per_mol")
    assert [[row[key] for key in keys] for row in there.table()] == [[row[key] for key in keys] for row in here.table()]
    seen = there.watched()
    assert seen["state"] == "finished" and seen["done_ns"] == seen["total_ns"] > 0
    assert seen["dg_kcal_per_mol"] == pytest.approx(float(there.table()[0]["dg_kcal_per_mol"]), abs=0.01)
    tasks = [path.read_text() for path in (there.folder / "work").glob("*/*/.command.run")]
    assert tasks
    if WHERE == "docker":  # as who started it, and nothing of the image can be written to
        assert all("--read-only" in text and "-u $(id -u):$(id -g)" in text for text in tasks)
    if "slurm" in WHERE:
        assert {job.state for job in there.jobs()} == {"COMPLETED"} and there.jobs("FE_RUN")


@pytest.mark.cluster
@pytest.mark.skipif("slurm" not in WHERE, reason="GIBBSFLOW_CI_PROFILES names no cluster")
def test_what_is_longer_than_the_queue_allows_runs_as_several_jobs(campaign: Callable[..., Campaign]) -> None:
    made = campaign("limited")
    longer = ["--mode", "md", "--queue_time", "1min", "--equil_ps", "320", "--equil_segment_ps", "4"]
    assert made.run("-profile", f"{WHERE},test", *longer) == 0, made.log.read_text()
    states = [job.state for job in made.jobs("EQUIL_RUN")]
    assert len(states) > 1 and states == ["FAILED"] * (len(states) - 1) + ["COMPLETED"]
    attempts = json.loads((made.equilibration / "attempts.json").read_text())["attempts"]
    assert [attempt["end"] for attempt in attempts] == ["stopped"] * (len(states) - 1) + ["finished"]
    assert made.table()[0]["status"] == "finished"


@pytest.mark.cluster
@pytest.mark.skipif("slurm" not in WHERE, reason="GIBBSFLOW_CI_PROFILES names no cluster")
def test_failed_items_by_policy(campaign: Callable[..., Campaign]) -> None:
    made = campaign("policies")
    unbound = ["-profile", f"{WHERE},test", "--mode", "md", "--unbound_threshold_angstrom", "0.001", "-resume"]
    seen = 0
    for policy, runs, code in (("prune", 1, 0), ("retry", 2, 0), ("raise", 1, 1)):
        assert made.run(*unbound, "--on_failure", policy) == code, made.log.read_text()
        jobs = made.jobs("EQUIL_ANALYSE")[seen:]
        assert [job.state for job in jobs] == ["FAILED"] * runs, policy
        seen += len(jobs)
        if code == 0:
            assert [(row["ligand"], row["status"]) for row in made.table()] == [("b2", "unbound")]
