"""The status of state folders: a row for every window, whatever lies in them."""

import json
import os

import pytest
from typer.testing import CliRunner

from gibbsflow.cli.equil import app as equil
from gibbsflow.cli.fe import app as fe
from gibbsflow.errors import InputError
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state import attempts, sentinels
from gibbsflow.workflow.state.attempts import write_attempts
from gibbsflow.workflow.state.attempts import Attempt
from gibbsflow.workflow.state.locks import folder_lock
from gibbsflow.workflow.state.status import read_status, settled, status_table, write_plan

STATES = [{"lambda_sterics": k} for k in (1, 0.5, 0)]


def leave(home, *, window=None, done=0, history=(), finished=False, failed="", kind="states"):
    """What a calculation of three windows, or an equilibration, leaves in its state folder."""
    described = {"setting timestep_fs": 4.0}
    described |= {"setting states": STATES, "setting window": window} if kind == "states" else {"setting equil_ps": 5.0}
    write_json(home / "inputs.json", {"inputs_hash": "h", "attempt": len(history) or 1, "described": described})
    together = 3 if kind == "states" and window is None else 1
    progress = {"steps_done": done * together, "steps": 1000 * together, "engine_s": done / 10}
    write_json(home / "progress.json", progress)
    write_attempts(home, history)
    if finished:
        sentinels.Sentinel("FINISHED", "h", steps_done=1000 * together).write(home)
    if failed:
        sentinels.Sentinel("FAILED", "h", cause=failed, message="not\nfinite").write(home)


@pytest.fixture
def campaign(tmp_path):
    item = tmp_path / "cb7" / "b2"
    leave(item / "equil", done=1000, finished=True, kind="equil")
    write_plan(item / "prepare_fe", {"complex": [0.004] * 3, "solvent": [0.004] * 3}, 2)
    leave(item / "complex" / "replicate_0", done=500, history=[Attempt(1, "h", end="stopped", message="time budget")])
    leave(item / "solvent" / "replicate_0" / "window_00", window=0, done=100, history=[Attempt(1, "h")])
    leave(item / "solvent" / "replicate_0" / "window_01", window=1, failed="Numerical")
    sentinels.Sentinel("FAILED", "", cause="Parametrisation", message="no charges").write(
        tmp_path / "cb7/a1/param_ligands"
    )
    return tmp_path


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


def test_commands(campaign):
    run = CliRunner().invoke(fe, ["status", str(campaign), "--json"])
    assert run.exit_code == 0 and len(json.loads(run.stdout)) == 14
    run = CliRunner().invoke(equil, ["status", str(campaign)])
    assert run.exit_code == 0 and "equil" in run.stdout and "window" not in run.stdout
    assert run.stdout.endswith("1 failed, 1 finished\n")
    run = CliRunner().invoke(equil, ["status", str(campaign), "--watch"])  # ends, since nothing is under way
    assert run.exit_code == 0 and run.stdout.count("cb7/b2/equil") == 1
    run = CliRunner().invoke(equil, ["clean-failures", str(campaign), "--dry-run"])
    assert run.exit_code == 0 and "param_ligands/FAILED" in run.stdout
    assert (campaign / "cb7/a1/param_ligands/FAILED").exists()
    with pytest.raises(InputError, match="no such folder"):
        read_status(campaign / "nowhere")
    assert CliRunner().invoke(fe, ["status", str(campaign / "nowhere")]).exit_code == 65


def test_state_that_was_set_aside_is_no_row(tmp_path):
    leave(tmp_path / "run" / "superseded-000", done=10)
    assert read_status(tmp_path) == [] and status_table([]) == "nothing has been run here"
