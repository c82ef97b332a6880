"""Windows run by pmemd.cuda through `fe run`: a program in its place looks at its arguments and writes its outputs."""

import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import amber_legs
import amber_programs
import numpy as np
import psutil
import pytest

from gibbsflow.binding.analyse import estimators
from gibbsflow.binding.analyse.readers import amber_energies
from gibbsflow.binding.sample.amber.leg_files import write_leg_files
from gibbsflow.binding.sample.energies import read_leg, read_windows
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.config.binding import Md
from gibbsflow.errors import EngineError, InputError, MissingProgramError, NumericalError, StoppedEarly
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.sentinels import read_sentinel


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{amber_programs.pmemd(tmp_path / 'bin')}:/usr/bin:/bin")


def leg_of(folder, kind="complex", **fe):
    made = amber_legs.leg(folder, kind, **fe)
    made = replace(
        made, md=Md(**(made.md.model_dump() | {"engine": "amber"})), states=(*made.states[:-1:4], made.states[-1])
    )
    made.write()
    return made


def sample(leg, tmp_path, windows=(3,), segments=None):
    result = Result()
    with Stopper(None, segments) as stopper:
        sample_leg(leg, 0, windows, tmp_path / "state", tmp_path / "out", stopper, result)
    return result


def called(tmp_path):
    return (tmp_path / "state" / "window_03" / "called.txt").read_text().split()


def test_a_window_is_run_a_segment_a_call_and_gone_on_with(tmp_path, on_path):
    leg = leg_of(tmp_path / "leg")
    with pytest.raises(StoppedEarly, match="4 segments asked for and done"):
        sample(leg, tmp_path, segments=4)
    assert called(tmp_path) == ["minimise.in", "warm.in", "relax.in", "md-001.in"]
    result = sample(leg, tmp_path)
    assert called(tmp_path)[4:] == ["md-002.in", "md-003.in"]
    assert result.figures["engine"] == "amber" and result.figures["samples_per_window"] == 10
    assert read_sentinel(tmp_path / "state" / "window_03", "FINISHED").steps_done == 21750
    sample(leg, tmp_path)  # finished: nothing is run
    assert len(called(tmp_path)) == 6
    (window,) = read_windows([tmp_path / "out" / "window_03.parquet"])
    assert window.u.shape == (10, 7) and window.meta["states"][3]["lambda_restraints"] == 1
    # other settings: what was run is set aside, and it begins anew
    longer = leg_of(tmp_path / "longer", window_ps=6.0)
    sample(longer, tmp_path)
    assert len(called(tmp_path)) == 12 and (tmp_path / "state" / "window_03" / "superseded-001" / "md-003.out").exists()


def test_a_failure_is_the_science_s_and_the_next_call_is_safer(tmp_path, on_path, monkeypatch):
    leg = leg_of(tmp_path / "leg")
    monkeypatch.setenv("WRONG", "md-001.in")
    with pytest.raises(NumericalError, match="window_03 md-001: it broke off; vlimit exceeded .attempt 1 of 3"):
        sample(leg, tmp_path)
    assert sample(leg, tmp_path).figures["attempt"] == 2
    assert called(tmp_path)[-1] == "md-003.attempt-2"


def test_a_stop_ends_the_program(tmp_path, on_path, monkeypatch):
    leg, slow = leg_of(tmp_path / "leg"), tmp_path / "state" / "window_03" / "slow.pid"
    monkeypatch.setenv("SLOW", "warm.in")

    class Impatient(Stopper):
        def check(self, grace_s=0.0):
            if slow.exists() and slow.read_text():
                raise StoppedEarly("enough")

    with Impatient() as stopper, pytest.raises(StoppedEarly):
        sample_leg(leg, 0, (3,), tmp_path / "state", tmp_path / "out", stopper, Result())
    gone = int(slow.read_text())
    until = time.monotonic() + 30
    while psutil.pid_exists(gone) and psutil.Process(gone).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
    monkeypatch.delenv("SLOW")
    sample(leg, tmp_path)
    assert called(tmp_path)[:3] == ["minimise.in", "warm.in", "warm.in"]


