"""Overlap and free energy of legs while they are sampled, from the samples that lie in their state; nothing is written.

An analysis comes when sampling has ended. Until then the same equations are solved for a thinned part of what is there:
enough to see windows that do not overlap days before the end, and no result.
"""

from __future__ import annotations

import math
import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from gibbsflow.errors import GibbsflowError, one_line
from gibbsflow.units import Floats, Ints, kt_kcal_per_mol
from gibbsflow.workflow.files import read_arrays, read_json
from gibbsflow.workflow.hours.pace import PROGRESS
from gibbsflow.workflow.state.state_folder import INPUTS

FRACTIONS = (0.25, 0.5, 0.75, 1.0)
MOST_SAMPLES = 200
"""Samples of a window that are used, evenly spaced: correlated ones in between would say little more."""
FEWEST_SAMPLES = 5
_BUDGET_S = 0.5
_PARTS = re.compile(r"window_\d+|extension")
_Identity = tuple[int, int, int]
_FAULTS = (GibbsflowError, OSError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What damaged state may raise; arrays that cannot be read are a GibbsflowError."""


@dataclass(frozen=True)
class GrowingLeg:
    """One leg and replicate as far as it is sampled.

    Attributes
    ----------
    part
        Its state folder, below the item's.
    leg, replicate
        Which it is.
    samples
        Samples of the window that has fewest of those that have any, without those cut at the start by the leg's rule.
    sampled_ns
        The same as time, ns.
    overlaps
        Overlap of each two neighbouring states, shape (K−1,); None where one of them has no samples yet.
    overlap
        The smallest of them.
    dg_kcal_per_mol
        G(last state) − G(first state) so far, without error and without any cut but the leg's rule; None before all
        states have samples.
    grown
        ``samples``, ``overlap`` and ``dg_kcal_per_mol`` of the first quarter of samples, of half and so on.
    note
        Why something is not known; empty otherwise.
    pending
        Whether samples are there that are not counted in yet: the next question counts them.
    """

    part: str
    leg: str
    replicate: int
    samples: int = 0
    sampled_ns: float = 0.0
    overlaps: Sequence[float | None] = ()
    overlap: float | None = None
    dg_kcal_per_mol: float | None = None
    grown: Sequence[Mapping[str, float | None]] = ()
    note: str = ""
    pending: bool = False


@dataclass(frozen=True)
class _Drawn:
    window: Ints
    u: Floats


class GrowingLegs:
    """Legs that are asked about again and again: only files that are new are read, only legs that grew solved again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._files: dict[Path, tuple[_Identity, _Drawn]] = {}
        self._legs: dict[Path, tuple[tuple[_Identity, ...], GrowingLeg]] = {}

    def of(self, homes: Sequence[Path], budget_s: float = _BUDGET_S) -> list[dict[str, Any]]:
        """Tell of the legs of one item.

        Parameters
        ----------
        homes
            The item's state folders, sorted.
        budget_s
            Time after which no other leg is begun; one is solved in any case.

        Returns
        -------
        list of dict
            Fields of :class:`GrowingLeg`; what cannot be read is in its note.
        """
        with self._lock:
            begun, told, seen = time.monotonic(), [], set()
            legs: dict[Path, list[Path]] = defaultdict(list)
            for home in homes:
                legs[_leg_home(home)].append(home)
            for place, parts in sorted(legs.items()):
                segments = [path for home in parts for path in _segments(home)]
                if not segments:
                    continue
                seen |= set(segments)
                known = self._legs.get(place)
                files = tuple(_identity(path) for path in segments)
                if known is not None and known[0] == files:
                    told.append(known[1])
                elif told and time.monotonic() - begun > budget_s:
                    told.append(replace(known[1] if known else _named(place, parts[0]), pending=True))
                else:
                    leg = self._solved(place, parts)
                    self._legs[place] = files, leg
                    told.append(leg)
            self._files = {path: drawn for path, drawn in self._files.items() if path in seen}
            return [asdict(one) for one in told]

    def _solved(self, place: Path, parts: Sequence[Path]) -> GrowingLeg:
        leg = _named(place, parts[0])
        try:
            settings = read_json(parts[0] / INPUTS)["described"]
            drawn = [self._drawn(path) for home in parts for path in _segments(home)]
            cut = math.ceil(settings["setting window_equil_ps"] / settings["setting sample_ps"] - 1e-9)
            states = len(settings["setting states"])
            window, u = np.concatenate([one.window for one in drawn]), np.concatenate([one.u for one in drawn])
            rows = [np.flatnonzero(window == state)[cut:] for state in range(states)]
            kept = {state: u[mine] for state, mine in enumerate(rows) if len(mine) >= FEWEST_SAMPLES}
            kt = kt_kcal_per_mol(float(settings["setting temperature_k"]))
            if u.shape != (len(window), states) or u.dtype.kind not in "fiu":
                raise ValueError(f"{u.dtype} of shape {u.shape} for {len(window)} samples in {states} states")
        except _FAULTS as error:
            return replace(leg, note=one_line(f"samples cannot be read: {error}", 300))
        if len(kept) < 2:
            return replace(leg, note=f"fewer than two windows have {FEWEST_SAMPLES} samples after the cut at the start")
        samples = min(len(mine) for mine in kept.values())
        leg = replace(leg, samples=samples, sampled_ns=round(samples * settings["setting sample_ps"] / 1000, 6))
        grown: list[dict[str, float | None]] = []
        for part in FRACTIONS:
            first = {state: mine[: math.ceil(part * len(mine))] for state, mine in kept.items()}
            overlaps, dg_kt, note = solve(first, states)
            known = [one for one in overlaps if one is not None]
            dg_kcal_per_mol = None if dg_kt is None else dg_kt * kt
            overlap = min(known, default=None)
            grown.append({"samples": math.ceil(part * samples), "overlap": overlap, "dg_kcal_per_mol": dg_kcal_per_mol})
        empty = [str(state) for state in range(states) if state not in kept]
        if empty:
            note = "; ".join([*([note] if note else []), f"no ΔG yet: no samples of windows {', '.join(empty)}"])
        last = grown[-1]
        return replace(
            leg,
            overlaps=overlaps,
            overlap=last["overlap"],
            dg_kcal_per_mol=last["dg_kcal_per_mol"],
            grown=grown,
            note=note,
        )

    def _drawn(self, path: Path) -> _Drawn:
        identity = _identity(path)
        known = self._files.get(path)
        if known is None or known[0] != identity:
            known = identity, _Drawn(**read_arrays(path, "window", "u"))
            self._files[path] = known
        return known[1]


def solve(samples: Mapping[int, Floats], states: int) -> tuple[list[float | None], float | None, str]:
    """Solve MBAR's equations for windows of a leg: each row of neighbours by itself, windows between not having begun.

    Parameters
    ----------
    samples
        Reduced potentials of the samples of two windows or more, in order of time, shape (n, K) by state.
    states
        K.

    Returns
    -------
    overlaps
        Of each two neighbouring states, as :func:`gibbsflow.binding.analyse.estimators.neighbour_overlaps`; None where
        one of them has no samples, or nothing could be solved.
    dg_kt
        G(last) − G(first), kT; None where not all states have samples.
    note
        Why nothing could be solved; else empty.
    """
    import pandas as pd  # the solver takes seconds to load: only who opens an item waits for it

    from gibbsflow.binding.analyse.estimators import dg_of_sampled_kt, fit_mbar, neighbour_overlaps, refuse_disjoint
    from gibbsflow.errors import UnconvergedError

    overlaps: list[float | None] = [None] * (states - 1)
    dg_kt: float | None = None
    notes: list[str] = []
    for row in _rows(sorted(samples)):
        parts = []
        for state in row:
            mine = samples[state]
            thinned = mine[:: math.ceil(len(mine) / MOST_SAMPLES)][:, row]
            index = pd.MultiIndex.from_product([range(len(thinned)), [state]], names=["time", "state"])
            parts.append(pd.DataFrame(thinned, index=index, columns=row))
        u_nk = pd.concat(parts)
        if not np.isfinite(u_nk.to_numpy()).all():
            notes.append("energies are not finite")
            continue
        try:
            refuse_disjoint(u_nk)
            mbar = fit_mbar(u_nk)
        except UnconvergedError as error:
            notes.append(str(error))
            continue
        between = neighbour_overlaps(np.asarray(mbar.overlap_matrix, dtype=float))
        overlaps[row[0] : row[-1]] = [round(float(one), 6) for one in between]
        if len(row) == states:
            dg_kt = dg_of_sampled_kt(mbar)[0]
    return overlaps, dg_kt, "; ".join(notes)


def _rows(there: Sequence[int]) -> list[list[int]]:
    """States that follow one another without a gap, two or more."""
    gaps = np.flatnonzero(np.diff(there) > 1) + 1
    return [part.tolist() for part in np.split(np.asarray(there), gaps) if len(part) > 1]


def _leg_home(home: Path) -> Path:
    while _PARTS.fullmatch(home.name):
        home = home.parent
    return home


def _named(place: Path, home: Path) -> GrowingLeg:
    part = "/".join(place.parts[-2:])
    try:
        settings = read_json(home / INPUTS)["described"]
        return GrowingLeg(part, str(settings["setting leg"]), int(settings["setting replicate"]))
    except _FAULTS as error:
        return GrowingLeg(part, place.parent.name, 0, note=one_line(f"{home / INPUTS}: {error}", 300))


def _segments(home: Path) -> list[Path]:
    """Files of samples of the segments that count as done; none for what samples no λ states."""
    try:
        progress = read_json(home / PROGRESS) if (home / PROGRESS).exists() else {}
        count = int(progress.get("segments_done", 0))
        if not count or "setting states" not in read_json(home / INPUTS)["described"]:
            return []
    except _FAULTS:  # told in the item's rows
        return []
    return [home / f"segment-{number:05d}.npz" for number in range(count)]


def _identity(path: Path) -> _Identity:
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_mtime_ns, found.st_size
