"""Which structures are one atom alone, in a box of any periodicity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms

# an atom whose nearest image is farther away than both is alone: 2.5 times the length of a bond
_ALONE_ANGSTROM, _ALONE_BONDS = 6.0, 2.5


def alone(atoms: Atoms) -> bool:
    """Say whether a structure is one atom without a neighbour.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    bool
        True where no image of it is within 6 Å and within 2.5 bond lengths (twice the covalent radius).
    """
    from ase.data import covalent_radii

    if len(atoms) != 1:
        return False
    reach = max(_ALONE_ANGSTROM, 2 * _ALONE_BONDS * float(covalent_radii[atoms.numbers[0]]))
    return nearest_image_angstrom(atoms) >= reach


def nearest_image_angstrom(atoms: Atoms) -> float:
    """Find the shortest lattice vector along the periodic directions.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    float
        Its length in Å; infinite without periodicity.
    """
    if not atoms.pbc.any():
        return float("inf")
    steps = np.array(np.meshgrid(*[(-1, 0, 1) if periodic else (0,) for periodic in atoms.pbc])).reshape(3, -1).T
    lengths = np.linalg.norm(steps[(steps != 0).any(axis=1)] @ atoms.cell.array, axis=1)
    return float(lengths.min())
