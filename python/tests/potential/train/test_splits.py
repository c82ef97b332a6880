"""Folds that keep relatives together, and the zero of the energies."""

import numpy as np
import pytest
from ase import Atoms

from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train.atomic_energies import reference_energies
from gibbsflow.potential.train.splits import assign_folds


def _frame(symbols, energy=0.0, config_type="md", parent="", row=1):
    atoms = Atoms(symbols, positions=np.arange(3.0 * len(Atoms(symbols))).reshape(-1, 3))
    n = len(atoms)
    return LabelledFrame(
        atoms, energy, np.zeros((n, 3)), None, np.ones(n, bool), config_type, parent, f"id{row}", "", row
    )


def test_frames_of_one_parent_stay_together():
    frames = [_frame("Si", parent=f"p{i // 4}", row=i, config_type="ab"[i % 2]) for i in range(40)]
    folds = assign_folds(frames, 5, seed=1)
    assert folds.count == 5
    assert folds.by.startswith("parent")
    for parent in range(10):
        assert len(set(folds.fold[4 * parent : 4 * parent + 4])) == 1


def test_without_parents_neighbours_stay_together_and_every_kind_is_spread():
    frames = [_frame("Si", config_type="md" if i < 20 else "surface", row=i) for i in range(30)]
    folds = assign_folds(frames, 5, seed=1)
    assert "no parents" in folds.by
    assert (np.diff(folds.fold[:20]) != 0).sum() == 4  # five runs
    assert set(folds.fold[:20]) == set(folds.fold[20:]) == set(range(5))
    assert (assign_folds(frames, 5, seed=1).fold == folds.fold).all()


def test_fewer_groups_than_folds():
    assert assign_folds([_frame("Si", row=i) for i in range(3)], 5, seed=1).count == 3


def test_isolated_atoms_set_the_references():
    frames = [_frame("Cu", -1.5, "isolated_atom"), _frame("Au", -2.5, "IsolatedAtom"), _frame("CuAu", -11.0)]
    references = reference_energies(frames, ("Au", "Cu"))
    assert references.energy_ev == {"Au": -2.5, "Cu": -1.5}
    assert references.source == "isolated atoms"
    assert references.of(frames[2]) == -4.0


def test_references_are_fitted_otherwise():
    frames = [_frame(f"Cu{i}Au{j}", -3.0 * i - 4.0 * j) for i, j in ((1, 3), (2, 2), (3, 1))]
    references = reference_energies(frames, ("Au", "Cu"))
    assert references.energy_ev == pytest.approx({"Au": -4.0, "Cu": -3.0})
    assert references.source == "least squares"


def test_references_where_composition_never_varies():
    water = [_frame("OH2", -30.0 - 0.01 * i) for i in range(3)]
    references = reference_energies(water, ("H", "O"))
    assert references.of(water[1]) == pytest.approx(-30.01)
