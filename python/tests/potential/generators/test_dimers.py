from __future__ import annotations

import pytest

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.generators import dimers
from gibbsflow.potential.generators.parents import parents

SETTINGS = Generator()


def test_dimers_start_where_cores_do_not_overlap() -> None:
    made = dimers.make([], Target(elements=("Si", "O")), SETTINGS)
    assert len(made) == 3 * 12
    shortest = [a.get_distance(0, 1) for a in made if a.symbols.count("Si") == 2][0]
    assert shortest == pytest.approx(1.11, abs=0.01)
    assert max(a.get_distance(0, 1) for a in made) == pytest.approx(6.0)
    assert all(a.info["distance_angstrom"] == pytest.approx(a.get_distance(0, 1), abs=1e-6) for a in made)


def test_there_is_one_atom_of_each_element_that_a_target_or_its_parents_have() -> None:
    water = parents(Target(molecule="H2O"), SETTINGS)
    made = dimers.make_atoms(water, Target(molecule="H2O"), SETTINGS)
    assert [str(atoms.symbols) for atoms in made] == ["O", "H"]
    assert made[0].positions[0] == pytest.approx([6.0] * 3)
    assert [str(atoms.symbols) for atoms in dimers.make_atoms(water, Target(elements=("H",)), SETTINGS)] == ["H"]
