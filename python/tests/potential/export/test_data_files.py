"""The same labels in three forms, each read back by the tool that it is for."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from ase.db import connect
from ase.io import read
from labelled_sets import fitted_copper, rattled, strained_alloy

from gibbsflow.errors import InputError
from gibbsflow.potential.export.data_files import structure, write_data
from gibbsflow.potential.export.handed_over import Source


def test_labels_are_the_same_in_all_files(tmp_path):
    folder, _ = fitted_copper()
    source = Source.find(folder, folder / "train.extxyz", folder / "test.extxyz")
    metadata = write_data(source, tmp_path, licence="CC0-1.0", authors=())
    frames = read(tmp_path / "data.extxyz", index=":")
    rows = list(connect(tmp_path / "data.db").select(sort="id"))
    entries = json.loads((tmp_path / "optimade.json").read_text())["data"]
    assert len(frames) == len(rows) == len(entries) == 30
    assert metadata["frames"] == {"train": 24, "holdout": 6}
    for frame, row, entry in zip(frames, rows, entries, strict=True):
        own = entry["attributes"]
        assert row.energy == pytest.approx(frame.get_potential_energy(), abs=1e-6)
        assert own["_gibbsflow_energy_ev"] == pytest.approx(row.energy, abs=1e-6)
        assert np.array(own["_gibbsflow_forces_ev_per_angstrom"]) == pytest.approx(row.forces, abs=1e-6)
        assert row.stress == pytest.approx(frame.get_stress(), abs=1e-6)
    assert rows[-1].set == "holdout"
    told = json.loads((tmp_path / "metadata.json").read_text())
    assert (told["licence"], told["settings_key"]) == ("CC0-1.0", "not recorded")
    assert told["files"]["data.db"] == hashlib.sha256((tmp_path / "data.db").read_bytes()).hexdigest()


def test_what_a_database_has_no_key_for_lies_beside_the_row(tmp_path):
    folder, _ = fitted_copper()
    frames = rattled(1, 3)
    odd = {"formula": "Cu4", "virial-x": np.float64(1.5), "run": "12", "Cu": np.int64(2), "charge": 1}
    frames[0].info |= {**odd, "origin": "elsewhere", "step": np.int64(7), "virial": np.eye(3)}
    source = replace(Source.find(folder), frames={"train": frames})
    write_data(source, tmp_path, licence="", authors=())
    row = next(connect(tmp_path / "data.db").select())
    assert (row.origin, row.step) == ("elsewhere", 7)
    assert row.data["info"]["virial"] == pytest.approx(np.eye(3))
    assert {key: str(row.data["info"][key]) for key in odd} == {key: str(value) for key, value in odd.items()}


def test_a_structure_in_the_words_of_optimade():
    atoms = strained_alloy()
    own = structure(atoms)["attributes"]
    assert own["chemical_formula_reduced"] == "Au3Cu5"  # elements in order, as the standard has it
    assert own["elements_ratios"] == [0.375, 0.625]
    assert (own["nperiodic_dimensions"], own["nsites"], own["nelements"]) == (3, 8, 2)
    assert np.array(own["lattice_vectors"]) == pytest.approx(atoms.cell.array)


def test_without_frames_there_is_nothing_to_write(tmp_path):
    with pytest.raises(InputError, match="no labelled frames"):
        write_data(Source.find(fitted_copper()[0]), tmp_path, licence="", authors=())
