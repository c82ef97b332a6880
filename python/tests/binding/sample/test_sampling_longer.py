"""Finished legs that are sampled longer: the samples of one longer run, nothing run again, the earlier ones kept."""

import json
import shutil
import signal
import subprocess
import sys
import time

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.sample.energies import read_window
from gibbsflow.binding.sample.sampling import EXTENSION, sample_leg
from gibbsflow.config.binding import Fe, Md
from gibbsflow.errors import InputError, NumericalError, StoppedEarly
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.checkpoints import Checkpoint, RollingCheckpoints
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.sentinels import read_sentinel
from gibbsflow.workflow.state.status import read_status

STATES = tuple(LambdaState(0, e, 1 if e else 0) for e in (1.0, 0.5, 0.0))
FE = Fe(window_ps=0.4, window_equil_ps=0.2, sample_ps=0.1, segment_ps=0.2)


def make(folder, **changes):
    return hg.make_leg(folder, "solvent", fe=FE.model_copy(update=changes), states=STATES, md=Md())


def sample(leg, root, window_ps=None, *, segments=None):
    result = Result()
    with Stopper(None, segments) as stopper:
        sample_leg(leg, 0, None, root / "state", root / "out", stopper, result, window_ps=window_ps)
    return result


def content(root):
    windows = [read_window(root / "out" / f"window_{k:02d}.parquet") for k in range(len(STATES))]
    return [np.column_stack([window.time_ps, window.replica, window.u]) for window in windows]


@pytest.mark.parametrize("sampler", ["exchange", "independent"])
def test_two_extensions_give_the_samples_of_one_longer_run(tmp_path, sampler):
    one = make(tmp_path / "one" / "leg", sampler=sampler, window_ps=1.0)
    sample(one, tmp_path / "one")
    leg = make(tmp_path / "leg", sampler=sampler)
    sample(leg, tmp_path)
    short = content(tmp_path)
    first = sample(leg, tmp_path, 0.6)
    homes = [tmp_path / "state"] if sampler == "exchange" else sorted((tmp_path / "state").glob("window_*"))
    begun = [(home / EXTENSION / "segment-00000.npz").stat().st_mtime_ns for home in homes]
    result = sample(leg, tmp_path, 1.0)
    for longer, whole, base in zip(content(tmp_path), content(tmp_path / "one"), short, strict=True):
        np.testing.assert_array_equal(longer, whole)
        np.testing.assert_array_equal(longer[: len(base)], base)
    assert result.figures["ps_per_window"] == pytest.approx(1.0)
    assert result.figures["sampled_ns"] == pytest.approx(3 * 1.2 / 1000)
    assert [(home / EXTENSION / "segment-00000.npz").stat().st_mtime_ns for home in homes] == begun
    # an earlier round, asked for again, finds its own samples and computes nothing
    again = sample(leg, tmp_path, 0.6, segments=0)
    assert again.timings["engine_s_per_ns"] == first.timings["engine_s_per_ns"]  # what rounds share time by
    assert [len(window) for window in content(tmp_path)] == [6] * 3
    sample(leg, tmp_path, segments=0)
    np.testing.assert_array_equal(content(tmp_path), short)


def test_killed_in_mid_extension_goes_on(tmp_path):
    leg = make(tmp_path / "leg")
    sample(leg, tmp_path)
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path, 1.0, segments=1)
    assert [len(window) for window in content(tmp_path)] == [4] * 3  # what there was stands
    code = "import gibbsflow.cli.fe as fe; fe.app()"
    options = ["--leg", leg.folder, "--replicate", 0, "--window-ps", 9.0]
    options += ["--state", tmp_path / "state", "--out", tmp_path / "killed"]
    command = [sys.executable, "-c", code, "extend", *map(str, options)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    third, fourth = (tmp_path / "state" / EXTENSION / f"segment-0000{k}.npz" for k in (2, 3))
    deadline = time.monotonic() + 120
    while not fourth.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert not (tmp_path / "killed" / "window_00.parquet").exists()
    written = third.stat().st_mtime_ns
    sample(leg, tmp_path, 1.0)
    whole = make(tmp_path / "one" / "leg", window_ps=1.0)
    sample(whole, tmp_path / "one")
    for longer, one in zip(content(tmp_path), content(tmp_path / "one"), strict=True):
        np.testing.assert_array_equal(longer, one)
    assert third.stat().st_mtime_ns == written


def test_an_extension_that_fails_leaves_what_it_goes_on_from(tmp_path):
    leg = make(tmp_path / "leg")
    sample(leg, tmp_path)
    short = content(tmp_path)
    with pytest.raises(StoppedEarly):
        sample(leg, tmp_path, 1.0, segments=1)
    point = RollingCheckpoints(tmp_path / "state" / EXTENSION)
    own = json.loads((tmp_path / "state" / EXTENSION / "inputs.json").read_text())["inputs_hash"]
    saved = point.load(own)
    blown_up = {**saved.arrays, "positions_nm": saved.arrays["positions_nm"] * np.nan}
    point.save(Checkpoint(own, saved.segment, blown_up, saved.meta))
    with pytest.raises(NumericalError):
        sample(leg, tmp_path, 1.0)
    assert read_sentinel(tmp_path / "state" / EXTENSION, "FAILED").cause == "Numerical"
    assert read_sentinel(tmp_path / "state", "FINISHED") and not read_sentinel(tmp_path / "state", "FAILED")
    assert {row["status"] for row in read_status(tmp_path / "state")} == {"finished", "failed"}
    sample(leg, tmp_path, segments=0)
    np.testing.assert_array_equal(content(tmp_path), short)
    # the next attempt goes on from the same end with half the time step
    again = sample(leg, tmp_path, 1.0)
    assert (again.figures["attempt"], again.figures["settings_used"]["timestep_fs"]) == (2, 2.0)
    for longer, base in zip(content(tmp_path), short, strict=True):
        assert len(longer) == 10
        np.testing.assert_array_equal(longer[: len(base)], base)


@pytest.mark.parametrize("window_ps", [0.1, 0.4, 0.5, -1.0, np.nan, np.inf])
def test_a_length_that_is_no_extension_is_refused_before_anything_is_sampled(tmp_path, window_ps):
    with pytest.raises(InputError, match=r"window_ps.*is no extension.*0.6 ps or more"):
        sample(make(tmp_path / "leg"), tmp_path, window_ps)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("sampler", ["exchange", "independent"])
def test_without_checkpoints_what_there_is_stays_and_more_is_refused(tmp_path, sampler):
    """As `gibbsflow clean --checkpoints` leaves it: asked for twice, as the failure policy does."""
    leg = make(tmp_path / "leg", sampler=sampler)
    sample(leg, tmp_path)
    short = content(tmp_path)
    shutil.copytree(tmp_path / "state", tmp_path / "never" / "state")
    sample(leg, tmp_path, 0.8)
    longer = content(tmp_path)
    for path in tmp_path.rglob("checkpoint-*.bin"):
        path.unlink()
    for _ in range(2):
        for root in (tmp_path, tmp_path / "never"):
            with pytest.raises(InputError, match="its last checkpoint is gone"):
                sample(leg, root, 1.0)
    for root, window_ps, before in ((tmp_path, 0.8, longer), (tmp_path / "never", None, short)):
        sample(leg, root, window_ps)
        for now, then in zip(content(root), before, strict=True):
            np.testing.assert_array_equal(now, then)
    assert not list(tmp_path.rglob("superseded-*"))
