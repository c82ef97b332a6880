"""One root error; each leaf carries its exit code and what to do about it.

Exit codes (docs/contracts.md): 65 the input is wrong, never retried; 70 the science failed, the failure policy
decides; 74 a disk is full or cannot be written; 75 stopped early on purpose with state saved, go on; 78 the machine or
the container image is not one that this can run on.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

EXIT_DONE = 0
EXIT_INPUT = 65
EXIT_SCIENCE = 70
EXIT_STORAGE = 74
EXIT_STOPPED = 75
EXIT_INSTALLATION = 78

MOST_SHOWN = 80
"""Characters of a value that a message repeats."""
MOST_LISTED = 50
"""Problems that a message lists."""
MOST_NAMED = 8
"""Names of a kind that a message gives."""
_LONGEST = 1000
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = MOST_SHOWN
_short.maxlist = _short.maxtuple = _short.maxdict = 10
_short.maxlevel = 4


def shown(value: object, most: int = MOST_SHOWN) -> str:
    """Write a value that came from outside for a message: as Python would, in so many characters at most.

    Parameters
    ----------
    value
        Whatever was found.
    most
        Characters; of a longer value the middle is left out.

    Returns
    -------
    str
        On one line; what cannot be printed is escaped, texts stand in quotes.
    """
    return one_line(_short.repr(value), most)


def one_line(text: str, most: int = MOST_SHOWN) -> str:
    """Write a text that came from outside without line ends and control characters, in so many characters at most.

    Parameters
    ----------
    text
        The text.
    most
        Characters; of a longer text the middle is left out.

    Returns
    -------
    str
        What cannot be printed, or turns the direction of writing, is escaped as Python does.
    """
    head, tail = most - most // 3 - 1, most // 3
    ends = (text[:most], text[-most:]) if len(text) > 2 * most else (text,)
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for part in ends for c in part)
    return shown if len(shown) <= most else shown[:head] + "…" + shown[-tail:]


def first_few(names: Sequence[str], most: int = MOST_NAMED, between: str = ", ") -> str:
    """Name the first of many for a message, and say how many there are beside.

    Parameters
    ----------
    names
        In the order in which they are named.
    most
        Of them at most.
    between
        What stands between two.

    Returns
    -------
    str
        Such as ``a, b and 3 more``.
    """
    more = len(names) - most
    return between.join(names[:most]) + (f" and {more} more" if more > 0 else "")


class GibbsflowError(Exception):
    """Root of all errors that gibbsflow raises on purpose.

    Parameters
    ----------
    message
        What was wrong, naming file, row, field or item.
    what_to_do
        The next step for the user; a default stands in the class.
    """

    exit_code = EXIT_SCIENCE
    what_to_do = "See the log of this command."
    of_item = True
    """Whether what was being computed is at fault, and is recorded as FAILED; else only the circumstances are."""
    recorded = False
    """Whether the state folder of what failed holds it already, as FAILED."""

    def __init__(self, message: str, *, what_to_do: str | None = None) -> None:
        super().__init__(message)
        if what_to_do is not None:
            self.what_to_do = what_to_do

    @property
    def cause(self) -> str:
        """Class of the failure.

        Returns
        -------
        str
            Short and machine-readable, such as ``Unbound``, as in sentinels and tables.
        """
        return type(self).__name__.removesuffix("Error")


_OF_MANY_LINES = (".sdf", ".sd", ".mol", ".mol2")


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input, precise enough to be mended without reading code.

    Attributes
    ----------
    where
        File, or option, as the user wrote it.
    what
        What was found there.
    right
        What would be right.
    row
        Line of the file, counted from 1 with the header as line 1; None where it has no rows. Of an SDF or MOL2, whose
        records have many lines each, messages say so.
    field
        Column, option or key.
    """

    where: str
    what: str
    right: str = ""
    row: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        place = one_line(self.where, _LONGEST)
        if self.row is not None:
            place += f", {'line of the file' if self.where.lower().endswith(_OF_MANY_LINES) else 'row'} {self.row}"
        if self.field:
            place += f", {one_line(self.field)}"
        what = f"{place}: {one_line(self.what, _LONGEST)}"
        return what + (f" (right: {one_line(self.right, _LONGEST)})" if self.right else "")


