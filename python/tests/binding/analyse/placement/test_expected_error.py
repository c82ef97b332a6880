"""The error that is expected of windows at given distances, against MBAR's of Gaussians that were sampled."""

import numpy as np
import pandas as pd
import pytest

from gibbsflow.binding.analyse.estimators import fit_mbar
from gibbsflow.binding.analyse.placement.expected_error import error_ratio, unit_error

UNEVEN = np.array([2.0, 0.3, 0.3, 0.3])


@pytest.mark.parametrize("distance", [np.full(4, 1.25), UNEVEN, np.array([2.9])])
def test_it_is_mbars_error_of_gaussians_that_were_sampled(distance) -> None:
    places, samples, errors = np.cumsum([0.0, *distance]), 200, []
    random = np.random.default_rng(7)
    for _ in range(40):
        x = (places[:, None] + random.standard_normal((len(places), samples))).ravel()
        index = pd.MultiIndex.from_product([range(len(places)), range(samples)], names=["state", "time"])
        u_nk = pd.DataFrame(0.5 * (x[:, None] - places) ** 2, index=index.swaplevel(), columns=range(len(places)))
        u_nk.attrs = {"temperature": 298.15, "energy_unit": "kT"}
        errors.append(float(fit_mbar(u_nk).delta_f_.iloc[0, -1]))  # their free energies are equal
    expected = unit_error(distance) / np.sqrt(samples * len(places))
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(expected, rel=0.3)


def test_many_even_windows_leave_the_length_and_idle_ones_add_to_it() -> None:
    assert unit_error(np.full(100, 0.05)) == pytest.approx(5.0, rel=0.02)
    assert unit_error(np.full(4, 1.25)) == pytest.approx(5.2, rel=0.01)
    idle = np.array([1.0] * 4 + [0.0] * 10)
    assert error_ratio(np.full(4, 1.0), idle) < 0.8
    assert error_ratio(np.full(4, UNEVEN.sum() / 4), UNEVEN) < 0.9


@pytest.mark.parametrize("distance", [np.zeros(3), np.full(98, 1.25), np.full(5, 30.0), np.array([12.0, 0.0])])
def test_it_is_a_number_for_whatever_was_measured(distance) -> None:
    assert np.isfinite(unit_error(distance)) and error_ratio(distance, distance) == pytest.approx(1.0)
