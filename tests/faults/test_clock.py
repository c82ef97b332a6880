"""A clock that was set back, or leaps: nothing is decided by it."""

from __future__ import annotations

import os
import time

from faults import small
from faults.child import run


def set_clock(offset_s: float):
    """Shift what a process takes for the time of day."""

    def shift() -> None:
        real = time.time
        time.time = lambda: real() + offset_s

    return shift


def test_state_from_the_future_counts(exchange, tmp_path):
    leg, whole = exchange
    assert small.fe_run(leg, tmp_path, "--segments", 2).code == 75
    ahead = time.time() + 30 * 86400
    for path in (tmp_path / "state").rglob("*"):
        os.utime(path, (ahead, ahead))
    before = small.kept(tmp_path / "state")
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)
    now = small.kept(tmp_path / "state")
    assert now["segment-00000.npz"] == before["segment-00000.npz"]


def test_finished_stays_finished_under_any_clock(exchange, tmp_path):
    leg, whole = exchange
    assert small.fe_run(leg, tmp_path).code == 0
    done = small.kept(tmp_path / "state")
    for offset_s in (-10 * 365 * 86400, 10 * 365 * 86400):
        ended = run("fe", *small.words(leg, tmp_path), before=set_clock(offset_s))
        assert ended.code == 0, ended.text
    assert small.kept(tmp_path / "state") == done
    small.same_answer(tmp_path, whole)


def test_time_budget_is_not_of_the_clock(exchange, tmp_path):
    """Set back by a year in the middle: a budget of minutes stays one."""
    leg, whole = exchange

    def leaps() -> None:
        real, calls = time.time, iter(range(10**9))
        time.time = lambda: real() - 365 * 86400 * (next(calls) > 3)

    ended = run("fe", *small.words(leg, tmp_path, "--time-budget", "5m"), before=leaps)
    assert ended.code == 0, ended.text
    small.same_answer(tmp_path, whole)
