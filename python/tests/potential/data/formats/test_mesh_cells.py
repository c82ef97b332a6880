from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator

from gibbsflow.errors import InputError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.mesh_cells import MESH_HEIGHTS, keep_mesh, kept_mesh, mesh_fault, mesh_of
from gibbsflow.potential.data.labelled_frames import read_with_account
from gibbsflow.potential.data.structures import read_frames, tag, write_frames


def test_a_strained_copy_keeps_the_heights_of_its_cell_and_a_supercell_multiplies_them() -> None:
    cell, larger = bulk("Fe", cubic=True), bulk("Fe", a=3.0, cubic=True)
    assert mesh_of(cell, larger) == {MESH_HEIGHTS: pytest.approx([2.87] * 3)}
    keep_mesh(larger, cell)
    repeated = larger.repeat((1, 2, 3))
    keep_mesh(repeated, larger, (1, 2, 3))
    assert repeated.info[MESH_HEIGHTS] == pytest.approx([2.87, 5.74, 8.61])
    assert mesh_of(molecule("H2"), larger) == mesh_of(cell, bulk("Fe", a=4.5, cubic=True)) == {}
    keep_mesh(larger, bulk("Fe", a=5.0, cubic=True))
    assert kept_mesh(larger) == {}  # nothing of the cell before is left


def test_file_and_database_keep_it(tmp_path: Path) -> None:
    cell, larger = bulk("Fe", cubic=True), bulk("Fe", a=3.0, cubic=True)
    made = tag(larger, "strain", generator="test", seed=0, **mesh_of(cell, larger))
    write_frames(tmp_path / "made.extxyz", [made])
    (read,) = read_frames(tmp_path / "made.extxyz")
    assert kept_mesh(read)[MESH_HEIGHTS] == pytest.approx([2.87] * 3)
    read.calc = SinglePointCalculator(read, energy=-1.0, forces=np.zeros((2, 3)), stress=np.zeros(6))
    write_frames(tmp_path / "labelled.extxyz", [read])
    frames, _ = read_with_account(tmp_path / "labelled.extxyz")  # by a reader of its own
    assert frames[0].atoms.info[MESH_HEIGHTS] == pytest.approx([2.87] * 3)
    database = DatabaseManager(str(tmp_path / "made.db"))
    database.add([read])
    assert kept_mesh(database.pending()[0])[MESH_HEIGHTS] == pytest.approx([2.87] * 3)
    assert kept_mesh(tag(read, "defect", generator="test", seed=0)) == {}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("three", "is 'three', and not three numbers above 0"),
        ([3.0, 3.0], "and not three numbers above 0"),
        ([3.0, -3.0, 3.0], "and not three numbers above 0"),
        ([3.0, 3.0, 6.0], "is 3×3×6 Å, and the cell is 2.87×2.87×2.87 Å high: another cell"),
    ],
)
def test_heights_of_a_file_that_cannot_be_are_refused(tmp_path: Path, said: object, words: str) -> None:
    atoms = bulk("Fe", cubic=True)
    atoms.info[MESH_HEIGHTS] = said
    write_frames(tmp_path / "given.extxyz", [bulk("Fe", cubic=True), atoms])
    with pytest.raises(InputError, match=f"frame 1: {MESH_HEIGHTS} .*{words}"):
        read_frames(tmp_path / "given.extxyz")


def test_what_is_not_periodic_has_none() -> None:
    slab = bulk("Fe", cubic=True)
    slab.info[MESH_HEIGHTS] = [2.87] * 3
    assert mesh_fault(slab) == ""
    slab.pbc = [True, True, False]
    assert "not periodic in all directions" in mesh_fault(slab)
