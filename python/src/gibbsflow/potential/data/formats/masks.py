"""What of a label counts: the mask of forces and the weights of a frame, where ase.db has no column for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms

FORCE_MASK = "force_mask"
"""Array of a frame: 1 for atoms whose forces count, 0 for the others."""
RIGHT_MASK = "1 (or T) for atoms whose forces count, 0 (or F) for the others"
"""What such an array may hold."""
_WEIGHTS = ("config_weight", "energy_weight", "forces_weight", "stress_weight")


def masked_atoms(atoms: Atoms) -> int | None:
    """Count the atoms whose forces do not count.

    Parameters
    ----------
    atoms
        The frame.

    Returns
    -------
    int or None
        None where the array is no mask: not 0 or 1 for each atom.
    """
    if FORCE_MASK not in atoms.arrays:
        return 0
    values = np.asarray(atoms.arrays[FORCE_MASK])
    if values.shape != (len(atoms),) or values.dtype.kind not in "biuf" or not np.isin(values, (0, 1)).all():
        return None
    return int((values == 0).sum())


def counted_parts(atoms: Atoms) -> dict[str, Any]:
    """Take what says which parts of a frame's label count.

    Parameters
    ----------
    atoms
        The frame.

    Returns
    -------
    dict
        JSON-serialisable; empty where all counts.
    """
    found: dict[str, Any] = {key: float(atoms.info[key]) for key in _WEIGHTS if key in atoms.info}
    if FORCE_MASK in atoms.arrays:
        found[FORCE_MASK] = np.asarray(atoms.arrays[FORCE_MASK]).astype(int).tolist()
    return found


def restore_parts(atoms: Atoms, parts: Mapping[str, Any]) -> Atoms:
    """Give a frame what :func:`counted_parts` took.

    Parameters
    ----------
    atoms
        The frame, which gets it.
    parts
        What was taken.

    Returns
    -------
    Atoms
        The same.
    """
    atoms.info |= {key: value for key, value in parts.items() if key in _WEIGHTS}
    if FORCE_MASK in parts:
        atoms.arrays[FORCE_MASK] = np.array(parts[FORCE_MASK], dtype=int)
    return atoms
