"""How windows that GROMACS has run are gone on with by another time step than theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]


def without_checkpoints(arrays: Arrays) -> Arrays:
    """Let walkers begin from where they are: GROMACS's checkpoints count steps, of the time step that they end.

    Parameters
    ----------
    arrays
        Of walkers, as a checkpoint of any sampler holds them.

    Returns
    -------
    Mapping
        The same, of GROMACS's at time 0 with positions, velocities and boxes alone.
    """
    if "time_ps" not in arrays:  # of the other engine, whose saved walkers take any time step
        return arrays
    count = len(arrays["replica"])
    none: Arrays = {"saved": np.zeros((count, 0), np.uint8), "saved_bytes": np.zeros(count, np.int64)}
    return {**arrays, **none, "time_ps": np.zeros(count)}
