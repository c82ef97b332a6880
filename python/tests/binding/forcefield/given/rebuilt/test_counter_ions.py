"""Ions of given boxes that change with a ligand: one kind in all, beyond their wall, pairs where there are too few."""

from dataclasses import replace

import numpy as np
import pytest
import solvated_systems as boxes

from gibbsflow.binding.forcefield.given.rebuilt.counter_ions import with_counter_ions
from gibbsflow.binding.forcefield.given.rebuilt.gathered import atoms_of, gathered
from gibbsflow.binding.forcefield.given.rebuilt.places import nearest
from gibbsflow.config.binding import Md
from gibbsflow.errors import InputError

SEEDS = {"complex": 1, "solvent": 2}


@pytest.fixture(scope="module")
def both():
    folder = boxes.boxes("tip3p", "Na+ 2 Cl- 2", 12)
    return {role: boxes.parts(folder, role) for role in SEEDS}


def chosen(given, charge):
    return with_counter_ions(given, charge, Md(), SEEDS, where="x")


def without_ions(parts, sign):
    """The same box without its ions of a sign."""
    gone = {m for kind, found in parts.ions.items() if kind.charge_e == sign for m in found}
    kept = [m for m in range(len(parts.sizes)) if m not in gone]
    return replace(
        parts, text=gathered(parts, kept, 2), positions_angstrom=parts.positions_angstrom[atoms_of(parts, kept)]
    )


def distances(made):
    parts, wall = made.parts, made.remote
    centre = parts.positions_angstrom[list(wall.centre_atoms)].mean(axis=0)
    return np.linalg.norm(
        nearest(parts.positions_angstrom[list(wall.ion_atoms)] - centre, parts.vectors_angstrom), axis=-1
    )


@pytest.mark.parametrize(("charge", "name", "count"), [(-1, "Na+", 1), (1, "Cl-", 1), (-2, "Na+", 2)])
def test_ions_of_the_other_sign_stand_beyond_the_wall_in_both_boxes(both, charge, name, count):
    for role, made in chosen(both, charge).items():
        ions = list(made.remote.ion_atoms)
        assert made.parts.text == both[role].text and (made.kind, made.exchanged) == (name, 0)
        assert len(ions) == count and made.parts.charges_e[ions] == pytest.approx([-np.sign(charge)] * count)
        assert (distances(made) >= made.remote.least_angstrom).all() and made.remote.gap_angstrom >= 5
        assert not set(ions) & {*made.parts.ligand, *made.parts.receptor}


def test_ions_that_are_too_near_change_places_with_waters(both):
    parts = both["complex"]
    positions = np.array(parts.positions_angstrom)
    near = positions[list(parts.ligand)].mean(axis=0) + np.array([6.0, 0, 0])
    for molecules in parts.ions.values():
        for k, molecule in enumerate(molecules):
            positions[parts.starts[molecule]] = near + [0, 6.0 * k, 0]
    made = chosen({"complex": replace(parts, positions_angstrom=positions)}, -1)["complex"]
    (ion,) = made.remote.ion_atoms
    assert made.moved == 1 and distances(made)[0] >= made.remote.least_angstrom
    moved = np.flatnonzero((made.parts.positions_angstrom != positions).any(axis=1))
    assert len(moved) == 4 and ion in moved  # the ion, and a water that keeps its shape
    water = moved[moved != ion]
    shape = made.parts.positions_angstrom[water] - positions[water]
    np.testing.assert_allclose(shape, shape[[0]].repeat(3, axis=0), atol=1e-9)


def test_a_box_without_the_ion_gets_a_pair_with_the_parameters_of_the_other(both):
    bare = without_ions(without_ions(both["complex"], 1), -1)
    made = chosen({"complex": bare, "solvent": both["solvent"]}, -1)
    complex_box = made["complex"]
    assert (complex_box.exchanged, complex_box.kind, made["solvent"].exchanged) == (1, "Na+", 0)
    parts = complex_box.parts
    assert len(parts.waters) == len(bare.waters) - 2 and parts.charges_e.sum() == pytest.approx(0, abs=1e-6)
    assert set(parts.ions) == set(both["solvent"].ions)
    assert (distances(complex_box) >= complex_box.remote.least_angstrom).all()
    np.testing.assert_allclose(parts.positions_angstrom[list(parts.ligand)], bare.positions_angstrom[list(bare.ligand)])
    assert len(parts.text) > 0 and parts.elements[list(complex_box.remote.centre_atoms)].min() > 1


def test_no_ion_and_no_partner_for_it_are_refused(both):
    none = {role: without_ions(parts, 1) for role, parts in both.items()}
    with pytest.raises(InputError, match="no monovalent cation to change with the ligand"):
        chosen(none, -1)
    only = {"complex": without_ions(without_ions(both["complex"], 1), -1), "solvent": without_ions(both["solvent"], -1)}
    with pytest.raises(InputError, match="complex: too few ions .* no anion"):
        chosen(only, -1)
    with pytest.raises(InputError, match="complex: the box has no room"):
        chosen({"complex": boxes.parts(boxes.boxes("tip3p", "Na+ 2 Cl- 2"), "complex")}, -1)
