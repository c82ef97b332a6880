from __future__ import annotations

import numpy as np
from ase import Atoms
from pair_crystals import SMALL, Pairs, fcc, touching

from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import answered, by_calculator
from gibbsflow.potential.validate.properties.repulsions import hole, repulsion


def test_a_wall_is_good() -> None:
    found = answered(repulsion(["Au", "Cu"], fcc(), SMALL), touching)
    assert not found.failures and not found.warnings
    assert set(found.curves["pairs"]) == {"Au-Au", "Au-Cu", "Cu-Cu"} and found.curves["crystal"]["edge"][0] == 0.65


def test_two_atoms_of_an_element_that_a_molecule_has_once_do_not_meet() -> None:
    found = answered(repulsion(["Au", "Cu"], None, SMALL, Atoms("Cu2Au")), touching)
    assert set(found.curves["pairs"]) == {"Au-Cu", "Cu-Cu"} and "the pair Au-Au is not looked at" in found.notes[1]


def test_a_hole_is_found_in_pairs_and_in_the_crystal() -> None:
    found = answered(repulsion(["Cu"], fcc(), SMALL), by_calculator(Pairs(hole=1.9)))
    assert "pair Cu-Cu: the energy falls by" in found.failures[0] and "within 1.58 Å" in found.failures[0]
    assert (
        "the crystal pressed: the energy falls" in found.failures[1] and "within 0.75 of its edges" in found.failures[1]
    )


def test_a_bump_on_the_way_is_a_doubt() -> None:
    found = answered(repulsion(["Cu"], None, SMALL), by_calculator(Pairs()))
    assert "crystal" not in found.curves and not found.warnings
    places = np.array([1.0, 1.2, 1.4, 1.6])
    assert hole(places, np.array([4.0, 3.0, 2.0, 1.0]), "Å") == ""
    assert (
        hole(places, np.array([4.0, 1.5, 2.0, 1.0]), "Å")
        == "the energy falls by 0.5 eV within 1.40 Å, where it must rise"
    )
    assert hole(places, np.array([np.inf, 3.0, 2.0, 1.0]), "Å") == "the energy is not finite everywhere"


def test_what_is_under_tension_is_pressed_from_its_least_energy() -> None:
    stretched = fcc().unit.copy()
    stretched.set_cell(stretched.cell.array * 1.05, scale_atoms=True)
    stretched = Crystal.of(stretched, 0.01)
    found = answered(repulsion(["Cu"], stretched, SMALL), by_calculator(Pairs()))
    energies = np.array(found.curves["crystal"]["energy_ev_per_atom"])
    assert energies.min() < -0.01 and not found.failures
    holed = answered(repulsion(["Cu"], stretched, SMALL), by_calculator(Pairs(hole=1.9)))
    assert "the crystal pressed: the energy falls" in holed.failures[-1]
