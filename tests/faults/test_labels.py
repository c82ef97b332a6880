"""Faults of the potential half: labels that fail or are killed, databases that are broken or locked, LAMMPS killed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import read, write
from faults.child import Moment, Running, run
from labelled_sets import fitted_copper
from silicon import overlapping, si8

from gibbsflow.potential.data.formats import backends
from gibbsflow.potential.data.structures import write_frames

pytest.importorskip("tblite")


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    """Structures, one of them bad, and their labels made in one go."""
    root = tmp_path_factory.mktemp("labels")
    write_frames(root / "s.extxyz", [si8(1), overlapping(), si8(2), si8(3)])
    (root / "run.yaml").write_text("target: {elements: [Si]}\ndft: {engine: tblite}\n")
    ended = label(root, root)
    assert ended.code == 0, ended.text
    return root


def words(batch: Path, root: Path, *more: object) -> list[object]:
    given = ["label", "--input", batch / "s.extxyz", "--config", batch / "run.yaml"]
    return [*given, "--state", root / "state", "--out", root / "out", *more]


def label(batch: Path, root: Path, *more: object, dies: Moment | None = None):
    return run("dft", *words(batch, root, *more), dies=dies)


def labels(root: Path) -> list[tuple[str, float, list]]:
    """Identifiers, energies and forces; tblite's threads move the last digits (1e-13 eV)."""
    frames = read(root / "out" / "labelled.extxyz", ":")
    return [
        (f.info["gibbsflow_id"], round(float(f.get_potential_energy()), 8), f.get_forces().round(6).tolist())
        for f in frames
    ]


def finished(root: Path) -> dict[str, int]:
    return {str(p.relative_to(root)): p.stat().st_mtime_ns for p in (root / "state").rglob("label.json")}


def test_a_failed_label_has_its_cause_and_stops_no_other(batch):
    result = json.loads((batch / "out" / "result.json").read_text())
    assert result["status"] == "partial" and result["counts"] == {"labelled": 3, "failed": 1}
    assert result["failures"] == {overlapping().info["gibbsflow_id"]: "BAD_STRUCTURE"}
    assert len(labels(batch)) == 3


@pytest.mark.parametrize(
    "moment",
    [Moment("label.json", "half", 2), Moment("label.json", "renamed", 3), Moment("FINISHED", "renamed", 2)],
    ids=str,
)
def test_killed_in_a_batch(batch, tmp_path, moment):
    assert label(batch, tmp_path, dies=moment).code == -signal.SIGKILL
    before = finished(tmp_path)
    assert before
    again = label(batch, tmp_path)
    assert again.code == 0, again.text
    assert labels(tmp_path) == labels(batch)
    whole = {name for name in before if (tmp_path / name).with_name("FINISHED").exists()}
    if moment.file == "FINISHED":
        assert {name: finished(tmp_path)[name] for name in whole} == {name: before[name] for name in whole}


@pytest.mark.parametrize("content", [b"", b"\xff{", b"[]"])
def test_garbage_in_the_store_is_made_again(batch, tmp_path, content):
    assert label(batch, tmp_path).code == 0
    places = sorted((tmp_path / "state").rglob("label.json"))
    places[0].write_bytes(content)
    sorted((tmp_path / "state").rglob("FINISHED"))[-1].write_bytes(content)
    again = label(batch, tmp_path)
    assert again.code == 0 and "Traceback" not in again.text, again.text
    assert labels(tmp_path) == labels(batch)


