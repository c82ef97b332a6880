"""How far the calculations below a state folder are, read from what they keep there; changes nothing."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.hours.pace import PROGRESS, seconds_of
from gibbsflow.workflow.progress import duration
from gibbsflow.workflow.state import attempts, sentinels
from gibbsflow.workflow.state.attempts import Attempt, read_attempts
from gibbsflow.workflow.state.killed import FOLDER as KILLED
from gibbsflow.workflow.state.killed import Killed, read_killed
from gibbsflow.workflow.state.locks import is_held, job_states
from gibbsflow.workflow.state.sentinels import read_sentinel
from gibbsflow.workflow.state.state_folder import INPUTS, LOCK, is_aside, window_folder

COLUMNS = ("item", "status", "steps_done", "steps", "done_ns", "total_ns", "ns_per_day", "attempts", "left", "cause")
PLAN = "plan.json"
"""What `fe prepare` leaves in its state folder: the windows that there will be."""
MARKS = (INPUTS, attempts.FILE_NAME, *sentinels.NAMES)
"""Files by which a folder is known to hold the state of a calculation."""


@dataclass(frozen=True)
class StatusRow:
    """One window, equilibration or trajectory; or another phase that failed.

    Attributes
    ----------
    item
        Folder below the one asked for; windows that run together have their names added.
    kind
        ``equil``, ``window`` or ``phase``.
    status
        ``finished``, ``failed``, ``running``, ``stopped`` (nobody at work, what was saved stands), ``lost`` (killed:
        goes on from its last checkpoint), ``waiting`` (nothing done yet), ``stale`` (finished from other inputs) or
        ``unreadable``.
    steps_done, steps
        MD steps.
    done_ns, total_ns
        The same as time.
    ns_per_day
        Speed, of late unless it has finished; windows that run together share it.
    attempt
        1, and one more for each failure.
    attempts
        How often it was begun or gone on with.
    left_s
        Estimated seconds of MD left at that speed, None where nothing was run; of a fit the rest of its time budget.
    left_at_most
        Whether that is a bound and no estimate: a fit may have tried all there is before its budget is used.
    cause
        Of a failure or stop.
    engine_s
        Seconds that MD has taken, the same share of them for windows that run together.
    segments_done, segments
        Stretches between two checkpoints; windows that run together share them.
    segments_per_h
        Of them, as fast as :attr:`ns_per_day` is; None where nothing was run.
    spent_s, budget_s
        Of a fit, the time of its last attempt and the budget it has, s; 0 for what has none.
    under_way_ns
        MD since the last checkpoint, which is not saved yet: estimated by the clock and the speed of late.
    told_at_s
        When what runs last said how far it is, s since 1970; None of what does not run.
    """

    item: str
    kind: str = "phase"
    status: str = "waiting"
    steps_done: int = 0
    steps: int = 0
    done_ns: float = 0.0
    total_ns: float = 0.0
    ns_per_day: float | None = None
    attempt: int = 1
    attempts: int = 0
    left_s: float | None = None
    cause: str = ""
    engine_s: float = 0.0
    segments_done: int = 0
    segments: int = 0
    segments_per_h: float | None = None
    left_at_most: bool = False
    spent_s: float = 0.0
    budget_s: float = 0.0
    under_way_ns: float = 0.0
    told_at_s: float | None = None

    def at(self, now_s: float) -> StatusRow:
        """Tell how far it will be, between two of the times that it says so itself.

        Parameters
        ----------
        now_s
            Time now, s since 1970.

        Returns
        -------
        StatusRow
            With :attr:`under_way_ns`, and :attr:`left_s` less what has gone by since the last checkpoint: of MD at most
            what one segment takes, so that what hangs seems to get nowhere. As it is where it has no speed yet.
        """
        if self.told_at_s is None or not self.left_s:
            return self
        gone_s = min(max(now_s - self.told_at_s, 0.0), self.left_s)
        if self.budget_s:
            return replace(self, left_s=round(self.left_s - gone_s, 1), spent_s=round(self.spent_s + gone_s, 1))
        if self.segments_per_h:
            gone_s = min(gone_s, 3600.0 / self.segments_per_h)
        under_way_ns = round((self.total_ns - self.done_ns) * gone_s / self.left_s, 6)
        return replace(self, left_s=round(self.left_s - gone_s, 1), under_way_ns=under_way_ns)


def read_status(folder: Path, *kinds: str) -> list[dict[str, Any]]:
    """Read the state of every calculation below a folder.

    Parameters
    ----------
    folder
        State folder, of one item or of many. What is half-written or foreign there is named, and stops nothing.
    *kinds
        Only rows of these kinds; default: all.

    Returns
    -------
    list of dict
        The fields of :class:`StatusRow`, sorted by item.

    Raises
    ------
    InputError
        Where there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(Problem(str(folder), "no such folder", "a state folder"))
    found = {path.parent for mark in MARKS for path in folder.rglob(mark)}
    homes = sorted(home for home in found if not is_aside(home.relative_to(folder)))
    ends = Ends.of(folder, homes)
    rows: dict[str, StatusRow] = {}
    for home in homes:
        rows |= {row.item: row for row in home_rows(home, folder, ends)}
    for path in sorted(folder.rglob(PLAN)):
        rows = {row.item: row for row in planned_rows(path, folder)} | rows
    now_s = time.time()
    return [vars(row.at(now_s)) for _, row in sorted(rows.items()) if not kinds or row.kind in kinds]


