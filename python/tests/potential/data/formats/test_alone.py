from __future__ import annotations

import pytest
from ase import Atoms
from ase.build import bulk, molecule

from gibbsflow.potential.data.formats.alone import alone, nearest_image_angstrom


def test_one_atom_in_a_crystal_is_not_alone_and_in_a_wide_box_it_is() -> None:
    assert alone(Atoms("Si", cell=[3, 3, 3]))
    assert alone(Atoms("Si", cell=[12, 12, 12], pbc=True))
    assert not alone(Atoms("Si", cell=[12, 12, 4], pbc=True))
    assert alone(Atoms("Si", cell=[12, 12, 4], pbc=[True, True, False]))
    # caesium: bonds of nearly 5 Å
    assert not alone(Atoms("Cs", cell=[9, 9, 9], pbc=True))
    assert not alone(molecule("H2O"))


def test_the_nearest_image_of_an_oblique_cell() -> None:
    assert nearest_image_angstrom(bulk("Cu", a=3.6)) == pytest.approx(3.6 / 2**0.5)
    assert nearest_image_angstrom(Atoms("Cu")) == float("inf")