@pytest.mark.parametrize("how", ["text", "truncated", "flipped"])
def test_a_broken_database_is_named_and_left_alone(batch, tmp_path, how):
    database = tmp_path / "s.db"
    assert label(batch, tmp_path, "--database", database).code == 0
    content = database.read_bytes()
    broken = {
        "text": b"this is no database\n" * 300,
        "truncated": content[: len(content) // 2],
        "flipped": content[:4096] + bytes(byte ^ 0xFF for byte in content[4096:8192]) + content[8192:],
    }[how]
    database.write_bytes(broken)
    for verb in (("status",), ("label", *words(batch, tmp_path)[1:])):
        ended = run("dft", *verb, "--database", database)
        assert ended.code == 65 and "Traceback" not in ended.text, ended.text
        (error,) = [line for line in ended.text.splitlines() if line.startswith("error:")]
        assert "s.db" in error
    assert database.read_bytes() == broken
    database.unlink()
    assert label(batch, tmp_path, "--database", database).code == 0
    assert labels(tmp_path) == labels(batch)


def test_a_locked_database_is_an_error_in_time_and_goes_on_after(batch, tmp_path, monkeypatch):
    database = tmp_path / "s.db"
    assert label(batch, tmp_path, "--database", database).code == 0
    monkeypatch.setattr(backends, "BUSY_S", 0.3)
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    begin = time.monotonic()
    ended = label(batch, tmp_path, "--database", database)
    assert time.monotonic() - begin < 20 and ended.code not in (0, 75)
    assert "locked by another process" in ended.text and "Traceback" not in ended.text
    holder.execute("ROLLBACK")
    holder.close()
    assert label(batch, tmp_path, "--database", database).code == 0
    assert labels(tmp_path) == labels(batch)


def test_a_journal_left_behind_is_taken_in(batch, tmp_path):
    """Killed with a transaction in the write-ahead log: whole ones count, the open one does not."""
    database = tmp_path / "s.db"
    assert label(batch, tmp_path, "--database", database, dies=Moment("label.json", "half", 3)).code == -signal.SIGKILL

    def dies_in_a_transaction() -> None:
        connection = sqlite3.connect(database, isolation_level=None)
        connection.execute("PRAGMA cache_size=1")  # what is changed goes to the log at once
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE systems SET username = hex(randomblob(100000))")
        os.kill(os.getpid(), signal.SIGKILL)

    assert run("dft", before=dies_in_a_transaction).code == -signal.SIGKILL
    assert (tmp_path / "s.db-wal").stat().st_size > 0
    again = label(batch, tmp_path, "--database", database)
    assert again.code == 0, again.text
    assert labels(tmp_path) == labels(batch)
    status = run("dft", "status", "--database", database, "--json")
    assert json.loads(status.text)["counts"]["labelled"] == 3


SETTINGS = "exploration: {steps: 90, segment_steps: 30, grade_interval: 10, temperature_k: 600, lower_grade: 1.0e-3, upper_grade: 1.0e+6}\n"  # noqa: E501


def explore(root: Path, *more: object, start: Path) -> list[object]:
    given = ["explore", "--potential", fitted_copper()[0] / "potential", "--structure", start / "start.extxyz"]
    given += ["--config", start / "run.yaml", "--state", root / "state", "--out", root / "out"]
    return [*given, *more]


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory):
    """An exploration in one go."""
    root = tmp_path_factory.mktemp("explored")
    write(root / "start.extxyz", bulk("Cu", cubic=True))
    (root / "run.yaml").write_text(SETTINGS)
    ended = run("infer", *explore(root, start=root))
    assert ended.code == 0, ended.text
    return root


def same_frames(root: Path, whole: Path) -> None:
    assert (root / "out" / "frames.extxyz").read_bytes() == (whole / "out" / "frames.extxyz").read_bytes()
    one, other = (json.loads((folder / "out" / "result.json").read_text()) for folder in (root, whole))
    keys = ("steps", "stopped_by", "max_grade", "looks", "frames")
    assert {key: one[key] for key in keys} == {key: other[key] for key in keys}


@pytest.mark.parametrize(
    "moment",
    [
        Moment("checkpoint-current.bin", "half", 2),
        Moment("checkpoint-current.bin", "renamed", 1),
        Moment("checkpoint-current.bin", "renamed", 3),
        Moment("FINISHED", "half"),
    ],
    ids=str,
)
def test_exploration_killed(trajectory, tmp_path, moment):
    assert run("infer", *explore(tmp_path, start=trajectory), dies=moment).code == -signal.SIGKILL
    again = run("infer", *explore(tmp_path, start=trajectory))
    assert again.code == 0, again.text
    same_frames(tmp_path, trajectory)


def test_a_killed_lammps_is_no_finding_about_the_potential(trajectory, tmp_path):
    import psutil

    running = Running("infer", *explore(tmp_path, start=trajectory))
    running.wait_for(tmp_path / "state" / "lammps" / "grade.pod")
    for child in psutil.Process(running.pid).children():
        child.kill()
    ended = running.wait()
    assert ended.code == 0, ended.text
    same_frames(tmp_path, trajectory)


@pytest.mark.parametrize("how", ["one bad", "both bad"])
def test_checkpoints_of_an_exploration(trajectory, tmp_path, how):
    assert run("infer", *explore(tmp_path, "--segments", 2, start=trajectory)).code == 75
    names = ("checkpoint-current.bin", "checkpoint-previous.bin")
    for name in names[: 1 if how == "one bad" else 2]:
        content = (tmp_path / "state" / name).read_bytes()
        (tmp_path / "state" / name).write_bytes(content[:-40])
    again = run("infer", *explore(tmp_path, start=trajectory))
    if how == "both bad":
        assert again.code == 70 and "no checkpoint can be read" in again.text and "Traceback" not in again.text
        (tmp_path / "state").rename(tmp_path / "aside")
        again = run("infer", *explore(tmp_path, start=trajectory))
    assert again.code == 0, again.text
    same_frames(tmp_path, trajectory)
