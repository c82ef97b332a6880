"""DatabaseManager: all structures of a project, where each stands, and why."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential import Labels
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.potential.data.formats.backends import (
    MOMENTS,
    TAGS,
    database_errors,
    frame_of_row,
)
from gibbsflow.potential.data.formats.electrons import kept_info
from gibbsflow.potential.data.formats.masks import counted_parts, restore_parts
from gibbsflow.potential.data.formats.mesh_cells import kept_mesh
from gibbsflow.potential.data.formats.row_store import RowStore
from gibbsflow.potential.data.formats.statuses import RowStatus, event
from gibbsflow.potential.data.known_labels import (
    AUDIT,
    KnownLabel,
    audit_after,
    held_cause,
    is_held_label,
    say_difference,
)  # fmt: skip
from gibbsflow.potential.data.labels import BAD_STRUCTURE, LabelResult, over_threshold, with_figures
from gibbsflow.potential.data.structures import structure_id

if TYPE_CHECKING:
    from ase import Atoms

__all__ = ["DatabaseManager", "RowStatus"]

log = logging.getLogger(__name__)
_COLUMNS = ("settings_hash", "engine", "cause", "attempts", "holder", "claimed_at")


class DatabaseManager(RowStore):
    """Structures and labels in an ase.db, which `ase db` and ASE itself can read; opened as :class:`.RowStore`."""

    def add(self, frames: Iterable[Atoms], status: RowStatus = RowStatus.PENDING, cause: str = "") -> list[str]:
        """Add structures in one transaction; those whose content is there already are left as they are.

        Parameters
        ----------
        frames
            Tagged structures. Labels that they carry are left behind, unless `status` is ``labelled``.
        status
            ``pending``; or ``held`` or ``rejected`` with its `cause`; or ``labelled``, for frames that were labelled
            with gibbsflow, each with a `settings_hash`.
        cause
            Why it was held or rejected.

        Returns
        -------
        list of str
            Ids that are new.

        Raises
        ------
        InputError
            For a frame without a label that should have one, or labels of other settings than those of the database;
            nothing is written.
        """
        new = []
        labelled = status is RowStatus.LABELLED
        frames = list(frames)
        with self._transaction():
            if labelled:
                if not all(frame.calc is not None and frame.info.get("settings_hash") for frame in frames):
                    raise InputError(Problem(self.where, "a frame without a label", "labels with a settings_hash"))
                self._one_setting({frame.info["settings_hash"] for frame in frames})
            for frame in frames:
                name = structure_id(frame)
                if self._find(name) is not None:
                    continue
                keys = {
                    **{key: frame.info.get(key, default) for key, default in TAGS.items()},
                    "gibbsflow_id": name,
                    "status": str(status),
                    "settings_hash": frame.info.get("settings_hash", "") if labelled else "",
                    "engine": frame.info.get("engine", "") if labelled else "",
                    "cause": cause,
                    "attempts": 0,
                    "holder": "",
                    "claimed_at": 0.0,
                }
                keys["parent"] = keys["parent"] or name
                data: dict[str, Any] = {"history": [event(status, cause or "added")]}
                if said := kept_info(frame) | kept_mesh(frame):
                    data["said"] = said
                if parts := counted_parts(frame):
                    data["counts"] = parts
                if moments := {key: frame.info[key] for key in MOMENTS if labelled and key in frame.info}:
                    data["result"] = moments
                self._db.write(_bare(frame) if not labelled else frame, key_value_pairs=keys, data=data)
                new.append(name)
        return new

    def pending(self, limit: int | None = None) -> list[Atoms]:
        """Give structures that wait for a label, without claiming them.

        Parameters
        ----------
        limit
            How many at most; default: all.

        Returns
        -------
        list of Atoms
            Oldest first.
        """
        return self.frames(RowStatus.PENDING, limit=limit)

    def claim(self, count: int, holder: str) -> list[Atoms]:
        """Take structures to label: none is ever given to two holders.

        Parameters
        ----------
        count
            How many at most.
        holder
            Who takes them, in words that `explain` shows.

        Returns
        -------
        list of Atoms
            Oldest first; fewer than asked for, or none, where no more wait.
        """
        with self._transaction():
            rows = list(self._rows(status=str(RowStatus.PENDING), limit=count, sort="id"))
            for row in rows:
                self._move(
                    row, RowStatus.CLAIMED, holder, holder=holder, claimed_at=time.time(), attempts=row.attempts + 1
                )
        return [frame_of_row(row) for row in rows]

    def record(self, results: Sequence[LabelResult]) -> Counter[str]:
        """Write labels back, all in one transaction.

        A structure that nobody had claimed is claimed and recorded at once. A second result for a structure that is
        labelled already (two holders after a stale claim) changes nothing and is counted as ``repeated``, unless a
        threshold refuses the label now; one of a label that an audit holds is counted as ``held``, which it stays.

        Parameters
        ----------
        results
            Labels and failures.

        Returns
        -------
        Counter
            Results by what became of them: ``labelled``, ``failed``, ``repeated``, ``held``.

        Raises
        ------
        InputError
            For a result of a structure that the database does not have, or for labels of other settings than those it
            holds; nothing is written.
        """
        counts: Counter[str] = Counter()
        with self._transaction():
            self._one_setting({result.settings_hash for result in results if result.status == RowStatus.LABELLED})
            for result in results:
                row = self._find(result.gibbsflow_id)
                if row is None:
                    raise InputError(
                        Problem(self.where, f"no structure {result.gibbsflow_id}", "a structure that was added")
                    )
                if row.status == RowStatus.LABELLED and result.by_threshold:
                    self._move(row, RowStatus.FAILED, result.message, cause=result.cause)
                    counts["failed"] += 1
                    continue
                if is_held_label(row):
                    counts["held"] += 1
                    continue
                if row.status in (RowStatus.LABELLED, RowStatus.REJECTED):
                    say_difference(row, result)
                    counts["repeated"] += 1
                    continue
                if row.status in (RowStatus.FAILED, RowStatus.HELD, RowStatus.SCREENED):
                    row = self._move(row, RowStatus.PENDING, "another result came in")
                if row.status == RowStatus.PENDING:
                    row = self._move(row, RowStatus.CLAIMED, "recorded without a claim", attempts=row.attempts + 1)
                status = RowStatus(result.status)
                keys = {
                    "settings_hash": result.settings_hash,
                    "engine": result.engine,
                    "cause": result.cause,
                    "holder": "",
                }
                # of what a threshold refuses, the figures are kept: another one may let it in
                atoms = with_figures(row.toatoms(), result) if result.energy_ev is not None else None
                summary = {
                    k: v for k, v in asdict(result).items() if k not in ("forces_ev_per_angstrom", "gibbsflow_id")
                }
                self._move(row, status, result.message or "label accepted", atoms=atoms, result=summary, **keys)
                counts[str(status)] += 1
        return counts

    def judge(self, labels: Labels) -> Counter[str]:
        """Hold all labels that were computed against thresholds: those refused fail, those let in again count.

        Parameters
        ----------
        labels
            Settings: the cap of forces and the least distance.

        Returns
        -------
        Counter
            Labels whose status changed, by the new one.
        """
        counts: Counter[str] = Counter()
        with self._transaction():
            for status in (RowStatus.LABELLED, RowStatus.FAILED):
                for row in list(self._db.select(status=str(status), sort="id")):
                    atoms = row.toatoms()
                    if atoms.calc is None or "forces" not in atoms.calc.results:
                        continue
                    forces = atoms.calc.results["forces"]
                    fault = over_threshold(restore_parts(atoms, row.data.get("counts", {})), forces, labels)
                    if bool(fault) == (status is RowStatus.FAILED):
                        continue
                    new, cause = (RowStatus.FAILED, BAD_STRUCTURE) if fault else (RowStatus.LABELLED, "")
                    self._move(row, new, fault or "let in by today's thresholds", cause=cause)
                    counts[str(new)] += 1
        return counts

    def labels(self) -> list[KnownLabel]:
        """Give all labels that were accepted, those that an audit holds included.

        Returns
        -------
        list of KnownLabel
            In the order in which they were added.
        """
        with database_errors(self.where):
            rows = [
                row
                for status in (RowStatus.LABELLED, RowStatus.HELD)
                for row in self._rows(status=str(status))
                if status is RowStatus.LABELLED or is_held_label(row)
            ]
            return [KnownLabel.of_row(row) for row in sorted(rows, key=lambda row: int(row.id))]

    def hold(self, reasons: Mapping[str, Mapping[str, str]], why: str, *, released: Iterable[str] = ()) -> list[str]:
        """Hold labels, so that they do not count, or let them count again; all in one transaction.

        Parameters
        ----------
        reasons
            By id: words by check; none where nothing speaks against the label any more.
        why
            Who says so, for the history.
        released
            Checks that are overruled from now on for these labels.

        Returns
        -------
        list of str
            Ids of the labels whose status has changed.

        Raises
        ------
        InputError
            For an id that is not there, of what is no label, or of other settings than those of the labels that count;
            nothing is written.
        """
        changed = []
        released = tuple(released)
        with self._transaction():
            for name, words in reasons.items():
                row = self._known(name)
                if row.status != RowStatus.LABELLED and not is_held_label(row):
                    what = f"{name} is {row.status}, and no label that was accepted"
                    raise InputError(Problem(self.where, what, "a label that counts, or that an audit holds"))
                said = audit_after(row, words, released)
                status = RowStatus.HELD if words else RowStatus.LABELLED
                if said is None:
                    continue
                if status == row.status:
                    self._write(row, {**row.data, AUDIT: said})
                    continue
                if not words:
                    self._one_setting({row.settings_hash})
                text = f"{why}: {'; '.join(words.values()) or 'let in again'}"
                self._move(row, status, text, cause=held_cause(list(words)) if words else "", audit=said)
                changed.append(name)
        return changed

    def require_setting(self, settings_hash: str) -> None:
        """Check that labels of these settings may come in.

        Parameters
        ----------
        settings_hash
            Hash of their settings.

        Raises
        ------
        InputError
            Where the database holds labels of others.
        """
        with database_errors(self.where):
            self._one_setting({settings_hash})

    def rekey(self, old: str, new: str, why: str) -> int:
        """Give labels another key: of settings that are the same for their structures.

        Parameters
        ----------
        old, new
            Hashes of settings.
        why
            Reason, as `explain` shows it.

        Returns
        -------
        int
            How many labels were of the old one.
        """
        with self._transaction():
            rows = list(self._rows(f"settings_hash={old}"))
            for row in rows:
                data = dict(row.data)
                said = event(self._status(row), f"settings {old} are {new}: {why}")
                data["history"] = [*data.get("history", []), said]
                self._write(row, data, settings_hash=new)
        return len(rows)

    def retry_failed(self, cause: str | None = None) -> list[str]:
        """Make failed structures wait again.

        Parameters
        ----------
        cause
            Only those that failed of this cause; default: all.

        Returns
        -------
        list of str
            Their ids.
        """
        with self._transaction():
            rows = [r for r in self._rows(status=str(RowStatus.FAILED)) if cause is None or r.cause == cause]
            for row in rows:
                self._move(row, RowStatus.PENDING, f"to be tried again after {row.cause}", cause="")
        return [row.gibbsflow_id for row in rows]

    def frames(
        self, status: RowStatus | None = None, *, limit: int | None = None, generation: int | None = None
    ) -> list[Atoms]:
        """Give structures with their tags, and with labels where they have them.

        Parameters
        ----------
        status
            Only those that stand there; default: all. Labels that an audit holds are no structures to choose from, and
            not among those that are held.
        limit
            How many at most; default: all.
        generation
            Only those of one generation; default: of all.

        Returns
        -------
        list of Atoms
            In the order in which they were added.
        """
        keys: dict[str, Any] = {} if status is None else {"status": str(status)}
        if generation is not None:
            keys["generation"] = generation
        with database_errors(self.where):
            rows = self._rows(limit=limit, sort="id", **keys)
            return [frame_of_row(row) for row in rows if status is not RowStatus.HELD or not is_held_label(row)]

    def counts(self) -> dict[str, int]:
        """Count the structures in each status.

        Returns
        -------
        dict
            Number by status; every status is named.
        """
        with database_errors(self.where):
            found = Counter(self._status(row) for row in self._rows(include_data=False))
        return {str(status): found[status] for status in RowStatus}

    def causes(self) -> dict[str, int]:
        """Count the failed labels of each cause.

        Returns
        -------
        dict
            Number by cause.
        """
        with database_errors(self.where):
            return dict(Counter(row.cause for row in self._rows(status=str(RowStatus.FAILED), include_data=False)))

    def explain(self, name: str) -> dict[str, Any]:
        """Say all that is known of one structure.

        Parameters
        ----------
        name
            Its id.

        Returns
        -------
        dict
            Id, status, tags, formula, settings, cause, attempts and claim; `result`, the last label without forces;
            `corrections`, a list of run, error and what was done; `history`, one of time, status and reason; where an
            audit has looked at it, `audit`: what holds it, and what was overruled.

        Raises
        ------
        InputError
            Where the database has no such structure.
        """
        with database_errors(self.where):
            row = self._known(name)
        keys = {key: row.get(key) for key in ("gibbsflow_id", "status", *TAGS, *_COLUMNS)}
        result = row.data.get("result")
        corrections = [
            {"run": entry["run"], "error": entry["error"], "done": f"{entry['action']} (kept: {entry['kept']})"}
            for entry in (result or {}).get("audit", [])
        ]
        found = {"result": result, "corrections": corrections, "history": row.data.get("history")}
        audit = {AUDIT: row.data[AUDIT]} if AUDIT in row.data else {}
        return {**keys, "formula": row.formula, **found, **audit}


def existing(where: str, *, made: bool = False) -> DatabaseManager:
    """Open a database that is there.

    Parameters
    ----------
    where
        File, or a ``postgresql://`` address.
    made
        Whether a file is made where there is none.

    Returns
    -------
    DatabaseManager
        Ready to be asked.

    Raises
    ------
    InputError
        Where there is none, or it is no database of gibbsflow's.
    LockedError
        Where another process keeps it locked.
    """
    if not made and not where.startswith("postgres") and not Path(where).exists():
        raise InputError(Problem(where, "no such database", "the file that `dft label --database` wrote"))
    try:
        return DatabaseManager(where)
    except StateError as error:
        right = "the file that `dft label --database` wrote, or a new name"
        raise InputError(f"{error} (right: {right})") from error


def _bare(frame: Atoms) -> Atoms:
    bare = frame.copy()
    bare.calc = None
    return bare
