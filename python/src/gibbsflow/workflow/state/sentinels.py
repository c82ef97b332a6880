"""`FINISHED` and `FAILED`: what a state folder says about itself, valid only for the inputs it was made from.

How a command ends, what it leaves in its state folder, and what is done about it (conf/base.config):

====  =======================  ==================  ====================================================================
exit  means                    state folder        then
====  =======================  ==================  ====================================================================
0     done                     ``FINISHED``        the next call returns at once, while its inputs are the same
65    the input is wrong       ``FAILED``          never tried again in this run
70    the science failed       ``FAILED``, cause   by ``--on_failure``; the next call is another attempt: state set
                                                   aside, next safer settings (`state_folder.py`)
74    no disk                  as it was           the run ends; the next call goes on
75    stopped on purpose       last checkpoint     the next call goes on; it counts as no failure
else  killed from outside      last checkpoint     goes on, with more of what was short (`killed.py`)
====  =======================  ==================  ====================================================================

`attempts.json` beside them tells it all, attempt by attempt. `clean-failures` removes ``FAILED``, that record and the
progress, and nothing else.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from gibbsflow.errors import GibbsflowError, StateError
from gibbsflow.version import __version__
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.log_tail import recent_lines

Kind = Literal["FINISHED", "FAILED"]
NAMES: tuple[Kind, ...] = ("FINISHED", "FAILED")


@dataclass(frozen=True)
class Sentinel:
    """Content of a sentinel file.

    Attributes
    ----------
    kind
        ``FINISHED`` or ``FAILED``.
    inputs_hash
        Hash of the inputs it holds for (:func:`gibbsflow.workflow.files.inputs_hash`).
    steps_done
        MD steps (or iterations, labels) done.
    cause
        Class of the failure, empty for FINISHED.
    message
        The failure in words.
    log
        The last lines of the log before a failure.
    settings
        The settings in the hash, so that a changed one can be named.
    code_version, time, host, pid
        Which version of gibbsflow wrote it, when (UTC), and where; they decide nothing.
    """

    kind: Kind
    inputs_hash: str
    steps_done: int = 0
    cause: str = ""
    message: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    log: Sequence[str] = field(default_factory=list)
    code_version: str = __version__
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)

    def write(self, folder: Path) -> None:
        """Write atomically; the opposite sentinel is removed after, so that one always stands.

        Parameters
        ----------
        folder
            State folder.
        """
        write_json(Path(folder) / self.kind, asdict(self))
        for other in NAMES:
            if other != self.kind:
                (Path(folder) / other).unlink(missing_ok=True)


def read_sentinel(folder: Path, kind: Kind) -> Sentinel | None:
    """Read a sentinel, whatever it was made from.

    Parameters
    ----------
    folder
        State folder.
    kind
        Which one.

    Returns
    -------
    Sentinel or None
        None where there is none.

    Raises
    ------
    StateError
        Where it is there and cannot be read.
    """
    path = Path(folder) / kind
    if not path.exists():
        return None
    try:
        sentinel = Sentinel(**read_json(path))
    except TypeError as error:
        raise StateError(f"{path}: not a sentinel ({error})") from error
    if not all(
        isinstance(text, str) for text in (sentinel.inputs_hash, sentinel.cause, sentinel.message, sentinel.time)
    ):
        raise StateError(f"{path}: not a sentinel (values of other types)")
    if not isinstance(sentinel.log, list | tuple) or not all(isinstance(line, str) for line in sentinel.log):
        raise StateError(f"{path}: not a sentinel (its log is no list of lines)")
    return sentinel


def valid_sentinel(folder: Path, kind: Kind, inputs_hash: str) -> Sentinel | None:
    """Read a sentinel that counts: there, and made from today's inputs.

    Parameters
    ----------
    folder
        State folder.
    kind
        Which one.
    inputs_hash
        Hash of today's inputs.

    Returns
    -------
    Sentinel or None
        None where there is none, or one of other inputs.

    Raises
    ------
    StateError
        Where it is there and cannot be read.
    """
    sentinel = read_sentinel(folder, kind)
    return sentinel if sentinel is not None and sentinel.inputs_hash == inputs_hash else None


def failed_sentinel(error: GibbsflowError, inputs_hash: str) -> Sentinel:
    """Make the FAILED sentinel of an error.

    Parameters
    ----------
    error
        The failure.
    inputs_hash
        Hash of the inputs that it failed with.

    Returns
    -------
    Sentinel
        Not yet written.
    """
    return Sentinel("FAILED", inputs_hash, cause=error.cause, message=str(error), log=recent_lines())