class InputError(GibbsflowError):
    """The input is wrong; trying again cannot help.

    Parameters
    ----------
    problems
        All that is wrong, at once, of which the message lists the first 50; or one thing in words.
    what_to_do
        The next step for the user; a default stands in the class.
    """

    exit_code = EXIT_INPUT
    what_to_do = "Mend the input and start again; nothing expensive was run."

    def __init__(
        self,
        problems: str | Problem | Sequence[Problem],
        *,
        what_to_do: str | None = None,
    ) -> None:
        if isinstance(problems, str | Problem):
            self.problems: list[Problem] = [problems] if isinstance(problems, Problem) else []
            message = str(problems)
        else:
            self.problems = list(problems)
            head = f"{len(self.problems)} problems in the input:\n  " if len(self.problems) > 1 else ""
            more = len(self.problems) - MOST_LISTED
            listed = [str(p) for p in self.problems[:MOST_LISTED]] + ([f"and {more} more"] if more > 0 else [])
            message = head + "\n  ".join(listed)
        super().__init__(message, what_to_do=what_to_do)


class MissingProgramError(GibbsflowError):
    """A program or package that this step needs is not installed."""

    exit_code = EXIT_INPUT
    what_to_do = "Install the program, or choose the image or engine that has it."


class ScienceError(GibbsflowError):
    """The calculation ran and its outcome cannot be used."""

    what_to_do = "The failure policy (--on_failure) decides what happens next."


class NumericalError(ScienceError):
    """NaN or infinite energies or coordinates."""

    what_to_do = "Look at the starting structure for clashes, or lower the time step."


class UnconvergedError(ScienceError):
    """An iteration ended before it had converged."""


class UnboundError(ScienceError):
    """The ligand left the binding site during equilibration."""

    what_to_do = "Check the pose; a ligand that leaves at once has no bound state to measure."


class ParametrisationError(ScienceError):
    """The force field programs gave no usable parameters."""

    what_to_do = "Read the program's log named above; check charge, protonation and elements."


_KILLED = (-9, -15, 128 + 9, 128 + 15)


class EngineError(ScienceError):
    """A foreign program ended with an error.

    Parameters
    ----------
    message
        Names the program, its log and the last lines of it.
    code
        Exit code of the program (negative: the signal that ended it); None where it was ended for its time.
    what_to_do
        The next step for the user; a default stands in the class.
    """

    def __init__(self, message: str, *, code: int | None = None, what_to_do: str | None = None) -> None:
        super().__init__(message, what_to_do=what_to_do)
        self.code = code

    @property
    def from_outside(self) -> bool:
        """Whether the program was killed, as for want of memory, and ended by no fault of the calculation.

        Returns
        -------
        bool
            True for SIGKILL and SIGTERM, also where a shell or mpirun tells of them.
        """
        return self.code in _KILLED


class StateError(GibbsflowError):
    """Saved state cannot be read or does not belong to these inputs."""

    what_to_do = "Nothing was overwritten. Move the named folder away to start that item afresh."


class StorageError(GibbsflowError):
    """A disk is full, read-only or broken: nothing is wrong with the calculation."""

    of_item = False
    exit_code = EXIT_STORAGE
    what_to_do = "Make room, or the folder writable; then run the same command again: it goes on from the saved state."


class MachineError(GibbsflowError):
    """The machine lacks what the task needs, such as a GPU: nothing is wrong with the calculation."""

    of_item = False
    exit_code = EXIT_INSTALLATION
    what_to_do = "Run on a machine that has it; then run the same command again: it goes on from the saved state."


class GpuMemoryError(MachineError):
    """What the task needs does not fit into the GPU's memory."""

    what_to_do = (
        "Run where the GPU has more memory, or where less of it is in use (nvidia-smi shows by whom); then run the "
        "same command again: it goes on from the saved state."
    )


class LockedError(GibbsflowError):
    """Another process holds this state folder."""

    of_item = False
    what_to_do = "Wait for the other process, or end it; a stale lock is taken over by itself."


class StoppedEarly(GibbsflowError):  # noqa: N818 - no error: a normal outcome with its own exit code
    """Stopped on purpose (time budget, preemption, signal) with state saved."""

    of_item = False
    exit_code = EXIT_STOPPED
    what_to_do = "Run the same command again: it goes on from the saved state."


@contextmanager
def during(what: str) -> Iterator[None]:
    """Say in the message of a `NumericalError` what was being done.

    Parameters
    ----------
    what
        Put before the message.

    Yields
    ------
    None
        Once.

    Raises
    ------
    NumericalError
        As raised within, with the longer message.
    """
    try:
        yield
    except NumericalError as error:
        raise NumericalError(f"{what}: {error}") from error
