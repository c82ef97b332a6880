"""Errors of a hold-out, atom by atom, and what becomes of the grade's thresholds."""

from dataclasses import replace

import numpy as np
import pytest
from labelled_sets import bare_frame, fitted_copper

from gibbsflow.config.potential_training import Training
from gibbsflow.potential.data.frame_weights import FrameWeights
from gibbsflow.potential.train.shared.grade import ACTIVE_SET, Grader
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.potential.train.trainers.pod_uncertainty import force_errors, judge
from gibbsflow.potential.train.uncertainty.error_curve import ErrorCurve


def _frame(errors, mask=None, weight=1.0):
    """A frame of labels zero, and a prediction that is wrong by so much on each atom."""
    frame = bare_frame("Cu" * len(errors))
    mask = np.ones(len(errors), bool) if mask is None else np.array(mask)
    frame = replace(frame, force_mask=mask, weights=FrameWeights(force=weight))
    forces = np.zeros((len(errors), 3))
    forces[:, 1] = errors
    return frame, Prediction(0.0, forces, None)


def test_masked_atoms_have_no_error():
    assert force_errors(*_frame([0.1, 0.2])) == pytest.approx([0.1, 0.2])
    assert np.isnan(force_errors(*_frame([0.1, 0.2], mask=[True, False]))).tolist() == [False, True]
    assert np.isnan(force_errors(*_frame([0.1, 0.2], weight=0.0))).all()


def test_thresholds_follow_the_target_and_are_recorded(tmp_path):
    grader = Grader.read(fitted_copper()[0] / "potential" / ACTIVE_SET)
    grades = np.geomspace(0.3, 60, 200)
    frame, predicted = _frame(0.05 * grades)
    judged = judge(grader, [frame], [predicted], [grades], Training(target_atom_error_ev_per_angstrom=0.3), tmp_path)
    written = Grader.read(tmp_path / ACTIVE_SET)
    assert written.lower == judged.grader.lower == pytest.approx(6.0, rel=0.15)
    assert written.upper == pytest.approx(24.0, rel=0.15)
    assert written.calibration["usual_lower"] == grader.lower
    assert "reaches 0.3 eV/Å at grade" in judged.figures["thresholds_from"]
    assert judged.figures["curve"]["rank_correlation_atoms"] == pytest.approx(1.0)
    assert ErrorCurve.read(tmp_path).expected([10.0])[0] == pytest.approx(0.5, rel=0.1)
    assert judged.atom_errors.shape == (2, 200)


def test_without_a_target_the_thresholds_stay(tmp_path):
    grader = Grader.read(fitted_copper()[0] / "potential" / ACTIVE_SET)
    frame, predicted = _frame(np.ones(20))
    judged = judge(grader, [frame], [predicted], [np.linspace(0.5, 5, 20)], Training(), tmp_path)
    assert (judged.grader.lower, judged.grader.upper) == (grader.lower, grader.upper)
    assert "frames left out of training" in judged.figures["thresholds_from"]


def test_an_element_of_few_atoms_is_above_the_threshold_that_was_found(tmp_path):
    grader = Grader.read(fitted_copper()[0] / "potential" / ACTIVE_SET)
    grades = np.geomspace(0.3, 60, 200)
    frame, predicted = _frame(0.05 * grades)
    settings = Training(target_atom_error_ev_per_angstrom=0.3)
    judged = judge(grader, [frame], [predicted], [grades], settings, tmp_path, {"Cu": 4})
    written = Grader.read(tmp_path / ACTIVE_SET)
    assert judged.figures["unknown_elements"] == {"Cu": 4} and written.unknown_elements == ("Cu",)
    known = np.array([written.sets["Cu"].mean])
    assert grader.grades(["Cu"], known)[0] < grader.lower < written.lower < written.grades(["Cu"], known)[0]


def test_a_hold_out_that_tells_nothing_leaves_no_curve_of_an_earlier_fit(tmp_path):
    grader = Grader.read(fitted_copper()[0] / "potential" / ACTIVE_SET)
    for errors in (np.ones(20), np.ones(3)):
        frame, predicted = _frame(errors)
        judge(grader, [frame], [predicted], [np.linspace(0.5, 5, len(errors))], Training(), tmp_path)
    assert ErrorCurve.read(tmp_path) is None


def test_a_hold_out_worse_than_is_wanted_lowers_the_threshold_and_no_other_moves_it(tmp_path):
    grader = replace(Grader.read(fitted_copper()[0] / "potential" / ACTIVE_SET), lower=9.0, upper=45.0)
    grades = np.geomspace(0.3, 60, 200)
    frame, predicted = _frame(0.05 * grades)
    judged = judge(grader, [frame], [predicted], [grades], Training().wanting(0.1), tmp_path)
    assert judged.grader.lower == pytest.approx(4.0, rel=0.15) and judged.grader.upper == 45.0
    assert "reaches 0.2 eV/Å" in judged.figures["thresholds_from"]
    assert Grader.read(tmp_path / ACTIVE_SET).calibration["usual_lower"] == 9.0
    for wanted in (None, 0.4, 10.0):
        judged = judge(grader, [frame], [predicted], [grades], Training().wanting(wanted), tmp_path)
        assert (judged.grader.lower, judged.grader.upper) == (9.0, 45.0)
        assert "wanted_force_mae" not in judged.grader.calibration
    bad, wrong = _frame(np.ones(200))
    assert judge(grader, [bad], [wrong], [grades], Training().wanting(0.1), tmp_path).grader.lower == 1.0


def test_what_the_section_names_goes_before_what_convergence_wants():
    assert Training(wanted_force_mae_ev_per_angstrom=0.3).wanting(0.1).wanted_force_mae_ev_per_angstrom == 0.3
    assert "wanted_force_mae_ev_per_angstrom" not in Training().wanting(None).model_dump()
