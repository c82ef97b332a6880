"""Where ions can stand in a box: at waters, away from the solute and from each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from gibbsflow.binding.forcefield.solvation import ION_DISTANCE_ANGSTROM
from gibbsflow.units import Floats, Ints


def nearest(differences: Floats, vectors_angstrom: Floats) -> Floats:
    """Take the nearest image of each difference, as far as reduced vectors tell.

    Parameters
    ----------
    differences
        Shape (..., 3), Å.
    vectors_angstrom
        Reduced vectors of the box as rows, Å.

    Returns
    -------
    ndarray
        Shape (..., 3), Å.
    """
    moved = np.array(differences, dtype=float)
    for axis in (2, 1, 0):
        moved -= np.round(moved[..., axis] / vectors_angstrom[axis, axis])[..., None] * vectors_angstrom[axis]
    return moved


def with_images(positions: Floats, vectors_angstrom: Floats) -> Floats:
    """Repeat positions in the cells around.

    Parameters
    ----------
    positions
        Shape (N, 3), Å.
    vectors_angstrom
        Reduced vectors of the box as rows, Å.

    Returns
    -------
    ndarray
        Shape (27 N, 3), Å; the first N are the positions themselves.
    """
    steps = np.array([[i, j, k] for i in (0, 1, -1) for j in (0, 1, -1) for k in (0, 1, -1)]) @ vectors_angstrom
    return np.asarray((positions[None] + steps[:, None]).reshape(-1, 3))


def free_places(
    places: Floats, solute: Floats, taken: Floats, vectors_angstrom: Floats, count: int, order: Sequence[int] | Ints
) -> list[int]:
    """Choose places for ions, `ION_DISTANCE_ANGSTROM` from the solute, from other ions and from each other.

    Parameters
    ----------
    places
        Where one could stand, shape (M, 3), Å.
    solute, taken
        Atoms of the solute, and other ions, shapes (N, 3) and (I, 3), Å.
    vectors_angstrom
        Reduced vectors of the box as rows, Å.
    count
        How many at the most.
    order
        In which they are tried.

    Returns
    -------
    list of int
        Of `places`; fewer than `count` where no more are free.
    """
    away, _ = cKDTree(with_images(solute, vectors_angstrom)).query(places)
    chosen: list[int] = []
    held = np.array(taken, dtype=float).reshape(-1, 3)
    for candidate in (int(place) for place in order if away[place] >= ION_DISTANCE_ANGSTROM):
        if len(chosen) == count:
            break
        others = nearest(held - places[candidate], vectors_angstrom)
        if not len(held) or np.linalg.norm(others, axis=1).min() >= ION_DISTANCE_ANGSTROM:
            chosen.append(candidate)
            held = np.concatenate([held, places[candidate][None]])
    return chosen
