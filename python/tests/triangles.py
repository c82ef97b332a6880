"""A rigid triangle bound to three wells, whose binding free energy is known, let go under any restraint."""

from __future__ import annotations

import math

import numpy as np
import openmm

from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint, CentreOfMassRestraint, FlatBottomRestraint
from gibbsflow.config.binding import Md
from gibbsflow.units import KJ_PER_KCAL, STANDARD_VOLUME_ANGSTROM3, kt_kcal_per_mol

MD = Md(temperature_k=300, timestep_fs=4, friction_per_ps=5, platform="Reference")
KT = kt_kcal_per_mol(300)
K_WELL = 3.0
"""kcal/mol/Å², of each atom to its well."""
SITE = np.array([[0.0, -5.0, 0.0], [3.5, -7.0, 1.0], [-1.0, -8.0, -3.0]])
"""Anchors of the receptor, which stands still, Å."""
LIGAND = np.array([[0.0, 0.9, 0.2], [-1.3, -0.6, 0.1], [1.3, -0.3, -0.3]])
"""Where the triangle is bound, Å, its centre at the origin."""
LIGAND -= LIGAND.mean(axis=0)
POSITIONS_NM = np.concatenate([SITE, LIGAND, LIGAND]) / 10
"""Atoms 0–2: anchors, 3–5: wells, 6–8: ligand."""
RESTRAINTS = {
    "com": CentreOfMassRestraint((3, 4, 5), (6, 7, 8), 5.0),
    "com of a shell": CentreOfMassRestraint((3, 4, 5), (6, 7, 8), 5.0, r0_angstrom=1.0),
    "flat bottom": FlatBottomRestraint((3, 4, 5), (6, 7, 8), 4.0, 1.2),
    # off the bound pose, across ±180°, and weak: what differs is worked off by λ, and the closed form is not exact
    "boresch": BoreschRestraint((0, 1, 2), (8, 7, 6), 5.2, 98.0, 76.0, -125.0, -170.0, 178.0, 8.0, 12.0),
}
"""By what each is called."""
TURNABLE = np.array([[0.0, 1.1, 0.0], [-1.3, -0.55, 0.0], [1.3, -0.55, 0.0]])
"""A triangle that a half turn maps onto itself, for `turning_triangle`."""


def exact_kcal_per_mol(ligand: np.ndarray = LIGAND) -> float:
    """ΔG° of binding, −kT ln[Z/(8π² V0)].

    Z of a rigid body in harmonic wells, U = ½ K Σ |X + R b − b|²: (2πkT/3K)^1.5 for its centre, and over rotations by
    ω about n, of measure 8π² (1 − cos ω)/π dω dn/4π, e^(−K (1 − cos ω)(tr M − n·M n)/kT) with M = Σ b bᵀ.
    """
    inertia = ligand.T @ ligand
    omega, omega_weights = np.polynomial.legendre.leggauss(200)
    omega, omega_weights = (omega + 1) * math.pi / 2, omega_weights * math.pi / 2
    z, z_weights = np.polynomial.legendre.leggauss(80)
    phi = np.arange(160) * 2 * math.pi / 160
    sine = np.sqrt(1 - z**2)[:, None]
    axes = np.stack([sine * np.cos(phi), sine * np.sin(phi), np.broadcast_to(z[:, None], (80, 160))], axis=-1)
    across = np.trace(inertia) - np.einsum("ijk,kl,ijl->ij", axes, inertia, axes)
    lift = 1 - np.cos(omega)
    weights = np.exp(-K_WELL / KT * lift[:, None, None] * across)
    share = np.einsum("w,wij,i->", omega_weights * lift / math.pi, weights, z_weights / 2) / 160
    return -KT * math.log((2 * math.pi * KT / (3 * K_WELL)) ** 1.5 * share / STANDARD_VOLUME_ANGSTROM3)


def triangle(well: float = 1.0, *, by_parameter: bool = False) -> openmm.System:
    """Make the System, its wells scaled by `well`, or in a periodic box by the parameter ``lambda_sterics``."""
    system = openmm.System()
    for number in range(9):
        system.addParticle(12.0 if number > 5 else 0.0)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        system.addConstraint(6 + a, 6 + b, float(np.linalg.norm(LIGAND[a] - LIGAND[b])) / 10)
    k = K_WELL * KJ_PER_KCAL * 100
    if by_parameter:
        force = openmm.CustomBondForce(f"lambda_sterics*0.5*{k!r}*r^2")
        force.addGlobalParameter("lambda_sterics", 1.0)
        force.setUsesPeriodicBoundaryConditions(True)
        for number in range(3):
            force.addBond(3 + number, 6 + number, [])
        system.addForce(force)
    elif well > 0:
        wells = openmm.HarmonicBondForce()
        for number in range(3):
            wells.addBond(3 + number, 6 + number, 0.0, well * k)
        system.addForce(wells)
    return system


def turning_triangle(well: float = 1.0) -> openmm.System:
    """Make the System of `TURNABLE`, its last two atoms alike: each may be in the well of the other.

    U = −kT ln[e^(−U₁/kT) + e^(−U₂/kT)] of both ways, so that Z is twice that of one.
    """
    system = openmm.System()
    for number in range(9):
        system.addParticle(12.0 if number > 5 else 0.0)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        system.addConstraint(6 + a, 6 + b, float(np.linalg.norm(TURNABLE[a] - TURNABLE[b])) / 10)
    if well > 0:
        force = openmm.CustomCompoundBondForce(
            6,
            f"{well!r}*(u+min(a,b)-kt*log(1+exp(-abs(a-b)/kt))); kt={KT * KJ_PER_KCAL!r}; u=k*distance(p1,p4)^2;"
            "a=k*(distance(p2,p5)^2+distance(p3,p6)^2); b=k*(distance(p2,p6)^2+distance(p3,p5)^2);"
            f"k={K_WELL * KJ_PER_KCAL * 50!r}",
        )
        force.addBond([3, 4, 5, 6, 7, 8], [])
        system.addForce(force)
    return system


SCHEDULE = [(0, 1), (0.2, 1), (1, 1), (1, 0.5), (1, 0.2), (1, 0.08), (1, 0.03), (1, 0.0)]
"""(λ of the restraint, share of the wells), from bound to let go."""
