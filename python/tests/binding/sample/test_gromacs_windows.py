"""Windows run by GROMACS: the same samples however often they were cut off, in the shape of every sampler."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import edges
import numpy as np
import pytest
from gromacs_boxes import LADDER, Box, edge_context, energies_kj_per_mol, needs_gromacs

from gibbsflow.binding.alchemy.alchemical_leg import place_leg
from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
from gibbsflow.binding.alchemy.protocols import RELATIVE_SOLVATION
from gibbsflow.binding.alchemy.restraint.restraints import CentreOfMassRestraint
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.sample.energies import join_windows, read_windows
from gibbsflow.binding.sample.gradient.lambda_gradients import changing
from gibbsflow.binding.sample.gromacs_windows import GromacsSampler
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.config.binding import BindingConfig, Fe
from gibbsflow.engines.gromacs.programs import exchange_fault
from gibbsflow.engines.md_engine import Apart
from gibbsflow.errors import MissingProgramError, NumericalError, StoppedEarly
from gibbsflow.units import KJ_PER_KCAL, kt_kcal_per_mol
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.checkpoints import RollingCheckpoints
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.status import read_status

needs_mpi = pytest.mark.skipif(bool(exchange_fault(2)), reason="no gmx_mpi")
STATES = (LADDER[0], LADDER[4], LADDER[-1])
CLOSE = (
    *(LambdaState(r, 1, 1) for r in (0.4, 0.6)),
    *(LambdaState(0.6, e, 1) for e in (0.6, 0.4, 0)),
    *(LambdaState(0.6, 0, s) for s in (0.62, 0.6, 0.58)),
)
FIVE = {"sampler": "independent", "window_ps": 1.0, "sample_ps": 0.2, "segment_ps": 1.0}


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    return Box(tmp_path_factory.mktemp("gromacs") / "box", "C", frames=2)


def sample(leg, folder: Path, segments=None):
    result = Result()
    with Stopper(None, segments) as stopper:
        sample_leg(leg, 0, None, folder / "state", folder / "out", stopper, result)
    return result.figures, read_windows(sorted((folder / "out").glob("window_*.parquet")))


@needs_gromacs
def test_killed_in_mid_segment_it_goes_on_to_the_same_samples(box, tmp_path):
    leg = box.leg(tmp_path / "leg", STATES, fe={"sampler": "independent", "window_ps": 2.0})
    figures, whole = sample(leg, tmp_path / "one")
    assert figures["engine"] == "gromacs" and figures["windows"] == 3 and figures["samples_per_window"] == 4
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path / "two", segments=1)
    words = [sys.executable, "-m", "gibbsflow.cli.fe", "run", "--leg", str(leg.folder), "--replicate", "0"]
    words += ["--state", str(tmp_path / "two" / "state"), "--out", str(tmp_path / "two" / "out")]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as run:
        home = tmp_path / "two" / "state" / "window_00" / "gromacs"
        while run.poll() is None and not list(home.glob("*/window_00/run.part0002.log")):
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL and list(home.glob("*/window_00/run.part0002.log"))
    _, again = sample(leg, tmp_path / "two")
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one.time_ps, other.time_ps)
        np.testing.assert_array_equal(one.u, other.u)
    # the energies are those of the other engine's Hamiltonian, of what this one has drawn
    ours = box.openmm_kj_per_mol(STATES)
    beta = 1 / (0.0083144626 * 298.15)
    for state, one in enumerate(whole):
        assert one.u[:, state].mean() == pytest.approx(beta * ours[state], rel=0.05)


@needs_gromacs
def test_derivatives_are_those_of_its_energies(box, tmp_path):
    """Each λ is one or two of GROMACS's: the parabola through three states is exact but for sterics."""
    away = np.linalg.norm(box.frames[0][len(box.ligand) :: 3] - box.frames[0][0], axis=1)
    oxygens = box.frames[0][len(box.ligand) :: 3]
    beside = np.linalg.norm(oxygens - oxygens[np.argmin(away)], axis=1)  # so that the group is small beside the box
    near = tuple(int(water) * 3 + len(box.ligand) for water in np.argsort(beside)[:3])
    held = CentreOfMassRestraint(near, box.ligand[:1], 5.0, 1.0)
    leg = box.leg(tmp_path / "leg", CLOSE, restraint=held, fe=FIVE)
    _, windows = sample(leg, tmp_path)
    joined = join_windows(windows)
    # next to a far state of sterics, window 4, energies are no parabola, which five samples may not tell
    assert len(joined.dhdl) == 40
    assert all("(windows 4)" in doubt.problem.what for doubt in joined.account.doubts)
    for window in windows:
        belongs = np.isin(list(CLOSE[0].as_dict()), changing(window.meta["states"], window.window))
        assert np.array_equal(np.isfinite(window.gradients).all(axis=0), belongs)
    (r, _, _), (_, e, _), (_, _, s) = (windows[k].gradients.T for k in (0, 2, 6))
    u, v, w = (windows[k].u for k in (0, 2, 6))
    np.testing.assert_allclose(r, (u[:, 1] - u[:, 0]) / 0.2, rtol=1e-3)
    ahead, back = (v[:, 3] - v[:, 2]) / -0.2, (v[:, 1] - v[:, 2]) / 0.4
    np.testing.assert_allclose(e, ahead + (back - ahead) / 0.6 * 0.2, rtol=0.01, atol=0.02)
    np.testing.assert_allclose(s, (w[:, 5] - w[:, 7]) / 0.04, rtol=0.05, atol=0.2)


