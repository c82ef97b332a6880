"""Force errors against the grade."""

import numpy as np

from gibbsflow.potential.train.uncertainty.error_curve import error_curve
from gibbsflow.report.figures.learning.uncertainty_figures import grade_error_plot


def test_thresholds_and_rank_are_written_into_the_figure(tmp_path):
    rng = np.random.default_rng(1)
    grades = np.exp(rng.normal(0, 1, 400))
    errors = 0.1 * grades * np.exp(rng.normal(0, 0.2, 400))
    curve = error_curve([grades], [errors]).figures()
    made = grade_error_plot(np.array([grades, errors]), curve, 2.5, 12.0, tmp_path / "g")
    assert [path.name for path in made] == ["g.svg", "g.png"]
    first = made[0].read_bytes()
    assert first == grade_error_plot(np.array([grades, errors]), curve, 2.5, 12.0, tmp_path / "g")[0].read_bytes()


def test_too_few_atoms_for_bins_are_drawn_as_dots(tmp_path):
    assert len(grade_error_plot(np.array([[1.0], [0.1]]), None, 2.0, 10.0, tmp_path / "g")) == 2
    assert len(grade_error_plot(np.zeros((2, 0)), None, 2.0, 10.0, tmp_path / "g")) == 2
