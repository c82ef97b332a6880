"""Columns of dU/dλ in a window's file, and all windows' in the shape that alchemlyb gives to dH/dλ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
import pandas as pd

from gibbsflow.binding.sample.gradient.lambda_gradients import changing
from gibbsflow.units import Floats

PREFIX = "dudl_"
_LARGEST = 1e100
"""Beyond it the squares that errors are made of are no numbers."""


def to_columns(states: Sequence[Mapping[str, float]], window: int, gradients: Floats | None) -> dict[str, Floats]:
    """Name the columns of a window.

    Parameters
    ----------
    states
        λ by name, of each state.
    window
        Index of the state that samples are from.
    gradients
        Derivatives of the reduced potential along each λ, shape (N, L); None where they were not recorded.

    Returns
    -------
    dict
        Shape (N,) each, by name; those that belong to the window.
    """
    if gradients is None:
        return {}
    names = list(states[window])
    return {f"{PREFIX}{name}": gradients[:, names.index(name)] for name in changing(states, window)}


def from_columns(columns: Mapping[str, Floats], states: Sequence[Mapping[str, float]], window: int) -> Floats | None:
    """Take the derivatives of a window out of its columns.

    Parameters
    ----------
    columns
        Of the file, by name.
    states
        λ by name, of each state.
    window
        Index of the state that samples are from.

    Returns
    -------
    ndarray or None
        As in :func:`to_columns`; None where one that belongs to the window is not there, and where none does.
    """
    needed = changing(states, window)
    if not needed or any(f"{PREFIX}{name}" not in columns for name in needed):
        return None
    found = [columns.get(f"{PREFIX}{name}") if name in needed else None for name in states[window]]
    length = len(columns[f"{PREFIX}{needed[0]}"])
    return np.column_stack([np.full(length, np.nan) if one is None else one for one in found]).astype(np.float64)


def joined(
    gradients: Mapping[int, Floats | None], times_ps: Mapping[int, Floats], states: Sequence[Mapping[str, float]]
) -> tuple[pd.DataFrame | None, str]:
    """Join the windows of a leg.

    Parameters
    ----------
    gradients
        Derivatives of the samples of each sampled state, shape (N, L), None where not recorded; where no λ changes
        beside it, there is none.
    times_ps
        Time of these samples, shape (N,).
    states
        λ by name, of each state.

    Returns
    -------
    dhdl
        Index (``time``, λ...), a column each λ, zero where it does not count; None where they do not make an integral.
    why
        Why not; empty where no window has any, as of files from before they were recorded.
    """
    needed = [window for window in gradients if changing(states, window)]
    lacking = [str(window) for window in needed if gradients[window] is None]
    if len(lacking) == len(needed):
        return None, ""
    if lacking:
        return None, f"windows without dU/dλ: {', '.join(lacking)}; they were begun before it was recorded"
    frames = []
    alike = [list(same) for _, same in groupby(sorted(gradients), key=lambda window: list(states[window].values()))]
    for place, group in enumerate(alike):
        own = states[group[0]]
        beside = [states[others[0]] for others in alike[max(0, place - 1) : place + 2]]
        counts = np.array([any(other[name] != value for other in beside) for name, value in own.items()])
        # of states that λ does not tell apart those beside which it changes tell the derivative
        found = [(window, values[:, counts]) for window in group if (values := gradients[window]) is not None]
        whole = [window for window, values in found if not np.isnan(values).all(axis=0).any()]
        if not whole:
            named = ", ".join(map(str, group))
            return None, f"dU/dλ of window {named} along what changes where its neighbours are missing, or are the same"
        for window in whole:
            values = gradients[window]
            assert values is not None
            if bad := int((~(np.abs(values[:, counts]) < _LARGEST)).any(axis=1).sum()):
                return None, f"dU/dλ of window {window} is no number, or beyond {_LARGEST:g}, in {bad} rows"
            index = pd.MultiIndex.from_arrays(
                [times_ps[window], *(np.full(len(values), value) for value in own.values())], names=["time", *own]
            )
            frames.append(pd.DataFrame(np.where(counts, values, 0.0), index=index, columns=list(own)))
    return pd.concat(frames), ""
