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
from gibbsflow.workflow.account import Account


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
        ("bad.extxyz", "2\nLattice=oops\nSi 0 0\n", "2 atoms, and 1 lines up to the end"),
        ("cut.extxyz", "2\n\nSi 0 0 0\n", "line 1: 2 atoms, and 1 lines up to the end"),
        ("gap.extxyz", "1\n\nSi 0 0 0\n\n1\n\nSi 0 0 1\n", "row 2: line 4: blank where a frame begins"),
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


def test_an_id_that_is_not_of_the_content_is_replaced_and_noted(tmp_path: Path) -> None:
    one, other = si8(1), si8(2)
    right = other.info["gibbsflow_id"]
    other.info["gibbsflow_id"] = one.info["gibbsflow_id"]
    write_frames(tmp_path / "s.extxyz", [one, other])
    account = Account("s.extxyz")
    assert [f.info["gibbsflow_id"] for f in read_frames(tmp_path / "s.extxyz", account)][1] == right
    assert account.as_dict()["notes"] == ["the gibbsflow_id of frame 1 is not that of its content: it was replaced"]


@pytest.mark.parametrize("seed", range(5))
def test_a_name_is_the_same_before_and_after_a_file(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    atoms = Atoms("Si200", positions=rng.uniform(0, 10, (200, 3)), cell=[10, 10, 10], pbc=True)
    write_frames(tmp_path / "s.extxyz", [atoms])
    account = Account("s")
    (again,) = read_frames(tmp_path / "s.extxyz", account)
    assert again.info["gibbsflow_id"] == structure_id(atoms)
    assert not account.doubts


def test_charge_and_spin_are_content(tmp_path: Path) -> None:
    plain, charged, ferro, antiferro, spin = (si8() for _ in range(5))
    charged.info["charge"] = 1
    ferro.set_initial_magnetic_moments([2.0] * 8)
    antiferro.set_initial_magnetic_moments([2.0, -2.0] * 4)
    spin.info["multiplicity"] = 3
    frames = [plain, charged, ferro, antiferro, spin]
    assert len({content_hash(atoms) for atoms in frames}) == 5
    write_frames(tmp_path / "s.extxyz", frames)
    assert [content_hash(a) for a in read_frames(tmp_path / "s.extxyz")] == [content_hash(a) for a in frames]
    seen = Duplicates(0.01)
    assert all(seen.add(one) for one in frames)
    neutral = si8()
    neutral.info["charge"] = 0
    neutral.set_initial_charges([0.5, -0.5] * 4)
    assert content_hash(neutral) == content_hash(plain)
    assert tag(charged, "bulk", generator="test", seed=0).info["charge"] == 1


def test_tag_names_the_parent() -> None:
    parent = tag(bulk("Si"), "bulk", generator="test", seed=0)
    assert parent.info["parent"] == parent.info["gibbsflow_id"]
    child = tag(parent, "rattle", generator="test", seed=0, parent=parent.info["parent"], generation=2)
    assert (child.info["parent"], child.info["generation"]) == (parent.info["gibbsflow_id"], 2)
    assert np.allclose(child.positions, parent.positions)


def test_the_id_is_that_of_the_content() -> None:
    atoms = si8()
    assert structure_id(atoms) == content_hash(atoms) == atoms.info["gibbsflow_id"]
    atoms.info["gibbsflow_id"] = "gf-other"
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
