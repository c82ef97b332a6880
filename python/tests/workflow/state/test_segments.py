"""Segments: what stops them, and that nothing is begun that would not be ended."""

import os
import signal
import time

import pytest

from gibbsflow.errors import StoppedEarly
from gibbsflow.workflow.signals import STOP_SIGNALS
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


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_is_noted_and_acts_where_it_is_asked_after(number, capfd):
    before = signal.getsignal(number)
    with Stopper() as stopper:
        stopper.check()
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)  # the first one is told
        with pytest.raises(StoppedEarly, match=f"stopped by {number.name}"):
            stopper.check()
        assert stopper.reason() == f"stopped by {number.name}"
    assert signal.getsignal(number) == before
    assert capfd.readouterr().err == f"{number.name} received: stopping with state saved\n"


def test_what_is_under_way_has_its_time_after_a_signal():
    with Stopper() as stopper:
        stopper.check(0.2)
        os.kill(os.getpid(), signal.SIGTERM)
        stopper.check(0.2)
        time.sleep(0.25)
        stopper.check(60.0)
        with pytest.raises(StoppedEarly):
            stopper.check(0.2)


def test_a_segment_that_would_not_end_in_time_is_not_begun():
    stopper = Stopper(time_budget_s=100)
    assert stopper.reason() is None
    stopper.longest_segment_s = 101
    assert stopper.reason() == "time budget of 100 s would not hold another segment"


def test_a_time_budget_that_is_used_up_is_said():
    assert Stopper().out_of_time() == Stopper(1e6).out_of_time() == ""
    assert Stopper(1e-9).out_of_time() == "time budget of 1e-09 s used up"
    assert Stopper(100.0).out_of_time(99.0) == "" != Stopper(100.0).out_of_time(101.0)
    assert Stopper().left_s is None and Stopper(1e-9).left_s < 0 < 99 < Stopper(100.0).left_s < 100
