"""Atoms of a leg where GROMACS has them, and back."""

import numpy as np
import pytest

from gibbsflow.binding.alchemy.gromacs_topology import GromacsTopology, walls_of
from gibbsflow.engines.gromacs.parameters import Pull
from gibbsflow.engines.md_engine import Apart
from gibbsflow.errors import InputError


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


def test_a_site_is_in_the_middle_there_and_no_atom_here():
    random = np.random.default_rng(2)
    x, v, box = random.normal(size=(5, 3)), random.normal(size=(5, 3)), np.eye(3) * 3
    atoms = GromacsTopology("", np.array([0, 1, 4, -1, 2, 3]), np.ones(5), (1, 0, 4))
    text = atoms.frame(x, box, v)
    rows = text.split("POSITION\n")[1].splitlines()
    np.testing.assert_allclose([float(word) for word in rows[3][24:].split()], x[[0, 1, 4]].mean(axis=0), atol=1e-9)
    found = atoms.read(text)
    np.testing.assert_allclose(found["positions_nm"], x, atol=1e-9)
    np.testing.assert_allclose(found["velocities_nm_per_ps"], v, atol=1e-9)
    (held,) = atoms.placed([Pull("distance", ((0, 4), (2,)), 0.5, 10.0, middles=(4, 2))])
    assert held.groups == ((0, 2), (4,)) and held.middles == (2, 4)


def test_walls_of_ions_about_one_solute():
    molecules = np.array([0, 0, 0, 1, 2], dtype=np.int32)
    x = np.array([[0, 0, 0], [1.0, 0, 0], [0.6, 0, 0], [2, 2, 2], [2, 0, 2]])
    apart = [Apart((0, 1, 2), (atom,), 12.0) for atom in (3, 4)]
    walls = walls_of(apart, molecules, x, np.eye(3) * 4)
    assert walls.centre == (2, 0, 1) and walls.molecules.tolist() == molecules.tolist()
    assert walls.kept == ((3, 1.2, pytest.approx(2092)), (4, 1.2, pytest.approx(2092)))
    with pytest.raises(InputError, match="the solute that counter-ions are kept from reaches 0.60 nm.*a larger box"):
        walls_of(apart, molecules, x, np.eye(3) * 1.3)
    for other in (Apart((0, 1), (4,), 12.0), Apart((0, 1, 2), (3, 4), 12.0)):
        with pytest.raises(InputError, match="more than one centre, or of more than one atom.*--engine openmm"):
            walls_of([apart[0], other], molecules, x, np.eye(3) * 4)
