"""Agreement with experiment, against scipy's values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr, spearmanr

from gibbsflow.binding.network.agreement import agreement

RNG = np.random.default_rng(4)
MEASURED = RNG.normal(-9, 1.2, 20)
COMPUTED = MEASURED + RNG.normal(3, 0.7, 20)


def test_values_of_ligands() -> None:
    found = agreement(COMPUTED, MEASURED, centred=True)
    off = COMPUTED - MEASURED
    off -= off.mean()
    assert found["count"] == 20
    assert found["rmse_kcal_per_mol"]["value"] == pytest.approx(np.sqrt(np.mean(off**2)))
    assert found["mue_kcal_per_mol"]["value"] == pytest.approx(np.mean(abs(off)))
    assert found["kendall_tau"]["value"] == pytest.approx(kendalltau(COMPUTED, MEASURED).statistic)
    assert found["spearman_rho"]["value"] == pytest.approx(spearmanr(COMPUTED, MEASURED).statistic)
    assert found["r_squared"]["value"] == pytest.approx(pearsonr(COMPUTED, MEASURED).statistic ** 2)
    for name in set(found) - {"count"}:
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]
    assert found == agreement(COMPUTED, MEASURED, centred=True)
    shifted = agreement(COMPUTED + 5, MEASURED, centred=True)
    assert shifted["rmse_kcal_per_mol"]["value"] == pytest.approx(found["rmse_kcal_per_mol"]["value"])


def test_ties() -> None:
    x, y = np.array([1.0, 1, 2, 3, 3, 4]), np.array([1.0, 2, 2, 2, 5, 4])
    assert agreement(x, y)["kendall_tau"]["value"] == pytest.approx(kendalltau(x, y).statistic)
    assert agreement(x, y)["spearman_rho"]["value"] == pytest.approx(spearmanr(x, y).statistic)


def test_edges_may_run_either_way() -> None:
    x, y = RNG.normal(size=15), RNG.normal(size=15)
    sign = np.where(np.arange(15) % 2, 1, -1)
    one, other = agreement(x, y, both_ways=True), agreement(sign * x, sign * y, both_ways=True)
    for name in set(one) - {"count"}:
        assert other[name]["value"] == pytest.approx(one[name]["value"])
        assert other[name]["low"] == pytest.approx(one[name]["low"])


def test_intervals_cover() -> None:
    """The RMSE of errors drawn with a width of 1 lies within the interval about as often as is said."""
    rng = np.random.default_rng(0)
    zero, inside = np.zeros(40), 0
    for number in range(25):
        said = agreement(rng.normal(size=40), zero, seed=number)["rmse_kcal_per_mol"]
        inside += said["low"] < 1 < said["high"]
    assert inside >= 20


def test_what_is_not_defined() -> None:
    assert agreement(np.array([]), np.array([]))["rmse_kcal_per_mol"] is None
    two = agreement(np.array([1.0, 2.0]), np.array([1.0, 2.5]))
    assert two["kendall_tau"] is None and two["rmse_kcal_per_mol"]["value"] == pytest.approx(np.sqrt(0.125))
    flat = agreement(np.array([1.0, 1, 1]), np.array([1.0, 2, 3]))
    assert flat["kendall_tau"] is None and flat["r_squared"] is None
