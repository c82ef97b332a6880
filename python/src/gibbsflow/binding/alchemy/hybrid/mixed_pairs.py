"""Charges and Lennard-Jones of a hybrid.

Shared atoms have the mean of both ends' charge, σ and ε, by offsets of NonbondedForce with ``lambda_core``; so have
their 1–4 pairs. Atoms of one ligand alone have charges that go with an own λ, by offsets too, so that all of PME
follows; their Lennard-Jones with what is not theirs is a soft core with the parameters of their own end. They keep in
full the Lennard-Jones among those on the same anchor, which is a matter of their own places; between anchors it is
soft. Atoms of A alone and of B alone never see each other.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import openmm

from gibbsflow.binding.alchemy.hybrid.co_ions import CoIons, put_ions
from gibbsflow.binding.alchemy.hybrid.mixed_bonds import CORE
from gibbsflow.binding.alchemy.hybrid.pair.dummies import DummySet
from gibbsflow.binding.alchemy.hybrid.pair.ends import EndState, Pair
from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import SharedAtoms
from gibbsflow.binding.alchemy.periodic_states import SOFT_CORES, dispersion_coefficient
from gibbsflow.errors import InputError, Problem

_MIXING = "sigma=0.5*(sigma1+sigma2); epsilon=root1*root2"
_FULL = "4*epsilon*x*(x-1); x=(sigma/r)^6"
_EXCLUDED = (0.0, 0.1, 0.0)
Values = tuple[float, float, float]


@dataclass(frozen=True)
class Side:
    """The atoms of one ligand alone, and the λ that they go with.

    Attributes
    ----------
    end
        The ligand.
    place
        Its atoms in the hybrid.
    charges, sterics
        Global parameters.
    first
        Value of both before a state is chosen: that of A's end.
    sets
        Those on the same anchor have the same number, by index in the hybrid.
    """

    end: EndState
    place: tuple[int, ...]
    charges: str
    sterics: str
    first: float
    sets: dict[int, int]

    def same_set(self, i: int, j: int) -> bool:
        """Say whether two atoms are dummies on the same anchor.

        Parameters
        ----------
        i, j
            Indices in the hybrid.

        Returns
        -------
        bool
            False where one is shared.
        """
        return i in self.sets and self.sets[i] == self.sets.get(j)


def sides(shared: SharedAtoms, dummies: Sequence[DummySet]) -> tuple[Side, Side]:
    """Give both ligands' own atoms.

    Parameters
    ----------
    shared
        The atoms.
    dummies
        Those of both ends.

    Returns
    -------
    old, new
        Of A and of B.
    """
    found = []
    for end, place, mark, first in ((shared.a, shared.place_a, "", 1.0), (shared.b, shared.place_b, "_new", 0.0)):
        own = [group for group in dummies if group.end is end]
        sets = {place[atom]: number for number, group in enumerate(own) for atom in group.atoms}
        found.append(Side(end, place, f"lambda_electrostatics{mark}", f"lambda_sterics{mark}", first, sets))
    return found[0], found[1]


def put_nonbonded(
    system: openmm.System,
    force: openmm.NonbondedForce,
    shared: SharedAtoms,
    both: tuple[Side, Side],
    soft_core: str,
    ions: CoIons | None = None,
) -> None:
    """Put both ligands' charges and Lennard-Jones into a System, in place of those of A.

    Parameters
    ----------
    system
        With the atoms of B added; changed.
    force
        Its NonbondedForce, with A's parameters and without the added atoms.
    shared
        The atoms.
    both
        Atoms of A alone and of B alone, from :func:`sides`.
    soft_core
        A name in `SOFT_CORES`.
    ions
        Waters that become ions on the way; None for none.
    """
    periodic = force.usesPeriodicBoundaryConditions()
    around = [[v._value for v in force.getParticleParameters(i)] for i in range(force.getNumParticles())]
    around_b = around if ions is None else ions.lennard_jones_in(around)
    old, new = both
    force.addGlobalParameter(CORE, 0.0)
    for side in both:
        force.addGlobalParameter(side.charges, side.first)
    _shared_particles(force, shared)
    for side in both:
        for number, atom in enumerate(side.place):
            if atom in side.sets:
                charge, sigma, _ = side.end.particles[number]
                if side is new:
                    force.addParticle(0.0, sigma, 0.0)
                else:
                    force.setParticleParameters(atom, 0.0, sigma, 0.0)
                force.addParticleParameterOffset(side.charges, atom, charge, 0.0, 0.0)
    _put_exceptions(force, both)
    if ions is not None:
        alone = [
            sum(float(side.end.particles[n, 0]) for n, i in enumerate(side.place) if i in side.sets) for side in both
        ]
        core = (shared.b.charge - alone[1]) - (shared.a.charge - alone[0])
        put_ions(force, ions, {CORE: (0.0, core), old.charges: (1.0, alone[0]), new.charges: (0.0, alone[1])})
    if periodic and force.getUseDispersionCorrection():
        system.addForce(_dispersion(force, shared, around, around_b))
        force.setUseDispersionCorrection(False)
    for side, every in zip(both, (around, around_b), strict=True):  # where a side is in full, the rest is as at its end
        rest = {i: (sigma, epsilon) for i, (_, sigma, epsilon) in enumerate(every) if i not in shared.a.place}
        for made in _lennard_jones(side, force, rest, soft_core) if side.sets else ():
            system.addForce(made)


def _shared_particles(force: openmm.NonbondedForce, shared: SharedAtoms) -> None:
    for i, j in shared.pairs:
        first, slope = _mean(tuple(shared.a.particles[i]), tuple(shared.b.particles[j]))
        force.setParticleParameters(shared.place_a[i], *first)
        if any(slope):
            force.addParticleParameterOffset(CORE, shared.place_a[i], *slope)


def _mean(a: Values, b: Values) -> tuple[Values, Values]:
    """Values at A's end, and what is added at B's; what has no Lennard-Jones takes the other's σ."""
    sigma_a = b[1] if a[2] == 0 else a[1]
    sigma_b = a[1] if b[2] == 0 else b[1]
    return (a[0], sigma_a, a[2]), (b[0] - a[0], sigma_b - sigma_a, b[2] - a[2])


