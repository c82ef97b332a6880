"""Pairs of atoms, as ASE lists them."""

import numpy as np
import pytest
from ase.build import bulk, fcc111, molecule
from ase.neighborlist import neighbor_list

from gibbsflow.potential.data.neighbours import pairs_within


def _skew():
    atoms = bulk("Cu")
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + np.random.default_rng(1).uniform(-0.3, 0.3, (3, 3))), scale_atoms=True)
    return atoms


@pytest.mark.parametrize(
    "atoms", [_skew(), bulk("Si", cubic=True) * (2, 1, 1), molecule("C2H6"), fcc111("Cu", (1, 2, 3), vacuum=6)]
)
def test_pairs_are_those_of_ase(atoms):
    atoms.positions += np.random.default_rng(0).normal(0, 8, atoms.positions.shape)  # far out of the cell
    ours, theirs = pairs_within(atoms, 5.5), neighbor_list("ijdD", atoms, 5.5)
    assert len(ours[0]) == len(theirs[0])

    def _rows(found):
        rows = np.column_stack([found[0], found[1], np.round(found[3], 6) + 0.0])
        return rows[np.lexsort(rows.T)]

    assert np.allclose(_rows(ours), _rows(theirs), atol=1e-5)
    assert np.allclose(np.linalg.norm(ours[3], axis=1), ours[2])
