"""Frames of windows that other programs wrote: repeated ones dropped once, parts of a run joined, the rest refused.

A run is often written in parts, and parts are often copied. Two parts of a window belong to one run where they share
frames that say the same, or where one begins at or after the end of the other; frames at the same times that say
something else are of two runs, of which a window has one, unless its λ is listed more than once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gibbsflow.binding.sample.energies import Energies, missing_windows
from gibbsflow.binding.sample.gradient.gradient_check import check_gradients
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats, Ints
from gibbsflow.workflow.account import Account

SAME_KT = 0.02
"""A frame that a restart writes anew differs from what was written before by rounding, not by more than this."""
MOST_PARTS = 50
"""A file whose time goes back more often has no time stamps to go by."""
WEIGHTLESS_KT = 1e4
"""What an infinite energy is replaced by, above the sample's own: e to the minus this is 0 in double precision."""


@dataclass(frozen=True)
class Part:
    """Frames of one run, in the order in which they were written.

    Attributes
    ----------
    path
        File that they came from.
    rows
        Line of each frame in it, shape (N,).
    time_ps
        Shape (N,).
    values
        What was recorded, in kT, shape (N, C): it tells whether two frames are one.
    """

    path: Path
    rows: Ints
    time_ps: Floats
    values: Floats

    def __len__(self) -> int:
        """Frames."""
        return len(self.time_ps)

    def of(self, kept: npt.NDArray[Any] | slice) -> Part:
        """Keep some of the frames.

        Parameters
        ----------
        kept
            Index of those, or a mask, shape (N,).

        Returns
        -------
        Part
            A copy.
        """
        return replace(self, rows=self.rows[kept], time_ps=self.time_ps[kept], values=self.values[kept])


@dataclass
class Tally:
    """What became of the frames of a leg.

    Attributes
    ----------
    read, kept
        Frames in the files, and those that are used.
    repeated
        Dropped since they were there already.
    rewritten
        Dropped since a later part of the run wrote them anew, with other values.
    """

    read: int = 0
    kept: int = 0
    repeated: Counter[Path] = field(default_factory=Counter)
    rewritten: Counter[Path] = field(default_factory=Counter)

    def enter(self, account: Account) -> None:
        """Say what was dropped.

        Parameters
        ----------
        account
            Of the leg; gets a note a file, and the counts as facts.
        """
        for path, count in self.repeated.items():
            account.take(said(path, "note", f"{count} frames that are there already, each used once"))
        for path, count in self.rewritten.items():
            what = f"{count} frames at the same times as in a later part of the run, with other values: the later count"
            account.take(said(path, "warn", what))
        account.facts |= {
            "frames_read": self.read,
            "frames_used": self.kept,
            "frames_repeated": sum(self.repeated.values()),
            "frames_rewritten": sum(self.rewritten.values()),
        }


def odd_ones(values: Mapping[Path, Hashable]) -> dict[Path, Hashable]:
    """Find the files that differ from the greater part of them.

    Parameters
    ----------
    values
        Of each file.

    Returns
    -------
    dict
        Of those only whose value is not the most frequent one (the first, among equals).
    """
    usual = Counter(values.values()).most_common(1)[0][0]
    return {path: value for path, value in values.items() if value != usual}


def check_temperatures(found_k: Mapping[Path, float], expected_k: float | None) -> float:
    """Refuse a leg of several temperatures, naming the odd files, or of another than expected.

    Parameters
    ----------
    found_k
        Temperature that each file says, K.
    expected_k
        Temperature asked for, K; None for any.

    Returns
    -------
    float
        The temperature, K.

    Raises
    ------
    InputError
        Where temperatures differ by more than 0.01 K.
    """
    usual = Counter(found_k.values()).most_common(1)[0][0]
    odd = {path: value for path, value in found_k.items() if abs(value - usual) > 0.01}
    if odd:
        rest = len(found_k) - len(odd)
        others = f"the other {rest} files at {usual:g} K" if rest > 1 else f"another file at {usual:g} K"
        right = "windows of one leg, all at one temperature"
        raise InputError([Problem(str(p), f"was run at {value:g} K, {others}", right) for p, value in odd.items()])
    if expected_k is not None and abs(usual - expected_k) > 0.01:
        where = str(next(iter(found_k)))
        raise InputError(Problem(where, f"was run at {usual:g} K, not {expected_k:g} K", f"--temperature {usual:g}"))
    return usual


