"""Atoms of a leg where GROMACS has them, and back."""

import numpy as np

from gibbsflow.binding.alchemy.gromacs_topology import GromacsTopology
from gibbsflow.engines.gromacs.parameters import Pull


def test_frames_go_there_and_come_back():
    random = np.random.default_rng(1)
    order = random.permutation(6)
    x, v, box = random.normal(size=(6, 3)), random.normal(size=(6, 3)), np.eye(3) * 3
    atoms = GromacsTopology("", order, np.ones(6))
    text = atoms.frame(x, box, v)
    first = [float(word) for word in text.split("POSITION\n")[1].splitlines()[0][24:].split()]
    np.testing.assert_allclose(first, x[order[0]], atol=1e-9)
    found = atoms.read(text)
    np.testing.assert_allclose(found["positions_nm"], x, atol=1e-9)
    np.testing.assert_allclose(found["velocities_nm_per_ps"], v, atol=1e-9)
    assert not len(atoms.read(atoms.frame(x, box))["velocities_nm_per_ps"])


def test_coordinates_are_of_the_same_atoms():
    atoms = GromacsTopology("", np.array([0, 3, 1, 2]), np.ones(4))
    (held,) = atoms.placed([Pull("distance", ((0, 1), (3,)), 0.5, 10.0, middles=(1, 3))])
    assert held.groups == ((0, 2), (1,)) and held.middles == (2, 1) and (held.rest, held.k) == (0.5, 10.0)
