"""Frames of a periodic box: molecules brought back together, and what a box weighs."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import constants

from gibbsflow.binding.facts import RemoteFacts
from gibbsflow.engines.md_engine import Apart
from gibbsflow.units import Floats, Ints

GRAM_PER_ML_OF_AMU_PER_NM3 = constants.atomic_mass * 1e24
"""Density of 1 amu in 1 nm³, g/mL (CODATA's atomic mass constant): 1.66e-3."""


def gathered(positions_nm: Floats, box_nm: Floats, molecules: Ints) -> Floats:
    """Bring every molecule to the image whose centre is nearest to that of the first one.

    The first is the receptor, or the largest part of it, so that ligand and chains stand where they belong.

    Parameters
    ----------
    positions_nm
        Shape (N, 3), nm; molecules whole.
    box_nm
        Reduced vectors of the box as rows, shape (3, 3), nm.
    molecules
        Which molecule each atom is in, shape (N,).

    Returns
    -------
    ndarray
        Shape (N, 3), nm.
    """
    sizes = np.bincount(molecules)
    centres = np.stack([np.bincount(molecules, weights=positions_nm[:, k]) for k in range(3)], axis=1) / sizes[:, None]
    return positions_nm + to_nearest_image(centres - centres[0], box_nm)[molecules]


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
    around = np.array(sorted(itertools.product((-1, 0, 1), repeat=3), key=np.linalg.norm)) @ box_nm
    distances = np.linalg.norm(away_nm + shift + around[:, None], axis=-1)
    return shift + around[np.argmin(distances > distances.min(axis=0) + 1e-9, axis=0)]


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
