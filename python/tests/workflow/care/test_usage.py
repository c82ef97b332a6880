"""Bytes of campaigns, results, caches and archives."""

import os

from kept_campaigns import KEYS, keep_campaign

from gibbsflow.workflow.care.usage import usage, usage_text


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_all_that_a_campaign_takes_up(tmp_path):
    state = keep_campaign(tmp_path)
    (tmp_path / "demo" / "superseded-000").mkdir()
    (tmp_path / "demo" / "superseded-000" / "old").write_bytes(b"x" * 10)
    (state.parent / "old.tar.gz").write_bytes(b"x" * 7)
    whole = usage(state.parent)
    (one,) = whole.campaigns
    assert sum(one.state.values()) == size(state)
    assert one.results == {str(tmp_path / "demo"): {"bytes": size(tmp_path / "demo"), "set aside": 10}}
    cache = whole.caches[str(state.parent / "param_cache")]
    assert (cache["bytes"], cache["unused"]) == (len(KEYS) * 3, 3)
    assert whole.archives == {"old.tar.gz": 7}
    assert usage(state).campaigns == whole.campaigns
    text = usage_text(whole)
    assert "demo: " in text and "(10 B set aside)" in text and "3 B unused" in text and "7 B archive old.tar.gz" in text


def test_results_that_are_links_to_state_count_once(tmp_path):
    state = keep_campaign(tmp_path)
    before = usage(state).campaigns[0].results
    os.link(next(state.rglob("segment-*.npz")), tmp_path / "demo" / "again.npz")
    assert usage(state).campaigns[0].results == before


def test_earlier_state_says_what_it_does_not_know(tmp_path):
    state = keep_campaign(tmp_path)
    (state / ".campaign.json").unlink()
    found = usage(state.parent)
    assert found.campaigns[0].results is None and "no head has noted where they are" in usage_text(found)
