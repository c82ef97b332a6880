"""What who watches is told after a round: what goes on and why, or why nothing does."""

from gibbsflow.binding.analyse.enough.progress import progress

LAST = {
    "round": 1,
    "dg_kcal_per_mol": -5.0,
    "dg_error_kcal_per_mol": 0.5,
    "window_ps": {"complex": 100.0, "solvent": 100.0},
    "error_of_leg_kcal_per_mol": {"complex": 0.4, "solvent": 0.3},
}


def told(**more):
    return {"target_error_kcal_per_mol": 0.25, "rounds": [{}, LAST], "next_window_ps": {}, **more}


def test_the_legs_that_go_on_and_what_each_contributes():
    assert progress(told(next_window_ps={"complex": 110.0})) == (
        "round 1: -5.00 kcal/mol, error 0.5 kcal/mol, 0.25 asked for; sampled longer: "
        "complex from 100 to 110 ps a window (its error is 0.4)"
    )


def test_why_nothing_goes_on():
    said = progress(told(stopped_by="budget", stopped_because="every window has its most"))
    assert said.endswith("0.25 asked for; stopped by budget: every window has its most")
