"""A campaign on a SLURM cluster, started as a user does and watched through SLURM's own commands."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
REPO = Path(__file__).resolve().parents[2]
QUICK = """
executor { queueStatInterval = '2 sec'; exitReadTimeout = '30 sec' }
"""


@dataclass(frozen=True)
class Job:
    """One job as ``sacct`` has it."""

    number: str
    name: str
    state: str
    memory: str
    node: str


def output(*command: str) -> str:
    """Standard output of a command that has to succeed; what it said of a failure stands in the error."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    except subprocess.CalledProcessError as error:
        error.add_note(error.stderr)
        raise


def wait_for(what: str, look: Callable[[], T | None], timeout_s: float = 600) -> T:
    """Look again and again until there is something, which is returned; SLURM's commands may fail while it is busy."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        with suppress(subprocess.CalledProcessError, subprocess.TimeoutExpired):
            if found := look():
                return found
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {timeout_s:.0f} s")


class Campaign:
    """Runs of the pipeline in one launch folder.

    Parameters
    ----------
    folder
        Launch folder; made over to `user`.
    user
        Who runs it; empty for whoever runs the tests.
    """

    def __init__(self, folder: Path, user: str) -> None:
        self.folder, self.user = folder, user
        (folder / "quick.config").write_text(QUICK)
        sheet = (REPO / "assets/demo/ligands.csv").read_text().splitlines()
        (folder / "one.csv").write_text("\n".join(sheet[:2]) + "\n")
        if user:
            shutil.chown(folder, user)
        self.log = folder / "run.log"
        self.equilibration = folder / "state/out/cb7/b2/equil"

    def command(self, *arguments: str) -> list[str]:
        """The pipeline with one ligand and the smallest settings, as the campaign's user."""
        as_user = ["runuser", "-u", self.user, "--"] if self.user else []
        environment = [f"HOME={self.folder}", f"NXF_HOME={self.folder}/nxf", "NXF_ANSI_LOG=false"]
        if self.user and (home := os.environ.get("GIBBSFLOW_CI_HOME")):
            environment.append(f"GIBBSFLOW_HOME={home}")
        pipeline = [str(REPO / "nextfloww"), "run", str(REPO / "main.nf"), "--outdir", "out"]
        rows = [] if "--config" in arguments else ["--input", "one.csv"]
        return [*as_user, "env", *environment, *pipeline, *rows, *arguments]

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a run on the cluster; its output is appended to ``run.log``."""
        quick = ["--poll_interval", "1sec", "--site_config", "quick.config"]
        site = [] if "--site_config" in arguments else quick[2:]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command(*arguments, *quick[:2], *site), cwd=self.folder, stdout=log, stderr=log, env=os.environ
            )

    def run(self, *arguments: str, timeout_s: float = 900) -> int:
        """Run on the cluster to the end; the exit code."""
        return self.start(*arguments).wait(timeout_s)

    def jobs(self, name: str = "") -> list[Job]:
        """Its jobs in the order of submission, once the accounting has caught up with the controller."""
        (jobs,) = wait_for("the accounting to catch up", self._accounted, 60)
        return [job for job in jobs if name in job.name]

    def _accounted(self) -> tuple[list[Job]] | None:
        """Jobs as the accounting has them; nothing while the controller knows otherwise."""
        words = [row.split("|") for row in output("squeue", "-h", "-r", "-t", "all", "-o", "%i|%T|%Z").splitlines()]
        known = {r[0]: r[1] for r in words if r[2].startswith(f"{self.folder}/")}
        fields = "jobid,jobname,state,reqmem,nodelist,workdir"
        rows = output("sacct", "-a", "-X", "-D", "-P", "-n", "-S", "now-1hours", f"--format={fields}").splitlines()
        own = [row.split("|") for row in rows if row.split("|")[-1].startswith(f"{self.folder}/")]
        jobs = [Job(*row[:5]) for row in own]
        states = {job.number: job.state.split()[0] for job in jobs}
        differ = [n for n, state in known.items() if state != "COMPLETING" and states.get(n) != state]
        return None if differ else (jobs,)

    def running(self, name: str) -> str | None:
        """Number of a job that runs now."""
        rows = [row.split("|") for row in output("squeue", "-h", "-t", "R", "-o", "%i|%j|%Z").splitlines()]
        return next((r[0] for r in rows if name in r[1] and r[2].startswith(f"{self.folder}/")), None)

    def ended(self, number: str) -> str | None:
        """State in which a job has ended, in one word."""
        states = [job.state.split()[0] for job in self.jobs() if job.number == number]
        return states[0] if states and states[0] not in ("RUNNING", "PENDING", "COMPLETING") else None

    def segments(self) -> int:
        """Segments of the equilibration that are saved."""
        path = self.equilibration / "progress.json"
        return int(json.loads(path.read_text())["segments_done"]) if path.exists() else 0

    def steps(self) -> tuple[int, int]:
        """Steps done and asked for, added up over all calculations that have begun."""
        found = [json.loads(path.read_text()) for path in (self.folder / "state/out").rglob("progress.json")]
        return sum(one["steps_done"] for one in found), sum(one["steps"] for one in found)

    def watched(self) -> dict[str, Any]:
        """What the live view tells, from this node, of the one item."""
        words = ["watch", str(self.folder / "state/out"), "--once", "--json"]
        (item,) = json.loads(output(str(REPO / "bin/gibbsflow"), *words))["items"]
        return dict(item)

    def table(self) -> list[dict[str, str]]:
        """Rows of the results table."""
        with open(self.folder / "out/results.csv") as file:
            return list(csv.DictReader(file))
