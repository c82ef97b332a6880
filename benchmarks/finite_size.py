"""Charge an ion in boxes of several sizes, and correct each: the corrected free energies must agree.

An ion of +2 e in TIP3P at constant pressure; G by three Gauss-Legendre points of thermodynamic integration over its
charge. `python benchmarks/finite_size.py OUT.json [ps]`.
"""

import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from openmm import app, unit

from gibbsflow.binding.alchemy.finite_size.cavity import background_potential
from gibbsflow.binding.alchemy.finite_size.leg_correction import lennard_jones_radii_angstrom
from gibbsflow.binding.alchemy.finite_size.terms import (
    PERMITTIVITY,
    Charges,
    IntegratedPotentials,
    Solvent,
    correction_terms,
)
from gibbsflow.binding.alchemy.periodic_states import periodic_alchemical_system
from gibbsflow.units import KJ_PER_KCAL

CHARGE, SIGMA_NM, EPSILON = 2.0, 0.40, 0.5
EDGES_NM, CUTOFF_NM = (1.6, 2.2), 0.7
NODES, WEIGHTS = np.polynomial.legendre.leggauss(3)
STEP_PS, EVERY = 0.004, 20


def box(edge_nm: float) -> tuple[openmm.System, np.ndarray, int]:
    """An ion amid water: System, positions in nm, waters."""
    field = app.ForceField("amber14/tip3p.xml")
    modeller = app.Modeller(app.Topology(), [])
    modeller.addSolvent(field, boxSize=openmm.Vec3(*[edge_nm] * 3) * unit.nanometer)
    places = np.array(modeller.positions.value_in_unit(unit.nanometer))
    waters = list(modeller.topology.residues())
    oxygens = np.array([next(iter(w.atoms())).index for w in waters])
    away = places[oxygens] - edge_nm / 2
    gone = [waters[k] for k in np.flatnonzero(np.linalg.norm(away, axis=1) < 0.32)]
    modeller.delete(gone)
    system = field.createSystem(
        modeller.topology,
        nonbondedMethod=app.PME,
        nonbondedCutoff=CUTOFF_NM * unit.nanometer,
        removeCMMotion=False,
        hydrogenMass=3 * unit.amu,
    )
    force = next(f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    system.addParticle(40.0)
    force.addParticle(CHARGE, SIGMA_NM, EPSILON)
    places = np.vstack([np.array(modeller.positions.value_in_unit(unit.nanometer)), np.full(3, edge_nm / 2)])
    return system, places, len(waters) - len(gone)


def context(system: openmm.System, seed: int, barostat: bool = False) -> openmm.Context:
    """On one CPU thread, at 298.15 K."""
    if barostat:
        system.addForce(pressure := openmm.MonteCarloBarostat(1.01325, 298.15, 10))
        pressure.setRandomNumberSeed(seed)
    integrator = openmm.LangevinMiddleIntegrator(298.15, 2.0, STEP_PS)
    integrator.setRandomNumberSeed(seed)
    return openmm.Context(system, integrator, openmm.Platform.getPlatformByName("CPU"), {"Threads": "1"})


def slope(made: openmm.Context, at: float) -> float:
    """dU/dλ in kcal/mol: U is of second order in the charge, so that the central difference is exact."""
    energies = []
    for value in (at + 0.05, at - 0.05):
        made.setParameter("lambda_electrostatics", value)
        energies.append(made.getState(getEnergy=True).getPotentialEnergy()._value)
    made.setParameter("lambda_electrostatics", at)
    return (energies[0] - energies[1]) / 0.1 / KJ_PER_KCAL


def terms_of_ion(charge_e: float, sigma_nm: float, epsilon: float, waters: int, volume: float) -> Any:
    """Rocklin's terms of one ion in a cube of TIP3P of so many Å³, kcal/mol."""
    here = np.zeros((1, 3))
    radius = lennard_jones_radii_angstrom(np.array([[charge_e, sigma_nm, epsilon]]))
    permittivity = PERMITTIVITY["tip3p"]
    potential = background_potential(here, radius, here, permittivity=permittivity, origin_angstrom=here[0])[0]
    return correction_terms(
        Charges(charge_e),
        Solvent(permittivity, waters, 2 * 0.417 * 0.9572**2),
        IntegratedPotentials(potential * charge_e, 0.0, potential * charge_e),
        np.eye(3) * volume ** (1 / 3),
        298.15,
    )


def charge(edge_nm: float, length_ps: float) -> dict:
    """Raw and corrected free energy of charging in one box, kcal/mol."""
    parent, places, waters = box(edge_nm)
    ion = len(places) - 1
    total, variance, volumes = 0.0, 0.0, []
    slopes = []
    for number, (node, weight) in enumerate(zip(NODES, WEIGHTS, strict=True)):
        at = (node + 1) / 2
        made = context(periodic_alchemical_system(parent, [ion]), 11 + number, barostat=True)
        made.setPositions(places)
        made.setParameter("lambda_electrostatics", at)
        openmm.LocalEnergyMinimizer.minimize(made, 10, 200)
        made.getIntegrator().step(2500)
        found = []
        for _ in range(round(length_ps / (STEP_PS * EVERY))):
            made.getIntegrator().step(EVERY)
            found.append(slope(made, at))
            volumes.append(made.getState().getPeriodicBoxVolume()._value * 1000)
        parts = np.array(found)[: len(found) // 10 * 10].reshape(10, -1).mean(axis=1)
        slopes.append([at, float(np.mean(found)), float(parts.std(ddof=1) / 10**0.5)])
        total += weight / 2 * slopes[-1][1]
        variance += (weight / 2 * slopes[-1][2]) ** 2
        print(edge_nm, slopes[-1], file=sys.stderr, flush=True)
    volume = float(np.mean(volumes))
    terms = terms_of_ion(CHARGE, SIGMA_NM, EPSILON, waters, volume)
    return {
        "edge_nm": volume ** (1 / 3) / 10,
        "waters": waters,
        "slopes_lambda_kcal_per_mol_error": slopes,
        "raw_kcal_per_mol": total,
        "error_kcal_per_mol": variance**0.5,
        "terms_kcal_per_mol": {name: float(value) for name, value in vars(terms).items()},
        "corrected_kcal_per_mol": total + float(terms.total),
    }


if __name__ == "__main__":
    length = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    boxes = [charge(edge, length) for edge in EDGES_NM]
    made = {"ps_a_point": length, "openmm": openmm.__version__, "machine": platform.processor() or platform.machine()}
    Path(sys.argv[1]).write_text(json.dumps(made | {"boxes": boxes}, indent=1) + "\n")
    print(json.dumps(boxes, indent=1))
