"""What clusters do to jobs, done to one long equilibration: it goes on, with the numbers of an undisturbed one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from cluster.campaign import QUICK, REPO, Campaign, output, wait_for

pytestmark = pytest.mark.cluster
MD = "EQUIL_RUN"
# a memory hog at the end of a task; base.config doubles what was too little
HOG = """
process {
    withName: 'SYSTEM_PREP' {
        memory   = { task.previousTrace ? task.previousTrace.memory * 2 : 128.MB }
        ext.args = '&& python3 -c "bytes([1]) * (160 << 20)"'
    }
}
"""


@pytest.fixture(scope="module")
def run(campaign: Callable[..., Campaign]) -> Iterator[Campaign]:
    made = campaign("faults")
    (made.folder / "hog.config").write_text(QUICK + HOG)
    site = ["--site_config", "hog.config", "--queue", "scavenge", "--mode", "md"]
    # a thousand segments of a second or two, which nothing here waits for the end of
    endless = ["--heat_ps", "0", "--equil_ps", "4000", "--equil_segment_ps", "4"]
    nextflow = made.start("-profile", "slurm,apptainer,test", *site, *endless)
    yield made
    nextflow.terminate()
    nextflow.wait(60)


@pytest.fixture(scope="module")
def undisturbed(run: Campaign, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """State folder of the same equilibration, run meanwhile without a cluster, a container or any fault."""
    system = wait_for("the system", lambda: next((run.folder / "work").glob("*/*/phases/b2/prepare_equil"), None))
    wait_for("its last file", (system / "result.json").exists)
    state = tmp_path_factory.mktemp("undisturbed")
    command = [REPO / "bin/equil", "run", "--system", system, "--state", state / "equil", "--out", state / "out"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield state / "equil"
    process.terminate()
    assert process.wait(60) == 75


def at_work(run: Campaign) -> str:
    """A job that has saved a segment since it started."""
    number = wait_for("a job of MD", lambda: run.running(MD))
    before = run.segments()
    wait_for("another segment", lambda: run.segments() > before or None)
    return number


def goes_on(run: Campaign, number: str, state: str) -> None:
    """The job ends in a state, and another takes the segments up where it left them."""
    saved = run.segments()
    assert wait_for(f"end of job {number}", lambda: run.ended(number)) == state
    following = at_work(run)
    assert following != number and run.segments() > saved


def test_out_of_memory_is_tried_again_with_more(run: Campaign) -> None:
    wait_for("a job that has enough", lambda: [j for j in run.jobs("SYSTEM_PREP") if j.state == "COMPLETED"])
    jobs = run.jobs("SYSTEM_PREP")
    assert jobs[0].state == "OUT_OF_MEMORY" and [job.state for job in jobs].count("COMPLETED") == 1
    memory = [float(job.memory.rstrip("MGn")) * (1024 if "G" in job.memory else 1) for job in jobs]
    assert memory == [128 * 2**i for i in range(len(jobs))]


@pytest.mark.usefixtures("undisturbed")
def test_cancelled_job(run: Campaign) -> None:
    number = at_work(run)
    output("scancel", number)
    goes_on(run, number, "CANCELLED")


def test_node_down(run: Campaign) -> None:
    number = at_work(run)
    node = next(job.node for job in run.jobs(MD) if job.number == number)
    output("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    goes_on(run, number, "NODE_FAIL")


def test_preempted_job(run: Campaign) -> None:
    number = at_work(run)
    nodes = output("sinfo", "-h", "-p", "main", "-o", "%D").strip()
    all_nodes = ["--partition=main", f"--nodes={nodes}", "--exclusive"]
    urgent = output("sbatch", "--parsable", *all_nodes, "--output=/dev/null", "--wrap=sleep 600")
    try:
        assert wait_for("preemption", lambda: run.ended(number)) == "PREEMPTED"
    finally:
        output("scancel", urgent.strip())
    goes_on(run, number, "PREEMPTED")


def test_controller_restarted(run: Campaign) -> None:
    def answer() -> str:
        return subprocess.run(["scontrol", "ping"], capture_output=True, text=True).stdout

    number = at_work(run)
    saved = run.segments()
    pid = Path(os.environ["SLURM_CONF"]).parents[1] / "run/slurmctld.pid"
    output("kill", pid.read_text().strip())
    wait_for("end of slurmctld", lambda: "DOWN" in answer() or None)
    output("/usr/sbin/slurmctld")
    wait_for("slurmctld", lambda: "UP" in answer() or None)
    wait_for("further segments", lambda: run.segments() > saved + 2 or None)
    assert run.running(MD) == number  # the job never noticed


def test_the_live_view_on_another_node_tells_what_the_state_does(run: Campaign) -> None:
    at_work(run)
    before, steps = run.steps()
    seen = run.watched()
    after, _ = run.steps()
    assert seen["state"] == "running" and seen["left_s"] > 0
    assert before - 1 <= seen["done_ns"] / seen["total_ns"] * steps <= after + 1


def test_time_limit(run: Campaign) -> None:
    number = at_work(run)

    def seconds() -> int:
        parts = output("squeue", "-h", "-j", number, "-o", "%M").strip().split(":")
        return sum(int(part) * 60**i for i, part in enumerate(reversed(parts)))

    wait_for("more than a minute of running", lambda: seconds() > 65)
    # for a while after its restart the controller may refuse to change a job
    wait_for("the new limit", lambda: [output("scontrol", "update", f"jobid={number}", "timelimit=1")])
    goes_on(run, number, "TIMEOUT")


def test_numbers_are_those_of_an_undisturbed_run(run: Campaign, undisturbed: Path) -> None:
    done = run.segments()
    wait_for(f"{done} segments", (undisturbed / f"segment-{done:05d}.npz").exists)
    attempts = json.loads((run.equilibration / "attempts.json").read_text())["attempts"]
    jobs = [job.number for job in run.jobs(MD)]
    assert [attempt["holder"]["slurm_job"] for attempt in attempts] == jobs and len(jobs) >= 5
    for number in range(done):
        name = f"segment-{number:05d}.npz"
        with np.load(run.equilibration / name) as one, np.load(undisturbed / name) as other:
            assert all(np.array_equal(one[key], other[key]) for key in other.files), name
