"""kill -9 of a task: anywhere in a segment, in every write, and between any two of them."""

from __future__ import annotations

import random
import signal
import time

import pytest
from faults import small
from faults.child import Moment

MOMENTS = [
    Moment("inputs.json", "half"),
    Moment("segment-00000.npz", "half"),
    Moment("segment-00001.npz", "half"),
    Moment("segment-00001.npz", "renamed"),  # between the segment's output and its checkpoint
    Moment("checkpoint-current.bin", "half"),
    Moment("checkpoint-current.bin", "half", 3),
    Moment("checkpoint-current.bin", "written", 3),
    Moment("checkpoint-previous.bin", "renamed", 2),
    Moment("checkpoint-current.bin", "renamed", small.SEGMENTS),  # between the last checkpoint and the sentinel
    Moment("progress.json", "half", 3),
    Moment("FINISHED", "half"),
    Moment("FINISHED", "written"),
    Moment("FINISHED", "renamed"),
    Moment("window_01.parquet", "half"),
    Moment("result.json", "half"),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_in_a_write(exchange, tmp_path, moment):
    leg, whole = exchange
    assert small.fe_run(leg, tmp_path, dies=moment).code == -signal.SIGKILL
    done = small.kept(tmp_path / "state")
    again = small.fe_run(leg, tmp_path)
    assert again.code == 0, again.text
    assert "Traceback" not in again.text
    small.same_answer(tmp_path, whole)
    if "FINISHED" in done:  # nothing ran again
        assert small.kept(tmp_path / "state") == done
    elif moment.part == "renamed" and moment.nth == small.SEGMENTS:
        now = small.kept(tmp_path / "state")
        assert {name: now[name] for name in done} == done


@pytest.mark.parametrize("window", [0, 1, 2])
def test_in_a_window_after_others_have_finished(independent, tmp_path, window):
    leg, whole = independent
    dies = Moment("checkpoint-current.bin", "half", window * small.SEGMENTS + 2)
    assert small.fe_run(leg, tmp_path, dies=dies).code == -signal.SIGKILL
    finished = {k: small.kept(tmp_path / "state" / f"window_{k:02d}") for k in range(window)}
    assert all("FINISHED" in names for names in finished.values())
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)
    assert {k: small.kept(tmp_path / "state" / f"window_{k:02d}") for k in range(window)} == finished


@pytest.mark.parametrize("seed", range(3))
def test_in_mid_segment(exchange, tmp_path, seed):
    leg, whole = exchange
    for number in range(2):
        running = small.fe_start(leg, tmp_path)
        running.wait_for(tmp_path / "state" / f"segment-{number:05d}.npz")
        time.sleep(random.Random(10 * seed + number).uniform(0, 0.05))
        running.send(signal.SIGKILL)
        assert running.wait().code in (-signal.SIGKILL, 0)  # 0: it was faster
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)


def test_nothing_is_left_behind(exchange, tmp_path):
    leg, _ = exchange
    for part in ("half", "written"):
        assert small.fe_run(leg, tmp_path, dies=Moment("segment-00001.npz", part)).code == -signal.SIGKILL
    assert small.fe_run(leg, tmp_path).code == 0
    assert not list((tmp_path / "state").glob(".*.tmp"))
