"""A snapshot as JSON."""

import json

from watched_campaigns import campaign, phases

from gibbsflow.workflow.watch.campaign_view import CampaignView


def test_all_of_it_is_json(tmp_path):
    view = CampaignView(campaign(tmp_path), phases)
    found = json.loads(json.dumps(view.look().as_dict()))
    assert found["campaign"] == "demo" and {one["name"] for one in found["items"]} >= {"b2", "done"}
    assert json.loads(json.dumps(view.detail("done").as_dict()))["item"]["name"] == "done"
