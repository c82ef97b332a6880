"""An edge in the words of GROMACS: A in its surroundings is state A of one molecule, B in its place is state B.

So are two whole ligands. Neither has charges or Lennard-Jones in the state of the other, so that they never see each
other; exclusions, which GROMACS does not have beyond its pair list, are not needed.

Which terms there are, and at which end, is what the hybrid of OpenMM has: both end states are the same. Between them
GROMACS mixes energies, (1 − λ) E(A) + λ E(B), charges and Lennard-Jones by one λ, with its own soft core on both where
an atom comes or goes; it has no λ for the atoms that A alone has and another one for those of B.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np
import openmm

from gibbsflow.binding.alchemy.gromacs_topology import GromacsTopology
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg
from gibbsflow.binding.alchemy.hybrid.hybrid_system import HybridTopology
from gibbsflow.binding.alchemy.hybrid.mixed_bonds import mixed_terms
from gibbsflow.binding.alchemy.hybrid.mixed_pairs import Side, sides
from gibbsflow.binding.forcefield.topology_file import in_blocks, molecules
from gibbsflow.binding.geometry import middle_atom
from gibbsflow.engines.gromacs.atom_types import TwoEnded
from gibbsflow.engines.gromacs.topology import topology_text
from gibbsflow.engines.gromacs.two_ends import TurningAtom, TurningMolecule, TurningTerm
from gibbsflow.engines.md_engine import MdEngine
from gibbsflow.errors import InputError, Problem

_Values = tuple[float, float, float]
_WHOLE = (1.0, 1.0)
_OF_HYBRID = (
    "MixedBonds",
    "MixedAngles",
    "MixedTorsions",
    "DummyLennardJones",
    "SoftCoreLennardJones",
    "MixedDispersionCorrection",
)
"""Forces that say in OpenMM what state A, state B and a soft core say here."""
_TETHER = "LigandRestraint"
"""What holds two whole ligands to each other: the pull code does, by `gromacs_states.pulls`."""
_SMALL_NM = 0.15
"""σ of an atom that lies within a heavy neighbour's: 0.11 nm of hydrogens of amines, 0.24 nm and more of those on
carbon."""


def edge_topology(leg: HybridLeg, engine: MdEngine) -> GromacsTopology:
    """Write the topology of a leg from one ligand to another.

    Parameters
    ----------
    leg
        In a box.
    engine
        OpenMM's: what both engines compute is read once.

    Returns
    -------
    GromacsTopology
        In which B's own atoms, all of them where none is shared, follow those of A's ligand. The restraint between two
        whole ligands is not in it.

    Raises
    ------
    InputError
        For what of the hybrid has no counterpart here.
    """
    made = leg.hybrid(engine)
    shared = made.shared
    where = f"{leg.transformation}.{leg.leg}"
    _refuse_what_else_there_is(leg, made, where)
    of_a = in_blocks(molecules(leg.folder / leg.topology))
    number = int(of_a[shared.place_a[0]])
    (block,) = np.nonzero(of_a == number)
    if sorted(shared.place_a) != block.tolist():
        raise InputError(Problem(where, "the ligand is no molecule of its own", "--engine openmm", field="engine"))
    added = [shared.place_b[j] for j in shared.unique_b]
    order = np.concatenate([block, added, np.arange(block[-1] + 1, len(of_a))]).astype(int)
    order = np.concatenate([np.arange(block[0]), order])
    local = {int(atom): index for index, atom in enumerate([*block, *added])}
    molecule = turning_molecule(made, local)
    if shared.dual:
        first = leg.starts_nm(0)[0]
        one, other = (local[middle_atom(place, first)] for place in (shared.place_a, shared.place_b))
        molecule = replace(molecule, together=((one, other),))
    text = topology_text(shared.a.system, of_a, turning={number: molecule})
    masses = np.array([made.system.getParticleMass(i)._value for i in range(shared.size)])
    return GromacsTopology(text, order, masses)


def turning_molecule(made: HybridTopology, local: dict[int, int]) -> TurningMolecule:
    """Put both ligands into one molecule with two ends.

    Parameters
    ----------
    made
        The hybrid.
    local
        Numbers in the molecule by index in the hybrid, in order.

    Returns
    -------
    TurningMolecule
        Dummies have no charges, and the Lennard-Jones and bonded terms that the hybrid leaves them.
    """
    shared, both = made.shared, sides(made.shared, made.dummies)
    atoms = dict(_atoms(made, both))
    constant, weighed = mixed_terms(shared, made.dummies)
    terms = [(term, _WHOLE) for term in constant]
    terms += [(term, (base, base + slope)) for term, (base, slope) in weighed]
    constraints = {
        _local(place[i], place[j], local): length
        for end, place in ((shared.b, shared.place_b), (shared.a, shared.place_a))
        for (i, j), length in end.constraints.items()
    }
    return TurningMolecule(
        tuple(atoms[atom] for atom in local),
        tuple(
            TurningTerm(tuple(local[atom] for atom in term.atoms), term.parameters, weights) for term, weights in terms
        ),
        constraints,
        {_local(*pair, local): ends for pair, ends in _exceptions(both).items()},
    )


def _local(i: int, j: int, local: dict[int, int]) -> tuple[int, int]:
    one, other = local[i], local[j]
    return (one, other) if one < other else (other, one)


def _atoms(made: HybridTopology, both: tuple[Side, Side]) -> Iterator[tuple[int, TurningAtom]]:
    """Atoms by index in the hybrid."""
    at: list[dict[int, list[float]]] = [
        dict(zip(side.place, side.end.particles.tolist(), strict=True)) for side in both
    ]
    first_of_b = 1 + max(both[0].sets.values(), default=-1)
    groups = both[0].sets | {atom: first_of_b + number for atom, number in both[1].sets.items()}
    staying = {atom for atom in at[0].keys() & at[1].keys() if at[0][atom][2] and at[1][atom][2]}
    shielded = {atom for side in both for atom in _shielded(side, staying)}
    for atom in made.shared.ligand:
        charges = [values[atom][0] if atom in values else 0.0 for values in at]
        ends = [(values[atom][1], values[atom][2]) if atom in values else None for values in at]
        mass = made.system.getParticleMass(atom)._value
        lj = TwoEnded((ends[0], ends[1]), groups.get(atom), atom in shielded)
        yield atom, TurningAtom(mass, (charges[0], charges[1]), lj)


def _shielded(side: Side, staying: Collection[int]) -> Iterator[int]:
    """Dummies that are small beside the shared atom that they hang on: hydrogens of hydroxyl and amino groups."""
    for number, atom in enumerate(side.place):
        _, sigma, epsilon = side.end.particles[number]
        if atom in side.sets and (not epsilon or sigma < _SMALL_NM):
            neighbours = [side.place[n] for n in side.end.bonds.neighbors(number)]
            if len(neighbours) == 1 and neighbours[0] in staying:
                yield atom


def _exceptions(both: tuple[Side, Side]) -> dict[tuple[int, int], tuple[_Values, _Values]]:
    """Excluded and 1–4 pairs at both ends: dummies on one anchor keep their Lennard-Jones."""
    at: list[dict[tuple[int, int], _Values]] = []
    for side in both:
        pairs = ((sorted((side.place[i], side.place[j])), values) for (i, j), values in side.end.exceptions.items())
        at.append({(i, j): values for (i, j), values in pairs})
    found: dict[tuple[int, int], tuple[_Values, _Values]] = {}
    for i, j in sorted(at[0].keys() | at[1].keys()):
        ends = [values.get((i, j)) for values in at]
        here = ends[0] or ends[1]
        assert here is not None
        kept = here[2] if any(side.same_set(i, j) for side in both) else 0.0
        gone = (0.0, here[1], kept)
        found[i, j] = (ends[0] or gone, ends[1] or gone)
    return found


def _refuse_what_else_there_is(leg: HybridLeg, made: HybridTopology, where: str) -> None:
    """See that all of the hybrid is carried over: its forces, and charges that go with λ, of the ligands alone."""
    found = [name for name in ("restraint", "copy_atoms", "ion_atoms", "apart") if getattr(leg, name)]
    known = {*_OF_HYBRID, *([_TETHER] if leg.tether is not None else [])}
    ligands = set(made.shared.ligand)
    for force in made.system.getForces():
        if type(force).__name__.startswith("Custom") and force.getName() not in known:
            found.append(force.getName())
        if isinstance(force, openmm.NonbondedForce):
            offsets = [force.getParticleParameterOffset(k)[1] for k in range(force.getNumParticleParameterOffsets())]
            if outside := set(offsets) - ligands:
                found.append(f"charges of {len(outside)} atoms beside the ligands")
    if found:
        what = f"an edge with {', '.join(found)}, which is not carried over to GROMACS"
        raise InputError(Problem(where, what, "--engine openmm", field="engine"))
