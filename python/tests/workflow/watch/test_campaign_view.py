"""A campaign at several times of one run: the numbers are those of its folders, and nothing in them changes."""

import os
import time

import pytest
from kept_campaigns import whole
from left_states import leave
from watched_campaigns import HOSTILE, Run, campaign, note, phases, steps

from gibbsflow.errors import InputError
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state.locks import campaign_lock, folder_lock
from gibbsflow.workflow.watch.campaign_view import CampaignView, find_campaign


def by_name(found):
    return {one.name: one for one in found.items}


def test_numbers_are_those_of_the_folders_at_each_time_of_a_run(tmp_path):
    state, out = tmp_path / "state" / "demo", tmp_path / "out"
    note(state, out, ["b2", "a1"])
    runs = [Run(state / f"cb7/b2/complex/replicate_0/window_0{k}", k) for k in range(2)]
    view, seen = CampaignView(state, phases), []

    def look():
        found = view.look()
        seen.append((by_name(found)["b2"], sum(step["steps_done"] for step in view.detail("b2").parts), steps(state)))

    runs[0].go(1, while_held=look)
    look()
    runs[0].go(1, while_held=look)
    runs[1].go(2, while_held=look, fails=True)
    look()
    runs[0].go(4)
    look()
    assert all(told == lying for _, told, lying in seen)
    assert [told for _, told, _ in seen] == [0, 250, 250, 750, 750, 1250]
    assert [one.state for one, _, _ in seen] == ["running", "stopped", "running", "running", "pruned", "pruned"]
    assert seen[2][0].done_ns == pytest.approx(250 * 4e-6) and seen[2][0].total_ns == pytest.approx(2 * 1000 * 4e-6)
    assert seen[2][0].ns_per_day > 0 and seen[2][0].left_s is not None
    last = seen[-1][0]
    assert last.parts == {"failed": 1, "finished": 1} and "energies are not finite" in last.cause and last.phase == "fe"
    assert by_name(view.look())["a1"].state == "waiting"


def test_a_campaign_at_a_glance(tmp_path):
    view = CampaignView(campaign(tmp_path), phases)
    found = view.look()
    items = by_name(found)
    assert (found.campaign, found.mode, found.held_by) == ("demo", "abfe", "")
    assert {name: one.state for name, one in items.items()} == {
        "a1": "pruned", "b2": "pruned", "done": "finished", "later": "waiting", HOSTILE: "pruned",
    }  # fmt: skip
    assert found.counts == {"pruned": 3, "waiting": 1, "finished": 1}
    assert items["done"].overlap == pytest.approx(0.1) and items["done"].dg_kcal_per_mol == -6.5
    assert (
        items["a1"].cause == "cb7/a1/param_ligands: Parametrisation: no charges"
        and items["a1"].phase == "param_ligands"
    )
    assert found.engine_h == found.cpu_h == pytest.approx(260 / 3600) and found.gpu_h == 0
    assert items["done"].cpu_h == pytest.approx(100 / 3600) and items["later"].cpu_h is None
    assert {one.name: one.finished for one in found.phases}["system_prep"] == 4
    assert view.detail("done").rounds[0]["dg_kcal_per_mol"] == -6.4 and view.detail("a1").again
    with pytest.raises(InputError, match="no such item"):
        view.detail("../b2")


def test_what_was_killed_before_it_had_any_state_is_lost_and_tells_why(tmp_path):
    state = campaign(tmp_path)
    view = CampaignView(state, phases)
    phase = by_name(view.look())["later"].phase
    log = tmp_path / ".command.log"
    log.write_text("Killed\n")
    told = {"process": phase.upper(), "item": "later", "cause": "OUT_OF_MEMORY", "exit": 137, "at": "1"}
    write_json(state / ".killed" / "later.json", told | {"log": str(log)})
    found = view.look()
    assert found.counts == {"pruned": 3, "lost": 1, "finished": 1}
    assert by_name(found)["later"].cause == f"OUT_OF_MEMORY: {phase.upper()} (exit 137, log {log})"
    assert [one.text for one in view.detail("later").logs] == ["Killed"]


