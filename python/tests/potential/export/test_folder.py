"""A folder that a stock LAMMPS runs: what it gives is what ASE gives, and it halts where the potential guesses."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import read, write
from labelled_sets import fitted, fitted_copper, rattled

from gibbsflow import PotentialCalculator
from gibbsflow.config.potential_training import Exploration
from gibbsflow.errors import InputError
from gibbsflow.potential.explore.lammps_dynamics import halted_at
from gibbsflow.potential.export.folder import write_folder
from gibbsflow.potential.export.handed_over import Source
from gibbsflow.potential.train.shared.grade import ACTIVE_SET, Grader

LMP = Path(sys.executable).with_name("lmp")
FORCES = "dump forces all custom 1 forces.txt id fx fy fz\ndump_modify forces sort id format float %.15g\n"


def _write(out, start, interval=10, **settings):
    given = {"steps": 100, "timestep_fs": 2.0, "grade_interval": 10, "segment_steps": 100, **settings}
    source = Source.find(fitted_copper()[0])
    return write_folder(source, out, Exploration(**given), interval=interval, seed=5, start=start)


def _lammps(folder, script="in.md", *words):
    command = [LMP, "-in", script, *words, "-nocite"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_lammps_and_ase_agree(tmp_path):
    start = rattled(1, 77)[0]
    _write(tmp_path, start)
    (tmp_path / "in.two").write_text(
        "units metal\natom_modify map array\nbox tilt large\nread_data start.data\n"
        "include in.potential\ninclude in.grade\n"
        + FORCES
        + 'thermo_style custom step pe\nthermo_modify format float %.15g\nrun 0\nprint "energy $(pe:%.15g)"\n'
    )
    told = _lammps(tmp_path, "in.two")
    assert told.returncode == 0, told.stdout[-2000:]
    energy = float(told.stdout.rsplit("energy ", 1)[1].split()[0])
    forces = np.loadtxt(tmp_path / "forces.txt", skiprows=9)[:, 1:]
    atoms = start.copy()
    atoms.calc = PotentialCalculator(tmp_path)
    assert energy == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
    assert np.linalg.norm(forces, axis=1) == pytest.approx(np.linalg.norm(atoms.get_forces(), axis=1), abs=1e-6)
    atoms.calc.close()


def test_an_element_of_few_atoms_is_unknown_in_lammps_as_in_ase(tmp_path):
    shutil.copytree(fitted_copper()[0], tmp_path / "fit")
    active_set = tmp_path / "fit/potential" / ACTIVE_SET
    Grader.read(active_set).without(("Cu",)).write(active_set)
    start, out = rattled(1, 1)[0], tmp_path / "out"
    given = Exploration(steps=100, grade_interval=10, segment_steps=100, lower_grade=7.0, upper_grade=50.0)
    told = write_folder(Source.find(tmp_path / "fit"), out, given, interval=10, seed=5, start=start)
    assert told["linear_forms"] == len(Grader.read(active_set).sets["Cu"].inverse) + 1
    run = _lammps(out, "in.md", "-var", "steps", "10")
    frames = read(out / "unknown.lammpstrj", index=":", format="lammps-dump-text", specorder=["Cu"])
    assert "warning: 100 % of the looks met grades of" in run.stdout and run.returncode == 0
    calculator = PotentialCalculator(out)
    ours = [calculator.grades(frame) for frame in frames]
    calculator.close()
    assert len(frames) == 2 and told["lower_grade"] == 7.0  # not that of the fit, which ASE has
    for frame, own in zip(frames, ours, strict=True):
        grades = frame.arrays["v_grade"].ravel()
        assert grades.min() > 7.0 and grades == pytest.approx(np.maximum(own, 7.0), rel=1e-4)


def test_it_halts_where_it_guesses_and_says_so(tmp_path):
    told = _write(tmp_path, bulk("Cu", cubic=True) * (2, 2, 2), temperature_k=6000.0, steps=2000)
    run = _lammps(tmp_path)
    assert run.returncode == 3
    assert "halted outside of the range of this potential" in run.stdout
    assert re.search(r"warning: [\d.]+ % of the looks met grades of [\d.]+ and more: see unknown", run.stdout)
    step, grade = halted_at(run.stdout)
    assert 0 < step < 2000 and grade >= told["upper_grade"]
    frames = read(tmp_path / "unknown.lammpstrj", index=":", format="lammps-dump-text", specorder=["Cu"])
    calculator = PotentialCalculator(tmp_path)
    for frame in frames:
        ours = calculator.grades(frame)
        assert ours.max() >= told["lower_grade"]
        assert frame.arrays["v_grade"].ravel() == pytest.approx(ours, rel=1e-4)  # positions of the dump are rounded
    calculator.close()


def test_atoms_that_are_thrown_out_between_two_looks_halt_it_too(tmp_path):
    _write(tmp_path, bulk("Cu", cubic=True) * (2, 2, 2), temperature_k=20000.0, steps=2000, timestep_fs=10.0)
    looks = ("-var", "grade_every", "200")
    outside = "halted outside of the range of this potential: "
    by_loss = _lammps(tmp_path, "in.md", *looks, "-var", "apart_stop", "1e300")
    assert by_loss.returncode == 3, by_loss.stdout[-2000:]
    assert re.search(outside + r"\d+ atoms were lost by step \d+, grade [\d.]+ when last looked at", by_loss.stdout)
    by_energy = _lammps(tmp_path, "in.md", *looks)
    assert by_energy.returncode == 3, by_energy.stdout[-2000:]
    told = re.search(outside + r"atoms fly apart at step (\d+), with ([\d.e+]+) eV of kinetic energy", by_energy.stdout)
    assert told is not None and int(told[1]) < 200 and float(told[2]) > 25.8, by_energy.stdout[-2000:]
    by_grade = _lammps(tmp_path, "in.md", "-var", "grade_every", "1")
    assert by_grade.returncode == 3 and outside + "grade " in by_grade.stdout, by_grade.stdout[-2000:]


def test_it_runs_to_its_end_inside_of_the_range(tmp_path):
    _write(tmp_path, bulk("Cu", cubic=True) * (2, 2, 2), temperature_k=100.0)
    run = _lammps(tmp_path, "in.md", "-var", "steps", "50", "-var", "grade_every", "25")
    assert run.returncode == 0, run.stdout[-2000:]
    assert halted_at(run.stdout) is None
    assert "warning:" not in run.stdout
    assert not (tmp_path / "unknown.lammpstrj").read_text()


def test_two_atoms_alone_run(tmp_path):
    _write(tmp_path, Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.4]]), temperature_k=50.0)
    run = _lammps(tmp_path, "in.md", "-var", "steps", "50", "-var", "grade_stop", "1e9", "-var", "apart_stop", "1e9")
    assert run.returncode == 0, run.stdout[-2000:]  # the pair style as it is crashes on them


def test_a_start_outside_of_the_range_is_not_run(tmp_path):
    squeezed = bulk("Cu", cubic=True) * (2, 2, 2)
    squeezed.set_cell(squeezed.cell * 0.8, scale_atoms=True)
    _write(tmp_path, squeezed)
    run = _lammps(tmp_path)
    assert run.returncode == 3
    assert "the start lies outside of the range" in run.stdout


def test_steps_need_not_be_whole_looks_at_the_grade(tmp_path):
    _write(tmp_path, bulk("Cu", cubic=True) * (2, 2, 2), temperature_k=100.0)
    run = _lammps(tmp_path, "in.md", "-var", "steps", "21")
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Loop time" in run.stdout and "for 30 steps" in run.stdout


def test_types_in_another_order_are_not_run(tmp_path):
    source = Source.find(fitted("Au", "Cu")[0])
    alloy = bulk("Cu", cubic=True) * (2, 2, 2)
    alloy.symbols[:5] = "Au"
    write_folder(source, tmp_path / "out", Exploration(steps=10), interval=10, seed=5, start=alloy)
    swapped = tmp_path / "out" / "swapped.data"
    write(swapped, alloy, format="lammps-data", specorder=["Cu", "Au"], masses=True, atom_style="atomic")
    own = _lammps(tmp_path / "out", "in.md", "-var", "grade_stop", "1e9")
    assert own.returncode == 0 and "mass of another element" not in own.stdout, own.stdout[-2000:]
    run = _lammps(tmp_path / "out", "in.md", "-var", "start", "swapped.data")
    assert run.returncode == 4 and "type 1 is Au here, and has the mass of another element" in run.stdout


def test_one_atom_has_no_md(tmp_path):
    with pytest.raises(InputError, match=r"is one atom.*exploration.supercell"):
        _write(tmp_path, bulk("Cu"))
    assert not list(tmp_path.iterdir())
    assert "start.data" in _write(tmp_path, bulk("Cu"), supercell=(3, 3, 3))["files"]


def test_thresholds_of_the_settings_win(tmp_path):
    told = _write(tmp_path, None, lower_grade=1.2, upper_grade=3.4)
    assert (told["lower_grade"], told["upper_grade"]) == (1.2, 3.4)
    assert "start.data" not in told["files"] and told["notes"] == []
    told = _write(tmp_path, None, upper_grade=1.1)
    assert (told["lower_grade"], told["upper_grade"]) == (1.1, 1.1)
    (note,) = _write(tmp_path, None, uncertainty="committee")["notes"]
    assert "exploration.uncertainty: committee has no effect here" in note


def test_elements_that_are_not_known_are_refused(tmp_path):
    with pytest.raises(InputError, match="holds Au, unknown to the potential"):
        _write(tmp_path, bulk("Au", cubic=True))


def test_a_potential_is_not_written_into_itself(tmp_path):
    shutil.copytree(fitted_copper()[0] / "potential", tmp_path / "potential")
    for out in (tmp_path / "potential", tmp_path / "potential" / "export"):
        with pytest.raises(InputError, match="is the potential's folder, or lies in it"):
            write_folder(Source.find(tmp_path), out, Exploration(), interval=10, seed=1)


def test_with_hydrogen_the_time_step_is_short_unless_one_is_given(tmp_path, monkeypatch):
    source = Source.find(fitted_copper()[0])
    texts = []
    for number, (species, settings) in enumerate(
        [(("Cu",), Exploration()), (("Cu", "H"), Exploration()), (("Cu", "H"), Exploration(timestep_fs=0.25))]
    ):
        monkeypatch.setattr(type(source.potential), "species", species)
        write_folder(source, tmp_path / str(number), settings, interval=10, seed=1)
        texts.append((tmp_path / str(number) / "in.md").read_text())
    steps = [re.search(r"# (\S+) fs: 1 fs is usual, and with hydrogen 0.5 fs\ntimestep (\S+)", text) for text in texts]
    assert [found.groups() for found in steps if found] == [("1", "0.001"), ("0.5", "0.0005"), ("0.25", "0.00025")]
