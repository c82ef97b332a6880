"""What error MBAR would leave with windows at given distances, for the same number of samples in all.

States are taken for Gaussians of width 1 on a line, which is what distances know of them. The error is then that of
MBAR with very many samples, by its own covariance (Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008), with samples
drawn in equal numbers from each state), and the integrals are sums on an even grid.
"""

from __future__ import annotations

import math

import numpy as np

from gibbsflow.binding.analyse.placement.distances import MOST_LENGTH
from gibbsflow.units import Floats

_STEP, _TAIL = 0.05, 8.0


def unit_error(distance: Floats) -> float:
    """Give the error of the free energy between the ends, for one sample in all.

    Parameters
    ----------
    distance
        Of neighbours, shape (K − 1,), dimensionless; more than `MOST_LENGTH` counts as that.

    Returns
    -------
    float
        Standard error in kT times the square root of the number of samples, which all K states share equally. Never
        less than the whole distance where windows lie as well as they can; more for few of them, for uneven ones, and
        for idle ones, whose samples tell little.
    """
    places = np.cumsum([0.0, *np.minimum(distance, MOST_LENGTH)])
    x = np.arange(-_TAIL, places[-1] + _TAIL, _STEP)
    p = np.exp(-0.5 * (x[:, None] - places) ** 2) / math.sqrt(2 * math.pi)
    mixture = p.mean(axis=1)
    inside = mixture > 0  # beyond the tails of neighbours that are as far apart as can be, nothing is sampled
    shared = (p[inside] / mixture[inside, None]).T @ p[inside] * _STEP
    count = len(places)
    # MBAR's equations and how they respond, the first free energy held at zero
    response = np.eye(count)[1:, 1:] - shared[1:, 1:] / count
    spread = (shared - shared @ shared / count)[1:, 1:]
    of_last = np.linalg.solve(response.T, np.eye(count - 1)[-1])
    return math.sqrt(max(0.0, float(of_last @ spread @ of_last)))


def error_ratio(placed: Floats, given: Floats) -> float:
    """Compare two schedules at equal cost.

    Parameters
    ----------
    placed, given
        Distances of their neighbours.

    Returns
    -------
    float
        Error expected of the first over that of the second, for as many samples in all; 1 where neither has a length.
    """
    before = unit_error(given)
    return unit_error(placed) / before if before > 0 else 1.0
