"""Tuning by the real model, where it is installed: better on what it learns, gone on with bit for bit, parts frozen."""

import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from foundation_models import needs_model, request, tuning_arrays

from gibbsflow.engines.foundation import tuning_run
from gibbsflow.engines.foundation.session import Session
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state.segments import Stopper

pytestmark = [needs_model, pytest.mark.slow]


def _tuned(folder):
    with np.load(folder / "tuned.npz", allow_pickle=False) as content:
        return {name: content[name] for name in content.files}


def test_a_fit_that_was_killed_within_an_epoch_goes_on_bit_for_bit(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    outcome = tuning_run.tune(whole, request(), tuning_arrays(), threads=1, stopper=Stopper())
    assert outcome["epochs"] == 3 and outcome["stopped_by"] == "" and outcome["begun_at"] == 0
    losses = [epoch["train_loss"] for epoch in outcome["history"][1:]]
    assert losses[-1] < losses[0]
    cut.mkdir()
    write_json(cut / "request.json", request())
    np.savez(cut / "frames.npz", **tuning_arrays())
    with Session(["tune", str(cut)], folder=cut) as session:
        while session.answer(120)[0].get("beat", [0])[0] != 2:  # in the second epoch
            continue
        session.process.send_signal(signal.SIGKILL)
    (cut / "checkpoint.previous.pt").write_bytes((cut / "checkpoint.pt").read_bytes())
    (cut / "checkpoint.pt").write_bytes(b"torn")  # as a disk may leave it: the one before is taken
    again = tuning_run.tune(cut, request(), tuning_arrays(), threads=1, stopper=Stopper())
    assert again["begun_at"] == 1
    for name, values in _tuned(whole).items():
        assert np.array_equal(values, _tuned(cut)[name]), name


def test_fits_side_by_side_are_what_each_is_alone(tmp_path):
    def fit(name, seed):
        told = request(seed=seed, epochs=1)
        return tuning_run.tune(tmp_path / name, told, tuning_arrays(), threads=1, stopper=Stopper())

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(fit, ("first", "second"), (1, 2)))
    alone = fit("alone", 2)
    first, second, third = (_tuned(tmp_path / name) for name in ("first", "second", "alone"))
    assert all(np.array_equal(second[name], third[name]) for name in third)
    assert any(not np.array_equal(first[name], second[name]) for name in first)
    assert [outcome["begun_at"] for outcome in (*outcomes, alone)] == [0, 0, 0]


def test_frozen_parts_stay_and_labels_that_do_not_count_change_nothing(tmp_path):
    arrays = tuning_arrays(4)
    arrays["weights"][:, 1] = 0  # energies and stresses alone
    odd = {**arrays, "forces": arrays["forces"] + 50.0}
    outcomes = []
    for name, given in (("plain", arrays), ("odd", odd)):
        told = request(epochs=1, frozen="interactions")
        outcomes.append(tuning_run.tune(tmp_path / name, told, given, threads=1, stopper=Stopper()))
    plain, other = _tuned(tmp_path / "plain"), _tuned(tmp_path / "odd")
    assert all(np.array_equal(plain[name], other[name]) for name in plain)
    assert outcomes[0]["parameters"] < 412_366
    assert "force_rmse_ev_per_angstrom" not in outcomes[0]["history"][0]


def test_no_time_leaves_the_untuned_model(tmp_path):
    arrays = tuning_arrays(4)
    outcome = tuning_run.tune(tmp_path, request(time_s=0.0, epochs=10**5), arrays, threads=1, stopper=Stopper())
    assert (outcome["best_epoch"], outcome["epochs"], outcome["stopped_by"]) == (0, 0, "time budget")
