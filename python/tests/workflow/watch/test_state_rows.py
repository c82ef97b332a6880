"""Rows of state folders, kept between looks, are those that `fe status` reads anew."""

import os

import pytest
from left_states import leave, leave_campaign

from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.state import locks
from gibbsflow.workflow.state.attempts import Attempt
from gibbsflow.workflow.state.locks import folder_lock
from gibbsflow.workflow.state.status import read_status
from gibbsflow.workflow.watch import state_rows
from gibbsflow.workflow.watch.state_rows import StateRows, all_rows


def grow_old(root):
    for home, _, _ in os.walk(root):
        os.utime(home, (1, 1))


@pytest.fixture
def campaign(tmp_path):
    return leave_campaign(tmp_path / "demo")


def rows(state):
    homes, changed = state.look()
    return [vars(row) for _, row in sorted(all_rows(homes, 0.0).items())], changed


def test_they_are_those_of_status(campaign):
    state = StateRows(campaign)
    assert rows(state)[0] == read_status(campaign)
    leave(
        campaign / "cb7/b2/solvent/replicate_1/window_00", window=0, done=700, history=[Attempt(1, "h", end="stopped")]
    )
    write_json(campaign / "cb7/b2/equil/inputs.json", {"inputs_hash": "other", "described": {}})
    now, changed = rows(state)
    assert now == read_status(campaign) and {row["status"] for row in now} >= {"stale", "stopped"}
    assert changed == {str(campaign / "cb7/b2/solvent/replicate_1/window_00"), str(campaign / "cb7/b2/equil")}


def test_each_file_is_read_once_a_look(campaign, monkeypatch):
    read = []
    monkeypatch.setattr(state_rows, "read_json", lambda path: read.append(path) or read_json(path))
    state = StateRows(campaign)
    rows(state)
    assert read and len(read) == len(set(read)) and {path.name for path in read} == {"progress.json"}
    assert state.hours.whole.engine_h > 0


def test_a_lock_that_is_let_go_is_seen_though_no_file_has_changed(campaign):
    home = campaign / "cb7/b2/complex/replicate_0"
    with folder_lock(home):
        grow_old(campaign)
        state = StateRows(campaign)
        assert {row["status"] for row in rows(state)[0] if row["item"].startswith("cb7/b2/complex/replicate_0")} == {
            "running"
        }
        grow_old(campaign)
        assert rows(state)[1] == set()
    assert rows(state)[1] == {str(home)}
    assert rows(state)[0] == read_status(campaign)


def test_nothing_is_held_while_one_looks(campaign, monkeypatch):
    (campaign / "cb7/b2/equil/.lock").touch()  # as a process leaves it that has let go
    asked = []
    monkeypatch.setattr(locks.fcntl, "flock", lambda *given: asked.append(given))
    rows(StateRows(campaign))
    assert asked == []


def test_a_killed_task_is_heard_of_later(campaign):
    state = StateRows(campaign)
    rows(state)
    told = {"process": "FE_RUN", "item": "b2 complex_replicate_0", "cause": "OUT_OF_MEMORY", "at": "2999"}
    write_json(campaign / ".killed" / "FE_RUN.json", told)
    found = {row["item"]: row["cause"] for row in rows(state)[0]}
    assert found["cb7/b2/complex/replicate_0/window_00"].startswith("OUT_OF_MEMORY")


def test_what_is_damaged_is_a_row_until_it_is_whole(campaign):
    (campaign / "cb7/b2/equil/progress.json").write_text('{"steps')
    state = StateRows(campaign)
    found = {row["item"]: row["status"] for row in rows(state)[0]}
    assert found["cb7/b2/equil"] == "unreadable" and found["cb7/a1/param_ligands"] == "failed"
    leave(campaign / "cb7/b2/equil", done=1000, finished=True, kind="equil")
    assert rows(state)[0] == read_status(campaign)
