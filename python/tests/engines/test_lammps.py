"""LAMMPS as a separate process: units, boxes, signs, and what happens when it fails."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from gibbsflow.engines.lammps import Lammps, LammpsError, LammpsPool, blown_up, near, timestep_ps
from gibbsflow.engines.lammps_frame import stress_from_virial, to_frame
from gibbsflow.errors import EngineError, MissingProgramError

PAIR = ["pair_style lj/cut 5.0", "pair_coeff * * 0.4 2.3", "compute virial all pressure NULL virial"]
THERMO = ["thermo_style custom step pe c_virial[1]", "run 0 post no"]


@pytest.fixture(scope="module")
def lammps(tmp_path_factory):
    with Lammps(tmp_path_factory.mktemp("lammps")) as process:
        yield process


def _evaluate(lammps, atoms, cutoff=5.0):
    frame = to_frame(atoms, ("Cu",), cutoff)
    got = lammps.run([*lammps.load(frame), *PAIR, *THERMO], ["thermo:pe", "forces", "virial"])
    return float(got["thermo:pe"]), got["forces"] @ frame.rotation.T, stress_from_virial(got["virial"], frame.rotation)


def _crystal():
    atoms = bulk("Cu", cubic=True) * (2, 2, 1)
    rng = np.random.default_rng(1)
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + rng.uniform(-0.1, 0.1, (3, 3))), scale_atoms=True)
    atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)
    return atoms


def test_a_femtosecond_is_a_thousandth_of_metal_time(lammps):
    assert timestep_ps(2.0) == 0.002
    # an atom at 1 Å/ps that flies freely for 500 steps of 2 fs comes 1 Å far
    atoms = Atoms("Cu", positions=[[5, 5, 5]], cell=[20, 20, 20], pbc=True)
    commands = [*lammps.load(to_frame(atoms, ("Cu",), 5.0)), *PAIR[:2], f"timestep {timestep_ps(2.0)}"]
    commands += ["velocity all set 1.0 0.0 0.0", "fix move all nve", "run 500 post no"]
    assert lammps.run(commands, ["positions"])["positions"][0] == pytest.approx([6, 5, 5])


def test_energy_and_forces_do_not_depend_on_the_choice_of_cell(lammps):
    atoms = _crystal()
    energy, forces, stress = _evaluate(lammps, atoms)
    skewed = atoms.copy()
    skewed.set_cell(np.array([[1, 2, 0], [0, 1, 0], [1, 0, -1]]) @ atoms.cell[:])
    other = _evaluate(lammps, skewed)
    assert other[0] == pytest.approx(energy, abs=1e-9)
    assert other[1] == pytest.approx(forces, abs=1e-9)
    assert other[2] == pytest.approx(stress, abs=1e-9)


def test_forces_and_stress_are_derivatives_of_the_energy(lammps):
    atoms = _crystal()
    _, forces, stress = _evaluate(lammps, atoms)
    energies = []
    for h in (1e-4, -1e-4):
        moved = atoms.copy()
        moved.positions[3, 1] += h
        energies.append(_evaluate(lammps, moved)[0])
    assert -(energies[0] - energies[1]) / 2e-4 == pytest.approx(forces[3, 1], rel=1e-4)
    for voigt, (i, j) in enumerate(((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))):
        energies = []
        for h in (1e-4, -1e-4):
            strain = np.eye(3)
            strain[i, j] += h / 2
            strain[j, i] += h / 2
            strained = atoms.copy()
            strained.set_cell(atoms.cell[:] @ strain, scale_atoms=True)
            energies.append(_evaluate(lammps, strained)[0])
        assert (energies[0] - energies[1]) / 2e-4 / atoms.get_volume() == pytest.approx(
            stress[voigt], rel=1e-3, abs=1e-6
        )


@pytest.mark.parametrize("pbc", [False, (True, False, False)])
def test_open_directions_see_no_images(lammps, pbc):
    pair = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.6]], cell=[30, 4, 4], pbc=pbc)
    expected = 4 * 0.4 * ((2.3 / 2.6) ** 12 - (2.3 / 2.6) ** 6)
    assert _evaluate(lammps, pair)[0] == pytest.approx(expected, abs=1e-9)


def test_a_wrong_command_names_the_log_and_the_process_lives_on(lammps):
    with pytest.raises(EngineError, match=r"lammps\.log.*Unknown command"):
        lammps.run(["no_such_command"])
    assert _evaluate(lammps, _crystal())[1].shape == (16, 3)


def test_lost_atoms_are_an_error(lammps):
    atoms = Atoms("Cu2", positions=[[1, 1, 1], [1, 1, 1.05]], cell=[20, 20, 20], pbc=True)
    commands = [*lammps.load(to_frame(atoms, ("Cu",), 5.0)), *PAIR[:2], "fix move all nve", "thermo_modify lost error"]
    with pytest.raises(EngineError):
        lammps.run([*commands, "run 100"])


@pytest.mark.parametrize(
    ("words", "physics"),
    [
        ("ERROR: Lost atoms: original 32 current 4", True),
        ("ERROR on proc 0: Non-numeric atom coords - simulation unstable", True),
        ("ERROR: Cannot zero Langevin force of 0 atoms", True),
        ("ERROR: Domain too large for neighbor bins", True),
        ("ERROR: Attempting to rescale a 0.0 temperature", False),
        ("ERROR on proc 0: Cannot open POD coefficient file a b/potential.pod", False),
        ("ERROR: Unrecognized pair style 'pace' is part of the ML-PACE package", False),
        ("ERROR: Incorrect args for pair coefficients", False),
        ("ERROR on proc 0: Cannot open file nano/in.potential", False),
    ],
)
def test_what_has_blown_up_is_told_from_what_was_wrong(words, physics):
    assert blown_up(LammpsError(f"LAMMPS failed (log: x): {words}")) is physics
    assert not blown_up(EngineError(words))


def test_folders_get_a_name_without_blanks_once(tmp_path):
    target = tmp_path / 'a b\'s "é" $x #1'
    target.mkdir()
    (target / "file").write_text("content")
    begin = near(tmp_path / "work", target)
    assert begin == near(tmp_path / "work", target) and begin.isascii() and " " not in begin
    assert (tmp_path / "work" / f"{begin}file").read_text() == "content"
    assert near(target, target) == ""


def test_a_process_that_died_is_an_error(tmp_path):
    process = Lammps(tmp_path)
    process.process.kill()
    process.process.wait()
    with pytest.raises(EngineError, match="lammps"):
        process.run(["units metal"], ["thermo:pe"])
    process.close()


def test_killed_it_leaves_no_memory_of_the_node(tmp_path):
    with Lammps(tmp_path) as process:
        mapped = Path(f"/proc/{process.process.pid}/maps").read_text()
        assert "mpich_shm_" in mapped  # or there is nothing to look at here any more
        assert not list(Path("/dev/shm").glob(f"mpich_shm_{process.process.pid:x}_*"))


def test_a_run_over_its_time_is_ended(tmp_path):
    process = Lammps(tmp_path)
    atoms = bulk("Cu", cubic=True) * (3, 3, 3)
    commands = [*process.load(to_frame(atoms, ("Cu",), 5.0)), *PAIR[:2], "fix move all nve", "run 100000000"]
    with pytest.raises(EngineError, match="ran over its 1 s"):
        process.run(commands, time_s=1.0)
    assert process.process.poll() is not None


def test_a_pair_style_that_is_missing_is_named(lammps):
    lammps.require("pod")
    with pytest.raises(MissingProgramError, match="no pair_style pace"):
        lammps.require("pace")


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    (tmp_path / "lammps.py").write_text("raise ImportError('no LAMMPS here')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingProgramError, match="no LAMMPS here"):
        Lammps(tmp_path / "work")


def test_pool_keeps_the_order(tmp_path):
    with LammpsPool(tmp_path, 2) as pool:
        cells = [_crystal() for _ in range(5)]
        for k, atoms in enumerate(cells):
            atoms.set_cell(atoms.cell * (1 + 0.01 * k), scale_atoms=True)
        energies = list(pool.map(lambda process, atoms: _evaluate(process, atoms)[0], cells))
        assert energies == [_evaluate(pool.members[0], atoms)[0] for atoms in cells]