def test_without_it_windows_are_refused(tmp_path, monkeypatch):
    leg = leg_of(tmp_path / "leg")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingProgramError, match="no pmemd.cuda on PATH.*or engine openmm or gromacs"):
        sample(leg, tmp_path)


def test_windows_that_exchange_are_refused(tmp_path, on_path):
    leg = leg_of(tmp_path / "leg", sampler="exchange")
    with pytest.raises(InputError, match="sampler: windows that exchange"):
        sample(leg, tmp_path, windows=None)


@pytest.mark.slow
def test_a_leg_is_sampled_and_analysed_by_both_ways(tmp_path, on_path):
    leg = leg_of(tmp_path / "leg", "solvent", window_ps=50.0, segment_ps=50.0)
    sample(leg, tmp_path, windows=None)
    ours = read_leg(sorted((tmp_path / "out").glob("window_*.parquet")))
    outputs: list[Path] = sorted((tmp_path / "state").glob("window_*/md-*.out"))
    theirs = amber_energies.read_leg(outputs)
    np.testing.assert_allclose(ours.u_nk.to_numpy(), theirs.u_nk.to_numpy(), rtol=1e-9)
    correlation, uncorrelated = estimators.decorrelated(ours)
    _, mbar = estimators.estimate_mbar(ours, correlation, uncorrelated, "never")
    assert mbar.dg_kt == pytest.approx(3.0, abs=0.2)


def _second(window):
    return window / "md-002.out"


OF_ANOTHER = {
    "clambda is": lambda window: shutil.copy(_second(window.with_name("window_02")), _second(window)),
    "begins at 42.5 ps": lambda window: shutil.copy(window / "md-001.out", _second(window)),
    "not the output of pmemd": lambda window: _second(window).write_text(""),
    "no number of an attempt": lambda window: (window / "began").unlink(),
    "attempt 2, and what was run is of attempt 1": lambda window: (window / "began").write_text("2\n"),
}


def test_what_fe_write_left_and_was_run_elsewhere_is_read_without_pmemd(tmp_path, monkeypatch):
    """From written files to ΔG: the folder is the state, and nothing is written into it."""
    leg, state = leg_of(tmp_path / "leg"), tmp_path / "state"
    write_leg_files(leg, 0, state)
    with pytest.raises(
        InputError, match="window_00, window_01, window_02 and 4 more: 0 of 6 runs are done"
    ) as caught:  # once
        sample(leg, tmp_path, ())
    assert len(caught.value.problems) == 1
    program = amber_programs.pmemd(tmp_path / "bin", dg_kt=3.0) / "pmemd.cuda"
    environment = os.environ | {"AMBER_PROGRAM": str(program)}
    subprocess.run(["bash", "run-local.bash"], cwd=state, env=environment, check=True, capture_output=True)
    before = (state / "topology.prmtop").stat().st_mtime_ns
    result = sample(leg, tmp_path, ())
    assert result.figures["windows"] == 7 and (state / "topology.prmtop").stat().st_mtime_ns == before
    ours = read_leg(sorted((tmp_path / "out").glob("window_*.parquet")))
    assert ours.u_nk.shape == (70, 7)
    for words, spoil in OF_ANOTHER.items():
        window = shutil.copytree(state / "window_03", tmp_path / "kept", symlinks=True)
        spoil(state / "window_03")
        with pytest.raises((EngineError, InputError), match=words):
            sample(leg, tmp_path)
        shutil.rmtree(state / "window_03")
        window.rename(state / "window_03")
    changed = state / "window_03" / "md-001.in"
    changed.write_text(changed.read_text().replace("cut = ", "cut = 1"))
    with pytest.raises(InputError, match="not as it was written.*md-001.in"):
        sample(leg, tmp_path, ())
    with pytest.raises(InputError, match="written for another leg, replicate or other settings"):
        sample(leg_of(tmp_path / "longer", window_ps=6.0), tmp_path, ())
    assert not list(state.glob("window_*/superseded-*"))
