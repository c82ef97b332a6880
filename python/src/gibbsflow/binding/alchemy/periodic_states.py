"""The alchemical System of explicit solvent: one System, all λ states by its global parameters.

Parts of a periodic parent with PME, and what λ does to them (λ_e, λ_s, λ_r: electrostatics, sterics, restraints):

* charges of the ligand q → λ_e q by offsets of NonbondedForce, so that all of PME follows, its reciprocal space
  included; 1–4 pairs q q′ → λ_e q q′. At λ_e = 0 the ligand has no electrostatics at all (annihilation);
* Lennard-Jones between ligand and surroundings by a soft core, in `SOFT_CORES`; within the ligand it is kept in full;
* the long-range correction of ligand with surroundings λ_s c/V: the soft core has no tail of its own, so that its
  correction costs nothing when λ or the box changes;
* the restraint goes with λ_r.

λ moves by `Context.setParameter`, so walkers exchange states and not coordinates.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import openmm

from gibbsflow.binding.alchemy.openmm_states import restraint_force
from gibbsflow.binding.alchemy.restraints import Restraint
from gibbsflow.errors import InputError, Problem

SOFT_CORES: Mapping[str, str] = {
    "beutler": (
        "4*lambda_sterics*epsilon*(1/d-1)/d; d=0.5*(1-lambda_sterics)+(r/sigma)^6;"
        "sigma=0.5*(sigma1+sigma2); epsilon=root1*root2"
    ),
    "gapsys": (
        "lambda_sterics*epsilon*4*select(step(r-s), x*(x-1), inner);"
        "inner=y*(y-1)+(6*y-12*y^2)*t+(78*y^2-21*y)*t^2; t=(r-s)/s; x=(sigma/r)^6; y=(sigma/s)^6;"
        "s=max(1e-4*sigma, 0.85*sigma*(26/7*(1-lambda_sterics))^(1/6));"
        "sigma=0.5*(sigma1+sigma2); epsilon=root1*root2"
    ),
}
"""Ligand–surroundings Lennard-Jones by name.

``beutler``: α = 0.5, powers 1, 1, 6 (Beutler et al., Chem. Phys. Lett. 222, 529 (1994)). ``gapsys``: the force goes on
linearly below the distance s (Gapsys, Seeliger, de Groot, J. Chem. Theory Comput. 8, 2373 (2012), eq. 12–14, α = 0.85).
"""


def periodic_alchemical_system(
    parent: openmm.System,
    ligand_atoms: Sequence[int],
    restraint: Restraint | None = None,
    *,
    soft_core: str = "beutler",
) -> openmm.System:
    """Make the System of all λ states.

    Parameters
    ----------
    parent
        Ordinary periodic System with one NonbondedForce with PME. It is not changed.
    ligand_atoms
        0-based indices of the ligand; all others are its surroundings.
    restraint
        Restraint at full strength; None for none.
    soft_core
        A name in `SOFT_CORES`.

    Returns
    -------
    openmm.System
        With global parameters ``lambda_electrostatics`` and ``lambda_sterics`` (1), and ``lambda_restraints`` (0) where
        there is a restraint. At these values it is the parent.

    Raises
    ------
    InputError
        For a ligand bonded to its surroundings, or forces that this method does not know.
    """
    system = copy.deepcopy(parent)
    ligand = frozenset(ligand_atoms)
    added: list[openmm.Force] = []
    for force in system.getForces():
        if isinstance(force, openmm.NonbondedForce):
            added += _alter_nonbonded(force, ligand, SOFT_CORES[soft_core])
        elif isinstance(force, openmm.GBSAOBCForce | openmm.CustomGBForce | openmm.CustomNonbondedForce):
            raise InputError(Problem("topology", f"has a {force.getName()}", "a force field of pairs, in PME"))
    for force in added:
        system.addForce(force)
    if restraint is not None:
        system.addForce(restraint_force(restraint, by_parameter=True))
    return system


def _alter_nonbonded(force: openmm.NonbondedForce, ligand: frozenset[int], expression: str) -> list[openmm.Force]:
    """Let λ_e scale the ligand's charges, take its Lennard-Jones out, and return the forces that stand for this."""
    if force.getNonbondedMethod() != openmm.NonbondedForce.PME:
        raise InputError(Problem("topology", "is not in PME", "a periodic system with PME"))
    particles = [[p._value for p in force.getParticleParameters(i)] for i in range(force.getNumParticles())]
    tail = _tail_coefficient(force, particles, ligand) if force.getUseDispersionCorrection() else 0.0
    force.addGlobalParameter("lambda_electrostatics", 1.0)
    for i in sorted(ligand):
        charge, sigma, _ = particles[i]
        force.setParticleParameters(i, 0.0, sigma, 0.0)
        force.addParticleParameterOffset("lambda_electrostatics", i, charge, 0.0, 0.0)
    excepted = set()
    for index in range(force.getNumExceptions()):
        i, j, charge_product, sigma, epsilon = force.getExceptionParameters(index)
        excepted.add((min(i, j), max(i, j)))
        if (i in ligand) != (j in ligand):
            raise InputError(Problem("topology", f"atoms {i} and {j} bond the ligand to the rest", "no such bond"))
        if i in ligand and charge_product._value != 0:
            force.setExceptionParameters(index, i, j, 0.0, sigma, epsilon)
            force.addExceptionParameterOffset("lambda_electrostatics", index, charge_product._value, 0.0, 0.0)
    added: list[openmm.Force] = [_soft_core(force, particles, ligand, excepted, expression)]
    pairs = [(i, j) for i in sorted(ligand) for j in sorted(ligand) if i < j and (i, j) not in excepted]
    if pairs:
        added.append(_inner_sterics(force, particles, pairs))
    if tail:
        correction = openmm.CustomVolumeForce("lambda_sterics*c/v")
        correction.addGlobalParameter("lambda_sterics", 1.0)
        correction.addGlobalParameter("c", tail)
        correction.setName("SoftCoreDispersionCorrection")
        added.append(correction)
    return added