def split(frames: Part, tally: Tally) -> list[Part]:
    """Drop the frames that a file holds twice, and cut it where its time goes back.

    Parameters
    ----------
    frames
        All of one file.
    tally
        Counts what is dropped.

    Returns
    -------
    list of Part
        Each with time that goes forward.

    Raises
    ------
    InputError
        Where time hardly ever goes forward.
    """
    tally.read += len(frames)
    stamped = np.column_stack([frames.time_ps, frames.values])
    once = np.sort(np.unique(stamped, axis=0, return_index=True)[1])
    if len(once) < len(frames):
        tally.repeated[frames.path] += len(frames) - len(once)
    kept = frames.of(once)
    back = np.flatnonzero(np.diff(kept.time_ps) <= 0) + 1
    if len(back) > MOST_PARTS:
        what = f"time does not go forward, here and {len(back) - 1} times more ({kept.time_ps[back[0]]:g} ps)"
        raise InputError(Problem(str(frames.path), what, "time stamps in ps that rise", row=int(kept.rows[back[0]])))
    return [kept.of(slice(a, b)) for a, b in zip([0, *back], [*back, len(kept)], strict=True)]


def join(parts: Sequence[Part], tally: Tally, *, window: str, most: int = 1) -> list[Part]:
    """Join the parts of one window to its run, or to as many runs as its λ is listed.

    Parameters
    ----------
    parts
        As :func:`split` gives them, of any number of files.
    tally
        Counts what is dropped.
    window
        Name of the window, for messages.
    most
        Independent runs that it may have.

    Returns
    -------
    list of Part
        One a run; joined parts carry the path of the first.

    Raises
    ------
    InputError
        For more runs than that.
    """
    chains: list[Part] = []
    for part in sorted(parts, key=lambda p: (p.time_ps[0], -len(p))):
        for place, chain in enumerate(chains):
            if (joined := _joined(chain, part, tally)) is not None:
                chains[place] = joined
                break
        else:
            if len(chains) == most:
                raise _two_runs(chains[0], part, window)
            chains.append(part)
    tally.kept += sum(map(len, chains))
    return chains


def _joined(chain: Part, part: Part, tally: Tally) -> Part | None:
    """Add a part to a run that began no later; None where it is of another run."""
    tolerance = 1e-3 * min(_spacing(chain.time_ps), _spacing(part.time_ps))
    at = np.searchsorted(chain.time_ps, part.time_ps - tolerance)
    shared = (at < len(chain)) & (np.abs(chain.time_ps[np.minimum(at, len(chain) - 1)] - part.time_ps) <= tolerance)
    end = chain.time_ps[-1] + tolerance
    if not shared.any():
        return _appended(chain, part) if part.time_ps[0] > end else None
    alike = np.isclose(chain.values[at[shared]], part.values[shared], rtol=1e-6, atol=SAME_KT, equal_nan=True)
    new = part.of(~shared)
    if alike.all():
        tally.repeated[part.path] += int(shared.sum())
        both = _appended(chain, new)
        return both.of(np.argsort(both.time_ps, kind="stable"))
    restart = part.time_ps[0] > chain.time_ps[0] + tolerance and part.time_ps[-1] > end
    if not restart:
        return None
    before = chain.time_ps < part.time_ps[0] - tolerance
    if shared.sum() == 1:  # the frame that a restart begins with
        tally.repeated[part.path] += 1
    else:
        tally.rewritten[chain.path] += int((~before).sum())
    return _appended(chain.of(before), part)


def _appended(chain: Part, part: Part) -> Part:
    return replace(
        chain,
        rows=np.concatenate([chain.rows, part.rows]),
        time_ps=np.concatenate([chain.time_ps, part.time_ps]),
        values=np.concatenate([chain.values, part.values]),
    )


def _two_runs(chain: Part, part: Part, window: str) -> InputError:
    tolerance = 1e-3 * _spacing(part.time_ps)
    shared = np.abs(chain.time_ps[:, None] - part.time_ps[None]).min(axis=0) <= tolerance
    times = "times with other values" if shared.any() else f"times ({part.time_ps[0]:g} to {part.time_ps[-1]:g} ps)"
    where = f"in {chain.path}" if chain.path != part.path else f"before it (row {chain.rows[0]})"
    what = f"samples of {window} at the same {times} as {where}: two runs of one window"
    return InputError(Problem(str(part.path), what, "each window once, or parts of one run", row=int(part.rows[0])))


def _spacing(time_ps: Floats) -> float:
    return float(np.median(np.diff(time_ps))) if len(time_ps) > 1 else 1.0