@needs_gromacs
@pytest.mark.parametrize("sampler", ["independent", pytest.param("exchange", marks=needs_mpi)])
def test_sampled_longer_it_gives_the_samples_of_one_longer_run(box, tmp_path, sampler):
    lengths = {"sampler": sampler, "sample_ps": 0.1, "segment_ps": 0.5}
    _, whole = sample(box.leg(tmp_path / "whole", STATES[:2], fe=lengths | {"window_ps": 1.0}), tmp_path / "one")
    leg = box.leg(tmp_path / "leg", STATES[:2], fe=lengths | {"window_ps": 0.5})
    sample(leg, tmp_path)
    with Stopper(None, None) as stopper:
        sample_leg(leg, 0, None, tmp_path / "state", tmp_path / "out", stopper, Result(), window_ps=1.0)
    longer = read_windows(sorted((tmp_path / "out").glob("window_*.parquet")))
    for one, other in zip(whole, longer, strict=True):
        np.testing.assert_array_equal(one.time_ps, other.time_ps)
        np.testing.assert_array_equal(one.replica, other.replica)
        np.testing.assert_array_equal(one.u, other.u)


@needs_gromacs
def test_sampled_longer_by_half_the_time_step_where_that_has_failed(box, tmp_path, monkeypatch):
    """GROMACS's checkpoint counts steps of the time step that it has ended with."""
    lengths = {"sampler": "independent", "sample_ps": 0.1, "segment_ps": 0.2, "window_ps": 0.4}
    leg = box.leg(tmp_path / "leg", (LADDER[0], LADDER[4]), fe=lengths)
    _, short = sample(leg, tmp_path)

    def longer():
        result = Result()
        with Stopper(None, None) as stopper:
            sample_leg(leg, 0, None, tmp_path / "state", tmp_path / "out", stopper, result, window_ps=0.8)
        return result.figures

    def fails(*_):
        raise NumericalError("potential energy in window 0 is no number")

    with monkeypatch.context() as broken, pytest.raises(NumericalError):
        broken.setattr(GromacsSampler, "_read", fails)
        longer()
    (anew,) = longer()["begun_anew"]
    assert anew["window"] == 0 and anew["attempt"] == 2 and anew["settings_used"]["timestep_fs"] == 2
    for before, now in zip(short, read_windows(sorted((tmp_path / "out").glob("window_*.parquet"))), strict=True):
        np.testing.assert_array_equal(now.u[: len(before.u)], before.u)
        new = now.u[len(before.u) :, now.window]
        assert len(new) == 4 and len(set(new)) == 4 and new.mean() == pytest.approx(before.u.mean(), rel=0.1)


