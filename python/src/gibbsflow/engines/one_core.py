"""MD with one thread stays on one core, and goes to another only where that one is less busy.

OpenMM's CPU platform hands every force to a worker thread and waits for it. With one worker the two take turns; where
the scheduler keeps them on different cores, each turn wakes a sleeping core, which in virtual machines can cost more
than the forces (`benchmarks/one_core.py`).
"""

from __future__ import annotations

import logging
import os
import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gibbsflow.config.run import Md

log = logging.getLogger(__name__)
_PERIOD_S = 1.0
# of a core's time that others must leave free elsewhere, beyond what they leave here, for a move to be worth it
_GAIN = 0.3
_HZ = os.sysconf("SC_CLK_TCK")


@contextmanager
def on_one_core(md: Md) -> Iterator[None]:
    """Keep all threads of this process on one core while the body runs; nothing is done where that can't help.

    Parameters
    ----------
    md
        Platform and threads.
    """
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    # a container may show other cores than those it runs on
    if md.platform != "CPU" or md.threads != 1 or len(allowed) < 2 or not allowed <= busy_s().keys():
        yield
        return
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(allowed, done), name="one core", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()
        _pin(allowed)


def _keep(allowed: set[int], done: threading.Event) -> None:
    core: int | None = None
    busy, own_s, at_s = busy_s(), time.process_time(), time.monotonic()
    while not done.wait(_PERIOD_S):
        now = busy_s(), time.process_time(), time.monotonic()
        wall_s = max(now[2] - at_s, 1e-3)
        others = {cpu: (now[0][cpu] - busy[cpu]) / wall_s for cpu in allowed}
        if core is not None:
            others[core] -= (now[1] - own_s) / wall_s
        core = better_core(others, core)
        try:
            _pin({core})
        except OSError as error:
            log.info("stays on no core of its own: %s", error)
            return
        busy, own_s, at_s = now


def better_core(others: Mapping[int, float], core: int | None) -> int:
    """Choose the core that other processes use least.

    Parameters
    ----------
    others
        Share of its time that each core spends on other processes, 0 to 1.
    core
        Where this process runs; None where it is on no core of its own yet.

    Returns
    -------
    int
        `core`, where no other is clearly better; one of the best at random otherwise, every other time: two that
        share a core must not both leave it for the same other one, again and again.
    """
    least = min(others.values())
    if core is not None and (others[core] < least + _GAIN or random.random() < 0.5):
        return core
    return random.choice([cpu for cpu, share in others.items() if share < least + _GAIN / 2])


def busy_s() -> dict[int, float]:
    """Seconds that each core has not been idle since the machine started; empty where the system does not tell."""
    try:
        lines = Path("/proc/stat").read_text().splitlines()
    except FileNotFoundError:
        return {}
    rows = [line.split() for line in lines if re.match(r"cpu\d", line)]
    times = {int(name[3:]): [int(word) for word in words[:8]] for name, *words in rows}
    # columns 3 and 4: idle, and idle while a disk works
    return {core: (sum(columns) - sum(columns[3:5])) / _HZ for core, columns in times.items()}


def _pin(cores: set[int]) -> None:
    """Set the cores of every thread; those made later inherit them."""
    for thread in os.listdir("/proc/self/task"):
        try:
            os.sched_setaffinity(int(thread), cores)
        except ProcessLookupError:
            continue  # ended meanwhile
