"""Placeholders, references, twins and what a test set may not be."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc100
from ase.io import write
from labelled_sets import bare_frame, label, rattled

from gibbsflow.potential.data.labelled_frames import read_labelled
from gibbsflow.potential.train.checks.frame_checks import check_pair, look_through, references
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
    frames = _frames(tmp_path, [*rattled(6, 0), *[label(bulk("Cu", a=a)) for a in (3.4, 3.5, 3.6, 3.7, 3.8)]])
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


def test_an_element_of_few_atoms_is_warned_of(tmp_path):
    """Of one atom the active set is one row, and every atom of its element has the grade 1."""
    frames = rattled(12, 0)
    frames[3].symbols[0] = "Au"
    doubts, _ = _doubts(_frames(tmp_path, frames))
    ((weight, _, what),) = doubts
    assert weight == "warn" and what.startswith("few atoms of Au (1) in 12 frames")


def test_energies_alone_are_warned_of_and_are_no_perfect_structures(tmp_path):
    atoms = bulk("Cu", cubic=True)
    frames = []
    for seed in range(8):
        moved = atoms.copy()
        moved.rattle(0.1, seed=seed)
        frames.append(label(moved, stress=False, forces_weight=0))
        del frames[-1].calc.results["forces"]
    ((weight, field, what),) = _doubts(_frames(tmp_path, frames))[0]
    assert (weight, field, what) == ("warn", "forces", "8 frames to fit to by their energies alone: one number each")
    assert _doubts(_frames(tmp_path, [*frames, *rattled(6, 0)]))[0] == []


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
    kept, tested = check_pair(train, test, account)
    assert [frame.row for frame in kept] == [2, 3, 4] and len(tested) == 10
    assert account.facts["in_training_too"] == 1 and not account.of_weight("refuse")


def test_test_set_must_fit_the_training_set(tmp_path):
    copper = _frames(tmp_path, rattled(2, 0, settings_hash="aaaa"))
    alloy = _frames(tmp_path, rattled(2, 1, ("Cu", "Au"), settings_hash="aaaa"))
    other = _frames(tmp_path, rattled(2, 2, settings_hash="bbbb"))
    shifted = rattled(2, 0, settings_hash="aaaa")
    for frame in shifted:
        frame.positions += 0.7
    for test, message in (
        (alloy, "holds Au (2 frames (1, 2)) (right: only Cu"),
        (copper, "is frame 1 of the training set"),
        (other, "settings_hash: 'bbbb', training 'aaaa'"),
        (_frames(tmp_path, shifted), "is frame 1 of the training set, shifted, turned or reordered"),
    ):
        account = Account("b.extxyz")
        check_pair(copper, test, account)
        assert message in str(account.of_weight("refuse")[0])


def test_a_few_copies_of_training_frames_are_left_out_of_the_test_errors(tmp_path):
    train = _frames(tmp_path, rattled(4, 0))
    copies = rattled(4, 0)[:2]
    for frame in copies:
        frame.positions += 0.7
    test = _frames(tmp_path, [*copies, *rattled(8, 1)])
    account = Account("b.extxyz")
    kept, tested = check_pair(train, test, account)
    assert len(kept) == 4 and [frame.row for frame in tested] == [*range(3, 11)]
    (note,) = account.of_weight("note")
    assert note.what.startswith("2 frames (1, 2) show frames of training, shifted")


def test_supercells_of_training_frames_are_no_test(tmp_path):
    train = _frames(tmp_path, rattled(4, 0))
    repeated = [label(frame * (2, 1, 1)) for frame in rattled(4, 0)[:2]]
    account = Account("b.extxyz")
    _, tested = check_pair(train, _frames(tmp_path, [*repeated, *rattled(8, 1)]), account)
    assert [frame.row for frame in tested] == [*range(3, 11)]
    check_pair(train, _frames(tmp_path, [*repeated, *rattled(2, 1)]), account)
    assert "is frame 2 of the training set, as a cell of another size" in [p.what for p in account.of_weight("refuse")]


def _with_forces(frames, change):
    spoilt = []
    for frame in frames:
        forces = frame.forces_ev_per_angstrom.copy()
        change(forces)
        spoilt.append(replace(frame, forces_ev_per_angstrom=forces))
    return spoilt


def test_columns_and_atoms_without_force_are_refused(tmp_path):
    frames = _frames(tmp_path, rattled(8, 0))

    def _column(forces):
        forces[:, 2] = 0

    def _atom(forces):
        forces[3] = 0

    ((weight, field, what),) = _doubts(_with_forces(frames, _column))[0]
    assert (weight, field) == ("refuse", "forces") and "along z" in what and "8 frames" in what
    ((weight, field, what),) = _doubts(_with_forces(frames, _atom))[0]
    assert (weight, field) == ("refuse", "forces") and "on 8 atoms of 8 frames" in what
    masked = [replace(frame, force_mask=np.arange(8) != 3) for frame in _with_forces(frames, _atom)]
    assert _doubts(masked)[0] == []


def test_a_flat_structure_has_no_force_across_it(tmp_path):
    frames = []
    for seed in range(6):
        atoms = Atoms("Cu5", positions=np.random.default_rng(seed).normal(0, 0.1, (5, 3)) + np.eye(5, 3) * 2.3)
        atoms.positions[:, 2] = 0
        atoms.positions[3:] += [[2.3, 2.3, 0], [-2.3, 0, 0]]
        atoms.positions[2] += [4.6, 0, 0]
        frames.append(label(atoms))
    assert all(np.abs(frame.get_forces()[:, 2]).max() < 1e-12 for frame in frames)
    assert _doubts(_frames(tmp_path, frames))[0] == []


def test_shear_stresses_of_zero_are_refused(tmp_path):
    frames = _frames(tmp_path, rattled(8, 0))
    pressures = [replace(f, stress_ev_per_angstrom3=f.stress_ev_per_angstrom3 * [1, 1, 1, 0, 0, 0]) for f in frames]
    ((weight, field, what),) = _doubts(pressures)[0]
    assert (weight, field) == ("refuse", "stress") and "shear" in what


def test_shear_stresses_that_symmetry_forbids_are_zero(tmp_path):
    slabs = [fcc100("Cu", (2, 2, 3), a=a, vacuum=6.0, periodic=True) for a in (3.4, 3.5, 3.6, 3.7, 3.8)]
    assert _doubts(_frames(tmp_path, [label(slab) for slab in slabs]))[0] == []


def test_strains_that_symmetry_makes_one_are_left_out_of_the_test(tmp_path):
    def _strained(axis, size):
        atoms = bulk("Cu", cubic=True) * (2, 2, 2)
        atoms.set_cell(atoms.cell[:] * np.where(np.arange(3) == axis, 1 + size, 1.0)[:, None], scale_atoms=True)
        return label(atoms)

    sizes = (-0.04, -0.02, 0.02, 0.04)
    train = _frames(tmp_path, [*rattled(4, 0), *(_strained(0, size) for size in sizes)])
    test = _frames(tmp_path, [*rattled(4, 1), *(_strained(1, size) for size in sizes)])
    account = Account("b.extxyz")
    assert len(check_pair(train, test, account)[1]) == 4 and not account.of_weight("refuse")
    alone = Account("b.extxyz")
    check_pair(train, test[4:], alone)
    assert alone.of_weight("refuse")  # nothing would be left


def test_positions_that_are_fractions_and_atoms_in_one_place(tmp_path):
    frames = rattled(6, 0)
    for frame in frames:
        frame.positions = frame.get_scaled_positions()
    ((weight, field, _), *_) = _doubts(_frames(tmp_path, frames))[0]
    assert (weight, field) == ("refuse", "pos")
    frames = rattled(6, 0)
    frames[2].positions[1] = frames[2].positions[0] + 0.1
    ((weight, field, what), *_) = _doubts(_frames(tmp_path, frames))[0]
    assert (weight, field) == ("refuse", "pos") and "frame 3" in what


@pytest.mark.parametrize(("count", "weight"), [(3, "warn"), (8, "refuse")])
def test_one_energy_of_several_structures(tmp_path, count, weight):
    frames = _frames(tmp_path, rattled(12, 0))
    spoilt = [replace(frame, energy_ev=-3.0) for frame in frames[:count]] + frames[count:]
    ((own, field, what),) = _doubts(spoilt)[0]
    assert (own, field) == (weight, "energy") and "exactly -3 eV" in what


def test_forces_of_another_frame(tmp_path):
    frames = _frames(tmp_path, rattled(6, 0))
    frames[4] = replace(frames[4], forces_ev_per_angstrom=frames[1].forces_ev_per_angstrom)
    ((weight, field, what),) = _doubts(frames)[0]
    assert (weight, field) == ("refuse", "forces") and "frame 5 are exactly those of an earlier" in what
    shifted = rattled(1, 0)
    shifted[0].positions += 0.5
    copies = _frames(tmp_path, [*rattled(6, 0), *shifted])
    assert {doubt[0] for doubt in _doubts(copies)[0]} <= {"note"}


def test_a_crystal_that_is_said_not_to_be_periodic(tmp_path):
    frames = rattled(6, 0, stress=False)
    for frame in frames:
        frame.pbc = False
    ((weight, field, _),) = _doubts(_frames(tmp_path, frames))[0]
    assert (weight, field) == ("warn", "pbc")
    for frame in frames:
        frame.center(vacuum=5.0)
    assert _doubts(_frames(tmp_path, frames))[0] == []


def test_elements_of_isolated_atoms_and_of_structures():
    account = Account("a.xyz")
    references([("a.xyz", [bare_frame("Cu", -1.0), bare_frame("Ag2", -8.0)])], account)
    assert "Cu only as isolated atoms" in str(account.of_weight("warn")[0])
    assert "isolated atoms of Cu, none of Ag" in str(account.of_weight("note")[0])
