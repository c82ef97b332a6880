"""Disks that are full or read-only: one message, nothing broken, and the same answer once there is room."""

from __future__ import annotations

import numpy as np
import pytest
from faults import small
from gromacs_boxes import LADDER, Box, needs_gromacs

from gibbsflow.binding.sample.energies import read_windows

STORAGE = 74


def one_message(ended, *told: str) -> None:
    assert ended.code == STORAGE, ended.text
    errors = [line for line in ended.text.splitlines() if line.startswith("error:")]
    assert len(errors) == 1 and all(word in errors[0] for word in told), ended.text
    assert "Traceback" not in ended.text and "what to do:" in ended.text


@pytest.mark.root
@pytest.mark.parametrize("room_kb", [0, 4, 12, 20])
def test_full_disk_under_the_state(exchange, tmp_path, disk, room_kb):
    leg, whole = exchange
    (tmp_path / "state").symlink_to(disk / "state")
    (disk / "state").mkdir()
    if room_kb > 4:
        assert small.fe_run(leg, tmp_path, "--segments", 1).code == 75
    disk.fill(leave=room_kb * 1024)
    one_message(small.fe_run(leg, tmp_path), "No space left on device", "state")
    assert not (disk / "state" / "FAILED").exists()  # no failure of the science
    (disk / "filler").unlink()
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)


@needs_gromacs
@pytest.mark.root
def test_full_disk_under_gromacs(tmp_path, disk):
    """It ends well with a configuration cut in two, or fails without a word of it, and each was a failed attempt."""
    fe = {"sampler": "independent", "sample_ps": 0.1, "segment_ps": 0.2, "window_ps": 0.4}
    leg = Box(tmp_path / "box", "C").leg(tmp_path / "leg", (LADDER[0], LADDER[-1]), fe=fe)
    alone = ("--window", 0)
    assert small.fe_run(leg, tmp_path / "whole", *alone).code == 0
    (tmp_path / "state").symlink_to(disk / "state")
    (disk / "state").mkdir()
    assert small.fe_run(leg, tmp_path, *alone, "--segments", 1).code == 75
    for room_kb in (12, 40):
        disk.fill(leave=room_kb * 1024)
        one_message(small.fe_run(leg, tmp_path, *alone), "No space left on device", "state/window_00")
        assert not list((disk / "state").rglob("FAILED"))
        (disk / "filler").unlink()
    assert small.fe_run(leg, tmp_path, *alone).code == 0
    assert not list((disk / "state").rglob("superseded-*"))
    ((ours,), (theirs,)) = (
        read_windows(list((root / "out").glob("*.parquet"))) for root in (tmp_path, tmp_path / "whole")
    )
    np.testing.assert_array_equal(ours.u, theirs.u)


@pytest.mark.root
def test_full_disk_under_the_results(exchange, tmp_path, disk):
    leg, whole = exchange
    (tmp_path / "out").symlink_to(disk / "out")
    (disk / "out").mkdir()
    disk.fill(leave=8192)
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
    disk.remount("ro")
    one_message(small.fe_run(leg, tmp_path), "Read-only file system", "state")
    disk.remount("rw")
    assert small.kept(disk) == before
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)


@pytest.mark.root
def test_read_only_results_are_told_before_anything_runs(exchange, tmp_path, disk):
    leg, _ = exchange
    (tmp_path / "out").symlink_to(disk)
    disk.remount("ro")
    ended = small.fe_run(leg, tmp_path)
    assert ended.code in (65, STORAGE) and "Read-only file system" in ended.text
    assert not (tmp_path / "state" / "segment-00000.npz").exists()
