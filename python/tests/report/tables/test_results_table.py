"""The table: every row of the samplesheet, in its order, with the cause of each failure."""

import csv

import pyarrow.parquet as pq
import pytest

from gibbsflow.report.tables import results_table
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state.attempts import Attempt, write_attempts
from gibbsflow.workflow.state.sentinels import Sentinel


def test_the_newest_failure_of_each_ligand_is_its_cause(tmp_path):
    for folder, cause, time in (
        ("cb7/b2/equil", "Unbound", "2026-01-02T00:00:00"),
        ("cb7/b2/param_ligands", "Parametrisation", "2026-01-01T00:00:00"),
        ("cb7/a1/complex/replicate_1/window_03", "Numerical", "2026-01-01T00:00:00"),
    ):
        (tmp_path / folder).mkdir(parents=True)
        Sentinel("FAILED", "hash", cause=cause, message="line one\nline two", time=time).write(tmp_path / folder)
    failed = results_table.failures(tmp_path)
    row = results_table.failed_row("b2", "abfe", -13.4, failed.get("b2"))
    assert (row.status, row.verdict, row.cause) == ("unbound", "FAIL", "Unbound: line one line two")
    assert results_table.failed_row("a1", "abfe", None, failed.get("a1")).status == "failed"
    nothing = results_table.failed_row("c3", "abfe", None, failed.get("c3"))
    assert (nothing.status, nothing.cause) == ("failed", "not finished")
    assert results_table.failures(None) == {}


def test_an_analysis_without_windows_names_what_took_them(tmp_path):
    for folder, cause, minute in (("vacuum/pilot", "Numerical", 1), ("analysis", "Unconverged", 2)):
        (tmp_path / "alone" / "b2" / folder).mkdir(parents=True)
        sentinel = Sentinel("FAILED", "hash", cause=cause, message=f"of {folder}", time=f"2026-01-01T00:0{minute}:00")
        sentinel.write(tmp_path / "alone" / "b2" / folder)
    row = results_table.failed_row("b2", "asfe", None, results_table.failures(tmp_path)["b2"])
    assert (row.status, row.cause) == (
        "unconverged", "Unconverged: of analysis; before it Numerical: of vacuum/pilot"
    )  # fmt: skip
    (tmp_path / "alone" / "b2" / "vacuum" / "pilot" / "FAILED").unlink()
    assert results_table.failures(tmp_path)["b2"].message == "of analysis"


def test_a_sentinel_that_cannot_be_read_is_a_cause_too(tmp_path):
    (tmp_path / "cb7" / "b2").mkdir(parents=True)
    (tmp_path / "cb7" / "b2" / "FAILED").write_text("{")
    assert "not readable" in results_table.failed_row("b2", "abfe", None, results_table.failures(tmp_path)["b2"]).cause


def test_what_stopped_or_was_killed_for_good_has_a_cause_too(tmp_path):
    for name, attempt in (
        ("stopped", Attempt(1, "h", end="stopped", message="time budget; 3 of 9 segments done")),
        ("killed", Attempt(1, "h", holder={"pid": 7, "host": "node3"})),
        ("done", Attempt(1, "h", end="finished")),
    ):
        write_attempts(tmp_path / "cb7" / name / "equil", [attempt])
    write_attempts(tmp_path / "cb7" / "done" / "equil" / "superseded-000", [Attempt(1, "h", end="stopped")])
    found = results_table.failures(tmp_path)
    causes = {
        name: results_table.failed_row(name, "abfe", None, found.get(name)).cause
        for name in ("stopped", "killed", "done")
    }
    assert causes["stopped"] == "Stopped: time budget; 3 of 9 segments done"
    assert causes["killed"] == "Lost: pid 7 on node3 was killed"
    assert causes["done"] == "not finished"


def test_a_killed_task_tells_what_its_log_said_last(tmp_path):
    log = tmp_path / ".command.log"
    log.write_text("heating\ntoken=abc\nKilled\n")
    told = {"process": "EQUIL_RUN", "item": "b2", "cause": "KILLED", "exit": 137, "log": str(log), "at": "2026"}
    write_json(tmp_path / ".killed" / "b2.json", told)
    assert results_table.failures(tmp_path)["b2"].log == ["heating", "token=***", "Killed"]
    log.unlink()
    assert results_table.failures(tmp_path)["b2"].log == []


