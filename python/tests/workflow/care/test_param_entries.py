"""Entries of a cache that no campaign uses are known only where all campaigns say what they use."""

import shutil

from kept_campaigns import KEYS, keep_campaign

from gibbsflow.workflow.care.param_entries import param_entries


def test_those_that_no_result_names_are_unused(tmp_path):
    root = keep_campaign(tmp_path).parent
    found = param_entries(root / "param_cache", root)
    assert {path.name for path in found.sizes} == set(KEYS)
    assert [path.name for path in found.unused] == [KEYS[1]]


def test_one_campaign_that_does_not_say_leaves_all_unknown(tmp_path):
    root = keep_campaign(tmp_path).parent
    other = keep_campaign(tmp_path, "other")
    shutil.rmtree(tmp_path / "other")
    found = param_entries(root / "param_cache", root)
    assert found.unused is None and "other in" in found.why_unknown and "not there" in found.why_unknown
    (other / ".campaign.json").unlink()
    assert "has not noted" in param_entries(root / "param_cache", root).why_unknown


def test_of_a_cache_that_lies_elsewhere_others_may_use_all(tmp_path):
    root = keep_campaign(tmp_path).parent
    (root / "param_cache").rename(tmp_path / "param_cache")
    found = param_entries(tmp_path / "param_cache", root)
    assert len(found.sizes) == 2 and found.unused is None and "other folders" in found.why_unknown


def test_a_campaign_that_is_linked_may_use_all(tmp_path):
    root = keep_campaign(tmp_path).parent
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    found = param_entries(root / "param_cache", root)
    assert found.unused is None and "linked is a link" in found.why_unknown
