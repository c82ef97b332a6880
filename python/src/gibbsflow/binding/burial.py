"""How far a point is inside a receptor: the share of directions from it in which the receptor's atoms stand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gibbsflow.units import Floats


@dataclass(frozen=True)
class Rays:
    """What is sent out from a point to see what surrounds it.

    Attributes
    ----------
    count
        Directions, spread evenly over the sphere.
    radius_angstrom
        An atom nearer than this to a ray ends it.
    length_angstrom
        Where a ray ends by itself.
    sight_angstrom
        Atoms farther than this from the point are not seen.
    """

    count: int
    radius_angstrom: float
    length_angstrom: float = math.inf
    sight_angstrom: float = math.inf


def buriedness(points_angstrom: Floats, receptor_angstrom: Floats, rays: Rays) -> Floats:
    """Share of directions from each point in which the receptor's atoms stand.

    Parameters
    ----------
    points_angstrom
        Shape (P, 3), Å.
    receptor_angstrom
        Heavy atoms of the receptor, shape (N, 3), Å.
    rays
        The measure: how many directions, how wide, how far.

    Returns
    -------
    ndarray
        Shape (P,): 0 in the open, 1 when enclosed.
    """
    k = np.arange(rays.count) + 0.5  # Fibonacci lattice on the sphere
    polar, turn = np.arccos(1 - 2 * k / rays.count), np.pi * (1 + 5**0.5) * k
    directions = np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)])
    return np.array([_share(receptor_angstrom - point, directions, rays) for point in points_angstrom])


def _share(away: Floats, directions: Floats, rays: Rays) -> float:
    squared = (away**2).sum(axis=1)
    seen = squared < rays.sight_angstrom**2
    along = away[seen] @ directions  # (atoms, directions)
    beside = squared[seen, None] - along**2
    hit = (along > 0) & (along < rays.length_angstrom) & (beside < rays.radius_angstrom**2)
    return float(hit.any(axis=0).mean())