def write_plan(state: Path, windows: Mapping[str, Sequence[float]], replicates: int) -> None:
    """Leave in the state folder of `fe prepare` which windows there will be.

    Parameters
    ----------
    state
        That state folder.
    windows
        Length of each window by leg, ns.
    replicates
        Repeats of each leg.
    """
    write_json(Path(state) / PLAN, {"legs": {leg: list(ns) for leg, ns in windows.items()}, "replicates": replicates})


def planned_rows(path: Path, root: Path) -> Iterator[StatusRow]:
    """Tell the windows that a plan names.

    Parameters
    ----------
    path
        The plan.
    root
        Folder that items are named from.

    Yields
    ------
    StatusRow
        One a window, waiting; or one, unreadable, of a damaged plan.
    """
    item = _name(path.parent.parent, root)
    try:
        plan = _read(path)
        for leg, windows in plan["legs"].items():
            for replicate in range(plan["replicates"]):
                for window, ns in enumerate(windows):
                    name = _join(item, f"{leg}/replicate_{replicate}/{window_folder(window)}")
                    yield StatusRow(name, "window", total_ns=round(float(ns), 6))
    except (StateError, OSError, KeyError, TypeError, ArithmeticError, ValueError, AttributeError) as error:
        yield StatusRow(_join(item, PLAN), "phase", "unreadable", cause=f"no plan of windows ({error!r})")


@dataclass(frozen=True)
class Ends:
    """What is known of attempts that left no end.

    Attributes
    ----------
    states
        SLURM's state by job.
    campaign
        State folder of the campaign whose head has noted killed tasks; None where none has.
    killed
        What it has noted.
    """

    states: Mapping[str, str]
    campaign: Path | None
    killed: Sequence[Killed]

    @classmethod
    def of(cls, folder: Path, homes: Iterable[Path]) -> Ends:
        """Ask for all that is known of some state folders.

        Parameters
        ----------
        folder
            Folder that they lie in.
        homes
            The state folders.

        Returns
        -------
        Ends
            SLURM is asked once, and only after jobs of attempts without an end.
        """
        jobs = set()
        for home in homes:
            with suppress(StateError, OSError):
                last = read_attempts(home)[-1:]
                jobs |= {str(one.holder.get("slurm_job") or "") for one in last if not one.end and not at_work(home)}
        above = (path for path in (folder.absolute(), *folder.absolute().parents[:4]) if (path / KILLED).is_dir())
        campaign = next(above, None)
        return cls(job_states(jobs), campaign, read_killed(campaign) if campaign else [])

    def state(self, last: Attempt) -> str:
        """Tell SLURM's state of an attempt's job.

        Parameters
        ----------
        last
            The attempt.

        Returns
        -------
        str
            Empty where it is not known.
        """
        return self.states.get(str(last.holder.get("slurm_job") or ""), "")

    def told(self, home: Path, last: Attempt | None) -> str:
        """Tell how the last task in a state folder was killed.

        Parameters
        ----------
        home
            The state folder.
        last
            The last attempt in it, where there is one.

        Returns
        -------
        str
            In words; empty where nobody knows.
        """
        if self.campaign is not None:
            parts = home.absolute().relative_to(self.campaign).parts
            for one in reversed(self.killed):
                if one.is_of(parts) and (last is None or last.began <= one.at):
                    return f"{one.cause}: {one.text}"
        state = self.state(last) if last is not None else ""
        return f"SLURM job {last.holder['slurm_job']} {state}" if last is not None and state else ""


