"""What a reader of labelled frames accepts, and the one clear error for each thing it does not."""

import gzip

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.io import write
from labelled_sets import rattled

from gibbsflow.errors import InputError
from gibbsflow.potential.data.labelled_frames import read_labelled, read_with_account


def _write(path, frames):
    write(path, frames, format="extxyz")
    return path


def test_labels_come_back_as_written(tmp_path):
    frames = rattled(3, 0, parent="gf-1", settings_hash="abc")
    read = read_labelled(_write(tmp_path / "a.extxyz", frames))
    assert [f.energy_ev for f in read] == pytest.approx([a.get_potential_energy() for a in frames])
    assert read[1].forces_ev_per_angstrom == pytest.approx(frames[1].get_forces(), abs=1e-7)
    assert read[1].stress_ev_per_angstrom3 == pytest.approx(frames[1].get_stress(), abs=1e-7)
    assert (read[0].parent, read[0].settings_hash, read[0].config_type) == ("gf-1", "abc", "rattled")


def test_ref_keys_and_virial_are_read(tmp_path):
    frame = rattled(1, 0)[0]
    energy, forces, stress = frame.get_potential_energy(), frame.get_forces(), frame.get_stress(voigt=False)
    frame.calc = None
    frame.info |= {"REF_energy": energy, "REF_virial": -stress * frame.get_volume()}
    frame.arrays["REF_forces"] = forces
    read = read_labelled(_write(tmp_path / "a.extxyz", [frame]))[0]
    assert read.energy_ev == pytest.approx(energy)
    assert read.stress_ev_per_angstrom3 == pytest.approx(stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]], abs=1e-7)


def test_heights_of_a_mesh_that_cannot_be_are_left_out_and_noted(tmp_path):
    frames = rattled(3, 0)
    frames[0].info["mesh_heights_angstrom"] = frames[0].cell.lengths()
    frames[1].info["mesh_heights_angstrom"] = np.array([100.0, 1.0, 1.0])
    read, account = read_with_account(_write(tmp_path / "a.extxyz", frames))
    assert ["mesh_heights_angstrom" in frame.atoms.info for frame in read] == [True, False, False]
    (note,) = account.of_weight("note")
    assert "mesh_heights_angstrom of frame 2 cannot be that of its cell" in str(note)


def test_force_mask_is_read(tmp_path):
    frame = rattled(1, 0)[0]
    frame.arrays["force_mask"] = np.arange(len(frame)) < 3
    assert read_labelled(_write(tmp_path / "a.extxyz", [frame]))[0].force_mask.sum() == 3


def test_a_frame_whose_forces_do_not_count_needs_none(tmp_path):
    frames = rattled(3, 0)
    del frames[1].calc.results["forces"]
    frames[1].info["forces_weight"] = 0
    read = read_labelled(_write(tmp_path / "a.extxyz", frames))[1]
    assert read.energy_ev == pytest.approx(frames[1].get_potential_energy())
    assert not read.force_mask.any() and (read.weights.energy, read.weights.force) == (1, 0)


def _no_energy(frames):
    del frames[1].calc.results["energy"]


def _no_forces(frames):
    del frames[1].calc.results["forces"]


def _nan_energy(frames):
    frames[1].calc.results["energy"] = float("nan")


def _nan_forces(frames):
    frames[1].calc.results["forces"][2, 1] = float("nan")


def _same_frame(frames):
    frames[1] = frames[0].copy()
    frames[1].calc = SinglePointCalculator(
        frames[1], energy=frames[0].get_potential_energy() + 0.5, forces=frames[0].get_forces()
    )


def _mixed(frames):
    for frame, value in zip(frames, ("aaaa", "bbbb", "aaaa"), strict=True):
        frame.info["settings_hash"] = value


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_no_energy, r"row 2, energy: missing.*REF_energy"),
        (_no_forces, r"row 2, forces: missing.*REF_forces"),
        (_nan_energy, r"row 2, energy: is nan"),
        (_nan_forces, r"row 2, forces: not finite"),
        (_same_frame, r"row 2: the same structure as frame 1, with another label"),
        (_mixed, r"different settings .*aaaa.*bbbb"),
    ],
)
def test_bad_labels_are_one_clear_error(tmp_path, spoil, message):
    frames = rattled(3, 0)
    spoil(frames)
    with pytest.raises(InputError, match=message):
        read_labelled(_write(tmp_path / "bad.extxyz", frames))


def test_a_repeated_frame_counts_once(tmp_path, caplog):
    frames = rattled(3, 0)
    again = frames[0].copy()
    again.calc = frames[0].calc
    caplog.set_level("INFO")
    assert [frame.row for frame in read_labelled(_write(tmp_path / "a.extxyz", [*frames, again]))] == [1, 2, 3]
    assert "1 frames repeat earlier ones" in caplog.text


