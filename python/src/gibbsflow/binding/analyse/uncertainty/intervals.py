"""One value, its standard error and its intervals from one or several replicates, each with an error of its own.

What replicates tell of their spread and what each tells of its own error are taken together. Each replicate's own error
may be right, or hide motion that was slower than the replicate. So the spread over replicates is ρ times what their own
errors say, where ρ = 1 with the probability `TRUSTED`, and else P(ρ > x) = x^−a, whose median is the ratio that public
repeats have. Bayes' rule does the rest: with ρ given, pooled variances and Student's t; over ρ, their mixture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t as student

from gibbsflow.units import Floats

TRUSTED = 0.9
"""Probability, before replicates are compared, that errors from within them hold all there is."""
HIDDEN_RATIO = 2.8
"""Median of spread over own error where they do not: 1,196 public edges (docs/methods/analysis.md)."""
MOST_DOF = 30.0
"""A replicate's own error is never taken to be known better than from so many degrees of freedom."""
_GRID = 24
_ONE_SIGMA = math.erf(math.sqrt(0.5))


@dataclass(frozen=True)
class Combined:
    """Mean over replicates and how far it may be off.

    Attributes
    ----------
    mean
        In the unit of the values.
    standard_error
        Of one replicate its own error; else half of the interval of 68.3 %, never less than their own errors give: the
        variance of the mixture would be that of its far tail.
    scales, weights
        Of the distributions by Student that the mixture consists of, shape (M,).
    dof
        Degrees of freedom of each of them.
    systematic
        Standard error that all replicates share.
    hidden
        Probability that the replicates differ by more than their own errors.
    """

    mean: float
    standard_error: float
    scales: Floats
    weights: Floats
    dof: float
    systematic: float
    hidden: float

    def half_width(self, probability: float) -> float:
        """Half the width of the interval that holds the truth with a probability.

        Parameters
        ----------
        probability
            Between 0 and 1.

        Returns
        -------
        float
            In the unit of the values.
        """
        normal = float(student.ppf((1 + probability) / 2, np.inf)) * self.systematic
        if not self.scales.max() > 0:
            return normal
        largest = float(self.scales.max()) * float(student.isf((1 - probability) / 2, self.dof)) * 1.01
        own = float(brentq(lambda width: self.outside(width) - (1 - probability), 0.0, largest))
        return math.hypot(own, normal)

    def outside(self, distance: float) -> float:
        """Probability that the truth is further from the mean, what all replicates share left out.

        Parameters
        ----------
        distance
            Not negative, in the unit of the values.

        Returns
        -------
        float
            Two-sided, from 0 to 1.
        """
        return float(2 * (self.weights * student.sf(distance / self.scales, self.dof)).sum())


def pooled_dof(errors: Sequence[float], dofs: Sequence[float]) -> float:
    """Degrees of freedom of errors added in quadrature.

    Parameters
    ----------
    errors
        Standard errors of independent terms, in one unit.
    dofs
        Degrees of freedom of each.

    Returns
    -------
    float
        By Welch and Satterthwaite; infinite where all errors are zero.

    References
    ----------
    Satterthwaite, Biometrics Bull. 2, 110 (1946).
    """
    fourth = sum(error**4 / dof for error, dof in zip(errors, dofs, strict=True))
    return sum(error**2 for error in errors) ** 2 / fourth if fourth > 0 else math.inf


def combine_replicates(
    values: Sequence[float], errors: Sequence[float], dofs: Sequence[float], systematic: float = 0.0
) -> Combined:
    """Combine independent replicates.

    Parameters
    ----------
    values, errors
        Value of each replicate and its standard error from within, in one unit.
    dofs
        Degrees of freedom of each error.
    systematic
        Standard error that all replicates share.

    Returns
    -------
    Combined
        Of a single replicate: its own error, and Student's t by its degrees of freedom.

    References
    ----------
    Satterthwaite, Biometrics Bull. 2, 110 (1946), for pooled degrees of freedom; Gelman et al., Bayesian Data Analysis,
    3rd ed. (2013), section 3.2, for a normal mean with an inverse χ² prior of its variance.
    """
    count = len(values)
    mean = fmean(values)
    squares = np.square(np.maximum(errors, 0.0))
    within = float(squares.mean())
    capped = np.clip(dofs, 1.0, MOST_DOF)
    own_dof = min(pooled_dof(errors, capped.tolist()), MOST_DOF)
    ratios, prior = np.ones(1), np.ones(1)
    between, degrees = 0.0, count - 1
    if count > 1:
        between = float(np.var(values, ddof=1))
        exponent = math.log(2) / math.log(HIDDEN_RATIO)
        quantiles = (np.arange(_GRID) + 0.5) / _GRID
        ratios = np.concatenate([ratios, (1 - quantiles) ** (-1 / exponent)])
        prior = np.concatenate([[TRUSTED], np.full(_GRID, (1 - TRUSTED) / _GRID)])
    pooled = own_dof * within + degrees * between / ratios**2
    dof = own_dof + degrees
    if pooled.max() == 0:  # values and errors that are exact; what is no number stays none
        return Combined(mean, systematic, np.zeros(1), np.ones(1), dof, systematic, 0.0)
    logs = np.log(prior) - degrees * np.log(ratios) - dof / 2 * np.log(pooled)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    variances = ratios**2 * pooled / dof / count
    own = math.hypot(math.sqrt(within / count), systematic)
    combined = Combined(mean, own, np.sqrt(variances), weights, dof, systematic, float(1 - weights[0]))
    return combined if count == 1 else replace(combined, standard_error=max(own, combined.half_width(_ONE_SIGMA)))
