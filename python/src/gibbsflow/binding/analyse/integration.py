"""Thermodynamic integration of ⟨dH/dλ⟩ along the states of a leg, and how far its rule may be off.

The path is the polyline through the sampled states in their order. Along it the trapezoid rule is used; what a cubic
spline through the same means has otherwise is the scale of the error that the spacing of states makes, which no
sampling lessens and which is to be told from a disagreement of estimators.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pymbar import timeseries
from scipy.interpolate import CubicSpline

from gibbsflow.binding.analyse.estimators import Decorrelate, Estimate, inefficiency
from gibbsflow.binding.sample.energies import Energies
from gibbsflow.units import Floats, kt_kcal_per_mol

_PARALLEL = 1e-9


@dataclass(frozen=True)
class Integral(Estimate):
    """A free energy by integration; its error is that of the mean gradients alone."""

    def as_dict(self) -> dict[str, float | str]:
        """Figures with their units in the names.

        Returns
        -------
        dict
            Those of an estimate, and the error of integration.
        """
        rule = self.integration_error_kt
        return super().as_dict() | {
            "integration_error_kt": rule,
            "integration_error_kcal_per_mol": rule * kt_kcal_per_mol(self.temperature_k),
        }


@dataclass(frozen=True)
class _Stretch:
    """States on a straight line through λ: `first` to `last`, its direction, and their places on it."""

    first: int
    last: int
    direction: Floats
    places: Floats


def estimate_ti(energies: Energies, decorrelate: Decorrelate = "auto") -> Integral | None:
    """Integrate ⟨dH/dλ⟩ from the first state to the last by the trapezoid rule.

    Parameters
    ----------
    energies
        All samples, with dH/dλ where it was recorded.
    decorrelate
        Which samples to use, as in :func:`.estimators.estimate_mbar`.

    Returns
    -------
    Integral or None
        None as :func:`why_no_integral` says. Its error of integration sums up, over straight stretches of the
        path, the difference between trapezoid and cubic spline; of a stretch of two states, which have no
        curvature to tell, the standard deviation of what lies evenly between the gradients at both, each λ by
        itself.

    References
    ----------
    Kirkwood, J. Chem. Phys. 3, 300 (1935); Shyu and Ytreberg, J. Comput. Chem. 30, 2297 (2009), for splines.
    """
    if energies.dhdl is None or why_no_integral(energies):
        return None
    levels = list(energies.dhdl.index.names[1:])
    windows = {
        tuple(np.atleast_1d(key)): window.to_numpy(dtype=float)
        for key, window in energies.dhdl.groupby(level=levels, sort=False)
    }
    path = np.array([list(energies.states[state].values()) for state in energies.sampled], dtype=float)
    path = path[np.append(True, np.diff(path, axis=0).any(axis=1))]  # samples of like states are in one window
    gradients = [windows[tuple(point)] for point in path]
    weights = np.zeros_like(path)
    for k, step in enumerate(np.diff(path, axis=0)):
        weights[k] += 0.5 * step
        weights[k + 1] += 0.5 * step
    # one series a window: what correlates between components, and the time it takes, counts as it enters the sum
    parts = [_mean(values @ weight, decorrelate) for values, weight in zip(gradients, weights, strict=True)]
    value, error = sum(mean for mean, _ in parts), math.hypot(*(error for _, error in parts))
    rule = _integration_error(path, np.array([values.mean(axis=0) for values in gradients]))
    how = "standard errors of the mean gradients, trapezoid rule"
    return Integral(value, error, energies.temperature_k, how, integration_error_kt=rule)


def why_no_integral(energies: Energies) -> str:
    """Say why a leg is not integrated.

    Parameters
    ----------
    energies
        All samples.

    Returns
    -------
    str
        Empty where it is.
    """
    if energies.dhdl is None:
        return energies.meta.get("no_ti") or "no dH/dλ in the data"
    if not energies.ends_sampled:
        return "TI needs samples of both end states"
    if energies.dhdl.groupby(level=energies.dhdl.index.names[1:]).size().min() == 1:
        return "TI has no error where a window has one sample"
    return ""


def _mean(series: Floats, decorrelate: Decorrelate) -> tuple[float, float]:
    """Mean and standard error of a series."""
    g = inefficiency(series)
    few = series[timeseries.subsample_correlated_data(series, g=g)]
    kept = few if decorrelate == "always" else series
    counted = series if decorrelate == "never" else few
    spread = counted if len(counted) > 1 else series  # one in g is left: the spread of all, the number of one
    return float(kept.mean()), float(spread.std(ddof=1) / math.sqrt(len(counted)))


def _integration_error(path: Floats, means: Floats) -> float:
    total = 0.0
    for stretch in _stretches(path):
        along = means[stretch.first : stretch.last + 1] * stretch.direction
        length = float(stretch.places[-1])
        if len(along) == 2:  # noqa: PLR2004 - a line
            total += float(np.abs(along[1] - along[0]).sum()) * length / math.sqrt(12)
        else:
            integrand = along.sum(axis=1)
            spline = float(CubicSpline(stretch.places, integrand).integrate(0.0, length))
            total += abs(spline - float(np.trapezoid(integrand, stretch.places)))
    return total


def _stretches(path: Floats) -> Sequence[_Stretch]:
    found: list[_Stretch] = []
    for k, step in enumerate(np.diff(path, axis=0)):
        length = float(np.linalg.norm(step))
        last = found[-1] if found else None
        if last and last.last == k and np.allclose(step / length, last.direction, rtol=0, atol=_PARALLEL):
            found[-1] = _Stretch(last.first, k + 1, last.direction, np.append(last.places, last.places[-1] + length))
        else:
            found.append(_Stretch(k, k + 1, step / length, np.array([0.0, length])))
    return found
