from __future__ import annotations

from pathlib import Path

import pytest
from silicon import si2

from gibbsflow.errors import InputError, StateError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.row_store import RowStore
from gibbsflow.potential.data.formats.statuses import RowStatus


def test_a_file_and_nothing_else_is_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no database of a known kind"):
        RowStore("mysql://server/name")
    (tmp_path / "text.db").write_text("words " * 500)
    with pytest.raises(StateError, match="not a database"):
        RowStore(tmp_path / "text.db")


def test_a_status_that_is_none_is_named(tmp_path: Path) -> None:
    manager = DatabaseManager(tmp_path / "s.db")
    (name,) = manager.add([si2()])
    with manager._transaction():
        manager._write(manager._known(name), {}, status="done")
    with pytest.raises(StateError, match="has 'done' .*pending"):
        manager.counts()


def test_an_error_in_a_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    manager = DatabaseManager(tmp_path / "s.db")
    manager.add([si2(1), si2(2)])
    names = [frame.info["gibbsflow_id"] for frame in manager.frames()]
    with pytest.raises(InputError, match="no structure 'gf-none'"):
        manager.move([*names, "gf-none"], RowStatus.HELD, "for later")
    assert manager.counts()["pending"] == 2
