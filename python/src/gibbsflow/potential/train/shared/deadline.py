"""The time budget of a fit, which every part of it asks before it begins something, and while it works."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gibbsflow.workflow.state.segments import Stopper

_PROBE_COLUMNS, _FASTEST_S = 160, 2e-10
_MOST_KEPT = 0.5
FEWEST_FRAMES = 20
"""So many frames are worked through whatever the time."""


@dataclass
class Deadline:
    """A time budget on the clock of a command, and what the work after the search will need of it.

    Attributes
    ----------
    stopper
        Its clock started with the command.
    budget_s
        Wall-clock seconds for all.
    reserve_s
        Of them, for what comes after the search: :meth:`reserve`.
    """

    stopper: Stopper
    budget_s: float
    reserve_s: float = 0.0
    _speed: float = field(default=0.0, repr=False)

    @property
    def elapsed_s(self) -> float:
        """Time since the command began.

        Returns
        -------
        float
            Wall-clock seconds.
        """
        return self.stopper.elapsed_s

    @property
    def left_s(self) -> float:
        """Time that is left of all.

        Returns
        -------
        float
            Wall-clock seconds, 0 where none is left.
        """
        return max(self.budget_s - self.elapsed_s, 0.0)

    def until_s(self, share: float, more_s: float = 0.0) -> float:
        """Give the end of a part of the search.

        Parameters
        ----------
        share
            Of the budget.
        more_s
            What the work after it needs beyond what is kept for it, s.

        Returns
        -------
        float
            On the clock, s; earlier where the work after it needs more than the rest.
        """
        kept_s = min(self.reserve_s + more_s, _MOST_KEPT * self.budget_s)
        return min(share * self.budget_s, self.budget_s - kept_s)

    def reserve(self, seconds: float) -> None:
        """Keep time for what comes after the search.

        Parameters
        ----------
        seconds
            What it is expected to take; at most half of the budget is kept.
        """
        self.reserve_s = min(seconds, _MOST_KEPT * self.budget_s)

    def check(self) -> None:
        """Give a signal its effect.

        Raises
        ------
        StoppedEarly
            After a signal.
        """
        self.stopper.check()

    def eigen_s(self, columns: int) -> float:
        """Predict the time of one eigenvalue decomposition, by the speed of this machine under its present load.

        Parameters
        ----------
        columns
            Size of the matrix.

        Returns
        -------
        float
            Seconds; rather too many, since large matrices are quicker a number.
        """
        if not self._speed:
            matrix = np.random.default_rng(0).normal(size=(_PROBE_COLUMNS, _PROBE_COLUMNS))
            taken = []
            for _ in range(3):
                start = time.monotonic()
                np.linalg.eigh(matrix + matrix.T)
                taken.append(time.monotonic() - start)
            # a small matrix has costs of its own: half of what it took goes on with its size
            self._speed = max(0.5 * sorted(taken)[1] / _PROBE_COLUMNS**3, _FASTEST_S)
        return self._speed * columns**3

    def learn(self, columns: int, seconds: float) -> None:
        """Take the time of a large decomposition for the measure of those to come.

        Parameters
        ----------
        columns
            Size of the matrix.
        seconds
            What it took, with what belongs to it.
        """
        if columns >= _PROBE_COLUMNS:
            self._speed = max(seconds / columns**3, _FASTEST_S)


def spread_order(count: int) -> list[int]:
    """Order numbers so that every beginning of the list is spread evenly over all of them.

    Parameters
    ----------
    count
        How many.

    Returns
    -------
    list of int
        Each from 0 to ``count - 1`` once.
    """
    # van der Corput's sequence: bits of the place in the list, reversed
    bits = max(count - 1, 0).bit_length()
    places = [int(f"{k:0{bits}b}"[::-1], 2) if bits else k for k in range(1 << bits)]
    return [place for place in places if place < count]


def covering_order(kinds: Sequence[frozenset[str]]) -> list[int]:
    """The same, with the first frames that hold all elements before the others.

    Parameters
    ----------
    kinds
        Elements of each frame.

    Returns
    -------
    list of int
        Each number once.
    """
    order, seen, first = spread_order(len(kinds)), set[str](), []
    for k in order:
        if not kinds[k] <= seen:
            first.append(k)
            seen |= kinds[k]
    return [*first, *(k for k in order if k not in set(first))]
