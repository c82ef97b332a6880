"""Unit and sign of stresses where volumes do not change, and of a test set."""

from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write
from labelled_sets import label, rattled

from gibbsflow.potential.data.labelled_frames import read_labelled
from gibbsflow.potential.train.checks.consistency import hold_against, look_at
from gibbsflow.potential.train.checks.stresses import hold_stresses, judge_stresses
from gibbsflow.workflow.account import Account


def _at_one_volume(count=14):
    """As in MD at constant volume: stresses differ, and the volume does not."""
    frames = []
    for seed in range(count):
        atoms = bulk("Cu", cubic=True) * (2, 1, 1)
        atoms.rattle(0.08, seed=seed)
        frames.append(label(atoms))
    return frames


def _read(folder, frames):
    write(folder / "a.extxyz", frames)
    return read_labelled(folder / "a.extxyz")


def _times(frames, factor):
    return [replace(frame, stress_ev_per_angstrom3=factor * frame.stress_ev_per_angstrom3) for frame in frames]


@pytest.mark.parametrize(
    ("factor", "said"), [(1.0, []), (160.2, [("refuse", "stress")]), (-1.0, [("refuse", "stress")])]
)
def test_stresses_at_one_volume_are_judged_by_how_they_differ(tmp_path, factor, said):
    account = Account("a.xyz")
    look_at(_times(_read(tmp_path, _at_one_volume()), factor), account)
    assert [(doubt.weight, doubt.problem.field) for doubt in account.doubts] == said


@pytest.mark.parametrize(
    ("stress", "force", "field"),
    [(1.0, 1.0, None), (160.2, 1.0, "stress"), (-1.0, 1.0, "stress"), (1.0, -1.0, "forces")],
)
def test_stresses_and_forces_of_a_test_set(tmp_path, stress, force, field):
    account = Account("a.xyz")
    frames = _read(tmp_path, rattled(24, 1))
    seen = look_at(frames[:18], account)
    assert not account.doubts and seen.stresses is not None
    test = [
        replace(frame, forces_ev_per_angstrom=force * frame.forces_ev_per_angstrom)
        for frame in _times(frames[18:], stress)
    ]
    hold_against(seen, test, account)
    assert [(doubt.weight, doubt.problem.field) for doubt in account.doubts] == ([("refuse", field)] if field else [])


def test_without_stresses_there_is_nothing_to_judge(tmp_path):
    frames = _read(tmp_path, rattled(6, 1, stress=False))
    account, shares = Account("a.xyz"), np.ones((6, 1))
    assert judge_stresses(frames, [], (29,), shares, np.ones(6, bool), account, sure=False) is None
    strained = _read(tmp_path, rattled(12, 1))
    seen = look_at(strained, account)
    hold_stresses(seen.stresses, frames, [seen.model.rows(frame.atoms) for frame in frames], account)
    assert not account.doubts
