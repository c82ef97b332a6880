"""Clusters of unknown atoms."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from gibbsflow.potential.explore.unknown.regions import unknown_regions


def test_two_defects_are_two_regions():
    atoms = bulk("Cu", cubic=True) * (4, 4, 4)
    del atoms[100]
    near = np.linalg.norm(atoms.positions - atoms.positions[100], axis=1)
    grades = np.where(near < 2.7, 5.0, 0.5)  # an atom and its shell
    far = int(atoms.get_distances(100, range(len(atoms)), mic=True).argmax())
    grades[far] = 9.0
    first, second = unknown_regions(atoms, grades, 2.0)
    assert (first["size"], first["atoms"], first["largest"]) == (1, [far], 9.0)
    assert first["known_neighbours"] == {"Cu": 12}
    assert (first["neighbours"], first["elements"]) == (12.0, {"Cu": 1})
    assert second["size"] > 8
    assert second["neighbours"] < 12  # beside the vacancy
    assert second["shortest"]["pair"] == "Cu-Cu"
    assert second["shortest"]["distance_angstrom"] == pytest.approx(3.61 / np.sqrt(2), abs=1e-3)


def test_a_region_goes_on_across_the_boundary():
    atoms = bulk("Cu", cubic=True) * (4, 4, 4)
    grades = np.where(np.minimum(atoms.positions[:, 0], 4 * 3.61 - atoms.positions[:, 0]) < 1.9, 3.0, 0.5)
    (region,) = unknown_regions(atoms, grades, 2.0)
    assert region["size"] == (grades > 2).sum()
    assert len(region["atoms"]) == 50 < region["size"]


def test_what_is_infinite_comes_first_and_lone_atoms_have_no_neighbour():
    atoms = Atoms("AuCu", [[0, 0, 0], [0, 0, 30]])
    first, second = unknown_regions(atoms, np.array([3.0, np.inf]), 2.0)
    assert (first["elements"], first["largest"], first["shortest"]) == ({"Cu": 1}, None, None)
    assert (second["neighbours"], second["usual"]) == (0.0, None)
    assert unknown_regions(atoms, np.ones(2), 2.0) == []
