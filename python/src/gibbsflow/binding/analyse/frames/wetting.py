"""Whether the number of waters in a pocket has come to rest, and is the same from replicate to replicate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gibbsflow.binding.analyse.frames.turning import LEAST_FRAMES
from gibbsflow.binding.facts import ENDS

WATERS_DIFFER = 1.5
"""Mean numbers of water in the pocket that differ by less are the same."""
ONE_WATER = 0.75
"""Between the ends of an edge, which are asked of the same place, this counts as a water that came or went."""
SIGMAS = 3.0


@dataclass(frozen=True)
class Count:
    """Waters of a pocket.

    Attributes
    ----------
    replicate
        Of which.
    mean, error
        Over time; the error from five blocks, since frames are correlated.
    """

    replicate: int
    mean: float
    error: float

    @classmethod
    def of(cls, replicate: int, counts: npt.ArrayLike) -> Count:
        """Average over frames.

        Parameters
        ----------
        replicate
            Its number.
        counts
            Of each frame, five at least.

        Returns
        -------
        Count
            Of these frames.
        """
        series = np.asarray(counts, dtype=float)
        blocks = [block.mean() for block in np.array_split(series, 5)]
        return cls(replicate, float(series.mean()), float(np.std(blocks, ddof=1) / np.sqrt(len(blocks))))

    def differs(self, other: Count, least: float) -> bool:
        """Say whether two are not the same.

        Parameters
        ----------
        other
            The other one.
        least
            A smaller difference is none.

        Returns
        -------
        bool
            True for more than that, and than `SIGMAS` of its errors.
        """
        return abs(self.mean - other.mean) > max(least, SIGMAS * float(np.hypot(self.error, other.error)))


def judge_waters(parts: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Judge the waters in the pocket of a leg.

    Parameters
    ----------
    parts
        What was seen of its replicates: items of `legs` of `motion` (docs/contracts.md).

    Returns
    -------
    doubts
        Replicates that differ where the ligand is decoupled, or at an end of an edge; ends of an edge that differ by a
        water while one of them has not come to rest.
    notes
        A number that drifts; ends of an edge that differ. Each begins with the replicate that it is of.
    """
    doubts, notes, restless = [], [], []
    seen: dict[str, list[Count]] = {}
    for part in parts:
        for end in ("coupled", "decoupled", *ENDS):
            counts = (part.get(end) or {}).get("buried_waters", [])
            if len(counts) < LEAST_FRAMES:
                continue
            number, name = part["replicate"], part[end].get("ligand", end)
            seen.setdefault(end, []).append(Count.of(number, counts))
            one, two = (Count.of(number, half) for half in np.array_split(np.array(counts, float), 2))
            told = f"{one.mean:.1f} waters in the pocket in the first half, {two.mean:.1f} after it"
            if one.differs(two, WATERS_DIFFER):
                notes.append(f", replicate {number}, {name}: {told}")
            if one.differs(two, ONE_WATER):
                restless.append(f"{name}, replicate {number}: {told}")
    names = {end: part[end]["ligand"] for part in parts for end in ENDS if end in part}
    for end, counts in ((end, seen[end]) for end in ("decoupled", *ENDS) if end in seen):
        low, high = min(counts, key=_mean), max(counts, key=_mean)
        pocket = f"the pocket with {names[end]}" if end in names else "the decoupled pocket"
        told = f"holds {low.mean:.1f} waters in replicate {low.replicate} and {high.mean:.1f} in {high.replicate}"
        if high.differs(low, WATERS_DIFFER):
            doubts.append(f"{pocket} {told}: its hydration is not converged")
        elif high.differs(low, ONE_WATER):
            restless.append(f"{pocket} {told}")
    if set(ENDS) <= seen.keys():
        first, second = (_over_replicates(seen[end]) for end in ENDS)
        if first.differs(second, ONE_WATER):
            a, b = (names[end] for end in ENDS)
            moved = f"{first.mean:.1f} waters in the pocket with {a}, {second.mean:.1f} with {b}"
            if restless:
                doubts.append(f"{moved}, and their number is not settled ({restless[0]})")
            else:
                notes.append(f": {moved}; over time and between replicates no change was seen")
    return doubts, notes


def _mean(count: Count) -> float:
    return count.mean


def _over_replicates(counts: Sequence[Count]) -> Count:
    errors = np.array([count.error for count in counts])
    mean = float(np.mean([count.mean for count in counts]))
    return Count(-1, mean, float(np.sqrt((errors**2).sum()) / len(counts)))
