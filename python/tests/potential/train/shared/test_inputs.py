"""The frames of a fit."""

import os

import pytest
from ase.io import write
from labelled_sets import bare_frame, rattled

from gibbsflow.config.potential_training import Training
from gibbsflow.errors import InputError
from gibbsflow.potential.train.shared.inputs import Inputs, processes


def test_frames_of_the_test_set_are_taken_out_of_training(tmp_path):
    frames = rattled(24, 1)
    write(tmp_path / "train.extxyz", frames)
    write(tmp_path / "test.extxyz", [frames[0], *rattled(11, 2)])
    inputs = Inputs.read(tmp_path / "train.extxyz", tmp_path / "test.extxyz")
    assert (len(inputs.train), len(inputs.test)) == (23, 12)
    assert inputs.species == ("Cu",)


def test_files_that_are_the_same_are_refused(tmp_path):
    write(tmp_path / "train.extxyz", rattled(8, 1))
    with pytest.raises(InputError, match=r"train\.extxyz"):
        Inputs.read(tmp_path / "train.extxyz", tmp_path / "train.extxyz")


def test_elements_are_those_of_training_in_alphabetical_order():
    assert Inputs([bare_frame("SiO2"), bare_frame("Al")], [bare_frame("Fe")]).species == ("Al", "O", "Si")


def test_a_process_a_core_unless_it_is_said():
    assert processes(Training(processes=3)) == 3
    assert processes(Training()) == len(os.sched_getaffinity(0))


def test_what_is_read_as_ever_leaves_the_hash_of_a_fit_as_it_was(tmp_path):
    write(tmp_path / "train.extxyz", rattled(24, 1))
    write(tmp_path / "test.extxyz", rattled(6, 2))
    assert Inputs.read(tmp_path / "train.extxyz", tmp_path / "test.extxyz").read_otherwise == {}
    frames = rattled(24, 1)
    frames[0].info["config_weight"] = 2.0
    for frame in frames:
        frame.info["free_energy"] = frame.get_potential_energy() + 1.0
    write(tmp_path / "train.extxyz", frames)
    assert Inputs.look_at(tmp_path / "train.extxyz").read_otherwise == {
        "train_labels": ["free_energy", "forces", "stress"], "train_weights": [0, 1],
    }  # fmt: skip


def test_a_set_of_energies_alone_has_no_labels_of_another_name(tmp_path):
    write(tmp_path / "train.extxyz", rattled(12, 1))
    alone = rattled(6, 2, forces_weight=0)
    for frame in alone:
        frame.calc.results = {"energy": frame.get_potential_energy()}
    write(tmp_path / "test.extxyz", alone)
    inputs = Inputs.read(tmp_path / "train.extxyz", tmp_path / "test.extxyz")
    assert inputs.account.of_weight("warn") == []
    assert inputs.account.facts["test"]["energy_alone"] == 6 and inputs.account.facts["train"]["energy_alone"] == 0
    for frame in alone:
        frame.calc.results = {}
        frame.info["REF_energy"] = -1.0
    write(tmp_path / "test.extxyz", alone)
    doubts = Inputs.look_at(tmp_path / "train.extxyz", tmp_path / "test.extxyz").account.of_weight("warn")
    assert any("labels are REF_energy" in str(doubt) for doubt in doubts)
