"""One rule for one and for several replicates, held against how often its intervals hold the truth."""

import math

import numpy as np
import pytest
from scipy import stats

from gibbsflow.binding.analyse.uncertainty.intervals import combine_replicates, pooled_dof


def held(count, ratio, dof=30, draws=1000):
    """Share of 95 % intervals that hold 0, of replicates whose spread is `ratio` times what they state."""
    rng = np.random.default_rng(7)
    inside = 0
    for _ in range(draws):
        error = math.sqrt(rng.chisquare(dof) / dof)
        values = ratio * rng.standard_normal(count)
        combined = combine_replicates(values, [error] * count, [dof] * count)
        inside += combined.outside(abs(combined.mean)) > 0.05
    return inside / draws


@pytest.mark.parametrize(
    ("count", "least", "most"), [(1, 0.935, 0.965), (2, 0.95, 0.985), (3, 0.94, 0.98), (5, 0.935, 0.975)]
)
def test_errors_that_are_right_give_intervals_that_are(count, least, most):
    assert least < held(count, 1.0) < most


def test_replicates_that_differ_far_more_are_believed_over_their_errors():
    assert held(5, 10.0, draws=400) > 0.88
    values, errors = [0.0, 4.0, 8.0], [0.1] * 3
    combined = combine_replicates(values, errors, [20] * 3)
    own = stats.sem(values)
    assert 2.5 * own < combined.half_width(0.95) < 4.303 * own
    assert combined.hidden > 0.99 and 0.8 * own < combined.standard_error < 1.4 * own


def test_one_replicate_has_students_t_of_its_own_error():
    combined = combine_replicates([5.0], [0.2], [12])
    assert combined.half_width(0.95) == pytest.approx(0.2 * stats.t.ppf(0.975, 12), rel=1e-6)
    assert combined.half_width(0.68) == pytest.approx(0.2 * stats.t.ppf(0.84, 12), rel=1e-6)
    assert combined.standard_error == pytest.approx(0.2) and combined.hidden == 0


def test_two_replicates_that_agree_by_chance_have_the_error_within_them():
    combined = combine_replicates([1.0, 1.0], [0.3, 0.3], [20, 20])
    assert combined.standard_error == pytest.approx(0.3 / math.sqrt(2), rel=0.1)
    assert combined.half_width(0.95) > 1.9 * 0.3 / math.sqrt(2)


def test_what_all_replicates_share_is_no_smaller_for_their_number():
    combined = combine_replicates([1.0] * 5, [0.0] * 5, [20] * 5, systematic=0.4)
    assert combined.standard_error == pytest.approx(0.4)
    assert combined.half_width(0.95) == pytest.approx(0.4 * 1.96, rel=1e-3)


def test_degrees_of_freedom_are_pooled():
    assert pooled_dof([1.0, 1.0], [10, 10]) == pytest.approx(20)
    assert pooled_dof([1.0, 0.0], [10, 3]) == pytest.approx(10)
    assert pooled_dof([0.0], [4]) == math.inf
