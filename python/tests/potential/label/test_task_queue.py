from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest
import sleepy_queue

from gibbsflow.errors import EXIT_STOPPED, InputError
from gibbsflow.potential.label.task_queue import TaskQueue


def square(number: int) -> int:
    return number * number


def flaky(folder: str, number: int) -> int:
    """Fails as a network file system does: the first time, for some."""
    mark = Path(folder) / str(number)
    if number % 2 and not mark.exists():
        mark.touch()
        raise OSError("stale file handle")
    return number


def collect(queue: TaskQueue, function, items) -> tuple[dict, dict]:
    done: dict[int, int] = {}
    lost: dict[int, str] = {}
    queue.run(function, items, done=done.__setitem__, lost=lost.__setitem__)
    return done, lost


def test_each_item_comes_back_once() -> None:
    assert collect(TaskQueue(1), square, list(range(20))) == ({n: n * n for n in range(20)}, {})


def test_passing_failures_are_tried_again(tmp_path: Path) -> None:
    assert collect(TaskQueue(1), partial(flaky, str(tmp_path)), list(range(5))) == ({n: n for n in range(5)}, {})


def test_what_always_fails_is_lost_and_stops_nothing(tmp_path: Path) -> None:
    def broken(number: int) -> int:
        if number == 1:
            raise OSError("no space left on device")
        return number

    done, lost = collect(TaskQueue(1, attempts=1), broken, [0, 1, 2])
    assert (done, list(lost)) == ({0: 0, 2: 2}, [1])
    assert "no space left" in lost[1]


def test_defects_of_ours_are_raised() -> None:
    def defect(number: int) -> int:
        raise ZeroDivisionError(number)

    with pytest.raises(ZeroDivisionError):
        collect(TaskQueue(1), defect, [0])


def test_what_ends_its_process_costs_its_item_and_not_this_process(tmp_path: Path) -> None:
    queue = TaskQueue(1, attempts=2, fragile=True)
    done, lost = collect(queue, partial(sleepy_queue.deadly, str(tmp_path)), [0, 1, 2, 3])
    assert (done, list(lost)) == ({0: 0, 1: 1, 3: 3}, [2])
    assert "its process ended with code -9" in lost[2]


@pytest.mark.slow
def test_killed_workers_cost_their_item_only(tmp_path: Path) -> None:
    done, lost = collect(TaskQueue(2, attempts=3), partial(sleepy_queue.deadly, str(tmp_path)), [0, 1, 2, 3])
    assert set(done) == {0, 1, 3}
    assert set(lost) == {2}


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_loses_only_what_is_running(tmp_path: Path, workers: int, number: signal.Signals) -> None:
    paths = os.pathsep.join([str(Path(sleepy_queue.__file__).parent), *sys.path])
    process = subprocess.Popen(
        [sys.executable, sleepy_queue.__file__, str(tmp_path), str(workers)], env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 90
    while not {"recorded-0", "recorded-1"} <= {p.name for p in tmp_path.iterdir()} and time.monotonic() < end:
        time.sleep(0.1)
    sleepers = [c for c in psutil.Process(process.pid).children(recursive=True) if "987" in c.cmdline()]
    os.killpg(process.pid, number)  # as a terminal and a scheduler do: the whole group
    text, _ = process.communicate(timeout=60)
    assert process.returncode == EXIT_STOPPED
    assert "4 of 6 left" in text
    assert {p.name for p in tmp_path.glob("recorded-*")} == {"recorded-0", "recorded-1"}
    gone, alive = psutil.wait_procs(sleepers, timeout=10)
    assert not alive


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import Client

    monkeypatch.setattr("distributed.Client", partial(_quick, Client))
    with pytest.raises(InputError, match=r"tcp://127\.0\.0\.1:9 does not answer"):
        collect(TaskQueue(scheduler="tcp://127.0.0.1:9"), square, [1])


def _quick(client, address, **options):
    return client(address, **{**options, "timeout": "1s"})
