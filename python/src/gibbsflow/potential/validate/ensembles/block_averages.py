"""Means of series whose values hang together, with errors by blocks."""

from __future__ import annotations

import numpy as np

from gibbsflow.units import Floats

_BLOCKS = 8


def block_average(values: Floats) -> tuple[float, float]:
    """Average a series of MD.

    The error is that of the means of eight blocks (Flyvbjerg and Petersen, J. Chem. Phys. 91, 461 (1989)), or the
    larger one of four, whose blocks are twice as long: where they differ the blocks are no longer than what they hold.

    Parameters
    ----------
    values
        The series, shape (n,), of eight values at least.

    Returns
    -------
    mean, error : float
        Mean and its standard error, in the unit of the values.

    Raises
    ------
    ValueError
        For fewer values.
    """
    if len(values) < _BLOCKS:
        raise ValueError(f"{len(values)} values, and not {_BLOCKS} or more")
    errors = []
    for blocks in (_BLOCKS, _BLOCKS // 2):
        means = [part.mean() for part in np.array_split(values, blocks)]
        errors.append(float(np.std(means, ddof=1)) / blocks**0.5)
    return float(np.mean(values)), max(errors)
