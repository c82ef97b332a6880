"""Segments: stopped by number, budget and signal."""

import os
import signal
import time

import pytest

from gibbsflow.errors import StoppedEarly
from gibbsflow.workflow.state.segments import Stopper, run_segments


def test_segments_stop_by_number_budget_and_signal():
    done = []
    with pytest.raises(StoppedEarly, match="2 of 5 segments"):
        run_segments(0, 5, done.append, Stopper(segments=2))
    assert done == [0, 1]
    with pytest.raises(StoppedEarly, match="time budget"):
        run_segments(2, 5, lambda _: time.sleep(0.05), Stopper(time_budget_s=0.08))
    with Stopper() as stopper, pytest.raises(StoppedEarly, match="SIGTERM"):
        run_segments(0, 5, lambda _: os.kill(os.getpid(), signal.SIGTERM), stopper)
    run_segments(5, 5, done.append, Stopper(segments=0))
