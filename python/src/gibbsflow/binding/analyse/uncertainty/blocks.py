"""Error of a leg from its own course in time: blocks, which need no model of the correlation within them.

The free energy is a sum over samples (:mod:`.influence`). Resampling blocks of time of such a sum has its variance in
closed form, that of the sums over blocks; no resamples are drawn. Windows that run for themselves are independent of
each other; where walkers are exchanged, the walkers are, and what moves slowly stays with its walker.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gibbsflow.binding.analyse.uncertainty.influence import influence
from gibbsflow.binding.sample.energies import Energies
from gibbsflow.units import Floats

MOST_BLOCKS = 20
FEWEST_BLOCKS = 10
"""From fewer a correlation of blocks is not told: Kendall's correction divides by 1 − 4/B."""
INDEPENDENT = 0.3
"""Correlation of neighbouring blocks up to which their error stands by itself; above, it rests on a model."""
FEWEST_IN_BLOCK = 4
_MOST_CORRELATION = 0.98
_LEAST_CORRELATION = -0.3
"""Chance takes a correlation of 0 as far below as above: were it cut off at 0, errors would be too large."""


@dataclass(frozen=True)
class BlockError:
    """Standard error of a leg from blocks of time.

    Attributes
    ----------
    error_kt
        In kT.
    dof
        Degrees of freedom that it is known with (Welch and Satterthwaite).
    correlation
        Of neighbouring blocks, −0.3 to 1: away from 0 they are not independent, and the error allows for it.
    contradiction
        How far the samples of one window are from where those of the others say they are, in their own errors.
    window
        The window that this is largest for.
    """

    error_kt: float
    dof: float
    correlation: float
    contradiction: float
    window: int

    @property
    def independent(self) -> bool:
        """Whether the blocks are near enough to independent for their error to stand by itself.

        Returns
        -------
        bool
            Their correlation is at most `INDEPENDENT`.
        """
        return self.correlation <= INDEPENDENT


def block_error(energies: Energies, f_kt: Floats) -> BlockError | None:
    """Error of G(last) − G(first) from blocks of time.

    Parameters
    ----------
    energies
        All samples.
    f_kt
        Free energies of all states that solve MBAR's equations, shape (K,), kT.

    Returns
    -------
    BlockError or None
        None where a window has too few samples for ten blocks of four.

    References
    ----------
    Flyvbjerg and Petersen, J. Chem. Phys. 91, 461 (1989), for blocks; Kendall, Biometrika 41, 403 (1954), for the bias
    of a serial correlation from few of them, (1 + 4ρ)/B; Künsch, Ann. Stat. 17, 1217 (1989), for the block bootstrap.

    Notes
    -----
    Where walkers are exchanged, blocks follow them alone: the larger of this and the windows' would be too large on the
    average, and what a window keeps that its walkers do not carry away there is none.
    """
    index = energies.u_nk.index
    state = index.get_level_values("state").to_numpy(dtype=int)
    time_ps = index.get_level_values("time").to_numpy(dtype=float)
    added = influence(energies, f_kt)
    order = np.lexsort((time_ps, state))
    state, time_ps, added = state[order], time_ps[order], added[order]
    per_window = [added[state == window] for window in energies.sampled]
    length = min(len(series) for series in per_window)
    count = min(MOST_BLOCKS, length // FEWEST_IN_BLOCK)
    if count < FEWEST_BLOCKS:
        return None
    alone = np.array([block_sums(series - series.mean(), count) for series in per_window])
    variance, dof, correlation = _spread(alone)
    within = [_spread(sums[None], correlation=max(correlation, 0.0))[0] for sums in alone]
    apart = np.abs([series.sum() for series in per_window]) / np.maximum(np.sqrt(within), 1e-12)
    if exchanged(energies):
        replica = np.asarray(energies.replica)[order]
        centred = added - np.concatenate([np.full(len(series), series.mean()) for series in per_window])
        walkers = [np.flatnonzero(replica == walker) for walker in np.unique(replica)]
        if all(len(rows) >= count for rows in walkers):
            sums = np.array([block_sums(centred[rows[np.argsort(time_ps[rows])]], count) for rows in walkers])
            variance, dof, correlation = _spread(sums, _own_share(replica, state))
    worst = int(np.argmax(apart))
    return BlockError(math.sqrt(variance), dof, correlation, float(apart[worst]), energies.sampled[worst])


def exchanged(energies: Energies) -> bool:
    """Whether any window was visited by more than one walker.

    Parameters
    ----------
    energies
        All samples of one leg and replicate.

    Returns
    -------
    bool
        False where the files say nothing of walkers.
    """
    if energies.replica is None:
        return False
    state, replica = energies.u_nk.index.get_level_values("state").to_numpy(), np.asarray(energies.replica)
    return any(len(np.unique(replica[state == window])) > 1 for window in np.unique(state))


def _own_share(replica: np.ndarray, state: np.ndarray) -> float:
    """How much of the mean that windows take off a walker is its own: 1 where walkers stay, 1/K where they mix."""
    counts = np.array(
        [[np.count_nonzero(replica[state == k] == r) for r in np.unique(replica)] for k in np.unique(state)]
    )
    return float((counts**2 / counts.sum(axis=1, keepdims=True) / counts.sum(axis=0)).sum() / counts.shape[1])


def block_sums(series: Floats, count: int) -> Floats:
    """Sum a series in time over blocks, whose lengths differ by one at most.

    Parameters
    ----------
    series
        Shape (n,).
    count
        Number of blocks.

    Returns
    -------
    Floats
        Shape (count,).
    """
    return np.array([part.sum() for part in np.array_split(series, count)])


def _spread(sums: Floats, own: float = 1.0, correlation: float | None = None) -> tuple[float, float, float]:
    """Variance of the sum of all blocks, its degrees of freedom, and the correlation of neighbouring blocks.

    Units (rows) are independent of each other. Their blocks are taken as an autoregression of first order, with one ρ
    for all units: V = B σ² κ, κ = 1 + 2 Σ_k (1 − k/B) ρ^k. A mean that was taken off took V/B of every σ² with it,
    times the share of it that is the unit's own. σ² has n degrees of freedom, a relative variance of 2/n, and ρ a
    variance of (1 − ρ²)/n; by (1 + ρ)/(1 − ρ), which κ is for many blocks, that adds (2/(1 − ρ²))² as much to the
    relative variance of V: n (1 − ρ²)/(3 − ρ²) degrees of freedom together. As κ curves up, scatter of ρ makes V
    1 + 2/(n (1 − ρ)) too large, which is taken off as of ρ = 0: of slow motion too little. A ρ that is given has none.
    """
    count = sums.shape[1]
    squares = (sums**2).sum(axis=1)
    total = float(squares.sum())
    if total == 0:
        return 0.0, 1.0, 0.0
    known = total**2 / float((squares**2).sum()) * (count - own)
    excess = 1.0
    if correlation is None:
        raw = float((sums[:, 1:] * sums[:, :-1]).sum()) / total * count / (count - 1)
        correlation = (raw + own / count) / (1 - 4 * own / count)
        correlation = min(max(correlation, _LEAST_CORRELATION), _MOST_CORRELATION)
        excess += 2 / known
    lags = np.arange(1, count)
    inflation = 1 + 2 * float(((1 - lags / count) * correlation**lags).sum())
    variance = total * inflation * count / (count - own * inflation) / excess
    dof = known * (1 - correlation**2) / (3 - correlation**2)
    return variance, max(dof, 1.0), correlation
