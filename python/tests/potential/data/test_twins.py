"""One structure in several guises."""

import numpy as np
from ase.io import write
from labelled_sets import label, rattled

from gibbsflow.potential.data.labelled_frames import read_labelled
from gibbsflow.potential.data.twins import supercells, twins


def _disguised(frame, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(frame))
    other = frame[order]
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    other.positions += rng.uniform(-2, 2, 3)
    other.set_cell(other.cell.array @ turn, scale_atoms=True)
    other.wrap()
    return label(other)


def test_shifted_turned_and_reordered_frames_are_found(tmp_path):
    frames = rattled(5, 0, ("Cu", "Au"))
    write(tmp_path / "a.extxyz", frames)
    write(tmp_path / "b.extxyz", [*rattled(2, 1, ("Cu", "Au")), _disguised(frames[3], 0), _disguised(frames[1], 1)])
    known, others = (read_labelled(tmp_path / name) for name in ("a.extxyz", "b.extxyz"))
    assert twins(known, others) == [(3, 2), (1, 3)]
    assert twins(known) == []
    assert twins([*known, others[2]]) == [(3, 5)]


def test_small_displacements_make_another_structure(tmp_path):
    (frame,) = rattled(1, 0)
    moved = frame.copy()
    moved.positions[0, 0] += 0.02
    write(tmp_path / "a.extxyz", [frame, label(moved)])
    assert twins(read_labelled(tmp_path / "a.extxyz")) == []


def test_a_supercell_is_its_cell(tmp_path):
    frames = rattled(4, 0, ("Cu", "Au"))
    write(tmp_path / "a.extxyz", frames)
    doubled = [label(frames[2] * (2, 1, 1)), label(frames[0] * (1, 1, 3)), *rattled(1, 1, ("Cu", "Au"))]
    moved = frames[1] * (1, 2, 1)
    moved.positions[0, 0] += 0.02
    write(tmp_path / "b.extxyz", [*doubled, label(moved)])
    known, others = (read_labelled(tmp_path / name) for name in ("a.extxyz", "b.extxyz"))
    assert supercells(known, others) == [(2, 0), (0, 1)]
    assert supercells(others, known) == [(1, 0), (0, 2)]
    assert supercells(known, known) == []
