"""States at even distances along the path of a schedule, as many as each component needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from gibbsflow.binding.alchemy.schedules import LambdaState, check_schedule
from gibbsflow.binding.analyse.placement.distances import By, Distances, overlap_of_distance
from gibbsflow.binding.analyse.placement.expected_error import error_ratio
from gibbsflow.binding.analyse.placement.lambda_path import Component, as_mappings, between, components, way
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account

SPACING = 1.25
"""Distance of neighbours aimed at: two Gaussians so far apart exchange at 38 %, and BAR between them has a variance 5 %
above what windows without end would leave."""
MOST_WINDOWS = 99
SAME = 0.05
"""By how much of a spacing the last interval of a component may be longer, before it gets a window more."""
CLEAR_GAIN = 0.2
"""By how much of it the error has to fall at equal cost, before a schedule that would do is given up for another: the
gain that is foreseen for Gaussians on a line is too large for a path that comes back near to where it began."""
_SNAP = 1e-3
"""Nearer than this share of an interval, a state of the old schedule is taken as it is."""


@dataclass(frozen=True)
class Placement:
    """A schedule, and how it came about.

    Attributes
    ----------
    states
        From the coupled to the decoupled end.
    given
        The schedule that was measured.
    distances
        Of its neighbours.
    by
        What was made equal.
    spacing
        Distance aimed at.
    parts
        Of each component its title, its first and last state in both schedules, its length and its spacing.
    expected_error_ratio
        Error that is expected of it over that of the schedule that was measured, for as many samples in all.
    account
        What is to be known.
    """

    states: tuple[LambdaState, ...]
    given: tuple[LambdaState, ...]
    distances: Distances
    by: By
    spacing: float
    parts: tuple[Mapping[str, Any], ...]
    expected_error_ratio: float
    account: Account = field(default_factory=lambda: Account("placement"))

    def as_dict(self) -> dict[str, Any]:
        """Give all of it.

        Returns
        -------
        dict
            JSON-serialisable.
        """
        return {
            "by": self.by,
            "spacing": self.spacing,
            "windows_before": len(self.given),
            "windows": len(self.states),
            "expected_error_ratio": float(f"{self.expected_error_ratio:.4g}"),
            "components": [dict(part) for part in self.parts],
            "states_before": as_mappings(self.given),
            "states": as_mappings(self.states),
            "length_before": [round(float(one), 6) for one in self.distances.length],
            "overlap_before": [round(float(one), 6) for one in self.distances.overlap],
            "disjoint_before": list(self.distances.disjoint),
            "account": self.account.as_dict(),
        }


def place_states(
    given: Sequence[LambdaState],
    distances: Distances,
    *,
    by: By = "length",
    spacing: float = SPACING,
    windows: int | None = None,
) -> Placement:
    """Place states at even distances along the path of a schedule.

    The ends of components stay. Within a component the length so far is a monotone cubic of λ through the states that
    were measured (Fritsch and Carlson, SIAM J. Numer. Anal. 17, 238 (1980)), and is cut into equal parts.

    Parameters
    ----------
    given
        The schedule that was measured.
    distances
        Of its K states.
    by
        What is made equal between neighbours.
    spacing
        Largest distance of neighbours aimed at.
    windows
        Number of states; None for as many as `spacing` asks for.

    Returns
    -------
    Placement
        The same for the same distances, and for what it has itself placed.

    Raises
    ------
    ValueError
        For distances of another schedule, or fewer windows than components have ends.
    """
    rows, measured = as_mappings(given), distances.by(by)
    if len(measured) != len(given) - 1:
        raise ValueError(f"{len(measured)} distances of {len(given)} states")
    path = components(rows)
    if windows is not None and windows < least_windows(given):
        raise ValueError(f"{windows} windows for {len(path)} components")
    account = Account("placement")
    lengths = [float(measured[part.first : part.last].sum()) for part in path]
    counts = [max(1, math.ceil(length / spacing - SAME)) for length in lengths]
    most = windows - 1 if windows is not None else MOST_WINDOWS - 1
    if windows is not None or sum(counts) > most:
        if windows is None:
            account.warn(f"{sum(counts) + 1} windows for a spacing of {spacing:g}, and {MOST_WINDOWS} are placed")
        counts = _shared_out(lengths, most)
    states, parts, after = [rows[0]], [], list[float]()
    for part, length, count in zip(path, lengths, counts, strict=True):
        here = _even(rows, part, measured, count)
        count = len(here)
        after += [length / count] * count
        parts.append(
            {
                "component": part.title,
                "windows_before": [part.first, part.last],
                "windows": [len(states) - 1, len(states) - 1 + count],
                "length": round(length, 6),
                "longest_before": round(float(measured[part.first : part.last].max()), 6),
                "spacing": round(length / count, 6),
                "overlap_expected": round(float(overlap_of_distance(np.array(length / count))), 6),
            }
        )
        states += here
    for state in (number for number, apart in enumerate(distances.disjoint) if apart):
        account.warn(
            f"windows {state} and {state + 1} of the schedule that was measured share no energies: the distance "
            "between them is a lower bound",
            "place windows again from a run of the new schedule",
        )
    ratio = error_ratio(np.array(after), measured)
    return Placement(
        check_schedule(states, where="placement"), tuple(given), distances, by, spacing, tuple(parts), ratio, account
    )


def unless_as_good(placement: Placement) -> Placement:
    """Keep the schedule that was measured, where its windows are near enough and others would not clearly be better.

    Parameters
    ----------
    placement
        From :func:`place_states`.

    Returns
    -------
    Placement
        The same, or that of the schedule as it was given, with a note.
    """
    measured = placement.distances.by(placement.by)
    far = measured.max() > placement.spacing * (1 + SAME) or any(placement.distances.disjoint)
    if far or placement.expected_error_ratio <= 1 - CLEAR_GAIN or placement.states == placement.given:
        return placement
    account = Account("placement")
    account.note(
        f"{len(placement.states)} windows at even distances would leave {placement.expected_error_ratio:.2f} of the "
        f"error of the {len(placement.given)} given, at equal cost, which is no clear gain: those stay"
    )
    account.take(placement.account)
    parts = []
    for part in placement.parts:
        first, last = part["windows_before"]
        overlap = float(overlap_of_distance(np.array(part["longest_before"])))
        parts.append(
            {
                **part,
                "windows": [first, last],
                "spacing": round(part["length"] / (last - first), 6),
                "overlap_expected": round(overlap, 6),
            }
        )
    return replace(placement, states=placement.given, parts=tuple(parts), expected_error_ratio=1.0, account=account)


def least_windows(given: Sequence[LambdaState]) -> int:
    """Count the states that no placement can leave out.

    Parameters
    ----------
    given
        A schedule.

    Returns
    -------
    int
        The ends of its components.
    """
    return len(components(as_mappings(given))) + 1


def _shared_out(lengths: Sequence[float], intervals: int) -> list[int]:
    """Share intervals out among components, the next one always to that whose windows are farthest apart."""
    counts = [1] * len(lengths)
    for _ in range(intervals - len(lengths)):
        counts[int(np.argmax([length / count for length, count in zip(lengths, counts, strict=True)]))] += 1
    return counts


def _even(rows: Sequence[Mapping[str, float]], part: Component, measured: Floats, count: int) -> list[dict[str, float]]:
    """Cut a component into parts of equal length; gives their ends, in order."""
    inside = rows[part.first : part.last + 1]
    x = np.cumsum([0.0, *(way(a, b, part.names) for a, b in zip(inside, inside[1:], strict=False))])
    length = np.cumsum([0.0, *measured[part.first : part.last]])
    placed: list[dict[str, float]] = []
    if length[-1] == 0:
        length = x  # nothing tells where more than one interval would go
    curve = PchipInterpolator(x, length) if len(x) > 2 else np.poly1d([(length[1] - length[0]) / x[1], 0.0])
    for number in range(1, count):
        target = length[-1] * number / count
        at = float(brentq(lambda here: curve(here) - target, 0.0, x[-1]))  # noqa: B023 - used at once
        place = min(int(np.searchsorted(x, at, side="right")) - 1, len(x) - 2)
        share = (at - x[place]) / (x[place + 1] - x[place])
        share = round(share) if abs(share - round(share)) < _SNAP else share
        state = between(inside[place], inside[place + 1], float(share))
        if state not in (dict(inside[0]), dict(inside[-1]), *placed[-1:]):  # four digits may not tell two apart
            placed.append(state)
    return [*placed, dict(inside[-1])]
