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
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding.alchemy.alchemical_leg import FILE_NAME as LEG
from gibbsflow.binding.analyse.frames.pose_geometry import MOST_MAPPINGS, LigandGraph
from gibbsflow.binding.equilibrate.frame_files import read_frames_nm
from gibbsflow.binding.forcefield.topology_file import heavy_atoms
from gibbsflow.binding.geometry import superposed
from gibbsflow.binding.sample.kept_frames import ABOUT, trajectory_file
from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.errors import StateError
from gibbsflow.units import Floats, Ints, kt_kcal_per_mol
from gibbsflow.workflow.files import as_written, read_arrays, read_json

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


def edge_orientations(leg: Mapping[str, Any], run: Path, folder: Path) -> dict[str, Orientations] | None:
    """Count those of both ligands of an edge in the frames of a leg, each where it is whole.

    Parameters
    ----------
    leg
        Content of the run's ``leg.json``.
    run
        Output of ``fe run``.
    folder
        Of the leg that it ran, with its topologies.

    Returns
    -------
    dict or None
        By the ligand's name, the first one first; None of other legs, without a receptor, and of fewer than
        `LEAST_FRAMES` frames at either end.

    Raises
    ------
    StateError
        For files that cannot be read, or are not as they were written, and a ligand with too many ways to be looked at.
    """
    with as_written(run / LEG, "`fe prepare`"):
        if "hybrid" not in leg or not leg["receptor_atoms"]:
            return None
        files = [run / trajectory_file(window) for window in (0, len(leg["states"]) - 1)]
        if not all(file.is_file() for file in (*files, run / ABOUT)):
            return None
        first, last = leg["hybrid"]["ligands"]
        one, two = _ligands(leg, folder)
        shared = _shared(leg, one, two)
        receptor = sorted(set(leg["receptor_atoms"]) & set(heavy_atoms(folder / leg["topology"])))
        start = read_arrays(folder / leg["start"], "positions_nm")["positions_nm"].astype(float) * 10
        start = start if start.ndim == 2 else start[0]  # noqa: PLR2004
        apart = np.linalg.norm(start[receptor][:, None] - start[one.heavy][None], axis=-1).min(axis=1)
    for name, ligand in ((first, one), (last, two)):
        if len(ligand.ways) >= MOST_MAPPINGS:
            what = (
                f"{name} can be numbered in {MOST_MAPPINGS} ways or more: its equivalent orientations are not counted"
            )
            raise StateError(f"{run}: {what}")
    site = [atom for atom, near in zip(receptor, apart <= SITE_ANGSTROM, strict=True) if near]
    frames = [_kept(file, run / ABOUT, [*site, *ligand.heavy]) for file, ligand in zip(files, (one, two), strict=True)]
    if len(site) < 3 or min(map(len, frames)) < LEAST_FRAMES:  # noqa: PLR2004
        return None
    frames[0] = np.concatenate([start[None, [*site, *one.heavy]], frames[0]])
    laid = [superposed(of, range(len(site)))[:, len(site) :] for of in frames]
    found = [
        orientations(where, ligand.graph, ways) for where, ligand, ways in zip(laid, (one, two), shared, strict=True)
    ]
    return {name: seen for name, seen in zip((first, last), found, strict=True) if seen}


def _kept(file: Path, about: Path, atoms: Sequence[int]) -> Floats:
    """Atoms of a leg in the frames of a window, Å."""
    frames, _ = read_frames_nm(file)
    content = read_json(about)
    with as_written(about, "`fe run`"):
        kept = content["atoms"]
        if kept is not None and kept != sorted(kept):
            raise ValueError("atoms out of order")
        at = list(atoms) if kept is None else [kept.index(atom) for atom in atoms]
    if max(at) >= frames.shape[1]:
        raise StateError(f"{file}: frames of {frames.shape[1]} atoms, not those that {about.name} names")
    return frames[:, at] * 10


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


@dataclass(frozen=True)
class _Ligand:
    """Heavy atoms by their indices in the leg, their bonds, and what each atom is: 2i one of these, 2i + 1 its H."""

    heavy: Ints
    graph: LigandGraph
    kinds: list[int]

    @classmethod
    def read(cls, topology: Path, atoms: Sequence[int], place: Sequence[int]) -> _Ligand:
        """From its atoms in a topology, and where they are in the leg."""
        every = set(heavy_atoms(topology))
        heavy = [atom for atom in atoms if atom in every]
        kinds = {atom: 2 * number for number, atom in enumerate(heavy)}
        for one, other in load_topology(topology).topology.bonds():
            for carrier, hydrogen in ((one.index, other.index), (other.index, one.index)):
                if carrier in every and hydrogen not in every and carrier in kinds:
                    kinds[hydrogen] = kinds[carrier] + 1
        at = dict(zip(atoms, place, strict=True))
        graph = LigandGraph.read(topology, heavy)
        return cls(np.array([at[atom] for atom in heavy], dtype=np.int32), graph, [kinds[atom] for atom in atoms])

    @cached_property
    def ways(self) -> Ints:
        """To renumber its heavy atoms."""
        return self.graph.mappings(self.graph)


def _ligands(leg: Mapping[str, Any], folder: Path) -> tuple[_Ligand, _Ligand]:
    """Both ligands of an edge."""
    old: Sequence[int] = leg["hybrid"]["old_atoms"]
    shared = {j: old[i] for i, j in leg["hybrid"]["pairs"]}
    own = sorted(set(leg["ligand_atoms"]) - set(old), reverse=True)
    count = len(shared) + len(own)
    place = [shared[j] if j in shared else own.pop() for j in range(count)]
    first = _Ligand.read(folder / leg["topology"], old, old)
    return first, _Ligand.read(folder / leg["hybrid"]["other_topology"], range(count), place)


def _shared(leg: Mapping[str, Any], one: _Ligand, two: _Ligand) -> tuple[Ints, Ints]:
    """Ways of both that leave the states of the leg as they are, and the anchors of what ties whole ligands."""
    pairs = [(one.kinds[i], two.kinds[j]) for i, j in leg["hybrid"]["pairs"]]
    ways = shared_ways(one.ways, two.ways, pairs)
    tether = leg["hybrid"].get("tether") or {}
    if tether.get("kind") != "boresch":  # centroids are the same in all ways
        return ways
    held = [np.flatnonzero(np.isin(part.heavy, tether[of])) for part, of in ((one, "receptor"), (two, "ligand"))]
    first, second = (kept[(kept[:, at] == at).all(axis=1)] for kept, at in zip(ways, held, strict=True))
    return first, second
