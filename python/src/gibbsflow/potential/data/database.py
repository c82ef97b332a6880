"""DatabaseManager: all structures of a project, where each stands, and why."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential import Labels
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.potential.data.formats.backends import (
    MOMENTS,
    TAGS,
    database_errors,
    frame_of_row,
    open_postgres,
    open_sqlite,
)
from gibbsflow.potential.data.formats.electrons import kept_info
from gibbsflow.potential.data.formats.masks import counted_parts, restore_parts
from gibbsflow.potential.data.formats.statuses import RowStatus, check_transition
from gibbsflow.potential.data.labels import BAD_STRUCTURE, LabelResult, over_threshold, with_figures
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.workflow.credentials import without_passwords

if TYPE_CHECKING:
    from ase import Atoms

__all__ = ["DatabaseManager", "RowStatus"]

log = logging.getLogger(__name__)
_SAME_EV_PER_ATOM = 1e-4
_COLUMNS = ("settings_hash", "engine", "cause", "attempts", "holder", "claimed_at")


class DatabaseManager:
    """Structures and labels in an ase.db, which `ase db` and ASE itself can read.

    Parameters
    ----------
    where
        Path of a SQLite file, made where absent, or a ``postgresql://`` address.

    Raises
    ------
    InputError
        For an address of another kind.
    MissingProgramError
        For an address, where ase-db-backends is not installed.
    StateError
        Where the file is no database or a damaged one.
    LockedError
        Where another process keeps it locked.
    """

    def __init__(self, where: Path | str) -> None:
        self.where = without_passwords(str(where))
        postgres = self.where.startswith(("postgresql://", "postgres://"))
        if "://" in self.where and not postgres:
            raise InputError(Problem(self.where, "no database of a known kind", "a file, or a postgresql:// address"))
        self._db: Any = open_postgres(str(where)) if postgres else open_sqlite(Path(where))

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
                data: dict[str, Any] = {"history": [_event(status, cause or "added")]}
                if said := kept_info(frame):
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
        threshold refuses the label now.

        Parameters
        ----------
        results
            Labels and failures.

        Returns
        -------
        Counter
            Results by what became of them: ``labelled``, ``failed``, ``repeated``.

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
                if row.status in (RowStatus.LABELLED, RowStatus.REJECTED):
                    _say_difference(row, result)
                    counts["repeated"] += 1
                    continue
                if row.status in (RowStatus.FAILED, RowStatus.HELD):
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
                event = _event(self._status(row), f"settings {old} are {new}: {why}")
                data["history"] = [*data.get("history", []), event]
                pairs = {**row.key_value_pairs, "settings_hash": new}
                self._db.write(row.toatoms(), key_value_pairs=pairs, data=data, id=row.id)
        return len(rows)

    def _one_setting(self, hashes: set[str]) -> None:
        if len(hashes) > 1:
            what = f"mixes labels of different settings ({', '.join(sorted(hashes))})"
            right = "labels made with one set of DFT settings"
            raise InputError(Problem(self.where, what, right, field="settings_hash"))
        there = {
            row.get("settings_hash")
            for name in hashes
            for row in self._rows(f"status={RowStatus.LABELLED},settings_hash!={name}", limit=1, include_data=False)
        }
        if others := sorted(filter(None, there - hashes)):
            what = f"holds labels of {', '.join(others)}; these are of {', '.join(sorted(hashes))}"
            raise InputError(Problem(self.where, what, "another --database for other settings", field="settings_hash"))

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

    def move(self, names: Iterable[str], status: RowStatus, why: str) -> None:
        """Set structures aside (held), drop them (rejected) or have them wait (pending), with a reason.

        Parameters
        ----------
        names
            Ids of the structures.
        status
            Status that all of them get.
        why
            Reason, as `explain` shows it.

        Raises
        ------
        InputError
            Where the database does not have one of them; nothing is written.
        StateError
            For a transition that is not allowed; nothing is written.
        """
        with self._transaction():
            for name in names:
                self._move(self._known(name), status, why, cause=why if status is not RowStatus.PENDING else "")

    def frames(
        self, status: RowStatus | None = None, *, limit: int | None = None, generation: int | None = None
    ) -> list[Atoms]:
        """Give structures with their tags, and with labels where they have them.

        Parameters
        ----------
        status
            Only those that stand there; default: all.
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
            return [frame_of_row(row) for row in self._rows(limit=limit, sort="id", **keys)]

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
            `corrections`, a list of run, error and what was done; `history`, one of time, status and reason.

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
        return {**keys, "formula": row.formula, **found}

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with database_errors(self.where), self._db.transaction():
            yield

    def _rows(self, *search: str, **wanted: Any) -> Iterator[Any]:
        """Rows in ASE's form; one that was edited by hand may have none."""
        try:
            yield from self._db.select(*search, **wanted)
        except (ValueError, TypeError, KeyError) as error:
            raise StateError(f"{self.where}: a row cannot be read ({error})") from error

    def _status(self, row: Any) -> RowStatus:
        try:
            return RowStatus(row.status)
        except (ValueError, AttributeError) as error:
            found = row.get("status", "no status")
            raise StateError(f"{self.where}: row {row.id} has {found!r} (right: {', '.join(RowStatus)})") from error

    def _find(self, name: str) -> Any:
        return next(self._rows(gibbsflow_id=name, limit=1), None)

    def _known(self, name: str) -> Any:
        row = self._find(name)
        if row is None:
            raise InputError(
                Problem(self.where, f"no structure {name!r}", "an id as `dft status` or a labels.jsonl shows")
            )
        return row

    def _move(
        self, row: Any, status: RowStatus, why: str, *, atoms: Any = None, result: Any = None, **keys: Any
    ) -> Any:
        """Change a row's status; the only place that does."""
        check_transition(row.gibbsflow_id, self._status(row), status)
        data = dict(row.data)
        data["history"] = [*data.get("history", []), _event(status, why)]
        if result is not None:
            data["result"] = result
        pairs = {**row.key_value_pairs, **keys, "status": str(status)}
        self._db.write(atoms if atoms is not None else row.toatoms(), key_value_pairs=pairs, data=data, id=row.id)
        return self._db.get(id=row.id)


def _say_difference(row: Any, result: LabelResult) -> None:
    """Say where a second label is another than the one that stands."""
    if row.status == RowStatus.LABELLED and result.energy_ev is not None:
        if abs(row.energy - result.energy_ev) > _SAME_EV_PER_ATOM * row.natoms:
            what = "%s: its label in the database stands (%.6f eV), and a second one is another (%.6f eV)"
            log.warning(what, result.gibbsflow_id, row.energy, result.energy_ev)


def _event(status: RowStatus, why: str) -> dict[str, str]:
    return {"time": datetime.now(UTC).isoformat(timespec="seconds"), "status": str(status), "why": why}


def _bare(frame: Atoms) -> Atoms:
    bare = frame.copy()
    bare.calc = None
    return bare