def _put_exceptions(force: openmm.NonbondedForce, both: tuple[Side, Side]) -> None:
    """Excluded and 1–4 pairs of both ligands, and A's own atoms apart from B's."""
    old, new = both
    index = {_sorted(*force.getExceptionParameters(k)[:2]): k for k in range(force.getNumExceptions())}
    at = [
        {_sorted(side.place[i], side.place[j]): values for (i, j), values in side.end.exceptions.items()}
        for side in both
    ]

    def put(i: int, j: int, values: Values, parameter: str = "", slope: Values = (0.0, 0.0, 0.0)) -> None:
        if (i, j) in index:
            force.setExceptionParameters(index[i, j], i, j, *values)
        else:
            index[i, j] = force.addException(i, j, *values)
        if any(slope):
            force.addExceptionParameterOffset(parameter, index[i, j], *slope)

    own = old.sets.keys() | new.sets.keys()
    for i, j in sorted(at[0].keys() | at[1].keys()):
        if i in own or j in own:
            continue
        if (i, j) not in at[0] or (i, j) not in at[1]:
            what = f"atoms {i} and {j} are neighbours in one ligand alone"
            raise InputError(Problem(f"{old.end.name} to {new.end.name}", what, "a map of the same bonds", field="map"))
        first, slope = _mean(at[0][i, j], at[1][i, j])
        put(i, j, first, CORE, slope)
    for side, pairs in zip(both, at, strict=True):
        for (i, j), (product, sigma, epsilon) in sorted(pairs.items()):
            if i in side.sets or j in side.sets:
                kept = epsilon if side.same_set(i, j) else 0.0
                put(i, j, (0.0, sigma, kept), side.charges, (product, 0.0, 0.0))
    for i in sorted(old.sets):
        for j in sorted(new.sets):
            put(i, j, _EXCLUDED)


def _dispersion(
    force: openmm.NonbondedForce,
    shared: SharedAtoms,
    around_a: Sequence[Sequence[float]],
    around_b: Sequence[Sequence[float]],
) -> openmm.CustomVolumeForce:
    """The long-range correction of both ends, mixed."""
    inside = set(shared.a.ligand)
    coefficients = []
    for end, around in ((shared.a, around_a), (shared.b, around_b)):
        rest = [(sigma, epsilon) for i, (_, sigma, epsilon) in enumerate(around) if i not in inside]
        every = rest + [(sigma, epsilon) for _, sigma, epsilon in end.particles.tolist()]
        kinds = Counter((sigma, epsilon, True) for sigma, epsilon in every if epsilon > 0)
        coefficients.append(dispersion_coefficient(force, kinds, len(every)))
    correction = openmm.CustomVolumeForce(f"((1-{CORE})*tail_a+{CORE}*tail_b)/v")
    correction.addGlobalParameter(CORE, 0.0)
    for name, value in zip(("tail_a", "tail_b"), coefficients, strict=True):
        correction.addGlobalParameter(name, value)
    correction.setName("MixedDispersionCorrection")
    return correction


