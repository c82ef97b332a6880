"""What finished phases say of an item."""

import json

import pytest
from watched_campaigns import HOSTILE, campaign, result

from gibbsflow.errors import StateError
from gibbsflow.workflow.watch.results import Results, read_record


def test_phases_and_the_last_analysis(tmp_path):
    campaign(tmp_path)
    results = Results(tmp_path / "out")
    items, changed = results.look()
    one = items["done"]
    assert changed == {"done"} and one.phases["analysis"] == "finished" and one.damaged == ()
    assert one.analysis["dg_kcal_per_mol"] == -6.5
    assert results.look()[1] == set()
    result(tmp_path / "out/phases/done/extension_1/analysis", dg_kcal_per_mol=-6.6)
    items, changed = results.look()
    assert changed == {"done"} and items["done"].analysis["dg_kcal_per_mol"] == -6.6 and items["done"].record is None
    assert results.asked_for() == (("b2", "a1", "done", "later", HOSTILE), "prune")


def test_a_half_written_result_is_named(tmp_path):
    campaign(tmp_path)
    (tmp_path / "out/phases/done/equil/result.json").write_text('{"status": "fin')
    one = Results(tmp_path / "out").look()[0]["done"]
    assert "equil" not in one.phases and "half-written" in one.damaged[0] and one.phases["analysis"] == "finished"


def test_without_results_nothing_is_known(tmp_path):
    results = Results(tmp_path / "nowhere")
    assert results.look() == ({}, set()) and results.asked_for() == ((), "")


def test_a_record(tmp_path):
    campaign(tmp_path)
    path = tmp_path / "out/phases/done/analysis/record.json"
    rounds, legs = read_record(path)
    assert rounds[0]["dg_kcal_per_mol"] == -6.4 and [leg["overlap"] for leg in legs] == pytest.approx([0.1, 0.2])
    for odd in ({"legs": [3]}, {"sampling": {"rounds": [{"dg_kcal_per_mol": "-6"}]}}):
        path.write_text(json.dumps(odd))
        with pytest.raises(StateError, match="something else"):
            read_record(path)
