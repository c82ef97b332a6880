"""The two stores behind the database, each an ase.db with one writer at a time and transactions that hold.

ASE's own lock file can stay behind and hang for ever, and its SQLite transactions start as readers and die when a
second writer is faster. Here SQLite runs in WAL mode, a writer takes its place before it reads (BEGIN IMMEDIATE), and
nothing is committed half way; PostgreSQL holds an advisory lock for the length of the transaction.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ase.db.sqlite import SQLite3Database
from tenacity import (
    retry,
    retry_if_exception_message,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from gibbsflow.errors import InputError, LockedError, MissingProgramError, Problem, StateError
from gibbsflow.potential.data.formats.masks import restore_parts
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.workflow.credentials import without_passwords
from gibbsflow.workflow.input_files import DATA_BYTES, open_input

BUSY_S = 30.0
OWN_INDEX = "gibbsflow_id_index"
"""In every database that gibbsflow made, and in no other."""
_UNIQUE = f"CREATE UNIQUE INDEX IF NOT EXISTS {OWN_INDEX} ON text_key_values(value) WHERE key = 'gibbsflow_id'"
TAGS: Mapping[str, Any] = {"config_type": "unknown", "parent": "", "generation": 0, "generator": "", "seed": 0}
"""Tags of a structure that have a column, with their defaults."""
MOMENTS = ("total_moment_ub", "absolute_moment_ub")
"""Figures of a label that go into `info` where there are any."""
_ADVISORY_LOCK = 0x67696262


class WalDatabase(SQLite3Database):
    """ase.db in SQLite's write-ahead mode, with transactions that begin as writers and commit as a whole."""

    connection: Any = None
    filename: str
    copy: tempfile.TemporaryDirectory[str] | None = None
    readonly = False

    def read_only(self) -> None:
        """Never write, not even the files that SQLite keeps beside a database in write-ahead mode.

        A journal that is not yet in the file is read in a copy.
        """
        self.readonly = True
        source, journal = Path(self.filename), Path(f"{self.filename}-wal")
        if _writes_ahead(source) and journal.exists() and journal.stat().st_size:
            self.copy = tempfile.TemporaryDirectory(prefix="gibbsflow-db-", ignore_cleanup_errors=True)
            for file in (source, journal):
                shutil.copyfile(file, Path(self.copy.name) / file.name)
            self.filename = str(Path(self.copy.name) / source.name)

    @retry(
        # SQLite does not wait for its turn to change the journal's mode
        retry=retry_if_exception_message(match=".*locked"),
        stop=lambda state: (state.seconds_since_start or 0.0) > BUSY_S,
        wait=wait_random_exponential(multiplier=0.02, max=0.5),
        reraise=True,
    )
    def _connect(self) -> sqlite3.Connection:
        if self.readonly and self.copy is None:
            # of a file in write-ahead mode, SQLite would make others beside it to read it
            how = "mode=ro&immutable=1" if _writes_ahead(Path(self.filename)) else "mode=ro"
            return sqlite3.connect(f"{Path(self.filename).absolute().as_uri()}?{how}", uri=True, timeout=BUSY_S)
        connection = sqlite3.connect(self.filename, timeout=BUSY_S, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            # WAL with NORMAL may lose the last commits when the machine dies; a label costs more than a sync
            connection.execute("PRAGMA synchronous=FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def managed_connection(self, commit_frequency: int = 5000) -> Iterator[sqlite3.Connection]:
        """Yield the connection of the transaction, never committing inside; or one of its own, for reading.

        Parameters
        ----------
        commit_frequency
            Of ASE's interface; not used, since a transaction commits as a whole.

        Yields
        ------
        Connection
            SQLite's, with all tables made.
        """
        if self.connection is not None:
            self._initialize(self.connection)
            yield self.connection
            return
        connection = self._connect()
        try:
            self._initialize(connection)
            yield connection
        finally:
            connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the one writer's place; all or nothing.

        Yields
        ------
        None
            While the place is held; an error in the block undoes everything that was written in it.

        Raises
        ------
        InputError
            Where the database can only be read.
        """
        if self.readonly:
            raise InputError(Problem(self.filename, "cannot be written", "a writable file in a writable folder"))
        connection = self._connect()
        try:
            self._begin(connection)
            self.connection = connection
            try:
                self._initialize(connection)
                connection.execute(_UNIQUE)
                yield
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                # the tables may have been part of what was rolled back
                self.initialized = False
                raise
        finally:
            self.connection = None
            connection.close()

    @retry(
        retry=retry_if_exception_type(sqlite3.OperationalError),
        stop=stop_after_attempt(4),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        reraise=True,
    )
    def _begin(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")

    def _initialize(self, con: sqlite3.Connection) -> None:
        # ASE commits after making its tables; inside a transaction that would let go of the writer's place
        super()._initialize(_NoCommit(con) if con.in_transaction else con)


class _NoCommit:
    """A connection whose `commit` waits for the end of the transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def commit(self) -> None:
        """Do nothing: the transaction commits as a whole."""


def _writes_ahead(path: Path) -> bool:
    with open_input(path, "an ase.db", DATA_BYTES) as file:
        return file.read(20)[18:20] == b"\x02\x02"  # write and read version in the header of SQLite's format


def read_rows(path: Path) -> list[Any]:
    """Read all rows of any ase.db, and leave no trace beside it.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of AtomsRow
        In the order of their numbers.

    Raises
    ------
    StateError
        Where the file is no database, or a damaged one.
    InputError
        Where it is another one than ASE's.
    """
    database = WalDatabase(str(path), create_indices=True, use_lock_file=False, serial=True)
    database.read_only()
    with database_errors(str(path)):
        connection = database._connect()
        try:
            names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
        finally:
            connection.close()
        if "systems" not in names:
            raise InputError(Problem(str(path), "a SQLite file, but no ase.db", "an ase.db"))
        return list(database.select())


def open_sqlite(path: Path) -> WalDatabase:
    """Open a file, made where absent, and prove that it is a sound database that gibbsflow made.

    Where the file or its folder cannot be written, it is opened for reading alone.

    Parameters
    ----------
    path
        The file; its folder is made too.

    Returns
    -------
    WalDatabase
        With all tables made.

    Raises
    ------
    StateError
        Where the file is no database, or a damaged one.
    InputError
        Where it is an ase.db of somebody else's, which is not written to.
    LockedError
        Where another process keeps it locked.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    database = WalDatabase(str(path), create_indices=True, use_lock_file=False, serial=True)
    with database_errors(str(path)):
        # looked at without a trace first: opening another's in write-ahead mode would change it
        _require_own(path)
        if path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
            database.read_only()
        connection = database._connect()
        try:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
        finally:
            connection.close()
        if verdict != "ok":
            raise StateError(f"{path}: damaged database ({verdict})")
        if not names:
            # new, or being made by another process at this moment, which the transaction waits for
            with database.transaction():
                pass
        elif "systems" not in names:
            raise StateError(f"{path}: a SQLite file, but no ase.db")
    return database


def frame_of_row(row: Any) -> Any:
    """Make the structure of a row that gibbsflow wrote.

    Parameters
    ----------
    row
        Row of the database.

    Returns
    -------
    Atoms
        With its tags, charge and spin in `info`, and with its label where it is labelled.
    """
    atoms = row.toatoms()
    labelled = row.status == RowStatus.LABELLED
    if not labelled:
        atoms.calc = None
    wanted = ("gibbsflow_id", *TAGS, *(("settings_hash", "engine") if labelled else ()))
    atoms.info = {**{key: row.get(key) for key in wanted}, **row.data.get("said", {})}
    if labelled:
        result = row.data.get("result") or {}
        atoms.info |= {key: result[key] for key in MOMENTS if result.get(key) is not None}
    return restore_parts(atoms, row.data.get("counts", {}))


def _require_own(path: Path) -> None:
    if not path.exists() or not path.stat().st_size or Path(f"{path}-wal").exists():
        # in use, and so in write-ahead mode as ours are: judged below
        return
    how = "mode=ro&immutable=1" if _writes_ahead(path) else "mode=ro"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=BUSY_S)
    try:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    finally:
        connection.close()
    if "systems" in names and OWN_INDEX not in names:
        right = "a file that `dft label --database` or the loop made; the labels in this one are read as data (--train)"
        raise InputError(Problem(str(path), "an ase.db that gibbsflow did not make: it is not written to", right))


def open_postgres(url: str) -> Any:
    """Open a PostgreSQL database through ase-db-backends.

    Parameters
    ----------
    url
        ``postgresql://user:password@host:port/name`` of a database that is there.

    Returns
    -------
    PostgreSQLDatabase
        With all tables made, and a `transaction` as `WalDatabase` has it.

    Raises
    ------
    MissingProgramError
        Where ase-db-backends is not installed.
    StateError
        Where the server does not answer or refuses.
    """
    try:
        from ase_db_backends.postgresql import PostgreSQLDatabase
    except ImportError as error:
        raise MissingProgramError("package 'ase-db-backends' (with psycopg2) is not installed") from error

    class LockedPostgres(PostgreSQLDatabase):  # type: ignore[misc, valid-type]
        """PostgreSQL with one writer at a time, by an advisory lock."""

        connection: Any = None

        def make_tables(self) -> None:
            """Make what is missing, one process at a time.

            The backend commits after its tables, so the lock is the session's here: a transaction's would be let go
            with the index still to come.
            """
            connection = self._connect()
            try:
                cursor = connection.cursor()
                cursor.execute(f"SELECT pg_advisory_lock({_ADVISORY_LOCK})")
                self._initialize(connection)
                cursor.execute(_UNIQUE)
                connection.commit()
            finally:
                connection.close()

        @contextmanager
        def transaction(self) -> Iterator[None]:
            """Hold the one writer's place; all or nothing."""
            with self:
                self.connection.cursor().execute(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
                yield

        def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
            # the backend's own connection cannot roll back; closing without a commit does, on the server
            if kind is None:
                self.connection.commit()
            self.connection.close()
            self.connection = None

    database = LockedPostgres(url, create_indices=True, use_lock_file=False, serial=True)
    with database_errors(without_passwords(url)):
        database.make_tables()
    return database


@contextmanager
def database_errors(where: str) -> Iterator[None]:
    """Say in our words what SQLite and PostgreSQL say in their own.

    Parameters
    ----------
    where
        The database, for messages, without a password.

    Yields
    ------
    None
        Around the calls whose errors are translated.

    Raises
    ------
    LockedError
        Where another process keeps the database locked.
    StateError
        For all else that is wrong with it.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise LockedError(f"{where}: locked by another process for more than {BUSY_S:g} s ({error})") from error
        raise StateError(f"{where}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StateError(f"{where}: not a database, or a damaged one ({error})") from error
    except OSError as error:
        raise StateError(f"{where}: {error}") from error
    except Exception as error:
        # psycopg2 is an optional package, so that its classes can't be named
        if type(error).__module__.partition(".")[0] != "psycopg2":
            raise
        raise StateError(f"{where}: PostgreSQL: {str(error).strip()}") from error
