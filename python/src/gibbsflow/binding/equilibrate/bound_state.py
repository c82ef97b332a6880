"""Bound or unbound: where the ligand is in its site over an equilibration, and which frame stands for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gibbsflow.binding.burial import Rays, buriedness
from gibbsflow.binding.geometry import superposed
from gibbsflow.units import Floats

LAST_SHARE = 0.5
"""Part of the unrestrained frames, counted from the end, that is judged."""
LEAST_BURIED = 0.45
"""A ligand from whose centre fewer directions than this end at the receptor is outside. In CB7's cavity it is 0.84, at
its portal 0.54, beside its wall 0.40."""
LIPIDS_AT_FACE = 0.2
"""Share of directions that lipids add around a ligand at the membrane's face: 0.24 at a helix's end among the heads."""
KEPT_AT_FACE = 0.5
"""Part of the share of the prepared pose that a ligand among lipids keeps. Beside one helix of leucine and alanine the
share is 0.26 in the median where the ligand's centre is in contact, 0.14 2 Å and 0.10 3 Å farther out."""
LEAST_AT_FACE = 0.1
"""Less is beside the receptor no longer, whatever the prepared pose had."""
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
    least_buried: float = LEAST_BURIED,
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
    least_buried
        Share of directions from the ligand's centre that must end at the receptor.

    Returns
    -------
    BoundAnalysis
        Bound where over the last half the median distance is within the threshold, and the ligand is buried in the
        median frame.
    """
    frames = superposed(frames_angstrom, site)
    distance = np.linalg.norm(frames[:, ligand].mean(axis=1) - frames[:, site].mean(axis=1), axis=-1)
    buried = np.array([buriedness(f[list(ligand)].mean(axis=0)[None], f[list(receptor)], RAYS)[0] for f in frames])
    rmsd = np.sqrt(((frames[:, ligand] - frames[0, ligand]) ** 2).sum(axis=-1).mean(axis=-1))
    judged = np.arange(len(frames) - max(1, round(len(frames) * LAST_SHARE)), len(frames))
    median_distance, median_buried = float(np.median(distance[judged])), float(np.median(buried[judged]))
    near, inside = median_distance <= threshold_angstrom, median_buried >= least_buried
    why = (
        f"over the last {len(judged)} frames the ligand's centre was {median_distance:.2f} Å from the site's "
        f"(threshold {threshold_angstrom:g} Å), with {median_buried:.0%} of its surroundings receptor "
        f"(at least {least_buried:.0%})"
    )
    if not inside and buried[0] < least_buried:
        why += f"; in the first frame it was outside, too ({buried[0]:.0%})"
    representative = None
    if near and inside:
        good = judged[(distance[judged] <= threshold_angstrom) & (buried[judged] >= least_buried)]
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


def least_buried_from(ligand_angstrom: Floats, receptor_angstrom: Floats, lipids_angstrom: Floats) -> float:
    """Say how buried a ligand has to stay, from its prepared pose.

    Parameters
    ----------
    ligand_angstrom, receptor_angstrom, lipids_angstrom
        Heavy atoms of each, shapes (L, 3), (M, 3) and (K, 3), Å, in the images nearest to the ligand.

    Returns
    -------
    float
        `LEAST_BURIED`; where the receptor does not reach it and lipids add `LIPIDS_AT_FACE`, `KEPT_AT_FACE` of the
        receptor's share, `LEAST_AT_FACE` at the least.
    """
    centre = ligand_angstrom.mean(axis=0)[None]
    alone, both = (
        float(buriedness(centre, around, RAYS)[0])
        for around in (receptor_angstrom, np.vstack([receptor_angstrom, lipids_angstrom]))
    )
    at_face = alone < LEAST_BURIED and both - alone >= LIPIDS_AT_FACE
    return max(KEPT_AT_FACE * alone, LEAST_AT_FACE) if at_face else LEAST_BURIED
