"""Curves of true errors, and thresholds from them."""

import json

import numpy as np
import pytest

from gibbsflow.errors import StateError
from gibbsflow.potential.train.uncertainty.error_curve import (
    CURVE,
    ErrorCurve,
    Thresholds,
    error_curve,
    thresholds,
)

USUAL = Thresholds(2.0, 10.0, "as usual")


def _curve(law, frames=40, atoms=25, noise=0.3, seed=1, spread=1.5):
    """Grades over decades, and errors that follow a law with noise that multiplies."""
    rng = np.random.default_rng(seed)
    grades = [np.exp(rng.normal(0, spread, atoms)) for _ in range(frames)]
    errors = [law(own) * np.exp(rng.normal(0, noise, atoms)) for own in grades]
    return error_curve(grades, errors)


def test_an_error_that_rises_with_the_grade():
    curve = _curve(lambda g: 0.05 * g)
    assert (curve.atoms, curve.frames, sum(curve.counts)) == (1000, 40, 1000)
    assert curve.rank_correlation_atoms > 0.95
    assert curve.rank_correlation_frames > 0.8
    assert curve.rising == 1.0
    # the mean of exp(0.3 x) is exp(0.045)
    assert curve.expected([1.0, 4.0]) == pytest.approx(0.05 * np.exp(0.045) * np.array([1.0, 4.0]), rel=0.15)
    assert curve.reaches(0.2) == pytest.approx(0.2 / 0.0523, rel=0.15)
    assert curve.reaches(1e3) is None


def test_an_error_that_has_nothing_to_do_with_the_grade():
    curve = _curve(lambda g: 0.1 + 0 * g)
    assert abs(curve.rank_correlation_atoms) < 0.1
    assert np.ptp(curve.expected_errors) < 0.05
    assert np.all(np.diff(curve.expected_errors) >= 0)


def test_the_rare_large_grades_have_bins_of_their_own():
    curve = _curve(lambda g: 0.05 * g)
    assert curve.counts[-1] < 25 < curve.counts[0]
    assert curve.high[-1] == max(curve.high)


def test_thresholds_lie_where_the_error_reaches_its_target():
    curve = _curve(lambda g: 0.05 * g)
    found = thresholds(curve, 0.15, USUAL)
    assert found.lower == pytest.approx(2.87, rel=0.15)
    assert found.upper == pytest.approx(4 * found.lower, rel=0.2)
    assert "reaches 0.15 eV/Å at grade" in found.how


def test_without_a_target_or_a_curve_the_usual_thresholds_stand():
    assert thresholds(_curve(lambda g: g), None, USUAL) is USUAL
    assert thresholds(None, 0.1, USUAL) is USUAL


def test_a_potential_that_is_wrong_everywhere():
    found = thresholds(_curve(lambda g: 3.0 + g), 0.1, USUAL)
    assert found.lower == 1.0  # inside of the training set nothing is new
    assert found.upper == 5.0
    assert "inside of the training set already" in found.how


def test_a_potential_that_is_right_everywhere():
    curve = _curve(lambda g: 1e-4 * g)
    found = thresholds(curve, 0.1, USUAL)
    assert found.lower == pytest.approx(curve.values[-1])
    assert found.upper == pytest.approx(5 * found.lower)
    assert "stay below 0.1 eV/Å" in found.how


def test_forces_that_do_not_count_are_left_out():
    grades = [np.linspace(0.5, 2, 30)]
    errors = [np.where(np.arange(30) < 15, np.linspace(0.1, 0.4, 30), np.nan)]
    assert error_curve(grades, errors).atoms == 15
    assert error_curve(grades, [np.full(30, np.nan)]) is None


def test_what_is_beyond_the_last_bin():
    curve = _curve(lambda g: 0.05 * g)
    assert curve.expected([1e6])[0] == curve.expected_errors[-1]
    assert curve.expected([np.inf])[0] == np.inf


def test_a_curve_comes_back_from_its_file(tmp_path):
    curve = _curve(lambda g: 0.05 * g)
    curve.write(tmp_path)
    assert ErrorCurve.read(tmp_path) == curve
    assert json.loads(json.dumps(curve.figures()))["bins"][0]["atoms"] == curve.counts[0]
    (tmp_path / CURVE).write_text('{"values": []}')
    with pytest.raises(StateError, match="not a curve of errors"):
        ErrorCurve.read(tmp_path)
    (tmp_path / CURVE).unlink()
    assert ErrorCurve.read(tmp_path) is None
