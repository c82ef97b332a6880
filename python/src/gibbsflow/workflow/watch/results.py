"""What finished phases of a campaign have left in its results, kept between looks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gibbsflow.errors import GibbsflowError, StateError, one_line, shown
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.folders.places import folder_fault
from gibbsflow.workflow.folders.published import IDENTITY, MadeFrom
from gibbsflow.workflow.result import FILE_NAME

SETTINGS = Path("pipeline_info") / "settings.json"
RECORD = "record.json"
ANALYSIS = "analysis"
_DEEPEST = 3


@dataclass(frozen=True)
class ItemResults:
    """What one item has in the results.

    Attributes
    ----------
    phases
        Status of each phase that has left a result, by its name.
    analysis
        The result of its last analysis; empty without one.
    record
        Path of the record beside it; None without one.
    damaged
        Files that cannot be read, and why.
    """

    phases: Mapping[str, str] = field(default_factory=dict)
    analysis: Mapping[str, Any] = field(default_factory=dict)
    record: Path | None = None
    damaged: tuple[str, ...] = ()


class Results:
    """A folder of results, of which only what has changed is read again.

    Parameters
    ----------
    outdir
        The folder; it need not be there.
    """

    def __init__(self, outdir: Path) -> None:
        self.outdir = outdir
        self._known: dict[str, tuple[tuple[tuple[str, int], ...], ItemResults]] = {}
        self._head: tuple[tuple[int, int], tuple[str, ...], str] = ((0, 0), (), "")

    def look(self) -> tuple[dict[str, ItemResults], set[str]]:
        """Look at the results of all items.

        Returns
        -------
        items : dict
            By name.
        changed : set of str
            Names of those that are other than at the last look, or gone.
        """
        found: dict[str, tuple[tuple[tuple[str, int], ...], ItemResults]] = {}
        for name in _folders(self.outdir / "phases"):
            if folder_fault(name):
                continue
            home = self.outdir / "phases" / name
            files = tuple(sorted(_results(str(home), _DEEPEST)))
            known = self._known.get(name)
            found[name] = known if known is not None and known[0] == files else (files, _read(home, files))
        changed = {name for name, one in found.items() if one != self._known.get(name)}
        changed |= self._known.keys() - found.keys()
        self._known = found
        return {name: one for name, (_, one) in found.items()}, changed

    def asked_for(self) -> tuple[tuple[str, ...], str]:
        """Tell which items the campaign was asked for, and what it does with those that fail.

        Returns
        -------
        names : tuple of str
            As its head has noted them; empty where it has not.
        on_failure : str
            ``raise``, ``prune`` or ``retry``; empty where that is not known.
        """
        times = (_time(self.outdir / IDENTITY), _time(self.outdir / SETTINGS))
        if times != self._head[0]:
            made = MadeFrom.read(self.outdir)
            try:
                policy = str(read_json(self.outdir / SETTINGS)["run"]["on_failure"])
            except (GibbsflowError, OSError, KeyError, TypeError):
                policy = ""  # of a run without the core beside its head
            self._head = (times, tuple(made.items) if made is not None else (), policy)
        return self._head[1], self._head[2]


def _folders(folder: Path | str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return []


def _results(home: str, deep: int) -> list[tuple[str, int]]:
    """Results below an item's folder, with the times of their files."""
    found = []
    for name in _folders(home):
        path = f"{home}/{name}"
        if time_ns := _time(f"{path}/{FILE_NAME}"):
            found.append((path, time_ns))
        elif deep > 1 and name not in ("legs", "logs", "figures"):
            found += _results(path, deep - 1)
    return found


def _read(home: Path, files: tuple[tuple[str, int], ...]) -> ItemResults:
    phases: dict[str, str] = {}
    analysis: Mapping[str, Any] = {}
    record, damaged, last = None, [], -1
    for path, _ in files:
        parts = Path(path).relative_to(home).parts
        try:
            content = read_json(Path(path) / FILE_NAME)
            status = str(content["status"])
        except (GibbsflowError, OSError, KeyError, TypeError) as error:
            damaged.append(one_line(f"{path}/{FILE_NAME}: not a result, or half-written ({error})", 300))
            continue
        if len(parts) == 1:
            phases[parts[0]] = status
        else:
            phases.setdefault(parts[0], status)
        number = _round(parts)
        if number is not None and number >= last:
            last, analysis = number, content
            record = Path(path) / RECORD if (Path(path) / RECORD).is_file() else None
    return ItemResults(phases, analysis, record, tuple(damaged))


def _round(parts: tuple[str, ...]) -> int | None:
    """Round of an analysis, 0 for the first; None for another phase."""
    if parts == (ANALYSIS,):
        return 0
    if len(parts) == 2 and parts[1] == ANALYSIS and (number := parts[0].removeprefix("extension_")).isdecimal():
        return int(number)
    return None


def _time(path: Path | str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def read_record(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read from a record how its free energy grew, and how its legs overlap.

    Parameters
    ----------
    path
        The record.

    Returns
    -------
    rounds : list of dict
        ``round``, ``dg_kcal_per_mol``, ``dg_error_kcal_per_mol``, ``sampled_ns``; empty where it was sampled once.
    legs : list of dict
        ``leg``, ``replicate``, ``dg_kcal_per_mol``, ``overlap`` (the smallest of neighbouring windows).

    Raises
    ------
    StateError
        Where it cannot be read, or holds something else.
    OSError
        Where it is gone.
    """
    content = read_json(path)
    try:
        rounds = [
            {key: _number(one.get(key)) for key in ("round", "dg_kcal_per_mol", "dg_error_kcal_per_mol", "sampled_ns")}
            for one in (content.get("sampling") or {}).get("rounds", [])
        ]
        legs = [
            {"leg": str(one.get("leg"))}
            | {key: _number(one.get(key)) for key in ("replicate", "dg_kcal_per_mol")}
            | {"overlap": _number((one.get("overlap") or {}).get("min_neighbour"))}
            for one in content.get("legs") or []
        ]
    except (AttributeError, TypeError) as error:
        raise StateError(f"{path}: holds something else ({error!r})") from error
    return rounds, legs


def _number(value: Any) -> float | None:
    if value is not None and not isinstance(value, int | float):
        raise TypeError(f"{shown(value)} is no number")
    return value
