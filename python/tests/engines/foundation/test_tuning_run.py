"""A fit in its own process, followed: progress, outcome, signals; no PyTorch needed."""

import json
import logging
import signal
import time

import numpy as np
import pytest
from foundation_models import request, stand_in, tuning_arrays

from gibbsflow.engines.foundation import tuning_run
from gibbsflow.errors import EngineError, StoppedEarly
from gibbsflow.workflow.state.segments import Stopper

_FIT = """
import pathlib
folder = pathlib.Path(sys.argv[-1])
epoch = {"epoch": 1, "force_rmse_ev_per_angstrom": 0.25, "seconds": 3.0}
send(out, {"beat": [1, 1, 2]}, {})
send(out, {"epoch": epoch, "planned": 4}, {})
%s
(folder / "tuned.npz").write_bytes(b"")
send(out, {"outcome": {"stopped_by": why}}, {})
"""


def _run(folder, stopper=None):
    return tuning_run.tune(folder, request(), tuning_arrays(3), threads=1, stopper=stopper or Stopper())


def test_the_folder_holds_request_and_frames_and_progress_is_told(tmp_path, monkeypatch, caplog):
    stand_in(monkeypatch, _FIT % "why = ''")
    with caplog.at_level(logging.INFO):
        outcome = _run(tmp_path / "new")
    assert outcome["stopped_by"] == "" and outcome["environment"]["lock_sha256"] == "0" * 64
    assert "epoch 1 of 4: 0.25 eV/Å (3 s)" in caplog.text
    assert json.loads((tmp_path / "new/request.json").read_text()) == request()
    with np.load(tmp_path / "new/frames.npz", allow_pickle=False) as frames:
        assert frames["positions"] == pytest.approx(tuning_arrays(3)["positions"])


def test_a_signal_is_passed_on_as_a_request_to_stop(tmp_path, monkeypatch):
    stand_in(monkeypatch, _FIT % "why = 'signal' if receive(requests)[0] == {'stop': True} else ''")
    stopper = Stopper()
    stopper.signal = signal.SIGTERM
    assert _run(tmp_path, stopper)["stopped_by"] == "signal"


def test_a_batch_that_outlasts_its_time_after_a_signal_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(tuning_run, "GRACE_S", 0.2)
    stand_in(monkeypatch, "time.sleep(100)")
    stopper, begin = Stopper(), time.monotonic()
    stopper.signal = signal.SIGTERM
    with pytest.raises(StoppedEarly, match="SIGTERM"):
        _run(tmp_path, stopper)
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("send(out, {'error': 'FloatingPointError: the loss is not finite'}, {})", "the loss is not finite"),
        ("send(out, {'outcome': {}}, {})", "has left no tuned.npz"),
        ("sys.exit(3)", "ended with code 3"),
    ],
)
def test_what_goes_wrong_is_told(tmp_path, monkeypatch, script, message):
    stand_in(monkeypatch, script)
    with pytest.raises(EngineError, match=message):
        _run(tmp_path)
