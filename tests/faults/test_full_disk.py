"""A run whose disk is full says so in its last line, whatever was full, and goes on once there is room."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest
from faults import disks, small
from faults.child import run
from pipeline.launcher import REPO, Launcher

PIPELINE = ("--mode", "md", "-stub")


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def fills(tmp_path: Path, place: str, size: str, what: str) -> None:
    """Run into a disk that is full, then make room and go on."""
    root = tmp_path / "run"
    root.mkdir()
    disk = disks.new_disk(root / place, size)
    nextflow = Launcher(root)
    try:
        full = nextflow.pipeline(*PIPELINE)
        assert full.code != 0, full.text
        assert last_line(full.text).startswith("A disk is full or cannot be written: "), full.text
        assert what in last_line(full.text) and "Make room" in last_line(full.text)
        disk.remount("size=100m")
        again = nextflow.pipeline(*PIPELINE, "-resume")
        assert again.code == 0, again.text
        assert "A disk is full" not in again.text and (root / "out/results.csv").exists()
    finally:
        disks.unmount(disk)


@pytest.mark.root
def test_while_publishing(tmp_path):
    fills(tmp_path, "out", "40k", "out (results)")


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "size", "what"), [("work", "8k", "/run/work (tasks)"), (".", "400k", "/run (launch folder)")]
)
def test_anywhere_else(tmp_path, place, size, what):
    """Nextflow cannot write its own `.command.run`; or nothing at all can be written."""
    fills(tmp_path, place, size, what)


@pytest.mark.root
def test_before_anything_was_started(disk):
    disk.fill()
    done = subprocess.run([REPO / "nextfloww", "run", REPO / "main.nf"], cwd=disk, capture_output=True, text=True)
    assert done.returncode == 1 and f"the disk is full at {disk}" in last_line(done.stderr), done.stderr


@pytest.mark.root
def test_temporary_files(exchange, tmp_path, disk):
    """A verb of MD needs none; one that does ends as with any other full disk, and is no failure of the science."""
    leg, whole = exchange
    disk.fill()

    def elsewhere() -> None:
        import tempfile

        os.environ["TMPDIR"] = str(disk)
        tempfile.tempdir = None

    done = run("fe", *small.words(leg, tmp_path), before=elsewhere)
    assert done.code == 0, done.text
    small.same_answer(tmp_path, whole)
    params = tmp_path / "params.json"
    params.write_text(f'{{"mode": "md", "outdir": "{tmp_path}/o", "input": "{REPO}/assets/demo/ligands.csv", '
                      f'"receptor": "{REPO}/assets/demo/cb7.sdf"}}')  # fmt: skip
    words = ("launch", "--params", params, "--state", tmp_path / "campaign")
    assert run("gibbsflow", *words, before=elsewhere).code == 0  # Python looks for another folder


def test_a_quota(exchange, tmp_path):
    """EDQUOT, which no file system that can be made here gives: the system's own call is made to say it."""
    leg, whole = exchange

    def over_quota() -> None:
        real, calls = os.fsync, iter(range(10**9))

        def fsync(fd: int) -> None:
            if next(calls) > 12:
                raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
            real(fd)

        os.fsync = fsync

    ended = run("fe", *small.words(leg, tmp_path), before=over_quota)
    assert ended.code == 74 and "Disk quota exceeded" in ended.text and "Traceback" not in ended.text, ended.text
    assert not (tmp_path / "state" / "FAILED").exists()
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)
