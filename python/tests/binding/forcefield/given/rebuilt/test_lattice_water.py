"""Water of a larger box out of that of a given one: what was there stays, gaps are filled, nothing overlaps."""

import numpy as np
import pytest
import solvated_systems as boxes
from scipy.spatial import cKDTree

from gibbsflow.binding.forcefield.given.rebuilt.lattice_water import SHELL_ANGSTROM, lattice_water

NONE = np.empty((0, 3))


@pytest.mark.parametrize("fill", ["solvatebox", "solvateoct"])
def test_a_larger_box_has_the_given_water_round_the_solute_and_more_elsewhere(fill):
    parts = boxes.parts(boxes.boxes("tip3p", "", 8, fill), "complex")
    solute = parts.positions_angstrom[[*parts.receptor, *parts.ligand]]
    edges = np.array([45.0, 30.0, 30.0])
    corner = solute.mean(axis=0) - edges * [0.3, 0.5, 0.5]
    its_copy = solute.mean(axis=0) + np.array([[22.0, 0, 0]])
    made = lattice_water(parts, corner, edges, its_copy, NONE)
    oxygens = made.positions_angstrom[:, 0]
    near, _ = cKDTree(solute).query(parts.positions_angstrom[parts.oxygens])
    shell = parts.positions_angstrom[parts.oxygens][near < SHELL_ANGSTROM]
    back, _ = cKDTree(oxygens).query(shell)
    assert len(shell) > 40 and np.count_nonzero(back > 1e-6) == 0
    wrapped = np.mod(made.positions_angstrom.reshape(-1, 3) - corner, edges)
    tree = cKDTree(wrapped, boxsize=edges)
    pairs = tree.query_pairs(1.5, output_type="ndarray")
    assert (pairs[:, 0] // 3 == pairs[:, 1] // 3).all()
    assert np.linalg.norm(oxygens - its_copy, axis=1).min() >= 2.8
    # tleap's own water is loose; what is made of it is no looser
    loose = len(parts.waters) / np.linalg.det(parts.vectors_angstrom)
    assert 0.97 * loose < len(oxygens) / edges.prod() < 0.0345
    slabs = np.histogram(wrapped[::3, 0], bins=5, range=(0, edges[0]))[0]
    assert slabs.min() > 0.75 * slabs.max()


def test_waters_are_rigid_bodies_of_the_given_ones():
    parts = boxes.parts(boxes.boxes(), "solvent")
    corner, edges = np.zeros(3), np.array([30.0, 30.0, 30.0])
    made = lattice_water(parts, corner, edges, NONE, NONE)
    for water, positions in zip(made.molecules[:50], made.positions_angstrom[:50], strict=True):
        own = parts.positions_angstrom[parts.atoms_of(int(parts.waters[water]))]
        np.testing.assert_allclose(positions - positions[0], own - own[0], atol=1e-9)
    again = lattice_water(parts, corner, edges, NONE, NONE)
    np.testing.assert_array_equal(again.positions_angstrom, made.positions_angstrom)
