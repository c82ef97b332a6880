"""Anchor atoms of a Boresch restraint: candidates from an equilibration, scored and explained.

A set of six is scored by the free energy of letting go a restraint that is as tight as the motion it was seen in,

    G = kT ln [r0² sin θA sin θB (2π)³ Π σ_i / (8π² V0)],

the closed form of Boresch et al. (J. Phys. Chem. B 107, 9535 (2003), equation 32) with K_i = kT/σ_i², σ_i the standard
deviation of each of the six coordinates: the volume that the bound ligand has in them, which is to be small, as in the
search of BioSimSpace (Clark et al., J. Chem. Theory Comput. 19, 3686 (2023), supporting information S6, S7). The least
G is taken.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import networkx as nx
import numpy as np

from gibbsflow.binding.anchor_facts import AnchorCandidate
from gibbsflow.binding.geometry import angle_deg, boresch_geometry, circular_mean_deg, circular_std_deg, superposed
from gibbsflow.errors import ScienceError
from gibbsflow.units import STANDARD_VOLUME_ANGSTROM3, Floats, kt_kcal_per_mol

ANGLE_RANGE_DEG = (40.0, 140.0)
TRIPLE_RANGE_DEG = (30.0, 150.0)
MOST_TURN_DEG = 45.0
"""A dihedral that spreads more has no one value to be held at: the ligand turns from pose to pose (of two that differ
by a half turn, into the other for a fifteenth of the time)."""
MOST_RMSF_ANGSTROM = 1.0
"""Receptor atoms that move more are anchors only where there are no others."""
CANDIDATES = 5
"""Kept, each with another pair P1–L1."""
_NEAREST_RECEPTOR = 10
_AROUND_ANGSTROM = 15.0  # receptor atoms so near to the ligand are superposed before fluctuations are taken
_LIGAND_TRIPLES = 12
_ARM_ANGSTROM = (2.0, 10.0)
_BENT = 14  # receptor triples of each first atom, besides those along bonds
_LEAST_SPREAD = (0.01, 0.1)  # Å and degrees: of few frames none is known better
_FRAMES = 200  # that candidates are searched in; figures are of all

Triple = tuple[int, int, int]


class AnchorError(ScienceError):
    """No set of anchor atoms can carry a Boresch restraint."""

    what_to_do = "Use a restraint that needs no anchors (restraint: com or flat_bottom)."


@dataclass(frozen=True)
class AnchorSearch:
    """Where anchors are looked for.

    Attributes
    ----------
    frames_angstrom
        Bound frames, shape (F, N, 3), Å.
    ligand
        Heavy atoms of the ligand.
    receptor_pools
        Heavy atoms of the receptor with what they are called, those that are tried first in front.
    bonds
        Bonds of the complex, pairs of indices.
    temperature_k
        Temperature of the score, K.
    """

    frames_angstrom: Floats
    ligand: Sequence[int]
    receptor_pools: Sequence[tuple[str, Sequence[int]]]
    bonds: Sequence[tuple[int, int]]
    temperature_k: float

    def candidates(self) -> list[AnchorCandidate]:
        """Find the sets whose geometry fluctuates least.

        Ligand triples are bonded or two bonds apart, from rings where there are any, near the ligand's centre; receptor
        atoms are near it. Both angles keep within 40–140° in every frame, no dihedral spreads by more than 45°, and
        three anchors of one molecule are never near a line (30–150°).

        Returns
        -------
        list of AnchorCandidate
            At most five, the best first, from the first pool that has one.

        Raises
        ------
        AnchorError
            Where the ligand has fewer than three heavy atoms, or no set can carry a restraint, with the reasons.
        """
        if len(self.ligand) < 3:
            raise AnchorError(f"the ligand has {len(self.ligand)} heavy atoms; three anchors are needed")
        graph = nx.Graph(list(self.bonds))
        rings = {atom for ring in nx.cycle_basis(graph.subgraph(self.ligand)) for atom in ring}
        frames = self.frames_angstrom[:: -(-len(self.frames_angstrom) // _FRAMES)]
        guests = _ligand_triples(frames, self.ligand, graph, rings)
        if not guests:
            raise AnchorError(f"no three of the ligand's {len(self.ligand)} heavy atoms keep off a line in all frames")
        moves = self._rmsf_angstrom()
        refused: Counter[str] = Counter()
        for words, pool in self.receptor_pools:
            firm = [atom for atom in pool if moves(atom) <= MOST_RMSF_ANGSTROM]
            if len(firm) < 3 and words != self.receptor_pools[-1][0]:
                continue
            sites = _receptor_triples(frames, self.ligand, firm if len(firm) >= 3 else pool, graph)
            if best := _best(frames, sites, guests, refused):
                tried = len(sites) * len(guests)
                return [self._candidate(site, guest, words, tried, moves) for site, guest in best]
        reasons = ", ".join(f"{count} {reason}" for reason, count in refused.most_common())
        atoms = len(self.receptor_pools[-1][1]) if self.receptor_pools else 0
        raise AnchorError(
            f"no anchor set of {len(self.ligand)} ligand and {atoms} receptor atoms can carry a restraint: "
            + (reasons or "no three receptor atoms near the ligand keep off a line")
        )

    def described(self, receptor: Triple, ligand: Triple, words: str) -> AnchorCandidate:
        """Describe a set that was given.

        Parameters
        ----------
        receptor, ligand
            Anchors (P1, P2, P3) and (L1, L2, L3).
        words
            How they were chosen.

        Returns
        -------
        AnchorCandidate
            With its figures in all frames, whatever they are.
        """
        return self._described(receptor, ligand, words, self._rmsf_angstrom())

    def _candidate(
        self, site: Triple, guest: Triple, words: str, tried: int, moves: Callable[[int], float]
    ) -> AnchorCandidate:
        frames = len(self.frames_angstrom)
        why = f"least fluctuation of {tried} sets over {frames} frames, receptor anchors from {words}"
        return self._described(site, guest, why, moves)

    def _described(self, site: Triple, guest: Triple, why: str, moves: Callable[[int], float]) -> AnchorCandidate:
        geometry = boresch_geometry(self.frames_angstrom, site, guest)
        spread = _spread(geometry)
        theta_a, theta_b, phi_a, phi_b, phi_c = (circular_mean_deg(geometry[:, i]) for i in range(1, 6))
        r0 = float(geometry[:, 0].mean())
        return AnchorCandidate(
            receptor=site,
            ligand=guest,
            r0_angstrom=r0,
            theta_a_deg=theta_a,
            theta_b_deg=theta_b,
            phi_a_deg=phi_a,
            phi_b_deg=phi_b,
            phi_c_deg=phi_c,
            sd_r_angstrom=float(spread[0]),
            sd_angles_deg=(float(spread[1]), float(spread[2])),
            sd_dihedrals_deg=(float(spread[3]), float(spread[4]), float(spread[5])),
            least_angle_deg=float(geometry[:, 1:3].min()),
            largest_angle_deg=float(geometry[:, 1:3].max()),
            receptor_rmsf_angstrom=max(moves(atom) for atom in site),
            score_kcal_per_mol=kt_kcal_per_mol(self.temperature_k) * _log_volume(geometry),
            why=why,
        )

    def _rmsf_angstrom(self) -> Callable[[int], float]:
        """Root mean square fluctuation of an atom, the receptor round the ligand superposed."""
        frames, ligand = self.frames_angstrom, list(self.ligand)
        every = sorted({atom for _, pool in self.receptor_pools for atom in pool})
        mean = frames.mean(axis=0)
        away = np.linalg.norm(mean[every][:, None] - mean[ligand][None], axis=-1).min(axis=1)
        near = [atom for atom, distance in zip(every, away, strict=True) if distance <= _AROUND_ANGSTROM]
        laid = superposed(frames, near if len(near) >= 4 else every) if len(every) >= 4 else frames
        fluctuation = np.sqrt(((laid - laid.mean(axis=0)) ** 2).sum(axis=-1).mean(axis=0))
        return lambda atom: float(fluctuation[atom])


def _best(
    frames: Floats, sites: Sequence[Triple], guests: Sequence[Triple], refused: Counter[str]
) -> list[tuple[Triple, Triple]]:
    """Sets of least score, one for each pair P1–L1; why the others were refused is counted."""
    in_range = cache(partial(_in_range, frames))
    best: dict[tuple[int, int], tuple[float, Triple, Triple]] = {}
    for site, guest in itertools.product(sites, guests):
        if not in_range(site[1], site[0], guest[0]) or not in_range(site[0], guest[0], guest[1]):
            refused[f"leave {ANGLE_RANGE_DEG[0]:.0f}-{ANGLE_RANGE_DEG[1]:.0f}° with an angle"] += 1
            continue
        geometry = boresch_geometry(frames, site, guest)
        if max(_spread(geometry)[3:]) > MOST_TURN_DEG:
            refused[f"turn by more than ±{MOST_TURN_DEG:.0f}° in a dihedral: the ligand does not keep one pose"] += 1
            continue
        score, pair = _log_volume(geometry), (site[0], guest[0])
        if pair not in best or score < best[pair][0]:
            best[pair] = (score, site, guest)
    return [(site, guest) for _, site, guest in sorted(best.values())[:CANDIDATES]]


def _in_range(frames: Floats, a: int, b: int, c: int) -> bool:
    angle = angle_deg(frames[:, a], frames[:, b], frames[:, c])
    return bool(angle.min() >= ANGLE_RANGE_DEG[0] and angle.max() <= ANGLE_RANGE_DEG[1])


def _ligand_triples(frames: Floats, ligand: Sequence[int], graph: nx.Graph, rings: set[int]) -> list[Triple]:
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


def _receptor_triples(
    frames: Floats, ligand: Sequence[int], candidates: Sequence[int], graph: nx.Graph
) -> list[Triple]:
    """Receptor triples P1–P2–P3, P1 from the atoms nearest to the ligand; arms long and not in line, or along bonds."""
    centre = frames[:, list(ligand)].mean(axis=(0, 1))
    mean = frames.mean(axis=0)
    order = sorted(candidates, key=lambda a: (float(np.linalg.norm(mean[a] - centre)), a))
    near, wide = order[:_NEAREST_RECEPTOR], order[: 4 * _NEAREST_RECEPTOR : 2]
    inside = set(candidates)
    found = []
    for p1 in near:
        bent, along = [], []
        for p2, p3 in itertools.permutations([a for a in wide if a != p1], 2):
            arms = np.linalg.norm(mean[p1] - mean[p2]), np.linalg.norm(mean[p2] - mean[p3])
            if min(arms) >= _ARM_ANGSTROM[0] and max(arms) <= _ARM_ANGSTROM[1]:
                bend = float(angle_deg(mean[p1], mean[p2], mean[p3]))
                bent.append((abs(bend - 90), (p1, p2, p3)))
        bonded = (set(graph[p1]) if p1 in graph else set()) & inside
        for p2 in sorted(bonded):
            for p3 in sorted((set(graph[p2]) & inside) - {p1}):
                along.append((p1, p2, p3))
        found += [triple for _, triple in sorted(bent)[:_BENT]] + along
    return [triple for triple in dict.fromkeys(found) if _off_a_line(frames, triple)]


def _off_a_line(frames: Floats, triple: Triple) -> bool:
    a, b, c = triple
    angle = angle_deg(frames[:, a], frames[:, b], frames[:, c])
    return bool(angle.min() >= TRIPLE_RANGE_DEG[0] and angle.max() <= TRIPLE_RANGE_DEG[1])


def _spread(geometry: Floats) -> list[float]:
    """Standard deviations of the six coordinates: Å, then degrees."""
    sd = [float(geometry[:, 0].std()), *(circular_std_deg(geometry[:, i]) for i in range(1, 6))]
    return [max(value, _LEAST_SPREAD[place > 0]) for place, value in enumerate(sd)]


def _log_volume(geometry: Floats) -> float:
    """Logarithm of the volume in the six coordinates, over that of the standard state: the score in kT."""
    spread = _spread(geometry)
    sines = [math.sin(math.radians(circular_mean_deg(geometry[:, i]))) for i in (1, 2)]
    jacobian = float(geometry[:, 0].mean()) ** 2 * max(sines[0] * sines[1], 1e-6)
    log = math.log(jacobian * (2 * math.pi) ** 3 / (8 * math.pi**2 * STANDARD_VOLUME_ANGSTROM3))
    return log + math.log(spread[0]) + sum(math.log(math.radians(value)) for value in spread[1:])
