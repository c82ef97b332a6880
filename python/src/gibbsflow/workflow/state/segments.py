"""Long work in segments: each ends with saved state, so that a kill costs at most one of them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Self

from gibbsflow.errors import StoppedEarly
from gibbsflow.workflow.signals import restore_handlers, set_stop_handler


class Stopper:
    """Knows when to stop: a time budget, a number of segments, or a signal.

    Signals (:data:`gibbsflow.workflow.signals.STOP_SIGNALS`) are noted and acted on at the next call of :meth:`check`,
    so that no write is cut in half.

    Parameters
    ----------
    time_budget_s
        Wall-clock seconds from construction; None for no limit.
    segments
        Number of segments to run in this call; None for no limit.
    """

    def __init__(self, time_budget_s: float | None = None, segments: int | None = None) -> None:
        self.start = time.monotonic()
        self.time_budget_s = time_budget_s
        self.segments = segments
        self.segments_done = 0
        self.longest_segment_s = 0.0
        self.signal: int | None = None
        self._noted_at = self.start
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._handlers = set_stop_handler(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        restore_handlers(self._handlers)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is None:
            self.signal, self._noted_at = number, time.monotonic()
            with suppress(OSError):  # not by logging, which may be at a line and cannot be entered twice
                os.write(2, f"{signal.Signals(number).name} received: stopping with state saved\n".encode())

    @property
    def elapsed_s(self) -> float:
        """Time since construction.

        Returns
        -------
        float
            Wall-clock seconds.
        """
        return time.monotonic() - self.start

    @property
    def left_s(self) -> float | None:
        """What is left of the time budget.

        Returns
        -------
        float or None
            Wall-clock seconds, negative when it is used up; None without a limit.
        """
        return None if self.time_budget_s is None else self.time_budget_s - self.elapsed_s

    def check(self, grace_s: float = 0.0) -> None:
        """Give a signal its effect: to be called often inside a segment.

        Parameters
        ----------
        grace_s
            Wall-clock seconds that what is under way has after a signal, to be finished in.

        Raises
        ------
        StoppedEarly
            After a signal. The segment under way is given up; the last checkpoint stands.
        """
        if self.signal is not None and time.monotonic() - self._noted_at >= grace_s:
            raise StoppedEarly(f"stopped by {signal.Signals(self.signal).name}")

    def out_of_time(self, next_s: float = 0.0) -> str:
        """Say whether the time budget is used up: for segments that can be cut short.

        Parameters
        ----------
        next_s
            What the next part of the segment will take, s.

        Returns
        -------
        str
            In words; empty while there is time.
        """
        if self.time_budget_s is None or self.elapsed_s + next_s < self.time_budget_s:
            return ""
        return f"time budget of {self.time_budget_s:g} s used up"

    def reason(self) -> str | None:
        """Say why the next segment must not start.

        Returns
        -------
        str or None
            A signal, the segments asked for, or the time budget, which would not hold another one; None if it may
            start.
        """
        if self.signal is not None:
            return f"stopped by {signal.Signals(self.signal).name}"
        if self.segments is not None and self.segments_done >= self.segments:
            return f"{self.segments_done} segments asked for and done"
        if self.time_budget_s is not None and self.elapsed_s + self.longest_segment_s > self.time_budget_s:
            return f"time budget of {self.time_budget_s:.0f} s would not hold another segment"
        return None


def run_segments(done: int, total: int, segment: Callable[[int], None], stopper: Stopper) -> None:
    """Run segments `done` … `total` − 1, each of which saves its own state at its end.

    Parameters
    ----------
    done
        Segments already done.
    total
        Segments in all.
    segment
        Runs segment number i and saves.
    stopper
        Decides when to stop.

    Raises
    ------
    StoppedEarly
        Before all were done; state is saved.
    """
    for number in range(done, total):
        if reason := stopper.reason():
            raise StoppedEarly(f"{reason}; {number} of {total} segments done")
        start = time.monotonic()
        segment(number)
        stopper.longest_segment_s = max(stopper.longest_segment_s, time.monotonic() - start)
        stopper.segments_done += 1
