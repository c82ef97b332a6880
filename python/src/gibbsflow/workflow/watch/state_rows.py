"""Rows of all calculations of a campaign, kept between looks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.folders.folder_tree import FolderTree
from gibbsflow.workflow.folders.places import ASIDE
from gibbsflow.workflow.hours.engine_hours import CampaignHours, EngineHours, looked_into
from gibbsflow.workflow.hours.pace import PROGRESS
from gibbsflow.workflow.state.attempts import FILE_NAME as ATTEMPTS
from gibbsflow.workflow.state.killed import FOLDER as KILLED
from gibbsflow.workflow.state.killed import Killed, read_killed
from gibbsflow.workflow.state.state_folder import is_aside
from gibbsflow.workflow.state.status import MARKS, PLAN, Ends, StatusRow, at_work, home_rows, planned_rows

_ASK_AGAIN_S = 30.0
"""How often SLURM is asked after jobs whose lock does not reach this host."""


@dataclass(frozen=True)
class HomeRows:
    """What one state folder tells.

    Attributes
    ----------
    parts
        Its path below the campaign's.
    rows
        Its rows; windows that run together have one each.
    planned
        Windows that it says there will be, with or without folders of their own.
    here
        Whether a process of this host works in it.
    """

    parts: tuple[str, ...]
    rows: tuple[StatusRow, ...]
    planned: tuple[StatusRow, ...] = ()
    here: bool = False


class StateRows:
    """The state folders of a campaign, of which only those are read again that have changed.

    Parameters
    ----------
    folder
        State folder of the campaign.
    of_campaign
        Whether it is a campaign's; else it is that of one calculation.
    """

    def __init__(self, folder: Path, *, of_campaign: bool = True) -> None:
        self.folder = folder
        self.hours = CampaignHours()
        self.killed: list[Killed] = []
        self._tree = FolderTree(str(folder), (*MARKS, PLAN, PROGRESS), looked_into)
        self._hours = EngineHours(folder, of_campaign=of_campaign)
        self._known: dict[str, HomeRows] = {}
        self._killed: tuple[tuple[str, int], ...] = ()
        self._asked_s = 0.0

    def look(self) -> tuple[dict[str, HomeRows], set[str]]:
        """Look at all state folders.

        Returns
        -------
        homes : dict
            By path.
        changed : set of str
            Paths of those that tell something else than at the last look, or are gone.
        """
        killed = _times(self.folder / KILLED)
        again = killed != self._killed
        if again:
            self.killed = read_killed(self.folder)
        ask = time.monotonic() - self._asked_s > _ASK_AGAIN_S
        found: dict[str, HomeRows] = {}
        due: dict[str, frozenset[str]] = {}
        tree = list(self._tree.look())
        read = cache(read_json)  # hours and rows read the same files
        self.hours = self._hours.take(tree, read)
        for seen in tree:
            if not seen.names - {PROGRESS} or (
                ASIDE in seen.path and is_aside(Path(seen.path).relative_to(self.folder))
            ):
                continue
            known = self._known.get(seen.path)
            if known is None or seen.changed or self._is_due(seen.path, known, again=again, ask=ask):
                due[seen.path] = seen.names
            else:
                found[seen.path] = known
        if ask:
            self._asked_s = time.monotonic()
        open_ones = [Path(path) for path, names in due.items() if ATTEMPTS in names and "FINISHED" not in names]
        ends = Ends.of(self.folder, open_ones) if any(names - {PROGRESS} != {PLAN} for names in due.values()) else None
        for path, names in due.items():
            found[path] = self._read(Path(path), names, ends, read)
        changed = {path for path in due if found[path] != self._known.get(path)} | (self._known.keys() - found.keys())
        self._known, self._killed = found, killed
        return found, changed

    def _is_due(self, path: str, known: HomeRows, *, again: bool, ask: bool) -> bool:
        """Say whether a folder whose files are as they were may tell something else by now."""
        statuses = {row.status for row in known.rows}
        if not statuses & {"running", "lost", "stopped", "waiting"}:
            return False
        if again or (ask and statuses & {"running", "lost"}):
            return True
        return known.here and not at_work(Path(path))

    def _read(self, home: Path, names: frozenset[str], ends: Ends | None, read: Callable[[Path], Any]) -> HomeRows:
        planned = list(planned_rows(home / PLAN, self.folder)) if PLAN in names else []
        rows: list[StatusRow] = []
        below = home.relative_to(self.folder)
        own = below.as_posix()
        if names - {PROGRESS} != {PLAN} and ends is not None:
            for row in home_rows(home, self.folder, ends, read):
                inside = own == "." or row.item == own or row.item.startswith(f"{own}/")
                (rows if inside else planned).append(row)
        here = any(row.status == "running" for row in rows) and at_work(home)
        return HomeRows(below.parts, tuple(rows), tuple(planned), here)


def all_rows(homes: Mapping[str, HomeRows], now_s: float) -> dict[str, StatusRow]:
    """Put rows of several state folders together.

    Parameters
    ----------
    homes
        What they tell.
    now_s
        Time now, s since 1970.

    Returns
    -------
    dict
        By item, as far as each is by now; what a folder says of itself goes before what was planned of it.
    """
    planned = {row.item: row for home in homes.values() for row in home.planned}
    return planned | {row.item: row.at(now_s) for home in homes.values() for row in home.rows}


def _times(folder: Path) -> tuple[tuple[str, int], ...]:
    def found() -> Iterator[tuple[str, int]]:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield entry.name, entry.stat().st_mtime_ns

    try:
        return tuple(sorted(found()))
    except OSError:
        return ()
