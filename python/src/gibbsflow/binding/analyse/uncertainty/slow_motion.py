"""Motion that is slower than a window is long: its windows differ, between replicates and from half to half.

What a window never left within its own time leaves no trace in its blocks, but puts it elsewhere than the same window
of another replicate. It shows best in a window's own energy, which what moves slowly crosses a barrier of.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2
from scipy.stats import f as fisher

from gibbsflow.binding.analyse.uncertainty.blocks import FEWEST_BLOCKS, FEWEST_IN_BLOCK, MOST_BLOCKS
from gibbsflow.binding.sample.energies import Energies
from gibbsflow.units import Floats

FEWEST_SAMPLES = FEWEST_BLOCKS * FEWEST_IN_BLOCK
"""Of a window whose halves are compared."""
_LEAST_P = 1e-300


@dataclass(frozen=True)
class SlowMotion:
    """How the halves of all windows of a leg differ, over all its replicates.

    Attributes
    ----------
    p
        Probability of differences as large, if blocks of time were independent.
    window
        The window that differs most.
    ratio
        Spread of its halves over what its blocks allow, as a ratio of standard deviations.
    """

    p: float
    window: int
    ratio: float


def slow_motion(replicates: Sequence[Energies]) -> SlowMotion | None:
    """Compare the halves of each window over the replicates of a leg.

    Parameters
    ----------
    replicates
        All samples of each replicate of one leg, one or more.

    Returns
    -------
    SlowMotion or None
        None where no window has samples enough for ten blocks of four in every replicate, energies that change, and
        the same λ in all of them. Replicates that are :func:`too_short` are left out.

    Notes
    -----
    Of each window the means of the halves of its replicates are compared by an analysis of variance (F test) with its
    blocks within the halves, up to 20 a replicate; over windows p are taken together by Fisher's sum of −2 ln p. Blocks
    scatter alike only where they are as long, so of replicates of different lengths the time that all have is compared.
    All that halves and replicates share, as one well in which all of them stay, this cannot see.

    References
    ----------
    Gelman and Rubin, Stat. Sci. 7, 457 (1992), for between and within; Vehtari et al., Bayesian Anal. 16, 667 (2021),
    for halves; Fisher, Statistical Methods for Research Workers (1932), for the sum.
    """
    short = too_short(replicates)
    replicates = [energies for number, energies in enumerate(replicates) if number not in short]
    if not replicates:
        return None
    tables = [energies.u_all for energies in replicates]
    shared = set.intersection(*(set(energies.sampled) for energies in replicates))
    found = []
    for window in sorted(shared):
        if any(energies.states[window] != replicates[0].states[window] for energies in replicates):
            continue
        series = _series(tables, window)
        shortest = min(map(len, series), default=0)
        halves = [half for one in series for half in _halves(one[:shortest])]
        within = sum(float(((half - half.mean()) ** 2).sum()) for half in halves)
        if len(halves) < 2 * len(replicates) or within <= 0:
            continue
        size, free = len(halves[0]), sum(len(half) - 1 for half in halves)
        ratio = float(np.var([half.mean() for half in halves], ddof=1)) * size / (within / free)
        found.append((float(fisher.sf(ratio, len(halves) - 1, free)), window, math.sqrt(ratio)))
    if not found:
        return None
    together = -2 * sum(math.log(max(p, _LEAST_P)) for p, _, _ in found)
    _, window, ratio = min(found)
    return SlowMotion(float(chi2.sf(together, 2 * len(found))), window, ratio)


def too_short(replicates: Sequence[Energies]) -> list[int]:
    """Find replicates in which slow motion cannot be looked for.

    Parameters
    ----------
    replicates
        All samples of each replicate of one leg.

    Returns
    -------
    list of int
        Their numbers in it: those without a window of samples enough for ten blocks of four.
    """
    most = [max(energies.u_all.groupby(level="state").size(), default=0) for energies in replicates]
    return [number for number, count in enumerate(most) if count < FEWEST_SAMPLES]


def _series(tables: Sequence[pd.DataFrame], window: int) -> list[Floats]:
    """Reduced energies of a window's samples in time: in their own state; where that is constant, in the next one."""
    rows = [table.xs(window, level="state").sort_index(level="time") for table in tables]
    beside = window - 1 if window else min(1, rows[0].shape[1] - 1)
    own, other = ([one[state].to_numpy(dtype=float) for one in rows] for state in (window, beside))
    return own if _moves(own) else other if _moves(other) else []


def _moves(series: Sequence[Floats]) -> bool:
    return any(np.ptp(one) > 0 for one in series)


def _halves(series: Floats) -> list[Floats]:
    """Means of the blocks of both halves; none where there are too few samples, or one that is not finite."""
    blocks = 2 * (min(MOST_BLOCKS, len(series) // FEWEST_IN_BLOCK) // 2)
    if blocks < FEWEST_BLOCKS or not np.isfinite(series).all():
        return []
    means = np.array([part.mean() for part in np.array_split(series, blocks)])
    return [means[: blocks // 2], means[blocks // 2 :]]