def at_work(home: Path) -> bool:
    """Say whether a process on this host works in a state folder.

    Parameters
    ----------
    home
        The state folder.

    Returns
    -------
    bool
        Whether it does. A lock that was let go is empty, and not asked: asking holds it for a moment.
    """
    try:
        return (home / LOCK).stat().st_size > 0 and is_held(home)
    except FileNotFoundError:
        return False


def home_rows(home: Path, root: Path, ends: Ends, read: Callable[[Path], Any] = read_json) -> Iterator[StatusRow]:
    """Read one state folder.

    Parameters
    ----------
    home
        The state folder.
    root
        Folder that items are named from.
    ends
        What is known of attempts without an end.
    read
        Reads the progress file: for who has read it already.

    Yields
    ------
    StatusRow
        One, or one for each window that runs in it or waits beside it.
    """
    try:
        row, settings = _row(home, root, ends, read)
    except (StateError, OSError, KeyError, TypeError, ArithmeticError, ValueError, AttributeError) as error:
        text = str(error) if isinstance(error, StateError | OSError) else f"{home}: holds something else ({error!r})"
        yield StatusRow(_name(home, root), "phase", "unreadable", cause=text)
        return
    states = settings.get("setting states")
    if not isinstance(states, list):
        yield row
    elif settings.get("setting window") is not None:
        yield row
        there = set(os.listdir(home.parent))
        for window in range(len(states)):  # those of the leg that no task has come to yet
            if (name := window_folder(window)) not in there:
                yield StatusRow(_name(home.parent / name, root), "window", steps=row.steps, total_ns=row.total_ns)
    else:
        count = max(1, len(states))
        share = replace(
            row, steps_done=row.steps_done // count, steps=row.steps // count,
            done_ns=round(row.done_ns / count, 6), total_ns=round(row.total_ns / count, 6),
            engine_s=round(row.engine_s / count, 6),
        )  # fmt: skip
        for window in range(count):
            yield replace(share, item=_join(row.item, window_folder(window)))


def _row(home: Path, root: Path, ends: Ends, read: Callable[[Path], Any]) -> tuple[StatusRow, Mapping[str, Any]]:
    inputs, progress = _read(home / INPUTS), _read(home / PROGRESS, read)
    history = read_attempts(home)
    failed, finished = read_sentinel(home, "FAILED"), read_sentinel(home, "FINISHED")
    last = history[-1] if history else None
    settings: Mapping[str, Any] = inputs.get("described", {})
    steps_done, steps = int(progress.get("steps_done", 0)), int(progress.get("steps", 0))
    engine_s = seconds_of(progress, "engine_s", PROGRESS)
    cause = ""
    done = finished is not None and finished.inputs_hash == inputs.get("inputs_hash") and steps_done >= steps > 0
    end = last.end if last is not None else "none"
    if (not done and at_work(home)) or (last is not None and not end and ends.state(last) in ("RUNNING", "COMPLETING")):
        status = "running"
    elif finished is not None and inputs and finished.inputs_hash != inputs["inputs_hash"]:
        status, cause = "stale", "FINISHED is of other inputs"
    elif finished is not None:
        status = "finished"
        steps_done = steps = max(steps, int(finished.steps_done))
    elif failed is not None:
        status, cause = "failed", f"{failed.cause}: {failed.message}"
    elif last is not None and not last.end:
        status, cause = "lost", "; ".join(filter(None, [f"{last.by} left no end", ends.told(home, last)]))
    else:
        status = "stopped" if steps_done or end == "stopped" else "waiting"
        cause = ends.told(home, last) or (last.message if last is not None and end in ("stopped", "failed") else "")
    used = inputs.get("settings_used", {}).get("timestep_fs") or settings.get("setting timestep_fs") or 0.0
    ns_per_step = float(used) * 1e-6
    recent = {} if status == "finished" else progress
    kept_s = max(engine_s - seconds_of(progress, "lost_engine_s", PROGRESS), 0.0)  # what was lost made no steps
    s_per_step = _s_per_step(recent, kept_s, steps_done)
    spent_s, budget_s = seconds_of(progress, "spent_s", PROGRESS), seconds_of(progress, "budget_s", PROGRESS)
    left_s = round(max(steps - steps_done, 0) * s_per_step, 1) if s_per_step else None
    if budget_s:  # which another attempt has anew
        left_s = round(max(budget_s - spent_s, 0.0) if status == "running" else budget_s, 1)
    row = StatusRow(
        _name(home, root),
        "window" if "setting states" in settings else "equil" if "setting equil_ps" in settings else "phase",
        status,
        steps_done,
        steps,
        round(steps_done * ns_per_step, 6),
        round(steps * ns_per_step, 6),
        round(ns_per_step / s_per_step * 86400, 1) if s_per_step else None,
        int(inputs.get("attempt", 1)),
        len(history),
        None if status == "finished" or (status == "failed" and budget_s) else left_s,
        " ".join(cause.split()),
        engine_s,
        int(progress.get("segments_done", 0)),
        int(progress.get("segments", 0)),
        _segments_per_h(progress, kept_s),
        bool(budget_s),
        spent_s,
        budget_s,
        told_at_s=(home / PROGRESS).stat().st_mtime if status == "running" and progress else None,
    )
    return row, settings


