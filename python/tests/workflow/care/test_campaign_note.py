"""A campaign's head notes its results; what cannot be read is kept."""

import pytest

from gibbsflow.errors import StateError
from gibbsflow.workflow.care.campaign_note import (
    DAMAGED,
    FILE_NAME,
    CampaignNote,
    generations,
    mode_by_folders,
    todays_note,
)


def noted(state, outdir, mode="abfe"):
    todays_note(state, mode=mode, outdir=outdir, param_cache=None).write(state)
    return CampaignNote.read(state)


def test_a_second_run_keeps_when_the_first_began_and_other_results_are_added(tmp_path):
    first = noted(tmp_path / "s" / "c", tmp_path / "a")
    again = noted(tmp_path / "s" / "c", tmp_path / "a", mode="md")
    more = noted(tmp_path / "s" / "c", tmp_path / "b")
    assert (first.mode, again.mode, first.param_cache) == ("abfe", "md", str(tmp_path / "s" / "param_cache"))
    assert [one.began for one in again.results] == [first.results[0].began]
    assert [one.outdir for one in more.results] == [str(tmp_path / "a"), str(tmp_path / "b")]


def test_earlier_state_has_none(tmp_path):
    assert CampaignNote.read(tmp_path) is None
    todays_note(tmp_path / "new", mode="abfe", outdir=tmp_path, param_cache=None)
    assert not (tmp_path / "new").exists()  # asking makes nothing


@pytest.mark.parametrize("text", ["{", "[]", '{"mode": "abfe", "param_cache": "", "results": [{"x": 1}]}'])
def test_a_damaged_one_is_named_and_kept(tmp_path, text):
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(StateError, match=r"\.campaign\.json"):
        CampaignNote.read(tmp_path)
    assert noted(tmp_path, tmp_path / "a").results
    assert (tmp_path / DAMAGED).read_text() == text


def test_what_no_head_has_noted_is_told_by_its_folders(tmp_path):
    for place, mode in [
        ("a/cb7", "binding"),
        ("b/labels", "potential"),
        ("c/generation_003", "potential"),
        ("d/generation_x", "binding"),
    ]:
        (tmp_path / place).mkdir(parents=True)
        assert mode_by_folders(tmp_path / place[0]) == mode
    (tmp_path / "c" / "generation_010").mkdir()
    (tmp_path / "c" / "generation_2").touch()
    assert list(generations(tmp_path / "c")) == [3, 10]
