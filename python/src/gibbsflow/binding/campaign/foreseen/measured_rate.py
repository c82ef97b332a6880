"""How fast this machine does MD, by a short run of a system of known size: water in a box, or charges in GB."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

WATER_ATOMS, IMPLICIT_ATOMS = 1800, 150
"""Sizes of the systems that are timed."""
WATER_CUTOFF_ANGSTROM = 9.0
"""Of the water."""


def step_s(*, explicit: bool, platform: str = "CPU", seconds: float = 20.0, timestep_fs: float = 4.0) -> float:
    """Time a step of MD.

    Parameters
    ----------
    explicit
        Water in a box with particle mesh Ewald; else charges in implicit solvent without a cutoff.
    platform
        Of OpenMM.
    seconds
        How long to measure, s: of the processor's time on a CPU, where other work on the machine does not count.
    timestep_fs
        Time step, fs.

    Returns
    -------
    float
        Seconds a step: of one core on a CPU, of the card on a GPU.
    """
    import openmm

    system, positions_nm = _water(WATER_ATOMS // 3) if explicit else _charges(IMPLICIT_ATOMS)
    cpu = platform in ("CPU", "Reference")
    integrator = openmm.LangevinMiddleIntegrator(298.15, 1.0, timestep_fs / 1000)
    options = {"Threads": "1"} if platform == "CPU" else {}
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName(platform), options)
    context.setPositions(positions_nm)
    openmm.LocalEnergyMinimizer.minimize(context, maxIterations=20)
    context.setVelocitiesToTemperature(298.15, 1)
    integrator.step(10)
    context.getState(getEnergy=True)  # a GPU has done what it was told
    clock = time.process_time if cpu else time.perf_counter
    start, steps = clock(), 0
    while clock() - start < seconds:
        integrator.step(10 if cpu else 1000)
        context.getState(getEnergy=True)
        steps += 10 if cpu else 1000
    return (clock() - start) / steps


def _water(molecules: int) -> tuple[Any, np.ndarray]:
    """TIP3P at 1 g/mL on a lattice, hydrogens of 3 amu."""
    import openmm

    side_nm, number = (molecules / 33.4) ** (1 / 3), int(np.ceil(molecules ** (1 / 3)))
    system, force = openmm.System(), openmm.NonbondedForce()
    force.setNonbondedMethod(openmm.NonbondedForce.PME)
    force.setCutoffDistance(WATER_CUTOFF_ANGSTROM / 10)
    system.setDefaultPeriodicBoxVectors(*(side_nm * np.eye(3)))
    atoms = np.array([[0.0, 0.0, 0.0], [0.0757, 0.0586, 0.0], [-0.0757, 0.0586, 0.0]])
    centres = np.array(list(np.ndindex(number, number, number))[:molecules]) * side_nm / number
    for first in range(0, 3 * molecules, 3):
        for mass, charge, sigma, epsilon in ((12.0, -0.834, 0.315, 0.635), *((3.0, 0.417, 1.0, 0.0),) * 2):
            system.addParticle(mass)
            force.addParticle(charge, sigma, epsilon)
        for a, b, length_nm in ((0, 1, 0.09572), (0, 2, 0.09572), (1, 2, 0.15139)):
            system.addConstraint(first + a, first + b, length_nm)
            force.addException(first + a, first + b, 0.0, 1.0, 0.0)
    system.addForce(force)
    return system, (centres[:, None] + atoms).reshape(-1, 3)


def _charges(atoms: int) -> tuple[Any, np.ndarray]:
    """Charges of alternating sign on a lattice, held near the middle."""
    import openmm

    system, force, solvent = openmm.System(), openmm.NonbondedForce(), openmm.GBSAOBCForce()
    held = openmm.CustomExternalForce("50*(x*x+y*y+z*z)")
    for number in range(atoms):
        system.addParticle(12.0)
        force.addParticle(0.2 * (-1) ** number, 0.3, 0.3)
        solvent.addParticle(0.2 * (-1) ** number, 0.15, 0.8)
        held.addParticle(number, [])
    for one in (force, solvent, held):
        system.addForce(one)
    side = int(np.ceil(atoms ** (1 / 3)))
    lattice = np.array(list(np.ndindex(side, side, side))[:atoms], dtype=float)
    return system, 0.3 * (lattice - lattice.mean(axis=0))
