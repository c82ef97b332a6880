"""What a round asks for, and each reason to stop, on records as the analysis makes them."""

import json
import math

import pytest
from oscillators import write_transformation

from gibbsflow.binding.alchemy.sampling_plan import Sampling
from gibbsflow.binding.analyse.enough.rounds import MOST_ROUNDS, judge_round, judge_system
from gibbsflow.binding.analyse.transformation import analyse_transformation
from gibbsflow.config.binding import Analysis
from gibbsflow.errors import InputError

PLAN = Sampling(steps_per_sample=250, samples=120, discarded=20, samples_per_segment=10, sample_ps=1.0)


def record(error, complex_error=0.4, solvent_error=0.3, **more):
    legs = {"complex": complex_error, "solvent": solvent_error}
    summary = {
        leg: {"dg_kcal_per_mol": 1.0, "dg_error_kcal_per_mol": own, "mbar_error_kcal_per_mol": 0.1, "replicates": 2}
        for leg, own in legs.items()
    }
    return {"dg_kcal_per_mol": -5.0, "dg_error_kcal_per_mol": error, "leg_summary": summary, **more}


def results(complex_ps=100.0, solvent_ps=100.0, seconds=(8.0, 2.0), replicates=2):
    lengths = {"complex": (complex_ps, seconds[0]), "solvent": (solvent_ps, seconds[1])}
    return [
        {
            "leg": leg, "replicate": k, "windows": 2, "ps_per_window": ps, "sampled_ns": 2 * ps / 1000,
            "timings": {"engine_s_per_ns": 5 * per},
        }
        for leg, (ps, per) in lengths.items() for k in range(replicates)
    ]  # fmt: skip


def judge(error, *, before=None, target=0.25, most=1000.0, runs=None, **more):
    settings = Analysis(target_error_kcal_per_mol=target, max_window_ps=most)
    return judge_round(record(error, **more), runs or results(), settings, PLAN, before)


def test_time_goes_where_it_lessens_the_error_most_for_its_cost():
    told = judge(0.5, target=0.4)
    asked = told["next_window_ps"]
    # t ~ sd/sqrt(cost): 0.4/sqrt(4) to 0.3/sqrt(1)
    assert asked["solvent"] > asked["complex"] > 100.0
    assert asked["solvent"] / asked["complex"] == pytest.approx(1.5, rel=0.1)
    assert all(ps <= 300.0 and ps % 10 == 0 for ps in asked.values())
    foreseen = math.hypot(0.4 * math.sqrt(100 / asked["complex"]), 0.3 * math.sqrt(100 / asked["solvent"]))
    dearer = judge(0.5, target=0.4, runs=results(seconds=(80.0, 2.0)))["next_window_ps"]
    assert dearer.get("complex", 100.0) < asked["complex"] and dearer["solvent"] > asked["solvent"]
    assert foreseen <= 0.4 and told["stopped_by"] == "failure" and "has not finished" in told["stopped_because"]
    assert told["rounds"][0]["error_of_leg_kcal_per_mol"] == pytest.approx({"complex": 0.4, "solvent": 0.3})


def test_the_legs_share_the_error_of_the_result():
    told = judge(1.0, complex_error=0.4, solvent_error=0.3)
    assert told["rounds"][0]["error_of_leg_kcal_per_mol"] == pytest.approx({"complex": 0.8, "solvent": 0.6})


def test_it_stops_on_the_target():
    told = judge(0.25)
    assert (told["stopped_by"], told["next_window_ps"]) == ("target", {})
    assert told["progress"].startswith("round 0: -5.00") and "stopped by target" in told["progress"]


def test_it_stops_on_the_budget_which_is_never_exceeded():
    told = judge(0.5, most=115.0)
    assert told["next_window_ps"] == {"complex": 110.0, "solvent": 110.0}
    spent = judge(0.5, most=115.0, runs=results(110.0, 110.0), before=told)
    assert (spent["stopped_by"], spent["next_window_ps"]) == ("budget", {})
    assert "has 110 of 115 ps, with no room for a segment more" in spent["stopped_because"]
    assert [one["round"] for one in spent["rounds"]] == [0, 1]


def test_a_leg_that_adds_nothing_is_left_while_the_other_grows():
    """Water in vacuum has no energy that changes: whether or not the other leg needs more than one round, or the error
    is out of reach, it is not sampled longer."""
    for target, most in ((0.1, 1e5), (0.01, 1000.0)):
        told = judge(0.5, target=target, most=most, complex_error=8e-10, solvent_error=0.5)
        assert told["next_window_ps"] == {"solvent": 300.0}
    # one that adds some gets what the error asks of it, not what a round may be
    asked = judge(1.0, target=0.1, most=1e5, complex_error=1.0, solvent_error=0.004)["next_window_ps"]
    assert asked == {"complex": 300.0}


def grown(count, errors):
    told = None
    for k, error in zip(range(count), errors, strict=False):
        runs = results(100.0 * 3**k, 100.0 * 3**k)
        told = judge(error, most=1e6, runs=runs, before=told)
    return told


def test_it_stops_where_two_rounds_make_no_progress():
    assert grown(2, [0.5, 0.5])["next_window_ps"]
    assert grown(3, [0.5, 0.5, 0.49])["stopped_by"] == "no progress"
    assert grown(3, [0.5, 0.5, 0.4])["next_window_ps"]


