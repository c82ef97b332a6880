"""Agreement with experiment: errors and rank correlations, each with its interval from resampling."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rankdata

from gibbsflow.units import Floats

RESAMPLES = 1000
_SHARE = 0.95
_FEWEST = 3


def agreement(
    computed: Floats, measured: Floats, *, centred: bool = False, both_ways: bool = False, seed: int = 0
) -> dict[str, Any]:
    """Compare computed with measured values.

    Parameters
    ----------
    computed, measured
        Of ligands or of edges, shape (n,), kcal/mol.
    centred
        Whether only differences between values count, as for ligands of relative free energies: both are taken from
        their means, in every resample.
    both_ways
        Whether each value stands for its negative as well, as ΔΔG of an edge does: correlations are then those of all
        edges in both directions, and do not depend on which one was run.
    seed
        Of the resamples.

    Returns
    -------
    dict
        ``count``; ``rmse_kcal_per_mol, mue_kcal_per_mol, kendall_tau, spearman_rho, r_squared``, each with ``value``
        and the 95 % interval ``low`` and ``high`` (percentiles of resamples of the n values); null where it is
        not defined: correlations below three values, or where one of the two does not vary.
    """
    n = len(computed)
    rng = np.random.default_rng(seed)
    drawn = np.vstack([np.arange(n), rng.integers(n, size=(RESAMPLES, n))]) if n else np.zeros((0, 0), dtype=int)
    x, y = np.asarray(computed, dtype=float)[drawn], np.asarray(measured, dtype=float)[drawn]
    off = x - y
    if centred and n:
        off = off - off.mean(axis=1, keepdims=True)
    tables = (
        {"rmse_kcal_per_mol": np.sqrt((off**2).mean(axis=1)), "mue_kcal_per_mol": np.abs(off).mean(axis=1)} if n else {}
    )
    if n >= _FEWEST:
        if both_ways:
            x, y = np.hstack([x, -x]), np.hstack([y, -y])
        tables["kendall_tau"] = _tau(computed, measured, drawn, both_ways)
        tables["spearman_rho"] = _pearson(rankdata(x, axis=1), rankdata(y, axis=1))
        tables["r_squared"] = _pearson(x, y) ** 2
    names = ("rmse_kcal_per_mol", "mue_kcal_per_mol", "kendall_tau", "spearman_rho", "r_squared")
    return {"count": n} | {name: _interval(tables.get(name)) for name in names}


def _interval(values: Floats | None) -> dict[str, float] | None:
    if values is None or not np.isfinite(values[0]):
        return None
    sound = values[1:][np.isfinite(values[1:])]
    low, high = np.quantile(sound, [(1 - _SHARE) / 2, (1 + _SHARE) / 2]) if sound.size else (values[0], values[0])
    return {"value": float(values[0]), "low": float(low), "high": float(high)}


def _pearson(x: Floats, y: Floats) -> Floats:
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    return _ratio((x * y).sum(axis=1), (x**2).sum(axis=1) * (y**2).sum(axis=1))


def _tau(computed: Floats, measured: Floats, drawn: Any, both_ways: bool) -> Floats:
    """Kendall's τ-b of each resample, from how often each value is in it: signs of differences are the same in all."""
    n = len(computed)
    counts = np.array([np.bincount(row, minlength=n) for row in drawn], dtype=float)
    x, y = np.asarray(computed, dtype=float), np.asarray(measured, dtype=float)
    if both_ways:
        x, y, counts = np.concatenate([x, -x]), np.concatenate([y, -y]), np.hstack([counts, counts])
    sx, sy = np.sign(x[:, None] - x), np.sign(y[:, None] - y)

    def _sum(signs: Floats) -> Floats:
        return np.einsum("ri,ri->r", counts @ signs, counts)

    return _ratio(_sum(sx * sy), _sum(sx**2) * _sum(sy**2))


def _ratio(above: Floats, below_squared: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(below_squared > 1e-18, above / np.sqrt(np.maximum(below_squared, 0)), np.nan)
    return found
