"""How wrong a potential was where it said that it was guessing: known once these structures are labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.potential.explore.calculator import PotentialCalculator

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True)
class ForceErrors:
    """Errors of forces in eV/Å, each of the structure or atom for which it is largest.

    Attributes
    ----------
    structure_mae
        Mean absolute error of a structure's force components.
    atom
        Length of the difference of one atom's forces: what a mean over many atoms hides.
    """

    structure_mae: float
    atom: float


def force_errors(potential: Path, frames: Sequence[Atoms]) -> ForceErrors:
    """Measure the errors of forces, structure by structure and atom by atom.

    Parameters
    ----------
    potential
        Folder of the potential.
    frames
        Structures with labelled forces; one or more.

    Returns
    -------
    ForceErrors
        The largest; not a number where any is none.
    """
    calculator = PotentialCalculator(potential)
    try:
        off = [calculator.get_forces(frame.copy()) - frame.get_forces() for frame in frames]
    finally:
        calculator.close()
    means = [np.abs(own).mean() for own in off]
    atoms = [np.linalg.norm(own, axis=1).max() for own in off]
    return ForceErrors(float(np.max(means)), float(np.max(atoms)))
