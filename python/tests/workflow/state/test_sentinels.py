"""FINISHED and FAILED: one stands, and only for the inputs it was made from."""

import pytest

from gibbsflow.errors import StateError, UnboundError
from gibbsflow.workflow.state.sentinels import Sentinel, failed_sentinel, read_sentinel, valid_sentinel


def test_sentinel_counts_only_for_todays_inputs(tmp_path):
    Sentinel("FINISHED", "old", 100, settings={"dt": 4, "t": 300}).write(tmp_path)
    assert valid_sentinel(tmp_path, "FINISHED", "old").steps_done == 100
    assert valid_sentinel(tmp_path, "FINISHED", "new") is None
    assert valid_sentinel(tmp_path, "FAILED", "old") is None


def test_one_sentinel_stands(tmp_path):
    failed_sentinel(UnboundError("left"), "h").write(tmp_path)
    assert read_sentinel(tmp_path, "FAILED").cause == "Unbound"
    Sentinel("FINISHED", "h").write(tmp_path)
    assert read_sentinel(tmp_path, "FAILED") is None


def test_what_is_written_is_read(tmp_path):
    made = Sentinel("FAILED", "h", 7, "Numerical", "NaN in window 3", {"dt": 4})
    made.write(tmp_path)
    assert read_sentinel(tmp_path, "FAILED") == made


@pytest.mark.parametrize("content", ["", "{", '{"kind": 1}', '{"kind": "FINISHED", "inputs_hash": "h", "x": 1}'])
def test_unreadable_sentinel_is_an_error(tmp_path, content):
    (tmp_path / "FINISHED").write_text(content)
    with pytest.raises(StateError, match="FINISHED"):
        read_sentinel(tmp_path, "FINISHED")
