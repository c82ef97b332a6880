"""The status of state folders: a row for every window, whatever lies in them."""

import os
from contextlib import nullcontext

import pytest
from left_states import leave, leave_campaign

from gibbsflow.errors import InputError
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.state.attempts import Attempt
from gibbsflow.workflow.state.locks import folder_lock
from gibbsflow.workflow.state.status import COLUMNS, Ends, home_rows, read_status, settled, status_table


@pytest.fixture
def campaign(tmp_path):
    return leave_campaign(tmp_path)


def test_a_row_for_every_window(campaign):
    rows = {row["item"]: row for row in read_status(campaign)}
    windows = [
        f"cb7/b2/{leg}/replicate_{r}/window_{k:02d}" for leg in ("complex", "solvent") for r in (0, 1) for k in range(3)
    ]
    assert sorted(rows) == sorted([*windows, "cb7/b2/equil", "cb7/a1/param_ligands"])
    shared = rows["cb7/b2/complex/replicate_0/window_02"]
    assert (shared["status"], shared["steps_done"], shared["steps"], shared["attempts"]) == ("stopped", 500, 1000, 1)
    assert shared["done_ns"] == pytest.approx(0.002) and shared["left_s"] == pytest.approx(50)
    assert shared["cause"] == "time budget"
    assert rows["cb7/b2/solvent/replicate_0/window_00"]["status"] == "lost"
    failed = rows["cb7/b2/solvent/replicate_0/window_01"]
    assert (failed["status"], failed["cause"]) == ("failed", "Numerical: not finite")
    waiting = rows["cb7/b2/complex/replicate_1/window_00"]
    assert (waiting["status"], waiting["total_ns"], waiting["left_s"]) == ("waiting", 0.004, None)
    assert rows["cb7/a1/param_ligands"]["cause"] == "Parametrisation: no charges"
    with folder_lock(campaign / "cb7/b2/complex/replicate_0"):
        assert {r["status"] for r in read_status(campaign / "cb7/b2/complex/replicate_0")} == {"running"}


def test_what_is_half_written_or_foreign_stops_nothing(campaign):
    item = campaign / "cb7" / "b2"
    for number, (name, text) in enumerate(
        [("FINISHED", ""), ("FAILED", "[1]"), ("inputs.json", "{"), ("inputs.json", '{"described": 3}'),
         ("attempts.json", '{"attempts": [{"x": 1}]}'), ("FINISHED", '{"kind": 1}')]
    ):  # fmt: skip
        home = item / f"foreign_{number}"
        home.mkdir()
        (home / name).write_text(text)
    (item / "prepare_fe" / "plan.json").write_text("{")
    os.symlink(item, item / "loop")
    rows = read_status(campaign)
    assert {row["item"] for row in rows if row["status"] == "unreadable"} == {
        *(f"cb7/b2/foreign_{number}" for number in range(6)), "cb7/b2/plan.json",
    }  # fmt: skip
    assert "unreadable" in status_table(rows) and not settled(rows)


def test_state_that_was_set_aside_is_no_row(tmp_path):
    leave(tmp_path / "run" / "superseded-000", done=10)
    assert read_status(tmp_path) == [] and status_table([]) == "nothing has been run here"


def test_no_folder_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read_status(tmp_path / "nowhere")


def test_finished_from_other_inputs_is_stale_and_nothing_to_come_is_settled(tmp_path):
    leave(tmp_path / "done", done=1000, finished=True)
    assert settled(read_status(tmp_path))
    write_json(tmp_path / "done" / "inputs.json", {"inputs_hash": "other", "described": {}})
    (row,) = read_status(tmp_path)
    assert (row["status"], row["cause"]) == ("stale", "FINISHED is of other inputs")
    assert not settled([row])


def test_the_table_is_aligned_and_counts(campaign):
    lines = status_table(read_status(campaign, "equil", "phase")).splitlines()
    assert lines[0].split() == list(COLUMNS) and lines[-1] == "1 failed, 1 finished"
    at = lines[0].index("status")
    assert [line[at:].split()[0] for line in lines[1:3]] == ["failed", "finished"]


def test_a_bound_of_the_time_left_is_named_so():
    row = dict.fromkeys(COLUMNS, 0) | {"left_s": 150.0, "left_at_most": True, "status": "running", "cause": ""}
    assert status_table([row]).splitlines()[1].rstrip().endswith("≤ 2.5 min")


