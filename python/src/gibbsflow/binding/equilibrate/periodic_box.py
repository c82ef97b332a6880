"""Frames of a periodic box: molecules brought back together, and what a box weighs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from scipy import constants
from scipy.spatial import cKDTree

from gibbsflow.binding.facts import RemoteFacts
from gibbsflow.binding.forcefield.membrane.bilayer import middle_of
from gibbsflow.engines.md_engine import Apart
from gibbsflow.units import Floats, Ints

GRAM_PER_ML_OF_AMU_PER_NM3 = constants.atomic_mass * 1e24
"""Density of 1 amu in 1 nm³, g/mL (CODATA's atomic mass constant): 1.66e-3."""
_AROUND = np.array(sorted(itertools.product((-1, 0, 1), repeat=3), key=np.linalg.norm))
_SURELY_NEAREST = 0.25
"""Of the least width of a box: centres as near as this are those of the images that belong together."""
_POINTS = 100
"""Atoms of a part of the solute that distances are taken from, evenly spread."""


def gathered(positions_nm: Floats, box_nm: Floats, molecules: Ints, solute: Sequence[int] = ()) -> Floats:
    """Bring molecules to the images whose centres are nearest to that of the first one, and a solute's parts together.

    The first is the receptor, or a part of it. Of long chains beside each other, as in a fibril, the centres may be
    farther apart than half the box: where any is, each part of the solute comes to the image whose atoms are nearest to
    those that are there already, the nearest part first.

    Parameters
    ----------
    positions_nm
        Shape (N, 3), nm; molecules whole.
    box_nm
        Reduced vectors of the box as rows, shape (3, 3), nm.
    molecules
        Which molecule each atom is in, shape (N,).
    solute
        Atoms of receptor and ligand, whole molecules.

    Returns
    -------
    ndarray
        Shape (N, 3), nm.
    """
    sizes = np.bincount(molecules)
    centres = np.stack([np.bincount(molecules, weights=positions_nm[:, k]) for k in range(3)], axis=1) / sizes[:, None]
    shift = to_nearest_image(centres - centres[0], box_nm)
    of_solute = np.union1d(molecules[list(solute)], [0]) if len(solute) else np.array([0])
    away = np.linalg.norm((centres + shift - centres[0])[of_solute], axis=1)
    if away.max() > np.diag(box_nm).min() * _SURELY_NEAREST:
        parts = [positions_nm[molecules == number] + shift[number] for number in of_solute]
        shift[of_solute] += _joined([part[:: -(-len(part) // _POINTS)] for part in parts], box_nm)
    return positions_nm + shift[molecules]


def laid_out(
    positions_nm: Floats, box_nm: Floats, molecules: Ints, solute: Sequence[int] = (), slab: Ints | None = None
) -> Floats:
    """Bring molecules about the first one, and a membrane's about its own middle.

    About a receptor that stands out of its membrane, lipids of the far leaflet would come to its other side.

    Parameters
    ----------
    positions_nm, box_nm, molecules, solute
        As for :func:`gathered`.
    slab
        Atoms of the membrane; None for none.

    Returns
    -------
    ndarray
        Shape (N, 3), nm.
    """
    found = gathered(positions_nm, box_nm, molecules, solute)
    if slab is None:
        return found
    height = float(box_nm[2, 2])
    middle = middle_of(found[slab], height)
    centre = float(found[molecules == 0, 2].mean())
    middle += height * round((centre - middle) / height)
    numbers, place = np.unique(molecules[slab], return_inverse=True)
    away = np.bincount(place, weights=found[slab, 2]) / np.bincount(place) - middle
    shift = np.zeros(int(molecules.max()) + 1)
    shift[numbers] = np.round(away / height)
    return found - shift[molecules][:, None] * box_nm[2]


def _joined(parts: Sequence[Floats], box_nm: Floats) -> Floats:
    """What brings parts together, the first one staying; the nearest to those that are there comes next."""
    steps = _AROUND @ box_nm
    shift = np.zeros((len(parts), 3))
    nearest, of_step = np.full(len(parts), np.inf), np.zeros(len(parts), dtype=int)
    left, last = set(range(1, len(parts))), 0
    while left:
        tree = cKDTree(parts[last] + shift[last])
        for number in left:
            found = tree.query(parts[number] + steps[:, None])[0].min(axis=1)
            step = int(np.argmin(np.round(found, 6)))
            if found[step] < nearest[number]:
                nearest[number], of_step[number] = found[step], step
        last = min(left, key=lambda number: nearest[number])
        shift[last] = steps[of_step[last]]
        left.remove(last)
    return shift


def to_nearest_image(away_nm: Floats, box_nm: Floats) -> Floats:
    """Say what brings points to their image that is nearest to the origin.

    Parameters
    ----------
    away_nm
        Shape (M, 3), nm.
    box_nm
        Reduced vectors of the box as rows, shape (3, 3), nm.

    Returns
    -------
    ndarray
        To be added, sums of whole vectors of the box, shape (M, 3), nm.
    """
    shift = np.zeros_like(away_nm)
    for axis in (2, 1, 0):  # reduced vectors: c first, then b, then a
        shift -= np.round((away_nm + shift)[:, axis] / box_nm[axis, axis])[:, None] * box_nm[axis]
    # rounding finds the nearest within half the least width; in a box that leans farther points may have a nearer one
    left = away_nm + shift
    far = np.flatnonzero(np.linalg.norm(left, axis=1) > np.diag(box_nm).min() / 2)
    if len(far) and np.count_nonzero(box_nm) > 3:
        around = _AROUND @ box_nm
        distances = np.linalg.norm(left[far] + around[:, None], axis=-1)
        shift[far] += around[np.argmin(distances > distances.min(axis=0) + 1e-9, axis=0)]
    return shift


def kept_apart(remote: RemoteFacts | None) -> tuple[Apart, ...]:
    """Say what is kept away from the solute of a box.

    Parameters
    ----------
    remote
        What changes with the ligand far from it; None for nothing.

    Returns
    -------
    tuple of Apart
        One for each molecule.
    """
    if remote is None:
        return ()
    return tuple(Apart(remote.centre_atoms, atoms, remote.least_angstrom) for atoms in remote.molecules)
