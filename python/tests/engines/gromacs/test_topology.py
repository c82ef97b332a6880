"""Topologies of GROMACS: what is written is read back, and what has no counterpart is refused."""

import numpy as np
import openmm
import pytest

from gibbsflow.engines.gromacs.topology import coulomb_table, g96_text, read_g96, topology_text
from gibbsflow.errors import InputError


def waters(count: int) -> openmm.System:
    """Rigid waters, with a pair of bonded ions' worth of nothing else."""
    system, force = openmm.System(), openmm.NonbondedForce()
    for first in range(0, 3 * count, 3):
        for mass, charge, epsilon in ((16.0, -0.8, 0.6), (1.0, 0.4, 0.0), (1.0, 0.4, 0.0)):
            system.addParticle(mass)
            force.addParticle(charge, 0.3, epsilon)
        for i, j, distance in ((0, 1, 0.1), (0, 2, 0.1), (1, 2, 0.16)):
            system.addConstraint(first + i, first + j, distance)
            force.addException(first + i, first + j, 0, 1, 0)
    system.addForce(force)
    return system


def test_molecules_of_one_kind_are_written_once():
    text = topology_text(waters(5), np.repeat(np.arange(5, dtype=np.int32), 3))
    assert text.count("[ moleculetype ]") == 1 and text.endswith("[ molecules ]\nM0 5\n")
    assert "[ settles ]\n1 1 0.1 0.16" in text and "[ exclusions ]\n1 2 3\n2 3" in text


def test_a_molecule_that_changes_has_a_second_state():
    text = topology_text(waters(3), np.repeat(np.arange(3, dtype=np.int32), 3), changing=range(3))
    assert text.count("[ moleculetype ]") == 2 and text.endswith("M0 1\nM1 2\n")
    assert "1 t0 1 M X 1 -0.8 16.000000 t0off 0.0 16.000000" in text
    assert "t0off 0 0.0 0.0 A 0.3 0.0" in text and "t0off t0off 1 0.3 0.6" in text


def test_what_has_no_counterpart_is_refused():
    system = waters(1)
    molecules = np.zeros(3, dtype=np.int32)
    with pytest.raises(InputError, match="a part of a molecule changes"):
        topology_text(system, molecules, changing=[0])
    bond = openmm.HarmonicBondForce()
    bond.addBond(0, 3, 0.1, 1.0)
    two = waters(2)
    two.addForce(bond)
    with pytest.raises(InputError, match="atoms 0, 3 bond two molecules"):
        topology_text(two, np.repeat(np.arange(2, dtype=np.int32), 3))
    system.addForce(openmm.CustomNonbondedForce("r"))
    with pytest.raises(InputError, match="CustomNonbondedForce, which is not carried over.*--engine openmm"):
        topology_text(system, molecules)


def test_frames_come_back_to_nine_decimals():
    random = np.random.default_rng(1)
    positions, velocities = random.normal(size=(7, 3)) * 5, random.normal(size=(7, 3))
    box = np.array([[3.0, 0, 0], [-1.0, 2.8, 0], [-1.0, -1.4, 2.4]])
    found = read_g96(g96_text(positions, box, velocities))
    for name, expected in (("positions_nm", positions), ("velocities_nm_per_ps", velocities), ("box_nm", box)):
        np.testing.assert_allclose(found[name], expected, atol=5.1e-10)


def test_the_table_is_the_inverse_distance():
    rows = np.array([line.split() for line in coulomb_table(2.0).splitlines()], dtype=float)
    far = rows[:, 0] >= 0.05
    np.testing.assert_allclose(rows[far, 1] * rows[far, 0], 1, rtol=1e-11)
    np.testing.assert_allclose(rows[far, 2] * rows[far, 0] ** 2, 1, rtol=1e-11)
    assert rows[-1, 0] >= 2.0 and np.isfinite(rows).all()