def test_speed_is_that_of_late(tmp_path):
    leave(tmp_path / "md", done=400, kind="equil", history=[Attempt(1, "h")])
    write_json(tmp_path / "md" / "progress.json", {
        "steps_done": 400, "steps": 1000, "engine_s": 40_000.0,
        "recent_segments": 2, "recent_steps": 100, "recent_s": 10.0,
    })  # fmt: skip
    (row,) = read_status(tmp_path)
    assert row["left_s"] == 60.0 and row["ns_per_day"] == pytest.approx(100 * 4e-6 / 10 * 86400, abs=0.05)
    assert row["segments_per_h"] == 720 and not row["left_at_most"]


@pytest.mark.parametrize(
    ("since_s", "left_s", "ns"),
    [(-5, 60.0, 0.0), (0, 60.0, 0.0), (2, 58.0, 8e-5), (5, 55.0, 2e-4), (3600, 55.0, 2e-4)],  # a segment takes 5 s
)
def test_between_two_checkpoints_the_clock_tells_how_far_it_is(tmp_path, since_s, left_s, ns):
    leave(tmp_path / "md", done=400, kind="equil", history=[Attempt(1, "h")])
    path = tmp_path / "md" / "progress.json"
    write_json(path, {
        "steps_done": 400, "steps": 1000, "segments_done": 8, "segments": 20, "engine_s": 40.0,
        "recent_segments": 2, "recent_steps": 100, "recent_s": 10.0,
    })  # fmt: skip
    with folder_lock(tmp_path / "md"):
        (row,) = home_rows(tmp_path / "md", tmp_path, Ends({}, None, ()))
    now = row.at(path.stat().st_mtime + since_s)
    assert (now.left_s, now.under_way_ns) == (left_s, pytest.approx(ns, rel=1e-3))
    assert (now.done_ns, now.steps_done) == (row.done_ns, 400)  # what is saved stays what is saved
    (row,) = read_status(tmp_path)
    assert (row["status"], row["left_s"], row["under_way_ns"], row["told_at_s"]) == ("lost", 60.0, 0.0, None)


@pytest.mark.parametrize(
    "odd", [{"budget_s": -1}, {"spent_s": "3"}, {"recent_s": True}, {"recent_steps": "x"}, {"engine_s": None}]
)
def test_what_is_no_time_makes_a_row_unreadable(tmp_path, odd):
    leave(tmp_path / "md", done=400, kind="equil")
    write_json(tmp_path / "md" / "progress.json", {"steps_done": 4, "steps": 10, "recent_s": 1.0} | odd)
    assert [row["status"] for row in read_status(tmp_path)] == ["unreadable"]


@pytest.mark.parametrize(("held", "left_s"), [(True, 40.0), (False, 60.0)])
def test_a_fit_has_the_rest_of_its_time_budget_or_all_of_it_again(tmp_path, held, left_s):
    leave(tmp_path / "fit", kind="fit", history=[Attempt(1, "h")])
    write_json(tmp_path / "fit" / "progress.json", {"budget_s": 60.0, "spent_s": 20.0, "engine_s": 80.0})
    with folder_lock(tmp_path / "fit") if held else nullcontext():
        (row,) = read_status(tmp_path)
    told = {"left_s": left_s, "spent_s": 20.0, "engine_s": 80.0}
    assert {name: row[name] for name in told} == pytest.approx(told, abs=2) and row["left_at_most"]
    leave(tmp_path / "fit", kind="fit", finished=True)
    assert read_status(tmp_path)[0]["left_s"] is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (59.4, "59 s"), (150, "2.5 min"), (9000, "2.5 h"), (216000, "2.5 d")]
)
def test_time_left_in_words(seconds, text):
    row = dict.fromkeys(COLUMNS, 0) | {"left_s": seconds, "status": "running", "cause": "x"}
    assert status_table([row]).splitlines()[1].rstrip("x").rstrip().endswith(text)


@pytest.mark.parametrize(
    ("state", "status", "cause"),
    [
        ("RUNNING", "running", ""),
        ("CANCELLED by 0", "lost", "left no end; SLURM job 17 CANCELLED"),
        ("", "lost", "left no end"),
    ],
)
def test_slurm_is_asked_after_a_job_that_left_no_end(campaign, tmp_path, monkeypatch, state, status, cause):
    home = campaign / "cb7/b2/solvent/replicate_0/window_00"
    history = read_json(home / "attempts.json")
    history["attempts"][-1]["holder"] |= {"slurm_job": "17", "host": "elsewhere"}
    write_json(home / "attempts.json", history)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sacct").write_text(f'#!/bin/sh\n[ "$7" = 17 ] && echo "17|{state}"\n')
    (tmp_path / "bin/sacct").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setattr("gibbsflow.workflow.state.locks.shutil.which", lambda name: name if name == "sacct" else None)
    row = next(row for row in read_status(campaign) if row["item"] == "cb7/b2/solvent/replicate_0/window_00")
    assert row["status"] == status and row["cause"].endswith(cause)
