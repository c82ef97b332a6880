"""The whole loop on this machine, with real labels (xTB), real training and real MD."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ase.build import bulk
from loop_states import finished
from typer.testing import CliRunner

from gibbsflow.cli.infer import app
from gibbsflow.potential.explore.calculator import PodCalculator
from gibbsflow.potential.loop.run_local import LocalLoop
from gibbsflow.potential.loop.state import LoopCheckpoint

SETTINGS = """
elements: [Si]
structure: diamond
temperature_k: [300, 900]
engine: tblite
generator: {volume_steps: 3, cell_strain_count: 1, rattle_sigma_angstrom: [0.05], rattle_count: 4, thermal_count: 2}
labels: {batch_size: 5}
training: {cutoff_angstrom: 4.5, max_coefficients: 70, time_budget_min: 0.5, processes: 1}
exploration: {steps: 100, segment_steps: 50, grade_interval: 10}
selection: {budget: 3}
loop: {trajectories: 2, initial_labels: 10, holdout_labels: 4}
convergence: {max_generations: 2, force_mae_ev_per_angstrom: 0.001}
"""


def command(folder: Path, *more: str) -> list[str]:
    words = [sys.executable, "-m", "gibbsflow.cli.infer", "loop", "--local", "--config", str(folder / "si.yaml")]
    return [*words, "--out", str(folder / "out"), "--state", str(folder / "state"), *more]


def run(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(folder, *more), capture_output=True, text=True, timeout=600, check=False)


def test_verbs_describe_where_the_loop_stands(tmp_path: Path) -> None:
    finished(tmp_path / "generation_01")
    given = ["--from", str(tmp_path / "generation_01"), "--out", str(tmp_path / "out"), "--json"]
    done = CliRunner().invoke(app, ["report", *given])
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (result["phase"], result["stopped_by"], result["seed"], len(result["history"])) == (
        "stopped", "converged", 1, 2,
    )  # fmt: skip
    assert (tmp_path / "out" / "report.html").exists()


def test_a_start_is_from_structures_or_from_a_generation(tmp_path: Path) -> None:
    (tmp_path / "si.yaml").write_text(SETTINGS)
    given = ["start", "--config", str(tmp_path / "si.yaml"), "--out", str(tmp_path / "out")]
    both = ["--from", str(tmp_path), "--structures", str(tmp_path), "--holdout", str(tmp_path)]
    for options in ([], both, ["--structures", str(tmp_path)]):
        refused = CliRunner().invoke(app, [*given, *options])
        assert refused.exit_code == 65 and "no start given" in refused.output


def test_a_local_loop_is_reported_when_it_has_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "si.yaml").write_text(SETTINGS)
    manager = finished(tmp_path / "generation_01")
    monkeypatch.setattr(LocalLoop, "run", lambda self, begin: manager)
    done = CliRunner().invoke(app, command(tmp_path)[3:])
    assert done.exit_code == 0, done.output
    assert "converged: good <enough>" in done.output
    assert (tmp_path / "out" / "report.html").exists() and (tmp_path / "out" / "structures.csv").exists()


@pytest.mark.slow
def test_a_loop_that_is_interrupted_goes_on_and_leaves_a_potential(tmp_path: Path) -> None:
    (tmp_path / "si.yaml").write_text(SETTINGS)
    state = tmp_path / "state"
    with subprocess.Popen(command(tmp_path), stderr=subprocess.PIPE, text=True) as first:
        end = time.monotonic() + 120
        while not list(state.glob("labels/*/*/FINISHED")) and time.monotonic() < end:
            time.sleep(0.05)
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
    assert first.returncode == 75
    made = {path: path.stat().st_mtime_ns for path in state.glob("labels/*/*/FINISHED")}
    assert made

    second = run(tmp_path)
    assert second.returncode == 0, second.stderr
    assert all(path.stat().st_mtime_ns == when for path, when in made.items())
    point = LoopCheckpoint.read(tmp_path / "out")
    assert point.stopped_by in ("generations", "nothing_new") and len(point.history) == 2
    assert point.history[1].labels > point.history[0].labels
    with open(tmp_path / "out" / "structures.csv") as file:
        rows = list(csv.DictReader(file))
    assert sum(row["status"] == "labelled" for row in rows) == point.history[1].labels + 4
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Learning curve" in page and 'src="http' not in page
    silicon = bulk("Si", cubic=True)
    silicon.calc = PodCalculator(tmp_path / "out" / "potential")
    assert abs(silicon.get_forces()).max() < 1e-3

    files = [p for p in state.rglob("command.json")]
    before = {path: path.stat().st_mtime_ns for path in files}
    third = run(tmp_path)
    assert third.returncode == 0 and " INFO " not in third.stderr
    assert before == {path: path.stat().st_mtime_ns for path in files}

    (tmp_path / "si.yaml").write_text(SETTINGS.replace("steps: 100", "steps: 200"))
    other = run(tmp_path)
    assert other.returncode == 70 and "the state was begun with other settings" in other.stderr

    path = tmp_path / "out" / "generation_00" / "checkpoint.json"
    path.write_text(path.read_text()[:100])
    (tmp_path / "si.yaml").write_text(SETTINGS)
    broken = run(tmp_path)
    assert broken.returncode == 70 and f"{path}: not readable as JSON" in broken.stderr


def test_where_it_runs_has_to_be_said(tmp_path: Path) -> None:
    (tmp_path / "si.yaml").write_text(SETTINGS)
    words = [word for word in command(tmp_path) if word != "--local"]
    refused = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 65 and "--mode potential" in refused.stderr
