"""dU/dλ against the energies of the same samples in neighbouring states: a wrong unit hides where ΔG is small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gibbsflow.units import KJ_PER_KCAL, Floats, kt_kcal_per_mol
from gibbsflow.workflow.account import Account

_BENT = 0.3
"""Samples tell a ratio whose slopes to two states beside theirs differ by less than this of the derivative."""
_LEAST_KT = 2.0
"""Derivatives below it tell none: rounding of energies by some programs is a tenth of that."""
_FEWEST, _SHARE = 5, 0.2
"""Samples that must tell a ratio, and of all of a window."""
_OFF = 1.5
"""Ratio of most samples from which on derivatives are doubted: bends that are let through make 1.3 of it at most."""
_APART_KT, _APART = 1.0, 0.33
"""What derivatives may be apart beside the bend of the energies, and of their size."""
_OF_UNIT, _OF_EACH = 0.03, 0.15
"""How near to a factor between units the median of all windows must be, and each of them."""
_SAME_UNIT = 1.35
"""A factor nearer to 1 is not told from the right unit: kT is 1 kJ/mol at 120 K, and 1 kcal/mol at 503 K."""
_PARALLEL = 1e-9


@dataclass(frozen=True)
class _Compared:
    """Recorded derivatives of a window along some λ: their `ratio` to those of the energies (median of the samples).

    `tells` says whether enough samples are straight enough for it, `off` whether most contradict what was recorded.
    """

    window: int
    names: tuple[str, ...]
    ratio: float
    tells: bool
    off: bool


def check_gradients(
    dhdl: pd.DataFrame | None,
    u_all: pd.DataFrame,
    states: Sequence[Mapping[str, float]],
    temperature_k: float,
    account: Account,
) -> None:
    """Enter doubts about derivatives that are not those of the energies.

    On a line of states the derivative of the parabola through a sample's energies in its own state and the nearest two
    is compared with what was recorded; samples whose energies bend too much for that are left out, and windows where
    most of them do.

    Parameters
    ----------
    dhdl
        Reduced derivatives by alchemlyb's index (``time``, λ...); None for none.
    u_all
        Reduced potentials in all states; index (``time``, ``state``), a column each state by its number.
    states
        λ by name, of each state.
    temperature_k
        Of the samples, K.
    account
        Of the leg: gets a warning for derivatives that are off, and a refusal where all are by the factor between two
        units of energy.
    """
    if dhdl is None or u_all.empty:
        return
    compared = _compared(dhdl, u_all, states)
    unit = _unit([one.ratio for one in compared if one.tells], temperature_k)
    off = [one for one in compared if one.off or (unit and one.tells)]
    if not off:
        return
    windows = ", ".join(map(str, sorted({one.window for one in off})))
    names = ", ".join(sorted({name for one in off for name in one.names}))
    typical = float(np.median([one.ratio for one in off]))
    what = f"dU/dλ along {names} is {typical:.3g} times what energies in the states beside say (windows {windows})"
    if unit:
        account.refuse(f"{what}: {unit}", "derivatives in the unit of the energies")
    else:
        account.warn(what, "derivatives and energies of the same samples, in one unit")


def _unit(ratios: Sequence[float], temperature_k: float) -> str:
    """Name the two units that differ by all of some ratios; empty for none."""
    kt_kcal = kt_kcal_per_mol(temperature_k)
    factors = {
        "kJ/mol for kcal/mol": KJ_PER_KCAL,
        "kcal/mol for kJ/mol": 1 / KJ_PER_KCAL,
        "kJ/mol for kT": kt_kcal * KJ_PER_KCAL,
        "kT for kJ/mol": 1 / (kt_kcal * KJ_PER_KCAL),
        "kcal/mol for kT": kt_kcal,
        "kT for kcal/mol": 1 / kt_kcal,
    }
    for name, factor in factors.items():
        away = np.abs(np.array(ratios) / factor - 1)
        if 1 / _SAME_UNIT < factor < _SAME_UNIT:
            continue
        if len(ratios) > 1 and away.max() < _OF_EACH and abs(float(np.median(ratios)) / factor - 1) < _OF_UNIT:
            return name
    return ""


def _compared(dhdl: pd.DataFrame, u_all: pd.DataFrame, states: Sequence[Mapping[str, float]]) -> list[_Compared]:
    names = list(dhdl.index.names[1:])
    groups = {tuple(np.atleast_1d(key)): frame for key, frame in dhdl.groupby(level=names, sort=False)}
    path = np.array([[state[name] for name in names] for state in states], dtype=float)
    windows = [(int(state), frame) for state, frame in u_all.groupby(level="state")]
    found = []
    for place, (window, frame) in enumerate(windows):
        own = groups.get(tuple(path[window]))
        if own is None or sum((path[other] == path[window]).all() for other, _ in windows) > 1:
            continue
        _, of_u, of_own = np.intersect1d(
            frame.index.get_level_values("time"), own.index.get_level_values("time"), return_indices=True
        )
        u, gradients = frame.to_numpy(dtype=float)[of_u], own.to_numpy(dtype=float)[of_own]
        whole = np.isfinite(gradients).all(axis=1)
        u, gradients = u[whole], gradients[whole]
        lines: list[Floats] = []
        for beside, _ in windows[max(0, place - 1) : place + 2]:
            step = path[beside] - path[window]
            if step.any() and not any(_on_line(step, line) for line in lines):
                lines.append(step)
        for line in lines:
            told = _told(u, gradients @ line, path, window, line)
            if told is not None:
                found.append(_Compared(window, tuple(np.array(names)[line != 0]), *told))
    return found


def _told(u: Floats, recorded: Floats, path: Floats, window: int, line: Floats) -> tuple[float, bool, bool] | None:
    """Compare derivatives by the place on a line; None without two other states on it."""
    places = {k: float(step @ line / (line @ line)) for k, step in enumerate(path - path[window])}
    others = [k for k in places if places[k] and _on_line(path[k] - path[window], line)]
    others.sort(key=lambda k: abs(places[k]))
    both = [next((k for k in others if places[k] * side > 0), None) for side in (-1, 1)]
    chosen = [k for k in both if k is not None] if None not in both else others[:2]
    if len(chosen) < 2 or places[chosen[0]] == places[chosen[1]] or len(u) < _FEWEST:  # noqa: PLR2004 - a parabola
        return None
    (x, y), (of_x, of_y) = (places[k] for k in chosen), ((u[:, k] - u[:, window]) / places[k] for k in chosen)
    derivative, bend = of_x - (of_y - of_x) / (y - x) * x, np.abs(of_x - of_y)
    one_kt = float(np.linalg.norm(line))  # per unit of λ, not of this line
    tell = (bend < _BENT * np.abs(derivative)) & (np.abs(derivative) > _LEAST_KT * one_kt)
    contradict = np.abs(recorded - derivative) > bend + _APART * np.abs(derivative) + _APART_KT * one_kt
    tells = bool(tell.sum() >= max(_FEWEST, _SHARE * len(u)))
    counted = tell if tells else derivative != 0
    if not counted.any():
        return None
    ratio = float(np.median(recorded[counted] / derivative[counted]))
    off = contradict.mean() > 0.5 or (tell.mean() > 0.5 and not 1 / _OFF < ratio < _OFF)
    return ratio, tells, bool(off)


def _on_line(step: Floats, line: Floats) -> bool:
    lengths = float(np.linalg.norm(step) * np.linalg.norm(line))
    return abs(abs(float(step @ line)) - lengths) <= _PARALLEL * lengths
