"""The alchemical System of explicit solvent: one System, all λ states by its global parameters.

What changes are groups of atoms, each with λ of its own: the ligand; where it is decoupled in its site and coupled in
bulk at once, its copy; where its charge is made up for, ions. Parts of a periodic parent with PME, and what a group's
λ_e and λ_s do to them:

* charges q → λ_e q by offsets of NonbondedForce, so that all of PME follows, its reciprocal space included; 1–4 pairs
  q q′ → λ_e q q′. At λ_e = 0 a group has no electrostatics at all (annihilation);
* Lennard-Jones between group and surroundings by a soft core, in `SOFT_CORES`; within the group it is kept in full. A
  group without λ_s keeps its Lennard-Jones as it is;
* the long-range correction of group with surroundings λ_s c/V: the soft core has no tail of its own, so that its
  correction costs nothing when λ or the box changes;
* between two groups: no Lennard-Jones in any state, nor its correction; of electrostatics what their charges make;
* the restraint goes with λ_r.

λ moves by `Context.setParameter`, so walkers exchange states and not coordinates.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import openmm

from gibbsflow.binding.alchemy.openmm_states import restraint_force
from gibbsflow.binding.alchemy.restraint.restraints import Restraint
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


@dataclass(frozen=True)
class Scale:
    """What λ of a group is, by a global parameter.

    Attributes
    ----------
    parameter
        Its name, as in `schedules.LambdaState`.
    reverse
        Whether λ is 1 − the parameter.
    first
        Value of the parameter before a state is chosen.
    """

    parameter: str
    reverse: bool = False
    first: float = 1.0

    @property
    def base_and_slope(self) -> tuple[float, float]:
        """λ = base + slope · parameter.

        Returns
        -------
        base, slope
            Of no unit.
        """
        return (1.0, -1.0) if self.reverse else (0.0, 1.0)

    @property
    def expression(self) -> str:
        """λ in a formula.

        Returns
        -------
        str
            In brackets where it has to be.
        """
        return f"(1-{self.parameter})" if self.reverse else self.parameter


ELECTROSTATICS = Scale("lambda_electrostatics")
STERICS = Scale("lambda_sterics")


@dataclass(frozen=True)
class Group:
    """Atoms that change together.

    Attributes
    ----------
    atoms
        0-based indices.
    electrostatics
        λ of their charges.
    sterics
        λ of their Lennard-Jones with the surroundings; None where this stays.
    """

    atoms: tuple[int, ...]
    electrostatics: Scale = ELECTROSTATICS
    sterics: Scale | None = STERICS


def groups_of(ligand: Sequence[int], copy_atoms: Sequence[int] = (), ion_atoms: Sequence[int] = ()) -> list[Group]:
    """Give the groups of a leg.

    Parameters
    ----------
    ligand
        Decoupled: λ_e and λ_s are the parameters themselves.
    copy_atoms
        Its copy, coupled: its λ_e is 1 − the ligand's, so that their charges sum to the same in all states; its λ_s is
        ``lambda_sterics_copy``, which has to be 1 before it has charges.
    ion_atoms
        Ions whose charge goes with the ligand's.

    Returns
    -------
    list of Group
        The ligand first; without those of no atoms.
    """
    groups = [
        Group(tuple(ligand)),
        Group(tuple(copy_atoms), Scale("lambda_electrostatics", reverse=True), Scale("lambda_sterics_copy", first=0.0)),
        Group(tuple(ion_atoms), sterics=None),
    ]
    return [group for group in groups if group.atoms]


def periodic_alchemical_system(
    parent: openmm.System,
    ligand_atoms: Sequence[int],
    restraint: Restraint | None = None,
    *,
    soft_core: str = "beutler",
    copy_atoms: Sequence[int] = (),
    ion_atoms: Sequence[int] = (),
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
    copy_atoms, ion_atoms
        Of the groups beside the ligand, see :func:`groups_of`; none for none.

    Returns
    -------
    openmm.System
        With global parameters ``lambda_electrostatics`` and ``lambda_sterics`` (1), ``lambda_restraints`` (0) where
        there is a restraint, and ``lambda_sterics_copy`` (0) where there is a copy. At these values it is the parent,
        in which a copy interacts with nothing but itself and has no charges.

    Raises
    ------
    InputError
        For a ligand bonded to its surroundings, or forces that this method does not know.
    """
    system = copy.deepcopy(parent)
    groups = groups_of(ligand_atoms, copy_atoms, ion_atoms)
    added: list[openmm.Force] = []
    for force in system.getForces():
        if isinstance(force, openmm.NonbondedForce):
            added += _alter_nonbonded(force, groups, SOFT_CORES[soft_core])
        elif isinstance(force, openmm.GBSAOBCForce | openmm.CustomGBForce | openmm.CustomNonbondedForce):
            raise InputError(Problem("topology", f"has a {force.getName()}", "a force field of pairs, in PME"))
    for force in added:
        system.addForce(force)
    if restraint is not None:
        system.addForce(restraint_force(restraint, by_parameter=True))
    return system


