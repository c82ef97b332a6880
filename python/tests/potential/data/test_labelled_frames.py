"""What a reader of labelled frames accepts, and the one clear error for each thing it does not."""

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from labelled_sets import rattled

from gibbsflow.errors import InputError
from gibbsflow.potential.data.labelled_frames import check_pair, read_labelled


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
    frame.info |= {"REF_energy": energy, "virial": -stress * frame.get_volume()}
    frame.arrays["REF_forces"] = forces
    read = read_labelled(_write(tmp_path / "a.extxyz", [frame]))[0]
    assert read.energy_ev == pytest.approx(energy)
    assert read.stress_ev_per_angstrom3 == pytest.approx(stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]], abs=1e-7)


def test_force_mask_is_read(tmp_path):
    frame = rattled(1, 0)[0]
    frame.arrays["force_mask"] = np.arange(len(frame)) < 3
    assert read_labelled(_write(tmp_path / "a.extxyz", [frame]))[0].force_mask.sum() == 3


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
    assert [frame.row for frame in read_labelled(_write(tmp_path / "a.extxyz", [*frames, again]))] == [1, 2, 3]
    assert "1 frames repeat earlier ones" in caplog.text


def test_a_few_frames_that_the_test_set_has_too_are_left_out_of_training(tmp_path):
    train = read_labelled(_write(tmp_path / "a.extxyz", rattled(4, 0)))
    test = read_labelled(_write(tmp_path / "b.extxyz", [*rattled(4, 0)[:1], *rattled(9, 1)]))
    assert [frame.row for frame in check_pair(train, test, where="b.extxyz")] == [2, 3, 4]


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


def test_test_set_must_fit_the_training_set(tmp_path):
    copper = read_labelled(_write(tmp_path / "a.extxyz", rattled(2, 0, settings_hash="aaaa")))
    alloy = read_labelled(_write(tmp_path / "b.extxyz", rattled(2, 1, ("Cu", "Au"), settings_hash="aaaa")))
    other = read_labelled(_write(tmp_path / "c.extxyz", rattled(2, 2, settings_hash="bbbb")))
    with pytest.raises(InputError, match=r"holds Au .*only Cu"):
        check_pair(copper, alloy, where="b.extxyz")
    with pytest.raises(InputError, match="is frame 1 of the training set"):
        check_pair(copper, copper, where="a.extxyz")
    with pytest.raises(InputError, match="settings_hash: 'bbbb', training 'aaaa'"):
        check_pair(copper, other, where="c.extxyz")
