from __future__ import annotations

import pytest
from ase import Atoms
from ase.build import molecule

from gibbsflow.potential.data.formats.electrons import (
    Electrons,
    atomic_multiplicity,
    isolated,
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
        ({"charge": 1, "total_charge": 2}, "contradict"),
        ({"spin": 1}, "may be a multiplicity or a moment"),
        ({"multiplicity": 0}, "the least is 1"),
        ({"multiplicity": 3, "uhf": 0}, "contradict"),
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
    for wrong in (Electrons(0, 2), Electrons(1, 1), Electrons(0, 13), Electrons(11)):
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


def test_one_atom_in_a_crystal_is_not_alone() -> None:
    assert isolated(Atoms("Si", cell=[9, 9, 9]))
    assert not isolated(Atoms("Si", cell=[9, 9, 9], pbc=True))
    assert not isolated(molecule("H2O"))
