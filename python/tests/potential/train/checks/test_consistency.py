"""Zero of the energies, unit and sign of the stresses: found where they are wrong, and nowhere else."""

import re
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.io import write
from labelled_sets import label, rattled

from gibbsflow.potential.data.frame_weights import FrameWeights
from gibbsflow.potential.data.labelled_frames import read_labelled
from gibbsflow.potential.train.checks.consistency import hold_against, look_at, main_group
from gibbsflow.potential.train.checks.work import Agreement
from gibbsflow.workflow.account import Account


@pytest.fixture(scope="module")
def copper(tmp_path_factory):
    """Twenty rattled cells of copper."""
    path = tmp_path_factory.mktemp("copper") / "a.extxyz"
    write(path, rattled(20, 0))
    return read_labelled(path)


def _doubts(frames, test=None):
    account = Account("a.xyz")
    seen = look_at(frames, account)
    if test is not None:
        hold_against(seen, test, account)
    return [(doubt.weight, doubt.problem.field, doubt.problem.what) for doubt in account.doubts]


def _stress(frames, factor):
    return [replace(f, stress_ev_per_angstrom3=factor * f.stress_ev_per_angstrom3) for f in frames]


def _energy(frames, shift_ev_per_atom):
    return [replace(f, energy_ev=f.energy_ev + shift_ev_per_atom * len(f.atoms)) for f in frames]


def test_right_labels_raise_no_doubt(copper):
    assert _doubts(copper[:14], copper[14:]) == []
    assert _doubts(copper[:1]) == _doubts(copper[:3]) == []


@pytest.mark.parametrize(
    ("factor", "unit"), [(160.2, "GPa"), (1602.0, "kbar"), (1.602e6, "bar"), (1 / 183.6, "Hartree/Bohr^3")]
)
def test_units_of_stress(copper, factor, unit):
    ((weight, field, what),) = _doubts(_stress(copper, factor))
    assert (weight, field) == ("refuse", "stress") and what.endswith(f"as if in {unit}")


def test_sign_of_stress(copper):
    ((weight, field, what),) = _doubts(_stress(copper, -1.0))
    assert (weight, field) == ("refuse", "stress") and "opposite" in what


@pytest.mark.parametrize(("shift", "weight"), [(-40.0, "refuse"), (1.5, "refuse"), (0.6, "warn")])
def test_energies_on_another_zero(copper, shift, weight):
    (found,) = _doubts([*copper[:17], *_energy(copper[17:], shift)])
    assert (
        found[:2] == (weight, "energy") and "3 frames (18, 19, 20)" in found[2] and f"lie {shift:+.2g}"[:6] in found[2]
    )
    (found,) = _doubts(copper[:12], _energy(copper[12:], shift))
    assert found[:2] == (weight, "energy") and "all frames" in found[2]


def test_energies_above_and_below_are_not_told_by_their_middle(copper):
    account = Account("a.xyz")
    look_at([*copper[:16], *_energy(copper[16:18], 1.5), *_energy(copper[18:], -1.5)], account)
    (doubt,) = account.doubts
    assert doubt.weight == "refuse" and re.search(r"lie -1\.\d+ to \+1\.\d+ eV", doubt.problem.what)
    off = account.facts["energies_refused"]
    assert [off[row] for row in (17, 18, 19, 20)] == pytest.approx([1.5, 1.5, -1.5, -1.5], abs=0.5)


def test_frames_that_hardly_count_are_not_judged(copper):
    """As pairs for the core do, of which a model of surroundings knows nothing."""
    weak = [replace(frame, weights=FrameWeights(1e-5, 1e-5, 1e-5)) for frame in _energy(copper[17:], 1.5)]
    assert _doubts([*copper[:17], *weak]) == []
    alike = [replace(frame, weights=FrameWeights(1e-5, 1e-5, 1e-5)) for frame in copper[:17]]
    ((weight, *_),) = _doubts([*alike, *weak])
    assert weight == "refuse"  # nothing weighs more


def test_a_wide_variety_of_right_labels_raises_no_warning(tmp_path):
    frames = [label(Atoms("Cu2", positions=[[0, 0, 0], [0, 0, d]])) for d in np.linspace(1.5, 5.0, 12)]
    frames += [label(bulk("Cu", a=a)) for a in np.linspace(3.2, 4.4, 10)]
    frames += rattled(8, 0) + rattled(6, 1, sigma=0.4)
    for seed in range(5):
        slab = fcc111("Cu", (2, 2, 3), vacuum=7)
        slab.rattle(0.1, seed=seed)
        frames.append(label(slab))
    for i, frame in enumerate(frames):
        frame.info["config_type"] = f"kind {i % 5}"
    write(tmp_path / "a.extxyz", frames)
    assert [d for d in _doubts(read_labelled(tmp_path / "a.extxyz")) if d[0] != "note"] == []


