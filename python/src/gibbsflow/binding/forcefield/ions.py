"""Single ions of a water model: their charge and Lennard-Jones, as tleap puts them into boxes."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import openmm

from gibbsflow.engines import ambertools
from gibbsflow.engines.openmm_systems import load_topology

CATION, ANION = "Na+", "Cl-"


@dataclass(frozen=True)
class Ion:
    """A monovalent ion.

    Attributes
    ----------
    name
        As tleap calls it.
    charge_e
        Charge, e.
    sigma_nm, epsilon_kj_per_mol
        Lennard-Jones.
    """

    name: str
    charge_e: float
    sigma_nm: float
    epsilon_kj_per_mol: float


@cache
def ion_of(solvent: str, name: str) -> Ion:
    """Look up an ion of a water model.

    Parameters
    ----------
    solvent
        The water model.
    name
        `CATION` or `ANION`.

    Returns
    -------
    Ion
        Of ``leaprc.water.<solvent>``, that boxes are built with.
    """
    with tempfile.TemporaryDirectory(prefix="gibbsflow-ion-") as scratch:
        folder = Path(scratch)
        lines = [f"source leaprc.water.{solvent}", f"ion = copy {name}", "saveamberparm ion ion.prmtop ion.inpcrd"]
        ambertools.tleap("\n".join([*lines, "quit", ""]), folder=folder, log=folder / "leap.log", name=name)
        system = load_topology(folder / "ion.prmtop").createSystem()
    (force,) = (f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    charge, sigma, epsilon = (value._value for value in force.getParticleParameters(0))
    return Ion(name, float(charge), float(sigma), float(epsilon))