@needs_gromacs
def test_nobody_else_works_where_windows_are_sampled_longer(box, tmp_path):
    """A leg of another seed is at its first segment what a longer one is at its second: it took one's samples."""
    lengths = {"sampler": "independent", "sample_ps": 0.1, "segment_ps": 0.5}
    leg = box.leg(tmp_path / "leg", STATES, fe=lengths | {"window_ps": 0.5})
    other = replace(box.leg(tmp_path / "other", STATES, fe=lengths | {"window_ps": 1.0}), seed=8)
    other.write()
    home = tmp_path / "state" / "window_00"

    def words(verb, leg, *more):
        return [
            sys.executable, "-m", "gibbsflow.cli.fe", verb, "--leg", leg.folder, "--replicate", "0", "--window", "0",
            "--state", home.parent, "--out", tmp_path / verb, *more,
        ]  # fmt: skip

    subprocess.run(words("run", leg), check=True, stderr=subprocess.DEVNULL)
    with subprocess.Popen(words("extend", leg, "--window-ps", "10"), stderr=subprocess.DEVNULL) as longer:
        while longer.poll() is None and not (home / "extension" / "segment-00000.npz").exists():
            time.sleep(0.02)
        longer.send_signal(signal.SIGSTOP)
        told = subprocess.run(words("run", other), capture_output=True, text=True)
        (row,) = [row for row in read_status(home.parent) if row["item"] == "window_00"]
        longer.send_signal(signal.SIGCONT)
        longer.send_signal(signal.SIGTERM)
        assert longer.wait(60) == 75
    assert told.returncode not in (0, 75) and f"{home}: held by pid {longer.pid}" in told.stderr, told.stderr
    assert row["status"] == "finished"
    assert not list(home.glob("superseded-*")) and (home / "FINISHED").exists()


@needs_gromacs
@needs_mpi
def test_windows_exchange_where_mpi_is_there(box, tmp_path):
    alike = (LADDER[0], LADDER[1])  # methane hardly knows its charges: swaps are accepted
    leg = box.leg(tmp_path / "leg", alike, fe={"window_ps": 4.0, "sample_ps": 0.1, "segment_ps": 2.0})
    figures, windows = sample(leg, tmp_path)
    assert figures["exchange"].startswith("of all pairs") and figures["exchange_acceptance"][0] > 0.5
    first, second = (window.replica for window in windows)
    assert set(first) == {0, 1} and (first + second == 1).all()
    assert (np.diff(first) != 0).sum() > 5  # an even number of swaps, all taken, would change nothing


@needs_gromacs
def test_without_mpi_windows_stand_alone_and_it_says_so(box, tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "gmx").symlink_to(shutil.which("gmx"))
    monkeypatch.setenv("PATH", str(tools))
    leg = box.leg(tmp_path / "leg", STATES[:2], fe={"window_ps": 1.0})
    figures, windows = sample(leg, tmp_path)
    assert figures["exchange"] == "none: no gmx_mpi and no mpirun on PATH" and len(windows) == 2
    (tools / "gmx").unlink()
    other = box.leg(tmp_path / "other", STATES[:2], fe={"window_ps": 1.5})
    with pytest.raises(MissingProgramError, match="no gmx on PATH"):
        sample(other, tmp_path / "other_run")


@needs_gromacs
def test_sigterm_stops_within_seconds(box, tmp_path):
    leg = box.leg(tmp_path / "leg", STATES, fe={"sampler": "independent", "segment_ps": 500, "window_ps": 500})
    words = [sys.executable, "-m", "gibbsflow.cli.fe", "run", "--leg", str(leg.folder), "--replicate", "0"]
    words += ["--state", str(tmp_path / "state"), "--out", str(tmp_path / "out")]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, env=os.environ) as run:
        while run.poll() is None and not list((tmp_path / "state").glob("*/gromacs/*/*/run.part0001.log")):
            time.sleep(0.05)
        run.send_signal(signal.SIGTERM)
        assert run.wait(60) == 75
    assert json.loads((tmp_path / "out" / "result.json").read_text())["status"] == "partial"


