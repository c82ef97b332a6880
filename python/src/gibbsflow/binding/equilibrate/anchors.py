"""Anchor atoms of a Boresch restraint, chosen from an equilibration and explained."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from functools import cache, partial

import networkx as nx
import numpy as np

from gibbsflow.binding.facts import Anchors
from gibbsflow.binding.geometry import angle_deg, boresch_geometry, circular_mean_deg, circular_std_deg
from gibbsflow.errors import ScienceError
from gibbsflow.units import Floats

ANGLE_RANGE_DEG = (40.0, 140.0)
TRIPLE_RANGE_DEG = (30.0, 150.0)
_NEAREST_RECEPTOR = 10
_LIGAND_TRIPLES = 12
_ARM_ANGSTROM = (2.0, 10.0)


class AnchorError(ScienceError):
    """No set of anchor atoms can carry a Boresch restraint."""

    what_to_do = "Use a centre-of-mass restraint (restraint: com), which needs no anchors."


def choose_anchors(
    frames_angstrom: Floats,
    *,
    ligand: Sequence[int],
    receptor: Sequence[int],
    bonds: Iterable[tuple[int, int]],
    preferred: Iterable[int] = (),
) -> Anchors:
    """Choose the anchors whose geometry fluctuates least.

    Heavy atoms only. Ligand triples are bonded or two bonds apart, from rings where there are any, near the ligand's
    centre; receptor atoms are near it, of the backbone where `preferred` names one, else from rings. Both angles keep
    within 40–140° in every frame, and three anchors of one molecule are never near a line (30–150°). Of what remains
    the set with the least product of fluctuations is taken, as in Alibay et al., Commun. Chem. 5, 105 (2022).

    Parameters
    ----------
    frames_angstrom
        Bound frames, shape (F, N, 3), Å.
    ligand, receptor
        Heavy atoms to choose from.
    bonds
        Bonds of the complex, pairs of indices.
    preferred
        Receptor atoms to prefer, such as a protein's backbone.

    Returns
    -------
    Anchors
        With the reference geometry in the mean of the frames, and how they were chosen.

    Raises
    ------
    AnchorError
        Where the ligand has fewer than three heavy atoms, or no set has all angles in range in all frames.
    """
    if len(ligand) < 3:
        raise AnchorError(f"the ligand has {len(ligand)} heavy atoms; three anchors are needed")
    graph = nx.Graph(list(bonds))
    rings = {atom for ring in nx.cycle_basis(graph) for atom in ring}
    liked = set(preferred)
    ligand_triples = _ligand_triples(frames_angstrom, ligand, graph, rings)
    candidates = [a for a in receptor if a in liked] or [a for a in receptor if a in rings] or list(receptor)
    receptor_triples = _receptor_triples(frames_angstrom, ligand, candidates)

    in_range = cache(partial(_in_range, frames_angstrom))
    best: tuple[float, tuple[int, int, int], tuple[int, int, int], Floats] | None = None
    tried = 0
    for site, guest in itertools.product(receptor_triples, ligand_triples):
        tried += 1
        if not in_range(site[1], site[0], guest[0]) or not in_range(site[0], guest[0], guest[1]):
            continue
        geometry = boresch_geometry(frames_angstrom, site, guest)
        score = _fluctuation(geometry)
        if best is None or score < best[0]:
            best = (score, site, guest, geometry)
    if best is None:
        raise AnchorError(
            f"no anchor set has both angles within {ANGLE_RANGE_DEG[0]:.0f}-{ANGLE_RANGE_DEG[1]:.0f} degrees "
            f"in all frames ({tried} sets of {len(ligand)} ligand and {len(candidates)} receptor atoms tried)"
        )
    _, site, guest, geometry = best
    theta_a, theta_b, phi_a, phi_b, phi_c = (circular_mean_deg(geometry[:, i]) for i in range(1, 6))
    spread = [float(geometry[:, 0].std()), *(circular_std_deg(geometry[:, i]) for i in range(1, 6))]
    kind = "backbone atoms" if liked & set(candidates) else "ring atoms" if set(candidates) <= rings else "heavy atoms"
    why = (
        f"least fluctuation of {tried} sets over {len(frames_angstrom)} frames, receptor anchors from "
        f"{len(candidates)} {kind}: distance ±{spread[0]:.2f} Å, angles ±{spread[1]:.0f}° ±{spread[2]:.0f}°, "
        f"dihedrals ±{spread[3]:.0f}° ±{spread[4]:.0f}° ±{spread[5]:.0f}°"
    )
    return Anchors(site, guest, float(geometry[:, 0].mean()), theta_a, theta_b, phi_a, phi_b, phi_c, why)


def _in_range(frames: Floats, a: int, b: int, c: int) -> bool:
    angle = angle_deg(frames[:, a], frames[:, b], frames[:, c])
    return bool(angle.min() >= ANGLE_RANGE_DEG[0] and angle.max() <= ANGLE_RANGE_DEG[1])


def _ligand_triples(
    frames: Floats, ligand: Sequence[int], graph: nx.Graph, rings: set[int]
) -> list[tuple[int, int, int]]:
    """Ligand triples L1–L2–L3 along bonds, L1 nearest to the centre first, ring atoms before others."""
    mean = frames.mean(axis=0)
    centre = mean[list(ligand)].mean(axis=0)
    inside = set(ligand)
    heavy = graph.subgraph(inside)
    found = []
    for first in ligand:
        reach = nx.single_source_shortest_path_length(heavy, first, cutoff=2) if first in heavy else {first: 0}
        near = [a for a in reach if a != first]
        others = near if len(near) >= 2 else [a for a in ligand if a != first]
        for second, third in itertools.permutations(others, 2):
            angle = angle_deg(frames[:, first], frames[:, second], frames[:, third])
            if angle.min() >= TRIPLE_RANGE_DEG[0] and angle.max() <= TRIPLE_RANGE_DEG[1]:
                outside = sum(a not in rings for a in (first, second, third))
                found.append((outside, float(np.linalg.norm(mean[first] - centre)), (first, second, third)))
    return [triple for _, _, triple in sorted(found)[:_LIGAND_TRIPLES]]


def _receptor_triples(frames: Floats, ligand: Sequence[int], candidates: Sequence[int]) -> list[tuple[int, int, int]]:
    """Receptor triples P1–P2–P3, P1 from the atoms nearest to the ligand, arms long and not in line."""
    centre = frames[:, list(ligand)].mean(axis=(0, 1))
    mean = frames.mean(axis=0)
    order = sorted(candidates, key=lambda a: (float(np.linalg.norm(mean[a] - centre)), a))
    near, wide = order[:_NEAREST_RECEPTOR], order[: 4 * _NEAREST_RECEPTOR : 2]
    found = []
    for p1, p2, p3 in itertools.product(near, wide, wide):
        if len({p1, p2, p3}) < 3:
            continue
        arms = np.linalg.norm(mean[p1] - mean[p2]), np.linalg.norm(mean[p2] - mean[p3])
        if min(arms) < _ARM_ANGSTROM[0] or max(arms) > _ARM_ANGSTROM[1]:
            continue
        bend = angle_deg(mean[p1], mean[p2], mean[p3])
        if TRIPLE_RANGE_DEG[0] <= bend <= TRIPLE_RANGE_DEG[1]:
            found.append((abs(float(bend) - 90), (p1, p2, p3)))
    # an even pick over all first atoms, best bends first
    by_first: dict[int, list[tuple[float, tuple[int, int, int]]]] = {}
    for item in sorted(found):
        by_first.setdefault(item[1][0], []).append(item)
    return [triple for items in by_first.values() for _, triple in items[:20]]


def _fluctuation(geometry: Floats) -> float:
    """Sum of logarithms of the fluctuations: a set's configurational volume."""
    spread = [geometry[:, 0].std(), *(circular_std_deg(geometry[:, i]) for i in range(1, 6))]
    return float(np.log(np.maximum(spread, 1e-3)).sum())
