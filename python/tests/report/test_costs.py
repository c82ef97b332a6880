"""What a campaign cost, of states whose hours are known."""

import csv
import json
from itertools import product

import pytest
from watched_campaigns import Run, note, phases

from gibbsflow.config.binding import Md
from gibbsflow.config.binding_parts import Costs
from gibbsflow.report.costs import campaign_costs, write_costs
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.watch.campaign_view import CampaignView


@pytest.fixture
def state(tmp_path):
    hours = {"b2/equil": 1, "b2/complex/replicate_0": 2, "b2/complex/replicate_1/window_03": 3, "a/equil": 0.5}
    for place, value in hours.items():
        (tmp_path / "state" / "cb7" / place).mkdir(parents=True)
        write_json(tmp_path / "state" / "cb7" / place / "progress.json", {"engine_s": 3600 * value})
    return tmp_path / "state"


def test_hours_by_item_and_part(state, tmp_path):
    costs = campaign_costs(state, Md(threads=4), Costs(cost_per_cpu_hour=0.5, currency="=CHF"))
    assert [(one.item, one.part, one.cpu_hours) for one in costs.parts] == [
        ("a", "equil", 2.0), ("b2", "complex", 20.0), ("b2", "equil", 4.0),
    ]  # fmt: skip
    assert costs.items["b2"].cpu_hours == 24 and costs.items["b2"].money == 12
    assert (costs.whole.cpu_hours, costs.whole.gpu_hours, costs.whole.money) == (26, 0, 13)
    write_costs(costs, tmp_path / "costs.csv")
    rows = list(csv.DictReader((tmp_path / "costs.csv").open()))
    assert [(row["item"], row["part"]) for row in rows][-3:] == [("a", "all"), ("b2", "all"), ("(all)", "all")]
    assert rows[-1]["cost"] == "13.0000" and rows[-1]["currency"] == "'=CHF"


def test_gpus_that_are_shared_and_prices_that_are_lacking(state):
    costs = campaign_costs(state, Md(platform="CUDA", legs_per_gpu="4"), Costs(cost_per_gpu_hour=2.0))
    assert costs.items["b2"].gpu_hours == 1 + 5 / 4 and not costs.shared
    assert costs.whole.money is None  # cores were held too, and have no price
    both = campaign_costs(state, Md(platform="CUDA"), Costs(cost_per_gpu_hour=2.0, cost_per_cpu_hour=0.0))
    assert both.shared and both.whole.money == pytest.approx(13.0)


@pytest.mark.parametrize("content", ['{"engine_s": "1"}', '{"engine_s": -1}', "[]", "{", '{"engine_s": true}'])
def test_what_cannot_be_read_is_said_and_costs_nothing_else(state, content):
    (state / "cb7" / "a" / "equil" / "progress.json").write_text(content)
    costs = campaign_costs(state, Md(), Costs())
    assert costs.whole.cpu_hours == 6 and len(costs.unread) == 1 and "progress.json" in costs.unread[0]


def test_nothing_timed_is_no_cost(tmp_path):
    assert campaign_costs(None, Md(), Costs()) is None
    assert campaign_costs(tmp_path, Md(), Costs()) is None


def test_report_and_live_view_tell_the_same_hours_to_all_digits(tmp_path):
    state = tmp_path / "state" / "demo"
    note(state, tmp_path / "out", ["a", "b2"])
    for ligand, window in product(("a", "b2"), range(3)):
        run = Run(state / "cb7" / ligand / "complex" / "replicate_0" / f"window_0{window}", window)
        if window == 1:  # its hours are spent, too
            run.go(2, fails=True)
        run.go(1)
        run.go(4)
    failed = list(state.rglob("superseded-*/progress.json"))
    assert len(failed) == 2
    # hours of a day, where they were those of a moment, and of a failed attempt; thirds are not exact in any base
    for number, path in enumerate(sorted(state.rglob("progress.json"))):
        told = json.loads(path.read_text())
        write_json(path, told | {"engine_s": (number + 1) * 1e4 / 3, "core_s": (number + 1) * 7e4 / 3, "gpu_s": 0.1})
    costs = campaign_costs(state, Md(threads=4), Costs())
    found = CampaignView(state, phases).look()
    items = {one.name: (one.cpu_h, one.gpu_h) for one in found.items}
    assert items == {name: (one.cpu_hours, one.gpu_hours) for name, one in costs.items.items()}
    assert (found.cpu_h, found.gpu_h) == (costs.whole.cpu_hours, costs.whole.gpu_hours)
    assert found.engine_h == pytest.approx(sum(range(1, 9)) * 1e4 / 3 / 3600)
