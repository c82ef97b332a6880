"""Which labelled frames are like those that dynamics will meet: thresholds of a grade come from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gibbsflow.potential.data.labelled_frames import LabelledFrame

FEWEST = 5
"""Of fewer other frames, all count."""


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
