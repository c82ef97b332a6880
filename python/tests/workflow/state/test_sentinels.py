"""Sentinels: which counts, and that one stands."""

import pytest

from gibbsflow.errors import StateError, UnboundError
from gibbsflow.workflow.state import sentinels


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
