"""Folds that keep relatives together."""

import numpy as np
from labelled_sets import bare_frame

from gibbsflow.potential.train.shared.splits import assign_folds


def test_frames_of_one_parent_stay_together():
    frames = [bare_frame("Si", parent=f"p{i // 4}", row=i, config_type="ab"[i % 2]) for i in range(40)]
    folds = assign_folds(frames, 5, seed=1)
    assert folds.count == 5
    assert folds.by.startswith("parent")
    for parent in range(10):
        assert len(set(folds.fold[4 * parent : 4 * parent + 4])) == 1


def test_a_parent_of_most_frames_is_in_every_fold():
    """A molecule with its modes and rattles, and pairs that are their own parents."""
    kinds = ["normal_mode"] * 20 + ["rattle"] * 10
    frames = [bare_frame("Si", parent="molecule", row=i, config_type=kind) for i, kind in enumerate(kinds)]
    frames += [bare_frame("Si", parent=f"pair{i}", row=30 + i, config_type="dimer") for i in range(10)]
    folds = assign_folds(frames, 5, seed=1)
    assert "of 1 parents that are few runs" in folds.by
    assert all((folds.fold[:20] == k).sum() == 4 and (folds.fold[20:30] == k).sum() == 2 for k in range(5))
    assert all((folds.fold[30:] == k).sum() == 2 for k in range(5))


def test_parents_that_are_few_are_in_every_fold():
    """Strains of silicon, germanium and an alloy: none is to be foretold from the others."""
    frames = [bare_frame("Si", parent=f"crystal{i // 10}", row=i, config_type="strain") for i in range(30)]
    folds = assign_folds(frames, 5, seed=1)
    assert all(set(folds.fold[10 * k : 10 * k + 10]) == set(range(5)) for k in range(3))
    many = [bare_frame("Si", parent=f"md{max(30, i) // 2}", row=i, config_type="md") for i in range(100)]
    assert "of 1 parents with more than a fold's share" in assign_folds(many, 5, seed=1).by


def test_without_parents_neighbours_stay_together_and_every_kind_is_spread():
    frames = [bare_frame("Si", config_type="md" if i < 20 else "surface", row=i) for i in range(30)]
    folds = assign_folds(frames, 5, seed=1)
    assert "no parents" in folds.by
    assert (np.diff(folds.fold[:20]) != 0).sum() == 4  # five runs
    assert set(folds.fold[:20]) == set(folds.fold[20:]) == set(range(5))
    assert (assign_folds(frames, 5, seed=1).fold == folds.fold).all()


def test_fewer_groups_than_folds():
    assert assign_folds([bare_frame("Si", row=i) for i in range(3)], 5, seed=1).count == 3
