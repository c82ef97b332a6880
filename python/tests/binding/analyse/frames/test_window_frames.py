"""Frames by the atoms of a leg, whichever of them were kept, and of whichever run has the window."""

import numpy as np
import pytest

from gibbsflow.binding.analyse.frames.window_frames import evenly, frames_of, kept_any
from gibbsflow.binding.equilibrate.xtc_file import XtcFile
from gibbsflow.errors import StateError
from gibbsflow.workflow.files import write_json

ABOUT = {"atoms": [2, 5, 7, 11], "water_oxygens": [4, 7], "frame_atoms": 10, "frames": 3}
WHERE = np.random.default_rng(2).normal(size=(3, 10, 3))


def a_run(folder, window=0, about=ABOUT, where=WHERE):
    """Frames of four atoms and two waters."""
    folder.mkdir(exist_ok=True)
    file = XtcFile(folder / f"trajectory_{window:02d}.xtc")
    for number, frame in enumerate(where):
        file.add(float(number), frame)
    file.close()
    write_json(folder / "trajectory.json", about)
    return folder


def test_atoms_are_found_by_their_numbers_in_the_leg(tmp_path):
    found = frames_of([a_run(tmp_path / "run")], 0, (11, 5, 11, 2))
    assert (len(found), found.atoms.tolist(), found.time_ps.tolist()) == (3, [2, 5, 11], [0, 1, 2])
    np.testing.assert_allclose(found.angstrom([11, 2]), 10 * WHERE[:, [3, 0]], atol=6e-3)
    np.testing.assert_allclose(found.oxygens_nm, WHERE[:, [4, 7]], atol=6e-4)
    ends = found.spread(2)
    assert ends.time_ps.tolist() == [0, 2] and ends.positions_nm.shape == (2, 3, 3) and len(ends.oxygens_nm) == 2
    every = frames_of([a_run(tmp_path / "all", about=ABOUT | {"atoms": None})], 0, [9, 0])
    np.testing.assert_allclose(every.angstrom([9, 0]), 10 * WHERE[:, [9, 0]], atol=6e-3)


def test_the_run_that_has_the_window_counts_and_the_last_of_two(tmp_path):
    one, two = a_run(tmp_path / "one"), a_run(tmp_path / "two", 1)
    again = a_run(tmp_path / "again", 1, where=WHERE[::-1])
    assert frames_of([one, two], 2, [2]) is None
    assert frames_of([one, two, again], 0, [2]).angstrom([2])[0, 0] == pytest.approx(10 * WHERE[0, 0], abs=6e-3)
    assert frames_of([two, one, again], 1, [2]).angstrom([2])[0, 0] == pytest.approx(10 * WHERE[2, 0], abs=6e-3)


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ({"atoms": [2, 5]}, "trajectory.json: damaged.*lacks atoms"),
        ({"atoms": [5, 2, 7, 11]}, "trajectory.json: damaged.*out of order"),
        ({"atoms": 3}, "trajectory.json: damaged"),
        ({"water_oxygens": [-1]}, "trajectory.json: damaged.*before the first"),
        ({"water_oxygens": [10]}, "trajectory_00.xtc: frames of 10 atoms; right: more than 10"),
        ({"frame_atoms": 11}, "trajectory_00.xtc: frame 1 is of 10 atoms; right: 11"),
        ({"frames": 4}, "trajectory_00.xtc: 3 frames; right: 4, as trajectory.json says"),
        ({"frames": "many"}, "trajectory.json: damaged"),
    ],
)
def test_what_does_not_fit_the_frames_is_named(tmp_path, told, what):
    with pytest.raises(StateError, match=what):
        frames_of([a_run(tmp_path / "run", about=ABOUT | told)], 0, [2, 11])


def test_a_run_of_before_that_does_not_tell_how_many(tmp_path):
    run = a_run(tmp_path / "run", about={key: ABOUT[key] for key in ("atoms", "water_oxygens")})
    assert len(frames_of([run], 0, [2])) == 3


def test_a_window_whose_frames_are_gone(tmp_path):
    run = a_run(tmp_path / "run")
    assert kept_any(run)
    (run / "window_00.parquet").touch()
    (run / "trajectory_00.xtc").unlink()
    with pytest.raises(StateError, match=r"trajectory_00.xtc: missing"):
        frames_of([run], 0, [2])
    (run / "trajectory.json").unlink()
    assert not kept_any(run)
    write_json(run / "result.json", {"trajectory_frames": 3})
    assert kept_any(run)
    with pytest.raises(StateError, match=r"trajectory.json: missing"):
        frames_of([run], 0, [2])


def test_some_of_many():
    assert evenly(10, 4).tolist() == [0, 3, 6, 9]
    assert (evenly(3, 5).tolist(), evenly(1, 5).tolist(), evenly(0, 5).tolist()) == ([0, 1, 2], [0], [])
