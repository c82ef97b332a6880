from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from silicon import si8

from gibbsflow.errors import InputError
from gibbsflow.potential.data.structures import (
    Duplicates,
    closest_pair_angstrom,
    content_hash,
    read_frames,
    sorted_distances,
    structure_id,
    tag,
    write_frames,
)


def test_a_file_gives_back_the_same_hash(tmp_path: Path) -> None:
    frames = [si8(seed) for seed in range(20)]
    write_frames(tmp_path / "s.extxyz", frames)
    again = read_frames(tmp_path / "s.extxyz")
    assert [content_hash(f) for f in again] == [f.info["gibbsflow_id"] for f in frames]
    assert again[3].info["config_type"] == "rattle"


def test_hash_follows_the_content() -> None:
    atoms = si8()
    moved = atoms.copy()
    moved.positions[0, 0] += 1e-4
    other = atoms.copy()
    other.symbols[0] = "Ge"
    assert len({content_hash(atoms), content_hash(moved), content_hash(other)}) == 3
    moved.positions[0, 0] -= 1e-4
    assert content_hash(moved) == content_hash(atoms)


def test_equal_under_symmetry_are_dropped() -> None:
    atoms = si8()
    turned = atoms.copy()
    turned.rotate(37, (1, 2, 3), rotate_cell=True)
    shifted = atoms.copy()
    shifted.translate([0.4, 0.2, 0.9])
    shifted.wrap()
    permuted = atoms[[3, 1, 2, 0, 7, 6, 5, 4]]
    near = atoms.copy()
    near.positions[0, 0] += 0.002
    seen = Duplicates(0.01)
    assert [seen.add(one) for one in (atoms, turned, shifted, permuted, near)] == [True, *[False] * 4]


def test_different_ones_are_kept() -> None:
    atoms = si8()
    far = atoms.copy()
    far.positions[0, 0] += 0.1
    larger = atoms.copy()
    larger.set_cell(atoms.cell * 1.02, scale_atoms=True)
    germanium = atoms.copy()
    germanium.symbols[:] = "Ge"
    seen = Duplicates(0.01)
    assert all(seen.add(one) for one in (atoms, far, larger, germanium, si8(2)))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("gone.extxyz", None, "no such file"),
        ("bad.extxyz", "2\nLattice=oops\nSi 0 0\n", "not readable"),
        ("empty.extxyz", "", "no structure"),
        ("odd.unknown", "hello", "no format"),
    ],
)
def test_unreadable_files_are_named(tmp_path: Path, name: str, text: str | None, words: str) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError) as error:
        read_frames(file)
    assert name in str(error.value)
    assert words in str(error.value)


def test_one_id_for_two_structures_is_refused(tmp_path: Path) -> None:
    one, other = si8(1), si8(2)
    other.info["gibbsflow_id"] = one.info["gibbsflow_id"]
    write_frames(tmp_path / "s.extxyz", [one, other])
    with pytest.raises(InputError, match=f"frame 1: id {one.info['gibbsflow_id']} is also that of another"):
        read_frames(tmp_path / "s.extxyz")


def test_tag_names_the_parent() -> None:
    parent = tag(bulk("Si"), "bulk", generator="test", seed=0)
    assert parent.info["parent"] == parent.info["gibbsflow_id"]
    child = tag(parent, "rattle", generator="test", seed=0, parent=parent.info["parent"], generation=2)
    assert (child.info["parent"], child.info["generation"]) == (parent.info["gibbsflow_id"], 2)
    assert np.allclose(child.positions, parent.positions)


def test_the_id_is_the_tag_or_the_content() -> None:
    atoms = si8()
    assert structure_id(atoms) == content_hash(atoms)
    atoms.info["gibbsflow_id"] = "gf-other"
    assert structure_id(atoms) == "gf-other"
    del atoms.info["gibbsflow_id"]
    assert structure_id(atoms) == content_hash(atoms)


def test_the_closest_pair_counts_images() -> None:
    assert closest_pair_angstrom(bulk("Si", a=5.43)) == pytest.approx(5.43 * np.sqrt(3) / 4)
    assert closest_pair_angstrom(Atoms("Si", cell=[3, 9, 9], pbc=True)) == pytest.approx(3.0)
    assert closest_pair_angstrom(Atoms("H2", [[0, 0, 0], [0, 0, 9]])) == np.inf


def test_distances_are_sorted_by_pair_of_elements() -> None:
    water = Atoms("OHH", [[0, 0, 0], [0, 0, 1.0], [0, 0.8, -0.6]])
    found = sorted_distances(water)
    assert found[1, 8] == pytest.approx([1.0, 1.0])
    assert found[1, 1] == pytest.approx([np.hypot(0.8, 1.6)])


def test_no_frames_make_an_empty_file(tmp_path: Path) -> None:
    write_frames(tmp_path / "s.extxyz", [])
    assert (tmp_path / "s.extxyz").read_bytes() == b""