def _soft_core(
    force: openmm.NonbondedForce,
    particles: Sequence[Sequence[float]],
    ligand: frozenset[int],
    excepted: set[tuple[int, int]],
    expression: str,
) -> openmm.CustomNonbondedForce:
    soft = openmm.CustomNonbondedForce(expression)
    soft.setName("SoftCoreLennardJones")
    soft.addGlobalParameter("lambda_sterics", 1.0)
    soft.addPerParticleParameter("sigma")
    soft.addPerParticleParameter("root")
    for _, sigma, epsilon in particles:
        soft.addParticle([sigma, math.sqrt(epsilon)])
    for i, j in sorted(excepted):
        soft.addExclusion(i, j)
    soft.addInteractionGroup(ligand, [i for i, (_, _, eps) in enumerate(particles) if i not in ligand and eps > 0])
    soft.setNonbondedMethod(openmm.CustomNonbondedForce.CutoffPeriodic)
    soft.setCutoffDistance(force.getCutoffDistance())
    soft.setUseSwitchingFunction(force.getUseSwitchingFunction())
    soft.setSwitchingDistance(force.getSwitchingDistance())
    return soft


def _inner_sterics(
    force: openmm.NonbondedForce, particles: Sequence[Sequence[float]], pairs: Sequence[tuple[int, int]]
) -> openmm.CustomBondForce:
    """Lennard-Jones within the ligand, cut off as in the parent: a pair of bonds is cheaper than a neighbour list."""
    cutoff, switch = force.getCutoffDistance()._value, force.getSwitchingDistance()._value
    smooth = "1"
    if force.getUseSwitchingFunction():
        smooth = "select(step(r-switch), 1-z^3*(10-15*z+6*z^2), 1); z=(r-switch)/(cutoff-switch)"
    inner = openmm.CustomBondForce(
        f"select(step(cutoff-r), 4*epsilon*x*(x-1)*smooth, 0); x=(sigma/r)^6; smooth={smooth}"
    )
    inner.setName("LigandLennardJones")
    inner.addGlobalParameter("cutoff", cutoff)
    inner.addGlobalParameter("switch", switch)
    inner.addPerBondParameter("sigma")
    inner.addPerBondParameter("epsilon")
    inner.setUsesPeriodicBoundaryConditions(True)
    for i, j in pairs:
        epsilon = math.sqrt(particles[i][2] * particles[j][2])
        if epsilon > 0:
            inner.addBond(i, j, [0.5 * (particles[i][1] + particles[j][1]), epsilon])
    return inner


def _tail_coefficient(
    force: openmm.NonbondedForce, particles: Sequence[Sequence[float]], ligand: frozenset[int]
) -> float:
    """What the ligand adds to OpenMM's long-range correction, times the volume, kJ/mol nm³.

    E = 8π N²/V ⟨ε ∫ (1 − S(r)) (σ¹²/r¹² − σ⁶/r⁶) r² dr⟩ over all N (N + 1)/2 pairs, a particle with itself included,
    S the switching function (OpenMM's User Guide, section on the Lennard-Jones interaction).
    """
    count = len(particles)
    kinds = Counter((sigma, epsilon, i in ligand) for i, (_, sigma, epsilon) in enumerate(particles) if epsilon > 0)
    cutoff = force.getCutoffDistance()._value
    switch = force.getSwitchingDistance()._value if force.getUseSwitchingFunction() else cutoff
    nodes, weights = np.polynomial.legendre.leggauss(64)
    r = switch + (cutoff - switch) * (nodes + 1) / 2
    z = (nodes + 1) / 2
    shell = weights * (cutoff - switch) / 2 * r**2 * z**3 * (10 - 15 * z + 6 * z**2)
    beyond_12, beyond_6 = 1 / (9 * cutoff**9) + np.sum(shell / r**12), 1 / (3 * cutoff**3) + np.sum(shell / r**6)
    total = 0.0
    ordered = list(kinds.items())
    for a, ((sigma_a, epsilon_a, in_a), n_a) in enumerate(ordered):
        for (sigma_b, epsilon_b, in_b), n_b in ordered[a:]:
            if in_a or in_b:
                pairs = n_a * (n_a + 1) / 2 if (sigma_a, epsilon_a, in_a) == (sigma_b, epsilon_b, in_b) else n_a * n_b
                sigma_6 = (0.5 * (sigma_a + sigma_b)) ** 6
                total += pairs * math.sqrt(epsilon_a * epsilon_b) * sigma_6 * (sigma_6 * beyond_12 - beyond_6)
    return float(8 * math.pi * count**2 * total / (count * (count + 1) / 2))
