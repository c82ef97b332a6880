"""The rows of a database: found, moved from status to status and written, in transactions that hold as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.potential.data.formats.backends import database_errors, open_postgres, open_sqlite
from gibbsflow.potential.data.formats.statuses import RowStatus, check_transition, event
from gibbsflow.workflow.credentials import without_passwords


class RowStore:
    """An ase.db whose rows have a status.

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

    def move(self, names: Iterable[str], status: RowStatus, why: str, *, cause: str = "") -> None:
        """Set structures aside (held, screened), drop them (rejected) or have them wait (pending), with a reason.

        Parameters
        ----------
        names
            Ids of the structures.
        status
            Status that all of them get.
        why
            Reason, as `explain` shows it.
        cause
            The same in a word; default: the reason, of those that do not wait.

        Raises
        ------
        InputError
            Where the database does not have one of them; nothing is written.
        StateError
            For a transition that is not allowed; nothing is written.
        """
        with self._transaction():
            for name in names:
                self._move(self._known(name), status, why, cause=cause or ("" if status is RowStatus.PENDING else why))

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
        self, row: Any, status: RowStatus, why: str, *, atoms: Any = None, result: Any = None, audit: Any = None,
        **keys: Any,
    ) -> Any:  # fmt: skip
        """Change a row's status; the only place that does."""
        check_transition(row.gibbsflow_id, self._status(row), status)
        data = dict(row.data)
        data["history"] = [*data.get("history", []), event(status, why)]
        data |= {key: value for key, value in (("result", result), ("audit", audit)) if value is not None}
        self._write(row, data, atoms, **keys, status=str(status))
        return self._db.get(id=row.id)

    def _write(self, row: Any, data: dict[str, Any], atoms: Any = None, **keys: Any) -> None:
        pairs = {**row.key_value_pairs, **keys}
        self._db.write(atoms if atoms is not None else row.toatoms(), key_value_pairs=pairs, data=data, id=row.id)
