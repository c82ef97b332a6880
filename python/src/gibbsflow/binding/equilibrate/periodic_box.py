"""Frames of a periodic box: molecules brought back together, and what a box weighs."""

from __future__ import annotations

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
    shift = centres - centres[0]
    for axis in (2, 1, 0):  # reduced vectors: c first, then b, then a
        shift = shift - np.round(shift[:, axis] / box_nm[axis, axis])[:, None] * box_nm[axis]
    return positions_nm + (centres[0] + shift - centres)[molecules]


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
