from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from silicon import si2

from gibbsflow.errors import InputError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.known_labels import held_cause
from gibbsflow.potential.data.labelled_frames import read_with_account
from gibbsflow.potential.data.labels import LabelResult

REASON = {"net_force": "a net force of 0.5 eV/Å an atom"}


def made(name: str, energy: float = -200.0, settings: str = "tblite-1") -> LabelResult:
    values: dict[str, Any] = {"energy_ev": energy, "forces_ev_per_angstrom": [[0.1, 0, 0], [-0.1, 0, 0]]}
    return LabelResult(
        name, "labelled", **values, stress_ev_per_angstrom3=[0.01] * 6, settings_hash=settings, engine="tblite"
    )


@pytest.fixture
def database(tmp_path: Path) -> DatabaseManager:
    manager = DatabaseManager(tmp_path / "s.db")
    names = manager.add([si2(seed) for seed in range(3)])
    manager.add([si2(9)], RowStatus.HELD, "over_budget")
    manager.record([made(name) for name in names])
    return manager


def names(database: DatabaseManager) -> list[str]:
    return [label.name for label in database.labels()]


def test_a_held_label_does_not_count_and_comes_back(database: DatabaseManager) -> None:
    first, second, third = names(database)
    assert database.hold({second: REASON, third: {}}, "an audit") == [second]
    assert database.counts()["labelled"] == 2 and database.counts()["held"] == 2
    assert [f.info["gibbsflow_id"] for f in database.frames(RowStatus.LABELLED)] == [first, third]
    known = database.explain(second)
    assert known["cause"] == held_cause(["net_force"]) == "AUDIT(net_force)"
    assert known["history"][-1]["why"] == "an audit: a net force of 0.5 eV/Å an atom"
    label = database.labels()[1]
    assert (label.name, label.held_for, label.settings_hash) == (second, REASON, "tblite-1")
    assert label.figures["energy"] == -200.0 and label.figures["forces"].shape == (2, 3)
    assert database.hold({second: REASON}, "an audit") == []  # nothing changes twice
    assert len(database.explain(second)["history"]) == len(known["history"])
    assert database.hold({second: {}}, "by hand", released=["net_force"]) == [second]
    assert database.labels()[1].released == ("net_force",) and database.counts()["labelled"] == 3
    assert database.explain(second)["audit"] == {"held": {}, "released": ["net_force"]}
    # the label is what it was
    assert database.frames(RowStatus.LABELLED)[1].get_potential_energy() == -200.0


def test_a_held_label_is_no_structure_to_choose_from(database: DatabaseManager) -> None:
    second = names(database)[1]
    database.hold({second: REASON}, "an audit")
    assert [f.info["gibbsflow_id"] for f in database.frames(RowStatus.HELD)] == [si2(9).info["gibbsflow_id"]]


def test_a_fit_to_the_database_reads_what_counts(database: DatabaseManager) -> None:
    first, second, third = names(database)
    database.hold({second: REASON}, "an audit")
    frames, account = read_with_account(Path(database.where))
    assert [frame.structure_id for frame in frames] == [first, third]
    # the one that is held, and the one that has no label
    assert [str(doubt.problem.what) for doubt in account.doubts] == [
        "2 structures without a label that counts are left out (see dft status)"
    ]


def test_a_second_result_does_not_let_it_in(database: DatabaseManager) -> None:
    second = names(database)[1]
    database.hold({second: REASON}, "an audit")
    assert database.record([made(second)]) == {"held": 1}
    assert database.explain(second)["status"] == "held"


def test_other_reasons_are_kept_without_a_move(database: DatabaseManager) -> None:
    second = names(database)[1]
    database.hold({second: REASON}, "an audit")
    assert database.hold({second: {"threshold": "a force of 200 eV/Å"}}, "an audit") == []
    assert database.labels()[1].held_for == {"threshold": "a force of 200 eV/Å"}


def test_what_is_no_label_is_refused_and_nothing_is_written(database: DatabaseManager) -> None:
    first = names(database)[0]
    waiting = si2(9).info["gibbsflow_id"]
    with pytest.raises(InputError, match=f"{waiting} is held, and no label"):
        database.hold({first: REASON, waiting: REASON}, "an audit")
    assert database.counts()["labelled"] == 3


def test_a_label_of_other_settings_is_not_let_in(database: DatabaseManager) -> None:
    first, *rest = names(database)
    database.hold({name: REASON for name in [first, *rest]}, "an audit")
    database.hold({first: {}}, "by hand")
    (other,) = database.add([si2(7)])
    database.hold({first: REASON}, "an audit")
    database.record([made(other, settings="tblite-2")])
    with pytest.raises(InputError, match="holds labels of tblite-2; these are of tblite-1"):
        database.hold({first: {}}, "by hand")


def test_a_second_label_that_is_another_is_said(database: DatabaseManager, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert database.record([made(names(database)[0], -201.0)]) == {"repeated": 1}
    assert "(-200.000000 eV), and a second one is another (-201.000000 eV)" in caplog.text
