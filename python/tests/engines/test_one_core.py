"""One-thread MD on one core: where it goes, that many find one each, and that everything is as before afterwards."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gibbsflow.config.run import Md
from gibbsflow.engines.one_core import better_core, busy_s, on_one_core

CORES = os.sched_getaffinity(0)
several = pytest.mark.skipif(len(CORES) < 2, reason="one core only")


def cores_of_threads(pid: int) -> set[frozenset[int]]:
    return {frozenset(os.sched_getaffinity(int(thread))) for thread in os.listdir(f"/proc/{pid}/task")}


def wait_for(what, limit_s: float = 40.0) -> None:
    end = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_core_is_left_only_for_a_clearly_better_one() -> None:
    assert better_core({0: 0.2, 1: 0.0}, 0) == 0
    assert {better_core({0: 0.9, 1: 0.1}, 0) for _ in range(50)} == {0, 1}
    assert better_core({0: 1.0, 1: 1.0}, 1) == 1
    assert {better_core({0: 0.0, 1: 0.05, 2: 0.9}, None) for _ in range(200)} == {0, 1}


@several
def test_all_threads_share_a_core_while_it_lasts() -> None:
    with on_one_core(Md()):
        wait_for(lambda: all(len(cores) == 1 for cores in cores_of_threads(os.getpid())))
        assert len(cores_of_threads(os.getpid())) == 1
    assert cores_of_threads(os.getpid()) == {frozenset(CORES)}


@several
@pytest.mark.parametrize("md", [Md(threads=2), Md(platform="Reference")])
def test_nothing_is_done_where_it_cannot_help(md: Md) -> None:
    with on_one_core(md):
        time.sleep(1.5)
        assert cores_of_threads(os.getpid()) == {frozenset(CORES)}


@pytest.mark.parametrize("count", [2, 16])
def test_as_many_as_there_are_cores_each_find_one(count: int) -> None:
    cores: list[int | None] = [None] * count
    for _ in range(60):
        used = [cores.count(core) for core in range(count)]
        # who shares a core with n others has 1 / (n + 1) of it
        shares = [1 - 1 / used[core] if core is not None else 0.0 for core in cores]
        cores = [
            better_core({c: shares[k] if c == cores[k] else float(used[c] > 0) for c in range(count)}, cores[k])
            for k in range(count)
        ]
    assert sorted(core for core in cores if core is not None) == list(range(count))


def test_busy_time_grows() -> None:
    if not Path("/proc/stat").exists():
        assert busy_s() == {}
        return
    before = busy_s()
    assert before.keys() >= CORES
    wait_for(lambda: sum(busy_s().values()) > sum(before.values()))