def test_it_stops_after_the_last_round():
    assert grown(MOST_ROUNDS, [0.9, 0.8, 0.7, 0.6, 0.5])["next_window_ps"]
    last = grown(MOST_ROUNDS + 1, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert (last["stopped_by"], len(last["rounds"])) == ("rounds", MOST_ROUNDS + 1)


def test_an_error_of_the_correction_is_none_of_samplings():
    size = {"complex": {"dg_kcal_per_mol": 1.0, "dg_error_kcal_per_mol": 0.3}}
    told = judge(0.5, finite_size=size)
    assert told["stopped_by"] == "no progress" and "finite-size" in told["stopped_because"]
    assert told["rounds"][0]["error_of_leg_kcal_per_mol"] == pytest.approx({"complex": 0.32, "solvent": 0.24})


def test_an_extension_that_failed_ends_it_with_what_there_is():
    told = judge(0.5)
    runs = results(100.0, told["next_window_ps"]["solvent"])
    failed = judge(0.45, runs=runs, before=told)
    assert failed["stopped_by"] == "failure" and "complex has 100" in failed["stopped_because"]


def test_in_the_record_of_an_analysis(tmp_path):
    system, runs = write_transformation(tmp_path)
    plain = analyse_transformation(system, runs, Analysis())
    assert "sampling" not in plain
    easy = analyse_transformation(system, runs, Analysis(target_error_kcal_per_mol=5.0))
    assert easy["sampling"]["stopped_by"] == "target" and easy["verdict"] == plain["verdict"]
    assert easy["sampling"]["rounds"][0]["dg_error_kcal_per_mol"] == plain["dg_error_kcal_per_mol"]
    hard = analyse_transformation(system, runs, Analysis(target_error_kcal_per_mol=0.001))
    assert hard["sampling"]["next_window_ps"] and hard["dg_kcal_per_mol"] == plain["dg_kcal_per_mol"]
    assert any("target error not reached" in reason for reason in hard["reasons"]) and hard["verdict"] != "PASS"
    json.dumps(hard, allow_nan=False)
    # what a leg contributes is its error by the rule of results: blocks of time and degrees of freedom are in it
    legs = {leg: summary["dg_error_kcal_per_mol"] for leg, summary in hard["leg_summary"].items()}
    scale = hard["dg_error_kcal_per_mol"] / math.hypot(*legs.values())
    told = hard["sampling"]["rounds"][0]["error_of_leg_kcal_per_mol"]
    assert told == pytest.approx({leg: scale * error for leg, error in legs.items()})
    assert any(error != hard["leg_summary"][leg]["mbar_error_kcal_per_mol"] for leg, error in legs.items())
    again = analyse_transformation(system, runs, Analysis(target_error_kcal_per_mol=0.001), before=hard)
    assert again["sampling"]["stopped_by"] == "failure" and len(again["sampling"]["rounds"]) == 2


def test_without_a_target_or_a_number_nothing_is_judged(tmp_path):
    system, runs = write_transformation(tmp_path)
    with pytest.raises(InputError, match="target_error_kcal_per_mol"):
        judge_system(system, record(0.5), runs, Analysis())
    with pytest.raises(InputError, match="no free energy"):
        judge_system(system, {"dg_kcal_per_mol": None}, runs, Analysis(target_error_kcal_per_mol=1.0))


def test_a_record_that_has_no_errors_of_legs_is_refused(tmp_path):
    system, runs = write_transformation(tmp_path)
    settings = Analysis(target_error_kcal_per_mol=1.0)
    of_poses = {"dg_kcal_per_mol": -5.0, "dg_error_kcal_per_mol": 0.5, "poses": []}
    older = record(0.5)
    del older["leg_summary"]["complex"]["dg_error_kcal_per_mol"]
    for other in (of_poses, older):
        with pytest.raises(InputError, match="leg_summary.*does not say what each leg contributes"):
            judge_system(system, other, runs, settings)


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        ({"ps_per_window": 0}, "ps_per_window: 0 is no amount"),
        ({"ps_per_window": -5.0}, "ps_per_window: -5.0"),
        ({"windows": "2"}, "windows: '2'"),
        ({"timings": {"engine_s_per_ns": "8"}}, "timings"),
    ],
)
def test_results_of_runs_that_hold_no_amounts_are_refused(tmp_path, edit, named):
    system, runs = write_transformation(tmp_path)
    (runs[0] / "result.json").write_text(json.dumps(results()[0] | edit))
    settings = Analysis(target_error_kcal_per_mol=0.1)
    with pytest.raises(InputError, match=f"result.json, {named}"):
        judge_system(system, record(0.5), runs, settings)


@pytest.mark.parametrize("edit", [{"complex_error": -0.4}, {"complex_error": "0.4"}, {"finite_size": [0.1]}])
def test_errors_of_legs_that_are_no_amounts_are_refused(tmp_path, edit):
    system, runs = write_transformation(tmp_path)
    settings = Analysis(target_error_kcal_per_mol=0.1)
    with pytest.raises(InputError, match="what each leg contributes"):
        judge_system(system, record(0.5, **edit), runs, settings)
