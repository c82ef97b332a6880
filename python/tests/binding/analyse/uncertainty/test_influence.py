"""To first order MBAR's free energy is the sum of what its samples add."""

import numpy as np
import pandas as pd
import pytest
from oscillators import Oscillators

from gibbsflow.binding.analyse.estimators import fit_mbar
from gibbsflow.binding.analyse.reweighting import profile
from gibbsflow.binding.analyse.uncertainty.influence import MbarWeights, influence
from gibbsflow.binding.sample.energies import Energies, read_leg


def leg(folder, **options):
    return read_leg(sorted(Oscillators(states=4).write(folder, **options).glob("*.parquet")), allow_missing=True)


def test_a_sample_that_is_taken_twice_moves_the_free_energy_as_said(tmp_path):
    energies = leg(tmp_path, count=150, seed=2)
    mbar = fit_mbar(energies.u_nk)
    added = influence(energies, mbar.delta_f_.iloc[0].to_numpy())
    assert added.sum() == pytest.approx(0.0, abs=1e-6)
    again = np.r_[np.arange(600), np.arange(10)]  # one sample's share is far below what the solver leaves
    moved = fit_mbar(energies.u_nk.iloc[again]).delta_f_.iloc[0, -1] - mbar.delta_f_.iloc[0, -1]
    assert moved == pytest.approx(added[:10].sum(), rel=0.15)


def test_its_variance_is_mbars_own_for_independent_samples(tmp_path):
    energies = leg(tmp_path, count=1000, seed=3)
    mbar = fit_mbar(energies.u_nk)
    added = influence(energies, mbar.delta_f_.iloc[0].to_numpy())
    variance = sum(1000 * part.var() for part in np.split(added, 4))
    assert np.sqrt(variance) == pytest.approx(mbar.d_delta_f_.iloc[0, -1], rel=0.05)


def test_an_end_without_samples_takes_part(tmp_path):
    energies = leg(tmp_path, count=1000, seed=4, leave_out=(3,))
    mbar = fit_mbar(energies.u_nk)
    value, error = profile(mbar, energies)
    added = influence(energies, value)
    variance = sum(1000 * part.var() for part in np.split(added, 3))
    assert np.sqrt(variance) == pytest.approx(error[-1], rel=0.1)


def test_rounding_of_the_singular_value_that_is_zero_says_nothing():
    """What the free energies have no zero of, the inverse takes to zero: (1 − WᵀWN) has N as its left null vector."""
    rng = np.random.default_rng(5)
    stiffness = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    state = np.repeat(np.arange(5), 100)
    index = pd.MultiIndex.from_arrays([np.tile(np.arange(100.0), 5), state], names=["time", "state"])
    for _ in range(20):
        x = rng.standard_normal(500) / np.sqrt(stiffness[state])
        energies = Energies(pd.DataFrame(stiffness * x[:, None] ** 2 / 2, index=index), 300.0, [{}] * 5)
        f_kt = fit_mbar(energies.u_nk).delta_f_.iloc[0].to_numpy()
        mbar = MbarWeights.of(energies, f_kt)
        assert np.abs(mbar.inverse @ mbar.counts).max() < 1e-6 * np.abs(mbar.inverse).max() * mbar.counts.max()
