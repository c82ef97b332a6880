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
