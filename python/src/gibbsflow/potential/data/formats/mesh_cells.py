"""The undeformed cell whose mesh of k points its strained copies keep, told by the heights of that cell in `info`.

A mesh that follows each strained cell steps from one number of points to the next within one curve of energies, and the
engine does not agree with itself. What is deformed from one cell therefore says which, and any spacing gives them all
one mesh.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gibbsflow.units import Floats

if TYPE_CHECKING:
    from ase import Atoms

MESH_HEIGHTS = "mesh_heights_angstrom"
"""Entry of `info`: distances between opposite faces of the undeformed cell, Å, three numbers."""
_ANOTHER_CELL = 1.5
"""A cell that is so many times as high, or as low, is no strained copy."""


def heights_angstrom(atoms: Atoms) -> Floats:
    """Measure the distances between opposite faces of a cell.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    ndarray
        In Å, shape (3,); infinite for a vector that is not there.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(1 / np.linalg.norm(atoms.cell.reciprocal().array, axis=1))


def largest_gaps_angstrom(atoms: Atoms) -> Floats:
    """Measure the thickest layer without atoms along each cell vector.

    Parameters
    ----------
    atoms
        The structure, in a cell that is periodic along all vectors.

    Returns
    -------
    ndarray
        In Å, shape (3,).
    """
    places = np.sort(atoms.get_scaled_positions(wrap=False) % 1.0, axis=0)
    return np.asarray(np.diff(np.vstack([places, places[:1] + 1.0]), axis=0).max(axis=0) * heights_angstrom(atoms))


def mesh_heights_angstrom(atoms: Atoms) -> Floats:
    """Give the heights by which the k points of a structure are counted.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    ndarray
        Those of the cell that it says it was deformed from, else its own, in Å, shape (3,).
    """
    said = atoms.info.get(MESH_HEIGHTS)
    return heights_angstrom(atoms) if said is None else _numbers(said)


def mesh_of(reference: Atoms, atoms: Atoms, repeats: Sequence[int] = (1, 1, 1)) -> dict[str, Any]:
    """Make the entry of `info` by which a structure keeps the mesh of another.

    Parameters
    ----------
    reference
        The undeformed cell, or what keeps the mesh of one.
    atoms
        What was made from it by a strain.
    repeats
        Cells of the reference along each vector.

    Returns
    -------
    dict
        Empty where one of both is not periodic in all directions, and for a cell that is 1.5 times as high or as low,
        which has a mesh of its own.
    """
    if not (reference.pbc.all() and atoms.pbc.all()):
        return {}
    heights = mesh_heights_angstrom(reference) * np.asarray(repeats)
    return {MESH_HEIGHTS: np.round(heights, 8)} if _one_cell(heights, atoms) else {}


def keep_mesh(atoms: Atoms, reference: Atoms, repeats: Sequence[int] = (1, 1, 1)) -> None:
    """Give a structure the mesh of another, in place of what its `info` said.

    Parameters
    ----------
    atoms
        The structure; its `info` is changed.
    reference, repeats
        As in :func:`mesh_of`.
    """
    found = mesh_of(reference, atoms, repeats)
    atoms.info.pop(MESH_HEIGHTS, None)
    atoms.info |= found


def kept_mesh(atoms: Atoms) -> dict[str, Any]:
    """Give the entry of a structure, for another of the same cell.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    dict
        Empty where it has none.
    """
    said = atoms.info.get(MESH_HEIGHTS)
    return {} if said is None else {MESH_HEIGHTS: _numbers(said)}


def mesh_fault(atoms: Atoms) -> str:
    """Say why the entry of a structure cannot count; empty where it can, or is not there.

    Parameters
    ----------
    atoms
        The structure, as a file had it.

    Returns
    -------
    str
        The fault in words.
    """
    said = atoms.info.get(MESH_HEIGHTS)
    if said is None:
        return ""
    try:
        heights = _numbers(said)
    except (TypeError, ValueError):
        heights = np.zeros(0)
    if heights.shape != (3,) or not (np.isfinite(heights).all() and (heights > 0).all()):
        return f"{MESH_HEIGHTS} is {str(said)[:60]!r}, and not three numbers above 0"
    if not atoms.pbc.all():
        return f"{MESH_HEIGHTS} of a structure that is not periodic in all directions"
    if not _one_cell(heights, atoms):
        shown = ["×".join(f"{height:.3g}" for height in own) for own in (heights, heights_angstrom(atoms))]
        return f"{MESH_HEIGHTS} is {shown[0]} Å, and the cell is {shown[1]} Å high: another cell, and no strain of it"
    return ""


def _numbers(said: Any) -> Floats:
    """Numbers as they were given, or as a file has them: in words."""
    return np.array(said.split() if isinstance(said, str) else said, dtype=float)


def _one_cell(heights: Floats, atoms: Atoms) -> bool:
    own = heights_angstrom(atoms)
    return bool(np.isfinite(own).all() and np.all(np.maximum(own / heights, heights / own) < _ANOTHER_CELL))
