from __future__ import annotations

import numpy as np
import pytest
from labelled_sets import fitted_copper, rattled

from gibbsflow import PotentialCalculator
from gibbsflow.potential.explore.true_errors import largest_force_error


def test_the_worst_structure_counts_by_its_mean_error() -> None:
    folder = fitted_copper()[0] / "potential"
    frames = rattled(3, 5)
    frames[1].calc.results["forces"][0, 0] += 2.4
    calculator = PotentialCalculator(folder)
    forces = calculator.get_forces(frames[1].copy())
    calculator.close()
    wanted = np.abs(forces - frames[1].calc.results["forces"]).mean()
    assert largest_force_error(folder, frames) == pytest.approx(wanted) and wanted > 2.4 / 24 / 2
