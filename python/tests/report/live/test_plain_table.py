"""A campaign as lines of text."""

from watched_campaigns import HOSTILE, campaign, phases

from gibbsflow.report.live.plain_table import free_energy, parts_text, plain_table
from gibbsflow.workflow.watch.campaign_view import CampaignView
from gibbsflow.workflow.watch.snapshot import ItemRow, Learning, PhaseRow, Snapshot


def snapshot(*items, learning=None, remarks=()):
    phase = PhaseRow("fe", 1, {"running": 2, "waiting": 1})
    return Snapshot(
        "x", "abfe", "/x", "now", "", items, {}, {}, [phase], 5.0, 7200.0, 1.5, 2.0, None, learning, remarks
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
    assert "5 ns/day; 2.0 h left of what is under way; MD 1.5 h; CPU 2 h" in text and "fe 1/1 (2 running)" in text
    assert "nothing has been run here" in plain_table(snapshot())


def test_a_loop():
    loop = Learning(3, "train", "", "error 0.2", {"finished": 5, "failed": 1}, 12.0, ["gf-1: UNCONVERGED: x"], [])
    text = plain_table(snapshot(learning=loop))
    assert "generation 3; next train; labels: 5 finished, 1 failed, 12 an hour" in text and "label failed: gf-1" in text


def test_words():
    assert (free_energy(None, 1.0), free_energy(-1.0, None)) == ("", "-1.00")
    assert parts_text({"running": 2, "failed": 0, "finished": 1}) == "1 finished, 2 running"
