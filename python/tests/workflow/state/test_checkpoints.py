"""Rolling checkpoints: what survives, what counts, what is refused."""

import numpy as np
import pytest

from gibbsflow.errors import StateError
from gibbsflow.workflow.state.checkpoints import Checkpoint, RollingCheckpoints, checkpoint_fault


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


def test_a_fault_is_told_without_reading_the_other(checkpoints):
    assert checkpoint_fault(checkpoints.current) is None
    checkpoints.current.write_bytes(checkpoints.current.read_bytes()[:-1])
    assert "truncated or damaged" in checkpoint_fault(checkpoints.current)
    assert "No such file" in checkpoint_fault(checkpoints.folder / "gone")
