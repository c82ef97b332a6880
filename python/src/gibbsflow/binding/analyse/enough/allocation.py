"""How long legs are to be sampled for an error of their sum, at the least cost.

The variance that a leg adds falls as one over the time of its windows, V = a/t, and the cost grows as c·t. The least
cost for a given sum of variances has t proportional to √(a/c) (Neyman, J. R. Stat. Soc. 97, 558 (1934), for strata of
unequal cost): more where the spread is large and where a picosecond is cheap. What was sampled stays, and there is a
most, so each time is that share of a common factor, held between the two; the factor is the least that will do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

IDLE = 0.01
"""Of the variance that there is, below which a leg is not sampled longer for an error that is out of reach."""
_HALVINGS = 200


@dataclass(frozen=True)
class SampledLeg:
    """What a leg has had and what it contributes.

    Attributes
    ----------
    name
        Of the leg.
    window_ps
        Sampling of each of its windows so far, ps.
    error_kcal_per_mol
        What it contributes to the standard error of the sum, in quadrature with the others.
    cost_per_ps
        Of one more picosecond of all its windows and replicates, in any unit that is the same for all legs.
    """

    name: str
    window_ps: float
    error_kcal_per_mol: float
    cost_per_ps: float

    def variance_after(self, window_ps: float) -> float:
        """Foresee what it will contribute.

        Parameters
        ----------
        window_ps
            Sampling of each window, ps.

        Returns
        -------
        float
            Variance, (kcal/mol)².
        """
        return self.error_kcal_per_mol**2 * self.window_ps / window_ps


def allocate(legs: Sequence[SampledLeg], error_kcal_per_mol: float, most_ps: Mapping[str, float]) -> dict[str, float]:
    """Say how long windows have to be sampled for an error of the sum.

    Parameters
    ----------
    legs
        What they have had and contribute.
    error_kcal_per_mol
        Standard error to be reached by sampling.
    most_ps
        The longest that a window of each leg may be, ps; a leg that is longer already stays as it is.

    Returns
    -------
    dict
        Length of the windows of each leg, ps, at least what they have; where the error is out of reach, the most for
        each leg that adds `IDLE` of the variance or more: of the others it would lessen nothing.
    """
    aim = error_kcal_per_mol**2
    worth = {leg.name: leg.error_kcal_per_mol * math.sqrt(leg.window_ps / leg.cost_per_ps) for leg in legs}

    def _lengths(factor: float) -> dict[str, float]:
        held = {leg.name: max(leg.window_ps, most_ps[leg.name]) for leg in legs}
        return {leg.name: min(max(leg.window_ps, factor * worth[leg.name]), held[leg.name]) for leg in legs}

    def _enough(factor: float) -> bool:
        asked = _lengths(factor)
        return sum(leg.variance_after(asked[leg.name]) for leg in legs) <= aim

    contributing = [leg for leg in legs if worth[leg.name] > 0]
    if not contributing or _enough(0.0):
        return {leg.name: leg.window_ps for leg in legs}
    low = min(leg.window_ps / worth[leg.name] for leg in contributing)
    high = max(max(leg.window_ps, most_ps[leg.name]) / worth[leg.name] for leg in contributing)
    if not _enough(high):
        least = IDLE * sum(leg.error_kcal_per_mol**2 for leg in legs)
        longest = _lengths(high)
        return {leg.name: longest[leg.name] if leg.error_kcal_per_mol**2 >= least else leg.window_ps for leg in legs}
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        if middle in (low, high):
            break
        low, high = (low, middle) if _enough(middle) else (middle, high)
    return _lengths(high)
