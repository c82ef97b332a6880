"""Integration along the states of a leg: exact means, alchemlyb's values, and an error of the rule that holds."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gibbsflow.binding.analyse.integration import estimate_ti, why_no_integral
from gibbsflow.binding.analyse.leg_result import analyse_leg
from gibbsflow.binding.analyse.verdict import Thresholds, judge_leg
from gibbsflow.binding.sample.energies import Energies, read_leg, write_window
from gibbsflow.binding.sample.gradient.lambda_gradients import LambdaGradients

NAMES = ("lambda_restraints", "lambda_electrostatics", "lambda_sterics")
META = {"temperature_k": 300.0, "leg": "complex", "transformation": "t", "replicate": 0, "seed": 1, "sampler": "x"}


def oscillators(folder, values, count=300, seed=3, offset=0.0):
    """A spring that the restraint's λ makes eight times as stiff, in one dimension: u = ½ (1 + 7 λ) x²."""
    rng = np.random.default_rng(seed)
    states = [dict(zip(NAMES, (value, 0.0, 0.0), strict=True)) for value in values]
    gradients = LambdaGradients(states)
    for k, value in enumerate(values):
        x = rng.standard_normal(count) / math.sqrt(1 + 7 * value)
        u = 0.5 * x[:, None] ** 2 * (1 + 7 * np.array(values)[None, :])
        along = np.array([gradients.of_sample(k, row, np.array([])) for row in u])
        np.testing.assert_allclose(along[:, 0], 3.5 * x**2, rtol=1e-9)
        path = folder / f"window_{k:02d}.parquet"
        write_window(path, np.arange(1.0, count + 1), k, k, u, {**META, "states": states}, along + offset)
    return read_leg(sorted(folder.glob("*.parquet")))


EXACT_KT = 0.5 * math.log(8)


def test_springs_have_their_free_energy(tmp_path):
    leg = analyse_leg(oscillators(tmp_path, np.linspace(0, 1, 9) ** 2))
    assert abs(leg.ti.dg_kt - EXACT_KT) < 4 * math.hypot(leg.ti.dg_error_kt, leg.ti.integration_error_kt) < 0.3
    assert leg.disagreement["ti"] < 3 and judge_leg(leg, Thresholds()) == []
    figures = leg.as_dict()["ti"]
    assert figures["integration_error_kt"] == leg.ti.integration_error_kt and type(figures["dg_kt"]) is float


@pytest.mark.parametrize("values", [(0.0, 1.0), (0.0, 0.4, 1.0), (0.0, 0.2, 0.6, 1.0)])
def test_coarse_states_are_off_by_what_is_said_and_are_not_cried_at(values, tmp_path):
    leg = analyse_leg(oscillators(tmp_path, values))
    off = abs(leg.ti.dg_kt - EXACT_KT)
    assert off > leg.ti.dg_error_kt and leg.ti.integration_error_kt > off / 3
    assert not [one for one in judge_leg(leg, Thresholds()) if one.check == "TI"]


def test_a_true_disagreement_is_told(tmp_path):
    """Gradients that are wrong by one kT in every window, as of another Hamiltonian."""
    leg = analyse_leg(oscillators(tmp_path, np.linspace(0, 1, 9) ** 2, offset=1.0))
    (doubt,) = judge_leg(leg, Thresholds())
    assert doubt.check == "TI" and "TI and MBAR differ by" in doubt.reason


def leg_of(path, gradients):
    """A leg of given mean gradients, two samples a state."""
    names = [f"l{k}" for k in range(path.shape[1])]
    rows = []
    for point, gradient in zip(path, gradients, strict=True):
        index = pd.MultiIndex.from_arrays([[1.0, 2.0], *([value] * 2 for value in point)], names=["time", *names])
        rows.append(pd.DataFrame([gradient - 0.01, gradient + 0.01], index=index, columns=names))
    states = [dict(zip(names, point, strict=True)) for point in path.tolist()]
    u_nk = pd.DataFrame(columns=range(len(path)))
    return Energies(u_nk, 300.0, states, dhdl=pd.concat(rows))


def test_the_path_is_that_of_the_leg_and_not_sorted():
    """Up along one λ, then down along another: sorted by λ the states would make another path."""
    path = np.array([[0, 1], [0.3, 1], [1, 1], [1, 0.5], [1, 0]], dtype=float)
    gradients = np.column_stack([2 * path[:, 0], 6 * path[:, 1]])  # of x² + 3 y²: linear, so that both rules are exact
    found = estimate_ti(leg_of(path, gradients), "never")
    assert found.dg_kt == pytest.approx(1.0 - 3.0, abs=1e-12) and found.integration_error_kt < 1e-12
    assert estimate_ti(without := replace(leg_of(path, gradients), missing=(0,)), "never") is None
    assert why_no_integral(without) == "TI needs samples of both end states"


def test_errors_of_the_rule_add_up_over_stretches():
    """Cubes along each stretch: the spline is exact, so that the difference is the trapezoid's own error."""
    x = np.linspace(0, 1, 5)
    path = np.concatenate([np.column_stack([x, 0 * x]), np.column_stack([0 * x + 1, x])[1:]])
    gradients = np.column_stack([x.tolist() + [0.0] * 4, [0.0] * 5 + x[1:].tolist()]) ** 3
    found = estimate_ti(leg_of(path, gradients), "never")
    assert (
        found.dg_kt - 0.5 == pytest.approx(found.integration_error_kt, rel=1e-9) and found.integration_error_kt > 0.03
    )
    both = estimate_ti(leg_of(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 3.0], [2.0, 1.0]])), "never")
    assert both.dg_kt == pytest.approx(3.0) and both.integration_error_kt == pytest.approx(4 / math.sqrt(12))


def test_one_sample_a_window_has_no_integral(tmp_path):
    leg = oscillators(tmp_path, np.linspace(0, 1, 9) ** 2, count=1)
    assert estimate_ti(leg) is None and why_no_integral(leg) == "TI has no error where a window has one sample"
