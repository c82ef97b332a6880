"""Disks that are full or read-only: one message, nothing broken, and the same answer once there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import small

STORAGE = 74


def mount(*words: object) -> None:
    done = subprocess.run(["mount", *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own; tests give it its size."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place = tmp_path / "disk"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", place)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def one_message(ended, *told: str) -> None:
    assert ended.code == STORAGE, ended.text
    errors = [line for line in ended.text.splitlines() if line.startswith("error:")]
    assert len(errors) == 1 and all(word in errors[0] for word in told), ended.text
    assert "Traceback" not in ended.text and "what to do:" in ended.text


def fill(place: Path, leave: int) -> None:
    free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
    with open(place / "filler", "wb") as file:
        file.write(b"x" * (free - leave))


@pytest.mark.root
@pytest.mark.parametrize("room_kb", [0, 4, 12, 20])
def test_full_disk_under_the_state(exchange, tmp_path, disk, room_kb):
    leg, whole = exchange
    (tmp_path / "state").symlink_to(disk / "state")
    (disk / "state").mkdir()
    if room_kb > 4:
        assert small.fe_run(leg, tmp_path, "--segments", 1).code == 75
    fill(disk, room_kb * 1024)
    one_message(small.fe_run(leg, tmp_path), "No space left on device", "state")
    assert not (disk / "state" / "FAILED").exists()  # no failure of the science
    (disk / "filler").unlink()
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)


@pytest.mark.root
def test_full_disk_under_the_results(exchange, tmp_path, disk):
    leg, whole = exchange
    (tmp_path / "out").symlink_to(disk / "out")
    (disk / "out").mkdir()
    fill(disk, 8192)
    one_message(small.fe_run(leg, tmp_path), "No space left on device", "out")
    done = small.kept(tmp_path / "state")
    assert "FINISHED" in done
    (disk / "filler").unlink()
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)
    assert small.kept(tmp_path / "state") == done


@pytest.mark.root
@pytest.mark.parametrize("segments", [0, 2])
def test_read_only_state(exchange, tmp_path, disk, segments):
    leg, whole = exchange
    (tmp_path / "state").symlink_to(disk / "state")
    (disk / "state").mkdir()
    if segments:
        assert small.fe_run(leg, tmp_path, "--segments", segments).code == 75
    before = small.kept(disk)
    mount("-o", "remount,ro", disk)
    one_message(small.fe_run(leg, tmp_path), "Read-only file system", "state")
    mount("-o", "remount,rw", disk)
    assert small.kept(disk) == before
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)


@pytest.mark.root
def test_read_only_results_are_told_before_anything_runs(exchange, tmp_path, disk):
    leg, _ = exchange
    (tmp_path / "out").symlink_to(disk)
    mount("-o", "remount,ro", disk)
    ended = small.fe_run(leg, tmp_path)
    assert ended.code in (65, STORAGE) and "Read-only file system" in ended.text
    assert not (tmp_path / "state" / "segment-00000.npz").exists()
