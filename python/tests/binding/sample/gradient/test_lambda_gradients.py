"""Derivatives from energies: exact for polynomials in λ, of second order elsewhere, none where nothing moves."""

import numpy as np
import pytest

from gibbsflow.binding.alchemy.schedules import read_schedule
from gibbsflow.binding.sample.gradient.lambda_gradients import STEP, LambdaGradients, changing

NAMES = ("lambda_restraints", "lambda_electrostatics", "lambda_sterics")
ROWS = [(0, 1, 1), (0.1, 1, 1), (1, 1, 1), (1, 0.4, 1), (1, 0, 1), (1, 0, 0.5), (1, 0, 0)]
STATES = [dict(zip(NAMES, map(float, row), strict=True)) for row in ROWS]


def energy(state):
    """Linear, quadratic and neither, all entangled."""
    r, e, s = (state[name] for name in NAMES)
    return 7 * r + (3 * e**2 - 5 * e) * (1 + s) + np.exp(2 * s) * (1 + r)


def slopes(state):
    r, e, s = (state[name] for name in NAMES)
    return np.array([7 + np.exp(2 * s), (6 * e - 5) * (1 + s), 3 * e**2 - 5 * e + 2 * np.exp(2 * s) * (1 + r)])


def test_what_changes_beside_a_state():
    words = [[name.removeprefix("lambda_")[0] for name in changing(STATES, k)] for k in range(len(STATES))]
    assert words == [["r"], ["r"], ["r", "e"], ["e"], ["e", "s"], ["s"], ["s"]]


def test_derivatives_are_those_of_the_energy():
    gradients, u = LambdaGradients(STATES), np.array([energy(state) for state in STATES])
    for window, state in enumerate(STATES):
        points = gradients.points(window)
        found = gradients.of_sample(window, u, np.array([energy(point) for point in points]))
        belongs = np.isin(NAMES, gradients.of_window(window))
        assert np.array_equal(np.isfinite(found), belongs)
        np.testing.assert_allclose(found[belongs][:-1], slopes(state)[belongs][:-1], rtol=1e-12, atol=1e-10)
        np.testing.assert_allclose(found[belongs], slopes(state)[belongs], rtol=4 * STEP**2, atol=1e-10)


def test_no_energy_is_asked_for_where_states_tell():
    """Restraints and charges cost nothing, a soft core two energies; all lie between the ends of λ."""
    gradients = LambdaGradients(STATES)
    assert [len(gradients.points(k)) for k in range(len(STATES))] == [0, 0, 0, 0, 2, 2, 2]
    assert gradients.points(4) == [
        {**STATES[4], "lambda_sterics": 1 - STEP},
        {**STATES[4], "lambda_sterics": 1 - 2 * STEP},
    ]
    assert [point["lambda_sterics"] for point in gradients.points(6)] == [STEP, 2 * STEP]


@pytest.mark.parametrize(
    "name", ["complex_16", "solvent_6", "complex_in_water_24", "sdr_41", "rbfe_11", "rbfe_with_ion_25"]
)
def test_shipped_schedules_need_few_energies(name):
    states = [state.as_dict() for state in read_schedule(name)]
    gradients = LambdaGradients(states)
    for window, state in enumerate(states):
        assert len(gradients.points(window)) <= 2 * len(changing(states, window))
        for point in gradients.points(window):
            assert all(0 <= value <= 1 for value in point.values()) and sum(point[n] != state[n] for n in state) == 1


def test_charges_that_go_with_all_else_have_points_of_their_own():
    """Three states on one line are needed for a parabola; a λ that changes together with another has none."""
    states = [dict(zip(NAMES, row, strict=True)) for row in ((0.0, 1.0, 1.0), (0.0, 0.5, 0.5), (0.0, 0.0, 0.0))]
    gradients, u = LambdaGradients(states), np.array([energy(state) for state in states])
    for window, state in enumerate(states):
        points = gradients.points(window)
        found = gradients.of_sample(window, u, np.array([energy(point) for point in points]))
        assert len(points) == 4 and found[1] == pytest.approx(slopes(state)[1], abs=1e-9)
        assert found[2] == pytest.approx(slopes(state)[2], rel=4 * STEP**2)
