"""MaxVol and the grade it gives."""

import numpy as np
import pytest

from gibbsflow.errors import StateError
from gibbsflow.potential.train.shared import grade

RNG = np.random.default_rng(7)
BASIS = {"species": ["A", "B"], "size": 4}


@pytest.mark.parametrize("shape", [(40, 5), (300, 40), (6, 6)])
def test_no_row_is_outside_of_the_chosen_ones(shape):
    rows = RNG.normal(size=shape) * np.geomspace(1, 1e-4, shape[1])
    chosen = grade.maxvol(rows, tolerance=1.02)
    assert len(set(chosen.tolist())) == shape[1]
    assert np.abs(rows @ np.linalg.inv(rows[chosen])).max() <= 1.02 + 1e-9


def test_maxvol_finds_the_largest_volume_of_a_small_matrix():
    from itertools import combinations

    rows = RNG.normal(size=(9, 3))
    best = max(abs(np.linalg.det(rows[list(c)])) for c in combinations(range(9), 3))
    found = abs(np.linalg.det(rows[grade.maxvol(rows, tolerance=1.0 + 1e-9)]))
    assert found >= best / 3**1.5  # the bound of dominant submatrices is far looser
    assert found == pytest.approx(best, rel=0.2)


def test_too_few_or_dependent_rows_are_refused():
    with pytest.raises(ValueError, match="cannot span"):
        grade.maxvol(np.ones((2, 3)))
    with pytest.raises(ValueError, match="not independent"):
        grade.maxvol(np.ones((5, 2)))


def test_grade_is_one_inside_and_grows_outside():
    training = RNG.uniform(-1, 1, (400, 6))
    own = grade.active_set(training)
    assert own.grades(training).max() <= 1.05 + 1e-9
    outside = own.grades(np.array([[2.0] * 6, [4.0] * 6, [8.0] * 6]))
    assert 1.5 < outside[0] < outside[1] < outside[2]


def test_directions_that_training_does_not_span_are_left_out():
    training = np.repeat(RNG.normal(size=(50, 2)), 3, axis=1)
    own = grade.active_set(training)
    assert own.axes.shape == (6, 2)
    assert own.grades(training).max() <= 1.05 + 1e-9


def test_one_atom_makes_an_active_set_of_one():
    own = grade.active_set(np.ones((1, 4)))
    assert own.grades(np.ones((1, 4))) == pytest.approx([1.0])


def _frames(count, width):
    symbols = [["A", "A", "B"] for _ in range(count)]
    return symbols, [RNG.normal(0, width, (3, 4)) for _ in range(count)]


def test_thresholds_come_from_frames_left_out(tmp_path):
    symbols, descriptors = _frames(60, 1.0)
    grader = grade.calibrate(symbols, descriptors, np.arange(60) % 5, BASIS)
    assert grader.calibration["held_out_frames"] == 60
    assert grader.lower == max(2.0, grader.calibration["held_out_median"])
    assert grader.upper == max(5 * grader.lower, grader.calibration["held_out_q95"])
    new_symbols, new = _frames(200, 1.0)
    over = np.mean([grader.grades(s, d).max() >= grader.lower for s, d in zip(new_symbols, new, strict=True)])
    assert over < 0.3
    assert grader.grades(["A"], np.full((1, 4), 100.0))[0] > grader.upper
    grader.write(tmp_path / "a.npz")
    read = grade.Grader.read(tmp_path / "a.npz")
    assert (read.lower, read.upper, read.basis, dict(read.calibration)) == (
        grader.lower, grader.upper, BASIS, dict(grader.calibration),
    )  # fmt: skip
    assert read.grades(symbols[0], descriptors[0]) == pytest.approx(grader.grades(symbols[0], descriptors[0]))


def test_frames_that_dynamics_does_not_meet_set_no_thresholds_and_are_known():
    symbols, descriptors = _frames(40, 1.0)
    pairs = [row * np.geomspace(10, 1e4, 30)[k] for k, row in enumerate(RNG.normal(0, 1, (30, 2, 4)))]
    everything, fold = [*descriptors, *pairs], np.arange(70) % 5
    named = [*symbols, *[["A", "B"]] * 30]
    counted = np.arange(70) < 40
    grader = grade.calibrate(named, everything, fold, BASIS, counted)
    assert grader.calibration["held_out_frames"] == 40
    usual = grade.calibrate(named, everything, fold, BASIS).calibration
    assert 2 * grader.calibration["held_out_q95"] < usual["held_out_q95"]
    assert max(grader.grades(["A", "B"], row).max() for row in pairs) < 1.1


def test_what_is_not_finite_or_unknown_grades_as_infinite():
    symbols, descriptors = _frames(20, 1.0)
    grader = grade.calibrate(symbols, descriptors, np.arange(20) % 5, BASIS)
    assert np.isinf(grader.grades(["A", "C"], np.array([[np.nan] * 4, [0.0] * 4]))).all()


def test_elements_of_few_atoms_are_unknown_wherever_they_are(tmp_path):
    symbols, descriptors = _frames(20, 1.0)
    grader = grade.calibrate(symbols, descriptors, np.arange(20) % 5, BASIS)
    honest = grader.without({"B": 3})
    honest.write(tmp_path / "a.npz")
    read = grade.Grader.read(tmp_path / "a.npz")
    assert read.unknown_elements == ("B",) and grader.unknown_elements == ()
    for own in (honest, read):
        for named, found in zip(symbols, descriptors, strict=True):
            before, now = grader.grades(named, found), own.grades(named, found)
            assert now[:2] == pytest.approx(before[:2])
            assert now[2] == pytest.approx(max(before[2], grader.lower), rel=1e-5) and now[2] > own.lower
    assert read.grades(["B"], np.full((1, 4), 100.0)) == pytest.approx(grader.grades(["B"], np.full((1, 4), 100.0)))
    assert np.allclose(read.without(()).grades(symbols[0], descriptors[0]), grader.grades(symbols[0], descriptors[0]))
    for lower in (0.5 * grader.lower, 3 * grader.lower):  # as settings may have it
        other = read.with_lower(lower)
        assert other.grades(["B"], descriptors[0][2:3])[0] > other.lower == lower
        assert other.grades(["A"], descriptors[0][:1]) == pytest.approx(grader.grades(["A"], descriptors[0][:1]))


def test_an_active_set_of_before_has_no_floor(tmp_path):
    symbols, descriptors = _frames(20, 1.0)
    grade.calibrate(symbols, descriptors, np.arange(20) % 5, BASIS).write(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as content:
        np.savez(tmp_path / "b.npz", **{key: content[key] for key in content.files if not key.endswith("_floor")})
    assert grade.Grader.read(tmp_path / "b.npz").unknown_elements == ()


def test_an_unreadable_active_set_is_an_error(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 not whole")
    with pytest.raises(StateError, match="not an active set"):
        grade.Grader.read(tmp_path / "a.npz")


def test_equal_atoms_span_as_much_as_they_differ():
    rows = np.repeat(np.random.default_rng(0).normal(size=(3, 8)), 8, axis=0)
    known = grade.active_set(rows)
    assert known.grades(rows).max() == pytest.approx(1.0)
    assert grade.active_set(rows[:8]).grades(rows[:8]) == pytest.approx(np.ones(8))