def one_after_another(runs: Sequence[Part]) -> Part:
    """Put independent runs of one window in a row, the time of each after the end of the one before.

    Parameters
    ----------
    runs
        One or more.

    Returns
    -------
    Part
        All frames.
    """
    whole = runs[0]
    for run in runs[1:]:
        later = whole.time_ps[-1] + _spacing(whole.time_ps) - run.time_ps[0]
        whole = _appended(whole, replace(run, time_ps=run.time_ps + later))
    return whole


def weightless(u: Floats, own: Ints) -> tuple[Floats, int]:
    """Replace infinite energies in foreign states by such that carry no weight.

    Parameters
    ----------
    u
        Reduced potentials, shape (N, K), of which the samples' own are finite.
    own
        State of each sample, shape (N,).

    Returns
    -------
    u
        Finite.
    count
        How many were infinite.
    """
    infinite = np.isposinf(u)
    ceiling = u[np.arange(len(u)), own] + WEIGHTLESS_KT
    return np.where(infinite, ceiling[:, None], u), int(infinite.sum())


def to_energies(
    windows: Mapping[int, Part],
    states: Sequence[Mapping[str, float]],
    temperature_k: float,
    account: Account,
    *,
    dhdl: pd.DataFrame | None,
    no_ti: str,
    sampler: str,
    allow_missing: bool,
    whole: bool = False,
) -> Energies:
    """Make the shape that estimators take.

    Parameters
    ----------
    windows
        Frames by state; the first K values of each are the reduced potentials.
    states
        λ of every state, of which there are K.
    temperature_k
        Temperature that u is reduced with, K.
    account
        Of the leg; gets the samples as facts, and notes of missing windows.
    dhdl
        Reduced gradients, as alchemlyb has them.
    no_ti
        Why there are none, where there are none.
    sampler
        Program that wrote the files.
    allow_missing
        Return what is there where windows are missing.
    whole
        Whether the potentials are of whole energies, not differences from each frame's own state.

    Returns
    -------
    Energies
        Of all windows.

    Raises
    ------
    InputError
        For samples of one state only, and for missing windows unless allowed.
    """
    sampled = sorted(windows)
    missing = tuple(state for state in range(len(states)) if state not in windows)
    if missing and not allow_missing:
        raise missing_windows(account.where, missing, len(states))
    if len(sampled) < 2:
        what = f"samples of one state only ({lambdas(states[sampled[0]])})"
        raise InputError(Problem(account.where, what, "the files of all windows of the leg"))
    if missing:
        named = "; ".join(f"window {state}: {lambdas(states[state])}" for state in missing)
        account.note(f"no samples of {named}")
    own = np.concatenate([np.full(len(windows[state]), state) for state in sampled])
    time = np.concatenate([windows[state].time_ps for state in sampled])
    u = np.concatenate([windows[state].values[:, : len(states)] for state in sampled])
    u, infinite = weightless(u, own)
    if infinite:
        account.note(f"{infinite} infinite energies in foreign states: these samples have no weight there")
    account.facts |= {
        "infinite_energies": infinite,
        "samples": {str(state): len(windows[state]) for state in sampled},
        "states": [dict(state) for state in states],
    }
    index = pd.MultiIndex.from_arrays([time, own], names=["time", "state"])
    attrs = {"temperature": temperature_k, "energy_unit": "kT"}
    u_nk = pd.DataFrame(u[:, sampled], index=index, columns=sampled)
    u_nk.attrs = attrs
    u_missing = pd.DataFrame(u[:, missing], index=index, columns=list(missing)) if missing else None
    meta = {"sampler": sampler, "differences": not whole} | ({"no_ti": no_ti} if dhdl is None else {})
    energies = Energies(u_nk, temperature_k, states, missing, u_missing, dhdl, None, meta, account)
    check_gradients(dhdl, energies.u_all, states, temperature_k, account)
    return energies


def lambdas(state: Mapping[str, float]) -> str:
    """Name a state by its λ.

    Parameters
    ----------
    state
        Values by name.

    Returns
    -------
    str
        Such as ``coul-lambda = 0.5, vdw-lambda = 0``.
    """
    return ", ".join(f"{name} = {value:g}" for name, value in state.items())


def said(path: Path, weight: str, what: str, right: str = "") -> Account:
    """Make the account of a file with one doubt.

    Parameters
    ----------
    path
        The file.
    weight
        ``note``, ``warn`` or ``refuse``.
    what, right
        In words.

    Returns
    -------
    Account
        To be taken into that of the leg.
    """
    account = Account(str(path))
    if weight == "note":
        account.note(what)
    elif weight == "warn":
        account.warn(what, right)
    else:
        account.refuse(what, right)
    return account
