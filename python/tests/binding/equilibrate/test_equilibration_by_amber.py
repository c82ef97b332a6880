"""An equilibration by sander: killed in mid-segment it goes on from its checkpoint, as a run in one go would."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.equilibrate.equilibration import equilibrate
from gibbsflow.binding.facts import EquilibratedFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil
from gibbsflow.engines.amber import amber_engine
from gibbsflow.engines.amber.amber_engine import AMBER
from gibbsflow.errors import NumericalError
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.segments import Stopper

RUNS = 2 + 6 + 2 + 2
"""Of the program: minimisation, heating in five parts, two free segments; the energy of each frame."""
KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
import test_equilibration_by_amber as here
from gibbsflow.engines.amber import amber_engine
runs, real = [], amber_engine.run_sander

def killed(folder, text, start, check, **words):
    runs.append(text)
    looks = []
    def look():
        looks.append(check())
        if len(runs) == 11 and len(looks) == 2:  # it moves the atoms of the last segment by now
            os.kill(os.getpid(), signal.SIGKILL)
    return real(folder, text, start, look, **words)

amber_engine.run_sander = killed
here.equilibrated(here.Path(sys.argv[1]))
"""


def equilibrated(folder, free_ps=2):
    if not (folder / "prepare").exists():
        hg.prepare_equil(folder / "prepare", Equil(minimise_steps=50, heat_ps=1, equil_ps=free_ps, equil_segment_ps=1))
    with Stopper() as stopper:
        given = SimSystem.read(folder / "prepare")
        return equilibrate(given, folder / "state", folder / "out", stopper, Result(), AMBER)


@pytest.fixture
def counted(monkeypatch):
    runs, real = [], amber_engine.run_sander

    def counting(folder, text, *rest, **words):
        runs.append(text)
        return real(folder, text, *rest, **words)

    monkeypatch.setattr(amber_engine, "run_sander", counting)
    return runs


def test_a_killed_run_goes_on_and_runs_nothing_again(tmp_path, counted):
    whole = equilibrated(tmp_path / "whole")
    assert len(counted) == RUNS and whole.facts(EquilibratedFacts).equil_steps == 750
    assert [text.count("ntr = 1") for text in counted] == [0, 0, *[1] * 6, 0, 0, 0, 0]
    counted.clear()
    words = [sys.executable, "-c", KILLED, str(tmp_path / "cut"), str(Path(__file__).parent)]
    paths = os.pathsep.join([str(Path(hg.__file__).parent), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(words, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    cut = equilibrated(tmp_path / "cut")
    assert len(counted) == 2  # the last segment and its frame
    for role in ("equil_frames", "equil_state"):
        with np.load(cut.path(role)) as one, np.load(whole.path(role)) as other:
            for name in one.files:
                np.testing.assert_array_equal(one[name], other[name])


def test_a_failure_is_tried_again_with_half_the_time_step(tmp_path, monkeypatch, counted):
    real = amber_engine.run_sander

    def failing(folder, text, *rest, **words):
        if "dt = 0.004" in text:
            raise NumericalError("sander: SHAKE cannot hold the bonds to hydrogen")
        return real(folder, text, *rest, **words)

    monkeypatch.setattr(amber_engine, "run_sander", failing)
    with pytest.raises(NumericalError, match="^equilibration at 0 ps: sander: SHAKE"):
        equilibrated(tmp_path, 1)
    (tmp_path / "state" / "FAILED").unlink()
    system = equilibrated(tmp_path, 1)
    assert system.facts(EquilibratedFacts).equil_steps == 1000
    assert {text.partition("dt = ")[2][:5] for text in counted if "dt = " in text} == {"0.002"}
