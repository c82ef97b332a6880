from __future__ import annotations

import numpy as np
import pytest
from labelled_sets import fitted_copper, rattled

from gibbsflow import PotentialCalculator
from gibbsflow.potential.explore.true_errors import force_errors


def test_the_worst_structure_counts_by_its_mean_and_by_its_worst_atom() -> None:
    folder = fitted_copper()[0] / "potential"
    frames = rattled(3, 5)
    off = np.array([2.4, -0.6, 0.8])
    frames[1].calc.results["forces"][0] += off
    calculator = PotentialCalculator(folder)
    errors = calculator.get_forces(frames[1].copy()) - frames[1].calc.results["forces"]
    calculator.close()
    found = force_errors(folder, frames)
    assert found.structure_mae == pytest.approx(np.abs(errors).mean()) and found.structure_mae > 3.8 / 24 / 2
    # of eight atoms one is off by far more than the mean tells
    assert found.atom == pytest.approx(np.linalg.norm(off), rel=0.05) and found.atom > 10 * found.structure_mae
