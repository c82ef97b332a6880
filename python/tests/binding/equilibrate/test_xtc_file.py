"""XTC gives back what it was given; what is no frame, or no number, is named."""

import struct
import tracemalloc

import numpy as np
import pytest

from gibbsflow.binding.equilibrate import xtc_file
from gibbsflow.binding.equilibrate.xtc_file import XtcFile, read_frames_nm
from gibbsflow.errors import StateError


def written(path, frames, begun_ps=2.5):
    file = XtcFile(path)
    for number, frame in enumerate(frames):
        file.add(begun_ps + 10 * number, frame, np.eye(3))
    file.close()
    return path


def some(*shape):
    return np.random.default_rng(1).normal(size=shape)


@pytest.mark.parametrize("atoms", [1, 9, 10, 20])  # up to nine are not packed
def test_a_trajectory_comes_back(tmp_path, monkeypatch, atoms):
    frames = some(3, atoms, 3)
    path = tmp_path / "new" / "t.xtc"
    file = XtcFile(path)
    for number, frame in enumerate(frames):
        file.add(2.5 + 10 * number, frame, np.eye(3))
        assert not path.exists()  # not before it is whole
    file.close()
    assert [one.name for one in path.parent.iterdir()] == ["t.xtc"]
    wanted = [atoms - 1, 0]
    for at_a_time in (1, 10**9):
        monkeypatch.setattr(xtc_file, "_AT_A_TIME_BYTES", at_a_time)
        found, time_ps = read_frames_nm(path)
        np.testing.assert_allclose(found, frames, atol=6e-4)
        assert time_ps.tolist() == [2.5, 12.5, 22.5]
        np.testing.assert_array_equal(read_frames_nm(path, wanted, atoms)[0], found[:, wanted])


def test_of_many_frames_only_what_is_wanted_is_held(tmp_path, monkeypatch):
    monkeypatch.setattr(xtc_file, "_AT_A_TIME_BYTES", 100_000)
    path = written(tmp_path / "t.xtc", some(1, 5_000, 3))
    path.write_bytes(path.read_bytes() * 100)
    tracemalloc.start()
    found, _ = read_frames_nm(path, range(100))
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.shape == (100, 100, 3) and held < 0.3e6 and peak < 1.5e6  # in one piece they are 6 MB


@pytest.mark.parametrize("atoms", [5, 50])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e6])
def test_coordinates_that_are_no_numbers(tmp_path, atoms, bad):
    frames = some(3, atoms, 3)
    frames[1, atoms - 1, 2] = bad
    with pytest.raises(StateError, match=r"t.xtc: frame 2 \(12.5 ps\) has coordinates that are no numbers"):
        read_frames_nm(written(tmp_path / "t.xtc", frames), [0])  # though that atom is not wanted


def test_a_time_that_is_no_number(tmp_path):
    with pytest.raises(StateError, match=r"frame 1 \(nan ps\)"):
        read_frames_nm(written(tmp_path / "t.xtc", some(1, 20, 3), begun_ps=np.nan))


@pytest.mark.parametrize("atoms", [5, 50])
def test_a_file_that_is_cut_off_anywhere(tmp_path, atoms):
    path = written(tmp_path / "t.xtc", some(2, atoms, 3))
    whole = path.read_bytes()
    first = len(written(tmp_path / "first.xtc", some(2, atoms, 3)[:1]).read_bytes())
    for end in range(first + 1, len(whole), 3):
        path.write_bytes(whole[:end])
        with pytest.raises(StateError, match="t.xtc: frame 2 is cut off"):
            read_frames_nm(path)


def test_frames_of_other_atoms(tmp_path):
    few, many = (written(tmp_path / f"{n}.xtc", some(1, n, 3)) for n in (20, 2000))
    mixed = tmp_path / "t.xtc"
    for one, other, atoms in ((few, many, (2000, 20)), (many, few, (20, 2000))):
        mixed.write_bytes(one.read_bytes() + other.read_bytes())
        with pytest.raises(StateError, match=f"frame 2 is of {atoms[0]} atoms; right: {atoms[1]}"):
            read_frames_nm(mixed)
    with pytest.raises(StateError, match="frame 1 is of 20 atoms; right: 21"):
        read_frames_nm(few, [0], 21)
    with pytest.raises(StateError, match="frames of 20 atoms; right: more than 20"):
        read_frames_nm(few, [20])


def test_what_is_no_trajectory(tmp_path):
    path = tmp_path / "t.xtc"
    with pytest.raises(StateError, match=r"t.xtc: missing"):
        read_frames_nm(path)
    whole = written(path, some(2, 20, 3)).read_bytes()
    for content, what in (
        (b"", "it is empty"),
        (b"half a file", "frame 1 is cut off"),
        (b"text that is as long as the head of a frame is, and longer", "frame 1 is damaged"),
        (whole + bytes(200), "frame 3 is damaged"),  # a reader that stops at it would not tell
        (struct.pack(">3if9fi", 1995, 2**30, 0, 0, *[0] * 9, 2**30) + whole[56:], "frame 1 is damaged"),
        (whole[:56] + struct.pack(">f", 100.0) + whole[60:], "frame 1 is damaged"),
        (whole[:84] + struct.pack(">i", 5000) + whole[88:], "frame 1 is damaged"),  # OpenMM dies of it
        (whole[:92] + b"\xff" * 100 + whole[192:], "XTC file is corrupt"),
    ):
        path.write_bytes(content)
        with pytest.raises(StateError, match=f"t.xtc: .*{what}"):
            read_frames_nm(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(StateError, match=r"t.xtc: no trajectory that can be read \(.*directory"):
        read_frames_nm(path)
