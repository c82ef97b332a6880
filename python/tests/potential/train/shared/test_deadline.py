"""The time budget of a fit: its shares, what is kept for the end, and orders that may be cut anywhere."""

import numpy as np
import pytest

from gibbsflow.errors import StoppedEarly
from gibbsflow.potential.train.shared.deadline import Deadline, covering_order, spread_order
from gibbsflow.workflow.state.segments import Stopper


class _Clock(Stopper):
    """A clock that stands."""

    elapsed_s = 40.0


def test_shares_end_early_where_the_end_needs_the_time():
    deadline = Deadline(_Clock(), 100.0)
    assert (deadline.left_s, deadline.until_s(0.7)) == (60.0, 70.0)
    deadline.reserve(45.0)
    assert (deadline.until_s(0.7), deadline.until_s(0.5)) == (55.0, 50.0)
    assert (deadline.until_s(0.7, 3.0), deadline.until_s(0.7, 1e9)) == (52.0, 50.0)
    deadline.reserve(1e9)
    assert deadline.until_s(0.7) == 50.0  # never more than half
    assert Deadline(_Clock(), 10.0).left_s == 0.0


def test_algebra_grows_with_the_cube_of_the_columns():
    deadline = Deadline(_Clock(), 100.0)
    assert deadline.eigen_s(2000) == pytest.approx(8 * deadline.eigen_s(1000)) and deadline.eigen_s(1000) >= 0.2


def test_what_large_algebra_took_is_the_measure_of_more():
    deadline = Deadline(_Clock(), 100.0)
    deadline.learn(1000, 4.0)
    assert deadline.eigen_s(2000) == pytest.approx(32.0)
    deadline.learn(10, 4.0)  # too small to say anything
    assert deadline.eigen_s(2000) == pytest.approx(32.0)


def test_a_signal_is_given_its_effect():
    stopper = Stopper()
    stopper.signal = 15
    with pytest.raises(StoppedEarly):
        Deadline(stopper, 1.0).check()


@pytest.mark.parametrize("count", [0, 1, 2, 7, 64, 100])
def test_every_beginning_of_the_order_is_spread_evenly(count):
    order = spread_order(count)
    assert sorted(order) == list(range(count))
    if count >= 64:
        assert np.diff(sorted(order[:16])).max() <= 2 * count / 16 + 1


def test_all_elements_come_first():
    kinds = [frozenset({"Cu"})] * 30 + [frozenset({"Cu", "Au"})] + [frozenset({"Ag"})]
    order = covering_order(kinds)
    assert sorted(order) == list(range(32)) and {30, 31} <= set(order[:4])
