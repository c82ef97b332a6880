"""Legs and replicates combined: sign, errors, missing parts; against oscillators whose answer is exact."""

import json
import math

import pytest
from oscillators import COMPLEX, SOLVENT, STANDARD_STATE, exact_binding_kcal_per_mol, write_transformation

from gibbsflow.binding.analyse.transformation import analyse_transformation
from gibbsflow.config.binding import Analysis


def test_exact_answer_with_its_sign(tmp_path):
    system, runs = write_transformation(tmp_path)
    record = analyse_transformation(system, runs, Analysis())
    assert record["status"] == "finished"
    assert record["replicates"] == 2
    exact = exact_binding_kcal_per_mol(COMPLEX, SOLVENT)
    assert exact < -3  # a guest that binds
    assert abs(record["dg_kcal_per_mol"] - exact) < 4 * record["mbar_error_kcal_per_mol"] < 1.0
    legs = {leg: record["leg_summary"][leg]["dg_kcal_per_mol"] for leg in ("complex", "solvent")}
    release = STANDARD_STATE["numeric_kcal_per_mol"]
    assert record["dg_kcal_per_mol"] == pytest.approx(legs["solvent"] - legs["complex"] - release)
    within = math.hypot(*record["replicate_error_kcal_per_mol"]) / 2
    assert record["dg_error_kcal_per_mol"] >= 0.9999 * within
    json.dumps(record, allow_nan=False)


def test_corrections_of_legs_have_the_signs_of_their_legs(tmp_path):
    """Added on decoupling: the solvent leg's raises the result, the complex leg's lowers it; errors on top."""
    system, runs = write_transformation(tmp_path)
    raw = analyse_transformation(system, runs, Analysis())
    sizes = {
        leg: {"dg_kcal_per_mol": dg, "dg_error_kcal_per_mol": error, "charging": {}}
        for leg, dg, error in (("complex", 2.5, 0.3), ("solvent", -0.75, 0.4))
    }
    record = analyse_transformation(system.with_meta(finite_size=sizes), runs, Analysis())
    assert record["dg_kcal_per_mol"] == pytest.approx(raw["dg_kcal_per_mol"] - 0.75 - 2.5)
    assert record["replicate_dg_kcal_per_mol"] == pytest.approx(
        [value - 3.25 for value in raw["replicate_dg_kcal_per_mol"]]
    )
    assert record["dg_error_kcal_per_mol"] == pytest.approx(math.hypot(raw["dg_error_kcal_per_mol"], 0.5))
    assert record["error_method"].endswith(", and 0.50 of the finite-size correction")
    assert record["leg_summary"] == raw["leg_summary"] and record["finite_size"] == sizes
    assert "finite_size" not in raw and record["inputs_hash"] != raw["inputs_hash"]
    legs = {leg: record["leg_summary"][leg]["dg_kcal_per_mol"] for leg in ("complex", "solvent")}
    release = STANDARD_STATE["numeric_kcal_per_mol"]
    assert record["dg_kcal_per_mol"] == pytest.approx(legs["solvent"] - 0.75 - legs["complex"] - 2.5 - release)
    json.dumps(record, allow_nan=False)


def test_replicates_that_differ_make_the_error(tmp_path):
    system, runs = write_transformation(tmp_path, replicates=3, bias_kt=(0.0, 2.0, 4.0))
    record = analyse_transformation(system, runs, Analysis())
    values = record["replicate_dg_kcal_per_mol"]
    mean = sum(values) / 3
    standard_error = math.sqrt(sum((v - mean) ** 2 for v in values) / 2 / 3)
    assert record["dg_error_kcal_per_mol"] > 0.8 * standard_error > 5 * record["mbar_error_kcal_per_mol"]
    assert record["error_method"] == "spread of 3 replicates and the error within each, by Bayes' rule"
    assert 2.5 * standard_error < record["t95_kcal_per_mol"] < 4.303 * standard_error
    assert record["hidden_spread_probability"] > 0.95
    half = record["t95_kcal_per_mol"]
    assert record["ci95_low_kcal_per_mol"] == pytest.approx(mean - half)
    assert record["ci95_high_kcal_per_mol"] == pytest.approx(mean + half)
    assert record["verdict"] == "WARN"
    assert any("spread over" in reason for reason in record["reasons"])


def test_one_replicate_has_its_own_error_and_a_warning(tmp_path):
    system, runs = write_transformation(tmp_path, replicates=1)
    record = analyse_transformation(system, runs, Analysis())
    assert record["dg_error_kcal_per_mol"] == pytest.approx(record["replicate_error_kcal_per_mol"][0])
    legs = [leg["dg_error_kcal_per_mol"] for leg in record["legs"]]
    assert record["dg_error_kcal_per_mol"] == pytest.approx(math.hypot(*legs))
    for leg in record["legs"]:
        blocks, mbar = leg["blocks"], leg["mbar_error_kcal_per_mol"]
        own = (
            blocks["dg_error_kcal_per_mol"]
            if blocks["correlation"] <= 0.3
            else max(blocks["dg_error_kcal_per_mol"], mbar)
        )
        assert leg["dg_error_kcal_per_mol"] == pytest.approx(own)
    assert 1.96 < record["t95_kcal_per_mol"] / record["dg_error_kcal_per_mol"] < 2.2
    assert record["verdict"] == "WARN"
    assert any("one replicate only" in reason for reason in record["reasons"])


