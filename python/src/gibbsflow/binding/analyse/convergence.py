"""Has a leg converged: estimates over growing parts of the data, equilibration, and mixing of exchanged walkers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from alchemlyb.estimators import MBAR
from pymbar import timeseries

from gibbsflow.binding.analyse.estimators import dg_of_leg_kt, fit_mbar, neighbour_differences, refuse_disjoint
from gibbsflow.binding.analyse.uncertainty.blocks import exchanged
from gibbsflow.binding.sample.energies import Energies
from gibbsflow.errors import UnconvergedError
from gibbsflow.units import Floats

PARTS = 10
_FEWEST = 3
"""Fewest samples a window in a part of the data that is worth an estimate."""


@dataclass(frozen=True)
class PartialEstimates:
    """MBAR over the first (forward) or last (backward) part of every window.

    Attributes
    ----------
    fractions
        Part of the data used, 0 < f ≤ 1, shape (P,).
    dg_kt, dg_error_kt
        Estimates, shape (P,); NaN where the part was too small for one.
    """

    fractions: Floats
    dg_kt: Floats
    dg_error_kt: Floats

    def at(self, fraction: float) -> tuple[float, float]:
        """Look up the estimate of one part of the data.

        Parameters
        ----------
        fraction
            Part of the data; the nearest that there is counts.

        Returns
        -------
        dg_kt, dg_error_kt
            Value and error in kT.
        """
        place = int(np.argmin(np.abs(self.fractions - fraction)))
        return float(self.dg_kt[place]), float(self.dg_error_kt[place])


@dataclass(frozen=True)
class Mixing:
    """How walkers move along λ under replica exchange.

    Attributes
    ----------
    second_eigenvalue
        Second largest eigenvalue of the symmetrised transition matrix between states; 1 is no mixing at all.
    relaxation_ps
        Relaxation time along λ, −Δt/ln(eigenvalue).
    relaxation_times
        Length of the sampling in relaxation times.
    round_trips
        Journeys from one end of λ to the other and back, over all walkers.
    """

    second_eigenvalue: float
    relaxation_ps: float
    relaxation_times: float
    round_trips: int


@dataclass(frozen=True)
class Equilibration:
    """Start of the data that looks unequilibrated.

    Attributes
    ----------
    start_ps
        Time from which the data look equilibrated.
    fraction
        Part of the data before it.
    """

    start_ps: float
    fraction: float


def forward_backward(
    energies: Energies, whole: MBAR, error_factor: float = 1.0
) -> tuple[PartialEstimates, PartialEstimates]:
    """Estimate from growing parts of the data, from the start and from the end.

    Parameters
    ----------
    energies
        All samples.
    whole
        MBAR of all samples: the estimate from all data, and where the solver starts.
    error_factor
        Error that allows for correlation, over that of all samples taken as uncorrelated.

    Returns
    -------
    forward, backward
        Ten estimates each, the last from all data.

    References
    ----------
    Klimovich, Shirts and Mobley, J. Comput. Aided Mol. Des. 29, 397 (2015).
    """
    fractions = np.arange(1, PARTS + 1) / PARTS
    windows = [window.sort_index(level="time") for _, window in energies.u_nk.groupby(level="state")]
    both = []
    for backward in (False, True):
        # from the whole to ever smaller parts, each solved from the free energies of the one before
        f_kt, values = whole.delta_f_.iloc[0].tolist(), [dg_of_leg_kt(whole, energies)]
        for fraction in fractions[-2::-1]:
            parts = []
            for window in windows:
                count = max(1, round(fraction * len(window)))
                parts.append(window.iloc[-count:] if backward else window.iloc[:count])
            value_kt, error_kt, f_kt = _estimate(parts, energies, f_kt)
            values.append((value_kt, error_kt))
        value, error = np.array(values[::-1]).T
        both.append(PartialEstimates(fractions, value, error * error_factor))
    return both[0], both[1]


def mixing(energies: Energies) -> Mixing | None:
    """Measure how walkers mix along λ.

    Parameters
    ----------
    energies
        All samples.

    Returns
    -------
    Mixing or None
        None where walkers were not recorded, never exchanged, or windows are missing.

    References
    ----------
    Chodera and Shirts, J. Chem. Phys. 135, 194110 (2011), for the second eigenvalue.
    """
    if energies.missing or not exchanged(energies):
        return None
    index = energies.u_nk.index
    frame = pd.DataFrame(
        {
            "time": index.get_level_values("time"),
            "state": index.get_level_values("state"),
            "replica": energies.replica,
        }
    )
    table = frame.pivot_table(index="time", columns="replica", values="state", aggfunc="first").dropna()
    path = table.to_numpy(dtype=int)
    if len(path) < 2:
        return None
    states = len(energies.states)
    counts = np.zeros((states, states))
    np.add.at(counts, (path[:-1].ravel(), path[1:].ravel()), 1.0)
    counts = counts + counts.T
    transition = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    eigenvalue = float(np.clip(np.sort(np.linalg.eigvals(transition).real)[-2], 0.0, 1.0))
    step_ps = float(np.median(np.diff(table.index.to_numpy(dtype=float))))
    # an eigenvalue of 1 is a walker that never left its part of λ: its relaxation takes longer than any data
    relaxation_ps = -step_ps / np.log(eigenvalue) if 0 < eigenvalue < 1 else (0.0 if eigenvalue == 0 else np.inf)
    length_ps = step_ps * len(path)
    relaxation_times = length_ps / relaxation_ps if relaxation_ps > 0 else np.inf
    return Mixing(eigenvalue, float(relaxation_ps), float(relaxation_times), _round_trips(path, states))


def equilibration(energies: Energies) -> Equilibration:
    """Find the start of equilibrated data in the neighbour energy differences, summed over windows.

    Parameters
    ----------
    energies
        All samples.

    Returns
    -------
    Equilibration
        A start at the first sample where there are fewer than ten, or nothing varies.

    References
    ----------
    Chodera, J. Chem. Theory Comput. 12, 1799 (2016).
    """
    series = list(neighbour_differences(energies).values())
    length = min(len(part) for part in series)
    total = np.sum([part.to_numpy()[-length:] for part in series], axis=0)
    time = series[0].index.get_level_values("time").to_numpy(dtype=float)[-length:]
    if length < 10 or np.ptp(total) == 0:
        return Equilibration(float(time[0]), 0.0)
    start = int(timeseries.detect_equilibration(total, nskip=max(1, length // 100))[0])
    return Equilibration(float(time[start]), start / length)


def _estimate(parts: list[pd.DataFrame], energies: Energies, f_kt: list[float]) -> tuple[float, float, list[float]]:
    """Value, error, and free energies of the sampled states, or those that it was to start from."""
    if min(len(part) for part in parts) < _FEWEST:
        return np.nan, np.nan, f_kt
    u_nk = pd.concat(parts)
    try:
        refuse_disjoint(u_nk)
        mbar = fit_mbar(u_nk, f_kt)
        return *dg_of_leg_kt(mbar, energies, u_nk.index), mbar.delta_f_.iloc[0].tolist()
    except UnconvergedError:  # a short part of good data may well not converge: a gap in the plot, not a fault
        return np.nan, np.nan, f_kt


def _round_trips(path: npt.NDArray[np.int_], states: int) -> int:
    journeys = 0
    for walker in path.T:
        ends = walker[(walker == 0) | (walker == states - 1)]
        journeys += int(np.count_nonzero(np.diff(ends))) // 2
    return journeys
