"""Frames of windows: the same however a run was interrupted, and samples the same with them and without."""

import csv
import json
from pathlib import Path

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.equilibrate.xtc_file import read_frames_nm
from gibbsflow.binding.sample.kept_frames import KeptFrames
from gibbsflow.binding.sample.sampler import Walkers
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.binding.sample.walkers import PeriodicWalkers
from gibbsflow.config.binding import Fe, Md
from gibbsflow.errors import StoppedEarly
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.checkpoints import RollingCheckpoints
from gibbsflow.workflow.state.segments import Stopper

STATES = tuple(LambdaState(0, e, 1 if e else 0) for e in (1.0, 0.5, 0.0))
FE = Fe(window_ps=0.4, window_equil_ps=0.1, sample_ps=0.1, segment_ps=0.2)
NAMES = ["trajectory.csv", "trajectory.json", "trajectory.pdb", *(f"trajectory_{k:02d}.xtc" for k in range(3))]


def make(folder: Path, sampler="exchange", **md):
    fe = FE.model_copy(update={"sampler": sampler})
    return hg.make_leg(folder, "solvent", fe=fe, states=STATES, md=Md(**{"trajectory_ps": 0.2} | md))


def sample(leg, state, out, segments=None):
    result = Result()
    with Stopper(None, segments) as stopper:
        sample_leg(leg, 0, None, state, out, stopper, result)
    return result


def content(out: Path, pattern="trajectory*") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob(pattern))}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    result = sample(make(root / "leg"), root / "state", root / "out")
    return root, result


def test_a_frame_at_the_end_of_each_segment_after_what_is_discarded(whole):
    root, result = whole
    assert list(content(root / "out")) == NAMES and result.figures["trajectory_frames"] == 3
    frames, time_ps = zip(*(read_frames_nm(root / "out" / name) for name in NAMES[3:]), strict=True)
    np.testing.assert_allclose(time_ps, [[0.1, 0.3, 0.4]] * 3, atol=1e-6)
    last = RollingCheckpoints(root / "state").load(result.inputs_hash).arrays
    np.testing.assert_allclose([f[-1] for f in frames], last["positions_nm"], atol=6e-4)
    rows = list(csv.DictReader((root / "out" / "trajectory.csv").open()))
    assert [row["replica"] for row in rows[-3:]] == [str(walker) for walker in last["replica"]]
    assert [(row["time_ps"], row["window"]) for row in rows[:4]] == [
        ("0.1", "0"),
        ("0.1", "1"),
        ("0.1", "2"),
        ("0.3", "0"),
    ]
    about = json.loads((root / "out" / "trajectory.json").read_text())
    assert about["atoms"] == list(range(30)) and about["water_oxygens"] == [] and about["kind"] == "solute"
    assert (about["frames"], about["frame_atoms"]) == (3, 30)


def test_interrupted_and_damaged_it_is_the_same(whole, tmp_path):
    root, _ = whole
    leg = make(tmp_path / "leg")
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path / "state", tmp_path / "out", segments=1)
    (tmp_path / "state" / "frames-00001.npz").write_bytes(b"half")  # a kill in the segment after
    sample(leg, tmp_path / "state", tmp_path / "out")
    assert content(tmp_path / "out") == content(root / "out")
    sample(leg, tmp_path / "state", tmp_path / "again")  # finished: written again, not doubled
    assert content(tmp_path / "again") == content(root / "out")


def test_samples_do_not_depend_on_frames(whole, tmp_path):
    root, kept = whole
    result = sample(make(tmp_path / "leg", trajectory="none"), tmp_path / "state", tmp_path / "out")
    assert result.inputs_hash == kept.inputs_hash and result.figures["trajectory_frames"] == 0
    assert content(tmp_path / "out") == {} and not list((tmp_path / "state").glob("frames-*"))
    assert content(tmp_path / "out", "window_*") == content(root / "out", "window_*")


def test_frames_of_another_choice_are_left_out(whole, tmp_path):
    with pytest.raises(StoppedEarly):
        sample(make(tmp_path / "leg"), tmp_path / "state", tmp_path / "out", segments=1)
    sample(make(tmp_path / "leg2", trajectory="all"), tmp_path / "state", tmp_path / "out")
    assert read_frames_nm(tmp_path / "out" / NAMES[3])[1] == pytest.approx([0.3, 0.4])
    sample(make(tmp_path / "leg3", trajectory="none"), tmp_path / "state", tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.xtc"))  # none of before stand in


def test_windows_by_themselves_have_a_file_each(tmp_path):
    sample(make(tmp_path / "leg", "independent"), tmp_path / "state", tmp_path / "out")
    assert list(content(tmp_path / "out")) == NAMES[1:]
    assert all(len(read_frames_nm(tmp_path / "out" / name)[1]) == 3 for name in NAMES[3:])


def test_the_interval_is_whole_segments_and_a_short_window_has_its_end(tmp_path):
    def times(trajectory_ps):
        frames = KeptFrames(make(tmp_path / "leg", trajectory_ps=trajectory_ps), tmp_path, range(3))
        return [round(frames.time_ps(n), 6) for n in range(3) if not (n + 1) % frames.every]

    assert (times(0.01), times(0.4), times(10)) == ([0.1, 0.3, 0.4], [0.3], [0.4])


def test_walkers_of_a_box_are_put_in_the_order_of_the_windows():
    positions, boxes = np.arange(6.0).reshape(2, 1, 3), np.stack([np.eye(3), 2 * np.eye(3)])
    order = np.array([1, 0], dtype=np.int32)
    walkers = PeriodicWalkers(positions, positions, order, boxes, np.zeros((2, 1), np.uint8), np.ones(2, np.int64))
    where, box = walkers.in_windows()
    np.testing.assert_array_equal(where, positions[[1, 0]])
    np.testing.assert_array_equal(box, boxes[[1, 0]])
    assert Walkers(positions, positions, order).in_windows()[1] is None
