"""How wrong a potential was where it said that it was guessing: known once these structures are labelled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.potential.explore.calculator import PotentialCalculator

if TYPE_CHECKING:
    from ase import Atoms


def largest_force_error(potential: Path, frames: Sequence[Atoms]) -> float:
    """Measure the error of forces, structure by structure.

    Parameters
    ----------
    potential
        Folder of the potential.
    frames
        Structures with labelled forces; one or more.

    Returns
    -------
    float
        Mean absolute error of the forces in eV/Å, of the structure for which it is largest.
    """
    calculator = PotentialCalculator(potential)
    try:
        errors = [float(np.abs(calculator.get_forces(frame.copy()) - frame.get_forces()).mean()) for frame in frames]
    finally:
        calculator.close()
    return float(np.max(errors))  # not a number where any is none
