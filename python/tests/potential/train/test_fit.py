"""`train fit` on small sets by effective medium theory: errors, references, core, signals, bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest
from ase import Atoms
from ase.build import molecule
from ase.io import write
from labelled_sets import CUTOFF_ANGSTROM, fitted_copper, label, rattled

from gibbsflow.config.potential_training import Training
from gibbsflow.potential.explore.calculator import PodCalculator
from gibbsflow.potential.train import fit as training
from gibbsflow.potential.train.inputs import Inputs
from gibbsflow.potential.train.trainers import pod_fit, pod_search
from gibbsflow.potential.train.trainers.pod import PodPotential
from gibbsflow.workflow.state.segments import Stopper

TRAIN = [sys.executable, "-m", "gibbsflow.cli.train", "fit"]


def _fit(folder, train, test, *, budget_s=60.0, **settings):
    write(folder / "train.extxyz", train)
    write(folder / "test.extxyz", test)
    inputs = Inputs.read(folder / "train.extxyz", folder / "test.extxyz")
    with Stopper() as stopper:
        chosen = Training(**{"processes": 1, "max_coefficients": 70, "cutoff_angstrom": CUTOFF_ANGSTROM, **settings})
        return training.fit_pod(inputs, chosen, seed=1, stopper=stopper, budget_s=budget_s, out=folder)


def test_errors_on_copper_are_small_and_stress_is_fitted():
    _, figures = fitted_copper()
    test = figures["test"]
    assert test["energy_mae_mev_per_atom"] < 3.0
    assert test["force_mae_ev_per_angstrom"] < 0.03
    assert test["stress_mae_gpa"] < 0.3
    assert figures["stress_frames_used"] == 24
    assert figures["lammps_difference_ev_per_atom"] < 1e-9
    assert test["by_config_type"]["rattled"]["force_mae_ev_per_angstrom"] == test["force_mae_ev_per_angstrom"]
    assert "no parents" in figures["split"]


def test_everything_is_written():
    folder, figures = fitted_copper()
    names = {"potential.pod", "coefficients.pod", "in.potential", "potential.json", "active_set.npz"}
    assert names <= {p.name for p in (folder / "potential").iterdir()}
    for name in ("parity.svg", "parity.png", "grades.svg", "grades.png"):
        assert (folder / name).stat().st_size > 1000
    card = (folder / "dataset_card.md").read_text()
    assert "| test | rattled | 6 | 48 | 6 |" in card
    assert "Cu" in card and figures["split"] in card


def test_the_calculator_gives_what_was_reported():
    folder, figures = fitted_copper()
    calculator = PodCalculator(folder / "potential")
    errors = []
    for frame in rattled(6, 2):
        atoms = frame.copy()
        atoms.calc = calculator
        errors.append(abs(atoms.get_potential_energy() - frame.get_potential_energy()) / len(atoms))
    assert 1e3 * np.mean(errors) == pytest.approx(figures["test"]["energy_mae_mev_per_atom"], abs=1e-4)
    calculator.close()


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


def test_alloy_with_isolated_atoms_is_right_when_taken_apart(tmp_path):
    atoms = [
        label(Atoms(s, cell=[12.0] * 3, pbc=True), stress=False, config_type="isolated_atom") for s in ("Cu", "Au")
    ]
    frames = rattled(16, 3, ("Cu", "Au"), stress=False)
    figures = _fit(tmp_path, [*atoms, *frames], rattled(4, 4, ("Cu", "Au")), max_coefficients=140)
    assert figures["references"]["source"] == "isolated atoms"
    assert figures["test"]["energy_mae_mev_per_atom"] < 15
    assert figures["train"]["by_config_type"]["isolated_atom"]["energy_mae_mev_per_atom"] == pytest.approx(0, abs=1e-6)
    calculator = PodCalculator(tmp_path / "potential")
    apart = Atoms("CuAu", positions=[[0, 0, 0], [0, 0, 9]], calculator=calculator)
    assert apart.get_potential_energy() == pytest.approx(sum(a.get_potential_energy() for a in atoms), abs=1e-9)
    calculator.close()


def test_molecules_in_vacuum(tmp_path):
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(24):
        atoms = molecule("CH3OH")
        atoms.positions += rng.normal(0, 0.04, atoms.positions.shape)
        frames.append(label(atoms, config_type="normal_mode"))
    figures = _fit(tmp_path, frames[:20], frames[20:], max_coefficients=200, cutoff_angstrom=4.0)
    assert figures["species"] == ("C", "H", "O")
    assert figures["test"]["stress_mae_gpa"] is None
    assert figures["test"]["stress_reason"] == "no frame has a stress"
    floor = np.abs(np.concatenate([f.get_forces().ravel() for f in frames[20:]])).mean()
    assert figures["test"]["force_mae_ev_per_angstrom"] < 0.2 * floor


@pytest.mark.parametrize("zbl", [True, False])
def test_the_core_is_in_training_and_md_or_in_neither(tmp_path, zbl):
    rng = np.random.default_rng(2)
    dimers = [
        label(Atoms("Cu2", positions=[[0, 0, 0], [d, 0, 0]]), config_type="dimer") for d in np.linspace(1.7, 3.5, 30)
    ]
    dimers = [dimers[i] for i in rng.permutation(30)]
    figures = _fit(tmp_path, [*dimers[:24], *rattled(6, 5, stress=False)], dimers[24:], zbl=zbl)
    assert bool(figures["zbl_angstrom"]) == zbl
    assert ("zbl" in (tmp_path / "potential" / "in.potential").read_text()) == zbl
    # LAMMPS, with the core where there is one, gives the labels: what was taken off before the fit is what MD adds
    assert figures["lammps_difference_ev_per_atom"] < 1e-9
    assert figures["train"]["by_config_type"]["dimer"]["energy_rmse_mev_per_atom"] < 100


def test_masked_forces_do_not_change_the_fit(tmp_path):
    frames = rattled(8, 6, stress=False)
    coefficients = []
    for name, wrong in (("a", 0.0), ("b", 50.0)):
        for frame in frames:
            frame.arrays["force_mask"] = np.arange(len(frame)) > 1
            frame.calc.results["forces"][0] += wrong
        (tmp_path / name).mkdir()
        _fit(tmp_path / name, frames, rattled(2, 7))
        coefficients.append(PodPotential.read(tmp_path / name / "potential").coefficients)
    assert coefficients[1] == pytest.approx(coefficients[0], rel=1e-6, abs=1e-9)


def test_settings_are_obeyed(tmp_path):
    figures = _fit(
        tmp_path, rattled(12, 8), rattled(2, 9), cutoff_angstrom=None, folds=3, energy_weight=5.0, ridge=1e-6,
        stress_weight=0.0,
        target_force_rmse_ev_per_angstrom=10.0, target_energy_rmse_mev_per_atom=1000.0, max_coefficients=200,
        memory_gb=1.0,
    )  # fmt: skip
    assert figures["folds"] == 3
    assert (figures["basis"]["energy_weight"], figures["basis"]["ridge"]) == (5.0, 1e-6)
    assert figures["stress_frames_used"] == 0
    assert figures["search_stopped_by"] == "validation errors are below the targets"
    tried = {r["cutoff_angstrom"] for r in figures["search"] if r.get("purpose") == "cutoff"}
    assert len(tried) == 4
    assert figures["basis"]["cutoff_angstrom"] in tried


def test_memory_bounds_the_basis():
    frames = [type("F", (), {"force_mask": np.ones(10_000, bool)})()]
    problem = type("P", (), {"frames": frames, "fold": np.array([4])})()
    small, large = (pod_search._limit(problem, Training(memory_gb=m, max_coefficients=20_000)) for m in (0.01, 4.0))
    assert small < 300 < large <= 7500


def test_length_scales():
    read = Inputs.read(fitted_copper()[0] / "train.extxyz", fitted_copper()[0] / "test.extxyz")
    scales = pod_fit.length_scales(read.train)
    assert 1.8 < scales.shortest_angstrom < scales.neighbour_angstrom < 2.7


def _copper_files():
    folder, _ = fitted_copper()
    return ["--train", str(folder / "train.extxyz"), "--test", str(folder / "test.extxyz")]


def test_command_writes_the_contract(tmp_path):
    (tmp_path / "c.yaml").write_text("training: {cutoff_angstrom: 4.0, stress_weight: 0, time_budget_min: 0.01}\n")
    command = [*TRAIN, *_copper_files(), "--out", str(tmp_path / "o"), "--config", str(tmp_path / "c.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "o" / "result.json").read_text())
    assert result["status"] == "finished"
    assert len(result["inputs_hash"]) == 64
    assert "time budget would not hold" in result["search_stopped_by"]
    for part in ("train", "test"):
        assert result[part]["energy_mae_mev_per_atom"] > 0
        assert result[part]["force_mae_ev_per_angstrom"] > 0


def test_one_frame_is_enough_to_run(tmp_path):
    figures = _fit(tmp_path, rattled(1, 30, stress=False), rattled(1, 31, stress=False), max_coefficients=30)
    assert figures["folds"] == 1
    assert figures["train"]["energy_mae_mev_per_atom"] < 10


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend", "gap"], "'gap' is no trainer"),
        (["--train", "absent.extxyz"], "absent.extxyz: no such file"),
        (["--config", "c.yaml"], "did you mean 'max_coefficients'"),
    ],
)
def test_bad_calls_exit_65_with_one_message(tmp_path, arguments, message):
    (tmp_path / "c.yaml").write_text("training: {max_coefficient: 30}\n")
    command = [*TRAIN, *_copper_files(), "--out", "o", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 65
    assert message in done.stderr


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
