"""Estimators against what is known exactly, and published values; error bars that mean what they say."""

import alchemtest.gmx
import numpy as np
import pandas as pd
import pytest
from oscillators import TEMPERATURE_K, Oscillators
from pymbar.testsystems import HarmonicOscillatorsTestCase

from gibbsflow.binding.analyse import estimators
from gibbsflow.binding.analyse.integration import estimate_ti
from gibbsflow.binding.analyse.readers import gromacs_energies
from gibbsflow.binding.sample.energies import Energies, read_leg
from gibbsflow.errors import UnconvergedError

# alchemlyb's own tests, kT at 300 K, all samples: value and error
BENZENE = {
    "Coulomb": {"mbar": (3.041, 0.02088), "bar": (3.044, 0.01640), "ti": (3.089, 0.02157)},
    "VDW": {"mbar": (-3.007, 0.04519), "bar": (-3.033, 0.03438), "ti": (-3.056, 0.04863)},
}


def estimate(energies, decorrelate="auto"):
    correlation, uncorrelated = estimators.decorrelated(energies)
    mbar, value = estimators.estimate_mbar(energies, correlation, uncorrelated, decorrelate)
    bar = estimators.estimate_bar(energies, correlation, uncorrelated, decorrelate)
    return mbar, {"mbar": value, "bar": bar, "ti": estimate_ti(energies, decorrelate)}


def as_energies(u_nk):
    return Energies(u_nk, TEMPERATURE_K, [{"lambda": float(state)} for state in u_nk.columns])


@pytest.mark.parametrize("leg", BENZENE)
def test_benzene_has_the_published_values_and_errors(leg):
    energies = gromacs_energies.read_leg(alchemtest.gmx.load_benzene()["data"][leg], temperature_k=300.0)
    _, plain = estimate(energies, "never")
    for name, (value, error) in BENZENE[leg].items():
        assert plain[name].dg_kt == pytest.approx(value, rel=1e-3)
        assert plain[name].dg_error_kt == pytest.approx(error, rel=1e-3)


def test_by_default_the_value_is_of_all_samples_and_the_error_of_uncorrelated_ones():
    energies = gromacs_energies.read_leg(alchemtest.gmx.load_benzene()["data"]["Coulomb"])
    _, auto = estimate(energies)
    for name, (value, error) in BENZENE["Coulomb"].items():
        assert auto[name].dg_kt == pytest.approx(value, rel=1e-3)
        assert 1.01 * error < auto[name].dg_error_kt < 1.1 * error
    assert "uncorrelated" in auto["mbar"].error_method


def test_pymbar_oscillators():
    """½ ln(K_k/K_0) = 0, 0.346574, 0.693147, 1.039721, 1.386294 for any offsets."""
    case = HarmonicOscillatorsTestCase(O_k=[0, 1, 2, 3, 4], K_k=[1, 2, 4, 8, 16])
    _, u_kn, N_k, s_n = case.sample([2000] * 5, mode="u_kn", seed=7)
    time = np.concatenate([np.arange(count, dtype=float) for count in N_k])
    index = pd.MultiIndex.from_arrays([time, s_n], names=["time", "state"])
    energies = as_energies(pd.DataFrame(u_kn.T, index=index, columns=range(5)))
    mbar, values = estimate(energies, "never")
    exact = 0.5 * np.log([1, 2, 4, 8, 16])
    assert np.allclose(exact, case.analytical_free_energies() - case.analytical_free_energies()[0])
    error = mbar.d_delta_f_.iloc[0].to_numpy()
    assert (np.abs(mbar.delta_f_.iloc[0].to_numpy() - exact)[1:] < 4 * error[1:]).all()
    assert abs(values["bar"].dg_kt - exact[-1]) < 4 * values["bar"].dg_error_kt


@pytest.mark.parametrize(("ratio", "exact_kt"), [(10.0, 3.453878), (2.0, 1.039721)])
def test_oscillators_in_three_dimensions(ratio, exact_kt, tmp_path):
    leg = Oscillators(states=5, stiffening=ratio)
    assert leg.exact_kt == pytest.approx(exact_kt, abs=1e-6)
    energies = read_leg(sorted(leg.write(tmp_path, count=2000, seed=3).glob("*.parquet")))
    _, values = estimate(energies)
    assert abs(values["mbar"].dg_kt - exact_kt) < 4 * values["mbar"].dg_error_kt < 0.3
    assert abs(values["bar"].dg_kt - values["mbar"].dg_kt) < 3 * values["bar"].dg_error_kt
    assert values["ti"] is None


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_error_bars_are_honest_over_many_seeds(correlation):
    leg, scores = Oscillators(states=4, stiffening=12.0), []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        parts = []
        for state in range(4):
            u = leg.reduced(leg.draw(state, 300, rng, correlation))
            index = pd.MultiIndex.from_arrays([np.arange(300.0), np.full(300, state)], names=["time", "state"])
            parts.append(pd.DataFrame(u, index=index, columns=range(4)))
        energies = as_energies(pd.concat(parts))
        _, value = estimators.estimate_mbar(energies, *estimators.decorrelated(energies))
        scores.append((value.dg_kt - leg.exact_kt) / value.dg_error_kt)
    # 40 scores of unit variance: their mean within 0.16, their variance within 0.22, one standard deviation each
    assert abs(np.mean(scores)) < 0.5
    assert 0.5 < np.var(scores, ddof=1) < 1.6


