"""Convergence: parts of the data, drift, and walkers that mix well, slowly or not at all."""

from dataclasses import replace

import numpy as np
import pytest
from oscillators import Oscillators

from gibbsflow.binding.analyse import convergence
from gibbsflow.binding.analyse.estimators import dg_of_sampled_kt, fit_mbar
from gibbsflow.binding.sample.energies import read_leg


@pytest.fixture(scope="module")
def energies(tmp_path_factory):
    folder = Oscillators(states=4).write(tmp_path_factory.mktemp("leg"), count=400, seed=5)
    return read_leg(sorted(folder.glob("*.parquet")))


def with_walkers(energies, path):
    """`path[n, w]` is the state of walker w at time n."""
    walker_of = np.argsort(path, axis=1)
    states = energies.u_nk.index.get_level_values("state")
    times = energies.u_nk.index.get_level_values("time").astype(int) - 1
    return replace(energies, replica=walker_of[times, states].astype(np.int32))


def test_both_series_end_in_the_estimate_of_all_data(energies):
    mbar = fit_mbar(energies.u_nk)
    forward, backward = convergence.forward_backward(energies, mbar)
    for series in (forward, backward):
        assert series.at(1.0) == pytest.approx(dg_of_sampled_kt(mbar), abs=1e-6)
        assert (np.diff(series.dg_error_kt) < 0).all()
    assert forward.at(0.5)[0] != backward.at(0.5)[0]


def test_walkers_that_jump_anywhere_mix_at_once(energies):
    rng = np.random.default_rng(2)
    path = np.array([rng.permutation(4) for _ in range(400)])
    mixing = convergence.mixing(with_walkers(energies, path))
    assert mixing.second_eigenvalue < 0.15
    assert mixing.relaxation_times > 100
    assert mixing.round_trips > 100


def test_walkers_in_two_halves_never_mix(energies):
    path = np.array([[n % 2, 1 - n % 2, 2 + n % 2, 3 - n % 2] for n in range(400)])
    mixing = convergence.mixing(with_walkers(energies, path))
    assert mixing.second_eigenvalue == pytest.approx(1.0)
    assert mixing.relaxation_times < 1e-3
    assert mixing.round_trips == 0


def test_round_trips_are_counted(energies):
    up_and_down = [0, 1, 2, 3, 2, 1]
    path = np.zeros((400, 4), int)
    for n in range(400):
        first = up_and_down[n % 6]
        path[n] = [first, *[state for state in range(4) if state != first]]
    # one walker: 400 steps of six a trip
    assert convergence._round_trips(path[:, :1], 4) == 66


def test_no_mixing_without_exchange(tmp_path):
    folder = Oscillators(states=4).write(tmp_path, count=20, exchange=False)
    assert convergence.mixing(read_leg(sorted(folder.glob("*.parquet")))) is None


def test_a_start_that_drifts_is_found(energies):
    assert convergence.equilibration(energies).fraction < 0.2
    shift = 60.0 * np.exp(-energies.u_nk.index.get_level_values("time").to_numpy(dtype=float) / 40.0)
    u_nk = energies.u_nk.copy()
    u_nk[0] += shift  # of the summed neighbour differences, that of window 0 alone drifts
    found = convergence.equilibration(replace(energies, u_nk=u_nk))
    assert 0.15 < found.fraction < 0.7
    assert found.start_ps == pytest.approx(1 + 400 * found.fraction)
