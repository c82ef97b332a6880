from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from ase.io import read
from database_writer import result_of
from silicon import overlapping, si8
from typer.testing import CliRunner

from gibbsflow.cli.dft import app
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.labels import read_labels
from gibbsflow.potential.data.structures import write_frames

pytest.importorskip("tblite")
RUN = CliRunner()
TBLITE = "target: {elements: [Si]}\ndft: {engine: tblite}\n"


def invoke(*words: object) -> object:
    return RUN.invoke(app, [str(word) for word in words])


@pytest.fixture
def batch(tmp_path: Path) -> dict[str, Path]:
    write_frames(tmp_path / "s.extxyz", [si8(1), si8(2), overlapping()])
    (tmp_path / "run.yaml").write_text(TBLITE)
    return {
        "input": tmp_path / "s.extxyz",
        "config": tmp_path / "run.yaml",
        "out": tmp_path / "out",
        "state": tmp_path / "state",
    }


def options(batch: dict[str, Path]) -> list[object]:
    return [word for name, path in batch.items() for word in (f"--{name}", path)]


def test_a_batch_ends_with_a_fate_for_each(batch: dict[str, Path], tmp_path: Path) -> None:
    database = tmp_path / "s.db"
    ran = invoke("label", *options(batch), "--database", database)
    assert ran.exit_code == 0, ran.output
    result = json.loads((batch["out"] / "result.json").read_text())
    bad = overlapping().info["gibbsflow_id"]
    assert result["status"] == "partial"
    assert result["counts"] == {"labelled": 2, "failed": 1}
    assert result["failures"] == {bad: "BAD_STRUCTURE"}
    frames = read(batch["out"] / "labelled.extxyz", ":")
    assert [f.info["gibbsflow_id"] for f in frames] == [si8(1).info["gibbsflow_id"], si8(2).info["gibbsflow_id"]]
    assert {f.info["settings_hash"] for f in frames} == {result["settings_hash"]}
    assert frames[0].get_stress().shape == (6,)
    assert [r.status for r in read_labels(batch["out"] / "labels.jsonl")] == ["labelled", "labelled", "failed"]
    status = invoke("status", "--database", database)
    assert "labelled     2" in status.output and "BAD_STRUCTURE 1" in status.output
    assert "Å apart" in invoke("explain", bad, "--database", database).output
    assert "1 structures wait again" in invoke("retry", "--failed", "--database", database).output


def test_explain_says_what_was_done_to_mend_a_label(tmp_path: Path) -> None:
    atoms = si8(1)
    audit = [{"run": 1, "error": "S_MATRIX", "action": "diagonalization paro", "kept": "nothing"}]
    manager = DatabaseManager(tmp_path / "s.db")
    manager.add([atoms])
    manager.record([replace(result_of(atoms), audit=audit)])
    said = invoke("explain", atoms.info["gibbsflow_id"], "--database", tmp_path / "s.db").output
    assert "corrections: \n  1 S_MATRIX: diagonalization paro (kept: nothing)\n" in said
    assert " labelled: label accepted\n" in said


def test_finished_labels_are_not_made_again(batch: dict[str, Path]) -> None:
    assert invoke("label", *options(batch)).exit_code == 0
    first = (batch["out"] / "labels.jsonl").read_bytes()
    again = invoke("label", *options(batch))
    result = json.loads((batch["out"] / "result.json").read_text())
    assert (again.exit_code, result["reused"]) == (0, 3)
    assert (batch["out"] / "labels.jsonl").read_bytes() == first
    one = batch["state"] / result["settings_hash"] / si8(2).info["gibbsflow_id"]
    (one / "label.json").write_text("{trunc")
    assert invoke("label", *options(batch)).exit_code == 0
    assert json.loads((batch["out"] / "result.json").read_text())["reused"] == 2
    assert invoke("label", *options(batch), "--retry-failed").exit_code == 0
    assert json.loads((batch["out"] / "result.json").read_text())["reused"] == 2


def test_none_labelled_is_a_failure_of_science(batch: dict[str, Path]) -> None:
    write_frames(batch["input"], [overlapping()])
    ran = invoke("label", *options(batch))
    assert ran.exit_code == 70
    assert json.loads((batch["out"] / "result.json").read_text())["status"] == "failed"
    assert (batch["out"] / "labels.jsonl").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"input": "gone.extxyz"}, "no such file"),
        ({"text": TBLITE.replace("tblite", "vasp")}, "dft.engine"),
        ({"text": "target: {elements: [Si]}\ndft: {pseudo_library: gth, pw_command: no-such-pw.x}"}, "no-such-pw.x"),
        ({"text": "target: {elements: [Sx]}"}, "no element"),
    ],
)
def test_wrong_input_is_told_before_anything_starts(batch: dict[str, Path], change: dict[str, str], words: str) -> None:
    if "input" in change:
        batch["input"] = batch["input"].with_name(change["input"])
    batch["config"].write_text(change.get("text", TBLITE))
    ran = invoke("label", *options(batch))
    assert ran.exit_code == 65
    assert words in ran.output


def test_check_names_the_program(batch: dict[str, Path]) -> None:
    ran = invoke("check", "--config", batch["config"], "--json")
    assert ran.exit_code == 0
    assert json.loads(ran.stdout)["program"] == "tblite"


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    ran = invoke("status", "--database", tmp_path / "no.db")
    assert ran.exit_code == 65
    assert "no such database" in ran.output
    assert not (tmp_path / "no.db").exists()


def test_what_is_recorded_is_what_was_computed(batch: dict[str, Path], tmp_path: Path) -> None:
    assert invoke("label", *options(batch)).exit_code == 0
    text = (batch["out"] / "labelled.extxyz").read_text()
    (tmp_path / "forged.extxyz").write_text(re.sub(r"energy=-[\d.]+", "energy=-999.0", text))
    forged = options(batch | {"input": tmp_path / "forged.extxyz", "out": tmp_path / "again"})
    assert invoke("label", *forged, "--database", tmp_path / "s.db").exit_code == 0
    made = [frame.get_potential_energy() for frame in read(batch["out"] / "labelled.extxyz", ":")]
    assert [frame.get_potential_energy() for frame in DatabaseManager(tmp_path / "s.db").frames()] == made


def test_a_cap_that_is_lowered_and_raised_holds_in_the_database(batch: dict[str, Path], tmp_path: Path) -> None:
    database = tmp_path / "s.db"
    counts = []
    for cap in (100.0, 1e-3, 100.0):
        batch["config"].write_text(f"{TBLITE}labels: {{force_cap_ev_per_angstrom: {cap}}}\n")
        ran = invoke("label", *options(batch), "--database", database)
        assert ran.exit_code == (0 if cap > 1 else 70), ran.output
        counts.append(DatabaseManager(database).counts()["labelled"])
    assert counts == [2, 0, 2]
    assert json.loads((batch["out"] / "result.json").read_text())["reused"] == 3


@pytest.mark.parametrize("content", ["hello", None])
def test_what_is_no_database_is_wrong_input(batch: dict[str, Path], tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "x.db"
    path.mkdir() if content is None else path.write_text(content)
    for words in (("status",), ("label", *options(batch))):
        ran = invoke(*words, "--database", path)
        assert ran.exit_code == 65 and str(path) in ran.output, ran.output
