"""A calculation in segments: interrupted or not, it comes to the same; what is damaged is never passed over."""

import numpy as np
import pytest

from gibbsflow.errors import StateError, StoppedEarly
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.state.resumable import ResumableRun
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.sentinels import read_sentinel


def walk(folder, segments=None):
    """A random walk of four segments of three steps; returns segments run now, all positions and the last ones."""
    ran = []

    def segment(number, arrays):
        ran.append(number)
        steps = np.random.default_rng(number).normal(size=3)
        path = arrays["x"][-1] + np.cumsum(steps)
        return {"x": path[-1:]}, {"x": path}

    with ResumableRun(folder, files={}, settings={}, physics=1) as run:
        run.advance(4, lambda: {"x": np.zeros(1)}, segment, Stopper(segments=segments), steps=lambda done: 3 * done)
        return ran, run.outputs()["x"], run.last_arrays()["x"]


@pytest.mark.parametrize("segments", [1, 2, 3])
def test_an_interrupted_run_repeats_every_bit(tmp_path, segments):
    whole = walk(tmp_path / "whole")
    assert whole[0] == [0, 1, 2, 3] and whole[1].shape == (12,)
    with pytest.raises(StoppedEarly, match=f"{segments} of 4 segments done"):
        walk(tmp_path / "parts", segments)
    assert read_json(tmp_path / "parts" / "progress.json")["steps_done"] == 3 * segments
    assert read_sentinel(tmp_path / "parts", "FINISHED") is None
    ran, outputs, last = walk(tmp_path / "parts")
    assert ran == list(range(segments, 4))
    np.testing.assert_array_equal(outputs, whole[1])
    np.testing.assert_array_equal(last, whole[2])
    assert read_sentinel(tmp_path / "parts", "FINISHED").steps_done == 12
    ran, outputs, _ = walk(tmp_path / "parts")  # finished: at once, with all that there is
    assert ran == []
    np.testing.assert_array_equal(outputs, whole[1])


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_damaged_segment_is_named_before_anything_is_computed(tmp_path, damage):
    with pytest.raises(StoppedEarly):
        walk(tmp_path, 2)
    path = tmp_path / "segment-00000.npz"
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(StateError, match=r"segment-00000\.npz: missing or damaged"):
        walk(tmp_path)
    assert not (tmp_path / "segment-00002.npz").exists()


def test_one_bad_checkpoint_costs_a_segment_and_no_digit(tmp_path):
    whole = walk(tmp_path / "whole")
    with pytest.raises(StoppedEarly):
        walk(tmp_path / "parts", 3)
    (tmp_path / "parts" / "checkpoint-current.bin").write_bytes(b"x")
    ran, outputs, _ = walk(tmp_path / "parts")
    assert ran == [2, 3]
    np.testing.assert_array_equal(outputs, whole[1])


def test_before_the_first_segment_there_is_nothing(tmp_path):
    with ResumableRun(tmp_path, files={}, settings={}, physics=1) as run:
        assert run.outputs() == {}
        with pytest.raises(StateError, match="no checkpoint"):
            run.last_arrays()
