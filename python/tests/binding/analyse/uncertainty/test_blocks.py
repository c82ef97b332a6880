"""Blocks of time hold the error of correlated data; what moves slowly, or contradicts, is seen."""

from dataclasses import replace

import numpy as np
import pytest
from oscillators import Oscillators

from gibbsflow.binding.analyse.estimators import fit_mbar
from gibbsflow.binding.analyse.uncertainty.blocks import block_error
from gibbsflow.binding.sample.energies import read_leg


def leg(folder, **options):
    return read_leg(sorted(Oscillators(states=4).write(folder, exchange=False, **options).glob("*.parquet")))


def judged(energies):
    mbar = fit_mbar(energies.u_nk)
    return block_error(energies, mbar.delta_f_.iloc[0].to_numpy()), mbar.d_delta_f_.iloc[0, -1]


def test_independent_samples_have_mbars_error(tmp_path):
    blocks, mbar_error = judged(leg(tmp_path, count=800, seed=2))
    assert blocks.error_kt == pytest.approx(mbar_error, rel=0.25)
    assert blocks.dof > 20 and blocks.correlation < 0.3 and blocks.contradiction < 3


def test_correlated_samples_have_more(tmp_path):
    """Energies of an autoregression ρ correlate as ρ²: g = (1 + ρ²)/(1 − ρ²) = 9.3 for 0.9."""
    blocks, mbar_error = judged(leg(tmp_path, count=2000, seed=3, correlation=0.9))
    assert 2.0 < blocks.error_kt / mbar_error < 4.5


def test_a_window_that_was_elsewhere_contradicts_the_others(tmp_path):
    energies = leg(tmp_path, count=300, seed=4)
    table = energies.u_nk.copy()
    rows = np.flatnonzero(table.index.get_level_values("state") == 1)
    table.iloc[rows] = table.iloc[np.flatnonzero(table.index.get_level_values("state") == 2)].to_numpy()
    blocks, _ = judged(replace(energies, u_nk=table))
    assert blocks.contradiction > 3 and blocks.window in (1, 2)


def test_walkers_carry_what_moves_slowly(tmp_path):
    """Windows that swap walkers each sample look uncorrelated; each walker keeps its own half of the samples' worth."""
    rng = np.random.default_rng(5)
    energies = leg(tmp_path, count=400, seed=5)
    walkers = np.array([rng.permutation(4) for _ in range(400)])  # of each window
    hot = (walkers % 2).T.ravel()
    table = energies.u_nk.copy()
    table += np.outer(np.where(hot, 2.0, -2.0), [0.0, 0.5, 0.8, 1.0])
    alone, _ = judged(replace(energies, u_nk=table, replica=None))
    followed, _ = judged(replace(energies, u_nk=table, replica=walkers.T.ravel()))
    assert followed.error_kt > 2 * alone.error_kt
    assert followed.correlation > 0.7 > alone.correlation


def test_too_few_samples_have_none(tmp_path):
    assert judged(leg(tmp_path, count=39, seed=6))[0] is None
    assert judged(leg(tmp_path / "more", count=40, seed=6))[0] is not None
