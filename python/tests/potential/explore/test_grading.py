"""Structures graded atom by atom."""

import numpy as np
import pytest
from ase.build import bulk
from labelled_sets import fitted_copper, rattled

from gibbsflow.config.potential_training import Exploration
from gibbsflow.errors import InputError
from gibbsflow.potential.explore.grading import grade_frames


def test_known_and_unknown_atoms_are_told_apart():
    potential = fitted_copper()[0] / "potential"
    hole = bulk("Cu", cubic=True) * (3, 3, 3)
    atom = int(np.linalg.norm(hole.positions - hole.cell.sum(axis=0) / 2, axis=1).argmin())
    hole.positions[atom] += 0.8  # towards a neighbour
    frames = [("a:0", rattled(1, 1)[0]), ("b:0", hole)]
    graded, told = grade_frames(frames, potential, Exploration())
    known, unknown = told["structures"]
    assert (known["unknown_atoms"], known["regions"], known["outside"]) == (0, [], False)
    assert unknown["outside"] and unknown["unknown_atoms"] == graded[1].arrays["unknown"].sum() > 0
    worst = unknown["regions"][0]["worst"]
    assert graded[1].get_distance(worst, atom, mic=True) < 4.0  # itself, or one that it has come near to
    assert graded[1].info["grade"] == graded[1].arrays["atom_grade"].max() == unknown["largest"]
    assert (told["frames_unknown"], told["frames_outside"]) == (1, 1)
    expected = graded[1].arrays["expected_error_ev_per_angstrom"]
    assert (expected >= 0).all() and expected[worst] == expected.max()


def test_thresholds_of_the_settings_win():
    potential = fitted_copper()[0] / "potential"
    _, told = grade_frames([("a:0", rattled(1, 1)[0])], potential, Exploration(lower_grade=0.01, upper_grade=1e9))
    assert (told["lower"], told["upper"]) == (0.01, 1e9)
    assert told["structures"][0]["unknown_atoms"] == 8
    assert not told["structures"][0]["outside"]


def test_a_committee_that_is_not_there_is_asked_for_in_vain():
    with pytest.raises(InputError, match="has no committee"):
        grade_frames([], fitted_copper()[0] / "potential", Exploration(uncertainty="committee"))