@needs_gromacs
@pytest.mark.parametrize("together", [False, pytest.param(True, marks=[needs_mpi, pytest.mark.slow])])
def test_a_time_limit_ends_a_segment_and_loses_nothing_of_it(box, tmp_path, together):
    leg = box.leg(tmp_path / "leg", (LADDER[0], LADDER[1]))
    samples, interval = 80, 5

    def sampler(left_s):
        return GromacsSampler(leg, leg.md, tmp_path / "work", exchange=together, left_s=lambda: left_s)

    def drawn(left_s, seed):
        return sampler(left_s).segment(begin, samples, interval, seed, lambda _: None)

    begin = sampler(None).start(leg.starts_nm(0), False, 1, lambda: None, leg.starts_boxes_nm(0))
    with pytest.raises(StoppedEarly, match="time budget used up; .*% of a segment is kept"):
        drawn(0.03, 2)
    (first, *_) = sorted(tmp_path.glob("work/*/window_00/run.part0001.xvg"))
    kept = np.loadtxt(first, comments=("#", "@"), ndmin=2)[:, 0]
    before = first.read_bytes()
    # killed as it goes on: what it has written since does not count
    (first.parent / "run.part0002.xvg").write_text("torn")
    (first.parent / "run.cpt").write_text("torn")
    walkers, found = drawn(None, 2)
    assert first.read_bytes() == before and (first.parent / "run.part0002.xvg").stat().st_size > 1000
    assert len(found.u) == 2 * samples and np.isfinite(found.u).all()
    np.testing.assert_allclose(walkers.time_ps, samples * interval * leg.md.timestep_fs / 1000)
    # up to where it was stopped they are those of a run in one go; another segment starts without them
    shutil.rmtree(tmp_path / "work")
    _, whole = drawn(None, 2)
    same = 2 * int((kept > 0).sum())
    np.testing.assert_array_equal(found.u[:same], whole.u[:same])
    assert 0 < same < 2 * samples


@needs_gromacs
def test_windows_with_counter_ions_behind_their_walls(tmp_path):
    """Minimised, at constant pressure, stopped or sampled longer; the site of the walls is no atom of the leg."""
    box = Box(tmp_path / "box", "[O-]C(=O)CC(=O)[O-]")
    ions = tuple(box.ions())
    walls = tuple(Apart(box.ligand[:4], (ion,), 8.5) for ion in ions)
    assert len(ions) == 2
    fe = {"sampler": "exchange", "window_ps": 0.8, "segment_ps": 0.4, "sample_ps": 0.2}
    leg = box.leg(tmp_path / "leg", (LADDER[0], LADDER[2], LADDER[4]), fe=fe, ion_atoms=ions, apart=walls)
    place_leg(leg.folder, box.prmtop, box.frames[0], range(len(box.frames[0])), np.array(box.boxes))
    figures, whole = sample(leg, tmp_path / "one")
    assert figures["windows"] == 3 and figures["samples_per_window"] == 4
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path / "two", segments=1)
    _, again = sample(leg, tmp_path / "two")
    short = replace(leg, fe=leg.fe.model_copy(update={"window_ps": 0.4}))
    sample(short, tmp_path / "three")
    with Stopper(None, None) as stopper:
        folders = (tmp_path / "three" / "state", tmp_path / "three" / "out")
        sample_leg(short, 0, None, *folders, stopper, Result(), window_ps=0.8)
    longer = read_windows(sorted(folders[1].glob("window_*.parquet")))
    kj = kt_kcal_per_mol(leg.md.temperature_k) * KJ_PER_KCAL
    homes = sorted((tmp_path / "one" / "state").rglob("FINISHED"))
    saved = [RollingCheckpoints(home.parent).load(json.loads(home.read_text())["inputs_hash"]).arrays for home in homes]
    last = [pair for arrays in saved for pair in zip(arrays["positions_nm"], arrays["box_nm"], strict=True)]
    for number, (one, other, more) in enumerate(zip(whole, again, longer, strict=True)):
        np.testing.assert_array_equal(one.u, other.u)
        np.testing.assert_array_equal(one.u, more.u)
        assert last[number][0].shape == box.frames[0].shape
        if number != 1:
            box.frames, box.boxes = ([part] for part in last[number])
            ours = box.openmm_kj_per_mol(leg.states, ions=ions, apart=walls)
            assert one.u[-1, number] * kj == pytest.approx(ours[number], rel=1e-4)
    # half way the slope of a parabola is that from end to end
    middle = whole[1]
    np.testing.assert_allclose(middle.gradients[:, 1], middle.u[:, 0] - middle.u[:, 2], rtol=1e-3, atol=0.1)


