"""What a run's head notes of tasks that were killed, as status and table read it."""

import pytest
from left_states import leave_campaign

from gibbsflow.report.tables.results_table import failed_row, failures
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state.killed import FOLDER, Killed, read_killed
from gibbsflow.workflow.state.status import read_status

SHORT = {"process": "EQUIL_RUN", "item": "b2", "cause": "OUT_OF_MEMORY", "then": "again with twice the memory",
         "exit": 137, "memory": "2 GB", "time": "1d", "job": "17", "log": "/w/ab/.command.log",
         "at": "2999-01-01T00:00:00.5Z"}  # fmt: skip
TEXT = "OUT_OF_MEMORY: EQUIL_RUN (exit 137, asked 2 GB for 1d, log /w/ab/.command.log)"


@pytest.mark.parametrize(
    ("process", "item", "folder", "mine"),
    [
        ("EQUIL_RUN", "b2", "cb7/b2/equil", True),
        ("EQUIL_RUN", "b2", "cb7/b21/equil", False),
        ("EQUIL_RUN", "b2", "cb7/b2/prepare_fe", False),
        ("FE_RUN", "b2 complex_replicate_0", "cb7/b2/complex/replicate_0", True),
        ("FE_RUN", "b2 complex_replicate_0", "cb7/b2/complex/replicate_1", False),
        ("FE_RUN", "b2 complex_replicate_0_window_03", "cb7/b2/complex/replicate_0/window_03", True),
        ("FE_RUN", "b2 complex_replicate_0_windows_03-05", "cb7/b2/complex/replicate_0/window_04", True),
        ("FE_RUN", "b2 complex_replicate_0_windows_03-05", "cb7/b2/complex/replicate_0/window_06", False),
        ("FE_RUN", "b2 complex_replicate_0", "cb7/b2", False),
    ],
)
def test_whose_state_folder_it_was(process, item, folder, mine):
    assert Killed(process, item, "TIMEOUT").is_of(folder.split("/")) is mine


def test_it_is_the_cause_in_table_and_status(tmp_path):
    campaign = leave_campaign(tmp_path)
    write_json(campaign / FOLDER / "one.json", SHORT)
    found = failures(campaign)
    assert failed_row("b2", "abfe", None, found["b2"]).cause == "Numerical: not finite"  # a failure goes before a kill
    (campaign / "cb7/b2/solvent/replicate_0/window_01/FAILED").unlink()
    assert failed_row("b2", "abfe", None, failures(campaign)["b2"]).cause == TEXT
    window = SHORT | {
        "process": "FE_RUN",
        "item": "b2 solvent_replicate_0_window_00",
        "cause": "CANCELLED",
        "exit": None,
    }
    write_json(campaign / FOLDER / "two.json", window)
    row = next(row for row in read_status(campaign) if row["item"] == "cb7/b2/solvent/replicate_0/window_00")
    assert row["cause"].endswith(
        "left no end; CANCELLED: FE_RUN (no exit code, asked 2 GB for 1d, log /w/ab/.command.log)"
    )


def test_what_is_older_than_the_last_attempt_is_not_its_end(tmp_path):
    campaign = leave_campaign(tmp_path)
    window = SHORT | {"process": "FE_RUN", "item": "b2 solvent_replicate_0_window_00", "at": "1999-01-01T00:00:00Z"}
    write_json(campaign / FOLDER / "two.json", window)
    row = next(row for row in read_status(campaign) if row["item"] == "cb7/b2/solvent/replicate_0/window_00")
    assert row["cause"].endswith("left no end")


def test_what_cannot_be_read_stops_nothing(tmp_path, caplog):
    write_json(tmp_path / FOLDER / "one.json", SHORT | {"more": 1})
    (tmp_path / FOLDER / "two.json").write_text("{")
    (tmp_path / FOLDER / "three.json").write_text("[]")
    assert [one.cause for one in read_killed(tmp_path)] == ["OUT_OF_MEMORY"]
    assert caplog.text.count("no record of a killed task") == 2
