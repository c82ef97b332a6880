"""In how many of its equivalent orientations a ligand of an edge was seen in its site, and what ΔΔG lacks without them.

A ligand whose atoms can be renumbered in σ ways has σ orientations in a site that differ in these numbers alone. In
water it comes to all of them as it tumbles; in a site it may stay in one. Where both ligands of an edge stay, and their
σ differ, ΔΔG lacks -kT ln(σ_b / σ_a): 1.06 kcal/mol for toluene to benzene (Mobley, Chodera and Dill, J. Chem. Phys.
2006, 125, 084902, of absolute free energies).

What renumbers both ligands at once and leaves shared atoms shared leaves each state of a leg as it is. It multiplies
all partition functions alike, sampled or not, and ΔΔG lacks nothing: orientations that such a way takes into each other
are counted as one. Toluene has then one, benzene six; tert-butyl that vanishes has one, and CF3 that comes of CH3 too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np

from gibbsflow.binding.analyse.frames.bound_ligands import LEAST_SITE_ATOMS
from gibbsflow.binding.analyse.frames.edge_ends import EdgeEnds
from gibbsflow.binding.analyse.frames.pose_geometry import MOST_MAPPINGS, LigandGraph
from gibbsflow.binding.analyse.frames.window_frames import Frames
from gibbsflow.binding.geometry import superposed
from gibbsflow.errors import StateError
from gibbsflow.units import Floats, Ints, kt_kcal_per_mol

LEAST_FRAMES = 10
"""Frames of each end that anything is said of."""
SITE_ANGSTROM = 8.0
"""Heavy atoms of the receptor within this of the first ligand, as the leg starts, are laid on each other."""

_SAME_CUBIC_ANGSTROM = 2.0
"""What three bonds of an atom span may differ by, for heat. Of carbon with four it is 2.6, in its mirror image -2.6."""
_FRAMES_OF_SHAPE = 20
"""Frames of which that is the mean: bonds in a plane, or of nitrogen that inverts, span nothing."""
_AS_GOOD_AS_ALL = 0.75
"""Of what frames at random would have come to: a ligand that was seen in so many turns freely."""


@dataclass(frozen=True)
class Orientations:
    """Equivalent orientations of a ligand.

    Attributes
    ----------
    seen
        In how many it was.
    ways
        How many there are, the mirror images of its parts left out, those counted as one that renumbering both ligands
        takes into each other.
    frames
        That were looked at.
    """

    seen: int
    ways: int
    frames: int

    @property
    def missing(self) -> float:
        """How many orientations there are to each that was seen.

        Returns
        -------
        float
            At least 1; 1 where frames that were drawn at random from all would hardly have come to more.
        """
        drawn = self.ways * (1 - (1 - 1 / self.ways) ** self.frames)
        return 1.0 if self.seen >= _AS_GOOD_AS_ALL * drawn else self.ways / self.seen


def orientations(frames: Floats, graph: LigandGraph, shared: Ints | None = None) -> Orientations | None:
    """Count the orientations of a ligand.

    Parameters
    ----------
    frames
        Heavy atoms, their site laid on that of the first frame, from which all is seen, shape (F, n, 3), Å.
    graph
        Bonds of these atoms.
    shared
        Ways to renumber them that leave all states of a leg as they are, from :func:`shared_ways`; default: none.

    Returns
    -------
    Orientations or None
        None for a ligand with too many ways to be looked at.
    """
    ways = graph.mappings(graph)
    if len(ways) >= MOST_MAPPINGS:
        return None
    turned = _turns(ways, frames[:: max(1, len(frames) // _FRAMES_OF_SHAPE)], graph)
    number = {way.tobytes(): place for place, way in enumerate(turned)}
    same = np.arange(len(turned))  # the first one that a shared way takes each to
    if shared is not None:
        same = np.array([min(number.get(to.tobytes(), place) for to in turned[place][shared]) for place in same])
    apart = np.array([((frames - frames[0][way]) ** 2).sum(axis=(1, 2)) for way in turned])
    return Orientations(len(set(same[apart.argmin(axis=0)])), len(set(same)), len(frames))


def _turns(ways: Ints, frames: Floats, graph: LigandGraph) -> Ints:
    """Those ways that parts of a molecule come to by turning: the mirror image of a methyl group is out of reach."""

    @cache
    def spans(atom: int, three: tuple[int, ...]) -> float:
        return float(np.linalg.det(frames[:, three] - frames[:, [atom]]).mean())

    beside: dict[int, list[int]] = {}
    for one, other in graph.bonds:
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    threes = [(atom, three) for atom, near in beside.items() for three in combinations(near, 3)]
    turned = [
        all(
            abs(spans(atom, three) - spans(way[atom], tuple(way[n] for n in three))) <= _SAME_CUBIC_ANGSTROM
            for atom, three in threes
        )
        for way in ways.tolist()
    ]
    return ways[turned]


def shared_ways(one: Ints, two: Ints, pairs: Sequence[tuple[int, int]]) -> tuple[Ints, Ints]:
    """Find the ways to renumber two ligands at once that leave shared atoms shared.

    Parameters
    ----------
    one, two
        Ways to renumber the heavy atoms of each by itself, shapes (M, n) and (K, m).
    pairs
        What is shared: 2i for heavy atom i, 2i + 1 for a hydrogen on it, of the first ligand and of the second.

    Returns
    -------
    ndarray, ndarray
        Those ways of each that go with one of the other.
    """
    of_one, of_two = np.full(one.shape[1], -1), np.full(two.shape[1], -1)
    for i, j in pairs:
        if not i % 2:
            of_one[i // 2] = j
        if not j % 2:
            of_two[j // 2] = i
    in_one, in_two = of_one >= 0, of_two >= 0
    first = np.hstack([of_one[one[:, in_one]], _renumbered(one, of_two[in_two])])
    second = np.hstack([_renumbered(two, of_one[in_one]), of_two[two[:, in_two]]])
    both = {row.tobytes() for row in first} & {row.tobytes() for row in second}
    return one[[row.tobytes() in both for row in first]], two[[row.tobytes() in both for row in second]]


def _renumbered(ways: Ints, atoms: Ints) -> Ints:
    """Where ways take atoms that are told as in :func:`shared_ways`."""
    return 2 * ways[:, atoms // 2] + atoms % 2


def edge_orientations(ends: EdgeEnds, frames: Sequence[Frames]) -> dict[str, Orientations] | None:
    """Count those of both ligands of an edge in the frames of a leg with a receptor, each where it is whole.

    Parameters
    ----------
    ends
        Both ligands in that leg.
    frames
        Of the windows at its two ends, with these ligands and the receptor's heavy atoms.

    Returns
    -------
    dict of Orientations or None
        By name of the ligand, the first one first; None where fewer than ten frames of an end were kept, or too few
        heavy atoms of the receptor are near to say how it lies.

    Raises
    ------
    StateError
        For a ligand with too many ways to be looked at.
    """
    start = np.asarray(ends.starts_nm[0], dtype=np.float64) * 10
    apart = np.linalg.norm(start[ends.receptor][:, None] - start[ends.ligands[0]][None], axis=-1).min(axis=1)
    site = ends.receptor[apart <= SITE_ANGSTROM]
    if len(site) < LEAST_SITE_ATOMS or min(map(len, frames)) < LEAST_FRAMES:
        return None
    ways = [graph.mappings(graph) for graph in ends.graphs]
    for name, found in zip(ends.names, ways, strict=True):
        if len(found) >= MOST_MAPPINGS:
            what = f"can be numbered in {MOST_MAPPINGS} ways or more: its equivalent orientations are not counted"
            raise StateError(f"{name} {what}")
    shared = [
        these[(these[:, held] == held).all(axis=1)]  # what ties two whole ligands by single atoms stays where it is
        for these, held in zip(shared_ways(ways[0], ways[1], ends.shared), ends.held, strict=True)
    ]
    where = [of.angstrom([*site, *atoms]) for of, atoms in zip(frames, ends.ligands, strict=True)]
    where[0] = np.concatenate([start[None, [*site, *ends.ligands[0]]], where[0]])
    seen = [
        orientations(superposed(one, range(len(site)))[:, len(site) :], graph, of)
        for one, graph, of in zip(where, ends.graphs, shared, strict=True)
    ]
    return {name: one for name, one in zip(ends.names, seen, strict=True) if one}


def missing_kcal_per_mol(seen: Mapping[str, Orientations], temperature_k: float) -> float:
    """Give what ΔΔG lacks where the ligands come to no more orientations than they were seen in.

    Parameters
    ----------
    seen
        From :func:`edge_orientations`.
    temperature_k
        K.

    Returns
    -------
    float
        -kT ln of the orientations of the second ligand that are missing to each one seen, over those of the first.
    """
    one, two = seen.values()
    return kt_kcal_per_mol(temperature_k) * math.log(one.missing / two.missing)
