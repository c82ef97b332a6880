"""Which atoms two ligands share, and where each atom stands in the System of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import networkx as nx

from gibbsflow.binding.alchemy.hybrid.pair.ends import EndState, Pair
from gibbsflow.errors import InputError, Problem

SAME_LENGTH_NM = 1e-6
"""Up to this constrained lengths are the same; topologies have them to 1e-8 nm."""


@dataclass(frozen=True)
class SharedAtoms:
    """Atoms of the hybrid: those of the System of A as they are, then the atoms that only B has.

    Attributes
    ----------
    a, b
        The end states.
    pairs
        Numbers of the shared atoms in A's and in B's ligand, sorted by A's.
    notes
        Which pairs of the map were taken apart, and why.
    """

    a: EndState
    b: EndState
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...] = ()

    @property
    def dual(self) -> bool:
        """Whether no atom is shared, so that both ligands are there as a whole.

        Returns
        -------
        bool
            True for dual topology.
        """
        return not self.pairs

    @cached_property
    def unique_a(self) -> tuple[int, ...]:
        """Name the atoms that only A has.

        Returns
        -------
        tuple of int
            Numbers in A's ligand.
        """
        shared = {i for i, _ in self.pairs}
        return tuple(i for i in range(self.a.size) if i not in shared)

    @cached_property
    def unique_b(self) -> tuple[int, ...]:
        """Name the atoms that only B has.

        Returns
        -------
        tuple of int
            Numbers in B's ligand, in the order in which they follow A's System.
        """
        shared = {j for _, j in self.pairs}
        return tuple(j for j in range(self.b.size) if j not in shared)

    @cached_property
    def place_a(self) -> tuple[int, ...]:
        """Say where the atoms of A's ligand stand.

        Returns
        -------
        tuple of int
            Indices in the hybrid.
        """
        return self.a.ligand

    @cached_property
    def place_b(self) -> tuple[int, ...]:
        """Say where the atoms of B's ligand stand.

        Returns
        -------
        tuple of int
            Indices in the hybrid.
        """
        first = self.a.system.getNumParticles()
        places = {j: self.a.ligand[i] for i, j in self.pairs}
        places |= {j: first + number for number, j in enumerate(self.unique_b)}
        return tuple(places[j] for j in range(self.b.size))

    @property
    def size(self) -> int:
        """Count the atoms of the hybrid.

        Returns
        -------
        int
            Those of A's System and those that only B has.
        """
        return self.a.system.getNumParticles() + len(self.unique_b)

    @property
    def ligand(self) -> tuple[int, ...]:
        """Name all atoms of both ligands.

        Returns
        -------
        tuple of int
            Indices in the hybrid, A's first.
        """
        return (*self.a.ligand, *(self.place_b[j] for j in self.unique_b))


def share_atoms(a: EndState, b: EndState, pairs: Sequence[Pair]) -> SharedAtoms:
    """Settle an atom map: what cannot be one atom is taken apart, what cannot be done at all is refused.

    A bond to hydrogen is constrained to its length, so that atoms whose constraint is another one in B, or none, must
    be two: each is then a dummy at the other's end.

    Parameters
    ----------
    a, b
        The end states.
    pairs
        The map: numbers in A's and B's ligand.

    Returns
    -------
    SharedAtoms
        With a note for each pair that was taken apart.

    Raises
    ------
    InputError
        With all faults: no pair, pairs that are none, bonds that only one end has, atoms between two parts of what is
        shared.
    """
    edge = f"{a.name} to {b.name}"
    problems = _faults_of_pairs(a, b, pairs, edge)
    if problems:
        raise InputError(problems)
    kept = {i: j for i, j in sorted((int(i), int(j)) for i, j in pairs)}
    notes = []
    while apart := _other_constraint(a, b, kept):
        i, why = apart
        notes.append(f"{a.labels[i]} of {a.name} and {b.labels[kept.pop(i)]} of {b.name} are two atoms: {why}")
    shared = SharedAtoms(a, b, tuple(kept.items()), tuple(notes))
    if not kept:
        raise InputError(Problem(edge, "no atom is shared", "a map with a common core", field="map"))
    problems = _broken_bonds(a, b, kept, edge)
    problems += _between(a, shared.unique_a, edge) + _between(b, shared.unique_b, edge)
    if problems:
        raise InputError(problems)
    return shared


def _faults_of_pairs(a: EndState, b: EndState, pairs: Sequence[Pair], edge: str) -> list[Problem]:
    problems = []
    for number, end in enumerate((a, b)):
        column = [pair[number] for pair in pairs]
        for atom in sorted({atom for atom in column if not 0 <= atom < end.size}):
            what = f"atom {atom} of {end.name}, which has {end.size}"
            problems.append(Problem(edge, what, f"0 to {end.size - 1}", field="map"))
        for atom in sorted({atom for atom in column if column.count(atom) > 1}):
            problems.append(Problem(edge, f"atom {atom} of {end.name} is mapped twice", "once at most", field="map"))
    return problems


def _other_constraint(a: EndState, b: EndState, kept: dict[int, int]) -> tuple[int, str] | None:
    """The first shared atom of A whose constraint differs, and in which way: a hydrogen, at one end at least."""
    for i1, i2 in sorted(tuple(sorted(bond)) for bond in a.bonds.edges):
        if i1 not in kept or i2 not in kept or not b.bonds.has_edge(kept[i1], kept[i2]):
            continue
        j1, j2 = sorted((kept[i1], kept[i2]))
        length_a, length_b = a.constraints.get((i1, i2)), b.constraints.get((j1, j2))
        if length_a is None and length_b is None:
            continue
        if length_a is not None and length_b is not None and abs(length_a - length_b) <= SAME_LENGTH_NM:
            continue
        light = [i for i in (i2, i1) if not (a.heavy(i) and b.heavy(kept[i]))]
        told = [f"{length * 10:.4f} Å" if length else "not constrained" for length in (length_a, length_b)]
        return light[0] if light else i2, f"the bond is {told[0]} in the one and {told[1]} in the other"
    return None


def _broken_bonds(a: EndState, b: EndState, kept: dict[int, int], edge: str) -> list[Problem]:
    problems = []
    back = {j: i for i, j in kept.items()}
    for one, other, there in ((a, b, kept), (b, a, back)):
        for i1, i2 in sorted(tuple(sorted(bond)) for bond in one.bonds.edges):
            if i1 in there and i2 in there and not other.bonds.has_edge(there[i1], there[i2]):
                names = f"{one.labels[i1]}–{one.labels[i2]}"
                right = "a map that breaks and makes no bond"
                problems.append(Problem(edge, f"{names} is a bond of {one.name} alone", right, field="map"))
    return problems


def _between(end: EndState, unique: Sequence[int], edge: str) -> list[Problem]:
    """Refuse atoms without partner that hang on two shared ones, or on none: they would tie the ends together."""
    problems = []
    for group in nx.connected_components(end.bonds.subgraph(unique)):
        held = sorted({n for atom in group for n in end.bonds.neighbors(atom)} - set(unique))
        if len(held) != 1:
            names = ", ".join(end.labels[atom] for atom in sorted(group))
            on = " and ".join(end.labels[atom] for atom in held) or "no atom"
            what = f"{names} of {end.name} hang on {on} of what is shared"
            right = "on one: a ring is shared whole or not at all"
            problems.append(Problem(edge, what, right, field="map"))
    return problems
