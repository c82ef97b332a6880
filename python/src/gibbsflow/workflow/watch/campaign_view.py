"""A campaign looked at again and again: what has changed is read, the rest remembered; nothing is written or held."""

from __future__ import annotations

import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gibbsflow.errors import GibbsflowError, InputError, Problem, one_line
from gibbsflow.workflow.care.campaign_note import CampaignNote, mode_by_folders
from gibbsflow.workflow.care.holding import HEAD, has_head, is_campaign
from gibbsflow.workflow.credentials import masked
from gibbsflow.workflow.folders.places import GENERATION
from gibbsflow.workflow.hours.engine_hours import CampaignHours
from gibbsflow.workflow.state.locks import describe_holder, head_holds
from gibbsflow.workflow.state.status import MARKS, StatusRow
from gibbsflow.workflow.watch.items import ItemPlace, item_place, item_row, lost_before_state, phase_rows
from gibbsflow.workflow.watch.learning import Loop
from gibbsflow.workflow.watch.log_tails import log_tails
from gibbsflow.workflow.watch.results import ItemResults, Results, read_record
from gibbsflow.workflow.watch.snapshot import STATES, ItemDetail, ItemRow, Learning, LogTail, Snapshot
from gibbsflow.workflow.watch.state_rows import HomeRows, StateRows, all_rows

Phases = Callable[[str, str], Sequence[str]]
"""Phases of a mode in their order: of one item by its name, or of all for an empty one."""
_MOST_REMARKS = 50


def find_campaign(place: Path) -> tuple[Path, bool]:
    """Find the state folder that is to be watched.

    Parameters
    ----------
    place
        A campaign's state folder, a folder of state with one campaign in it, or the state folder of one calculation.

    Returns
    -------
    folder : Path
        Absolute.
    of_campaign : bool
        Whether it is a campaign's.

    Raises
    ------
    InputError
        Where there is nothing to watch, or more than one campaign.
    """
    right = "state folder of a campaign, such as state/demo, or of one calculation (--state)"
    if not place.is_dir():
        raise InputError(Problem(str(place), "no such folder", right))
    folder = place.absolute()
    if is_campaign(folder):
        return folder, True
    if any((folder / mark).is_file() for mark in MARKS):
        return folder, False
    below = sorted(path for path in folder.iterdir() if is_campaign(path))
    if len(below) == 1:
        return below[0], True
    if below:
        names = ", ".join(one_line(path.name) for path in below[:5])
        raise InputError(Problem(str(place), f"{len(below)} campaigns are in it: {names}", f"one of them: the {right}"))
    if above := next((path for path in folder.parents[:5] if has_head(path)), None):
        raise InputError(Problem(str(place), "a part of a campaign", str(above)))
    raise InputError(Problem(str(place), "holds no state of gibbsflow", right))


