"""Why a task was killed, by SLURM's word, its log, the cgroup or the clock; and what the next attempt has more of."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pipeline.launcher import REPO

SCRIPT = REPO / "assets/kill_cause.sh"
OOM = "slurmstepd-n1: error: Detected 1 oom-kill event(s) in StepId=109.batch.\n"
LIMIT = "slurmstepd: error: *** JOB 17 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***\n"


@pytest.fixture
def ask(tmp_path: Path):
    """Ask about a task whose SLURM gives some states one after the other, by `scontrol` or `sacct`."""

    def asked(*words: str, says: str = "", of: str = "scontrol", log: str = "", batch: bool = True) -> list[str]:
        (tmp_path / "bin").mkdir()
        for name in ("scontrol", "sacct"):
            prefix = "JobId=17 JobState=" if name == "scontrol" else ""
            text = f'#!/bin/sh\necho "{name} $*" >>"{tmp_path}/asked"\n'
            if name == of:
                text += f'n=$(grep -c ^{name} "{tmp_path}/asked")\nset -- {says}\n'
                text += f'[ $n -le $# ] || n=$#\n[ $n = 0 ] || eval "echo {prefix}\\${{$n}}"\n'
            (tmp_path / "bin" / name).write_text(text)
            (tmp_path / "bin" / name).chmod(0o755)
        (tmp_path / "task").mkdir(exist_ok=True)
        (tmp_path / "task/.command.log").write_text(log)
        (tmp_path / "task/.command.run").write_text("#SBATCH -t 1\n" if batch else "")
        done = subprocess.run(
            ["bash", SCRIPT, tmp_path / "task", *words],
            env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0 and not done.stderr
        lines = done.stdout.split("\n")
        assert (tmp_path / "task/.short").read_text() == lines[1]
        return lines[:2]

    return asked


@pytest.mark.parametrize(
    ("state", "short"),
    [
        ("OUT_OF_MEMORY", "memory"),
        ("TIMEOUT", "time"),
        ("CANCELLED", ""),
        ("PREEMPTED", ""),
        ("NODE_FAIL", ""),
    ],
)
@pytest.mark.parametrize("of", ["scontrol", "sacct"])
def test_slurm_says_it(ask, state: str, short: str, of: str) -> None:
    assert ask("17", "10", "3600", says=state, of=of, log=OOM + LIMIT) == [state, short]


def test_a_job_that_is_still_ending_is_waited_for(ask, tmp_path: Path) -> None:
    assert ask("17_3", "10", "3600", says="RUNNING COMPLETING TIMEOUT", batch=False) == ["TIMEOUT", "time"]
    assert (tmp_path / "asked").read_text().count("scontrol show job -o 17_3") == 3


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (OOM, ["OUT_OF_MEMORY", "memory"]),
        (LIMIT, ["TIMEOUT", "time"]),
        ("slurmstepd: error: *** JOB 17 ON n1 CANCELLED AT now DUE TO PREEMPTION ***\n", ["PREEMPTED", ""]),
        ("a program prints oom-kill\n", ["", ""]),
    ],
)
def test_its_log_says_it_where_slurm_only_says_that_it_failed(ask, log: str, found: list[str]) -> None:
    assert ask("17", "10", "3600", says="FAILED", log=log) == found


def test_the_cgroup_says_it_without_a_scheduler(ask, tmp_path: Path) -> None:
    (tmp_path / "task").mkdir()
    (tmp_path / "task/.oom").touch()
    assert ask("4711", "10", "3600", says="TIMEOUT", batch=False) == ["OUT_OF_MEMORY", "memory"]
    assert not (tmp_path / "asked").exists()  # 4711 is a process here, not a job of SLURM's


def test_the_clock_says_it(ask) -> None:
    assert ask("4711", "3590", "3600", batch=False) == ["TIMEOUT", "time"]


@pytest.mark.parametrize(("again", "short"), [("", ""), ("again", "time")])
def test_where_nobody_says_it_time_is_doubled_the_second_time(ask, again: str, short: str) -> None:
    assert ask("4711", "10", "3600", again, batch=False) == ["", short]


@pytest.mark.parametrize("code", [0, 3, 137])
@pytest.mark.parametrize("strict", ["-e", "+e"])
@pytest.mark.parametrize("kills", [0, 1])
def test_the_wrapper_keeps_its_exit_code(tmp_path: Path, code: int, strict: str, kills: int) -> None:
    """Sourced by Nextflow's wrapper, whose on_exit writes the code down, with or without `set -e`."""
    wrapper = f"""
        on_exit() {{ local last=$?; echo $last >.exitcode; exit $last; }}
        set {strict}
        . {SCRIPT}
        kills=0
        gibbsflow_oom_kills() {{ echo $kills; }}
        gibbsflow_task[1]=0
        kills={kills}
        (exit {code})
        exit {code}
    """
    done = subprocess.run(["bash", "-c", wrapper], cwd=tmp_path, timeout=30)
    assert done.returncode == code and (tmp_path / ".exitcode").read_text() == f"{code}\n"
    assert (tmp_path / ".oom").exists() == bool(kills)
