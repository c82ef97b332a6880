"""Bound or unbound: where the ligand is in its site over an equilibration, and which frame stands for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gibbsflow.binding.geometry import best_rotation
from gibbsflow.binding.prepare.burial import Rays, buriedness
from gibbsflow.units import Floats

LAST_SHARE = 0.5
"""Part of the unrestrained frames, counted from the end, that is judged."""
LEAST_BURIED = 0.45
"""A ligand from whose centre fewer directions than this end at the receptor is outside. In CB7's cavity it is 0.84, at
its portal 0.54, beside its wall 0.40. Beside one helix of leucine and alanine it is 0.45 at the most (median 0.25)."""
RAYS = Rays(200, radius_angstrom=2.0, sight_angstrom=10.0)


@dataclass(frozen=True)
class BoundAnalysis:
    """Outcome of looking at an equilibration.

    Attributes
    ----------
    bound
        Whether the ligand was in its site over the last part.
    why
        The figures behind it, in words.
    distance_angstrom
        Distance between the centroids of ligand and site, shape (F,).
    buried
        Share of directions from the ligand's centre that end at the receptor, shape (F,).
    rmsd_angstrom
        Ligand against its first frame after superposing the site, shape (F,).
    judged
        Indices of the frames that were judged.
    representative
        Index of the frame nearest to the mean of the bound frames; None where unbound.
    """

    bound: bool
    why: str
    distance_angstrom: Floats
    buried: Floats
    rmsd_angstrom: Floats
    judged: tuple[int, ...]
    representative: int | None


def analyse_bound(
    frames_angstrom: Floats,
    *,
    ligand: Sequence[int],
    site: Sequence[int],
    receptor: Sequence[int],
    threshold_angstrom: float,
) -> BoundAnalysis:
    """Judge whether a ligand stayed in its site.

    Parameters
    ----------
    frames_angstrom
        Unrestrained frames, shape (F, N, 3), Å.
    ligand, site, receptor
        Indices of heavy atoms: ligand, those lining the site, all of the receptor.
    threshold_angstrom
        Largest distance between the centroids of ligand and site.

    Returns
    -------
    BoundAnalysis
        Bound where over the last half the median distance is within the threshold, and the ligand is buried
        (`LEAST_BURIED`) in the median frame.
    """
    frames = superposed(frames_angstrom, site)
    distance = np.linalg.norm(frames[:, ligand].mean(axis=1) - frames[:, site].mean(axis=1), axis=-1)
    buried = np.array([buriedness(f[list(ligand)].mean(axis=0)[None], f[list(receptor)], RAYS)[0] for f in frames])
    rmsd = np.sqrt(((frames[:, ligand] - frames[0, ligand]) ** 2).sum(axis=-1).mean(axis=-1))
    judged = np.arange(len(frames) - max(1, round(len(frames) * LAST_SHARE)), len(frames))
    median_distance, median_buried = float(np.median(distance[judged])), float(np.median(buried[judged]))
    near, inside = median_distance <= threshold_angstrom, median_buried >= LEAST_BURIED
    why = (
        f"over the last {len(judged)} frames the ligand's centre was {median_distance:.2f} Å from the site's "
        f"(threshold {threshold_angstrom:g} Å), with {median_buried:.0%} of its surroundings receptor "
        f"(at least {LEAST_BURIED:.0%})"
    )
    if not inside and buried[0] < LEAST_BURIED:
        why += f"; in the first frame it was outside, too ({buried[0]:.0%})"
    representative = None
    if near and inside:
        good = judged[(distance[judged] <= threshold_angstrom) & (buried[judged] >= LEAST_BURIED)]
        atoms = [*site, *ligand]
        mean = frames[good][:, atoms].mean(axis=0)
        representative = int(good[((frames[good][:, atoms] - mean) ** 2).sum(axis=(1, 2)).argmin()])
    return BoundAnalysis(near and inside, why, distance, buried, rmsd, tuple(int(i) for i in judged), representative)


def uncorrelated_samples(judged: Sequence[int], *series: Floats) -> float:
    """Count the samples that the judged frames amount to.

    Parameters
    ----------
    judged
        Indices of frames, in order.
    *series
        Of all frames, each of shape (F,), in any unit.

    Returns
    -------
    float
        Frames judged over the statistical inefficiency [Chodera et al., JCTC 3, 26 (2007)] of the slowest series, the
        larger of that of all frames and of those judged; 1 where one does not vary, or is of fewer than three frames.
    """
    from pymbar.timeseries import statistical_inefficiency  # a second to load

    fewest, chosen = float(len(judged)), list(judged)
    for one in series:
        told = len(chosen) > 2 and np.ptp(one[chosen]) > 0
        slowest = max(map(statistical_inefficiency, (one, one[chosen]))) if told else len(chosen)
        fewest = min(fewest, len(chosen) / float(slowest))
    return fewest


def superposed(frames: Floats, atoms: Sequence[int]) -> Floats:
    """Lay frames on the first one by the given atoms.

    Parameters
    ----------
    frames
        Shape (F, N, 3), in any one unit.
    atoms
        Indices of the atoms to lay on each other.

    Returns
    -------
    ndarray
        Shape (F, N, 3).
    """
    chosen = list(atoms)
    target = frames[0, chosen] - frames[0, chosen].mean(axis=0)
    laid = np.empty_like(frames)
    for number, frame in enumerate(frames):
        centre = frame[chosen].mean(axis=0)
        laid[number] = (frame - centre) @ best_rotation(frame[chosen] - centre, target) + frames[0, chosen].mean(axis=0)
    return laid