def test_a_finished_row_names_what_was_begun_anew():
    anew = {"what": "complex replicate 0", "attempt": 2, "settings_used": {"timestep_fs": 2.0}}
    record = {"transformation": "b2", "ligand": "b2", "mode": "abfe", "status": "finished", "cause": ""}
    row = results_table.record_row(record | {"begun_anew": [anew | {"failed_before": "Numerical: NaN"}]})
    assert row.cause == "complex replicate 0: attempt 2 with a time step of 2 fs, after Numerical: NaN"
    assert results_table.record_row(record).cause == ""


def test_csv_has_four_decimals_and_parquet_the_rest(tmp_path):
    rows = [
        results_table.TableRow("b2", "b2", "abfe", "finished", "PASS", -13.123456, 0.2, 0.1, 2, -13.4, notes=3),
        results_table.TableRow("a,1", "a,1", "abfe", "failed", "FAIL", cause='said "no"\nand left'),
    ]
    results_table.write_csv(rows, tmp_path / "results.csv")
    results_table.write_parquet(rows, tmp_path / "results.parquet")
    head = "transformation,ligand,mode,status,verdict,dg_kcal_per_mol,dg_error_kcal_per_mol,mbar_error_kcal_per_mol,"
    lines = (tmp_path / "results.csv").read_text().splitlines()
    head += "replicates,experimental_dg_kcal_per_mol,cause,notes,ci95_low_kcal_per_mol,ci95_high_kcal_per_mol,"
    head += "stopped_by"
    assert lines[0] == head
    assert lines[1] == "b2,b2,abfe,finished,PASS,-13.1235,0.2000,0.1000,2,-13.4000,,3,,,"
    assert len(lines) == 3
    second = list(csv.DictReader(lines))[1]
    assert (second["ligand"], second["dg_kcal_per_mol"], second["cause"]) == ("a,1", "", 'said "no" and left')
    content = pq.read_table(tmp_path / "results.parquet").to_pylist()
    assert content[0]["dg_kcal_per_mol"] == -13.123456
    assert content[1]["dg_kcal_per_mol"] is None
    assert list(content[0]) == list(results_table.COLUMNS)


def test_records_are_found_by_ligand(tmp_path):
    write_json(tmp_path / "a" / "record.json", {"ligand": "b2", "transformation": "b2"})
    write_json(tmp_path / "b" / "system.json", {"name": "a1", "artifacts": {}, "meta": {}})
    write_json(tmp_path / "c" / "record.json", {"ligand": "b2", "transformation": "b2"})
    write_json(tmp_path / "d" / "record.json", ["b2"])
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "record.json").write_bytes(b"\xff")
    index, unknown = results_table.index_records([tmp_path / name for name in "abcdef"])
    assert index == {"b2": [tmp_path / "a", tmp_path / "c"], "a1": [tmp_path / "b"]}
    assert len(unknown) == 3 and "d: names no ligand" in unknown[0] and "not readable as JSON" in unknown[1]
    row = results_table.failed_row("c3", "abfe", None, None, unknown)
    assert row.cause.startswith("not finished (or its record is: ") and "d: names no ligand" in row.cause


GOOD = {"transformation": "b2", "ligand": "b2", "mode": "abfe", "status": "finished", "verdict": "PASS"}


@pytest.mark.parametrize(
    "change",
    [
        {"dg_kcal_per_mol": "-5"},
        {"dg_kcal_per_mol": float("nan")},
        {"replicates": True},
        {"replicates": 2.5},
        {"status": "done"},
        {"mode": "rbfe"},
        {"verdict": "GOOD"},
        {"transformation": "../b2"},
        {"ligand": ".b2"},
        {"cause": ["x"]},
        {"preparation": []},
        {"preparation": {"notes": 3}},
        {"begun_anew": [{}]},
    ],
)
def test_a_record_of_another_form_makes_no_row(change):
    assert results_table.record_row(GOOD).status == "finished"
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        results_table.record_row(GOOD | change)


def test_a_folder_of_a_phase_is_no_ligand(tmp_path):
    Sentinel("FAILED", "hash", cause="Unbound", message="gone").write(tmp_path / "cb7" / "b2" / "equil")
    assert list(results_table.failures(tmp_path)) == ["b2"]


def test_a_cause_turns_no_direction_of_writing_and_fills_no_page():
    sentinel = Sentinel("FAILED", "x", cause="Numerical", message="\u202eleft" + "x" * 9000)
    cause = results_table.failed_row("b2", "abfe", None, sentinel).cause
    assert cause.startswith("Numerical: \\u202eleftx") and len(cause) <= 2000
