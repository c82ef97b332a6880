"""Legs sampled in segments: stopped, killed and resumed runs give the samples of one in one go."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import host_guest as hg
import numpy as np
import pytest
import solutes
from typer.testing import CliRunner

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.prepare_fe import prepare_legs
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.alchemy.state_makers import STATE_MAKERS
from gibbsflow.binding.analyse.placement.pilot import place_by_pilot
from gibbsflow.binding.equilibrate.equilibration import equilibrate
from gibbsflow.binding.facts import BoundFacts, TopologyFacts
from gibbsflow.binding.sample.energies import read_window
from gibbsflow.binding.sample.sampling import SAMPLERS, leg_systems, sample_leg
from gibbsflow.cli import fe
from gibbsflow.config.binding import Fe, Md
from gibbsflow.errors import InputError, LockedError, NumericalError, StoppedEarly
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.attempts import read_attempts
from gibbsflow.workflow.state.checkpoints import Checkpoint, RollingCheckpoints
from gibbsflow.workflow.state.cleaning import clean_failures
from gibbsflow.workflow.state.locks import folder_lock
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.sentinels import read_sentinel, valid_sentinel
from gibbsflow.workflow.state.state_folder import FailedBeforeError
from gibbsflow.workflow.state.status import read_status

STATES = tuple(LambdaState(0, e, 1 if e else 0) for e in (1.0, 0.5, 0.0))
FE = Fe(window_ps=0.4, window_equil_ps=0.1, sample_ps=0.1, segment_ps=0.2)


def make(folder: Path, **changes) -> AlchemicalLeg:
    md = Md(timestep_fs=changes.pop("timestep_fs", 4.0))
    return hg.make_leg(folder, "solvent", fe=FE.model_copy(update=changes), states=STATES, md=md)


def sample(leg, state, out, *, windows=None, segments=None, time_budget_s=None):
    result = Result()
    with Stopper(time_budget_s, segments) as stopper:
        sample_leg(leg, 0, windows, state, out, stopper, result)
    return result


def content(out: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(out.glob("window_*.parquet"))}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    leg = make(root / "leg")
    result = sample(leg, root / "state", root / "out")
    return leg, root, result


def test_files_and_figures(whole):
    leg, root, result = whole
    windows = [read_window(root / "out" / f"window_{k:02d}.parquet") for k in range(3)]
    for k, window in enumerate(windows):
        assert window.window == k and window.u.shape == (4, 3)
        np.testing.assert_allclose(window.time_ps, [0.1, 0.2, 0.3, 0.4])
        assert window.meta["states"][k] == STATES[k].as_dict() and window.meta["sampler"] == "exchange"
    assert sorted(w.replica[0] for w in windows) == [0, 1, 2]
    assert result.figures["sampled_ns"] == pytest.approx(3 * 0.5 / 1000)
    assert len(result.figures["exchange_acceptance"]) == 2 and result.figures["ns_per_day"] > 0
    assert valid_sentinel(root / "state", "FINISHED", result.inputs_hash).steps_done == 3 * 125
    rows = read_status(root / "state")
    assert [row["item"] for row in rows] == [f"window_{k:02d}" for k in range(3)]
    assert all(row["status"] == "finished" and row["steps_done"] == row["steps"] == 125 for row in rows)


def test_segment_by_segment_is_the_same_as_one_go(whole, tmp_path):
    leg, root, _ = whole
    for _ in range(2):
        with pytest.raises(StoppedEarly):
            sample(leg, tmp_path / "state", tmp_path / "out", segments=1)
    assert read_status(tmp_path / "state")[0]["status"] == "stopped"
    sample(leg, tmp_path / "state", tmp_path / "out", segments=1)
    assert content(tmp_path / "out") == content(root / "out")


def test_a_run_begun_before_derivatives_were_recorded_goes_on_without(whole, tmp_path):
    """Energies are those of the whole run; the file says why nothing is integrated."""
    leg, root, _ = whole
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path / "state", tmp_path / "out", segments=1)
    first = tmp_path / "state" / "segment-00000.npz"
    with np.load(first) as file:
        older = {name: file[name] for name in file.files if name != "gradients"}
        assert len(older) < len(file.files)
    np.savez(first, **older)
    sample(leg, tmp_path / "state", tmp_path / "out")
    for k in range(3):
        window, other = (read_window(at / "out" / f"window_{k:02d}.parquet") for at in (tmp_path, root))
        assert np.array_equal(window.u, other.u) and window.gradients is None and other.gradients is not None
        assert window.meta["no_ti"] == "segments from before dU/dλ was recorded" and "no_ti" not in other.meta


def test_killed_in_mid_segment_goes_on_to_the_same_samples(whole, tmp_path):
    leg, root, _ = whole
    code = "import gibbsflow.cli.fe as fe; fe.app()"
    args = ["run", "--leg", leg.folder, "--replicate", 0, "--state", tmp_path / "state", "--out", tmp_path / "out"]
    command = [sys.executable, "-c", code, *map(str, args)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (tmp_path / "state" / "checkpoint-current.bin").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    (tmp_path / "state" / "segment-00001.npz").write_bytes(b"half a file")  # as a kill in the second write leaves it
    assert subprocess.run(command, stderr=subprocess.DEVNULL, timeout=120).returncode == 0
    assert content(tmp_path / "out") == content(root / "out")


def test_a_broken_checkpoint_falls_back_to_the_other(whole, tmp_path):
    leg, root, _ = whole
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path / "state", tmp_path / "out", segments=2)
    current = tmp_path / "state" / "checkpoint-current.bin"
    current.write_bytes(current.read_bytes()[:-100])
    sample(leg, tmp_path / "state", tmp_path / "out")
    assert content(tmp_path / "out") == content(root / "out")


def test_finished_returns_at_once_and_writes_out_again(whole, tmp_path):
    leg, root, first = whole
    before = read_sentinel(root / "state", "FINISHED")
    again = sample(leg, root / "state", tmp_path / "out", segments=1)
    assert content(tmp_path / "out") == content(root / "out")
    assert again.timings["engine_s"] == first.timings["engine_s"]
    assert read_sentinel(root / "state", "FINISHED") == before


def test_changed_input_is_set_aside_and_named(tmp_path, caplog):
    leg = make(tmp_path / "leg")
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path / "state", tmp_path / "out", segments=1)
    old = (tmp_path / "state" / "checkpoint-current.bin").read_bytes()
    colder = hg.make_leg(tmp_path / "leg", "solvent", fe=FE, states=STATES, md=Md(temperature_k=290))
    with pytest.raises(StoppedEarly):
        sample(colder, tmp_path / "state", tmp_path / "out", segments=1)
    assert "temperature_k: 298.15 -> 290.0" in caplog.text
    assert (tmp_path / "state" / "superseded-000" / "checkpoint-current.bin").read_bytes() == old
    assert [row["status"] for row in read_status(tmp_path / "state")] == ["stopped"] * 3


def test_a_held_folder_is_left_alone(whole, tmp_path):
    leg, _, _ = whole
    with folder_lock(tmp_path / "state"), pytest.raises(LockedError):
        sample(leg, tmp_path / "state", tmp_path / "out")


def test_time_budget_and_signal_stop_with_state_saved(whole, tmp_path):
    leg, root, _ = whole
    with pytest.raises(StoppedEarly, match="time budget"):
        sample(leg, tmp_path / "state", tmp_path / "out", time_budget_s=1e-3)
    result = Result()
    with Stopper() as stopper:
        os.kill(os.getpid(), signal.SIGUSR1)
        with pytest.raises(StoppedEarly, match="SIGUSR1"):
            sample_leg(leg, 0, None, tmp_path / "state", tmp_path / "out", stopper, result)
    sample(leg, tmp_path / "state", tmp_path / "out")
    assert content(tmp_path / "out") == content(root / "out")


def test_sigterm_exits_75_within_seconds(tmp_path):
    leg = make(tmp_path / "leg", window_ps=500)
    code = "import gibbsflow.cli.fe as fe; fe.app()"
    args = ["run", "--leg", leg.folder, "--replicate", 0, "--state", tmp_path / "state", "--out", tmp_path / "out"]
    process = subprocess.Popen([sys.executable, "-c", code, *map(str, args)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (tmp_path / "state" / "checkpoint-current.bin").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.terminate()
    start = time.monotonic()
    assert process.wait(30) == 75
    assert time.monotonic() - start < 10
    assert not (tmp_path / "state" / "FAILED").exists()


def test_independent_windows_are_the_same_however_they_are_grouped(tmp_path):
    leg = make(tmp_path / "leg", sampler="independent")
    all_at_once = sample(leg, tmp_path / "all", tmp_path / "out")
    assert all_at_once.figures["windows"] == 3 and "exchange_acceptance" not in all_at_once.figures
    for windows in ((1,), (0, 2)):
        grouped = sample(leg, tmp_path / "state", tmp_path / "grouped", windows=windows)
        assert grouped.figures["windows"] == len(windows)
        assert sorted(content(tmp_path / "grouped")) == [f"window_{k:02d}.parquet" for k in sorted({1, *windows})]
    assert content(tmp_path / "grouped") == content(tmp_path / "out")
    assert [row["item"] for row in read_status(tmp_path / "state")] == [f"window_{k:02d}" for k in range(3)]
    # other groups find what is finished
    assert sample(leg, tmp_path / "state", tmp_path / "again", windows=(0, 1, 2), segments=1).figures["windows"] == 3


def test_a_group_stopped_within_goes_on(tmp_path):
    leg = make(tmp_path / "leg", sampler="independent")
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path / "state", tmp_path / "out", windows=(1, 2), segments=4)
    assert [row["status"] for row in read_status(tmp_path / "state")] == ["waiting", "finished", "stopped"]
    sample(leg, tmp_path / "state", tmp_path / "out", windows=(1, 2))
    sample(leg, tmp_path / "one_go", tmp_path / "whole", windows=(2,))
    assert content(tmp_path / "out")["window_02.parquet"] == content(tmp_path / "whole")["window_02.parquet"]


def test_a_window_that_fails_is_recorded_in_its_own_folder(tmp_path):
    leg = make(tmp_path / "leg", sampler="independent")
    command = ["run", "--leg", str(leg.folder), "--replicate", "0", "--state", str(tmp_path / "state")]
    runner = CliRunner()
    assert runner.invoke(fe.app, [*command, "--window", "0-1", "--out", str(tmp_path / "out")]).exit_code == 0
    for name in ("checkpoint-current.bin", "checkpoint-previous.bin"):
        (tmp_path / "state" / "window_01" / name).write_bytes(b"no checkpoint")
    failed = runner.invoke(fe.app, [*command, "--window", "0-2", "--out", str(tmp_path / "out")])
    assert failed.exit_code == 70
    assert [row["status"] for row in read_status(tmp_path / "state")] == ["finished", "failed", "waiting"]
    assert read_sentinel(tmp_path / "state" / "window_01", "FAILED").cause == "State"


@pytest.mark.parametrize(("word", "exit_code"), [("3", 65), ("2-0", 2), ("x", 2), ("-1", 2)])
def test_a_window_that_cannot_be_is_refused(tmp_path, word, exit_code):
    leg = make(tmp_path / "leg", sampler="independent")
    options = ["--leg", leg.folder, "--replicate", 0, "--state", tmp_path / "state", "--out", tmp_path / "out"]
    done = CliRunner().invoke(fe.app, ["run", *map(str, options), f"--window={word}"])
    assert done.exit_code == exit_code, done.output


def test_after_a_failure_the_next_attempt_is_a_safer_one(tmp_path, caplog):
    leg = make(tmp_path / "leg", window_ps=0.6)
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path / "state", tmp_path / "out", segments=1)
    point = RollingCheckpoints(tmp_path / "state")
    saved = point.load(leg_hash := json.loads((tmp_path / "state" / "inputs.json").read_text())["inputs_hash"])
    arrays = {**saved.arrays, "positions_nm": saved.arrays["positions_nm"] * np.nan}
    point.save(Checkpoint(leg_hash, saved.segment, arrays, saved.meta))  # as MD that has blown up
    with pytest.raises(NumericalError):
        sample(leg, tmp_path / "state", tmp_path / "out")
    assert read_sentinel(tmp_path / "state", "FAILED").cause == "Numerical"

    result = sample(leg, tmp_path / "state", tmp_path / "out")
    assert result.figures["attempt"] == 2
    assert result.figures["settings_used"] == {"timestep_fs": 2.0, "minimised_again": True}
    (anew,) = result.figures["begun_anew"]
    assert anew["failed_before"].startswith("Numerical: ") and "superseded-000" in anew["set_aside"]
    assert (tmp_path / "state" / "superseded-000" / "checkpoint-current.bin").exists()  # never deleted
    assert not (tmp_path / "state" / "FAILED").exists()
    window = read_window(tmp_path / "out" / "window_01.parquet")
    assert window.u.shape == (6, 3) and window.time_ps[-1] == pytest.approx(0.6)  # all of it at 2 fs
    ends = [(one.number, one.end, one.settings["timestep_fs"]) for one in read_attempts(tmp_path / "state")]
    assert ends == [(1, "stopped", 4.0), (1, "failed", 4.0), (2, "finished", 2.0)]
    again = sample(leg, tmp_path / "state", tmp_path / "out")  # what has finished still says how
    assert again.figures["settings_used"] == result.figures["settings_used"]
    assert {row["steps"] for row in read_status(tmp_path / "state")} == {350}


def test_the_ladder_ends_and_clearing_it_begins_again(tmp_path):
    leg = make(tmp_path / "leg")
    broken = leg.start_nm
    broken[3] = np.nan
    with open(leg.folder / leg.start, "wb") as file:
        np.savez(file, positions_nm=broken)
    for _ in range(3):
        with pytest.raises(NumericalError):
            sample(leg, tmp_path / "state", tmp_path / "out")
    used = [one.settings["timestep_fs"] for one in read_attempts(tmp_path / "state")]
    assert used == [4.0, 2.0, 1.0]
    with pytest.raises(FailedBeforeError, match="failed 3 times, no safer settings are left") as raised:
        sample(leg, tmp_path / "state", tmp_path / "out")
    assert raised.value.cause == "Numerical"
    assert len(read_attempts(tmp_path / "state")) == 3
    clean_failures(tmp_path / "state")
    with pytest.raises(NumericalError):
        sample(leg, tmp_path / "state", tmp_path / "out")


def test_every_sampler_of_the_settings_is_in_the_table():
    assert tuple(SAMPLERS) == get_args(Fe.model_fields["sampler"].annotation)
    assert [kind.together for kind in SAMPLERS.values()] == [True, False]


@pytest.mark.parametrize(
    ("sampler", "replicate", "windows", "message"),
    [
        ("exchange", 0, (1,), "replica exchange"),
        ("independent", 0, (2, 3, 4), "no window 3, 4"),
        ("exchange", 4, None, "replicate 4"),
    ],
)
def test_what_cannot_be_asked_for(tmp_path, sampler, replicate, windows, message):
    leg = make(tmp_path / "leg", sampler=sampler)
    with pytest.raises(InputError, match=message):
        sample_leg(leg, replicate, windows, tmp_path / "state", tmp_path / "out", Stopper(), Result())


@pytest.mark.slow
def test_complex_leg_draws_the_same_bits_twice(tmp_path):
    """Host and guest with soft core and exchange on one CPU thread: a rerun repeats every bit."""
    states = tuple(LambdaState(r, e, s) for r, e, s in ((0, 1, 1), (1, 0.5, 1), (1, 0, 0.5), (1, 0, 0)))
    fe = Fe(window_ps=0.4, window_equil_ps=0, sample_ps=0.2, segment_ps=0.2)
    leg = hg.make_leg(tmp_path / "leg", "complex", fe=fe, states=states)
    sample(leg, tmp_path / "a", tmp_path / "out_a")
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path / "b", tmp_path / "out_b", segments=1)
    sample(leg, tmp_path / "b", tmp_path / "out_b")
    assert content(tmp_path / "out_a") == content(tmp_path / "out_b")


def test_states_are_made_by_what_belongs_to_the_engine(tmp_path, monkeypatch):
    """Not by OpenMM's, whatever engine is given."""

    class Other:
        name, programs = "other", ("other",)

        def system(self, topology, md, hold=None):
            return topology.name

    monkeypatch.setitem(STATE_MAKERS, "other", lambda: lambda parent, atoms, state, restraint: (parent, state))
    leg = make(tmp_path / "leg")
    assert leg_systems(leg, Other()) == [(leg.topology, state) for state in STATES]


