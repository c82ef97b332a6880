"""MD that watches the grade: units, ramps, restarts, and each way it can end."""

import json
import shutil
import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.geometry import find_mic
from labelled_sets import fitted_copper

from gibbsflow.config.potential import Labels
from gibbsflow.config.potential_training import Exploration, Training
from gibbsflow.engines.lammps import Lammps, LammpsError
from gibbsflow.errors import EngineError, InputError, StoppedEarly
from gibbsflow.potential.explore.calculator import PotentialCalculator
from gibbsflow.potential.explore.exploring import check_start
from gibbsflow.potential.explore.lammps_dynamics import dynamics
from gibbsflow.potential.explore.md import Trajectory, limits
from gibbsflow.potential.explore.md import figures as trajectory_figures
from gibbsflow.potential.explore.unknown.committee import Committee
from gibbsflow.potential.train import fit as training
from gibbsflow.potential.train.fit import load_potential
from gibbsflow.potential.train.shared.grade import ACTIVE_SET, Grader
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.trainers.pod import PodPotential
from gibbsflow.workflow.state.segments import Stopper


def _trajectory(state, atoms=None, potential=None, inputs_hash="h", seed=3, **settings):
    folder = fitted_copper()[0] / "potential"
    given = {"steps": 60, "segment_steps": 20, "grade_interval": 10, "timestep_fs": 2.0, **settings}
    return Trajectory(
        potential or load_potential(folder), Grader.read(folder / ACTIVE_SET),
        atoms or bulk("Cu", cubic=True), Exploration(**given), seed, 0, state, inputs_hash,
    )  # fmt: skip


def fitted_copper_copy(folder):
    return Path(shutil.copytree(fitted_copper()[0] / "potential", folder))


def _run(trajectory, **limits):
    with Stopper(**limits) as stopper:
        return trajectory.run(stopper)


def test_a_quiet_trajectory_ends_with_its_steps(tmp_path):
    trajectory = _trajectory(tmp_path, temperature_k=50.0)
    trail = _run(trajectory)
    assert (trail.steps, trail.stopped, trail.looks) == (60, "steps", 6)
    assert 0 < trail.max_grade < trajectory.lower
    assert trajectory.frames() == []
    assert trajectory_figures(trajectory)["simulated_ps"] == pytest.approx(0.12)
    again = _trajectory(tmp_path, temperature_k=50.0)
    assert _run(again) == trail  # what is done is not run again


@pytest.mark.parametrize("places", [[0.0, 2.3], [0.0, 2.3, 30.0, 32.3], [0.0, 30.0, 60.0]])
def test_atoms_and_pairs_alone_are_simulated(tmp_path, places):
    alone = Atoms(len(places) * ["Cu"], [[0, 0, z] for z in places])  # the pair style as it is crashes on them
    trail = _run(_trajectory(tmp_path, alone, temperature_k=50.0, timestep_fs=0.5, lower_grade=1e8, upper_grade=1e9))
    assert (trail.steps, trail.stopped) == (60, "steps")


def test_a_chain_of_three_is_simulated_as_far_as_it_is_sound(tmp_path):
    chain = Atoms("Cu3", [[0, 0, z] for z in (0.0, 2.3, 4.6)])  # a potential of the bulk pushes it apart
    trail = _run(_trajectory(tmp_path, chain, temperature_k=50.0, timestep_fs=0.5, lower_grade=1e8, upper_grade=1e9))
    assert trail.steps >= 50 and trail.stopped in ("steps", "unstable")


def test_an_interrupted_run_samples_the_same_states(tmp_path):
    keep = {"lower_grade": 1e-3, "upper_grade": 1e6, "temperature_k": 600.0}
    whole = _trajectory(tmp_path / "whole", **keep)
    _run(whole)
    for _ in range(2):
        with pytest.raises(StoppedEarly):
            _run(_trajectory(tmp_path / "cut", **keep), segments=1)
    cut = _trajectory(tmp_path / "cut", **keep)
    _run(cut)
    assert cut.trail == whole.trail
    told, begun = (json.loads((tmp_path / name / "progress.json").read_text()) for name in ("whole", "cut"))
    same = ("segments_done", "segments", "steps_done", "steps")
    assert [told[name] for name in same] == [begun[name] for name in same] == [3, 3, 60, 60]
    assert (told["recent_segments"], begun["recent_segments"]) == (3, 1)  # of its process, and hours are of all three
    assert begun["engine_s"] == begun["core_s"] > begun["recent_s"] > 0
    for one, other in zip(whole.frames(), cut.frames(), strict=True):
        assert one.positions == pytest.approx(other.positions, abs=1e-12)
    assert [f.info["step"] for f in cut.frames()] == [10, 20, 30, 40, 50, 60]


