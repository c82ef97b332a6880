from __future__ import annotations

import json
from pathlib import Path

import pytest
from audited_labels import database, displaced
from silicon import COARSE, needs_pw, si2
from typer.testing import CliRunner

from gibbsflow.cli.dft import app
from gibbsflow.cli.gibbsflow import app as whole
from gibbsflow.cli.train import app as train
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.structures import write_frames

RUN = CliRunner()


def invoke(*words: object) -> object:
    return RUN.invoke(app, [str(word) for word in words])


@pytest.fixture
def spoilt(tmp_path: Path) -> DatabaseManager:
    frames = displaced(5)
    frames[1].calc.results["forces"][0] += 1.0
    return database(tmp_path / "s.db", frames)


def result(folder: Path) -> dict[str, object]:
    return json.loads((folder / "result.json").read_text())


def test_an_audit_holds_lets_in_and_does_nothing_twice(spoilt: DatabaseManager, tmp_path: Path) -> None:
    where, out = tmp_path / "s.db", tmp_path / "out"
    name = spoilt.labels()[1].name
    looked = invoke("audit", where, "--out", out, "--dry-run")
    assert looked.exit_code == 0 and result(out)["held"] == 1 and spoilt.counts()["held"] == 0
    first = invoke("audit", where, "--out", out)
    assert first.exit_code == 0, first.output
    told = result(out)
    assert (told["status"], told["labels"], told["held"], told["changed"]) == ("partial", 5, 1, [name])
    assert told["checks"] == {"net_force": 1} and "do not balance" in told["reasons"][name]["net_force"]
    assert f"{name}: forces do not balance" in first.output
    assert {"audit.json", "audit.csv", "audit.svg", "audit.png"} <= {path.name for path in out.iterdir()}
    assert invoke("audit", where, "--out", out).exit_code == 0 and result(out)["changed"] == []
    assert "held         1" in invoke("status", "--database", where).output
    assert "AUDIT(net_force)" in invoke("explain", name, "--database", where).output
    assert invoke("audit", where, "--out", out, "--release", name).exit_code == 0
    told = result(out)
    assert (told["status"], told["held"], told["released"], told["let_in"]) == ("finished", 0, 1, [name])
    assert spoilt.counts()["labelled"] == 5


def test_settings_of_other_labels_hold_nothing(spoilt: DatabaseManager, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("target: {elements: [Cu]}\ndft: {engine: tblite}\n")
    words = ("audit", tmp_path / "s.db", "--out", tmp_path / "out", "--config", tmp_path / "a.yaml", "--relabel", 1)
    assert invoke(*words).exit_code == 65
    assert spoilt.counts()["held"] == 0


def test_a_refused_call_releases_nothing(spoilt: DatabaseManager, tmp_path: Path) -> None:
    where, out, name = tmp_path / "s.db", tmp_path / "out", spoilt.labels()[1].name
    assert invoke("audit", where, "--out", out).exit_code == 0 and spoilt.counts()["held"] == 1
    (tmp_path / "a.yaml").write_text("target: {elements: [Cu]}\ndft: {engine: tblite}\n")
    words = ("audit", where, "--out", out, "--release", name, "--config", tmp_path / "a.yaml")
    ran = invoke(*words, "--relabel", 1)
    assert ran.exit_code == 65 and "the settings that the labels were made with" in ran.output
    known = spoilt.labels()[1]
    assert (spoilt.counts()["held"], list(known.released), list(known.held_for)) == (1, [], ["net_force"])
    assert invoke(*words).exit_code == 0 and spoilt.counts()["held"] == 0  # the same release by itself


def test_verbs_of_one_name_point_at_each_other() -> None:
    for program, other in ((app, "train audit"), (train, "dft audit")):
        said = " ".join(RUN.invoke(program, ["audit", "--help"]).output.split())
        assert other in said, said


def test_what_is_wrong_with_the_command_is_said(spoilt: DatabaseManager, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "a.yaml").write_text("target: {elements: [Cu]}\ndft: {engine: tblite}\n")
    empty = DatabaseManager(tmp_path / "empty.db")
    empty.add([si2()])
    for words, said in (
        (("audit", tmp_path / "none.db"), "no such database"),
        (("audit", tmp_path / "empty.db"), "holds no label"),
        (("audit", tmp_path / "s.db", "--release", "gf-none"), "'gf-none' is no label"),
        (("audit", tmp_path / "s.db", "--release", "gf-none", "--dry-run"), "one of them"),
        (("converge", "--input", tmp_path / "s.extxyz", "--energy-mev-per-atom", 0), "a number above 0"),
    ):
        ran = invoke(*words, "--out", out)
        assert ran.exit_code == 65 and said in ran.output, ran.output
    write_frames(tmp_path / "s.extxyz", [si2()])
    ran = invoke("converge", "--input", tmp_path / "s.extxyz", "--config", tmp_path / "a.yaml", "--out", out)
    assert ran.exit_code == 65 and "tblite has neither cutoff nor k points" in ran.output


def test_where_no_label_is_left_the_science_has_failed(spoilt: DatabaseManager, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("labels: {force_cap_ev_per_angstrom: 0.001}\n")
    ran = invoke("audit", tmp_path / "s.db", "--config", tmp_path / "a.yaml", "--out", tmp_path / "out")
    assert ran.exit_code == 70 and "every label is held" in ran.output


def test_both_programs_have_the_verbs() -> None:
    assert "audit" in RUN.invoke(whole, ["dft", "--help"]).output


@pytest.mark.qe
@needs_pw
def test_settings_are_converged_for_a_stated_error(tmp_path: Path) -> None:
    write_frames(tmp_path / "s.extxyz", [si2()])
    content = "".join(f"  {key}: {value}\n" for key, value in COARSE.items())
    (tmp_path / "si.yaml").write_text(f"target: {{elements: [Si]}}\ndft:\n{content}")
    words = ("converge", "--input", tmp_path / "s.extxyz", "--config", tmp_path / "si.yaml", "--out", tmp_path / "out",
             "--energy-mev-per-atom", 400, "--force-ev-per-angstrom", 3, "--stress-gpa", 60)  # fmt: skip
    ran = invoke(*words)
    assert ran.exit_code == 0, ran.output
    told = result(tmp_path / "out")
    assert told["errors"]["energy_mev_per_atom"] <= 400 and set(told["ladders"]) == {"cutoff", "k points"}
    assert told["finer"]["ecutwfc_ry"] > told["dft"]["ecutwfc_ry"]
    assert {"convergence.json", "convergence.csv", "convergence.svg"} <= {p.name for p in (tmp_path / "out").iterdir()}
    labels = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("label.json")}
    assert invoke(*words).exit_code == 0 and result(tmp_path / "out")["dft"] == told["dft"]
    assert labels == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("label.json")}
    checked = invoke("check", "--config", tmp_path / "out" / "settings.yaml")
    assert checked.exit_code == 0 and f"cutoffs: {told['dft']['ecutwfc_ry']:g}" in checked.output
