"""Foreign programs that are ended: by a bound, or by a signal that is raised at any moment."""

import subprocess
import time

import psutil
import pytest

from gibbsflow.engines.process import Bounds, run_program
from gibbsflow.errors import EngineError

SLEEP = ["/bin/sh", "-c", "sleep 600 & wait"]


def nothing_is_left() -> bool:
    return not [child for child in psutil.Process().children(recursive=True) if child.name() in ("sh", "sleep")]


def test_a_bound_ends_the_program_and_what_it_started(tmp_path):
    with pytest.raises(EngineError, match="ran over its 0 s"):
        run_program(SLEEP, folder=tmp_path, log=tmp_path / "log", bounds=Bounds(time_s=0.3))
    assert nothing_is_left()


@pytest.mark.timeout(30)
def test_a_signal_within_the_wait_leaves_no_lock_that_holds_us_up(tmp_path, monkeypatch):
    def interrupted(self, timeout=None):
        # what a signal leaves that is raised between the lock and the block that lets go of it
        assert self._waitpid_lock.acquire(timeout=10)
        time.sleep(0.2)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_program(SLEEP, folder=tmp_path, log=tmp_path / "log", bounds=Bounds(time_s=60))
    assert nothing_is_left()