def _alter_nonbonded(force: openmm.NonbondedForce, groups: Sequence[Group], expression: str) -> list[openmm.Force]:
    """Let λ_e scale the groups' charges, take their Lennard-Jones out, and return the forces that stand for this."""
    if force.getNonbondedMethod() != openmm.NonbondedForce.PME:
        raise InputError(Problem("topology", "is not in PME", "a periodic system with PME"))
    particles = [[p._value for p in force.getParticleParameters(i)] for i in range(force.getNumParticles())]
    group_of = {atom: group for group in groups for atom in group.atoms}
    soft = [group for group in groups if group.sterics is not None]
    tails = [_tail_coefficient(force, particles, group, group_of) for group in soft]
    for name, first in {group.electrostatics.parameter: group.electrostatics.first for group in groups}.items():
        force.addGlobalParameter(name, first)
    for i, group in sorted(group_of.items()):
        charge, sigma, epsilon = particles[i]
        base, slope = group.electrostatics.base_and_slope
        force.setParticleParameters(i, base * charge, sigma, epsilon if group.sterics is None else 0.0)
        force.addParticleParameterOffset(group.electrostatics.parameter, i, slope * charge, 0.0, 0.0)
    excepted = set()
    for index in range(force.getNumExceptions()):
        i, j, charge_product, sigma, epsilon = force.getExceptionParameters(index)
        excepted.add((min(i, j), max(i, j)))
        if group_of.get(i) != group_of.get(j):
            raise InputError(Problem("topology", f"atoms {i} and {j} bond the ligand to the rest", "no such bond"))
        if i in group_of and charge_product._value != 0:
            scale = group_of[i].electrostatics
            base, slope = scale.base_and_slope
            force.setExceptionParameters(index, i, j, base * charge_product, sigma, epsilon)
            force.addExceptionParameterOffset(scale.parameter, index, slope * charge_product._value, 0.0, 0.0)
    added: list[openmm.Force] = [_soft_core(force, particles, group, group_of, excepted, expression) for group in soft]
    pairs = [
        (i, j)
        for group in soft
        for i in sorted(group.atoms)
        for j in sorted(group.atoms)
        if i < j and (i, j) not in excepted
    ]
    if pairs:
        added.append(_inner_sterics(force, particles, pairs))
    if force.getUseDispersionCorrection():
        added += [_correction(group, tail, place) for place, (group, tail) in enumerate(zip(soft, tails, strict=True))]
    return added


def _correction(group: Group, tail: float, place: int) -> openmm.CustomVolumeForce:
    assert group.sterics is not None
    name = f"c{place or ''}"  # a global parameter's name is one for all forces
    correction = openmm.CustomVolumeForce(f"{group.sterics.expression}*{name}/v")
    correction.addGlobalParameter(group.sterics.parameter, group.sterics.first)
    correction.addGlobalParameter(name, tail)
    correction.setName("SoftCoreDispersionCorrection")
    return correction


def _soft_core(
    force: openmm.NonbondedForce,
    particles: Sequence[Sequence[float]],
    group: Group,
    group_of: Mapping[int, Group],
    excepted: set[tuple[int, int]],
    expression: str,
) -> openmm.CustomNonbondedForce:
    """Lennard-Jones of one group with what is in none."""
    assert group.sterics is not None
    soft = openmm.CustomNonbondedForce(expression.replace("lambda_sterics", group.sterics.expression))
    soft.setName("SoftCoreLennardJones")
    soft.addGlobalParameter(group.sterics.parameter, group.sterics.first)
    soft.addPerParticleParameter("sigma")
    soft.addPerParticleParameter("root")
    for _, sigma, epsilon in particles:
        soft.addParticle([sigma, math.sqrt(epsilon)])
    for i, j in sorted(excepted):
        soft.addExclusion(i, j)
    around = [i for i, (_, _, epsilon) in enumerate(particles) if i not in group_of and epsilon > 0]
    soft.addInteractionGroup(group.atoms, around)
    soft.setNonbondedMethod(openmm.CustomNonbondedForce.CutoffPeriodic)
    soft.setCutoffDistance(force.getCutoffDistance())
    soft.setUseSwitchingFunction(force.getUseSwitchingFunction())
    soft.setSwitchingDistance(force.getSwitchingDistance())
    return soft


def _inner_sterics(
    force: openmm.NonbondedForce, particles: Sequence[Sequence[float]], pairs: Sequence[tuple[int, int]]
) -> openmm.CustomBondForce:
    """Lennard-Jones within groups, cut off as in the parent: a pair of bonds is cheaper than a neighbour list."""
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
    force: openmm.NonbondedForce,
    particles: Sequence[Sequence[float]],
    group: Group,
    group_of: Mapping[int, Group],
) -> float:
    """What a group adds to OpenMM's long-range correction, times the volume, kJ/mol nm³; not with other groups."""
    kinds = Counter(
        (sigma, epsilon, i in group_of)
        for i, (_, sigma, epsilon) in enumerate(particles)
        if epsilon > 0 and group_of.get(i, group) == group
    )
    return dispersion_coefficient(force, kinds, len(particles))


def dispersion_coefficient(
    force: openmm.NonbondedForce, kinds: Mapping[tuple[float, float, bool], int], count: int
) -> float:
    """Give what pairs add to OpenMM's long-range correction of dispersion, times the volume.

    E = 8π N²/V ⟨ε ∫ (1 − S(r)) (σ¹²/r¹² − σ⁶/r⁶) r² dr⟩ over all N (N + 1)/2 pairs, a particle with itself included,
    S the switching function (OpenMM's User Guide, section on the Lennard-Jones interaction).

    Parameters
    ----------
    force
        Its cutoff and switching function count, and not its particles.
    kinds
        How many particles have a σ (nm) and an ε (kJ/mol); the third marks them: pairs without a marked particle do not
        count.
    count
        N, those without Lennard-Jones included.

    Returns
    -------
    float
        kJ/mol nm³.
    """
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