@pytest.mark.slow
def test_a_leg_of_sdr_from_smiles_to_samples_however_often_it_was_stopped(tmp_path):
    """A cation over benzene and its copy in one box: equilibrated, the copy kept away, the same samples again."""
    schedule = tmp_path / "short.yaml"
    schedule.write_text("states: [[0, 1, 1, 0], [0.5, 1, 1, 1], [1, 0, 1, 1], [1, 0, 0, 1]]")
    lengths = {"heat_ps": 0.4, "density_ps": 0.4, "equil_ps": 0.8, "equil_segment_ps": 0.4, "minimise_steps": 150}
    lengths |= {"window_ps": 0.3, "window_equil_ps": 0.1, "sample_ps": 0.1, "segment_ps": 0.2}
    config = solutes.settings(
        mode="abfe", abfe_protocol="sdr", padding_angstrom=7.0, salt_mol_per_l=0.0, timestep_fs=2.0, replicates=1,
        sdr_schedule=str(schedule), **lengths,
    )  # fmt: skip
    both = solutes.stacked(tmp_path, "c1ccccc1", "C[NH3+]", config)
    system = solutes.in_water(both, config, tmp_path / "water")
    with Stopper() as stopper:
        moved = equilibrate(system, tmp_path / "moved", tmp_path / "equil", stopper, Result())
    moved = moved.with_facts(BoundFacts(bound=True, ligand_site_distance_angstrom=4.0))
    moved.write()
    far = moved.facts(TopologyFacts).remote["complex"]
    with np.load(moved.path("equil_frames")) as file:
        frames = file["positions_nm"]
    away = frames[:, list(far.copy_atoms)].mean(axis=1) - frames[:, list(far.centre_atoms)].mean(axis=1)
    assert (np.linalg.norm(away, axis=1) * 10 > far.least_angstrom - 1.5).all()
    prepared = prepare_legs(moved, config, tmp_path / "fe", Result())
    leg = AlchemicalLeg.read(prepared.root / "legs" / "sdr")
    short = leg.fe.model_copy(update={"schedule": "auto", "fe_pilot_ps": 0.5, "sample_ps": 0.02, "schedule_spacing": 5})
    with Stopper() as stopper:  # few windows by hand, which real energies find far apart
        placed = place_by_pilot(replace(leg, fe=short), tmp_path / "pilot", tmp_path / "placed", stopper, Result())
    assert len(placed.states) > 4 and AlchemicalLeg.read(tmp_path / "placed").states == placed.states
    assert [one in placed.states for one in leg.states] == [True] * 4  # where components end, copy and all
    result = sample(leg, tmp_path / "whole", tmp_path / "out")
    assert result.figures["windows"] == 4
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path / "state", tmp_path / "again", segments=1)
    sample(leg, tmp_path / "state", tmp_path / "again")
    assert content(tmp_path / "again") == content(tmp_path / "out")
    names = list(read_window(tmp_path / "out" / "window_00.parquet").meta["states"][0])
    assert names == ["lambda_restraints", "lambda_electrostatics", "lambda_sterics", "lambda_sterics_copy"]
