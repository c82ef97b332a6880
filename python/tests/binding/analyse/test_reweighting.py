"""States without samples: pymbar's own answer for them, the exact one, and how many samples reach them."""

import numpy as np
import pytest
from oscillators import Oscillators
from pymbar import MBAR

from gibbsflow.binding.analyse.estimators import decorrelated, estimate_mbar, fit_mbar
from gibbsflow.binding.analyse.reweighting import effective_samples, profile
from gibbsflow.binding.sample.energies import read_leg

EQUAL_THEN_TWICE = (1.0, 1.0, 2.0)
"""Force constants of three states; two that are equal sample one distribution."""


def energies(folder, k=None, leave_out=(), count=500):
    leg = Oscillators(len(k) if k else 5, 6.0, 3.0)
    if k:
        leg.k, leg.c = np.array(k), np.zeros(len(k))
    paths = leg.write(folder, count=count, seed=4, leave_out=leave_out).glob("*.parquet")
    return leg, read_leg(sorted(paths), allow_missing=True)


def test_where_all_states_have_samples_the_profile_is_the_fit(tmp_path):
    _, samples = energies(tmp_path)
    mbar = fit_mbar(samples.u_nk)
    dg_kt, error_kt = profile(mbar, samples)
    assert np.array_equal(dg_kt, mbar.delta_f_.iloc[0]) and np.array_equal(error_kt, mbar.d_delta_f_.iloc[0])
    assert effective_samples(mbar, samples) == {}


@pytest.mark.parametrize("leave_out", [(2,), (0,), (4,), (1, 3)])
def test_states_without_samples_are_as_pymbar_has_them_with_none(tmp_path, leave_out):
    leg, samples = energies(tmp_path, leave_out=leave_out)
    dg_kt, error_kt = profile(fit_mbar(samples.u_nk), samples)
    counts = [0 if state in leave_out else 500 for state in range(5)]
    whole = MBAR(samples.u_all.to_numpy().T, counts, solver_protocol="robust").compute_free_energy_differences()
    assert dg_kt == pytest.approx(whole["Delta_f"][0], abs=1e-5)
    assert error_kt == pytest.approx(whole["dDelta_f"][0], rel=1e-4, abs=1e-6)
    exact = 1.5 * np.log(leg.k / leg.k[0]) + leg.c - leg.c[0]
    assert (np.abs(dg_kt - exact)[1:] < 4 * error_kt[1:]).all()


def test_effective_samples_of_an_oscillator(tmp_path):
    """(E w)²/E w² = (k (2K − k)/K²)^(d/2) for samples of k weighed to K."""
    _, samples = energies(tmp_path, EQUAL_THEN_TWICE, leave_out=(2,), count=4000)
    mbar = fit_mbar(samples.u_nk)
    assert effective_samples(mbar, samples) == {2: pytest.approx(8000 * (3 / 4) ** 1.5, rel=0.03)}
    half = samples.u_nk.index[::2]
    few = effective_samples(fit_mbar(samples.u_nk.loc[half]), samples, half)
    assert few == {2: pytest.approx(4000 * (3 / 4) ** 1.5, rel=0.04)}


@pytest.mark.parametrize("leave_out", [(5,), (0,), (2, 3)])
def test_values_over_many_draws_scatter_as_their_errors_say(tmp_path, leave_out):
    mild, scores = Oscillators(6, 4.0, 20.0), []
    for seed in range(6):
        paths = mild.write(tmp_path / str(seed), count=300, seed=seed, leave_out=leave_out).glob("*.parquet")
        samples = read_leg(sorted(paths), allow_missing=True)
        _, value = estimate_mbar(samples, *decorrelated(samples))
        scores.append((value.dg_kt - mild.exact_kt) / value.dg_error_kt)
    assert abs(sum(scores)) / len(scores) ** 0.5 < 3.5 and max(map(abs, scores)) < 4
