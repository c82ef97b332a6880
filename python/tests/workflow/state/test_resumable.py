"""A calculation in segments: interrupted or not, it comes to the same; what is damaged is never passed over."""

import time

import numpy as np
import pytest

from gibbsflow.errors import StateError, StoppedEarly
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.hours.engine_hours import campaign_hours
from gibbsflow.workflow.hours.pace import Held
from gibbsflow.workflow.state.cleaning import clean_failures
from gibbsflow.workflow.state.resumable import ResumableRun
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.sentinels import read_sentinel
from gibbsflow.workflow.state.status import read_status


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


@pytest.mark.parametrize("done", [0, 2])
def test_minutes_of_a_segment_that_a_signal_ends_are_hours_and_no_speed(tmp_path, done):
    def cut(number, arrays):
        if number == done:
            time.sleep(0.05)
            raise StoppedEarly("stopped by SIGTERM")
        return arrays, {"x": np.zeros(3)}

    def kept(_, arrays):
        time.sleep(0.002)
        return arrays, {"x": arrays["x"]}

    for attempt in (1, 2):
        with (
            pytest.raises(StoppedEarly),
            ResumableRun(tmp_path, files={}, settings={"setting equil_ps": 5.0}, physics=1, held=Held(2)) as run,
        ):
            run.advance(4, lambda: {"x": np.zeros(1)}, cut, Stopper(), steps=lambda done: 3 * done)
        told = read_json(tmp_path / "progress.json")
        assert told["lost_engine_s"] >= 0.05 * attempt and told["engine_s"] >= told["lost_engine_s"]
        assert told["core_s"] == pytest.approx(2 * told["engine_s"], abs=0.003)
        assert (told["steps_done"], told["recent_segments"]) == (3 * done, done if attempt == 1 else 0)
    (row,) = read_status(tmp_path)
    assert (row["status"], row["cause"], row["attempts"]) == ("stopped", "stopped by SIGTERM", 2)
    assert clean_failures(tmp_path) == [tmp_path / "attempts.json"]
    with ResumableRun(tmp_path, files={}, settings={"setting equil_ps": 5.0}, physics=1, held=Held(2)) as run:
        assert run.engine_s == 0
        run.advance(4, lambda: {"x": np.zeros(1)}, kept, Stopper(), steps=lambda k: 3 * k)
        assert run.engine_s < told["lost_engine_s"]  # its speed is that of what was kept
    progress = read_json(tmp_path / "progress.json")
    write_json(tmp_path / "progress.json", progress | {"recent_segments": 0, "recent_steps": 0, "recent_s": 0.0})
    (row,) = read_status(tmp_path)
    assert row["status"] == "finished" and row["engine_s"] >= told["lost_engine_s"]
    assert row["segments_per_h"] > 4 / told["lost_engine_s"] * 3600  # nor is it slower in what is shown of it
    assert campaign_hours(tmp_path.parent).whole.cpu_h >= 2 * told["lost_engine_s"] / 3600


def test_before_the_first_segment_there_is_nothing(tmp_path):
    with ResumableRun(tmp_path, files={}, settings={}, physics=1) as run:
        assert run.outputs() == {}
        with pytest.raises(StateError, match="no checkpoint"):
            run.last_arrays()
