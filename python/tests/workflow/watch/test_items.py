"""What state an item is in, and how far it has come."""

import pytest
from watched_campaigns import PHASES

from gibbsflow.workflow.hours.engine_hours import Hours
from gibbsflow.workflow.state.status import StatusRow
from gibbsflow.workflow.watch.items import ItemPlace, item_place, item_row, phase_rows
from gibbsflow.workflow.watch.results import ItemResults
from gibbsflow.workflow.watch.snapshot import ItemRow
from gibbsflow.workflow.watch.state_rows import HomeRows

PLACE = ItemPlace("cb7", "b2", "")


def home(part, status, kind="window", **figures):
    parts = ("cb7", "b2", *part.split("/"))
    return HomeRows(parts, (StatusRow("/".join(parts), kind, status, **figures),))


def row(*homes, pruned=False, hours=None, **results):
    found = {str(n): one for n, one in enumerate(homes)}
    return item_row(PLACE, found, ItemResults(**results), PHASES, hours, pruned=pruned, now_s=0.0)


@pytest.mark.parametrize(
    ("homes", "results", "state", "phase"),
    [
        ([], {}, "waiting", "system_prep"),
        ([], {"system_prep": "finished"}, "waiting", "param_ligands"),
        ([home("equil", "running", "equil")], {"prepare_equil": "finished"}, "running", "equil"),
        ([home("equil", "finished", "equil")], {}, "waiting", "equil_analysis"),
        ([home("param_ligands", "failed", "phase")], {"system_prep": "finished"}, "failed", "param_ligands"),
        ([home("complex/replicate_0", "lost")], {}, "lost", "fe"),
        ([home("complex/replicate_0", "finished")], {}, "waiting", "analysis"),
        ([home("complex/replicate_0", "finished")], {"analysis": "finished"}, "finished", "analysis"),
        ([home("c/replicate_0", "failed"), home("s/replicate_0", "running")], {}, "failed", "fe"),
        ([home("c/replicate_0", "failed"), home("s/replicate_0", "finished")], {"analysis": "partial"}, "finished",
         "analysis"),
        ([home("equil", "finished", "equil")], {"equil_analysis": "unbound"}, "failed", "prepare_fe"),
    ],
)  # fmt: skip
def test_state_and_phase(homes, results, state, phase):
    found = row(*homes, phases=results)
    assert (found.state, found.phase) == (state, phase)


def test_pruned_is_what_failed_where_the_campaign_goes_on_without_it():
    assert row(home("param_ligands", "failed", "phase"), pruned=True).state == "pruned"
    assert row(home("equil", "running", "equil"), pruned=True).state == "running"


def test_figures_are_added_up_and_speeds_are_those_of_what_runs():
    slow = {"done_ns": 1.0, "total_ns": 2.0, "ns_per_day": 10.0, "left_s": 60.0, "segments_per_h": 10.0}
    quick = {"done_ns": 0.5, "total_ns": 2.0, "ns_per_day": 12.0, "left_s": 90.0, "segments_per_h": 4.0}
    found = row(
        home("c/replicate_0/window_00", "running", **slow),
        home("c/replicate_0/window_01", "running", **quick),
        home("c/replicate_0/window_02", "finished", done_ns=2.0, total_ns=2.0, ns_per_day=99.0, segments_per_h=99.0),
        hours=Hours(2.0, 8.0, 0.0),
    )
    assert (found.done_ns, found.total_ns, found.ns_per_day, found.left_s) == (3.5, 6.0, 22.0, 90.0)
    assert found.segments_per_h == pytest.approx(14.0)
    assert (found.engine_h, found.cpu_h, found.gpu_h) == (2.0, 8.0, 0.0)
    assert found.parts == {"running": 2, "finished": 1}


def test_a_fit_has_at_most_its_time_budget_left():
    fit = {"left_s": 90.0, "left_at_most": True, "budget_s": 100.0, "spent_s": 10.0}
    found = row(home("fit", "running", "phase", **fit), home("md", "stopped", "phase", left_s=60.0))
    assert (found.left_s, found.left_at_most) == (90.0, True)
    found = row(home("fit", "running", "phase", **fit), home("md", "stopped", "phase", left_s=95.0))
    assert (found.left_s, found.left_at_most) == (95.0, False)


def test_free_energy_of_the_last_analysis():
    found = row(analysis={"dg_kcal_per_mol": -6.5, "dg_error_kcal_per_mol": None, "verdict": "WARN"})
    assert (found.dg_kcal_per_mol, found.dg_error_kcal_per_mol, found.verdict, found.overlap) == (
        -6.5,
        None,
        "WARN",
        None,
    )


def test_places():
    assert item_place(("cb7", "b2", "complex", "replicate_0"), of_campaign=True) == ItemPlace("cb7", "b2", "complex")
    assert item_place(("generation_00", "fit"), of_campaign=True) == ItemPlace("", "generation_00", "fit")
    assert item_place(("generation_00", "md", "trajectory_01"), of_campaign=True) == ItemPlace(
        "", "generation_00", "md"
    )
    assert item_place(("b2", "b2", "equil"), of_campaign=True) == ItemPlace("b2", "b2", "equil")
    assert item_place((), of_campaign=False).name == item_place(("window_00",), of_campaign=False).name == "."


def test_how_many_have_come_how_far():
    items = [
        ItemRow("a", state="finished", phase="analysis"),
        ItemRow("b", state="running", phase="fe"),
        ItemRow("c", phase="equil"),
    ]
    found = {one.name: (one.finished, one.states) for one in phase_rows(items, PHASES)}
    assert found["equil"] == (2, {"waiting": 1}) and found["fe"] == (1, {"running": 1}) and found["analysis"] == (1, {})
