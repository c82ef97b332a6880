from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from loop_states import RECORD

from gibbsflow.config.potential_config import Convergence
from gibbsflow.potential.loop.stopping import GenerationRecord, judge, share_above

LIMITS = Convergence(
    force_mae_ev_per_angstrom=0.1, fraction_above=0.05, generations=2, max_generations=4, max_labels=100
)


def record(force: float, above: float, labels_made: int = 30) -> GenerationRecord:
    return replace(RECORD, force_mae_ev_per_angstrom=force, fraction_above=above, labels_made=labels_made)


@pytest.mark.parametrize(
    ("history", "stopped_by"),
    [
        ([record(0.05, 0.01)], ""),
        ([record(0.05, 0.01), record(0.1, 0.05)], "converged"),
        ([record(0.05, 0.2), record(0.05, 0.01)], ""),
        ([record(0.2, 0.01), record(0.05, 0.01)], ""),
        ([record(0.05, 0.01), record(0.05, 0.01), record(0.11, 0.01)], ""),
        ([record(0.2, 0.5)] * 4, "generations"),
        ([record(0.2, 0.5, 100)], "labels"),
        ([record(0.05, 0.01), record(0.05, 0.01, 100)], "converged"),
    ],
)
def test_both_criteria_over_two_generations_or_a_budget(history: list[GenerationRecord], stopped_by: str) -> None:
    verdict = judge(history, LIMITS)
    assert verdict.stopped_by == stopped_by
    assert "hold-out force error" in verdict.reason and "of MD above the threshold" in verdict.reason


MET = {"met_labels": 3, "met_force_mae_ev_per_angstrom": 0.04, "met_atom_error_ev_per_angstrom": 0.21}


@pytest.mark.parametrize(
    ("met", "last", "stopped_by"),
    [
        (MET, {}, "converged"),
        ({**MET, "met_labels": 2}, {}, ""),
        ({**MET, "met_force_mae_ev_per_angstrom": 0.11}, {}, ""),
        # one atom of many, which the mean of its structure hides; and a generation that was not asked for it
        ({**MET, "met_atom_error_ev_per_angstrom": 0.61}, {}, ""),
        ({**MET, "met_atom_error_ev_per_angstrom": None}, {}, ""),
        ({}, {}, ""),
        (MET, {"md_largest_grade": 9.5}, ""),
        # a committee decides by its spread, whatever the grade, and only beside another spread
        (
            {**MET, "md_largest_spread_ev_per_angstrom": 0.3},
            {"md_largest_spread_ev_per_angstrom": 0.29, "md_largest_grade": 9.5},
            "converged",
        ),
        ({**MET, "md_largest_spread_ev_per_angstrom": 0.3}, {"md_largest_spread_ev_per_angstrom": 0.31}, ""),
        ({**MET, "md_largest_spread_ev_per_angstrom": 0.3}, {}, ""),
        (MET, {"md_largest_spread_ev_per_angstrom": 0.1}, ""),
        (MET, {"md_stopped_by": {"steps": 1, "grade": 1}}, ""),
        ({**MET, "md_stopped_by": {"unstable": 1}}, {}, ""),
        (MET, {"force_mae_ev_per_angstrom": 0.2}, ""),
    ],
)
def test_what_md_met_is_no_reason_to_go_on_where_its_labels_show_small_errors(
    met: dict[str, Any], last: dict[str, Any], stopped_by: str
) -> None:
    verdict = judge([replace(record(0.05, 0.85), **met), replace(record(0.05, 0.8), **last)], LIMITS)
    assert verdict.stopped_by == stopped_by
    words = (
        ", which does not count: forces of the 3 structures of MD that generation 0 had labelled were off by 0.04 eV/Å "
        "at most, on no atom by more than 0.21"
    )
    assert (f"80.0% of MD above the threshold (wanted 5.0%){words}" in verdict.reason) == (
        bool(stopped_by) or "force_mae_ev_per_angstrom" in last or met.get("md_stopped_by") is not None
    )


