"""Checkpoints, sentinels, locks and segments: what survives, what counts, what is refused."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from gibbsflow.errors import LockedError, StateError, StoppedEarly, UnboundError
from gibbsflow.workflow import sentinels
from gibbsflow.workflow.checkpoints import Checkpoint, RollingCheckpoints
from gibbsflow.workflow.files import atomic_open, inputs_hash, write_json
from gibbsflow.workflow.locks import folder_lock
from gibbsflow.workflow.segments import Stopper, run_segments
from gibbsflow.workflow.system import SimSystem


def _checkpoint(segment, inputs="h"):
    return Checkpoint(
        inputs,
        segment,
        {"positions_nm": np.full((3, 3), segment / 7)},
        {"steps": segment * 10},
    )


@pytest.fixture
def checkpoints(tmp_path):
    rolling = RollingCheckpoints(tmp_path)
    rolling.save(_checkpoint(1))
    rolling.save(_checkpoint(2))
    return rolling


def test_checkpoint_is_bit_for_bit(checkpoints):
    loaded = checkpoints.load("h")
    assert loaded.segment == 2
    assert loaded.meta == {"steps": 20}
    np.testing.assert_array_equal(loaded.arrays["positions_nm"], _checkpoint(2).arrays["positions_nm"])


@pytest.mark.parametrize("fault", ["truncated", "empty", "flipped_payload", "flipped_header"])
def test_bad_current_falls_back_and_says_so(checkpoints, caplog, fault):
    content = bytearray(checkpoints.current.read_bytes())
    if fault == "truncated":
        content = content[: len(content) // 2]
    elif fault == "empty":
        content = bytearray()
    else:
        content[-100 if fault == "flipped_payload" else 100] ^= 1
    checkpoints.current.write_bytes(content)
    assert checkpoints.load("h").segment == 1
    assert "falling back" in caplog.text


def test_both_bad_is_an_error_that_names_the_files(checkpoints):
    checkpoints.current.write_bytes(b"x")
    checkpoints.previous.write_bytes(b"")
    with pytest.raises(StateError, match=r"checkpoint-current\.bin.*checkpoint-previous\.bin"):
        checkpoints.load("h")


def test_checkpoint_of_other_inputs_does_not_count(checkpoints):
    assert checkpoints.load("other") is None


def test_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "state.json"
    write_json(path, {"a": 1})
    before = path.read_bytes()
    with pytest.raises(OSError, match="No space"), atomic_open(path) as file:
        file.write(b"half")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["state.json"]


def test_nan_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"dg": float("nan")})
    assert not (tmp_path / "x.json").exists()


def test_hash_follows_content_and_settings_but_not_the_path(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("same")

    def of(path, **settings):
        return inputs_hash(files={"top": tmp_path / path}, settings=settings, physics=1)

    assert of("a", dt=4) == of("b", dt=4)
    assert of("a", dt=4) != of("a", dt=2)
    (tmp_path / "b").write_text("other")
    assert of("a", dt=4) != of("b", dt=4)


def test_sentinel_counts_only_for_todays_inputs(tmp_path):
    sentinels.Sentinel("FINISHED", "old", 100, settings={"dt": 4, "t": 300}).write(tmp_path)
    assert sentinels.valid(tmp_path, "FINISHED", "old").steps_done == 100
    assert sentinels.valid(tmp_path, "FINISHED", "new") is None


def test_one_sentinel_stands(tmp_path):
    sentinels.failed(UnboundError("left"), "h").write(tmp_path)
    assert sentinels.read(tmp_path, "FAILED").cause == "Unbound"
    sentinels.Sentinel("FINISHED", "h").write(tmp_path)
    assert sentinels.read(tmp_path, "FAILED") is None


def test_unreadable_sentinel_is_an_error(tmp_path):
    (tmp_path / "FINISHED").write_text("")
    with pytest.raises(StateError, match="FINISHED"):
        sentinels.read(tmp_path, "FINISHED")


HOLD = """
import sys, time
from gibbsflow.workflow.locks import folder_lock
with folder_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_second_writer_is_refused_and_a_killed_ones_lock_is_taken_over(tmp_path, caplog):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=str(other.pid)), folder_lock(tmp_path):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
        with folder_lock(tmp_path):
            pass
    assert "stale lock" in caplog.text


def test_segments_stop_by_number_budget_and_signal():
    done = []
    with pytest.raises(StoppedEarly, match="2 of 5 segments"):
        run_segments(0, 5, done.append, Stopper(segments=2))
    assert done == [0, 1]
    with pytest.raises(StoppedEarly, match="time budget"):
        run_segments(2, 5, lambda _: time.sleep(0.05), Stopper(time_budget_s=0.08))
    with Stopper() as stopper, pytest.raises(StoppedEarly, match="SIGTERM"):
        run_segments(0, 5, lambda _: os.kill(os.getpid(), signal.SIGTERM), stopper)
    run_segments(5, 5, done.append, Stopper(segments=0))


def test_system_is_never_changed_in_place_and_moves(tmp_path):
    root = tmp_path / "a"
    root.mkdir()
    (root / "ligand.sdf").write_text("x")
    system = SimSystem("b2", root, {}, {"charge": 0}).with_artifacts(ligand=root / "ligand.sdf")
    other = system.with_meta(charge=1)
    assert system.meta["charge"] == 0
    assert other.meta["charge"] == 1
    with pytest.raises(TypeError):
        system.meta["charge"] = 2  # type: ignore[index]
    moved = other.carry(tmp_path / "b")
    moved.write()
    root.joinpath("ligand.sdf").unlink()
    again = SimSystem.read(tmp_path / "b")
    assert again.path("ligand").read_text() == "x"
    assert again.meta == {"charge": 1}
    with pytest.raises(StateError, match="missing"):
        other.path("ligand")
    with pytest.raises(StateError, match="no artifact 'host'"):
        again.path("host")
