"""What every program of plane waves needs of a structure: a cell in all directions, and a mesh of k points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms

_VACUUM_ANGSTROM = 6.0


def in_cell(atoms: Atoms) -> Atoms:
    """Give a structure a cell, for plane waves are periodic in all directions.

    Parameters
    ----------
    atoms
        The structure; it stays as it is.

    Returns
    -------
    Atoms
        The structure itself where it has three cell vectors; otherwise a copy, centred, whose missing vectors leave
        6 Å on either side.
    """
    if atoms.cell.rank == 3:
        return atoms
    boxed = atoms.copy()
    boxed.center(vacuum=_VACUUM_ANGSTROM, axis=[i for i in range(3) if not atoms.cell.array[i].any()])
    return boxed


def k_mesh(atoms: Atoms, kspacing_per_angstrom: float) -> tuple[int, int, int]:
    """Choose the Monkhorst-Pack mesh N_i = ceil(|b_i| / spacing), b_i the reciprocal vectors with 2π.

    The reciprocal vectors count, not the lengths of the cell's: the two differ in every oblique cell.

    Parameters
    ----------
    atoms
        The structure.
    kspacing_per_angstrom
        Largest spacing of k points in 1/Å.

    Returns
    -------
    tuple of int
        Points along each reciprocal vector; 1 where the structure is not periodic.
    """
    lengths = 2 * np.pi * np.linalg.norm(atoms.cell.reciprocal().array, axis=1)
    mesh = [
        max(1, int(np.ceil(b / kspacing_per_angstrom - 1e-6))) if p else 1
        for b, p in zip(lengths, atoms.pbc, strict=True)
    ]
    return mesh[0], mesh[1], mesh[2]