def test_looking_changes_nothing(tmp_path):
    state = campaign(tmp_path)
    before = whole(tmp_path), {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    view = CampaignView(state, phases)
    for _ in range(3):
        view.look()
        view.detail("b2")
    assert (whole(tmp_path), {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}) == before


def test_an_item_that_has_not_changed_is_the_same_row(tmp_path):
    state = campaign(tmp_path)
    for home, _, _ in os.walk(state):
        os.utime(home, (1, 1))
    view = CampaignView(state, phases)
    first = by_name(view.look())
    leave(state / "cb7/b2/solvent/replicate_1/window_00", window=0, done=100)
    second = by_name(view.look())
    assert second["done"] is first["done"] and second["b2"] is not first["b2"]


def test_pruned_by_policy_and_head(tmp_path):
    state = campaign(tmp_path, on_failure="retry")
    view = CampaignView(state, phases)
    assert by_name(view.look())["a1"].state == "pruned"  # no head is at work that would try it again
    pid = os.fork()
    if not pid:  # locks of one process do not hold against itself
        with campaign_lock(state):
            os._exit(by_name(CampaignView(state, phases).look())["a1"].state != "pruned")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert by_name(CampaignView(campaign(tmp_path / "b", on_failure="raise"), phases).look())["a1"].state == "failed"


def test_damaged_files_are_shown_as_such(tmp_path):
    state = campaign(tmp_path)
    view = CampaignView(state, phases)
    view.look()
    (state / "cb7/done/complex/replicate_0/progress.json").write_text('{"steps_')
    (state / ".campaign.json").write_text("{")
    (tmp_path / "out/phases/done/analysis/record.json").write_text("[")
    found = view.look()
    assert any("progress.json" in text for text in found.remarks) and any(
        ".campaign.json" in text for text in found.remarks
    )
    assert by_name(found)["done"].state == "unreadable"


def test_where_to_look(tmp_path):
    state = campaign(tmp_path)
    assert find_campaign(state) == find_campaign(state.parent) == (state, True)
    lone = tmp_path / "lone"
    leave(lone, done=10, kind="equil")
    assert find_campaign(lone) == (lone, False)
    assert by_name(CampaignView(lone, phases).look())["."].parts == {"stopped": 1}
    with pytest.raises(InputError, match="a part of a campaign"):
        find_campaign(state / "cb7")
    with pytest.raises(InputError, match="no such folder"):
        find_campaign(tmp_path / "nowhere")
    note(tmp_path / "state" / "other", tmp_path / "out2", [])
    with pytest.raises(InputError, match="2 campaigns are in it: demo, other"):
        find_campaign(state.parent)


def test_a_generation_is_finished_when_the_loop_says_so(tmp_path):
    state = tmp_path / "si"
    leave(state / "generation_00" / "fit", finished=True, kind="phase")
    note(state, tmp_path / "out", [], mode="potential")
    view = CampaignView(state, phases)
    (tmp_path / "out/generation_00").mkdir()
    path = tmp_path / "out/generation_00/checkpoint.json"
    path.write_text('{"generation": 0, "phase": "train", "history": []}')
    assert by_name(view.look())["generation_00"].state == "waiting"
    path.write_text('{"generation": 1, "phase": "label", "history": [{"generation": 0}]}')
    assert by_name(view.look())["generation_00"].state == "finished"


def test_what_runs_gets_on_between_two_checkpoints(tmp_path):
    home = tmp_path / "demo" / "cb7" / "b2" / "complex" / "replicate_0" / "window_00"
    leave(home, window=0, done=500)
    view = CampaignView(tmp_path / "demo", phases)
    with folder_lock(home):
        for gone_s in (0.0, 20.0):  # 0.1 s a step
            at = time.time() - gone_s
            os.utime(home / "progress.json", (at, at))
            found = view.look()
            assert found.left_s == pytest.approx(50 - gone_s, abs=2)
            (item,) = found.items
            assert item.done_ns == pytest.approx(0.002)
            assert item.under_way_ns == pytest.approx(gone_s * 10 * 4e-6, abs=1e-4)
    (item,) = view.look().items
    assert (item.state, item.under_way_ns) == ("stopped", 0.0)
