"""A fit says how far it is, and nothing of what it took is lost."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from gibbsflow.errors import StateError
from gibbsflow.workflow.hours import budgeted_work
from gibbsflow.workflow.hours.budgeted_work import BudgetedWork
from gibbsflow.workflow.hours.pace import Held
from gibbsflow.workflow.state.cleaning import clean_failures

WORK = """
import sys, time
from pathlib import Path
from gibbsflow.workflow.hours import budgeted_work
from gibbsflow.workflow.hours.pace import Held
budgeted_work._OFTEN_S = 0.02
with budgeted_work.BudgetedWork(Path(sys.argv[1]), Held(3), 60.0):
    time.sleep(60)
"""


def told(folder):
    return json.loads((folder / "progress.json").read_text())


def test_it_is_told_meanwhile_and_goes_on_from_what_a_killed_one_has_told(tmp_path, monkeypatch):
    process = subprocess.Popen([sys.executable, "-c", WORK, tmp_path])
    end = time.monotonic() + 60
    while not ((tmp_path / "progress.json").exists() and told(tmp_path)["engine_s"] > 0) and time.monotonic() < end:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = told(tmp_path)
    assert 0 < before["spent_s"] < 60 and before["core_s"] == pytest.approx(3 * before["engine_s"], abs=0.002)
    monkeypatch.setattr(budgeted_work, "_OFTEN_S", 3600.0)
    with BudgetedWork(tmp_path, Held(1), 60.0, spent_s=7.0):
        assert told(tmp_path)["spent_s"] == pytest.approx(7.0, abs=0.5)  # of its own budget
    after = told(tmp_path)
    assert after["engine_s"] >= before["engine_s"] and after["spent_s"] >= 7.0
    assert after["core_s"] - before["core_s"] == pytest.approx(after["engine_s"] - before["engine_s"], abs=0.003)
    (tmp_path / "inputs.json").write_text('{"inputs_hash": "h"}')
    assert clean_failures(tmp_path) == [] and told(tmp_path) == after  # no checkpoint tells its hours


def test_a_damaged_file_is_said_and_begun_anew(tmp_path, caplog):
    (tmp_path / "progress.json").write_text('{"engine_s": -3}')
    with BudgetedWork(tmp_path, Held(), 60.0):
        pass
    assert "hours of earlier attempts are not counted" in caplog.text and 0 <= told(tmp_path)["engine_s"] < 10


def test_without_a_state_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with BudgetedWork(None, Held(), 60.0):
        pass
    assert list(tmp_path.iterdir()) == []


def test_how_the_work_failed_is_not_hidden_by_a_full_disk(tmp_path):
    home = tmp_path / "fit"
    home.mkdir()
    with pytest.raises(StateError, match="the fit's own"), BudgetedWork(home, Held(), 60.0):
        (home / "progress.json").unlink()
        home.rmdir()
        home.write_text("a file where the folder was")
        raise StateError("the fit's own")
