"""Alchemical Systems: one OpenMM System for each λ state, made of native forces wherever these give the energy.

Double decoupling in implicit solvent (Gilson, Given, Bush, McCammon, Biophys. J. 72, 1047 (1997)):

* charges of the ligand q → λ_e q everywhere, so that Coulomb terms with the receptor go with λ_e and those within the
  ligand with λ_e² (annihilation); the same charges enter the generalised-Born force;
* Lennard-Jones between ligand and receptor by the soft core of Beutler et al. (Chem. Phys. Lett. 222, 529 (1994)),
  U = 4 ε λ_s [1/d² − 1/d], d = α (1 − λ_s) + (r/σ)⁶, α = 0.5; within the ligand it is kept in full;
* descreening of the receptor by the ligand: its scale factors go with λ_s, so that nothing of it is left at λ_s = 0;
* the restraint goes with λ_restraints.

Each state is a System of its own, with its parameters written in, because GBSAOBCForce has no global parameters and
because it is faster: states with λ_s = 1 or 0 need no soft core at all, and a bonded soft core costs a CPU a fifth of
a CustomNonbondedForce with an interaction group while giving the same energy, there being no cutoff.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import openmm

from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint, FlatBottomRestraint, Restraint
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import KJ_PER_KCAL

SOFT_CORE_ALPHA = 0.5
NO_DESCREENING = 1e-10  # OpenMM refuses 0; the descreened volume goes with its third power


def alchemical_system(
    parent: openmm.System, ligand_atoms: Sequence[int], state: LambdaState, restraint: Restraint | None = None
) -> openmm.System:
    """Make the System of one λ state.

    Parameters
    ----------
    parent
        Ordinary System with a NonbondedForce without cutoff and, perhaps, a GBSAOBCForce. It is not changed.
    ligand_atoms
        0-based indices of the ligand; all other atoms are the receptor. Without others (the ligand's own leg) only
        charges change.
    state
        λ values.
    restraint
        Restraint at full strength; None for none.

    Returns
    -------
    openmm.System
        Equal to the parent at λ_e = λ_s = 1 without restraint.

    Raises
    ------
    InputError
        For a ligand bonded to the receptor, or forces that this method does not know.
    """
    system = copy.deepcopy(parent)
    ligand = frozenset(ligand_atoms)
    soft_core = None
    for force in system.getForces():
        if isinstance(force, openmm.NonbondedForce):
            soft_core = _alter_nonbonded(force, ligand, state)
        elif isinstance(force, openmm.GBSAOBCForce):
            for atom in ligand:
                charge, radius, scale = force.getParticleParameters(atom)
                scale = max(scale * state.lambda_sterics, NO_DESCREENING)
                force.setParticleParameters(atom, charge * state.lambda_electrostatics, radius, scale)
        elif isinstance(force, openmm.CustomGBForce | openmm.CustomNonbondedForce):
            raise InputError(Problem("topology", f"has a {force.getName()}", "AMBER force fields with OBC2 or vacuum"))
    if soft_core is not None:
        system.addForce(soft_core)
    if restraint is not None and state.lambda_restraints > 0:
        system.addForce(restraint_force(restraint, state.lambda_restraints))
    return system


def _alter_nonbonded(
    force: openmm.NonbondedForce, ligand: frozenset[int], state: LambdaState
) -> openmm.CustomBondForce | None:
    """Scale charges in place; where λ_s < 1 take ligand–receptor Lennard-Jones out, and return the soft core for it."""
    if force.getNonbondedMethod() != openmm.NonbondedForce.NoCutoff:
        raise InputError(Problem("topology", "has a nonbonded cutoff", "implicit solvent or vacuum without cutoff"))
    lambda_e, lambda_s = state.lambda_electrostatics, state.lambda_sterics
    parameters = [[p._value for p in force.getParticleParameters(i)] for i in range(force.getNumParticles())]
    excepted: set[tuple[int, int]] = set()
    for index in range(force.getNumExceptions()):
        i, j, charge_product, sigma, epsilon = force.getExceptionParameters(index)
        if (i in ligand) != (j in ligand):
            raise InputError(Problem("topology", f"atoms {i} and {j} bond the ligand to the receptor", "no such bond"))
        if i in ligand:
            excepted.add((min(i, j), max(i, j)))
            force.setExceptionParameters(index, i, j, charge_product * lambda_e**2, sigma, epsilon)
    receptor = [i for i in range(force.getNumParticles()) if i not in ligand]
    split = bool(receptor) and lambda_s < 1
    for i in ligand:
        charge, sigma, epsilon = parameters[i]
        force.setParticleParameters(i, charge * lambda_e, sigma, 0.0 if split else epsilon)
    if not split:
        return None
    ordered = sorted(ligand)
    for position, i in enumerate(ordered):
        for j in ordered[position + 1 :]:
            if (i, j) not in excepted:
                sigma, epsilon = _combine(parameters[i], parameters[j])
                force.addException(i, j, parameters[i][0] * parameters[j][0] * lambda_e**2, sigma, epsilon)
    if lambda_s == 0:
        return None
    soft = openmm.CustomBondForce(
        f"four_lambda_epsilon*(1/d-1)/d; d={SOFT_CORE_ALPHA * (1 - lambda_s)!r}+(r*inverse_sigma)^6"
    )
    soft.setName("SoftCoreLennardJones")
    soft.addPerBondParameter("inverse_sigma")
    soft.addPerBondParameter("four_lambda_epsilon")
    for i in receptor:
        for j in ordered:
            sigma, epsilon = _combine(parameters[i], parameters[j])
            if epsilon > 0:
                soft.addBond(i, j, [1 / sigma, 4 * lambda_s * epsilon])
    return soft


def _combine(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Lorentz–Berthelot σ (nm) and ε (kJ/mol) of two atoms' (charge, σ, ε)."""
    return 0.5 * (a[1] + b[1]), math.sqrt(a[2] * b[2])


def restraint_force(
    restraint: Restraint, lambda_restraints: float = 1.0, *, by_parameter: bool = False
) -> openmm.Force:
    """Make the OpenMM force of a restraint.

    Parameters
    ----------
    restraint
        Its geometry and constants, per kcal, Å and radian.
    lambda_restraints
        Scales the energy.
    by_parameter
        Whether the global parameter ``lambda_restraints``, 0 at first, scales it as well; such a force is periodic.

    Returns
    -------
    openmm.Force
        Of nm, kJ/mol and rad.
    """

    def _scaled(expression: str) -> str:
        energy, *definitions = expression.split(";", 1)
        return ";".join([f"lambda_restraints*({energy})", *definitions]) if by_parameter else expression

    if isinstance(restraint, BoreschRestraint):
        # the dihedrals' deviations are taken into −π..π, so that no reference near ±180° tears
        force = openmm.CustomCompoundBondForce(6, _scaled(_BORESCH))
        p1, p2, p3 = restraint.receptor
        members = [p3, p2, p1, *restraint.ligand]
        values = _boresch_values(restraint, lambda_restraints)
    else:
        if isinstance(restraint, FlatBottomRestraint):
            x, rest = "max(0,distance(g1,g2)-r0)", restraint.radius_angstrom
        else:
            x, rest = "distance(g1,g2)-r0", restraint.r0_angstrom
        force = openmm.CustomCentroidBondForce(2, _scaled(f"0.5*k*({x})^2"))
        for atoms in (restraint.receptor_atoms, restraint.ligand_atoms):
            force.addGroup(list(atoms), [1.0] * len(atoms))
        members = [0, 1]
        k = lambda_restraints * restraint.k_kcal_per_mol_angstrom2 * KJ_PER_KCAL * 100
        values = {"k": k, "r0": rest / 10}
    for name in values:
        force.addPerBondParameter(name)
    force.addBond(members, list(values.values()))
    if by_parameter:
        force.addGlobalParameter("lambda_restraints", 0.0)
        force.setUsesPeriodicBoundaryConditions(True)
    force.setName("LigandRestraint")
    return force


_BORESCH = (
    "0.5*kr*(distance(p3,p4)-r0)^2 + 0.5*ka*(x1^2+x2^2+y1^2+y2^2+y3^2);"
    "x1=angle(p2,p3,p4)-theta_a; x2=angle(p3,p4,p5)-theta_b;"
    "y1=d1-tau*floor(d1/tau+0.5); y2=d2-tau*floor(d2/tau+0.5); y3=d3-tau*floor(d3/tau+0.5);"
    "d1=dihedral(p1,p2,p3,p4)-phi_a; d2=dihedral(p2,p3,p4,p5)-phi_b; d3=dihedral(p3,p4,p5,p6)-phi_c;"
    f"tau={2 * math.pi!r}"
)


def _boresch_values(restraint: BoreschRestraint, scale: float) -> dict[str, float]:
    return {
        "kr": scale * restraint.k_r_kcal_per_mol_angstrom2 * KJ_PER_KCAL * 100,
        "ka": scale * restraint.k_angle_kcal_per_mol_rad2 * KJ_PER_KCAL,
        "r0": restraint.r0_angstrom / 10,
        "theta_a": math.radians(restraint.theta_a_deg),
        "theta_b": math.radians(restraint.theta_b_deg),
        "phi_a": math.radians(restraint.phi_a_deg),
        "phi_b": math.radians(restraint.phi_b_deg),
        "phi_c": math.radians(restraint.phi_c_deg),
    }
