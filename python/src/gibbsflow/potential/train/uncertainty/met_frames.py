"""Which labelled frames are like those that dynamics will meet: for thresholds of grades, and weights of molecules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gibbsflow.potential.data.labelled_frames import LabelledFrame

FEWEST = 5
"""Of fewer other frames, all count."""
# quantile of the force sizes of molecules beyond which they count for less, also where half are relaxed; and how little
_USUAL, _LEAST = 0.75, 0.01
# eV/Å, what a stretching bond has at room temperature (30 eV/Å² and 26 meV): no more is large, however relaxed the rest
_WARM = 0.9


def met(frames: Sequence[LabelledFrame]) -> npt.NDArray[np.bool_]:
    """Tell frames of dynamics from pairs and single atoms in free space.

    A pair at one distance, left out of training, is nothing that others know: its grade is in the hundreds, and its
    error that of a wall or of a broken bond. Where nearly half of a training set are such, the median of what was left
    out lies between theirs and that of all others, which dynamics never reaches, and which is worth no label.

    Parameters
    ----------
    frames
        Labelled frames.

    Returns
    -------
    ndarray of bool
        Shape (frames,); all true where fewer than five are anything else.
    """
    found = np.array([bool(frame.atoms.pbc.any()) or len(frame.atoms) > 2 for frame in frames], dtype=bool)
    return found if found.sum() >= FEWEST else np.ones(len(frames), dtype=bool)


def calm(frames: Sequence[LabelledFrame]) -> list[LabelledFrame]:
    """Let frames of molecules with large forces count for less, by the square of their size.

    Squares of forces would give a rattled molecule with bonds that hardly are any the weight of a hundred others, and
    the left-out fold that holds it the choice of the penalty. A relative error of forces counts alike by it. Crystals,
    liquids, pairs and single atoms count as they did.

    Parameters
    ----------
    frames
        Labelled frames.

    Returns
    -------
    list of LabelledFrame
        The same; of frames that are not periodic and have three atoms or more, energies and forces are weighed by
        q² / (w f²), at most 1 and at least 0.01, with f the root mean square force, q its upper quartile over them, but
        no less than 0.9 eV/Å, and w the frame's own weight, where that is below 1: what counts for less already is not
        lowered for it twice.
    """
    size = np.array([_size(frame) for frame in frames])
    if not (size > 0).any():
        return list(frames)
    given = np.array([min(frame.weights.force, 1.0) for frame in frames])
    usual = max(float(np.quantile(size[size > 0], _USUAL)), _WARM)
    part = usual**2 / np.maximum(given * size**2, 1e-18)
    part = np.clip(part, _LEAST, 1.0)
    return [
        frame
        if own == 1
        else replace(
            frame,
            weights=replace(frame.weights, energy=frame.weights.energy * own, force=frame.weights.force * own),
        )
        for frame, own in zip(frames, part.tolist(), strict=True)
    ]


def _size(frame: LabelledFrame) -> float:
    """Root mean square force of a molecule, eV/Å, of atoms whose force counts; 0 of anything else."""
    forces = frame.forces_ev_per_angstrom[frame.force_mask]
    if frame.atoms.pbc.any() or len(frame.atoms) <= 2 or not forces.size or frame.weights.force == 0:
        return 0.0
    return float(np.sqrt((forces**2).mean()))