@pytest.mark.parametrize(
    ("energy", "forces", "virial"),
    [
        ("REF_energy", "REF_forces", "REF_virial"),
        ("dft_energy", "dft_force", "dft_virial"),
        ("DFT_energy", "DFT_forces", "virials"),
        ("TOTAL_ENERGY", "force", "virial"),
    ],
)
def test_other_names_of_labels(tmp_path, energy, forces, virial):
    (frame,) = rattled(1, 0)
    bare = frame.copy()
    bare.info[energy], bare.arrays[forces] = frame.get_potential_energy(), frame.get_forces()
    bare.info[virial] = -np.eye(3) * frame.get_volume()
    (found,) = read_labelled(_write(tmp_path / "a.extxyz", [bare]))
    assert found.energy_ev == pytest.approx(frame.get_potential_energy())
    assert found.forces_ev_per_angstrom == pytest.approx(frame.get_forces(), abs=1e-6)
    assert found.stress_ev_per_angstrom3 == pytest.approx([1, 1, 1, 0, 0, 0])


@pytest.mark.parametrize("content", [None, "", "3\nnonsense\n"])
def test_files_without_structures(tmp_path, content):
    path = tmp_path / "a.extxyz"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match="a.extxyz"):
        read_labelled(path)


def _spoilt(tmp_path, **info):
    """Account of three frames, of which the second says something else in its comment line."""
    frames = rattled(3, 0)
    path = _write(tmp_path / "a.extxyz", frames)
    lines = path.read_text().splitlines()
    place = 1 + len(frames[0]) + 2
    for key, text in info.items():
        kept = [word for word in lines[place].split(" ") if not word.startswith(f"{key}=")]
        lines[place] = " ".join([*kept, f"{key}={text}"])
    path.write_text("\n".join(lines) + "\n")
    return read_with_account(path)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("None", "'None'"), ('"-3.5 eV"', "'-3.5 eV'"), ("T", "'T'"), ('"-3.5 -3.6"', "'-3.5 -3.6'"), ("inf", "inf")],
)
def test_an_energy_that_is_no_number_is_refused_by_frame_and_key(tmp_path, text, shown):
    frames, account = _spoilt(tmp_path, energy=text)
    assert [frame.row for frame in frames] == [1, 3]
    (problem,) = account.of_weight("refuse")
    assert (problem.row, problem.field) == (2, "energy") and shown in problem.what


def test_a_fortran_exponent_is_a_number(tmp_path):
    frames, account = _spoilt(tmp_path, energy="-1.25D+01")
    assert frames[1].energy_ev == -12.5 and not account.doubts


@pytest.mark.parametrize("name", ["REF_stress", "REF_virial"])
def test_a_stress_of_another_count_is_refused_by_frame_and_key(tmp_path, name):
    frames = rattled(3, 0)
    for frame in frames:
        frame.info |= {"REF_energy": 1.0, name: np.zeros(6) + 0.01}
        frame.arrays["REF_forces"] = frame.get_forces()
        frame.calc = None
    frames[1].info[name] = np.zeros(3)
    _, account = read_with_account(_write(tmp_path / "a.extxyz", frames))
    (problem,) = account.of_weight("refuse")
    assert (problem.row, problem.field) == (2, name) and "3 numbers" in problem.what


def test_stress_and_virial_that_contradict_are_refused(tmp_path):
    (frame,) = rattled(1, 0)
    frame.info["virial"] = -frame.get_stress(voigt=False) * frame.get_volume()
    (read,) = read_labelled(_write(tmp_path / "a.extxyz", [frame]))
    assert read.stress_ev_per_angstrom3 == pytest.approx(frame.get_stress(), abs=1e-7)
    frame.info["virial"] *= -1
    with pytest.raises(InputError, match="row 1, stress: contradicts virial"):
        read_labelled(_write(tmp_path / "a.extxyz", [frame]))


def test_an_isolated_atom_is_known_by_its_geometry_and_needs_no_forces(tmp_path):
    frames = rattled(2, 0)
    for pbc, box in ((False, 0.0), (True, 12.0), (True, 3.0)):
        atom = Atoms("Cu", cell=[box] * 3, pbc=pbc)
        atom.calc = SinglePointCalculator(atom, energy=3.5)
        frames.append(atom)
    read, account = read_with_account(_write(tmp_path / "a.extxyz", frames))
    assert [frame.row for frame in read if frame.isolated] == [3, 4]
    assert not read[2].forces_ev_per_angstrom.any()
    (problem,) = account.of_weight("refuse")
    assert (problem.row, problem.field) == (5, "forces")
    frames[4].info["config_type"] = "isolated_atom"
    frames[4].calc.results["forces"] = np.zeros((1, 3))
    with pytest.raises(InputError, match=r"row 5, config_type: tagged isolated_atom, and its image is 3.00 Å away"):
        read_labelled(_write(tmp_path / "a.extxyz", frames))


def test_weight_zero_leaves_a_frame_out_whatever_its_labels(tmp_path):
    frames, account = _spoilt(tmp_path, energy="None", config_weight="0")
    assert [frame.row for frame in frames] == [1, 3] and account.facts["weight_zero"] == 1
    assert [str(note) for note in account.of_weight("note")] == [
        f"{account.where}: weight 0: frame 2 left out of the fit"
    ]


