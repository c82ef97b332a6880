"""What no window leaves in its own time shows between its halves and those of other replicates."""

import numpy as np
import pandas as pd
import pytest

from gibbsflow.binding.analyse.uncertainty.slow_motion import slow_motion, too_short
from gibbsflow.binding.sample.energies import Energies

WINDOWS = 3


def replicate(rng, steps=(0.0,) * WINDOWS, *, samples=100, own=True):
    """Normal energies of three windows, by halves `steps` of their standard deviation apart from each other."""
    energy = rng.standard_normal((WINDOWS, samples))
    energy += np.array([np.broadcast_to(step, 2).repeat(samples // 2) for step in steps])
    u = np.stack([energy * (1 + state) for state in range(WINDOWS)], axis=-1)
    if not own:
        u -= np.stack([u[state, :, state] for state in range(WINDOWS)])[..., None]
    index = pd.MultiIndex.from_product([range(WINDOWS), np.arange(float(samples))], names=["state", "time"])
    table = pd.DataFrame(u.reshape(-1, WINDOWS), index=index, columns=range(WINDOWS))
    return Energies(table.swaplevel().sort_index(), 300.0, [{}] * WINDOWS)


@pytest.mark.parametrize("replicates", [1, 2, 5])
def test_chance_is_found_as_often_as_p_says(replicates):
    rng = np.random.default_rng(1)
    p = np.array([slow_motion([replicate(rng) for _ in range(replicates)]).p for _ in range(100)])
    assert 0.4 < p.mean() < 0.6 and (p < 0.02).sum() <= 6


@pytest.mark.parametrize("own", [True, False])
def test_replicates_that_stay_in_other_wells(own):
    rng = np.random.default_rng(2)
    found = slow_motion([replicate(rng, (0.0, well, 0.0), own=own) for well in (0.0, 1.5)])
    assert found.p < 1e-4 and found.window == 1 and found.ratio > 3


def test_one_replicate_that_changes_its_well_half_way():
    found = slow_motion([replicate(np.random.default_rng(3), (0.0, 0.0, (0.0, 1.0)))])
    assert found.p < 1e-3 and found.window == 2


def test_one_well_in_which_all_stay_is_not_seen():
    rng = np.random.default_rng(4)
    assert slow_motion([replicate(rng, (0.0, 1.0, 0.0)) for _ in range(3)]).p > 0.02


def test_nothing_is_said_of_too_few_samples_or_of_what_does_not_move():
    rng = np.random.default_rng(5)
    assert slow_motion([replicate(rng, samples=38)]) is None
    still = replicate(rng)
    still.u_nk.iloc[:] = 1.0
    assert slow_motion([still]) is None


def test_one_that_is_very_short_switches_nothing_off():
    rng = np.random.default_rng(2)
    long, short = [replicate(rng, (0.0, well, 0.0)) for well in (0.0, 1.5)], replicate(rng, samples=10)
    assert slow_motion([long[0], short, long[1]]) == slow_motion(long) and too_short([long[0], short, long[1]]) == [1]
    assert slow_motion([short]) is None and too_short([short]) == [0]


def test_replicates_of_other_lengths_are_compared_over_the_time_that_all_have():
    rng = np.random.default_rng(6)
    p = np.array([slow_motion([replicate(rng, samples=400), replicate(rng, samples=40)]).p for _ in range(30)])
    assert (p < 0.02).sum() <= 3


def test_windows_of_other_lambda_are_not_compared():
    rng = np.random.default_rng(7)
    first, second = replicate(rng, (0.0, 0.0, 0.0)), replicate(rng, (0.0, 3.0, 0.0))
    placed = [{"lambda": 0.0}, {"lambda": 0.7}, {"lambda": 1.0}]
    kept = Energies(first.u_nk, 300.0, [{"lambda": 0.0}, {"lambda": 0.4}, {"lambda": 1.0}])
    assert slow_motion([kept, Energies(second.u_nk, 300.0, placed)]).p > 0.02


def test_differences_are_to_the_same_state_where_one_replicate_lacks_a_window():
    rng = np.random.default_rng(9)
    whole, other = replicate(rng, (5.0, 5.0, 5.0), own=False), replicate(rng, (5.0, 5.0, 5.0), own=False)
    left = other.u_nk.drop(index=0, level="state")
    lacking = Energies(left[[1, 2]], 300.0, other.states, (0,), left[[0]])
    assert slow_motion([whole, lacking]).p > 0.02


def test_constant_energies_do_not_differ_by_the_rounding_of_their_means():
    still = replicate(np.random.default_rng(9), samples=130)
    still.u_nk.iloc[:] = 1234.567 * 3
    assert slow_motion([still, still]) is None
