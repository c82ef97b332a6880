"""Blocks of time hold the error of correlated data; what moves slowly, or contradicts, is seen."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from oscillators import Oscillators

from gibbsflow.binding.analyse.estimators import fit_mbar
from gibbsflow.binding.analyse.uncertainty.blocks import block_error
from gibbsflow.binding.analyse.uncertainty.influence import influence
from gibbsflow.binding.sample.energies import Energies, read_leg


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


STIFFNESS = np.array([1.0, 2.0, 4.0])
SAMPLES = 100


def oscillators(rng):
    """Independent samples of three oscillators, as energies of a leg, and their exact free energies in kT."""
    x = rng.standard_normal((len(STIFFNESS), SAMPLES)) / np.sqrt(STIFFNESS)[:, None]
    state, time = (
        np.repeat(np.arange(len(STIFFNESS)), SAMPLES),
        np.tile(np.arange(SAMPLES, dtype=float), len(STIFFNESS)),
    )
    index = pd.MultiIndex.from_arrays([time, state], names=["time", "state"])
    u_nk = pd.DataFrame(STIFFNESS * x.reshape(-1, 1) ** 2 / 2, index=index)
    return Energies(u_nk, 300.0, [{}] * len(STIFFNESS)), np.log(STIFFNESS) / 2


@pytest.mark.parametrize("exchange", [False, True])
def test_errors_of_independent_samples_are_neither_too_large_nor_too_sure(exchange):
    """Their variance is that of the influence of all samples; degrees of freedom are 2 over its relative variance."""
    rng = np.random.default_rng(7)
    ratios, dofs = [], []
    for _ in range(200):
        energies, f_kt = oscillators(rng)
        added = influence(energies, f_kt).reshape(len(STIFFNESS), -1)
        if exchange:
            walkers = np.argsort(rng.random((len(STIFFNESS), SAMPLES)), axis=0)
            energies = replace(energies, replica=walkers.ravel())
        blocks = block_error(energies, f_kt)
        ratios.append(blocks.error_kt**2 / (SAMPLES * added.var(axis=1, ddof=1).sum()))
        dofs.append(blocks.dof)
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.05)
    assert 2 / np.var(ratios) == pytest.approx(np.median(dofs), rel=0.35)


def test_walkers_that_stay_have_the_error_of_their_windows():
    """One swap at the end makes them walkers; the mean of a window is then that of its walker."""
    energies, f_kt = oscillators(np.random.default_rng(8))
    walkers = np.repeat(np.arange(len(STIFFNESS)), SAMPLES)
    walkers[[SAMPLES - 1, 2 * SAMPLES - 1]] = 1, 0
    followed, alone = block_error(replace(energies, replica=walkers), f_kt), block_error(energies, f_kt)
    assert followed.error_kt == pytest.approx(alone.error_kt, rel=0.05)
    assert followed.dof == pytest.approx(alone.dof, rel=0.1)
