from __future__ import annotations

import numpy as np
import pytest

from gibbsflow.potential.validate.ensembles.block_averages import block_average


def test_errors_of_series_that_hang_together() -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(40):
        values, last = [], 0.0
        for step in rng.normal(size=2000):
            last = 0.9 * last + step
            values.append(last)
        found.append(block_average(np.array(values)))
    means, errors = np.array(found).T
    # of this series sqrt(19/N σ²), σ² = 1/(1 - 0.81): independent values would give less by a factor of 4.4
    assert errors.mean() == pytest.approx((19 / 2000 / 0.19) ** 0.5, rel=0.25)
    assert (np.abs(means) < 3 * errors).mean() > 0.8


def test_too_few_values_have_none() -> None:
    with pytest.raises(ValueError, match="7 values"):
        block_average(np.zeros(7))
