"""`attempts.json`: what was tried in a state folder, when, where, with which settings, and how each attempt ended."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from gibbsflow.errors import EngineError, GibbsflowError, ScienceError, StateError, StoppedEarly
from gibbsflow.version import __version__
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.state.locks import holder

log = logging.getLogger(__name__)
FILE_NAME = "attempts.json"
End = Literal["", "finished", "stopped", "failed", "lost"]
Then = Literal["go on", "safer", "afresh"]


@dataclass(frozen=True)
class Attempt:
    """One call that worked in a state folder.

    Attributes
    ----------
    number
        1 for the first; the next number, with the next safer settings, comes only after a failure of the science; a
        program that was killed is none.
    inputs_hash
        What it was made from.
    settings
        Settings that this attempt number used in place of those asked for.
    holder
        Host, pid, start of the process and SLURM job, as in the lock.
    began, ended
        UTC.
    end
        ``finished``, ``stopped`` (state saved, goes on), ``failed``, ``lost`` (no end was written down: killed, or the
        machine died), or empty while it runs.
    cause, message
        Of a failure or stop.
    then
        What the next call does: ``go on`` from the last checkpoint, ``safer`` (set the state aside and begin again with
        the next safer settings), or ``afresh`` (the same settings, since it was the state that could not be read).
    segments_done
        Segments done when it ended; None where it was lost.
    set_aside
        Folder that state from before was moved to, with the reason.
    code_version
        Version of gibbsflow; it decides nothing.
    """

    number: int
    inputs_hash: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    holder: Mapping[str, Any] = field(default_factory=holder)
    began: str = field(default_factory=lambda: _now())
    ended: str = ""
    end: End = ""
    cause: str = ""
    message: str = ""
    then: Then = "go on"
    segments_done: int | None = None
    set_aside: str = ""
    code_version: str = __version__

    @property
    def by(self) -> str:
        """Which process it was, in words.

        Returns
        -------
        str
            Such as ``pid 17 on node3``.
        """
        return f"pid {self.holder.get('pid')} on {self.holder.get('host')}"

    def closed(self, error: BaseException | None, segments_done: int | None) -> Attempt:
        """Say how it ended.

        Parameters
        ----------
        error
            What ended it; None where it ended well.
        segments_done
            Segments done by then.

        Returns
        -------
        Attempt
            A copy with the end, its cause, and what the next call does.
        """
        end: End = "finished" if error is None else "failed"
        then: Then = "go on"
        if isinstance(error, StoppedEarly) or (error is not None and not isinstance(error, Exception)):
            end = "stopped"  # on purpose, or by an interrupt from the keyboard
        elif isinstance(error, ScienceError) and not (isinstance(error, EngineError) and error.from_outside):
            then = "safer"
        elif isinstance(error, StateError):
            then = "afresh"
        cause = error.cause if isinstance(error, GibbsflowError) else type(error).__name__ if error else ""
        return replace(
            self, ended=_now(), end=end, then=then, cause=cause, message=str(error or ""), segments_done=segments_done
        )


def read_attempts(folder: Path) -> list[Attempt]:
    """Read the attempts of a state folder.

    Parameters
    ----------
    folder
        State folder.

    Returns
    -------
    list of Attempt
        Oldest first, none where there is no record; one without an end may be running still.

    Raises
    ------
    StateError
        Where the file is there and cannot be read.
    """
    path = Path(folder) / FILE_NAME
    if not path.exists():
        return []
    try:
        return [Attempt(**item) for item in read_json(path)["attempts"]]
    except (TypeError, KeyError) as error:
        raise StateError(f"{path}: not a list of attempts ({error})") from error


def recall_attempts(folder: Path) -> list[Attempt]:
    """Read the attempts for the one who holds the folder now: whoever left no end is lost.

    A file that cannot be read is moved to ``attempts.damaged.json``: it is a record, and no result depends on it.

    Parameters
    ----------
    folder
        State folder, held by the caller.

    Returns
    -------
    list of Attempt
        Oldest first, each with an end.
    """
    try:
        known = read_attempts(folder)
    except StateError as error:
        (Path(folder) / FILE_NAME).replace(Path(folder) / "attempts.damaged.json")
        log.warning("%s; moved to attempts.damaged.json, a new record begins", error)
        return []
    found = [replace(one, end="lost", cause="Lost") if not one.end else one for one in known]
    if found and found[-1].end == "lost" and not known[-1].end:
        log.warning(
            "%s: the last attempt (%s, since %s) left no end: it was killed, or its machine died",
            folder, found[-1].by, found[-1].began,
        )  # fmt: skip
    return found


def write_attempts(folder: Path, attempts: Sequence[Attempt]) -> None:
    """Write the attempts of a state folder, atomically.

    Parameters
    ----------
    folder
        State folder.
    attempts
        All of them, oldest first.
    """
    write_json(Path(folder) / FILE_NAME, {"attempts": [asdict(attempt) for attempt in attempts]})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
