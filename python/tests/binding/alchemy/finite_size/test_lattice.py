"""Lattices of charges: known constants, OpenMM's own energy, and a sum taken term by term."""

import itertools
import math

import numpy as np
import openmm
import pytest

from gibbsflow.binding.alchemy.finite_size.lattice import debye_per_angstrom, lattice_potential
from gibbsflow.binding.alchemy.periodic_states import periodic_alchemical_system

CUBE = np.eye(3)
OCTAHEDRON = np.array([[1, 0, 0], [1 / 3, 2 * math.sqrt(2) / 3, 0], [-1 / 3, math.sqrt(2) / 3, math.sqrt(6) / 3]])
BRICK = np.diag([1.0, 4 / 3, 5 / 3])
KJ_NM_PER_E2 = 138.935456


@pytest.mark.parametrize(
    ("shape", "by_volume"), [(CUBE, -2.837297479), (OCTAHEDRON, -2.888461503), (BRICK, -2.637083234)]
)
def test_constants(shape, by_volume):
    """Of the cube as published; of the octahedron also by the edge of the cube with two points, −3.639233."""
    for size in (20.0, 41.0):
        edge = abs(np.linalg.det(shape * size)) ** (1 / 3)
        assert lattice_potential(shape * size) * edge == pytest.approx(by_volume, rel=1e-8)
    if shape is OCTAHEDRON:
        assert lattice_potential(shape) * (2 * np.linalg.det(shape)) ** (1 / 3) == pytest.approx(-3.639233, abs=1e-6)


@pytest.mark.parametrize(
    ("shape", "platform"), [(CUBE, "Reference"), (CUBE, "CPU"), (OCTAHEDRON, "CPU"), (BRICK, "CPU")]
)
def test_it_is_the_energy_of_pme_at_every_charge(shape, platform):
    """The background's energy is in it, and follows λ: what NET takes away is there to be taken."""
    parent = openmm.System()
    parent.setDefaultPeriodicBoxVectors(*[openmm.Vec3(*row) for row in 3 * shape])
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(openmm.NonbondedForce.PME)
    force.setCutoffDistance(0.9)
    force.setEwaldErrorTolerance(1e-5)
    for charge in (2.0, -3.0):
        parent.addParticle(1.0)
        force.addParticle(charge, 0.3, 0.0)
    parent.addForce(force)
    system = periodic_alchemical_system(parent, [0])
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName(platform))
    context.setPositions([openmm.Vec3(0.1, 0.2, 0.3), openmm.Vec3(1.3, 0.4, 0.9)])
    energy = {}
    for charge in (0.0, 0.5, 1.0):
        context.setParameter("lambda_electrostatics", charge)
        energy[charge] = context.getState(getEnergy=True).getPotentialEnergy()._value
    # of second order in the charge: the images of itself
    itself = 2 * (energy[1.0] + energy[0.0] - 2 * energy[0.5])
    expected = 2.0**2 / 2 * KJ_NM_PER_E2 * lattice_potential(3 * shape)
    assert itself == pytest.approx(expected, rel=1e-4)
    assert energy[0.0] == pytest.approx(3.0**2 / 2 * KJ_NM_PER_E2 * lattice_potential(3 * shape), rel=1e-4)


@pytest.mark.parametrize("shape", [CUBE, OCTAHEDRON, BRICK])
@pytest.mark.parametrize("kappa", [0.1, 0.3, 1.0])
def test_screened(shape, kappa):
    box = 30 * shape
    steps = np.array([n for n in itertools.product(range(-14, 15), repeat=3) if any(n)]) @ box
    away = np.linalg.norm(steps, axis=1)
    direct = np.sum(np.exp(-kappa * away) / away) - 4 * math.pi / (kappa**2 * np.linalg.det(box))
    assert lattice_potential(box, kappa) == pytest.approx(direct, rel=1e-6)


def test_without_ions_nothing_is_screened():
    assert lattice_potential(30 * CUBE, 1e-6) == pytest.approx(lattice_potential(30 * CUBE), rel=1e-4)
    assert debye_per_angstrom(0.0, 27_000, 7.1) == 0


def test_debye_length_of_a_salt():
    """0.15 mol/L of a 1:1 salt in water: 7.9 Å."""
    ions = 2 * 0.15 * 6.02214e-4 * 1e5
    assert 1 / debye_per_angstrom(ions, 1e5, 7.1) == pytest.approx(7.9, abs=0.1)
