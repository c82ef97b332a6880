"""Free energy of a leg from its reduced energies: MBAR and BAR by alchemlyb and pymbar, with honest errors.

Which samples are used is said in the result. With ``auto`` the value comes from all samples, since estimators are
consistent for correlated ones and lose precision when samples are thrown away, and the error comes from uncorrelated
samples, since the error formulas hold for those alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from alchemlyb.estimators import BAR, MBAR
from loguru import logger
from pymbar import timeseries
from pymbar.utils import BoundsError, ConvergenceError, ParameterError

from gibbsflow.binding.analyse import reweighting
from gibbsflow.binding.sample.energies import Energies
from gibbsflow.errors import UnconvergedError
from gibbsflow.units import Floats, kt_kcal_per_mol

logger.disable("alchemlyb")

Decorrelate = Literal["auto", "always", "never"]
MIN_UNCORRELATED = 20
"""Fewest uncorrelated samples a window from which an error is taken; below, √g times the error of all samples."""
DISJOINT_KT = 30.0
"""Gap between the energy differences seen in two neighbours above which nothing connects them, e⁻³⁰."""
_NORMALISED = 1e-6
"""Largest deviation from 1 of the weights of a state, Σ_n W_nk: the MBAR equations themselves."""
_NO_DIFFERENCE_KT = 1e-8
"""Span of energy differences below which they are one constant."""
_PUBLIC_ERRORS = (ParameterError, BoundsError, ConvergenceError, np.linalg.LinAlgError, FloatingPointError)


@dataclass(frozen=True)
class Estimate:
    """A free energy difference between the last and the first state, G(last) − G(first).

    Attributes
    ----------
    dg_kt, dg_error_kt
        Value and standard error in kT.
    temperature_k
        Temperature that kT refers to.
    error_method
        Where the error comes from, in words.
    integration_error_kt
        How far the value may be off for the rule that it was integrated by, in kT; 0 where nothing was integrated.
    """

    dg_kt: float
    dg_error_kt: float
    temperature_k: float
    error_method: str
    integration_error_kt: float = 0.0

    def as_dict(self) -> dict[str, float | str]:
        """Figures with their units in the names.

        Returns
        -------
        dict
            Value and error in kT and in kcal/mol, and `error_method`.
        """
        kt = kt_kcal_per_mol(self.temperature_k)
        return {
            "dg_kt": self.dg_kt,
            "dg_error_kt": self.dg_error_kt,
            "dg_kcal_per_mol": self.dg_kt * kt,
            "dg_error_kcal_per_mol": self.dg_error_kt * kt,
            "error_method": self.error_method,
        }


@dataclass(frozen=True)
class Correlation:
    """Correlation in time of the samples of each window.

    Attributes
    ----------
    inefficiency
        Statistical inefficiency g ≥ 1 of each sampled state.
    samples, uncorrelated
        Samples of each sampled state, before and after subsampling by g.
    """

    inefficiency: Floats
    samples: tuple[int, ...]
    uncorrelated: tuple[int, ...]


def neighbour_differences(energies: Energies) -> dict[int, pd.Series]:
    """Give each sampled state its energy difference to its neighbour, u(next) − u(own).

    Parameters
    ----------
    energies
        All samples of two or more states.

    Returns
    -------
    dict
        By state its series in kT, one value a sample; the last state looks back.
    """
    sampled = energies.sampled
    series = {}
    for place, state in enumerate(sampled):
        other = sampled[place + 1] if place + 1 < len(sampled) else sampled[place - 1]
        own = energies.u_nk.xs(state, level="state", drop_level=False)
        series[state] = own[other] - own[state]
    return series


def decorrelated(energies: Energies) -> tuple[Correlation, pd.DataFrame]:
    """Subsample each window by the statistical inefficiency of its neighbour energy difference.

    Parameters
    ----------
    energies
        All samples.

    Returns
    -------
    correlation
        g and numbers of samples.
    u_nk
        The uncorrelated samples.

    References
    ----------
    Chodera et al., J. Chem. Theory Comput. 3, 26 (2007), for g; Chodera, J. Chem. Theory Comput. 12, 1799 (2016).
    """
    inefficiencies, parts, samples = [], [], []
    for state, series in neighbour_differences(energies).items():
        window = energies.u_nk.xs(state, level="state", drop_level=False)
        g = inefficiency(series.to_numpy())
        parts.append(window.iloc[timeseries.subsample_correlated_data(series.to_numpy(), g=g)])
        inefficiencies.append(g)
        samples.append(len(window))
    return Correlation(np.array(inefficiencies), tuple(samples), tuple(len(part) for part in parts)), pd.concat(parts)


def refuse_disjoint(u_nk: pd.DataFrame) -> None:
    """Refuse neighbours whose samples share no energies: there MBAR answers 0 ± 0, or never.

    Parameters
    ----------
    u_nk
        Reduced potentials, index (``time``, ``state``).

    Raises
    ------
    UnconvergedError
        Naming the neighbours.
    """
    states, values = list(u_nk.columns), u_nk.to_numpy()
    drawn_from = u_nk.index.get_level_values("state").to_numpy()
    for place, (left, right) in enumerate(zip(states, states[1:], strict=False)):
        difference = values[:, place + 1] - values[:, place]
        gap = difference[drawn_from == left].min() - difference[drawn_from == right].max()
        if gap > DISJOINT_KT:
            raise UnconvergedError(
                f"windows {left} and {right} do not overlap at all: their energy differences are {gap:.0f} kT apart",
                what_to_do="Add windows between them.",
            )


def fit_mbar(u_nk: pd.DataFrame, initial_kt: Sequence[float] | None = None) -> MBAR:
    """Solve the MBAR equations, from BAR, from given values or from zero, by whichever solver gets there.

    Parameters
    ----------
    u_nk
        Reduced potentials, index (``time``, ``state``).
    initial_kt
        Free energies to start from, shape (K,).

    Returns
    -------
    alchemlyb.estimators.MBAR
        Fitted; ``delta_f_`` and ``d_delta_f_`` in kT with the full covariance between states.

    Raises
    ------
    UnconvergedError
        Where no solver fulfils the equations.

    References
    ----------
    Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008).
    """
    starts: list[tuple[object, str]] = [("BAR", "robust"), (None, "robust"), (None, "adaptive")]
    if initial_kt is not None:
        starts.insert(0, (np.asarray(initial_kt, dtype=float), "default"))
    faults = []
    for start, solver in starts:
        try:
            with warnings.catch_warnings():
                # an overflow on the way is no fault as long as the equations hold at the end, which is tested below
                warnings.simplefilter("ignore")
                mbar = MBAR(initial_f_k=start, method=solver).fit(u_nk)
        except _PUBLIC_ERRORS as error:
            faults.append(f"{solver}: {error}")
            continue
        residual = float(np.abs(mbar._mbar.W_nk.sum(axis=0) - 1.0).max())
        if residual < _NORMALISED and np.isfinite(mbar.d_delta_f_.to_numpy()).all():
            return mbar
        faults.append(f"{solver}: residual {residual:.1e}")
    raise UnconvergedError(
        f"MBAR did not converge ({'; '.join(faults)})",
        what_to_do="Neighbouring windows hardly overlap: add windows between them, or sample longer.",
    )


def dg_of_sampled_kt(mbar: MBAR) -> tuple[float, float]:
    """Free energy difference between first and last sampled state.

    Parameters
    ----------
    mbar
        A fit.

    Returns
    -------
    dg_kt, dg_error_kt
        Value and error in kT, with the covariance of the end points.
    """
    return float(mbar.delta_f_.iloc[0, -1]), float(mbar.d_delta_f_.iloc[0, -1])


def estimate_mbar(
    energies: Energies, correlation: Correlation, uncorrelated: pd.DataFrame, decorrelate: Decorrelate = "auto"
) -> tuple[MBAR, Estimate]:
    """MBAR between first and last state, which need not have been sampled.

    Parameters
    ----------
    energies
        All samples.
    correlation, uncorrelated
        As :func:`decorrelated` gives them.
    decorrelate
        ``auto``: value from all samples, error from uncorrelated ones; ``always``: both from uncorrelated ones;
        ``never``: both from all.

    Returns
    -------
    mbar
        The fit that the value comes from.
    estimate
        Value with its error.

    Raises
    ------
    UnconvergedError
        As `fit_mbar`.
    """
    mbar = fit_mbar(uncorrelated if decorrelate == "always" else energies.u_nk)
    rows = uncorrelated.index if decorrelate == "always" else None
    value, error = dg_of_leg_kt(mbar, energies, rows)
    how = {"always": "uncorrelated samples", "never": "all samples, taken as uncorrelated"}.get(decorrelate)
    if how is None and _enough(correlation):
        fitted = fit_mbar(uncorrelated, mbar.delta_f_.iloc[0].to_numpy())
        error = dg_of_leg_kt(fitted, energies, uncorrelated.index)[1]
        how = "uncorrelated samples; value from all samples"
    elif how is None:
        error *= float(np.sqrt(correlation.inefficiency.max()))
        how = "all samples, times the square root of the largest statistical inefficiency"
    if not energies.ends_sampled:
        how += "; an end state reached by reweighting"
    return mbar, Estimate(value, error, energies.temperature_k, f"MBAR covariance of the end points, {how}")


def dg_of_leg_kt(mbar: MBAR, energies: Energies, rows: pd.Index | None = None) -> tuple[float, float]:
    """Free energy difference between the first and the last state of the leg, sampled or not.

    Parameters
    ----------
    mbar
        Fit to the sampled states.
    energies
        The samples.
    rows
        Index of the samples that `mbar` was fitted to; None for all.

    Returns
    -------
    dg_kt, dg_error_kt
        Value and error in kT; of states without samples as in :func:`.reweighting.profile`.
    """
    if energies.ends_sampled:
        return dg_of_sampled_kt(mbar)
    value, error = reweighting.profile(mbar, energies, rows)
    return float(value[-1]), float(error[-1])


def estimate_bar(
    energies: Energies, correlation: Correlation, uncorrelated: pd.DataFrame, decorrelate: Decorrelate = "auto"
) -> Estimate:
    """BAR between neighbours, summed; errors of neighbours added in quadrature.

    Parameters
    ----------
    energies
        All samples.
    correlation, uncorrelated
        As :func:`decorrelated` gives them.
    decorrelate
        Which samples to use, as in :func:`estimate_mbar`.

    Returns
    -------
    Estimate
        Value with its error.

    Raises
    ------
    UnconvergedError
        Where a pair of neighbours does not overlap at all, or an end state has no samples.

    References
    ----------
    Bennett, J. Comput. Phys. 22, 245 (1976).
    """
    if not energies.ends_sampled:
        raise UnconvergedError("BAR needs samples of both end states")

    def _fit(u_nk: pd.DataFrame) -> tuple[float, float]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                bar = BAR().fit(u_nk)
        except _PUBLIC_ERRORS as error:
            raise UnconvergedError(f"BAR did not converge: {error}") from error
        constant = _constant_differences(u_nk)
        steps = np.where(np.isnan(constant), np.diag(bar.delta_f_.to_numpy(), k=1), constant)
        errors = np.where(np.isnan(constant), np.diag(bar.d_delta_f_.to_numpy(), k=1), 0.0)
        if not np.isfinite(errors).all():
            pairs = ", ".join(f"{k} and {k + 1}" for k in np.flatnonzero(~np.isfinite(errors)))
            raise UnconvergedError(f"BAR has no error between states {pairs}: too little overlap")
        return float(np.sum(steps)), float(np.sqrt(np.sum(errors**2)))

    value, error = _fit(uncorrelated if decorrelate == "always" else energies.u_nk)
    if decorrelate == "auto":
        root_g = float(np.sqrt(correlation.inefficiency.max()))
        error = _fit(uncorrelated)[1] if _enough(correlation) else error * root_g
    return Estimate(value, error, energies.temperature_k, "BAR, neighbours in quadrature")


def neighbour_overlaps(overlap: Floats) -> Floats:
    """Overlap of each two neighbouring states: the lesser of O(i, i+1) and O(i+1, i).

    Parameters
    ----------
    overlap
        Overlap matrix O of MBAR, shape (K, K).

    Returns
    -------
    ndarray
        Shape (K−1,).
    """
    between: Floats = np.minimum(np.diag(overlap, 1), np.diag(overlap, -1))
    return between


def neighbour_overlap(overlap: Floats) -> float:
    """Smallest overlap of two neighbouring states: of :func:`neighbour_overlaps`.

    Parameters
    ----------
    overlap
        Overlap matrix O of MBAR, shape (K, K).

    Returns
    -------
    float
        0 where two neighbours share nothing.

    References
    ----------
    Klimovich, Shirts and Mobley, J. Comput. Aided Mol. Des. 29, 397 (2015): at least 0.03.
    """
    return float(neighbour_overlaps(overlap).min())


def inefficiency(series: Floats) -> float:
    """Measure how many samples of a series count as one.

    Parameters
    ----------
    series
        In order of time, shape (N,).

    Returns
    -------
    float
        Statistical inefficiency g ≥ 1; 1 for a series that does not vary.
    """
    if len(series) < 3 or np.ptp(series) < 1e-12 * max(1.0, float(np.abs(series).max())):
        return 1.0  # a series that does not vary has no correlation time
    return float(timeseries.statistical_inefficiency(series))


def _constant_differences(u_nk: pd.DataFrame) -> Floats:
    """Differences of neighbours that are one energy for all samples of both, where BAR's variance is 0/0; else NaN."""
    drawn_from = u_nk.index.get_level_values("state").to_numpy()
    found = []
    for a, b in zip(u_nk.columns, u_nk.columns[1:], strict=False):
        difference = (u_nk[b] - u_nk[a]).to_numpy()[np.isin(drawn_from, (a, b))]
        found.append(float(difference.mean()) if np.ptp(difference) < _NO_DIFFERENCE_KT else np.nan)
    return np.array(found)


def _enough(correlation: Correlation) -> bool:
    return min(correlation.uncorrelated) >= MIN_UNCORRELATED
