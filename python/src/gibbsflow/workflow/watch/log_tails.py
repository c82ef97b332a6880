"""Ends of the logs of what failed or was killed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gibbsflow.workflow.credentials import masked
from gibbsflow.workflow.folders.places import GENERATION
from gibbsflow.workflow.state.killed import read_killed
from gibbsflow.workflow.watch.snapshot import LogTail
from gibbsflow.workflow.watch.state_rows import HomeRows

_MOST_BYTES = 16_384
_MOST_LINES = 40
_MOST_LOGS = 8
_ENDINGS = (".log", ".err", ".out")


def log_tails(campaign: Path, homes: Iterable[HomeRows], results: Sequence[Path]) -> list[LogTail]:
    """Read the ends of an item's logs.

    Parameters
    ----------
    campaign
        State folder of the campaign.
    homes
        State folders of the item.
    results
        Folders of its results.

    Returns
    -------
    list of LogTail
        Of killed tasks, then of programs whose logs lie in what failed, newest first; at most eight.
    """
    bad = [home for home in homes if any(row.status in ("failed", "lost", "unreadable") for row in home.rows)]
    named = [
        one.log_file
        for one in reversed(read_killed(campaign))
        if one.log_file is not None and any(one.is_of(home.parts) for home in bad)
    ]
    places = {campaign.joinpath(*home.parts): 2 for home in bad}
    # of a local loop, logs lie beside the state of what they are of
    places |= {campaign / home.parts[0]: 3 for home in bad if home.parts and home.parts[0].startswith(GENERATION)}
    lying = sorted((path for place, deep in places.items() for path in _logs(place, deep)), key=_time, reverse=True)
    phases = {home.parts[2] for home in bad if len(home.parts) > 2}
    lying += [path for folder in results for phase in sorted(phases) for path in _logs(folder / phase, 2)]
    return [tail(path) for path in list(dict.fromkeys([*named, *lying]))[:_MOST_LOGS]]


def tail(path: Path) -> LogTail:
    """Read the end of a log.

    Parameters
    ----------
    path
        The log.

    Returns
    -------
    LogTail
        Its last 40 lines, of its last 16 kB, without passwords, tokens and keys; why where it cannot be read.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return LogTail(str(path), "no plain file")
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _MOST_BYTES))
            text = file.read().decode(errors="replace")
    except OSError as error:
        return LogTail(str(path), f"cannot be read: {error.strerror or error}")
    return LogTail(str(path), "\n".join(masked(text).splitlines()[-_MOST_LINES:]))


def _logs(folder: Path, deep: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        if entry.is_file(follow_symlinks=False) and entry.name.endswith(_ENDINGS):
            yield folder / entry.name
        elif deep > 1 and entry.is_dir(follow_symlinks=False):
            yield from _logs(folder / entry.name, deep - 1)


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
