"""assets/head_job.sh with a stand-in for SLURM and for the run: it goes on by itself, and stops when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from pipeline.launcher import REPO

HEAD = """#!/bin/bash
echo "$*" >> "$HERE/started"; env | grep -E '^(SLURM|SBATCH)_' | sort > "$HERE/environment"
trap 'sleep 0.3; echo ended >> "$HERE/started"; exit 143' TERM
touch "$HERE/ready"
for _ in $(seq 300); do [[ -e $HERE/done ]] && exit 3; sleep 0.05; done
"""
SBATCH = '#!/bin/bash\nprintf "%s\\n" "$@" > "$HERE/submitted"\n'
ARGUMENTS = ["--outdir", "it's a $(folder)", "--input", "a b.csv"]


@pytest.fixture
def start(tmp_path):
    """Start the script as a job."""
    (tmp_path / "checkout/assets").mkdir(parents=True)
    for name, text in (("checkout/nextfloww", HEAD), ("sbatch", SBATCH)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "checkout/assets/head_job.sh").write_text((REPO / "assets/head_job.sh").read_text())
    env = {**os.environ, "HERE": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    env |= {"GIBBSFLOW_CHECKOUT": str(tmp_path / "checkout"), "SLURM_JOB_ID": "7", "SLURM_MEM_PER_NODE": "4096"}
    env |= {"SBATCH_PARTITION": "short", "SLURM_CPUS_PER_TASK": "1"}
    command = ["bash", tmp_path / "checkout/assets/head_job.sh", *ARGUMENTS]
    job = subprocess.Popen(command, env=env, cwd=tmp_path)
    wait(tmp_path / "ready")
    yield job
    job.kill()
    job.wait()


def wait(path: Path) -> None:
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.02)


def test_near_its_end_it_submits_itself_once_the_run_has_ended(start, tmp_path):
    start.send_signal(signal.SIGUSR1)
    assert start.wait(20) == 0
    words = f"run {tmp_path}/checkout/main.nf {' '.join(ARGUMENTS)} -resume"
    assert (tmp_path / "started").read_text().splitlines() == [words, "ended"]
    assert (tmp_path / "environment").read_text() == "SLURM_JOB_ID=7\n"  # nothing of its own request is handed down
    script = f"{tmp_path}/checkout/assets/head_job.sh"
    assert (tmp_path / "submitted").read_text().splitlines() == ["--dependency=afterany:7", script, *ARGUMENTS]


def test_it_ends_when_it_is_cancelled(start, tmp_path):
    start.send_signal(signal.SIGTERM)
    assert start.wait(20) == 143
    assert "ended" in (tmp_path / "started").read_text() and not (tmp_path / "submitted").exists()


def test_its_exit_code_is_that_of_the_run(start, tmp_path):
    (tmp_path / "done").touch()
    assert start.wait(20) == 3
    assert not (tmp_path / "submitted").exists()
