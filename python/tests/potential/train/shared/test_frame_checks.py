"""Placeholders, references, twins and what a test set may not be."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write
from labelled_sets import bare_frame, label, rattled

from gibbsflow.potential.data.labelled_frames import read_labelled
from gibbsflow.potential.train.shared.frame_checks import check_pair, look_through, references
from gibbsflow.workflow.account import Account


def _frames(folder, frames):
    write(folder / "a.extxyz", frames)
    return read_labelled(folder / "a.extxyz")


def _doubts(frames, *, train=True):
    account = Account("a.xyz")
    look_through(frames, account, train=train)
    return [(doubt.weight, doubt.problem.field, doubt.problem.what) for doubt in account.doubts], account.facts


def test_right_labels_raise_no_doubt_and_give_their_ranges(tmp_path):
    frames = _frames(tmp_path, rattled(12, 0))
    doubts, facts = _doubts(frames)
    energies = [frame.energy_ev / 8 for frame in frames]
    assert doubts == []
    assert facts["ranges"]["energy_ev_per_atom"] == pytest.approx([min(energies), np.median(energies), max(energies)])
    assert facts["ranges"]["config_types"] == {"rattled": 12} and facts["ranges"]["atoms_per_frame"] == [8, 8]


@pytest.mark.parametrize(("count", "weight"), [(1, "warn"), (3, "refuse")])
def test_energies_and_stresses_of_exactly_zero(tmp_path, count, weight):
    frames = _frames(tmp_path, rattled(8, 0))
    spoilt = [replace(frame, energy_ev=0.0) for frame in frames[:count]] + frames[count:]
    assert [doubt[:2] for doubt in _doubts(spoilt)[0]] == [(weight, "energy")]
    spoilt = [replace(frame, stress_ev_per_angstrom3=np.zeros(6)) for frame in frames[:count]] + frames[count:]
    assert [doubt[:2] for doubt in _doubts(spoilt)[0]] == [(weight, "stress")]


def test_forces_of_zero_are_right_by_symmetry_alone(tmp_path):
    frames = _frames(tmp_path, [*rattled(6, 0), *[label(bulk("Cu", a=a)) for a in (3.5, 3.6, 3.7)]])
    assert _doubts(frames)[0] == []
    frames[2] = replace(frames[2], forces_ev_per_angstrom=np.zeros((8, 3)))
    ((weight, field, what),) = _doubts(frames)[0]
    assert (weight, field) == ("refuse", "forces") and "frame 3," in what


def test_too_little_to_fit_to(tmp_path):
    assert _doubts(_frames(tmp_path, rattled(2, 0)))[0][0][::2] == (
        "warn", "2 frames to fit to: validation and the grade say little",
    )  # fmt: skip
    perfect = _frames(tmp_path, [label(bulk("Cu", cubic=True))])
    assert "1 frame of one perfect structure" in _doubts(perfect)[0][0][2]
    assert _doubts(perfect, train=False)[0] == []
    assert _doubts(_frames(tmp_path, [label(Atoms("Cu"))]))[0][0][0] == "refuse"


def test_two_references_of_an_element_are_refused():
    account = Account("a.xyz")
    frames = [bare_frame("Cu", -1.0, row=1), bare_frame("Cu", -1.5, row=2), bare_frame("Au", -2.0, row=3)]
    references([("a.xyz", frames)], account)
    (problem,) = account.of_weight("refuse")
    assert problem.row == 2 and "of -1.5 eV, and of -1 eV in frame 1" in problem.what


def test_isolated_atoms_of_another_level_are_warned_of():
    account = Account("a.xyz")
    references([("a.xyz", [bare_frame("Cu", -1.0), bare_frame("Cu2", -80.0)])], account)
    assert "binding from isolated atoms is -39 eV/atom" in str(account.of_weight("warn")[0])


def test_a_few_frames_that_the_test_set_has_too_are_left_out_of_training(tmp_path):
    train = _frames(tmp_path, rattled(4, 0))
    test = _frames(tmp_path, [*rattled(4, 0)[:1], *rattled(9, 1)])
    account = Account("b.extxyz")
    assert [frame.row for frame in check_pair(train, test, account)] == [2, 3, 4]
    assert account.facts["in_training_too"] == 1 and not account.of_weight("refuse")


def test_test_set_must_fit_the_training_set(tmp_path):
    copper = _frames(tmp_path, rattled(2, 0, settings_hash="aaaa"))
    alloy = _frames(tmp_path, rattled(2, 1, ("Cu", "Au"), settings_hash="aaaa"))
    other = _frames(tmp_path, rattled(2, 2, settings_hash="bbbb"))
    shifted = rattled(2, 0, settings_hash="aaaa")
    for frame in shifted:
        frame.positions += 0.7
    for test, message in (
        (alloy, "holds Au (right: only Cu"),
        (copper, "is frame 1 of the training set"),
        (other, "settings_hash: 'bbbb', training 'aaaa'"),
        (_frames(tmp_path, shifted), "is frame 1 of the training set, shifted, turned or reordered"),
    ):
        account = Account("b.extxyz")
        check_pair(copper, test, account)
        assert message in str(account.of_weight("refuse")[0])
