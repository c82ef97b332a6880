"""What every program of plane waves needs of a structure: a cell in all directions, and a mesh of k points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.potential.data.formats.mesh_cells import (
    MESH_HEIGHTS,
    heights_angstrom,
    largest_gaps_angstrom,
    mesh_heights_angstrom,
)
from gibbsflow.units import Floats

if TYPE_CHECKING:
    from ase import Atoms

_VACUUM_ANGSTROM = 6.0
_DENSITY_ANGSTROM = 3.0
_LEAST_GAP_ANGSTROM = 6.0
"""Between an atom and the images of others, in a direction that is not periodic."""
_VACUUM_GAP_ANGSTROM = 5.0
_LONG = 2.0
_REACH_CELLS = 10


def in_cell(atoms: Atoms) -> Atoms:
    """Give a structure a cell, for plane waves are periodic in all directions.

    Parameters
    ----------
    atoms
        The structure; it stays as it is.

    Returns
    -------
    Atoms
        The structure itself where it has three cell vectors, and images are 6 Å or more from it in the directions that
        are not periodic; otherwise a copy, centred, whose missing or short vectors leave 6 Å on either side.
    """
    short = _short(atoms)
    if not short:
        return atoms
    boxed = atoms.copy()
    cell = atoms.cell.array.copy()
    cell[short] = 0.0
    boxed.set_cell(cell)
    boxed.center(vacuum=_VACUUM_ANGSTROM, axis=short)
    return boxed


def within_reach(atoms: Atoms) -> Atoms:
    """Move atoms that are many cells away by whole cell vectors, for programs that write positions in columns.

    Parameters
    ----------
    atoms
        The structure, in a cell; it stays as it is.

    Returns
    -------
    Atoms
        The structure itself where all atoms are within 10 cells, as nearly all are; otherwise a copy.
    """
    cells = np.rint(atoms.get_scaled_positions(wrap=False))
    if np.abs(cells).max(initial=0) <= _REACH_CELLS:
        return atoms
    moved = atoms.copy()
    moved.positions -= cells @ atoms.cell.array
    return moved


def without_images(atoms: Atoms) -> Atoms:
    """Give a structure that is periodic nowhere a box in which its Coulomb interaction can be cut off.

    The cut-off (Martyna and Tuckerman, J. Chem. Phys. 110, 2810 (1999)) is right in a box twice as long as the density
    in each direction; the density is taken to reach 3 Å beyond the atoms.

    Parameters
    ----------
    atoms
        The structure, periodic nowhere; it stays as it is, and its own cell does not count.

    Returns
    -------
    Atoms
        A copy in the middle of a rectangular box.
    """
    boxed = atoms.copy()
    low, high = atoms.positions.min(axis=0), atoms.positions.max(axis=0)
    sides = 2 * (high - low + 2 * _DENSITY_ANGSTROM)
    boxed.set_cell(sides)
    boxed.positions += (sides - low - high) / 2
    return boxed


def reboxed(atoms: Atoms) -> bool:
    """Say whether a structure has a cell vector that is not taken as it is.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    bool
        True where `in_cell` lengthens a vector that is there.
    """
    return any(atoms.cell.array[axis].any() for axis in _short(atoms))


def uneven(atoms: Atoms) -> bool:
    """Say whether charge may slosh in a cell: vacuum in it, or much longer in one direction than in another.

    Parameters
    ----------
    atoms
        The structure, in a cell.

    Returns
    -------
    bool
        True with 5 Å or more without atoms along a cell vector, or a cell twice as high along one as along another.
    """
    heights = heights_angstrom(atoms)
    return bool(heights.max() > _LONG * heights.min() or largest_gaps_angstrom(atoms).max() >= _VACUUM_GAP_ANGSTROM)


def _short(atoms: Atoms) -> list[int]:
    least = _LEAST_GAP_ANGSTROM - 1e-6
    return [axis for axis in range(3) if not atoms.pbc[axis] and _gap_angstrom(atoms, axis) < least]


def _gap_angstrom(atoms: Atoms, axis: int) -> float:
    """Distance between the structure and its image along the normal of the other two vectors; 0 without a vector."""
    if not atoms.cell.array[axis].any() or atoms.cell.rank < 3:
        return 0.0
    normal = atoms.cell.reciprocal().array[axis]
    height = 1 / np.linalg.norm(normal)
    along = atoms.positions @ normal * height
    return float(height - np.ptp(along))


def k_mesh(atoms: Atoms, kspacing_per_angstrom: float) -> tuple[int, int, int]:
    """Choose the Monkhorst-Pack mesh N_i = ceil(|b_i| / spacing), b_i the reciprocal vectors with 2π.

    The reciprocal vectors count, not the lengths of the cell's: the two differ in every oblique cell. A strained copy
    has the mesh of the cell that its `info` says it was deformed from (`mesh_cells.py`).

    Parameters
    ----------
    atoms
        The structure.
    kspacing_per_angstrom
        Largest spacing of k points in 1/Å, in the undeformed cell.

    Returns
    -------
    tuple of int
        Points along each reciprocal vector; 1 where the structure is not periodic.
    """
    return _mesh(atoms, mesh_heights_angstrom(atoms), kspacing_per_angstrom)


def own_mesh(atoms: Atoms, kspacing_per_angstrom: float) -> tuple[int, int, int]:
    """Choose the mesh that a cell has by itself, whatever it was deformed from.

    Parameters
    ----------
    atoms, kspacing_per_angstrom
        As in :func:`k_mesh`.

    Returns
    -------
    tuple of int
        As :func:`k_mesh` gives it.
    """
    return _mesh(atoms, heights_angstrom(atoms), kspacing_per_angstrom)


def foreign_mesh(atoms: Atoms, kspacing_per_angstrom: float) -> tuple[int, int, int] | None:
    """Give the mesh of a structure where it is not that of its own cell.

    Parameters
    ----------
    atoms, kspacing_per_angstrom
        As in :func:`k_mesh`.

    Returns
    -------
    tuple of int or None
        None where the settings and the cell tell it.
    """
    if MESH_HEIGHTS not in atoms.info:
        return None
    mesh = k_mesh(atoms, kspacing_per_angstrom)
    return mesh if mesh != own_mesh(atoms, kspacing_per_angstrom) else None


def _mesh(atoms: Atoms, heights: Floats, kspacing_per_angstrom: float) -> tuple[int, int, int]:
    mesh = [
        max(1, int(np.ceil(2 * np.pi / height / kspacing_per_angstrom - 1e-6))) if periodic else 1
        for height, periodic in zip(heights, atoms.pbc, strict=True)
    ]
    return mesh[0], mesh[1], mesh[2]
