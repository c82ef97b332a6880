"""A rigid guest of three sites in CB7 that stands still: its binding free energy is an integral over its places."""

from __future__ import annotations

import host_guest as hg
import numpy as np
import openmm
from openmm import app
from scipy.spatial.transform import Rotation

from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint, CentreOfMassRestraint, Restraint
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.geometry import boresch_geometry
from gibbsflow.config.binding import Md
from gibbsflow.units import COULOMB_KCAL_ANGSTROM_PER_E2, KJ_PER_KCAL, STANDARD_VOLUME_ANGSTROM3, kt_kcal_per_mol

MD = Md(temperature_k=300, timestep_fs=4, friction_per_ps=5, platform="CPU")
KT = kt_kcal_per_mol(300)
SITES = np.array([[1.25, -0.45, 0.0], [0.0, 0.42, 0.0], [-1.25, -0.45, 0.0]])
SITES -= SITES.mean(axis=0)
CHARGES, SIGMA_ANGSTROM, EPSILON = (0.04, 0.02, -0.06), 3.6, 0.17
"""No two sites are alike."""
HOST = range(hg.RECEPTOR_ATOMS)
GUEST = (126, 127, 128)
ANCHORS = (0, 40, 80)
STATES = [
    LambdaState(*state)
    for state in (
        (0, 1, 1), (0.04, 1, 1), (0.2, 1, 1), (1, 1, 1), (1, 0, 1), (1, 0, 0.7), (1, 0, 0.4), (1, 0, 0.15), (1, 0, 0),
    )
]  # fmt: skip


def host() -> tuple[np.ndarray, np.ndarray]:
    """CB7's atoms in Å, its centre at the origin, and their charge (e), σ (Å), ε (kcal/mol)."""
    system = app.AmberPrmtopFile(str(hg.data("complex-vacuum.prmtop"))).createSystem()
    force = next(f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    rows = [[x._value for x in force.getParticleParameters(atom)] for atom in HOST]
    places = hg.positions_nm("complex-vacuum")[: len(HOST)] * 10
    return places - places.mean(axis=0), np.array(rows) * [1, 10, 1 / KJ_PER_KCAL]


def complex_system(centre: np.ndarray, turned: np.ndarray) -> tuple[openmm.System, np.ndarray]:
    """The System, its host without mass, and positions in nm with the guest in a pose."""
    places, parameters = host()
    system, force = openmm.System(), openmm.NonbondedForce()
    for charge, sigma, epsilon in parameters:
        system.addParticle(0.0)
        force.addParticle(charge, sigma / 10, epsilon * KJ_PER_KCAL)
    for charge in CHARGES:
        system.addParticle(15.0)
        force.addParticle(charge, SIGMA_ANGSTROM / 10, EPSILON * KJ_PER_KCAL)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        system.addConstraint(GUEST[a], GUEST[b], float(np.linalg.norm(SITES[a] - SITES[b])) / 10)
        force.addException(GUEST[a], GUEST[b], 0.0, 1.0, 0.0)
    system.addForce(force)
    return system, np.concatenate([places, centre + SITES @ turned.T]) / 10


def restraints(positions_nm: np.ndarray) -> dict[str, Restraint]:
    """Of both kinds, by name; the orientational one holds the guest as it stands there."""
    anchors = boresch_geometry(positions_nm[None] * 10, ANCHORS, GUEST)[0]
    return {
        "com": CentreOfMassRestraint(tuple(HOST), GUEST, 5.0),
        "boresch": BoreschRestraint(ANCHORS, GUEST, *anchors, 5.0, 12.0),
    }


def energies_kcal_per_mol(centre: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """Energy of guests at centres, shape (P, 3), Å, turned by matrices, shape (P, 3, 3)."""
    places, parameters = host()
    charge, sigma, epsilon = parameters.T
    energy = np.zeros(len(centre))
    for site, q in zip(SITES, CHARGES, strict=True):
        where = centre + turned @ site
        r2 = ((where**2).sum(axis=1)[:, None] + (places**2).sum(axis=1) - 2 * where @ places.T).clip(min=0.5)
        six = ((sigma + SIGMA_ANGSTROM) ** 2 / 4 / r2) ** 3
        energy += (4 * np.sqrt(epsilon * EPSILON) * (six**2 - six)).sum(axis=1)
        energy += (COULOMB_KCAL_ANGSTROM_PER_E2 * q * charge / np.sqrt(r2)).sum(axis=1)
    return energy


def inserted(points: int, radius_angstrom: float = 2.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres, rotations and energies of guests anywhere in a sphere."""
    random = np.random.default_rng(8)
    centre = random.normal(size=(points, 3))
    centre *= radius_angstrom * random.random((points, 1)) ** (1 / 3) / np.linalg.norm(centre, axis=1, keepdims=True)
    turned = Rotation.random(points, random_state=random).as_matrix()
    parts = range(0, points, 5000)
    energy = [energies_kcal_per_mol(centre[k : k + 5000], turned[k : k + 5000]) for k in parts]
    return centre, turned, np.concatenate(energy)


def exact_kcal_per_mol(energy: np.ndarray, radius_angstrom: float = 2.5) -> tuple[float, float]:
    """ΔG° of binding and its standard error: −kT ln[∫ ⟨e^(−U/kT)⟩ dV/V0] over places in a sphere and all rotations."""
    weight = np.exp(-energy / KT)
    volume = 4 / 3 * np.pi * radius_angstrom**3
    error = KT * float(weight.std() / weight.mean() / np.sqrt(len(weight)))
    return float(-KT * np.log(weight.mean() * volume / STANDARD_VOLUME_ANGSTROM3)), error