def test_few_samples_take_all_of_them_and_a_larger_error(tmp_path):
    leg = Oscillators(states=5)
    energies = read_leg(sorted(leg.write(tmp_path, count=30, correlation=0.8).glob("*.parquet")))
    correlation, uncorrelated = estimators.decorrelated(energies)
    assert min(correlation.uncorrelated) < estimators.MIN_UNCORRELATED
    plain = estimators.estimate_mbar(energies, correlation, uncorrelated, "never")[1]
    auto = estimators.estimate_mbar(energies, correlation, uncorrelated, "auto")[1]
    assert auto.dg_kt == plain.dg_kt
    assert auto.dg_error_kt == pytest.approx(plain.dg_error_kt * correlation.inefficiency.max() ** 0.5)
    assert "statistical inefficiency" in auto.error_method


def test_inefficiency_of_a_known_correlation():
    """g = (1 + ρ²)/(1 − ρ²) for the energy, which is quadratic in a coordinate that correlates as ρ."""
    leg = Oscillators(states=2)
    u = leg.reduced(leg.draw(0, 40_000, np.random.default_rng(1), 0.7))
    index = pd.MultiIndex.from_arrays([np.arange(40_000.0), np.zeros(40_000, int)], names=["time", "state"])
    other = pd.DataFrame(u[:10], index=index[:10].set_levels([1], level="state"), columns=[0, 1])
    energies = as_energies(pd.concat([pd.DataFrame(u, index=index, columns=[0, 1]), other]))
    correlation, _ = estimators.decorrelated(energies)
    assert correlation.inefficiency[0] == pytest.approx((1 + 0.49) / (1 - 0.49), rel=0.1)


def test_end_points_carry_the_covariance(tmp_path):
    """The error of the ends is not that of the neighbours in quadrature."""
    energies = read_leg(sorted(Oscillators(states=6).write(tmp_path, count=400).glob("*.parquet")))
    mbar, values = estimate(energies, "never")
    quadrature = np.sqrt(np.sum(np.diag(mbar.d_delta_f_.to_numpy(), 1) ** 2))
    assert values["mbar"].dg_error_kt == mbar.d_delta_f_.iloc[0, -1]
    assert values["mbar"].dg_error_kt > 1.1 * quadrature


def test_states_that_share_nothing_are_refused(tmp_path):
    energies = read_leg(sorted(Oscillators(states=2, stiffening=1e9).write(tmp_path, count=50).glob("*.parquet")))
    with pytest.raises(UnconvergedError, match="windows 0 and 1 do not overlap at all"):
        estimators.refuse_disjoint(energies.u_nk)


def test_bar_of_neighbours_that_do_not_differ_has_an_error():
    """As where sterics have nothing to act on: states without a difference overlap in full, and add no error."""
    rng, k = np.random.default_rng(3), np.array([1.0, 2.0, 2.0, 2.0])
    x = np.concatenate([rng.standard_normal(115) / np.sqrt(one) for one in k])
    index = pd.MultiIndex.from_arrays([np.tile(np.arange(115.0), 4), np.repeat(np.arange(4), 115)])
    u_nk = pd.DataFrame(0.5 * x[:, None] ** 2 * k, index=index.set_names(["time", "state"]))
    u_nk.attrs = {"temperature": TEMPERATURE_K, "energy_unit": "kT"}
    found = estimate(as_energies(u_nk), "never")[1]["bar"]
    two = u_nk[index.get_level_values(1) < 2][[0, 1]]
    two.attrs = u_nk.attrs
    alone = estimate(as_energies(two), "never")[1]["bar"]
    assert found.dg_kt == pytest.approx(alone.dg_kt) and found.dg_error_kt == pytest.approx(alone.dg_error_kt)


def test_bar_without_overlap_is_no_number():
    """BAR's variance overflows there and gave an error that is not a number."""
    _, u_kn, n_k, s_n = HarmonicOscillatorsTestCase(O_k=[0, 30], K_k=[1, 1]).sample([20, 20], mode="u_kn", seed=1)
    time = np.concatenate([np.arange(count, dtype=float) for count in n_k])
    index = pd.MultiIndex.from_arrays([time, s_n], names=["time", "state"])
    energies = as_energies(pd.DataFrame(u_kn.T, index=index, columns=range(2)))
    correlation, uncorrelated = estimators.decorrelated(energies)
    with pytest.raises(UnconvergedError, match="BAR"):
        estimators.estimate_bar(energies, correlation, uncorrelated)


def test_a_solver_that_fails_is_followed_by_another(tmp_path, monkeypatch):
    energies = read_leg(sorted(Oscillators(states=4).write(tmp_path, count=50).glob("*.parquet")))
    tried = []

    class Failing(estimators.MBAR):
        def fit(self, u_nk):
            tried.append(self.method)
            if len(tried) < len(starts):
                raise estimators.ConvergenceError("no")
            return super().fit(u_nk)

    starts = ["robust", "robust", "adaptive"]
    monkeypatch.setattr(estimators, "MBAR", Failing)
    assert np.isfinite(estimators.dg_of_sampled_kt(estimators.fit_mbar(energies.u_nk))).all()
    assert tried == starts
    starts.append("never reached")
    tried.clear()
    with pytest.raises(UnconvergedError, match="MBAR did not converge"):
        estimators.fit_mbar(energies.u_nk)
