"""One System for an edge: all states from ligand A to ligand B in the same surroundings, by its global parameters."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import openmm

from gibbsflow.binding.alchemy.hybrid.co_ions import CoIons
from gibbsflow.binding.alchemy.hybrid.mixed_bonds import CORE, mixed_terms, put_bonded
from gibbsflow.binding.alchemy.hybrid.mixed_pairs import Side, put_nonbonded, sides
from gibbsflow.binding.alchemy.hybrid.pair.dummies import DummySet, dummy_sets, whole_ligand
from gibbsflow.binding.alchemy.hybrid.pair.ends import EndState
from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import SharedAtoms
from gibbsflow.binding.alchemy.openmm_states import NO_DESCREENING, restraint_force
from gibbsflow.binding.alchemy.restraint.restraints import Restraint
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats

LEAST_CHARGE_E = 1e-3
"""A change of net charge below this is rounding."""


@dataclass(frozen=True)
class HybridTopology:
    """An edge, ready for MD.

    Attributes
    ----------
    shared
        Its atoms.
    dummies
        Atoms of one ligand alone, by anchor, with what becomes of their terms.
    system
        At A's end; its λ are global parameters, but for implicit solvent, which :meth:`at` sets.
    """

    shared: SharedAtoms
    dummies: tuple[DummySet, ...]
    system: openmm.System

    @property
    def words(self) -> list[str]:
        """Say what was done to the map and to the dummies' terms.

        Returns
        -------
        list of str
            A line each.
        """
        return [*self.shared.notes, *(line for group in self.dummies for line in group.words())]

    def at(self, state: Mapping[str, float]) -> openmm.System:
        """Make the System of one state.

        Parameters
        ----------
        state
            λ by name; those that are not given are of A's end.

        Returns
        -------
        openmm.System
            A copy whose parameters have these values from the start.
        """
        system = copy.deepcopy(self.system)
        for force in system.getForces():
            for index in range(getattr(force, "getNumGlobalParameters", int)()):
                name = force.getGlobalParameterName(index)
                if name in state:
                    force.setGlobalParameterDefaultValue(index, state[name])
        for force in system.getForces():
            if isinstance(force, openmm.GBSAOBCForce):
                _put_born(force, self.shared, sides(self.shared, self.dummies), state)
        return system


def hybrid_topology(
    shared: SharedAtoms,
    ligand_a_nm: Floats,
    ligand_b_nm: Floats,
    *,
    soft_core: str = "beutler",
    tether: Restraint | None = None,
    ions: CoIons | None = None,
) -> HybridTopology:
    """Make the System of an edge.

    Parameters
    ----------
    shared
        The atoms, from :func:`~gibbsflow.binding.alchemy.hybrid.pair.shared_atoms.share_atoms`. Surroundings are those
        of A's System.
    ligand_a_nm, ligand_b_nm
        Any geometry of each ligand, shape (n, 3), nm: from it the side on which a dummy stands.
    soft_core
        A name in `SOFT_CORES`.
    tether
        What holds two whole ligands to each other, on at all λ; where no atom is shared.
    ions
        Waters that become ions as the net charge changes; where it does, in a periodic box.

    Returns
    -------
    HybridTopology
        With A's masses, and B's of the atoms that only B has: masses change no free energy.

    Raises
    ------
    InputError
        For a net charge that changes in a periodic box, or forces that this method does not know.
    """
    a, b = shared.a, shared.b
    if (a.born is None) != (b.born is None):
        raise InputError(Problem(f"{a.name} to {b.name}", "implicit solvent at one end alone", "the same at both"))
    if ions is None and (problem := charge_problem(shared)):
        raise InputError(problem)
    if shared.dual != (tether is not None):
        raise ValueError("two whole ligands are tethered to each other, and none that share atoms")
    in_b, in_a = dict(shared.pairs), {j: i for i, j in shared.pairs}
    dummies = (
        (whole_ligand(a), whole_ligand(b))
        if shared.dual
        else (
            *dummy_sets(a, shared.unique_a, ligand_a_nm, lambda *atoms: _angle_in(b, in_b, atoms)),
            *dummy_sets(b, shared.unique_b, ligand_b_nm, lambda *atoms: _angle_in(a, in_a, atoms)),
        )
    )
    constant, weighed = mixed_terms(shared, dummies)
    system = copy.deepcopy(a.system)
    for atom in shared.unique_b:
        system.addParticle(float(b.masses[atom]))
    alone = set(shared.unique_b)
    for (i, j), length in sorted(b.constraints.items()):
        if i in alone or j in alone:
            system.addConstraint(shared.place_b[i], shared.place_b[j], length)
    put_bonded(system, a.ligand, constant, weighed)
    both = sides(shared, dummies)
    for force in system.getForces():
        if isinstance(force, openmm.NonbondedForce):
            put_nonbonded(system, force, shared, both, soft_core, ions)
        elif isinstance(force, openmm.GBSAOBCForce):
            for _ in shared.unique_b:
                force.addParticle(0.0, 0.1, NO_DESCREENING)
    if tether is not None:
        held = restraint_force(tether)
        held.setUsesPeriodicBoundaryConditions(a.nonbonded.usesPeriodicBoundaryConditions())
        system.addForce(held)
    made = HybridTopology(shared, dummies, system)
    return HybridTopology(shared, dummies, made.at({}))


def _angle_in(end: EndState, place: Mapping[int, int], atoms: Sequence[int]) -> float | None:
    """Angle of least energy that an end has between atoms of the other one."""
    if not all(atom in place for atom in atoms):
        return None
    return end.rest_angle(*(place[atom] for atom in atoms))


def charge_problem(shared: SharedAtoms) -> Problem | None:
    """Say whether a net charge changes in a periodic box: its free energy would depend on the size of the box.

    Parameters
    ----------
    shared
        The atoms.

    Returns
    -------
    Problem or None
        None without a box, and for ligands of one charge.
    """
    a, b = shared.a, shared.b
    if not a.nonbonded.usesPeriodicBoundaryConditions() or abs(a.charge - b.charge) < LEAST_CHARGE_E:
        return None
    what = f"the net charge goes from {a.charge:+.0f} to {b.charge:+.0f} e, and the box has nothing to make up for it"
    right = "charge_correction counter_ion, ligands of the same charge, or obc2"
    return Problem(f"{a.name} to {b.name}", what, right, field="charge_correction")


def _put_born(
    force: openmm.GBSAOBCForce, shared: SharedAtoms, both: Sequence[Side], state: Mapping[str, float]
) -> None:
    """Charges, radii and descreening in a state: of shared atoms the mean, of others as far as they are there."""
    values = {CORE: 0.0} | {name: side.first for side in both for name in (side.charges, side.sterics)} | dict(state)
    core = values[CORE]
    born_a, born_b = shared.a.born, shared.b.born
    assert born_a is not None and born_b is not None
    for i, j in shared.pairs:
        charge, radius, scale = (
            (1 - core) * one + core * other
            for one, other in zip(
                (shared.a.particles[i, 0], *born_a[i]), (shared.b.particles[j, 0], *born_b[j]), strict=True
            )
        )
        force.setParticleParameters(shared.place_a[i], charge, radius, scale)
    for side, born in zip(both, (born_a, born_b), strict=True):
        for number, atom in enumerate(side.place):
            if atom in side.sets:
                charge, (radius, scale) = side.end.particles[number, 0], born[number]
                descreening = max(scale * values[side.sterics], NO_DESCREENING)
                force.setParticleParameters(atom, charge * values[side.charges], radius, descreening)
