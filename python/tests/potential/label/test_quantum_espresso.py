from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from silicon import coarse, needs_pw, overlapping, si2

from gibbsflow.config.potential import Labels
from gibbsflow.errors import InputError, MissingProgramError
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.label.quantum_espresso import QuantumEspresso
from gibbsflow.units import RYDBERG_EV

qe = [pytest.mark.qe, needs_pw]


PW = """#!/bin/sh
echo "Program PWSCF v.7.2 starts"
echo "estimated scf accuracy    <       0.5 Ry"
echo "convergence NOT achieved after 1 iterations: stopping"
echo "JOB DONE."
exit 2
"""


@pytest.fixture
def no_pw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder that is alone on PATH, and a Python in an environment of its own: a machine without pw.x."""
    path = tmp_path / "path"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "home" / "venv"))
    return path


def program(folder: Path, text: str) -> None:
    (folder / "pw.x").write_text(text)
    (folder / "pw.x").chmod(0o755)


def test_without_any_pw_the_error_says_how_to_get_one(no_pw: Path) -> None:
    with pytest.raises(MissingProgramError, match="is not installed") as caught:
        QuantumEspresso(["Si"], coarse(), Labels())
    assert "make setup-qe" in caught.value.what_to_do


def test_one_that_does_not_start_is_refused_in_its_own_words(no_pw: Path) -> None:
    program(no_pw, "#!/bin/sh\necho 'error while loading shared libraries: libfftw3.so.3' >&2; exit 127\n")
    engine = QuantumEspresso(["Si"], coarse(), Labels())
    with pytest.raises(MissingProgramError, match=r"does not start \(code 127\).*libfftw3"):
        engine.describe()


def test_no_elements_are_refused(no_pw: Path) -> None:
    program(no_pw, PW)
    with pytest.raises(InputError, match="no elements"):
        QuantumEspresso([], coarse(), Labels())


def test_it_describes_itself(no_pw: Path) -> None:
    program(no_pw, PW)
    said = QuantumEspresso(["Si"], coarse(), Labels()).describe()
    assert (said["program"], said["version"]) == (str(no_pw / "pw.x"), "7.2")
    assert said["cutoffs"].startswith("10 / 40 Ry, below the 28 / 112 Ry of the pseudopotentials")
    assert said["pseudopotential Si"] == "Si.lda-gth.gth (NC, lda)"


def test_each_run_has_the_settings_that_its_label_names(no_pw: Path, tmp_path: Path) -> None:
    program(no_pw, PW)
    failed = QuantumEspresso(["Si"], coarse(), Labels(corrections_max=1)).label(si2(), tmp_path / "kept")
    assert (failed.status, failed.cause, failed.attempts) == ("failed", "UNCONVERGED", 2)
    assert (failed.program, failed.scf_steps) == ("pw.x 7.2", 2)
    assert failed.corrections == ["up to 120 steps from scratch"]
    first, second = (
        {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in text.splitlines())}
        for text in ((tmp_path / "kept" / f"run{number}.pwi").read_text() for number in (1, 2))
    )
    assert (first["electron_maxstep"], second["electron_maxstep"]) == ("80", "120")
    assert (first["ecutwfc"], first["ecutrho"], first["tstress"]) == ("10.0", "40.0", ".true.")
    assert "startingpot" not in first and "nspin" not in first


def test_ranks_are_started_by_the_launcher_beside_the_program(no_pw: Path, tmp_path: Path) -> None:
    program(no_pw, PW)
    labels = Labels(ranks=4, pools=2, corrections_max=0)
    with pytest.raises(MissingProgramError, match="'mpirun' of MPI is not installed"):
        QuantumEspresso(["Si"], coarse(), labels)
    for says, error in (("", "LAUNCHER"), ("echo Parallel version, running on     4 processors", "UNCONVERGED")):
        lines = ["#!/bin/sh", f'printf "%s " "$@" >"{tmp_path}/asked"', "shift 2", says, 'exec "$@"', ""]
        (no_pw / "mpirun").write_text("\n".join(lines))
        (no_pw / "mpirun").chmod(0o755)
        failed = QuantumEspresso(["Si"], coarse(), labels).label(si2())
        assert (failed.status, failed.error) == ("failed", error), failed
    assert (tmp_path / "asked").read_text().split() == [
        "-n", "4", str(no_pw / "pw.x"), "-nk", "2", "-in", "run1.pwi",
    ]  # fmt: skip


def test_a_launcher_may_be_a_path(no_pw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(no_pw, PW)
    own = tmp_path / "own" / "srun"
    own.parent.mkdir()
    own.write_text('#!/bin/sh\nshift 2\necho "running on 2 processors"\nexec "$@"\n')
    own.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    for launcher in (str(own), "own/srun"):
        engine = QuantumEspresso(["Si"], coarse(), Labels(ranks=2, launcher=launcher, corrections_max=0))
        assert engine.label(si2()).error == "UNCONVERGED", launcher
    with pytest.raises(MissingProgramError, match="/nowhere/mpirun' of MPI is not installed"):
        QuantumEspresso(["Si"], coarse(), Labels(ranks=2, launcher="/nowhere/mpirun"))


def written(no_pw: Path, folder: Path, atoms: Atoms, elements: tuple[str, ...] = ("Si",), **dft: object) -> str:
    """Input that the program gets for a structure."""
    program(no_pw, PW)
    engine = QuantumEspresso(list(elements), coarse(**dft), Labels(corrections_max=0))
    assert engine.label(atoms, folder / "kept").cause == "UNCONVERGED"
    return (folder / "kept" / "run1.pwi").read_text()


def values(text: str) -> dict[str, str]:
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in text.splitlines())}


def test_up_and_down_are_kinds_of_their_own(no_pw: Path, tmp_path: Path) -> None:
    atoms = si2()
    atoms.set_initial_magnetic_moments([2.0, -2.0])
    text = written(no_pw, tmp_path, atoms)
    said = values(text)
    assert (said["nspin"], said["ntyp"], "tot_magnetization" in said) == ("2", "2", False)
    assert (said["starting_magnetization(1)"], said["starting_magnetization(2)"]) == ("0.5", "-0.5")
    assert [line.split()[0] for line in text.partition("ATOMIC_POSITIONS")[2].splitlines()[1:3]] == ["Si", "Si1"]


def test_moments_by_element_are_fractions_of_the_valence(no_pw: Path, tmp_path: Path) -> None:
    said = values(written(no_pw, tmp_path, si2(), moments_ub={"Si": 1.0}))
    assert (said["nspin"], said["ntyp"], said["starting_magnetization(1)"]) == ("2", "1", "0.25")
    # 4 μB of 4 electrons: from 7.3 on, 1 would be 1 μB
    said = values(written(no_pw, tmp_path, si2(), moments_ub={"Si": 4.0}))
    assert said["starting_magnetization(1)"] == "0.9999"


def test_dispersion_and_a_u_are_in_the_input(no_pw: Path, tmp_path: Path) -> None:
    atoms = Atoms("C2", [[0, 0, 0], [0.9, 0.9, 0.9]], cell=np.full((3, 3), 1.8) - 1.8 * np.eye(3), pbc=True)
    atoms.set_initial_magnetic_moments([1.0, -1.0])
    physics = {"functional": "pbe", "dispersion": "d3-bj", "hubbard_u_ev": {"C": 2.0}}
    text = written(no_pw, tmp_path, atoms, ("C",), **physics)  # a program that says 7.2
    said = values(text)
    assert (said["vdw_corr"], said["dftd3_version"], said["dftd3_threebody"]) == ("'grimme-d3'", "4", ".true.")
    assert text.rstrip().endswith("HUBBARD (atomic)\nU C-2p 2\nU C1-2p 2")
    kinds = [line.split()[0] for line in text.partition("ATOMIC_SPECIES")[2].splitlines()[1:3]]
    assert kinds == ["C", "C1"] and "lda_plus_u" not in said
    plain = values(written(no_pw, tmp_path, atoms, ("C",), functional="pbe"))
    assert not {"vdw_corr", "lda_plus_u", "HUBBARD"} & plain.keys()


def test_charge_multiplicity_and_ground_states_of_atoms(no_pw: Path, tmp_path: Path) -> None:
    charged = si2()
    charged.info.update(charge=2, multiplicity=3)
    said = values(written(no_pw, tmp_path, charged))
    assert (float(said["tot_charge"]), float(said["tot_magnetization"]), said["nspin"]) == (2, 2, "2")
    said = values(written(no_pw, tmp_path, Atoms("Si", cell=[12, 12, 12])))
    assert (float(said["tot_magnetization"]), said["starting_magnetization(1)"]) == (2, "0.5")
    assert "nspin" not in values(written(no_pw, tmp_path, Atoms("Si", cell=[12, 12, 12]), magnetism="none"))
    said = values(written(no_pw, tmp_path, Atoms("Si", cell=[12, 12, 12]), moments_ub={"Si": 2.0}))
    assert ("tot_magnetization" in said, said["starting_magnetization(1)"]) == (False, "0.5")


def test_an_ion_is_computed_without_its_images(no_pw: Path, tmp_path: Path) -> None:
    # whatever cell is written beside it: twice as long as the density, which reaches 3 Å beyond the atoms
    for cell in ([4.0, 4.0, 4.0], [30.0, 30.0, 30.0], [0, 0, 0]):
        ion = Atoms("Si2", [[1.0, 0, 0], [1.0, 0, 2.3]], cell=cell, info={"charge": 1})
        text = written(no_pw, tmp_path, ion)
        assert (values(text)["assume_isolated"], float(values(text)["tot_charge"])) == ("'martyna-tuckerman'", 1)
        box = [[float(x) for x in line.split()] for line in text.partition("CELL_PARAMETERS")[2].splitlines()[1:4]]
        assert np.allclose(box, np.diag([12.0, 12.0, 16.6]))
        atoms = [line.split()[1:] for line in text.partition("ATOMIC_POSITIONS")[2].splitlines()[1:3]]
        assert np.allclose(np.array(atoms, dtype=float), [[6.0, 6.0, 7.15], [6.0, 6.0, 9.45]])
    neutral, cell = Atoms("Si2", [[1.0, 0, 0], [1.0, 0, 2.3]]), si2()
    cell.info["charge"] = 1
    assert all("assume_isolated" not in written(no_pw, tmp_path, atoms) for atoms in (neutral, cell))


def test_what_pw_cannot_compute_is_refused(no_pw: Path) -> None:
    program(no_pw, PW)
    engine = QuantumEspresso(["Si"], coarse(), Labels())
    many = bulk("Si").repeat((3, 2, 1))
    many.set_initial_magnetic_moments(np.linspace(0.1, 2.0, len(many)))
    odd, strong, pinned = si2(), si2(), si2()
    odd.info["multiplicity"] = 2
    strong.set_initial_magnetic_moments([5.0, 0.0])
    pinned.info["multiplicity"] = 3
    for atoms, words in (
        (many, "12 kinds of atoms by element and moment, and pw.x takes 10"),
        (odd, "multiplicity 2, with 8 electrons"),
        (strong, "atom 0: a moment of 5 μB, with 4 valence electrons"),
    ):
        with pytest.raises(ValueError, match=words):
            engine.electrons(atoms)
        assert engine.label(atoms).cause == "BAD_STRUCTURE"
    with pytest.raises(ValueError, match=r"dft\.magnetism is none"):
        QuantumEspresso(["Si"], coarse(magnetism="none"), Labels()).electrons(pinned)


def test_a_key_tells_what_was_computed(no_pw: Path) -> None:
    program(no_pw, PW)
    engine = QuantumEspresso(["Si"], coarse(), Labels())
    charged, ferro, small = si2(), si2(), Atoms("Si2", [[0, 0, 0], [2.2, 0, 0]], cell=[4.6, 3.2, 3.2])
    charged.info["charge"] = 1
    ferro.set_initial_magnetic_moments([1.0, 1.0])
    atom = Atoms("Si", cell=[12, 12, 12])
    keys = [engine.key(atoms) for atoms in (charged, ferro, small, atom)]
    assert all(keys) and len(set(keys)) == 4
    # as computed before: labels of earlier versions are found
    assert engine.key(si2()) == ""
    assert engine.key(Atoms("Si2", [[6, 6, 5], [6, 6, 7]], cell=[12, 12, 12])) == ""
    assert QuantumEspresso(["Si"], coarse(moments_ub={"Si": 1.0}), Labels()).key(si2())


class TestRealRuns:
    pytestmark = qe

    def test_an_atom_has_its_moment_and_its_energy(self) -> None:
        # the spin-polarised minimum; without spin it is -7.45615 Ry
        for moments in ({"Si": 2.0}, {}):
            dft = coarse(functional="pbe", ecutwfc_ry=14.0, degauss_ry=0.002, conv_thr_ry=1e-8, moments_ub=moments)
            made = QuantumEspresso(["Si"], dft, Labels()).label(Atoms("Si"))
            assert made.energy_ev / RYDBERG_EV == pytest.approx(-7.51365, abs=2e-5)
            assert (made.total_moment_ub, made.absolute_moment_ub) == (2.0, 2.0)

    def test_the_energy_that_ionises_an_atom(self) -> None:
        # 8.15 eV by experiment (NIST); in a background, 12 Å apart, it would be 6.50 eV
        dft = coarse(functional="pbe", ecutwfc_ry=14.0, degauss_ry=0.002, conv_thr_ry=1e-8)
        engine = QuantumEspresso(["Si"], dft, Labels())
        atom, ion = engine.label(Atoms("Si")), engine.label(Atoms("Si", info={"charge": 1, "multiplicity": 2}))
        assert ion.charge_e == 1 and ion.stress_ev_per_angstrom3 is None
        assert ion.energy_ev - atom.energy_ev == pytest.approx(8.28, abs=0.02)

    def test_an_atom_in_a_periodic_box_has_its_spin(self) -> None:
        dft = coarse(functional="pbe", ecutwfc_ry=14.0, degauss_ry=0.002, conv_thr_ry=1e-8, kspacing_per_angstrom=1.0)
        made = QuantumEspresso(["Si"], dft, Labels()).label(Atoms("Si", cell=[12, 12, 12], pbc=True))
        assert made.energy_ev / RYDBERG_EV == pytest.approx(-7.51365, abs=2e-5)
        assert made.total_moment_ub == 2.0

    def test_a_molecule_in_a_small_cell_is_the_one_in_a_box(self) -> None:
        engine = QuantumEspresso(["Si"], coarse(), Labels())
        small, free = (Atoms("Si2", [[0, 0, 0], [2.2, 0, 0]], cell=cell) for cell in ([4.6, 3.2, 3.2], None))
        assert engine.label(small).energy_ev == pytest.approx(engine.label(free).energy_ev, abs=1e-6)

    def test_forces_and_stress_are_derivatives_of_the_energy(self) -> None:
        engine = QuantumEspresso(["Si"], coarse(conv_thr_ry=1e-10), Labels())
        atoms, step = si2(), 5e-3
        label = engine.label(atoms)
        assert (label.status, label.corrections, label.attempts) == ("labelled", [], 1)
        assert label.program.startswith("pw.x 6") or label.program.startswith("pw.x 7")
        sides = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[1, 0] += sign * step
            sides.append(engine.label(moved).energy_ev)
        assert label.forces_ev_per_angstrom[1][0] == pytest.approx(-(sides[0] - sides[1]) / (2 * step), abs=5e-3)

    def test_shear_stress_is_the_derivative_of_the_energy(self) -> None:
        # pw.x 6.7 gets this wrong when it reads .gth files itself
        engine = QuantumEspresso(["Si"], coarse(conv_thr_ry=1e-10, ecutwfc_ry=24.0), Labels())
        atoms, step = si2(), 4e-3
        sides = []
        for sign in (1, -1):
            sheared = atoms.copy()
            strain = np.eye(3)
            strain[0, 1] = strain[1, 0] = sign * step / 2
            sheared.set_cell(atoms.cell.array @ strain, scale_atoms=True)
            sides.append(engine.label(sheared).energy_ev)
        numeric = (sides[0] - sides[1]) / (2 * step) / atoms.get_volume()
        assert engine.label(atoms).stress_ev_per_angstrom3[5] == pytest.approx(numeric, abs=4e-4)

    def test_too_few_steps_fail_without_corrections_and_are_mended_with_them(self, tmp_path: Path) -> None:
        strict = QuantumEspresso(["Si"], coarse(electron_maxstep=2), Labels(corrections_max=0))
        failed = strict.label(si2(), tmp_path / "kept")
        assert (failed.status, failed.cause) == ("failed", "UNCONVERGED")
        assert "not converged after 2 steps" in failed.message
        assert {p.name for p in (tmp_path / "kept").iterdir()} >= {"run1.pwi", "run1.pwo"}
        assert "pseudo_dir       = '.'" in (tmp_path / "kept" / "run1.pwi").read_text()  # no absolute paths in inputs
        patient = QuantumEspresso(["Si"], coarse(electron_maxstep=2), Labels())
        mended = patient.label(si2())
        assert mended.status == "labelled"
        assert mended.corrections == ["up to 30 steps from its charge density"]
        plain = QuantumEspresso(["Si"], coarse(), Labels()).label(si2())
        assert mended.energy_ev == pytest.approx(plain.energy_ev, abs=1e-5)
        assert mended.settings_hash == plain.settings_hash  # a neutral correction is none of the physics

    def test_too_few_bands(self) -> None:
        failed = QuantumEspresso(["Si"], coarse(bands=3), Labels(corrections_max=0)).label(si2())
        assert (failed.cause, failed.status) == ("CRASH(1)", "failed")
        assert "too few bands" in failed.message
        mended = QuantumEspresso(["Si"], coarse(bands=3), Labels()).label(si2())
        assert (mended.status, mended.corrections) == ("labelled", ["bands 3 -> the program's own number"])

    def test_overlapping_atoms_and_strangers_never_start_a_program(self) -> None:
        engine = QuantumEspresso(["Si"], coarse(), Labels())
        assert engine.label(overlapping()).cause == "BAD_STRUCTURE"
        strange = engine.label(tag(bulk("Ge", a=5.6), "bulk", generator="test", seed=0))
        assert (strange.cause, "Ge" in strange.message) == ("MISSING_PSEUDO", True)

    def test_a_time_bound_is_a_resource(self) -> None:
        engine = QuantumEspresso(["Si"], coarse(ecutwfc_ry=60.0), Labels(label_time_min=0.002))
        assert engine.label(si2()).cause == "RESOURCE"

    def test_what_counts_is_in_the_hash_and_nothing_else(self) -> None:
        base = QuantumEspresso(["Si"], coarse(), Labels()).settings_hash
        for same in ({"mixing_beta": 0.3}, {"electron_maxstep": 50}, {"diagonalization": "cg"}):
            assert QuantumEspresso(["Si"], coarse(**same), Labels(workers=4)).settings_hash == base
        for other in (
            {"ecutwfc_ry": 12.0},
            {"kspacing_per_angstrom": 0.9},
            {"degauss_ry": 0.02},
            {"functional": "pbe"},
        ):
            assert QuantumEspresso(["Si"], coarse(**other), Labels()).settings_hash != base
        assert QuantumEspresso(["Si", "Ge"], coarse(), Labels()).settings_hash != base

    def test_missing_pseudopotential_is_named_before_anything_starts(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="pseudopotential of Si is missing"):
            QuantumEspresso(["Si"], coarse(pseudo_library="debian", pseudo_dir=tmp_path), Labels())
