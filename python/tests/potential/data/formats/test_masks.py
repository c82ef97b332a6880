"""Masks and weights through the database, which has no column for them."""

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from labelled_sets import rattled

from gibbsflow.config.potential import Labels
from gibbsflow.potential.data.database import DatabaseManager, RowStatus
from gibbsflow.potential.data.formats.masks import counted_parts, restore_parts
from gibbsflow.potential.data.labels import LabelResult, over_threshold
from gibbsflow.potential.data.structures import tag


def _masked():
    (atoms,) = rattled(1, 3)
    atoms.arrays["force_mask"] = np.array([1, 1, 0, 0, 1, 0, 0, 1])
    return tag(atoms, "embedded", generator="t", seed=1, energy_weight=0.0, stress_weight=0.0)


def test_what_was_taken_is_given_back():
    atoms = _masked()
    parts = counted_parts(atoms)
    assert parts == {"energy_weight": 0.0, "stress_weight": 0.0, "force_mask": [1, 1, 0, 0, 1, 0, 0, 1]}
    bare = atoms.copy()
    bare.info, bare.arrays = {}, {k: v for k, v in atoms.arrays.items() if k != "force_mask"}
    assert counted_parts(restore_parts(bare, parts)) == parts
    assert counted_parts(rattled(1, 3)[0]) == {}


def test_a_mask_stays_with_its_label(tmp_path):
    database, atoms = DatabaseManager(tmp_path / "s.db"), _masked()
    (name,) = database.add([atoms])
    assert database.pending()[0].arrays["force_mask"].tolist() == [1, 1, 0, 0, 1, 0, 0, 1]
    forces = np.zeros((8, 3))
    forces[2] = 500.0  # an atom of a seam
    label = LabelResult(
        name, "labelled", energy_ev=-1.0, forces_ev_per_angstrom=forces.tolist(), stress_ev_per_angstrom3=[0.0] * 6,
        settings_hash="e-1", engine="e",
    )  # fmt: skip
    database.record([label])
    assert database.judge(Labels()) == {}  # the cap is for forces that count
    (frame,) = database.frames(RowStatus.LABELLED)
    assert (frame.info["energy_weight"], frame.arrays["force_mask"].sum()) == (0.0, 4)
    assert frame.get_forces()[2, 0] == pytest.approx(500.0)


def test_a_force_that_counts_has_its_cap():
    atoms = _masked()
    forces = np.zeros((8, 3))
    forces[2] = 500.0
    assert over_threshold(atoms, forces, Labels()) == ""
    forces[0] = 500.0
    assert "largest force 866.0 eV/Å" in over_threshold(atoms, forces, Labels())
    atoms.calc = SinglePointCalculator(atoms, forces=forces)
    del atoms.arrays["force_mask"]
    assert "largest force" in over_threshold(atoms, forces, Labels())
