from __future__ import annotations

from pathlib import Path

import pytest
from audited_labels import database, displaced

from gibbsflow.config.potential import Audit, Labels
from gibbsflow.errors import InputError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.validate.labels.label_audit import (
    LabelAudit,
    audit_labels,
    counts_of,
    held_counts,
    hold_labels,
    in_words,
    release,
)


@pytest.fixture
def spoilt(tmp_path: Path) -> DatabaseManager:
    frames = displaced(12)
    frames[2].calc.results["forces"][0] += 1.0
    frames[8].calc.results["forces"] *= 300
    return database(tmp_path / "s.db", frames)


def held(found: LabelAudit) -> dict[int, list[str]]:
    return {number: list(label.standing) for number, label in enumerate(found.labels) if label.standing}


def test_what_is_wrong_is_held_once_and_for_the_same_reasons(spoilt: DatabaseManager) -> None:
    names = [label.name for label in spoilt.labels()]
    first = audit_labels(spoilt, Audit(), Labels())
    wrong = held(first)
    assert "net_force" in wrong[2] and {"threshold", "force"} <= set(wrong[8]) and set(wrong) == {2, 8}
    first.hold(spoilt)
    assert first.changed == [names[2], names[8]]
    assert len(spoilt.frames(RowStatus.LABELLED)) == 10 and spoilt.counts()["held"] == 2
    assert held_counts(spoilt)["net_force"] == 1 == counts_of(first.held)["net_force"]
    again = audit_labels(spoilt, Audit(), Labels())
    again.hold(spoilt)
    assert held(again) == wrong and again.changed == []
    assert again.figures()["reasons"] == first.figures()["reasons"]
    figures = first.figures()
    assert (figures["labels"], figures["held"], figures["released"]) == (12, 2, 0)
    row = first.rows()[2]
    assert (row["status"], row["checks"]) == ("held", ", ".join(wrong[2])) and "do not balance" in row["reasons"]
    assert first.rows()[0]["status"] == "labelled" and isinstance(first.rows()[0]["energy_ev_per_atom"], float)
    assert in_words(first).splitlines()[0] == "12 labels, 2 held" and names[8] in in_words(first)


def test_a_wider_limit_lets_in_again(spoilt: DatabaseManager) -> None:
    hold_labels(spoilt, Audit(), Labels())
    wide = Audit(net_force_ev_per_angstrom=1.0, work_mev_per_atom=1e5, outlier_factor=1000)
    assert set(hold_labels(spoilt, wide, Labels())) == {"threshold"} and spoilt.counts()["held"] == 1
    assert hold_labels(spoilt, wide, Labels(force_cap_ev_per_angstrom=1e5)) == {}
    assert spoilt.counts()["labelled"] == 12


def test_a_release_stands_against_the_checks_that_it_overruled(spoilt: DatabaseManager) -> None:
    hold_labels(spoilt, Audit(), Labels())
    name = spoilt.labels()[2].name
    assert release(spoilt, [name, name]) == [name] and release(spoilt, [name]) == []
    found = audit_labels(spoilt, Audit(), Labels())
    found.hold(spoilt)
    assert spoilt.explain(name)["status"] == "labelled" and found.figures()["released"] == 1
    assert found.rows()[2]["overruled"] != "" and found.rows()[2]["status"] == "labelled"
    assert "released by hand" in spoilt.explain(name)["history"][-1]["why"]
    # another fault than the one that was overruled holds it again
    strict = hold_labels(spoilt, Audit(), Labels(force_cap_ev_per_angstrom=0.5))
    assert strict["threshold"] > 1 and spoilt.explain(name)["status"] == "held"


def test_what_tighter_settings_said_stands_until_they_are_asked_again(spoilt: DatabaseManager) -> None:
    name = spoilt.labels()[0].name
    spoilt.hold({name: {"relabel": "its force differs"}}, "audit")
    assert hold_labels(spoilt, Audit(), Labels())["relabel"] == 1
    assert spoilt.labels()[0].held_for == {"relabel": "its force differs"}


def test_a_release_of_what_is_no_label_is_refused(spoilt: DatabaseManager) -> None:
    with pytest.raises(InputError, match="'gf-none' is no label"):
        release(spoilt, ["gf-none"])


def test_an_empty_database_has_nothing_to_hold(tmp_path: Path) -> None:
    manager = DatabaseManager(tmp_path / "empty.db")
    assert hold_labels(manager, Audit(), Labels()) == {} and held_counts(manager) == {}
