from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from gibbsflow.potential.data.formats.electrons import (
    Electrons,
    atomic_multiplicity,
    kept_info,
    repeated_info,
    said_token,
)


def water(**info: object) -> Atoms:
    atoms = molecule("H2O")
    atoms.info.update(info)
    return atoms


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({}, Electrons()),
        ({"charge": 1}, Electrons(1)),
        ({"charge": "-1"}, Electrons(-1)),
        ({"total_charge": 2.0}, Electrons(2)),
        ({"Charge": 0}, Electrons()),
        ({"multiplicity": 3}, Electrons(0, 3)),
        ({"uhf": 1, "charge": 1}, Electrons(1, 2)),
        ({"magnetic": "AFM"}, Electrons()),
        ({"n_unpaired": 2}, Electrons(0, 3)),
        ({"2S+1": 3}, Electrons(0, 3)),
        ({"q": 0, "system_charge": "0"}, Electrons()),
        ({"charge": 1, "formal_charge": 1}, Electrons(1)),
        ({"charge_method": "bader", "charge_density_cutoff": 300, "dipole_moment": 1.8, "quality": 1}, Electrons()),
    ],
)
def test_what_a_frame_says(info: dict, expected: Electrons) -> None:
    assert Electrons.of(water(**info)) == expected
    assert bool(said_token(water(**info))) == (expected != Electrons())


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({"charge": 0.5}, "charge is 0.5, and not a whole number"),
        ({"charge": True}, "not a whole number"),
        ({"charge": "one"}, "not a whole number"),
        ({"charge": float("nan")}, "not a whole number"),
        ({"charge": -13}, "charge -13 of 3 atoms"),
        ({"charge": 1, "total_charge": 2}, "contradict"),
        ({"spin": 1}, "may be a multiplicity or a moment"),
        ({"multiplicity": 0}, "the least is 1"),
        ({"multiplicity": 3, "uhf": 0}, "contradict"),
        ({"q": 1}, "q=1 may be a charge, and is not read"),
        ({"mol_charge": "-1"}, "mol_charge=-1 may be a charge"),
        ({"charge_state": 2.0, "charge": 1}, "charge_state=2.0 may be a charge"),
        ({"oxidation_state": 3}, "may be a charge"),
        ({"magnetic_moment": 2.2}, "may be a multiplicity or a moment"),
        ({"total_magmom": 4}, "may be a multiplicity or a moment"),
    ],
)
def test_what_cannot_be_meant(info: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Electrons.of(water(**info))
    assert said_token(water(**info))


def test_columns_count() -> None:
    atoms = water()
    atoms.set_initial_charges([1.0, 0.0, 0.0])
    atoms.set_initial_magnetic_moments([1.0, 0.0, 0.0])
    assert Electrons.of(atoms) == Electrons(1, None, (1.0, 0.0, 0.0))
    atoms.info["charge"] = -1
    with pytest.raises(ValueError, match="charge is -1, the sum of initial_charges is 1"):
        Electrons.of(atoms)
    directed = water()
    directed.set_initial_magnetic_moments([[0, 0, 1.0]] * 3)
    with pytest.raises(ValueError, match="along one axis only"):
        Electrons.of(directed)
    named = water()
    named.new_array("magmoms", named.numbers * 1.0)
    with pytest.raises(ValueError, match="write initial_magmoms"):
        Electrons.of(named)
    both = water(multiplicity=1)
    both.set_initial_magnetic_moments([2.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="together"):
        Electrons.of(both)


def test_electrons_are_counted() -> None:
    Electrons(1, 2).require_parity(10)
    Electrons().require_parity(9)
    for wrong in (Electrons(0, 2), Electrons(1, 1), Electrons(0, 13), Electrons(11), Electrons(10)):
        with pytest.raises(ValueError, match="electrons"):
            wrong.require_parity(10)


def test_atoms_have_the_multiplicity_of_their_ground_states() -> None:
    # NIST, Atomic Spectra Database: H 2S, C 3P, N 4S, O 3P, Ne 1S, Si 3P, Cr 7S, Fe 5D, Ce 1G, Gd 9D
    known = {"H": 2, "C": 3, "N": 4, "O": 3, "Ne": 1, "Si": 3, "Cr": 7, "Fe": 5, "Ce": 1, "Gd": 9}
    assert {symbol: atomic_multiplicity(Atoms(symbol)) for symbol in known} == known
    ion = Atoms("Na", info={"charge": 1})
    with pytest.raises(ValueError, match="an isolated ion without its spin"):
        atomic_multiplicity(ion)


def test_every_neutral_atom_can_have_its_multiplicity() -> None:
    for number in range(1, 104):
        Electrons(0, atomic_multiplicity(Atoms([number]))).require_parity(number)


def test_a_supercell_has_all_charges_of_its_cells() -> None:
    cell = Atoms("Na", cell=[4, 4, 4], pbc=True, info={"charge": 1, "multiplicity": 2, "name": "x"})
    assert repeated_info(cell, 8) == {"charge": 8, "multiplicity": 9}
    assert kept_info(cell) == {"charge": 1, "multiplicity": 2}
    assert repeated_info(Atoms("Na"), 8) == {}


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("moments", [2.0, -2.0, 0.0], "the column moments may be moments: write initial_magmoms"),
        ("init_magmoms", [1.0, 0.0, 0.0], "may be moments"),
        ("magnetic_moment", [0.0, 0.0, 0.0], ""),
        ("formal_charges", [1, 0, 0], "the column formal_charges has a sum of 1, and the charge is 0"),
        ("mulliken_charges", [-0.8, 0.4, 0.4], ""),
        ("q", [0.6, 0.2, 0.2], "the column q has a sum of 1"),
        ("forces_charge_weight", [1, 1, 1], ""),
    ],
)
def test_columns_of_other_names_are_not_passed_over(name: str, values: list[float], words: str) -> None:
    atoms = water()
    atoms.new_array(name, np.array(values))
    if words:
        with pytest.raises(ValueError, match=words):
            Electrons.of(atoms)
    else:
        assert Electrons.of(atoms) == Electrons()
    if name == "q":
        atoms.info["charge"] = 1
        assert Electrons.of(atoms) == Electrons(1)


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({"Charge": 1, "charge": 0}, "charges contradict each other"),
        ({"multiplicity": 1, "Multiplicity": 3}, "spins contradict each other"),
        ({"Charge:": True, "-1": True}, "Charge: is followed by a word"),
        ({"spin:": True, "2": True}, "spin: is followed by a word"),
    ],
)
def test_spellings_of_one_name_are_all_read(info: dict, words: str) -> None:
    atoms = Atoms("H2", info=info)
    with pytest.raises(ValueError, match=words):
        Electrons.of(atoms)
    assert Electrons.of(Atoms("H2", info={"Charge": 1, "charge": 1})).charge == 1