def test_a_missing_window_that_overlap_bridges_is_partial_and_named(tmp_path):
    system, runs = write_transformation(tmp_path, leave_out={("complex", 1): (3,)})
    record = analyse_transformation(system, runs, Analysis())
    assert record["status"] == "partial"
    assert record["replicates"] == 2
    assert abs(record["dg_kcal_per_mol"] - exact_binding_kcal_per_mol(COMPLEX, SOLVENT)) < 1.0
    assert any("complex leg, replicate 1: window 3 is missing" in reason for reason in record["reasons"])


def test_a_missing_window_that_nothing_bridges_gives_no_number_for_its_replicate(tmp_path):
    system, runs = write_transformation(tmp_path, leave_out={("complex", 1): (1, 2, 3, 4)})
    record = analyse_transformation(system, runs, Analysis(overlap_warn=0.2))
    assert record["status"] == "partial"
    assert record["replicate_numbers"] == [0]
    failed = next(leg for leg in record["legs"] if leg["status"] == "failed")
    assert failed["cause"] == "MissingWindows"
    assert "windows 1, 2, 3, 4 are missing, and the overlap of 0 and 5" in failed["message"]


def test_a_missing_end_state_is_reached_by_reweighting_with_a_larger_error(tmp_path):
    system, runs = write_transformation(tmp_path, leave_out={("complex", 0): (5,), ("complex", 1): (5,)})
    whole = analyse_transformation(*write_transformation(tmp_path / "whole"), Analysis())
    record = analyse_transformation(system, runs, Analysis())
    assert (record["status"], record["replicates"]) == ("partial", 2)
    for leg, other in zip(record["legs"], whole["legs"], strict=True):
        if leg["leg"] == "complex":
            assert leg["mbar_error_kcal_per_mol"] > other["mbar_error_kcal_per_mol"]
            error = math.hypot(leg["mbar_error_kcal_per_mol"], other["mbar_error_kcal_per_mol"])
            assert abs(leg["dg_kcal_per_mol"] - other["dg_kcal_per_mol"]) < 4 * error
            assert "an end state reached by reweighting" in leg["error_method"]
            assert leg["profile"]["state"] == list(range(6)) and leg["bar_dg_kcal_per_mol"] is None
    assert record["missing_windows"] == ["complex/replicate_0/window_05", "complex/replicate_1/window_05"]
    assert record["cause"].startswith("MissingWindows: complex leg, replicate 0: window 5 is missing; ")
    assert "effective samples of the others reach the end state" in record["cause"]
    json.dumps(record, allow_nan=False)


def test_an_end_state_that_nothing_reaches_leaves_a_cause_and_no_number(tmp_path):
    out = tuple(range(1, 6))
    system, runs = write_transformation(tmp_path, leave_out={("complex", 0): out[1:], ("complex", 1): out[1:]})
    record = analyse_transformation(system, runs, Analysis())
    assert (record["status"], record["verdict"], record["dg_kcal_per_mol"]) == ("failed", "FAIL", None)
    assert record["cause"].startswith("MissingWindows: complex leg, replicate 0: windows 2, 3, 4, 5 are missing, and")
    assert "effective samples reach the end state 5" in record["cause"]
    json.dumps(record, allow_nan=False)


@pytest.mark.parametrize("damage", ["empty", "truncated"])
def test_a_damaged_window_is_missing_and_named(tmp_path, damage):
    system, runs = write_transformation(tmp_path)
    path = runs[0] / "window_02.parquet"
    path.write_bytes(b"" if damage == "empty" else path.read_bytes()[:-50])
    record = analyse_transformation(system, runs, Analysis())
    assert (record["status"], record["replicates"]) == ("partial", 2)
    (name,) = record["missing_windows"]
    assert name.endswith("window_02") and str(path) in record["cause"]


def test_a_replicate_that_never_ran_is_partial(tmp_path):
    system, runs = write_transformation(tmp_path)
    record = analyse_transformation(system, runs[:2], Analysis())
    assert (record["status"], record["replicates"]) == ("partial", 1)
    assert [leg["cause"] for leg in record["legs"]] == ["", "MissingWindows", "", "MissingWindows"]


def test_runs_with_and_without_exchange_are_analysed_alike(tmp_path):
    system, runs = write_transformation(tmp_path / "a", exchange=True)
    other, other_runs = write_transformation(tmp_path / "b", exchange=False)
    first, second = (analyse_transformation(s, r, Analysis()) for s, r in ((system, runs), (other, other_runs)))
    assert first["legs"][0]["mixing"]["round_trips"] >= 0
    assert second["legs"][0]["mixing"] is None
    both = math.hypot(first["mbar_error_kcal_per_mol"], second["mbar_error_kcal_per_mol"])
    assert abs(first["dg_kcal_per_mol"] - second["dg_kcal_per_mol"]) < 4 * both


def test_windows_that_did_not_exchange_want_five_replicates(tmp_path):
    """What a window without exchange never leaves, few replicates may share; a missing window does not matter."""
    system, runs = write_transformation(tmp_path / "a", replicates=3, exchange=False)
    record = analyse_transformation(system, runs, Analysis())
    doubts = [finding for finding in record["findings"] if finding["check"] == "exchange"]
    assert [doubt["level"] for doubt in doubts] == ["WARN"]
    assert doubts[0]["reason"].startswith("windows of the complex and solvent legs did not exchange, and 3 replicates")
    assert [record["leg_summary"][leg]["exchanged"] for leg in ("complex", "solvent")] == [False, False]
    left_out = {("complex", 0): (2,)}
    system, runs = write_transformation(tmp_path / "b", replicates=3, leave_out=left_out)
    record = analyse_transformation(system, runs, Analysis())
    assert "exchange" not in {finding["check"] for finding in record["findings"]}
    assert record["leg_summary"]["complex"]["exchanged"] is True
