"""Progress on long work: a bar on a terminal, a plain line now and then elsewhere, always on standard error."""

from __future__ import annotations

import sys
import time


class Progress:
    """Count of work done out of a total.

    Parameters
    ----------
    text
        What is being done.
    total
        How much there is, in `unit`.
    unit
        Unit of the counts, such as ``"ps"``.
    done
        What was done before, by an earlier run.
    """

    interval_s = 15.0
    quiet = False
    """Whether this process shows none."""
    line_is_open = False
    """Whether a bar stands on the terminal's line."""

    def __init__(self, text: str, total: float, unit: str = "", done: float = 0.0) -> None:
        self.text, self.total, self.unit = text, total, unit
        self.done = self.first = done
        self.start = self.shown = time.monotonic()
        self.terminal = sys.stderr.isatty()
        self.ended = False

    def add(self, amount: float, note: str = "") -> None:
        """Count work done; shown when it is time to.

        Parameters
        ----------
        amount
            How much was done since the last call, in `unit`.
        note
            What else to say, at the end of the line.
        """
        self.done += amount
        if self.quiet:
            return
        now = time.monotonic()
        last, ended = self.done >= self.total, self.ended
        self.ended = last
        if last and ended:  # told already; what is left is to be written
            return
        if not last and now - self.shown < (0.2 if self.terminal else self.interval_s):
            return
        self.shown = now
        elapsed_s = now - self.start
        rate = (self.done - self.first) / max(elapsed_s, 1e-9)
        left = f"{duration(max(self.total - self.done, 0.0) / rate)} left" if rate > 0 else "no speed yet"
        if rate > 0 and elapsed_s > 0.1:  # what is done at once has no rate
            left = f"{_rate(rate, self.unit)}, {left}"
        share = self.done / self.total if self.total else 1.0
        line = f"{self.text}: {self.done:g}/{self.total:g} {self.unit} ({share:.0%}, {left}) {note}".rstrip()
        if self.terminal:
            bar = "#" * int(20 * share)
            sys.stderr.write(f"\r\x1b[K[{bar:<20}] {line}" + ("\n" if last else ""))
            Progress.line_is_open = not last
        else:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()


def _rate(per_s: float, unit: str) -> str:
    """Say how fast it goes, by the shortest time in which at least one gets done."""
    name, seconds = next((one for one in (("s", 1), ("min", 60)) if per_s * one[1] >= 1), ("h", 3600))
    return f"{per_s * seconds:.3g} {unit}/{name}".replace(" /", "/")


def end_line() -> None:
    """Leave the line of a bar that has not come to its end, before something else is said on standard error."""
    if Progress.line_is_open:
        sys.stderr.write("\n")
        Progress.line_is_open = False


def tell(line: str) -> None:
    """Say on standard error what has been done, unless this process is quiet.

    Parameters
    ----------
    line
        Without its end.
    """
    if not Progress.quiet:
        end_line()
        sys.stderr.write(f"{line}\n")


def duration(seconds: float) -> str:
    """Say how long something takes, in the largest unit of which there are two.

    Parameters
    ----------
    seconds
        How long, s.

    Returns
    -------
    str
        Such as ``2.5 h``.
    """
    for name, unit in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.0f} s"