def test_many_problems_are_listed_up_to_twenty_and_counted(tmp_path):
    frames = rattled(50, 0)
    for number, frame in enumerate(frames):
        frame.info["energy"] = f"{number} eV"
        del frame.calc.results["energy"]
    with pytest.raises(InputError, match="and 30 more like these") as caught:
        read_labelled(_write(tmp_path / "a.extxyz", frames))
    assert len(caught.value.problems) == 21


def test_what_is_the_same_in_many_rows_is_said_once(tmp_path):
    frames = rattled(50, 0)
    for frame in frames[7:]:
        del frame.calc.results["forces"]
    with pytest.raises(InputError) as caught:
        read_labelled(_write(tmp_path / "a.extxyz", frames))
    (problem,) = caught.value.problems
    assert problem.row == 8 and "43 frames (8, 9, " in problem.what


def test_a_stress_without_a_cell_is_refused(tmp_path):
    frames = rattled(3, 0)
    frames[1].set_cell(None)
    frames[1].pbc = False
    with pytest.raises(InputError, match="row 2, Lattice: missing, and the frame has a stress"):
        read_labelled(_write(tmp_path / "a.extxyz", frames))


@pytest.mark.parametrize("name", ["a.xyz.gz", "a.txt", "a"])
def test_extended_xyz_of_any_name_is_read_whole_or_refused(tmp_path, name):
    write(tmp_path / name, rattled(3, 0), format="extxyz")
    assert len(read_labelled(tmp_path / name)) == 3
    opened = gzip.open if name.endswith("gz") else open
    with opened(tmp_path / name, "rt") as file:
        lines = file.read().splitlines()
    with opened(tmp_path / name, "wt") as file:
        file.write("\n".join([*lines[:10], "", *lines[10:]]) + "\n")
    with pytest.raises(InputError, match="row 2: line 11: blank where a frame begins"):
        read_labelled(tmp_path / name)


@pytest.mark.parametrize("name", ["a.db", "a.json"])
def test_keys_and_data_of_a_database_are_read(tmp_path, name):
    frames = rattled(4, 0)
    with connect(tmp_path / name) as database:
        for number, frame in enumerate(frames):
            data = {"REF_forces": frame.get_forces() + number}
            database.write(
                frame, config_type="bulk", config_weight=number, REF_energy=number - 5.0, data=data
            )  # fmt: skip
    read, account = read_with_account(tmp_path / name)
    assert [frame.row for frame in read] == [2, 3, 4] and account.facts["weight_zero"] == 1
    assert [frame.energy_ev for frame in read] == [-4.0, -3.0, -2.0]
    assert [frame.weights.force for frame in read] == [1, 2, 3] and read[0].config_type == "bulk"
    assert read[2].forces_ev_per_angstrom == pytest.approx(frames[3].get_forces() + 3)


@pytest.mark.parametrize(
    "line",
    [
        "     convergence NOT achieved after 100 iterations: stopping",
        " *** WARNING in qs_scf.F:586 :: SCF run NOT converged ***",
        "   *        SCF NOT CONVERGED AFTER 125 CYCLES          *",
        "  Self-consistency cycle not converged.",
        "| The electronic self-consistency was not achieved in the given number of steps (NELM) |",
    ],
)
def test_an_output_whose_density_did_not_converge_is_refused(tmp_path, line):
    (tmp_path / "a.out").write_text(f"a program\n{line}\n")
    with pytest.raises(InputError, match="line 2: ") as caught:
        read_labelled(tmp_path / "a.out")
    assert line.strip() in str(caught.value)


def test_other_formats_keep_their_labels(tmp_path):
    frames = rattled(2, 0)
    write(tmp_path / "a.traj", frames)
    read = read_labelled(tmp_path / "a.traj")
    assert [f.energy_ev for f in read] == [a.get_potential_energy() for a in frames]
    assert read[1].stress_ev_per_angstrom3 == pytest.approx(frames[1].get_stress())


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_tensor_of_three_atoms_is_no_vector_of_each(tmp_path, count):
    rng = np.random.default_rng(1)
    tensor = np.array([[0.01, 0.002, 0.0], [0.002, 0.03, 0.004], [0.0, 0.004, -0.02]])
    database, frames = connect(tmp_path / "a.db"), []
    for k in range(4):
        atoms = Atoms(f"Cu{count}", positions=2.5 * np.arange(3 * count).reshape(count, 3) % 7, cell=[8] * 3, pbc=True)
        atoms.rattle(0.1, rng=rng)
        labels = {"energy": -1.0 - 0.01 * k, "forces": rng.normal(0, 0.1, (count, 3))}
        database.write(atoms, data={**labels, "virial": -tensor * atoms.get_volume()})
        atoms.calc = SinglePointCalculator(atoms, **labels, stress=tensor)
        frames.append(atoms)
    write(tmp_path / "a.traj", frames)
    for name in ("a.db", "a.traj"):
        for frame in read_labelled(tmp_path / name):
            assert frame.stress_ev_per_angstrom3 == pytest.approx([0.01, 0.03, -0.02, 0.004, 0.0, 0.002])