def test_a_share_that_was_asked_for_is_not_overruled_and_the_reason_says_so() -> None:
    limits = LIMITS.model_copy(update={"labels_may_vouch": False})
    verdict = judge([replace(record(0.05, 0.85), **MET), record(0.05, 0.8)], limits)
    assert not verdict.stopped_by
    words = ", which counts (convergence.labels_may_vouch: false), though forces of the 3 structures of MD"
    assert f"80.0% of MD above the threshold (wanted 5.0%){words}" in verdict.reason
    assert judge([record(0.05, 0.05)] * 2, limits).stopped_by == "converged"


@pytest.mark.parametrize(
    ("wanted", "verdict", "stopped_by"),
    [("none", "", "converged"), ("none", "FAIL", "converged"), ("WARN", "", ""), ("WARN", "FAIL", ""),
     ("WARN", "WARN", "converged"), ("WARN", "PASS", "converged"), ("PASS", "WARN", ""), ("PASS", "PASS", "converged")],
)  # fmt: skip
def test_a_validation_gates_convergence_where_it_is_asked(wanted: str, verdict: str, stopped_by: str) -> None:
    limits = LIMITS.model_copy(update={"validation": wanted})
    reasons = ["phonons: imaginary modes"] if verdict == "FAIL" else []
    last = replace(record(0.05, 0.01), validation=verdict, validation_reasons=reasons)
    found = judge([record(0.05, 0.01), last], limits)
    assert found.stopped_by == stopped_by
    if wanted == "none":
        assert "validat" not in found.reason
    else:
        assert (f"validation {verdict} (wanted {wanted})" if verdict else "not validated yet") in found.reason
        assert ("imaginary modes" in found.reason) == bool(reasons)


def test_a_budget_ends_a_loop_that_is_not_valid() -> None:
    limits = LIMITS.model_copy(update={"validation": "PASS"})
    found = judge([replace(record(0.05, 0.01), validation="FAIL")] * 4, limits)
    assert found.stopped_by == "generations" and "validation FAIL" in found.reason


@pytest.mark.parametrize(
    ("stress", "limit", "stopped_by"),
    [([0.9, 1.0], 1.0, "converged"), ([0.9, 1.1], 1.0, ""), ([1.1, 0.9], 1.0, ""), ([5.0, 5.0], None, "converged"),
     ([None, None], 1.0, "converged")],
)  # fmt: skip
def test_the_stress_counts_where_there_is_one(stress: list[float | None], limit: float | None, stopped_by: str) -> None:
    limits = LIMITS.model_copy(update={"stress_mae_gpa": limit})
    verdict = judge([replace(record(0.05, 0.01), stress_mae_gpa=value) for value in stress], limits)
    assert verdict.stopped_by == stopped_by
    said = f"stress error {stress[-1]:.3g} GPa (wanted {limit:g})" if limit and stress[-1] else "stress"
    assert (said in verdict.reason) == bool(limit and stress[-1])


def test_the_reason_names_the_budget() -> None:
    assert "budget of 4 generations is spent" in judge([record(0.2, 0.5)] * 4, LIMITS).reason
    once = LIMITS.model_copy(update={"max_generations": 1})
    assert "budget of one generation is spent" in judge([record(0.2, 0.5)], once).reason
    assert "budget of 100 labels is spent" in judge([record(0.2, 0.5, 120)], LIMITS).reason


def test_what_md_did_not_reach_counts_as_above() -> None:
    through = {"looks": 100, "planned_looks": 100, "fraction_above_lower": 0.1}
    stopped = {"looks": 20, "planned_looks": 100, "fraction_above_lower": 0.5}
    assert share_above([through]) == pytest.approx(0.1)
    assert share_above([stopped]) == pytest.approx((10 + 80) / 100)
    assert share_above([through, stopped]) == pytest.approx((10 + 10 + 80) / 200)
    assert share_above([]) == 1.0