def _s_per_step(recent: Mapping[str, Any], kept_s: float, steps_done: int) -> float | None:
    """Seconds a step takes: of late, where the progress file tells that; else on the average; None of nothing."""
    recent_s, steps = seconds_of(recent, "recent_s", PROGRESS), int(recent.get("recent_steps", 0))
    if recent_s > 0 and steps > 0:
        return recent_s / steps
    return kept_s / steps_done if kept_s > 0 and steps_done > 0 else None


def _segments_per_h(progress: Mapping[str, Any], kept_s: float) -> float | None:
    taken_s, segments = seconds_of(progress, "recent_s", PROGRESS), int(progress.get("recent_segments", 0))
    if not (taken_s > 0 and segments > 0):
        taken_s, segments = kept_s, int(progress.get("segments_done", 0))
    return round(segments / taken_s * 3600, 1) if taken_s > 0 and segments > 0 else None


def _read(path: Path, read: Callable[[Path], Any] = read_json) -> Mapping[str, Any]:
    """JSON object of a file, empty where there is none."""
    content = read(path) if path.exists() else {}
    if not isinstance(content, dict):
        raise StateError(f"{path}: holds something else")
    return content


def _name(home: Path, root: Path) -> str:
    return home.relative_to(root).as_posix() if home != root and home.is_relative_to(root) else "."


def _join(item: str, name: str) -> str:
    return name if item == "." else f"{item}/{name}"


def status_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lay rows out for a terminal, with the count of each status below.

    Parameters
    ----------
    rows
        From :func:`read_status`.

    Returns
    -------
    str
        Lines of :data:`COLUMNS`.
    """
    if not rows:
        return "nothing has been run here"
    cells = [[_cell(row, column) for column in COLUMNS] for row in rows]
    widths = [max(len(c), *(len(line[i]) for line in cells)) for i, c in enumerate(COLUMNS)]
    lines = [list(COLUMNS), *cells]
    text = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines]
    counts = Counter(str(row["status"]) for row in rows)
    return "\n".join([*text, "", ", ".join(f"{count} {status}" for status, count in counts.most_common())])


def left_text(left_s: float | None, *, at_most: bool) -> str:
    """Say how long something still takes.

    Parameters
    ----------
    left_s
        Seconds; None where that is not known.
    at_most
        Whether that is a bound.

    Returns
    -------
    str
        Such as ``2.5 h`` or ``≤ 2.5 h``; empty where it is not known.
    """
    if left_s is None:
        return ""
    return f"{'≤ ' if at_most else ''}{duration(left_s)}"


def settled(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether nothing here is under way or to come.

    Parameters
    ----------
    rows
        From :func:`read_status`.

    Returns
    -------
    bool
        True where all is finished or failed.
    """
    return all(row["status"] in ("finished", "failed") for row in rows)


def _cell(row: Mapping[str, Any], column: str) -> str:
    if column == "left":
        return left_text(row["left_s"], at_most=bool(row.get("left_at_most")))
    return "" if row[column] is None else str(row[column])
