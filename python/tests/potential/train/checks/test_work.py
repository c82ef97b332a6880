"""Energies, forces and stresses that belong together, by the work between like frames."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import write
from labelled_sets import label, rattled

from gibbsflow.potential.data.labelled_frames import read_labelled
from gibbsflow.potential.train.checks.work import judge_work, steps
from gibbsflow.workflow.account import Account


@pytest.fixture(scope="module")
def copper(tmp_path_factory):
    """Twenty rattled and strained cells of copper."""
    path = tmp_path_factory.mktemp("copper") / "a.extxyz"
    write(path, rattled(20, 0))
    return read_labelled(path)


def _judged(frames):
    account = Account("a.xyz")
    agreement = judge_work(frames, account)
    return (
        agreement,
        account.facts.get("work", {}),
        [(d.weight, d.problem.field, d.problem.what) for d in account.doubts],
    )


def _times(frames, energy=1.0, force=1.0, stress=1.0):
    return [
        replace(
            frame, energy_ev=energy * frame.energy_ev, forces_ev_per_angstrom=force * frame.forces_ev_per_angstrom,
            stress_ev_per_angstrom3=stress * frame.stress_ev_per_angstrom3,
        )
        for frame in frames
    ]  # fmt: skip


def test_work_of_a_small_step_is_the_difference_of_energies(tmp_path):
    atoms = bulk("Cu", cubic=True) * (2, 1, 1)
    atoms.rattle(0.1, seed=1)
    other = atoms.copy()
    other.set_cell(other.cell[:] @ (np.eye(3) + 1e-3 * np.array([[1, 2, 0], [0, -1, 1], [1, 0, 2]])), scale_atoms=True)
    other.positions += 0.01 * np.sin(np.arange(24).reshape(8, 3)) + [0.5, 0, 3.7]
    write(tmp_path / "a.extxyz", [label(atoms), label(other)])
    (pair,) = steps(read_labelled(tmp_path / "a.extxyz"))
    assert abs(pair.force_ev) > 1e-3 and abs(pair.stress_ev) > 1e-3
    assert pair.force_ev + pair.stress_ev == pytest.approx(pair.energy_ev, rel=5e-3)


def test_right_labels_raise_no_doubt(copper):
    agreement, facts, doubts = _judged(copper)
    assert doubts == [] and facts["forces_factor"] == pytest.approx(1.0, abs=0.3) and facts["explained"] > 0.9
    assert len(agreement.linked) > 10


def test_two_atoms_from_the_wall_to_past_the_bond_say_nothing(copper, tmp_path):
    """One such step is a hundred times as much work as all others, and none of it follows the trapezoidal rule."""
    apart = [label(Atoms("Cu2", [[0, 0, 0], [0, 0, distance]])) for distance in (1.2, 2.2)]
    near = [label(Atoms("Cu2", [[0, 0, 0], [0, 0, distance]])) for distance in (2.1, 2.2)]
    write(tmp_path / "a.extxyz", apart)
    write(tmp_path / "b.extxyz", near)
    agreement, facts, doubts = _judged(copper + read_labelled(tmp_path / "a.extxyz"))
    assert doubts == [] and facts["forces_factor"] == pytest.approx(1.0, abs=0.3)
    assert steps(read_labelled(tmp_path / "a.extxyz")) == []
    assert len(steps(read_labelled(tmp_path / "b.extxyz"))) == 1


def test_energies_on_another_zero_are_linked_to_none(copper):
    shifted = [replace(frame, energy_ev=frame.energy_ev + 8.0) for frame in copper[:5]]
    agreement, _, _ = _judged(shifted + copper[5:])
    assert agreement.linked and not any((a <= 5) != (b <= 5) for a, b in agreement.linked)


@pytest.mark.parametrize(
    ("factors", "words"),
    [
        ({"force": 1 / 51.42}, "Hartree/Bohr"),
        ({"energy": 1 / 27.21}, "energies in Hartree"),
        ({"energy": 1 / 8}, "energies were those of an atom"),
        ({"energy": 1000.0}, "energies in meV"),
        ({"force": -1.0}, "forces were the gradient"),
    ],
)
def test_units_and_sign_of_forces_against_energies(copper, factors, words):
    _, _, doubts = _judged(_times(copper, **factors))
    ((weight, field, what),) = doubts
    assert (weight, field) == ("refuse", "forces") and words in what


def test_molecules_are_judged_too(tmp_path):
    rng, frames = np.random.default_rng(1), []
    for _ in range(12):
        atoms = molecule("C2H6")
        atoms.positions += rng.normal(0, 0.05, atoms.positions.shape)
        frames.append(label(atoms))
    write(tmp_path / "a.extxyz", frames)
    read = read_labelled(tmp_path / "a.extxyz")
    assert _judged(read)[2] == []
    opposite = [replace(frame, forces_ev_per_angstrom=-frame.forces_ev_per_angstrom) for frame in read]
    assert _judged(opposite)[2][0][0] == "refuse"


def test_labels_of_other_frames_are_warned_of(copper):
    wrong = [
        replace(
            frame, energy_ev=other.energy_ev, forces_ev_per_angstrom=other.forces_ev_per_angstrom,
            stress_ev_per_angstrom3=other.stress_ev_per_angstrom3,
        )
        for frame, other in zip(copper, copper[1:] + copper[:1], strict=True)
    ]  # fmt: skip
    assert {doubt[0] for doubt in _judged(wrong)[2]} == {"warn"}


@pytest.mark.parametrize(
    ("factor", "words"), [(1.0, ""), (-1.0, "the other sign"), (160.2, "stresses in GPa"), (1602.0, "kbar")]
)
def test_stresses_of_strained_crystals(tmp_path, factor, words):
    frames = []
    for scale in (0.95, 0.97, 0.99, 1.0, 1.01, 1.03, 1.05):
        atoms = bulk("Cu")
        atoms.set_cell(scale * atoms.cell, scale_atoms=True)
        frames.append(label(atoms * (2, 1, 1)))
    write(tmp_path / "a.extxyz", frames)
    agreement, _, doubts = _judged(_times(read_labelled(tmp_path / "a.extxyz"), stress=factor))
    assert agreement.stress_is_right == (not words)
    assert [(weight, field) for weight, field, _ in doubts] == ([("refuse", "stress")] if words else [])
    assert all(words in what for _, _, what in doubts)


def test_energies_that_hold_the_motion_too_are_warned_of(copper):
    conserved = [replace(frame, energy_ev=-3.0) for frame in copper]
    ((weight, field, what),) = _judged(conserved)[2]
    assert (weight, field) == ("warn", "energy") and "hardly differ" in what


def test_frames_that_are_not_alike_are_no_pair(tmp_path):
    one = label(Atoms("Cu2", [[0, 0, 0], [0, 0, 2.4]]))
    far = label(Atoms("Cu2", [[0, 0, 0], [0, 0, 4.2]]))
    reordered = label(Atoms("CuAu", [[0, 0, 0], [0, 0, 2.4]]))
    write(tmp_path / "a.extxyz", [one, far, reordered])
    assert steps(read_labelled(tmp_path / "a.extxyz")) == []
