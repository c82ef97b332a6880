"""How far a learning loop is: its generations, labels and checkpoints, kept between looks."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gibbsflow.errors import GibbsflowError, one_line
from gibbsflow.workflow.care.campaign_note import generations
from gibbsflow.workflow.credentials import masked
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.folders.places import LABELS
from gibbsflow.workflow.state.sentinels import read_sentinel
from gibbsflow.workflow.watch.snapshot import Learning

CHECKPOINT = "checkpoint.json"
BATCHES = "batches"
_LABELLING = "label"
_ID = re.compile(r"\bgibbsflow_id=\"?([\w-]+)")
_HOUR_S = 3600.0
_SHORTEST_S = 60.0
_MOST_CAUSES = 50
_TOLD = (
    "generation", "labels", "failures", "energy_mae_mev_per_atom", "force_mae_ev_per_angstrom", "fraction_above",
)  # fmt: skip


class Loop:
    """A learning loop, of which only what has changed is read again.

    Parameters
    ----------
    folder
        State folder of its campaign.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._labels: dict[str, tuple[str, float, str]] = {}
        self._checkpoints: dict[Path, tuple[int, dict[str, Any]]] = {}
        self._asked: dict[Path, tuple[tuple[tuple[str, int], ...], frozenset[str]]] = {}

    def look(self, outdirs: Sequence[Path]) -> tuple[Learning | None, list[str]]:
        """Look at the loop.

        Parameters
        ----------
        outdirs
            Folders of its results.

        Returns
        -------
        learning : Learning or None
            None where there is nothing of a loop.
        remarks : list of str
            What is damaged.
        """
        begun = generations(self.folder)
        ended = [place for outdir in outdirs for place in generations(outdir).values()]
        labelled = (self.folder / LABELS).is_dir()
        if not begun and not ended and not labelled:
            return None, []
        counts, per_h, causes = self._count_labels()
        best: dict[str, Any] = {}
        where, remarks = self.folder, []
        places = [
            # of one turn the farther first: what was recorded follows on what was labelled, that on what was screened
            *(place / "recorded" for place in begun.values()),
            *ended,
            *(self.folder / name for name in ("screened", "start")),
        ]
        for place in places:
            try:
                content = self._checkpoint(place / CHECKPOINT)
            except (GibbsflowError, OSError, AttributeError, KeyError, TypeError, ValueError) as error:
                remarks.append(one_line(f"{place / CHECKPOINT}: no checkpoint, or half-written ({error})", 300))
                continue
            if _turn(content) > _turn(best):
                best, where = content, place
        history = best.get("history", ())
        to_do = self._to_do(where) if best.get("phase") == _LABELLING else None
        left_s = round(to_do / per_h * _HOUR_S, 1) if to_do is not None and per_h else None
        return Learning(
            max(begun, default=best.get("generation")),
            best.get("phase", ""),
            best.get("stopped_by", ""),
            best.get("reason", ""),
            counts,
            per_h,
            to_do,
            left_s,
            causes,
            history,
        ), remarks

    def _checkpoint(self, path: Path) -> dict[str, Any]:
        try:
            modified = os.stat(path).st_mtime_ns
        except OSError:
            return {}
        known = self._checkpoints.get(path)
        if known is None or known[0] != modified:
            content = read_json(path)
            told = {key: str(content.get(key, "")) for key in ("phase", "stopped_by", "reason")}
            history = [{key: one.get(key) for key in _TOLD} for one in content["history"]]
            known = (modified, {**told, "generation": int(content["generation"]), "history": history})
            self._checkpoints[path] = known
        return known[1]

    def _to_do(self, place: Path) -> int | None:
        """Count the structures in the batches of a state that no label or failure stands for."""
        try:
            with os.scandir(place / BATCHES) as entries:
                files = tuple(sorted((e.path, e.stat().st_mtime_ns) for e in entries if e.name.endswith(".extxyz")))
            known = self._asked.get(place)
            if known is None or known[0] != files:
                names = frozenset(name for path, _ in files for name in _ID.findall(Path(path).read_text()))
                self._asked = {place: (files, names)}
        except (OSError, UnicodeError):  # gone, or made anew, since the checkpoint was read
            return None
        names = self._asked[place][1]
        return len(names - {os.path.basename(path) for path in self._labels}) if names else None

    def _count_labels(self) -> tuple[dict[str, int], float | None, list[str]]:
        """Count labels by how they ended; finished ones are not looked at again."""
        found: dict[str, tuple[str, float, str]] = {}
        for settings in _folders(self.folder / LABELS):
            for path in _folders(settings):
                known = self._labels.get(path)
                end = known if known is not None and known[0] == "finished" else _end(path, known)
                if end is not None:
                    found[path] = end
        self._labels = found
        counts = {status: sum(one[0] == status for one in found.values()) for status in ("finished", "failed")}
        causes = [f"{Path(path).name}: {cause}" for path, (status, _, cause) in found.items() if status == "failed"]
        now = time.time()
        new = [at for _, at, _ in found.values() if now - at < _HOUR_S]
        per_h = len(new) / max(now - min(new), _SHORTEST_S) * _HOUR_S if new else None
        return counts, round(per_h, 1) if per_h is not None else None, sorted(causes)[:_MOST_CAUSES]


def _turn(content: dict[str, Any]) -> tuple[int, int]:
    return len(content.get("history", ())), content.get("generation", -1)


def _folders(folder: Path | str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _end(path: str, known: tuple[str, float, str] | None) -> tuple[str, float, str] | None:
    for name in ("FINISHED", "FAILED"):
        try:
            modified = os.stat(f"{path}/{name}").st_mtime
        except OSError:
            continue
        if known is not None and known[:2] == (name.lower(), modified):
            return known
        return name.lower(), modified, _cause(Path(path)) if name == "FAILED" else ""
    return None


def _cause(path: Path) -> str:
    try:
        told = read_sentinel(path, "FAILED")
        return masked(one_line(f"{told.cause}: {told.message}", 300)) if told is not None else ""
    except (GibbsflowError, OSError) as error:
        return one_line(str(error), 300)
