"""The largest map of two ligands in their poses: connected, rings whole, nothing turned inside out, hydrogens along.

**Search.** Pairs of heavy atoms that may be one another lie within a distance in the two poses. Two pairs contradict
each other where they share an atom, or where two atoms are bonded on one side alone. Branch and bound over these
contradictions finds the connected map with the most heavy atoms, and among those the nearest one in space: the exact
optimum, whatever the order of the atoms, and the same in both directions. As poses are compared atom by atom, ring
flips and other symmetries are told by geometry, and a cage is no harder than a chain.

**Rings** are mapped whole or not at all: each mapped atom of a ring is in at least one ring that is wholly mapped, on
both sides; a ring is not laid on a chain, nor a flat ring on a puckered one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from rdkit import Chem

from gibbsflow.binding.prepare.atom_map.atom_maps import DEFAULT_RULES, AtomMap, MapRules, name_of
from gibbsflow.binding.prepare.atom_map.side import Side, inversions

ELEMENT_CHANGE_ANGSTROM2 = 0.25
"""What a change of element costs among maps of one size, as squared distance."""
_PUCKER = 0.5
"""Rings of which more than this share of the atoms changes between flat and puckered are not mapped."""


def map_atoms(mol_a: Chem.Mol, mol_b: Chem.Mol, rules: MapRules = DEFAULT_RULES) -> AtomMap:
    """Find the map of two ligands that lie in one frame.

    Parameters
    ----------
    mol_a, mol_b
        With all hydrogens and one conformer each; their names (``_Name``) become those of the map.
    rules
        What the map may do.

    Returns
    -------
    AtomMap
        The largest there is; it may be too small to be of use, which :func:`.map_faults.faults` tells. A note says
        where the search was stopped before it was sure.
    """
    a, b = Side(mol_a), Side(mol_b)
    search = _Search(a, b, rules)
    heavy = search.best()
    pairs = heavy | _hydrogens(a, b, heavy)
    for i in {k for atoms in inversions(a, b, pairs) for k in atoms if a.numbers[k] == 1}:
        del pairs[i]
    notes = []
    if search.stopped:
        what = f"the search was stopped after {rules.most_steps} steps: a map of more atoms, or a nearer one, may exist"
        notes.append(f"{what}; poses that lie closer on one another make it shorter")
    if not search.pairs:
        notes.append(f"no heavy atoms lie within {rules.max_distance_angstrom:g} Å of one another")
    return AtomMap(name_of(mol_a, "a"), name_of(mol_b, "b"), tuple(pairs.items()), tuple(notes))


@dataclass(frozen=True)
class _Found:
    """Pairs of a map, by their numbers; better ones have more atoms, or as many that are nearer."""

    chosen: frozenset[int]
    cost: float

    def better_than(self, other: _Found) -> bool:
        return (len(self.chosen), -self.cost) > (len(other.chosen), -other.cost)


class _Search:
    """Branch and bound over sets of pairs."""

    def __init__(self, a: Side, b: Side, rules: MapRules) -> None:
        self.a, self.b, self.rules = a, b, rules
        near = np.linalg.norm(a.xyz[:, None] - b.xyz[None], axis=-1)
        self.pairs = [
            (i, j) for i in a.heavy for j in b.heavy if near[i, j] <= rules.max_distance_angstrom and self._alike(i, j)
        ]
        changes = [a.numbers[i] != b.numbers[j] for i, j in self.pairs]
        costs = [near[pair] ** 2 for pair in self.pairs]
        self.cost = [float(d2 + ELEMENT_CHANGE_ANGSTROM2 * c) for d2, c in zip(costs, changes, strict=True)]
        self.joined: list[set[int]] = [set() for _ in self.pairs]
        self.against: list[set[int]] = [set() for _ in self.pairs]
        for p, (i, j) in enumerate(self.pairs):
            for q in range(p):
                k, m = self.pairs[q]
                bonded = k in a.neighbours[i], m in b.neighbours[j]
                apart = bonded[0] != bonded[1] or (all(bonded) and a.in_ring_bond(i, k) != b.in_ring_bond(j, m))
                kind = self.against if i == k or j == m or apart else self.joined if all(bonded) else None
                if kind is not None:
                    kind[p].add(q)
                    kind[q].add(p)
        self.found = _Found(frozenset(), 0.0)
        self.stopped = False

    def best(self) -> dict[int, int]:
        """Find the best map of heavy atoms."""
        waiting = [frozenset(range(len(self.pairs)))]
        seen: set[frozenset[int]] = set()
        steps = 0
        while waiting:
            for part in self._parts(waiting.pop()):
                if part in seen or not self._promising(part):
                    continue
                seen.add(part)
                steps += 1
                if steps > self.rules.most_steps:
                    self.stopped = True
                    return self._as_dict(self.found.chosen)
                smaller = self._branches(part)
                if smaller is None:
                    whole = _Found(part, sum(self.cost[p] for p in part))
                    self.found = whole if whole.better_than(self.found) else self.found
                else:
                    waiting += smaller
        return self._as_dict(self.found.chosen)

    def _alike(self, i: int, j: int) -> bool:
        """Whether two atoms may be one another, whatever their surroundings."""
        if not self.rules.element_changes and self.a.numbers[i] != self.b.numbers[j]:
            return False
        ours, theirs = self.a.rings_of[i], self.b.rings_of[j]
        if not ours and not theirs:
            return True
        return any(self._same_ring(self.a.rings[r], self.b.rings[s]) for r in ours for s in theirs)

    def _same_ring(self, r: frozenset[int], s: frozenset[int]) -> bool:
        puckered = [sum(side.saturated[i] for i in ring) for side, ring in ((self.a, r), (self.b, s))]
        return len(r) == len(s) and abs(puckered[0] - puckered[1]) <= _PUCKER * len(r)

    def _parts(self, chosen: frozenset[int]) -> list[frozenset[int]]:
        """Connected parts of a set of pairs without those of rings that cannot be whole any more."""
        left = set(chosen)
        while True:
            live = []
            for side, rings in ((0, self.a.rings), (1, self.b.rings)):
                atoms = {self.pairs[p][side] for p in left}
                live.append({k for k, ring in enumerate(rings) if ring <= atoms})
            kept = {p for p in left if self._in_whole_ring(p, live)}
            if kept == left:
                break
            left = kept
        return sorted(components(left, self.joined), key=lambda part: (len(part), sorted(part)))

    def _in_whole_ring(self, p: int, live: list[set[int]]) -> bool:
        i, j = self.pairs[p]
        ours, theirs = self.a.rings_of[i], self.b.rings_of[j]
        return not ours or (not live[0].isdisjoint(ours) and not live[1].isdisjoint(theirs))

    def _promising(self, part: frozenset[int]) -> bool:
        """Whether a part may hold a map that is better than the best so far."""
        cheapest: dict[int, float] = {}
        for p in part:
            i = self.pairs[p][0]
            cheapest[i] = min(cheapest.get(i, np.inf), self.cost[p])
        most = min(len(cheapest), len({self.pairs[p][1] for p in part}))
        if most != len(self.found.chosen):
            return most > len(self.found.chosen)
        return sum(sorted(cheapest.values())[:most]) < self.found.cost - 1e-9

    def _branches(self, part: frozenset[int]) -> list[frozenset[int]] | None:
        """Smaller sets that hold all maps of a part; None where it is a map itself."""
        worst = max(part, key=lambda p: (len(self.against[p] & part), -p))
        rivals = self.against[worst] & part
        if rivals:
            return [part - {worst}, part - rivals]  # the last is searched first
        pairs = self._as_dict(part)
        number = {self.pairs[p][0]: p for p in part}
        broken = [tuple(bond) for bond in self._ring_bonds_alone(part)] or inversions(self.a, self.b, pairs)
        return [part - {number[i]} for i in broken[0]] if broken else None

    def _ring_bonds_alone(self, part: frozenset[int]) -> Iterable[tuple[int, int]]:
        """Bonds of a ring between mapped atoms of which no ring is wholly mapped."""
        atoms = {self.pairs[p][0] for p in part}
        whole = [ring for ring in self.a.rings if ring <= atoms]
        for p in sorted(part):
            for q in sorted(self.joined[p] & part):
                i, k = self.pairs[p][0], self.pairs[q][0]
                if i < k and self.a.in_ring_bond(i, k) and not any({i, k} <= ring for ring in whole):
                    yield i, k

    def _as_dict(self, part: frozenset[int]) -> dict[int, int]:
        return dict(sorted(self.pairs[p] for p in part))


def components(members: Iterable[int], joined: list[set[int]]) -> list[frozenset[int]]:
    """Split a set into its connected parts.

    Parameters
    ----------
    members
        Numbers of the set.
    joined
        Of each number, which are joined to it.

    Returns
    -------
    list of frozenset of int
        The parts.
    """
    left, parts = set(members), []
    while left:
        part, edge = set(), {min(left)}
        while edge:
            part |= edge
            edge = {q for p in edge for q in joined[p] if q in left} - part
        parts.append(frozenset(part))
        left -= part
    return parts


def _hydrogens(a: Side, b: Side, heavy: dict[int, int]) -> dict[int, int]:
    """Map hydrogens with their heavy atoms, nearest in space and in the same sense round them.

    Those of an atom that changes its element or hybridisation are left out: the length at which their bond is
    constrained changes, which no λ state can follow.
    """
    found: dict[int, int] = {}
    for i, j in heavy.items():
        if _stretches(a, b, i, j):
            continue
        arms = sorted(k for k in a.neighbours[i] if k in heavy and heavy[k] in b.neighbours[j])
        best: tuple[int, float, dict[int, int]] | None = None
        for trial in _assignments(a.hydrogens(i), b.hydrogens(j)):
            distance2 = sum(float(((a.xyz[h] - b.xyz[k]) ** 2).sum()) for h, k in trial.items())
            rank = (_turned(a, b, i, j, arms, heavy, trial), round(distance2, 9))
            if best is None or rank < best[:2]:
                best = (*rank, trial)
        if best is not None:
            found |= best[2]
    return found


def _stretches(a: Side, b: Side, i: int, j: int) -> bool:
    """Whether bonds to hydrogen have another length at an atom of a than at its partner."""
    return a.numbers[i] != b.numbers[j] or a.saturated[i] != b.saturated[j]


def without_stretched_hydrogens(atom_map: AtomMap, mol_a: Chem.Mol, mol_b: Chem.Mol) -> AtomMap:
    """Take those hydrogens out of a map from elsewhere whose constrained bond would change its length.

    Parameters
    ----------
    atom_map
        A map without faults.
    mol_a, mol_b
        Its two ligands as prepared.

    Returns
    -------
    AtomMap
        With a note where hydrogens were taken out.
    """
    a, b = Side(mol_a), Side(mol_b)
    pairs = dict(atom_map.pairs)
    hydrogens = [i for i in pairs if a.numbers[i] == 1]
    out = [h for h in hydrogens for i in a.neighbours[h] if i in pairs and _stretches(a, b, i, pairs[i])]
    if not out:
        return atom_map
    names = ", ".join(f"H{i + 1}" for i in out)
    what = f"{names} of {atom_map.ligand_a} left out of the map: their atoms change element or hybridisation"
    return replace(atom_map.without(out), notes=(*atom_map.notes, what))


def _assignments(ours: list[int], theirs: list[int]) -> Iterable[dict[int, int]]:
    if len(ours) > len(theirs):
        yield from ({i: j for j, i in trial.items()} for trial in _assignments(theirs, ours))
        return
    yield from (dict(zip(ours, chosen, strict=True)) for chosen in permutations(theirs, len(ours)))


def _turned(a: Side, b: Side, i: int, j: int, arms: list[int], heavy: dict[int, int], trial: dict[int, int]) -> int:
    """1 where three neighbours go round an atom in another sense in b than in a."""
    pairs = defaultdict(int, {k: heavy[k] for k in arms} | trial)
    three = list(pairs)[:3]
    if len(three) < 3 or not (a.holds_its_form(i) and b.holds_its_form(j)):  # noqa: PLR2004
        return 0
    p, q, r = three
    return int(a.handedness(i, (p, q, r)) * b.handedness(j, (pairs[p], pairs[q], pairs[r])) < 0)