def _lennard_jones(
    side: Side, force: openmm.NonbondedForce, rest: Mapping[int, tuple[float, float]], soft_core: str
) -> list[openmm.Force]:
    """Lennard-Jones of the atoms of one ligand alone: in full on one anchor, soft with all else."""
    excepted = {_sorted(*force.getExceptionParameters(k)[:2]) for k in range(force.getNumExceptions())}
    at = dict(rest) | {
        i: (sigma, epsilon) for i, (_, sigma, epsilon) in zip(side.place, side.end.particles.tolist(), strict=True)
    }
    own, outside = sorted(side.sets), sorted(at.keys() - side.sets.keys())

    def mixed(pairs: Iterable[Pair]) -> dict[Pair, tuple[float, float]]:
        pairs = [pair for pair in pairs if _sorted(*pair) not in excepted]
        return {(i, j): (0.5 * (at[i][0] + at[j][0]), math.sqrt(at[i][1] * at[j][1])) for i, j in pairs}

    within = mixed(combinations(own, 2))
    full = {pair: values for pair, values in within.items() if side.same_set(*pair)}
    soft = {pair: values for pair, values in within.items() if pair not in full}
    neighbours = {_sorted(side.place[i], side.place[j]): v[1:] for (i, j), v in side.end.exceptions.items()}
    near = {
        pair: values for pair, values in neighbours.items() if set(pair) & side.sets.keys() and not side.same_set(*pair)
    }
    softened = SOFT_CORES[soft_core].removesuffix(_MIXING).rstrip(";").replace("lambda_sterics", side.sterics)
    forces = [_pair_force(side, near, softened, ""), _pair_force(side, full, _FULL, _cut_off(force))]
    if force.usesPeriodicBoundaryConditions():
        forces.append(_pair_force(side, soft, softened, _cut_off(force)))
        forces.append(_soft_force(side, force, at, outside, excepted, soft_core))
    else:
        forces.append(_pair_force(side, soft | mixed((i, j) for i in own for j in outside), softened, ""))
    return [made for made in forces if made is not None]


def _cut_off(force: openmm.NonbondedForce) -> str:
    """What an energy of a pair is multiplied with to be cut off as the force is; empty where it is not."""
    if not force.usesPeriodicBoundaryConditions():
        return ""
    cutoff, switch = force.getCutoffDistance()._value, force.getSwitchingDistance()._value
    if not force.getUseSwitchingFunction():
        return f"step({cutoff!r}-r)"
    z = f"(r-{switch!r})/({cutoff!r}-{switch!r})"
    return f"step({cutoff!r}-r)*select(step(r-{switch!r}), 1-z^3*(10-15*z+6*z^2), 1); z={z}"


def _pair_force(
    side: Side, pairs: Mapping[Pair, tuple[float, float]], energy: str, cut_off: str
) -> openmm.CustomBondForce | None:
    pairs = {pair: values for pair, values in pairs.items() if values[1] > 0}
    if not pairs:
        return None
    energy, _, definitions = energy.partition(";")
    factor, _, more = cut_off.partition(";")
    expression = f"({energy})*({factor})" if factor else energy
    force = openmm.CustomBondForce(";".join(part for part in (expression, definitions, more) if part))
    if side.sterics in expression + definitions:
        force.addGlobalParameter(side.sterics, side.first)
    force.addPerBondParameter("sigma")
    force.addPerBondParameter("epsilon")
    for (i, j), values in sorted(pairs.items()):
        force.addBond(i, j, list(values))
    force.setUsesPeriodicBoundaryConditions(bool(cut_off))
    force.setName("DummyLennardJones")
    return force


def _soft_force(
    side: Side,
    force: openmm.NonbondedForce,
    at: Mapping[int, tuple[float, float]],
    outside: Sequence[int],
    excepted: Iterable[Pair],
    soft_core: str,
) -> openmm.CustomNonbondedForce:
    soft = openmm.CustomNonbondedForce(SOFT_CORES[soft_core].replace("lambda_sterics", side.sterics))
    soft.addGlobalParameter(side.sterics, side.first)
    soft.addPerParticleParameter("sigma")
    soft.addPerParticleParameter("root")
    for atom in range(force.getNumParticles()):
        sigma, epsilon = at.get(atom, (0.1, 0.0))
        soft.addParticle([sigma, math.sqrt(epsilon)])
    for i, j in sorted(excepted):
        soft.addExclusion(i, j)
    soft.addInteractionGroup(sorted(side.sets), [i for i in outside if at[i][1] > 0])
    soft.setNonbondedMethod(openmm.CustomNonbondedForce.CutoffPeriodic)
    soft.setCutoffDistance(force.getCutoffDistance())
    soft.setUseSwitchingFunction(force.getUseSwitchingFunction())
    soft.setSwitchingDistance(force.getSwitchingDistance())
    soft.setName("SoftCoreLennardJones")
    return soft


def _sorted(i: int, j: int) -> Pair:
    return (i, j) if i < j else (j, i)
