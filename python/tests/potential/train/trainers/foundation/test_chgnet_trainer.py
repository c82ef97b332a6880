"""The trainer of the foundation model: refusals without its environment, arrays, and a fit where it is installed."""

import json
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from ase.io import write
from foundation_models import needs_model, stand_in
from labelled_sets import bare_frame, rattled
from typer.testing import CliRunner

from gibbsflow import PotentialCalculator
from gibbsflow.cli.train import app as train
from gibbsflow.config.potential_training import Training, Tuning
from gibbsflow.engines.foundation import environment, tuning_run
from gibbsflow.errors import EngineError, InputError, MissingProgramError, StoppedEarly
from gibbsflow.potential.train import fit as training
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.shared.splits import Folds
from gibbsflow.potential.train.trainers.foundation import chgnet_trainer
from gibbsflow.potential.train.trainers.foundation.chgnet import ChgnetPotential
from gibbsflow.potential.train.trainers.foundation.chgnet_references import Shift
from gibbsflow.workflow.state.segments import Stopper


def _fit(inputs, out, **keywords):
    settings = Training(backend="chgnet", chgnet=Tuning(epochs=3, batch=2), processes=1)
    with Stopper() as stopper:
        return training.fit(inputs, settings, seed=1, stopper=stopper, budget_s=600, out=out, **keywords)


def test_without_its_environment_it_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    with pytest.raises(MissingProgramError, match="not installed"):
        _fit(Inputs([bare_frame("Cu2")], [bare_frame("Cu2")]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (["Cu2", "Cu2"], ["CuAm"], "test, row 1: CHGNet does not know Am"),
        (["Cu", "Cu"], ["Cu2"], "isolated atoms alone"),
        (["Cu3Au"], ["CuAu"], "is no combination of the compositions"),
    ],
)
def test_what_it_cannot_learn_is_refused_before_anything_is_started(tmp_path, monkeypatch, train, test, message):
    made = environment.Environment(tmp_path / "none", "0")
    monkeypatch.setattr(chgnet_trainer, "find_environment", lambda: made)
    inputs = Inputs(*([bare_frame(symbols) for symbols in names] for names in (train, test)))
    with pytest.raises(InputError, match=message):
        _fit(inputs, tmp_path)


def test_the_loop_is_refused_for_it_has_no_grade():
    with pytest.raises(InputError, match="'chgnet' makes potentials without a grade"):
        training.graded_trainer(Training(backend="chgnet"))


def test_a_failure_of_its_process_is_told(tmp_path, monkeypatch):
    stand_in(monkeypatch, "receive(requests); send(out, {'error': 'RuntimeError: no'}, {})")
    monkeypatch.setattr(chgnet_trainer, "find_environment", lambda: None)
    with pytest.raises(EngineError, match="RuntimeError: no"):
        _fit(Inputs([bare_frame("Cu2")], [bare_frame("Cu2")]), tmp_path)


_TUNED_AND_SIGNALLED = """
import os, signal, numpy as np
def ask():
    message = receive(requests)
    return sys.exit() if message is None else message[1]
if "tune" in sys.argv:
    open(sys.argv[-1] + "/tuned.npz", "wb").close()
    os.kill(os.getppid(), signal.SIGTERM)
    send(out, {"outcome": {"stopped_by": "signal", "best_epoch": 1, "epochs": 1, "parameters": 1}}, {})
while True:
    count = len(ask()["numbers"])
    if len(sys.argv) > 3:
        time.sleep(100)
    send(out, {}, {"energy": np.float64(-count), "forces": np.zeros((count, 3)), "stress": np.zeros(6)})
"""