class CampaignView:
    """A campaign that is looked at again and again.

    Parameters
    ----------
    place
        As :func:`find_campaign` takes it.
    phases
        Phases of each mode.

    Raises
    ------
    InputError
        Where there is nothing to watch there.
    """

    def __init__(self, place: Path, phases: Phases) -> None:
        self.folder, self.of_campaign = find_campaign(place)
        self._phases = phases
        self._state = StateRows(self.folder, of_campaign=self.of_campaign)
        self._loop, self._hours = Loop(self.folder), CampaignHours()
        self._results: dict[Path, Results] = {}
        self._read: dict[str, ItemRow] = {}
        self._items: dict[str, ItemRow] = {}
        self._homes: dict[str, dict[str, HomeRows]] = {}
        self._of_item: dict[str, ItemResults] = {}
        self._policy: tuple[str, str, bool] = ("", "", False)

    def look(self) -> Snapshot:
        """Look at the campaign.

        Returns
        -------
        Snapshot
            As it is now.

        Raises
        ------
        InputError
            Where its folder has gone.
        """
        if not self.folder.is_dir():
            raise InputError(Problem(str(self.folder), "no such folder any more", "a state folder that stays"))
        remarks: list[str] = []
        mode, outdirs = self._note(remarks)
        homes, changed_homes = self._state.look()
        hours, before_hours = self._state.hours, self._hours
        self._hours = hours
        names, policy, changed = self._look_at_results(outdirs)
        held = head_holds(self.folder)
        if (mode, policy, held) != self._policy:
            self._policy, changed = (mode, policy, held), {*changed, *self._read, *self._of_item}
        if hours is not before_hours:
            told = {*hours.items, *before_hours.items}
            changed |= {name for name in told if hours.items.get(name) != before_hours.items.get(name)}
        now_s = time.time()
        before = {path: name for name, mine in self._homes.items() for path in mine}
        grouped: dict[str, dict[str, HomeRows]] = defaultdict(dict)
        places: dict[str, ItemPlace] = {}
        for path, home in homes.items():
            if not home.parts and self.of_campaign:
                continue  # files of such names right in the campaign's folder are nobody's
            place = item_place(home.parts, of_campaign=self.of_campaign)
            grouped[place.name][path] = home
            places[place.name] = place
            if path in changed_homes or any(row.told_at_s is not None for row in home.rows):
                changed.add(place.name)  # what runs gets on though no file says so
        changed |= {before[path] for path in changed_homes if path in before}
        everyone = {**dict.fromkeys(names), **dict.fromkeys(self._of_item), **dict.fromkeys(grouped)}
        items: dict[str, ItemRow] = {}
        for name in everyone:
            if name in self._read and name not in changed:
                items[name] = self._read[name]
                continue
            place = places.get(name, ItemPlace("", name, ""))
            found = self._of_item.get(name, ItemResults())
            pruned = policy == "prune" or (policy == "retry" and not held)
            phases = self._phases(mode, name) if self.of_campaign else ()
            items[name] = item_row(
                place, grouped.get(name, {}), found, phases, hours.items.get(name), pruned=pruned, now_s=now_s
            )
        self._read, self._items, self._homes = items, items, dict(grouped)
        learning, damaged = self._loop.look([*outdirs]) if self.of_campaign else (None, [])
        if learning is not None:
            self._items = {name: _in_loop(one, learning) for name, one in items.items()}
        elif self._state.killed:
            self._items = {name: lost_before_state(one, self._state.killed) for name, one in items.items()}
        remarks += damaged
        remarks += [text for one in self._of_item.values() for text in one.damaged]
        remarks += self._unreadable(homes.values())
        remarks += [f"not counted in hours: {text}" for text in hours.unread]
        return self._snapshot(mode, held, learning, remarks)

    def _look_at_results(self, outdirs: Sequence[Path]) -> tuple[tuple[str, ...], str, set[str]]:
        """Items that were asked for, what is done with those that fail, and which have other results than before."""
        names: tuple[str, ...] = ()
        policy = ""
        changed: set[str] = set()
        found: dict[str, ItemResults] = {}
        for outdir in outdirs:
            results = self._results.setdefault(outdir, Results(outdir))
            of_items, new = results.look()
            found |= of_items
            changed |= new
            asked, told = results.asked_for()
            names, policy = asked or names, told or policy
        self._of_item = found
        return names, policy, changed

    def _note(self, remarks: list[str]) -> tuple[str, list[Path]]:
        mode, outdirs = "", []
        try:
            if self.of_campaign and (note := CampaignNote.read(self.folder)) is not None:
                mode, places = note.mode, [one.outdir for one in note.results]
                outdirs = [Path(path) for path in places if os.path.isdir(path)]
                remarks += [
                    f"{one_line(path, 300)}: results are not there" for path in places if not os.path.isdir(path)
                ]
            elif self.of_campaign:
                remarks.append("results unknown: no head has noted them, so only state is shown")
        except GibbsflowError as error:
            remarks.append(one_line(str(error), 300))
        if not mode and self.of_campaign:
            mode = mode_by_folders(self.folder)
        return mode, outdirs

    def _snapshot(self, mode: str, held: bool, learning: Learning | None, remarks: list[str]) -> Snapshot:
        items = sorted(self._items.values(), key=_order)
        counts = Counter(one.state for one in items)
        parts: Counter[str] = Counter()
        for one in items:
            parts.update(one.parts)
        names = self._phases(mode, "") if self.of_campaign else ()
        record = self.folder / HEAD[1]
        told = record.read_text(errors="replace") if held and record.is_file() and not record.is_symlink() else ""
        left = [(one.left_s, one.left_at_most) for one in items if one.left_s is not None]
        left_s, left_at_most = max(left, default=(None, False))
        more = len(remarks) - _MOST_REMARKS
        if more > 0:
            remarks = [*remarks[:_MOST_REMARKS], f"and {more} more of the kind"]
        return Snapshot(
            self.folder.name,
            mode,
            str(self.folder),
            datetime.now(UTC).isoformat(timespec="seconds"),
            one_line(describe_holder(told), 300) if held else "",
            items,
            {state: counts[state] for state in STATES if counts[state]},
            {state: parts[state] for state in STATES if parts[state]},
            phase_rows(items, names),
            round(sum(one.ns_per_day or 0.0 for one in items), 1),
            left_s,
            left_at_most,
            self._hours.whole.engine_h,
            self._hours.whole.cpu_h if self._hours.parts else None,
            self._hours.whole.gpu_h if self._hours.parts else None,
            learning,
            remarks,
        )

    @staticmethod
    def _unreadable(homes: Iterable[HomeRows]) -> list[str]:
        rows = (row for home in homes for row in (*home.rows, *home.planned) if row.status == "unreadable")
        return [one_line(f"{row.item}: {row.cause}", 300) for row in rows]

    def detail(self, name: str) -> ItemDetail:
        """Look at one item, as of the last look at the campaign.

        Parameters
        ----------
        name
            Its name.

        Returns
        -------
        ItemDetail
            With the ends of the logs of what failed.

        Raises
        ------
        InputError
            For an item that there is not.
        """
        item = self._items.get(name)
        if item is None:
            right = ", ".join(one_line(one) for one in sorted(self._items)[:5]) or "none is there"
            raise InputError(Problem(name, "no such item", right))
        rows = all_rows(self._homes.get(name, {}), time.time())
        record = self._of_item.get(name, ItemResults()).record
        rounds: list[dict[str, Any]] = []
        legs: list[dict[str, Any]] = []
        homes = [*self._homes.get(name, {}).values()]
        if item.state == "lost" and not any(row.status == "lost" for row in rows.values()):
            homes.append(HomeRows(("", name, item.phase), (StatusRow(item.phase, "phase", "lost"),)))
        logs: list[LogTail] = log_tails(self.folder, homes, self.results(name))
        if record is not None:
            try:
                rounds, legs = read_record(record)
            except (GibbsflowError, OSError) as error:
                logs.append(LogTail(str(record), f"cannot be read: {error}"))
        again = (
            "the command of the run once more, or with --clean_failures where a failure stands" if item.cause else ""
        )
        return ItemDetail(
            item,
            [vars(row) | {"cause": masked(row.cause)} for _, row in sorted(rows.items())],
            rounds,
            legs,
            logs,
            again,
        )

    def homes(self, name: str) -> list[Path]:
        """Tell the state folders of an item.

        Parameters
        ----------
        name
            Its name, which the last look has found.

        Returns
        -------
        list of Path
            Sorted.
        """
        return sorted(Path(path) for path in self._homes.get(name, {}))

    def results(self, name: str) -> list[Path]:
        """Tell the folders of an item's results.

        Parameters
        ----------
        name
            Its name, which the last look has found.

        Returns
        -------
        list of Path
            One in each folder of results that is there.
        """
        found = [outdir / "phases" / name for outdir in self._results if name in self._of_item]
        return [path for path in found if path.is_dir()]


def _in_loop(one: ItemRow, loop: Learning) -> ItemRow:
    """A generation is finished where the loop says so: between two of its phases nothing of it is open."""
    number = one.name.removeprefix(GENERATION)
    known = {str(past["generation"]) for past in loop.history}
    if one.state != "finished" or not number.isdecimal() or not (loop.phase or known):
        return one
    return one if str(int(number)) in known or loop.stopped_by else replace(one, state="waiting")


def _order(one: ItemRow) -> tuple[object, ...]:
    """By name, numbers in it by their value."""
    return tuple((0, int(word), "") if word.isdecimal() else (1, 0, word) for word in re.split(r"(\d+)", one.name))
