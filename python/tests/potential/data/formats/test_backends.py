from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from ase.db import connect
from silicon import si2

from gibbsflow.errors import InputError, LockedError, StateError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats import backends
from gibbsflow.potential.data.formats.backends import database_errors, open_sqlite


def test_sqlite_writes_ahead_and_syncs(tmp_path: Path) -> None:
    open_sqlite(tmp_path / "new" / "s.db")  # its folder is made too
    with sqlite3.connect(tmp_path / "new" / "s.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert {"systems", "gibbsflow_id_index"} <= names


def test_an_error_in_a_transaction_undoes_all_of_it(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "s.db")
    with pytest.raises(ZeroDivisionError), database.transaction():
        database.write(si2(1))
        raise ZeroDivisionError
    with database.transaction():
        database.write(si2(2))
    assert [row.id for row in database.select()] == [1]


def test_one_id_cannot_be_written_twice(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "s.db")
    with pytest.raises(sqlite3.IntegrityError), database.transaction():
        for seed in (1, 2):
            database.write(si2(seed), key_value_pairs={"gibbsflow_id": "gf-1"})
    assert database.count() == 0


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (sqlite3.OperationalError("database is locked"), LockedError, "locked by another process"),
        (sqlite3.OperationalError("disk I/O error"), StateError, "s.db: disk I/O error"),
        (sqlite3.DatabaseError("file is not a database"), StateError, "not a database, or a damaged one"),
        (PermissionError(13, "Permission denied"), StateError, "Permission denied"),
        (KeyError("ours"), KeyError, "ours"),
    ],
)
def test_errors_are_said_in_our_words(error: Exception, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words), database_errors("s.db"):
        raise error


def test_broken_files_are_named(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("this is no database, but it is long enough to have a header\n" * 20)
    with pytest.raises(StateError, match=r"text\.db: not a database"):
        DatabaseManager(text)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE a (b)")
    with pytest.raises(StateError, match=r"other\.db: a SQLite file, but no ase\.db"):
        DatabaseManager(other)
    good = tmp_path / "good.db"
    DatabaseManager(good).add([si2(seed) for seed in range(30)])
    content = bytearray(good.read_bytes())
    content[4096 * 2 :] = b"\xff" * (len(content) - 4096 * 2)
    good.write_bytes(bytes(content))
    with pytest.raises(StateError, match=r"good\.db"):
        DatabaseManager(good).counts()


def test_a_lock_that_stays_is_an_error_not_a_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = DatabaseManager(tmp_path / "s.db")
    monkeypatch.setattr(backends, "BUSY_S", 0.2)
    holder = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LockedError, match=r"s\.db: locked by another process"):
        manager.add([si2()])
    holder.execute("ROLLBACK")
    assert len(manager.add([si2()])) == 1


def test_a_database_of_somebody_elses_is_not_written_to(tmp_path: Path) -> None:
    connect(tmp_path / "plain.db").write(si2())
    before = (tmp_path / "plain.db").read_bytes()
    with pytest.raises(InputError, match=r"plain\.db: an ase\.db that gibbsflow did not make: it is not written to"):
        DatabaseManager(tmp_path / "plain.db")
    assert (tmp_path / "plain.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["plain.db"]


@pytest.mark.parametrize("in_use", [False, True])
def test_one_that_cannot_be_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_use: bool) -> None:
    DatabaseManager(tmp_path / "s.db").add([si2(1)])
    other = backends.open_sqlite(tmp_path / "s.db")._connect() if in_use else None
    if in_use:
        DatabaseManager(tmp_path / "s.db").add([si2(2)])  # stays in the journal while another has it open
        assert (tmp_path / "s.db-wal").stat().st_size
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    # permissions do not bind root, who runs tests in containers
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    manager = DatabaseManager(tmp_path / "s.db")
    assert manager.counts()["pending"] == 1 + in_use
    assert len(manager.pending()) == 1 + in_use
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    with pytest.raises(InputError, match="cannot be written"):
        manager.add([si2(3)])
    if other is not None:
        other.close()


def test_rows_are_read_without_a_trace(tmp_path: Path) -> None:
    DatabaseManager(tmp_path / "s.db").add([si2(1), si2(2)])
    assert [row.natoms for row in backends.read_rows(tmp_path / "s.db")] == [2, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["s.db"]