def test_errors_that_outlast_their_time_after_a_signal_are_given_up_and_the_model_stands(tmp_path, monkeypatch):
    stand_in(monkeypatch, _TUNED_AND_SIGNALLED)
    for module in (chgnet_trainer, tuning_run):
        monkeypatch.setattr(module, "GRACE_S", 0.5)
    monkeypatch.setattr(chgnet_trainer, "find_environment", lambda: None)
    frames = [bare_frame("Cu2", -8.0), bare_frame("Cu3", -12.0)]
    begin = time.monotonic()
    with pytest.raises(StoppedEarly, match="SIGTERM"):
        _fit(Inputs(frames, frames), tmp_path / "out", kept=tmp_path / "kept")
    assert time.monotonic() - begin < 30
    assert ChgnetPotential.read(tmp_path / "out/potential").species == ("Cu",)
    assert (tmp_path / "kept/chgnet/tuned.npz").exists()


def test_frames_become_arrays_with_masks_and_the_first_fold_judges():
    frames = [bare_frame("Cu2", -8.0), bare_frame("Cu3", -12.0, stress=np.arange(6.0))]
    frames[0] = replace(frames[0], force_mask=np.array([True, False]))
    arrays = chgnet_trainer._arrays(frames, Shift({"Cu": -1.0}, {}, 1), Folds(np.array([0, 1]), ""))
    assert arrays["counts"].tolist() == [2, 3] and arrays["energies"].tolist() == [-6.0, -9.0]
    assert arrays["masks"].tolist() == [True, False, True, True, True]
    assert np.isnan(arrays["stresses"][0]).all() and arrays["stresses"][1].tolist() == list(range(6))
    assert arrays["judge"].tolist() == [True, False]
    one = chgnet_trainer._arrays(frames, Shift({"Cu": -1.0}, {}, 1), Folds(np.array([0, 0]), ""))
    assert not one["judge"].any()  # nobody could judge, and all are learnt from


@needs_model
@pytest.mark.slow
def test_tuning_improves_on_the_untuned_model_and_is_what_the_calculator_gives(tmp_path):
    write(tmp_path / "train.extxyz", rattled(10, 1))
    write(tmp_path / "test.extxyz", rattled(4, 2))
    inputs = Inputs.read(tmp_path / "train.extxyz", tmp_path / "test.extxyz")
    figures = _fit(inputs, tmp_path, kept=tmp_path / "kept").figures
    before, after = figures["untuned_test"], figures["test"]
    assert after["force_rmse_ev_per_angstrom"] < before["force_rmse_ev_per_angstrom"]
    assert after["energy_rmse_mev_per_atom"] < before["energy_rmse_mev_per_atom"]
    assert figures["stress_frames_used"] == 10 and "lost" in figures["replay"]
    assert figures["environment"]["chgnet"] == "0.4.2"
    errors = []
    calculator = PotentialCalculator(tmp_path / "potential")
    for frame in inputs.test:
        atoms = frame.atoms.copy()
        atoms.calc = calculator
        errors.append((atoms.get_potential_energy() - frame.energy_ev) / len(atoms))
    calculator.close()
    assert 1e3 * np.sqrt(np.mean(np.square(errors))) == pytest.approx(after["energy_rmse_mev_per_atom"], rel=1e-3)
    _validate(tmp_path)


def _validate(folder):
    """What is done with a fit is done with a tuned model: measured with a verdict, or refused before it."""
    (folder / "cu.yaml").write_text("elements: [Cu]\nstructure: fcc\n")
    words = ["validate", "--potential", folder / "potential", "--config", folder / "cu.yaml", "--out", folder / "o"]
    found = CliRunner().invoke(train, [*map(str, words), "--only", "eos"])
    assert found.exit_code == 0, found.output
    result = json.loads((folder / "o/result.json").read_text())
    rows = {row["quantity"]: row["potential"] for row in result["quantities"]}
    assert rows["lattice_a"] == pytest.approx(3.6, abs=0.15)
    assert result["potential_sha256"] == training.fingerprint(folder / "potential")
    found = CliRunner().invoke(train, [*map(str, words), "--only", "npt_expansion"])
    assert found.exit_code == 65 and "LAMMPS, which does not run this potential" in found.output
