"""All campaigns at a glance: what is odd is named and stops nothing."""

import json

import pytest
from kept_campaigns import keep_campaign

from gibbsflow.errors import InputError
from gibbsflow.workflow.care.campaigns import as_json, campaigns_table, list_campaigns
from gibbsflow.workflow.state import sentinels


def test_each_campaign_has_its_row(tmp_path):
    state = keep_campaign(tmp_path)
    (row,), foreign = list_campaigns(state.parent)
    assert (row.campaign, row.mode, row.results, row.held_by) == ("demo", "abfe", [str(tmp_path / "demo")], "")
    assert (row.counts["finished"], row.counts["failed"], row.counts["lost"]) == (4, 2, 1)
    assert row.size_bytes == sum(path.stat().st_size for path in state.rglob("*") if path.is_file())
    assert (row.remarks, foreign, row.generation, row.labels) == ([], [], None, None)
    assert str(tmp_path / "demo") in campaigns_table([row], foreign)
    json.dumps(as_json([row], foreign))


def test_a_potential_has_generations_and_labels(tmp_path):
    for name, end in (("a", "FINISHED"), ("b", "FAILED"), ("c", "FINISHED")):
        sentinels.Sentinel(end, "h").write(tmp_path / "loop" / "labels" / "tblite-1" / name)
    sentinels.Sentinel("FINISHED", "h").write(tmp_path / "loop" / "generation_03" / "fit")
    (row,), _ = list_campaigns(tmp_path)
    assert (row.mode, row.generation, row.labels) == ("potential", 3, {"finished": 2, "failed": 1})
    assert row.counts == {"finished": 1}
    assert row.results is None and "results unknown" in row.remarks[0]


def test_what_is_foreign_or_damaged_is_named(tmp_path):
    state = keep_campaign(tmp_path)
    broken = keep_campaign(tmp_path, "broken")
    (broken / ".campaign.json").write_text("{")
    (broken / "cb7" / "b2" / "vacuum" / "inputs.json").write_text("{")
    (state.parent / "mine\n").mkdir()
    (state.parent / "link").symlink_to(state)
    (tmp_path / "demo").rename(tmp_path / "elsewhere")
    rows, foreign = list_campaigns(state.parent)
    told = {row.campaign: " ".join(row.remarks) for row in rows}
    assert "results are not there" in told["demo"]
    assert ".campaign.json: not readable" in told["broken"] and "cb7/b2/vacuum: " in told["broken"]
    assert foreign == ["link: a link, not followed", "mine\\n: nothing of gibbsflow's"]
    assert "mine\\n" in campaigns_table(rows, foreign)


def test_no_folder(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        list_campaigns(tmp_path / "gone")
    with pytest.raises(InputError, match="a campaign by itself"):
        list_campaigns(keep_campaign(tmp_path))