def edge_leg(tmp_path, states):
    """A methyl comes onto benzene: its atoms start on top of waters, and come last in the leg, not in GROMACS."""
    (tmp_path / "few.yaml").write_text(f"states: {states}\n")
    fe = Fe(
        solvent_schedule=str(tmp_path / "few.yaml"), sampler="independent",
        window_ps=0.8, window_equil_ps=0.0, sample_ps=0.2, segment_ps=0.4,
    )  # fmt: skip
    a, b = (edges.system(name, tmp_path / name, engine="gromacs") for name in ("benzene", "toluene"))
    protocol = tuple(leg for leg in RELATIVE_SOLVATION if leg.name == "solvent")
    config = BindingConfig(fe=fe)
    prepare_edge(a, b, edges.pairs("benzene", "toluene"), config, tmp_path / "e", Result(), protocol=protocol)
    return read_leg_folder(tmp_path / "e" / "legs" / "solvent")


@needs_gromacs
@pytest.mark.slow
def test_derivatives_of_an_edge_are_those_of_its_energies(tmp_path):
    leg = edge_leg(tmp_path, [[0, 1, 1, 0, 0], *([x, 0, 1 - x, x, 0] for x in (0.49, 0.5, 0.51)), [1, 0, 0, 1, 1]])
    with Stopper(None, None) as stopper:
        sample_leg(leg, 0, (2,), tmp_path / "state", tmp_path / "out", stopper, Result())
    (window,) = read_windows([tmp_path / "out" / "window_02.parquet"])
    along = np.nan_to_num(window.gradients) @ [1, 0, -1, 1, 0]
    np.testing.assert_allclose(along, (window.u[:, 3] - window.u[:, 1]) / 0.02, rtol=0.02, atol=0.5)


@needs_gromacs
def test_windows_of_an_edge_are_drawn_and_resumed_as_any_other(tmp_path):
    leg = edge_leg(tmp_path, [[0, 1, 1, 0, 0], [1, 0, 0, 1, 1]])
    figures, whole = sample(leg, tmp_path / "one")
    assert figures["engine"] == "gromacs" and figures["windows"] == 2
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path / "two", segments=1)
    _, again = sample(leg, tmp_path / "two")
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(one.u, other.u)
    kj = kt_kcal_per_mol(leg.md.temperature_k) * KJ_PER_KCAL
    for number, window in enumerate(whole):
        home = tmp_path / "one" / "state" / f"window_{number:02d}"
        hashed = json.loads((home / "FINISHED").read_text())["inputs_hash"]
        last = RollingCheckpoints(home).load(hashed).arrays
        context = edge_context(leg, last["box_nm"][0])
        context.setPositions(last["positions_nm"][0])
        ours = energies_kj_per_mol(context, leg.states)
        assert window.u[-1, number] * kj == pytest.approx(ours[number], rel=1e-4)
