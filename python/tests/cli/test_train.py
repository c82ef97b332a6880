"""`train fit` as a command: what it writes, what it keeps, how it stops, and what it refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import psutil
import pytest
from ase.io import write
from labelled_sets import CUTOFF_ANGSTROM, fitted_copper, rattled
from typer.testing import CliRunner

from gibbsflow.cli.train import app
from gibbsflow.potential.train import fit as training
from gibbsflow.report import fit_files
from gibbsflow.workflow.state.status import read_status

TRAIN = [sys.executable, "-m", "gibbsflow.cli.train", "fit"]
DRAWN = (
    "dataset_card.md", "parity.svg", "parity.png", "grades.svg", "grades.png", "grade_error.svg", "grade_error.png",
    "pareto.svg", "pareto.png",
)  # fmt: skip
DATA = ("parity.csv", "grades.csv", "grade_error.csv", "pareto.csv")


def _copper_files():
    folder, _ = fitted_copper()
    return ["--train", str(folder / "train.extxyz"), "--test", str(folder / "test.extxyz")]


def test_command_writes_the_contract(tmp_path):
    (tmp_path / "c.yaml").write_text("training: {cutoff_angstrom: 4.0, stress_weight: 0, time_budget_min: 0.01}\n")
    command = [*TRAIN, *_copper_files(), "--out", str(tmp_path / "o"), "--config", str(tmp_path / "c.yaml")]
    done = subprocess.run([*command, "--goal", "speed"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "o" / "result.json").read_text())
    assert result["status"] == "finished"
    assert len(result["inputs_hash"]) == 64
    assert "time budget would not hold" in result["search_stopped_by"]
    assert result["goal"] == "speed" and result["pareto"][0]["md_us_per_atom_step"] > 0
    assert sum(row.endswith(",yes") for row in (tmp_path / "o/pareto.csv").read_text().splitlines()) == 1
    for part in ("train", "test"):
        assert result[part]["energy_mae_mev_per_atom"] > 0
        assert result[part]["force_mae_ev_per_angstrom"] > 0
    assert result["versions"]["lammps"] and "lammps" not in result
    written = {path.name for path in (tmp_path / "o").iterdir()}
    assert written == {"potential", "result.json", *DATA, *DRAWN}
    for name in DRAWN:
        assert (tmp_path / "o" / name).stat().st_size > 500
    card = (tmp_path / "o" / "dataset_card.md").read_text()
    assert "| test | rattled | 6 | 48 | 6 |" in card and result["split"] in card


def test_a_finished_fit_is_kept_and_a_damaged_one_is_made_again(tmp_path):
    write(tmp_path / "train.extxyz", rattled(24, 1))
    write(tmp_path / "test.extxyz", rattled(6, 2))
    settings = {"training": {"processes": 1, "max_coefficients": 40, "cutoff_angstrom": CUTOFF_ANGSTROM}}
    (tmp_path / "c.json").write_text(json.dumps(settings))
    state = tmp_path / "state"

    def run(out, *options):
        given = ["--train", "train.extxyz", "--test", "test.extxyz", "--config", "c.json", "--state", state]
        done = subprocess.run([*TRAIN, *given, "--out", out, *options], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode in (0, 70), done.stderr
        return done.returncode, json.loads((tmp_path / out / "result.json").read_text())

    def files(out):
        return {p.name: p.read_bytes() for p in (tmp_path / out).rglob("*") if p.is_file() and p.name != "result.json"}

    with ThreadPoolExecutor(2) as both:  # as when a head has died and its task has not
        (code, first), (again_code, again) = both.map(run, ("one", "two"))
    assert (code, again_code) == (0, 0) and files("one") == files("two")
    assert {k: v for k, v in again.items() if k != "timings"} == {k: v for k, v in first.items() if k != "timings"}
    assert sum("engine_s" in made["timings"] for made in (first, again)) == 1
    assert len(json.loads((state / "attempts.json").read_text())) == 1
    (row,) = read_status(state)
    assert (row["status"], row["left_s"], row["budget_s"]) == ("finished", None, 900.0)
    (engine_s,) = (made["timings"]["engine_s"] for made in (first, again) if "engine_s" in made["timings"])
    assert 0 < row["engine_s"] <= engine_s + 0.002 and 0 < row["spent_s"] < 900
    kept = state / "output.tar.gz"
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    kept.write_bytes(content)
    code, damaged = run("three")
    assert code == 70 and str(kept) in damaged["message"]
    code, mended = run("three")
    assert code == 0
    for name in ("energy_mae_mev_per_atom", "force_mae_ev_per_angstrom"):
        assert mended["test"][name] == pytest.approx(first["test"][name])
    assert (state / "superseded-000/output.tar.gz").read_bytes() == content
    _, other = run("four", "--seed", "7")
    assert other["inputs_hash"] != first["inputs_hash"] and (state / "superseded-001").is_dir()


def test_a_trainer_that_no_lammps_runs_names_no_version_of_it(tmp_path, monkeypatch):
    made = SimpleNamespace(figures={"test": {}}, stopped_by="signal")
    monkeypatch.setattr(training, "fit", lambda *_, **__: made)
    monkeypatch.setattr(fit_files, "write_fit_files", lambda *_: None)
    given = [*_copper_files(), "--backend", "chgnet", "--out", str(tmp_path / "o")]
    assert CliRunner().invoke(app, ["fit", *given]).exit_code == 75
    assert "lammps" not in json.loads((tmp_path / "o" / "result.json").read_text())["versions"]


def test_sigterm_leaves_the_best_potential_so_far(tmp_path):
    log = tmp_path / "log"
    command = [*TRAIN, *_copper_files(), "--out", str(tmp_path / "o"), "--time-budget", "1h"]
    with open(log, "w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    end = time.monotonic() + 90
    while not (tmp_path / "o" / "potential" / "coefficients.pod").exists() and time.monotonic() < end:
        time.sleep(0.1)
    # as a scheduler does: every process of the job gets the signal
    for one in (process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))):
        os.kill(one, signal.SIGTERM)
    assert process.wait(60) == 75, log.read_text()
    result = json.loads((tmp_path / "o" / "result.json").read_text())
    assert result["status"] == "partial"
    assert "SIGTERM" in result["message"]
    assert result["test"]["force_mae_ev_per_angstrom"] < 0.1
    assert (tmp_path / "o" / "potential" / "active_set.npz").exists()
    assert result["cause"] == "StoppedEarly" and result["versions"]["lammps"]
    assert {path.name for path in (tmp_path / "o").iterdir()} == {"potential", "result.json", *DATA, *DRAWN}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend", "gap"], "'gap' is no trainer"),
        (["--train", "absent.extxyz"], "absent.extxyz: no such file"),
        (["--config", "c.yaml"], "did you mean 'max_coefficients'"),
        (["--goal", "cheap"], "accuracy or balanced or speed"),
    ],
)
def test_bad_calls_exit_65_with_one_message(tmp_path, arguments, message):
    (tmp_path / "c.yaml").write_text("training: {max_coefficient: 30}\n")
    command = [*TRAIN, *_copper_files(), "--out", "o", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 65
    assert message in done.stderr


def _audit(*arguments):
    command = [*TRAIN[:-1], "audit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_audit_says_what_is_there_before_anything_is_fitted(tmp_path):
    write(tmp_path / "train.extxyz", rattled(24, 1))
    write(tmp_path / "test.extxyz", rattled(6, 2))
    done = _audit(tmp_path / "train.extxyz", "--test", tmp_path / "test.extxyz")
    assert done.returncode == 0, done.stderr
    assert "- labels: energy, forces, stress" in done.stdout and "- frames: 24 of 24, 192 atoms, Cu" in done.stdout
    told = json.loads(_audit(tmp_path / "train.extxyz", "--json").stdout)
    assert told["account"]["train"]["frames"] == 24 and told["warnings"] == []


def test_audit_and_fit_refuse_the_same(tmp_path):
    frames = rattled(24, 1)
    for frame in frames:
        frame.calc.results["stress"] = frame.calc.results["stress"] * 160.2
    train, test = tmp_path / "train.extxyz", tmp_path / "test.extxyz"
    write(train, frames)
    write(test, rattled(6, 2))
    audit = _audit(train, "--test", test)
    fit = subprocess.run(
        [*TRAIN, "--train", train, "--test", test, "--out", tmp_path / "o"], capture_output=True, text=True, timeout=60
    )
    assert audit.returncode == fit.returncode == 65
    assert "REFUSED" in audit.stdout and "as if in GPa" in fit.stderr and "as if in GPa" in audit.stderr


def test_the_labels_that_are_read_are_said_and_recorded(tmp_path):
    for name, count, seed in (("train", 24, 1), ("test", 6, 2)):
        frames = rattled(count, seed)
        for frame in frames:
            frame.info["REF_energy"] = frame.get_potential_energy() - 40.0
            frame.arrays["REF_forces"] = frame.get_forces()
        write(tmp_path / f"{name}.extxyz", frames)
    (tmp_path / "c.yaml").write_text("training: {cutoff_angstrom: 4.0, max_coefficients: 40, processes: 1}\n")
    given = ["--train", "train.extxyz", "--test", "test.extxyz", "--config", "c.yaml", "--out", "o"]
    done = subprocess.run([*TRAIN, *given], capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "train labels: REF_energy, REF_forces; not used: energy, forces, stress" in done.stderr
    result = json.loads((tmp_path / "o" / "result.json").read_text())
    assert result["labels"]["test"] == ["REF_energy", "REF_forces"] and result["warnings"] == []
    assert result["references"]["energy_ev"]["Cu"] == pytest.approx(-5.0, abs=0.3)
    assert "## What was read" in (tmp_path / "o" / "dataset_card.md").read_text()


def test_ace_says_how_to_get_it_and_under_which_licence(tmp_path):
    command = [*TRAIN, *_copper_files(), "--out", str(tmp_path / "o"), "--backend", "pace"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONNOUSERSITE": "1"}
    )
    if done.returncode == 0:  # where python-ace is installed, it has to fit
        result = json.loads((tmp_path / "o" / "result.json").read_text())
        assert result["test"]["force_mae_ev_per_angstrom"] < 0.05
        return
    assert done.returncode == 65
    assert "python-ace is not installed" in done.stderr
    assert "Academic Software Licence" in done.stderr
