"""A campaign as lines of text."""

from dataclasses import replace

from watched_campaigns import HOSTILE, campaign, phases

from gibbsflow.report.live.plain_table import free_energy, part_text, parts_text, plain_table
from gibbsflow.workflow.state.status import StatusRow
from gibbsflow.workflow.watch.campaign_view import CampaignView
from gibbsflow.workflow.watch.snapshot import ItemRow, Learning, PhaseRow, Snapshot


def snapshot(*items, learning=None, remarks=(), bound=False):
    phase = PhaseRow("fe", 1, {"running": 2, "waiting": 1})
    return Snapshot(
        "x", "abfe", "/x", "now", "", items, {}, {}, [phase], 5.0, 7200.0, bound, 1.5, 2.0, None, learning, remarks
    )


def test_a_line_an_item(tmp_path):
    view = CampaignView(campaign(tmp_path), phases)
    lines = plain_table(view.look()).splitlines()
    assert lines[0].startswith("demo (abfe), ") and "system_prep 4/5" in lines[1]
    head = next(line for line in lines if line.startswith("item "))
    rows = {line.split()[0]: line for line in lines[lines.index(head) + 1 :] if line}
    assert set(rows) >= {"a1", "b2", "done", "later"} and any(line.startswith(HOSTILE) for line in lines)
    at = head.index("ΔG")
    assert rows["done"][at:].startswith("-6.50 ± 0.25") and "no charges" in rows["a1"]


def test_no_control_character_reaches_the_terminal():
    odd = "a\x1b[31m\nb\u202e"
    text = plain_table(snapshot(ItemRow(odd, cause=odd, phase=odd)))
    assert "\x1b" not in text and "\u202e" not in text and "\\x1b[31m\\nb" in text


def test_columns_in_which_nothing_stands_are_left_out():
    text = plain_table(snapshot(ItemRow("a", state="running", ns_per_day=3.0), remarks=["odd"]))
    assert "ns/day" in text and "verdict" not in text and text.endswith("note: odd")
    assert "5 ns/day; 2.0 h left of what is under way; engines 1.5 h; CPU 2 h" in text and "fe 1/1 (2 running)" in text
    assert "nothing has been run here" in plain_table(snapshot())


def test_a_loop():
    loop = Learning(
        3, "train", "", "error 0.2", {"finished": 5, "failed": 1}, 12.0, None, None, ["gf-1: UNCONVERGED: x"], []
    )
    text = plain_table(snapshot(learning=loop))
    assert "generation 3; next train; labels: 5 finished, 1 failed, 12 an hour\n" in text
    assert "label failed: gf-1" in text
    text = plain_table(snapshot(learning=replace(loop, labels_to_do=12, labels_left_s=3600.0)))
    assert "12 an hour, 12 to do in this generation (60.0 min left)" in text
    text = plain_table(snapshot(learning=replace(loop, generation=None, phase="")))  # labels come before any fit
    assert "generation none begun; labels: 5 finished" in text and text.endswith("no fit or MD has begun")


def test_the_rest_of_a_time_budget_is_a_bound():
    text = plain_table(snapshot(ItemRow("generation_00", left_s=90.0, left_at_most=True, cpu_h=0.5), bound=True))
    assert "at most 2.0 h left of what is under way" in text and "≤ 90 s" in text and " 0.5" in text
    fit = StatusRow("fit", spent_s=180.0, budget_s=900.0, left_s=720.0, left_at_most=True, engine_s=360.0)
    assert part_text(vars(fit)) == "3.0 min of 15.0 min, ≤ 12.0 min left, 0.1 h"
    assert part_text(vars(StatusRow("fit", spent_s=180.0))) == "3.0 min"  # of a trainer that keeps to no budget
    md = StatusRow("md", steps_done=500, steps=1000, ns_per_day=12.0, left_s=120.0, engine_s=120.0)
    assert part_text(vars(md)) == "500/1000 steps, 12 ns/day, 2.0 min left, 0.0333 h"


def test_words():
    assert (free_energy(None, 1.0), free_energy(-1.0, None)) == ("", "-1.00")
    assert parts_text({"running": 2, "failed": 0, "finished": 1}) == "1 finished, 2 running"