class _Short(Stopper):
    """Time that is up after each look at the grade."""

    def out_of_time(self, next_s=0.0):
        assert 0 < next_s < 60
        return "time budget used up"


def test_a_segment_is_cut_short_by_the_time_budget_and_goes_on(tmp_path):
    keep = {"lower_grade": 1e-3, "upper_grade": 1e6, "temperature_k": 600.0}
    for steps in (10, 20, 30, 40, 50):
        cut = _trajectory(tmp_path, **keep)
        if steps in (20, 40):  # the end of a segment: nothing is cut, and the next one is begun
            with pytest.raises(StoppedEarly), Stopper(segments=1) as stopper:
                cut.run(stopper)
        else:
            with pytest.raises(StoppedEarly, match=f"used up; {steps} of 60 steps"), _Short() as stopper:
                cut.run(stopper)
        assert cut.trail.steps == steps
        told = json.loads((tmp_path / "progress.json").read_text())
        assert (told["steps_done"], told["steps"], told["segments_done"]) == (steps, 60, steps // 20)
    _run(cut := _trajectory(tmp_path, **keep))
    frames = cut.frames()
    assert (cut.trail.stopped, cut.trail.collected) == ("steps", 6)
    assert [frame.info["step"] for frame in frames] == [10, 20, 30, 40, 50, 60]
    moved = [np.abs(find_mic(b.positions - a.positions, a.cell)[0]).max() for a, b in pairwise(frames)]
    assert 0.01 < min(moved) and max(moved) < 0.3
    settings = Exploration(temperature_k=300, temperature_end_k=900, steps=300, segment_steps=100, grade_interval=10)
    rest = dynamics(settings, 1, 60, 1, inside=40)
    assert any(c.startswith("fix heat all langevin 580.000000 700.000000 ") for c in rest)
    assert rest[-1].split()[7] != dynamics(settings, 1, 100, 1)[-1].split()[7]
    assert not any(c.startswith("velocity") for c in dynamics(settings, 0, 60, 1, inside=40))


def test_another_input_starts_afresh(tmp_path):
    _run(_trajectory(tmp_path, lower_grade=1e-3, upper_grade=1e6))
    other = _trajectory(tmp_path, inputs_hash="other", temperature_k=50.0)
    _run(other)
    assert other.frames() == []


def test_heat_ends_at_the_upper_threshold_with_frames_on_the_way(tmp_path):
    trajectory = _trajectory(
        tmp_path, temperature_k=300, temperature_end_k=9000, steps=2000, segment_steps=100, upper_grade=6.0
    )
    trail = _run(trajectory)
    assert trail.stopped == "grade"
    assert trail.steps < 2000
    told = json.loads((tmp_path / "progress.json").read_text())
    assert told["steps_done"] == told["steps"] == trail.steps  # there is no more to do
    frames = trajectory.frames()
    assert trail.above_upper == 1
    assert frames[-1].info["grade"] >= 6.0
    assert all(trajectory.lower <= f.info["grade"] < 6.0 for f in frames[:-1])
    # the grade seen in MD is the one the calculator finds in the frame on disk
    calculator = PotentialCalculator(trajectory.potential.folder)
    assert calculator.grades(frames[-1]).max() == pytest.approx(frames[-1].info["grade"], rel=1e-6)
    calculator.close()
    info = frames[-1].info
    assert (info["config_type"], info["generator"], info["parent"]) == ("md", "exploration", trajectory.parent)


def test_a_bad_potential_is_a_recorded_outcome(tmp_path):
    good = PodPotential.read(fitted_copper()[0] / "potential")
    broken = PodPotential(good.basis, -5 * good.coefficients, None, {}).write(tmp_path / "bad")
    trajectory = _trajectory(
        tmp_path / "state", potential=broken, upper_grade=1e12, lower_grade=1e11, steps=400, segment_steps=200
    )
    trail = _run(trajectory)
    assert trail.stopped == "unstable"
    assert trail.detail


def test_what_lammps_does_not_take_is_no_instability(tmp_path):
    damaged = fitted_copper_copy(tmp_path / "bad")
    (damaged / "potential.pod").write_text("rubbish\n")
    trajectory = _trajectory(tmp_path / "state", potential=load_potential(damaged))
    with pytest.raises(InputError, match=r"LAMMPS failed \(log: .*lammps\.log\): ERROR.*POD file"):
        _run(trajectory)
    (damaged / "potential.pod").unlink()
    with pytest.raises(InputError, match="Cannot open POD coefficient file"):
        _run(trajectory)


def test_an_error_of_lammps_amid_a_run_is_no_instability_where_a_file_is_at_fault(tmp_path, monkeypatch):
    def full(self, commands, results=(), **_):
        raise LammpsError("LAMMPS failed: ERROR: Cannot open file x.pod")

    trajectory = _trajectory(tmp_path)
    monkeypatch.setattr(Lammps, "run", full)
    monkeypatch.setattr(Trajectory, "_begin", lambda *_: None)
    with pytest.raises(EngineError, match="Cannot open file"):
        _run(trajectory)


def test_overlapping_atoms_are_physics(tmp_path):
    atoms = bulk("Cu", cubic=True)
    atoms.positions[1] = atoms.positions[0] + [0, 0, 1e-3]
    trail = _run(_trajectory(tmp_path, atoms=atoms, lower_grade=1e11, upper_grade=1e12))
    assert trail.stopped == "unstable" and trail.detail


def test_folders_of_any_name_are_worked_in(tmp_path):
    folder = tmp_path / 'a b\'s "é" $x #1'
    potential = load_potential(fitted_copper_copy(folder / "potential"))
    here = _run(_trajectory(folder / "state", potential=potential))
    assert here.stopped == "steps" and here == _run(_trajectory(tmp_path / "plain"))


def test_where_md_cannot_start():
    def check(atoms, **settings):
        given = Exploration(**settings), Labels()
        check_start(atoms, ("Cu",), *given, where="cu.xyz", potential=Path("fit/potential"))

    atoms = bulk("Cu")
    with pytest.raises(InputError, match="cu.xyz: holds 1 atoms, too few for MD"):
        check(atoms)
    check(atoms, supercell=(2, 1, 1))
    alone = Atoms("Cu", positions=[[0, 0, 0]])
    with pytest.raises(InputError, match="too few"):  # a supercell of what is not periodic is the same atom
        check(alone, supercell=(2, 1, 1))
    slab = bulk("Cu", cubic=True)
    slab.pbc = (True, True, False)
    with pytest.raises(InputError, match="is not periodic in all directions"):
        check(slab, ensemble="npt")
    slab.positions[0, 0] = float("nan")
    with pytest.raises(InputError, match="not finite"):
        check(slab)
    with pytest.raises(InputError, match="holds Ag, unknown to fit/potential"):
        check(bulk("Ag", cubic=True))
    flat, cellless, close = (bulk("Cu", cubic=True) for _ in range(3))
    flat.set_cell([3.6, 3.6, 0])
    cellless.set_cell([0, 0, 0])
    close.positions[1] = close.positions[0] + [0, 0, 0.1]
    for broken, words in ((flat, "cell vector"), (cellless, "cell vector"), (close, "0.10 Å apart")):
        with pytest.raises(InputError, match=words):
            check(broken)


def test_lammps_that_dies_is_tried_again_and_unstable_only_if_it_dies_there_again(tmp_path, monkeypatch):
    run, deaths = Lammps.run, []

    def dies(self, commands, results=(), **options):
        if results and len(deaths) < 1 + always:
            deaths.append(self)
            self.close()
            raise EngineError("LAMMPS ended with code -11", code=-11)
        return run(self, commands, results, **options)

    monkeypatch.setattr(Lammps, "run", dies)
    always = 0
    once = _run(_trajectory(tmp_path / "once"))
    always, deaths[:] = 9, []
    twice = _run(_trajectory(tmp_path / "always"))
    monkeypatch.undo()
    assert once == _run(_trajectory(tmp_path / "never"))
    assert (twice.stopped, len(deaths)) == ("unstable", 2)


def test_number_of_frames_is_bounded(tmp_path):
    trajectory = _trajectory(tmp_path, lower_grade=1e-3, upper_grade=1e6, max_frames=2, supercell=(2, 1, 1))
    trail = _run(trajectory)
    assert (trail.collected, trail.above_lower) == (2, 6)
    assert len(trajectory.frames()) == 2
    assert len(trajectory.frames()[0]) == 8


def test_pressure_changes_the_volume(tmp_path):
    trajectory = _trajectory(
        tmp_path, ensemble="npt", pressure_bar=3e5, temperature_k=100.0, steps=300, segment_steps=300, lower_grade=1e-3,
        upper_grade=1e9,
    )  # fmt: skip
    _run(trajectory)
    assert trajectory.frames()[-1].get_volume() < 0.98 * bulk("Cu", cubic=True).get_volume()


@cache
def _with_committee():
    """Folder of a small fit with a committee."""
    source, _ = fitted_copper()
    holder = tempfile.TemporaryDirectory(prefix="gibbsflow-test-")
    settings = Training(cutoff_angstrom=4.0, max_coefficients=30, processes=1, committee=True, stress_weight=0)
    with Stopper() as stopper:
        inputs = Inputs.read(source / "train.extxyz", source / "test.extxyz")
        figures = training.fit(inputs, settings, seed=1, stopper=stopper, budget_s=20, out=Path(holder.name)).figures
    _with_committee.holder = holder
    return Path(holder.name) / "potential", figures


def test_thresholds_of_the_settings_win():
    folder, _ = _with_committee()
    grader, committee = Grader.read(folder / ACTIVE_SET), Committee.read(folder)
    scale = committee.scale
    assert limits(Exploration(), grader, None) == (grader.lower, grader.upper)
    assert limits(Exploration(lower_grade=3.0), grader, None) == (3.0, max(grader.upper, 3.0))
    assert limits(Exploration(), grader, committee) == (scale.lower_ev_per_angstrom, scale.upper_ev_per_angstrom)
    given = Exploration(lower_error_ev_per_angstrom=0.1, upper_error_ev_per_angstrom=0.2)
    assert limits(given, grader, committee) == (0.1, 0.2)
    # where MD stops, the frame is collected: an upper threshold below the calibrated lower one moves that
    assert limits(Exploration(upper_grade=1.1), grader, None) == (1.1, 1.1)
    low = scale.lower_ev_per_angstrom / 2
    assert limits(Exploration(upper_error_ev_per_angstrom=low), grader, committee) == (low, low)


def test_a_committee_stops_where_its_members_disagree(tmp_path):
    folder, figures = _with_committee()
    assert figures["committee"]["members"] == 5
    settings = Exploration(
        steps=400, segment_steps=100, grade_interval=20, timestep_fs=2.0, temperature_k=4000.0, uncertainty="committee"
    )
    with Committee.read(folder) as committee:
        trajectory = Trajectory(
            load_potential(folder), Grader.read(folder / ACTIVE_SET), bulk("Cu", cubic=True), settings, 3, 0, tmp_path,
            "h", committee,
        )  # fmt: skip
        trail = _run(trajectory)
        assert trail.stopped == "grade" and "expected force error" in trail.detail
        last = trajectory.frames()[-1]
        spreads = committee.spreads(last)
    assert last.arrays["force_spread_ev_per_angstrom"] == pytest.approx(spreads, rel=1e-3)
    assert trail.max_spread == pytest.approx(spreads.max(), rel=1e-3)
    assert spreads.max() >= committee.scale.upper_ev_per_angstrom
    assert "atom_grade" in last.arrays
    assert "max_spread_ev_per_angstrom" in trajectory_figures(trajectory)