def test_a_curve_of_energy_and_volume_raises_no_doubt(tmp_path):
    write(tmp_path / "a.extxyz", [label(bulk("Cu", a=a)) for a in np.linspace(3.4, 3.9, 9)])
    frames = read_labelled(tmp_path / "a.extxyz")
    assert _doubts(frames) == []
    assert _doubts(_stress(frames, 160.2))[0][:2] == ("refuse", "stress")


def test_the_largest_group_is_the_bulk_of_the_values():
    main, spread = main_group(np.array([0.0, 0.01, 0.02, 0.03, 5.0, 5.01]))
    assert main.tolist() == [True] * 4 + [False] * 2 and spread == pytest.approx(1.4826 * 0.01)


def test_shear_components_in_the_order_of_another_program(copper):
    turned = [replace(f, stress_ev_per_angstrom3=f.stress_ev_per_angstrom3[[0, 1, 2, 5, 3, 4]]) for f in copper]
    ((weight, field, what),) = _doubts(turned)
    assert (weight, field) == ("refuse", "stress") and "xy yz xz" in what


def test_forces_that_are_not_those_of_the_positions(copper):
    rng = np.random.default_rng(0)
    spoilt = [replace(f, forces_ev_per_angstrom=rng.permutation(f.forces_ev_per_angstrom)) for f in copper]
    doubts = _doubts(spoilt)
    assert doubts[0][:2] == ("warn", "forces") and "accounts for" in doubts[0][2]


def test_energies_that_are_linked_by_their_forces_are_on_one_zero(copper):
    """A model may fail where labels agree: what is linked to the main group belongs to it."""
    account = Account("a.xyz")
    shifted = _energy(copper[:3], 1.5) + copper[3:]
    look_at(shifted, account, Agreement([(1, 4), (2, 3), (3, 1)], stress_is_right=True))
    assert not account.doubts and account.facts["energies_apart"] == []


def test_stresses_that_energies_confirm_are_not_judged_by_a_model(copper):
    account = Account("a.xyz")
    look_at(_stress(copper, -1.0), account, Agreement(stress_is_right=True))
    assert not account.doubts


def test_few_frames_of_many_elements_tell_no_sign_of_stress(tmp_path):
    species = ("Ag", "Al", "Au", "Cu", "Ni", "Pd", "Pt")
    write(tmp_path / "a.extxyz", rattled(6, 1, species, (2, 2, 2)))
    assert _doubts(read_labelled(tmp_path / "a.extxyz")) == []


def _water_and_dimers(seed):
    """Twelve rattled molecules, and three quarters of the dimers of their elements."""
    rng, frames = np.random.default_rng(seed), []
    for _ in range(12):
        water = molecule("H2O")
        water.positions += rng.normal(0, 0.05, water.positions.shape)
        frames.append(label(water))
    for pair, bond in (("OO", 1.32), ("OH", 0.97), ("HH", 0.62)):
        distances = np.geomspace(0.6 * bond, 6, 12)
        frames += [label(Atoms(list(pair), [[0, 0, 0], [0, 0, d]])) for d in distances if rng.random() < 0.75]
    return frames


@pytest.mark.parametrize("seed", [1, 7])
def test_forces_say_nothing_of_the_zero_of_a_molecule_beside_dimers(tmp_path, seed):
    frames = _water_and_dimers(seed)
    write(tmp_path / "a.extxyz", frames)
    labelled = read_labelled(tmp_path / "a.extxyz")
    assert [d for d in _doubts(labelled) if d[0] != "note"] == []
    ((weight, _, what),) = [d for d in _doubts([*labelled[:9], *_energy(labelled[9:12], 2.0)]) if d[0] != "note"]
    assert weight == "refuse" and "10, 11, 12" in what


@pytest.mark.parametrize(("noise", "shift", "sure"), [(0.0, 0.35, True), (0.24, 0.5, False), (0.24, 0.9, True)])
def test_what_a_model_misses_of_forces_it_misses_of_energies(copper, noise, shift, sure):
    """Noise on forces, which energies do not follow: 0.24 eV/Å are 0.6 eV/atom along 2.5 Å."""
    rng = np.random.default_rng(0)
    rough = [replace(f, forces_ev_per_angstrom=f.forces_ev_per_angstrom + rng.normal(0, noise, (8, 3))) for f in copper]
    seen = look_at(rough[:17], Account("a.xyz"))
    others = _energy(rough[17:], shift)
    rows = [seen.model.rows(frame.atoms) for frame in others]
    assert seen.surely(others, rows, np.full(3, shift)).tolist() == [sure] * 3
