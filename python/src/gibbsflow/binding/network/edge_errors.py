"""Errors of edges that hold the spread between their repeats.

Two or three repeats say little about their own spread, and MBAR's own error says too little: between public repeats the
spread is 2.8 times as large. So each variance is moderated by all edges of the network (empirical Bayes: Smyth, Stat.
Appl. Genet. Mol. Biol. 2004, 3, 3): the variance of an edge, in units of MBAR's where that is known, is taken to be
drawn from a scaled inverse χ² distribution, whose width and scale are those that the edges show. What is stated for an
edge is the mean of its variance given its own spread, and never less than what MBAR states.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

from gibbsflow.binding.network.edge_row import EdgeRow, Spread
from gibbsflow.errors import first_few
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account

PUBLIC_RATIO = 2.8
"""Spread between repeats over MBAR's own error: 1,196 edges of OpenFE 1.0.1 (OpenFreeEnergy/IndustryBenchmarks2024)."""
_PUBLIC_DOF = 4.0
_FEWEST = 3
_MOST_DOF = 1e4
_LEAST_SHARE = 1e-5
_NAMED = 8


@dataclass(frozen=True)
class Prior:
    """What the edges of a network say of the variance of an edge.

    Attributes
    ----------
    dof
        How much that counts, in degrees of freedom; infinite where the edges do not differ.
    scale
        Variance of an edge: in units of MBAR's, or of one repeat in (kcal/mol)².
    of_mbar
        Whether `scale` is in units of MBAR's variance.
    edges
        From how many.
    """

    dof: float
    scale: float
    of_mbar: bool
    edges: int


def settle_errors(rows: Sequence[EdgeRow], account: Account) -> tuple[list[EdgeRow], Prior | None]:
    """Give every edge with a value its error; one that is given stays.

    Parameters
    ----------
    rows
        One a pair.
    account
        Takes notes, and what is wrong where no edge has an error.

    Returns
    -------
    rows
        The same with errors.
    prior
        What they were moderated by; None where all were given.
    """
    known = [row.ddg_error_kcal_per_mol is not None for row in rows]
    valued = [row.ddg_kcal_per_mol is not None for row in rows]
    spreads = [row.spread for row in rows if row.spread is not None and row.ddg_error_kcal_per_mol is None]
    prior = _prior([spread for spread in spreads if spread.dof > 0], account) if spreads else None
    if spreads and prior is None and any(spread.mbar_variance is not None for spread in spreads):
        account.note(
            f"no edge has repeats: errors are {PUBLIC_RATIO} times MBAR's own, the ratio that public data have"
        )
        prior = Prior(math.inf, PUBLIC_RATIO**2, True, 0)
    errors = [
        row.ddg_error_kcal_per_mol if given or prior is None or row.spread is None else _moderated(row.spread, prior)
        for row, given in zip(rows, known, strict=True)
    ]
    lacking = [row for row, error, value in zip(rows, errors, valued, strict=True) if value and error is None]
    if lacking:
        found = [error for error, row in zip(errors, rows, strict=True) if error is not None and row.used]
        if not found:
            right = "ddg_error_kcal_per_mol, errors of both legs, or repeats as rows"
            account.refuse("no edge has an error", right, field="ddg_error_kcal_per_mol")
            return list(rows), prior
        typical = float(np.median(found))
        names = first_few([row.name for row in lacking], _NAMED)
        what = f"no error of {names}: taken as {typical:.3f} kcal/mol, the median of the others"
        account.warn(what, "an error for each", field="ddg_error_kcal_per_mol")
        errors = [typical if e is None and value else e for e, value in zip(errors, valued, strict=True)]
    return [replace(row, ddg_error_kcal_per_mol=e) for row, e in zip(rows, errors, strict=True)], prior


def _prior(spreads: Sequence[Spread], account: Account) -> Prior | None:
    """Fit the prior by moments of the logarithms of the variances (Smyth 2004, section 6.2)."""
    if not spreads:
        return None
    of_mbar = all(spread.mbar_variance for spread in spreads)
    x = np.array([spread.variance / _unit(spread, of_mbar) for spread in spreads])
    dof = np.array([spread.dof for spread in spreads])
    if not x.any():
        account.warn("repeats do not differ at all", "figures with all their digits")
        return Prior(math.inf, 1.0 if of_mbar else 0.01**2, of_mbar, len(x))
    if len(x) < _FEWEST:
        if of_mbar:
            return Prior(_PUBLIC_DOF, PUBLIC_RATIO**2, True, len(x))
        return Prior(0.0, 1.0, False, len(x))
    x = np.maximum(x, _LEAST_SHARE * np.median(x[x > 0]))
    logs: Floats = np.log(x) - digamma(dof / 2) + np.log(dof / 2)
    excess = float(logs.var(ddof=1) - polygamma(1, dof / 2).mean())
    if excess <= polygamma(1, _MOST_DOF / 2):
        return Prior(math.inf, float(np.exp(logs.mean())), of_mbar, len(x))
    prior_dof = 2 * brentq(lambda half: float(polygamma(1, half)) - excess, 1e-3, _MOST_DOF)
    scale = math.exp(logs.mean() + digamma(prior_dof / 2) - math.log(prior_dof / 2))
    return Prior(prior_dof, scale, of_mbar, len(x))


def _unit(spread: Spread, of_mbar: bool) -> float:
    return float(spread.mbar_variance or 1) if of_mbar else 1 / spread.repeats


def _moderated(spread: Spread, prior: Prior) -> float | None:
    """Error of one edge: the root of the posterior mean of its variance."""
    if prior.of_mbar and spread.mbar_variance is None:
        return None if not spread.dof else math.sqrt(spread.variance)
    unit = _unit(spread, prior.of_mbar)
    if math.isinf(prior.dof):
        variance = prior.scale
    elif prior.dof + spread.dof == 0:
        return None
    else:
        weighed = prior.dof * prior.scale + spread.dof * spread.variance / unit
        variance = weighed / max(prior.dof + spread.dof - 2, 2.0)
    return math.sqrt(max(variance * unit, spread.mbar_variance or 0.0))
