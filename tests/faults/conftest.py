"""Fixtures of the fault suite: a small real leg, and its uninterrupted run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import child, disks, small


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """End what a failed test has started, stopped as it may be."""
    yield
    for running in list(child.ALIVE):
        running.send(signal.SIGKILL)
        running.wait()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[disks.Disk]:
    """A file system of its own of 8 MB; needs root."""
    place = disks.new_disk(tmp_path / "disk")
    yield place
    disks.unmount(place)


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory):
    """A leg sampled by replica exchange, and the folder of its uninterrupted run."""
    return _whole(tmp_path_factory.mktemp("exchange"), "exchange")


@pytest.fixture(scope="session")
def independent(tmp_path_factory: pytest.TempPathFactory):
    """The same with independent windows."""
    return _whole(tmp_path_factory.mktemp("independent"), "independent")


def _whole(root: Path, sampler: str):
    leg = small.make_leg(root / "leg", sampler)
    done = small.fe_run(leg, root)
    assert done.code == 0, done.text
    return leg, root
