"""Spread of a committee, and its scale."""

import numpy as np
import pytest

from gibbsflow.errors import StateError
from gibbsflow.potential.train.uncertainty.committee_spread import (
    COMMITTEE,
    CommitteeScale,
    calibrated,
    force_spread,
    spread_figures,
)


def test_the_spread_is_the_distance_from_the_mean():
    one = np.array([[1.0, 0, 0], [0, 0, 0]])
    other = np.array([[-1.0, 0, 0], [0, 3.0, 4.0]])
    assert force_spread([one, other]) == pytest.approx([1.0, 2.5])  # |±1|, and half of 5
    assert force_spread([one, one, one]) == pytest.approx([0, 0])


def test_the_scale_makes_spreads_as_large_as_errors():
    rng = np.random.default_rng(3)
    true = rng.uniform(0.01, 0.4, (20, 30))
    errors = np.abs(rng.normal(0, true))
    own = calibrated(list(0.2 * true), list(errors), [["Cu"] * 30] * 20, 5, None)
    assert own.scale == pytest.approx(5.0, rel=0.1)
    assert np.sqrt(np.mean((own.scale * 0.2 * true) ** 2)) == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-6)
    assert own.lower_ev_per_angstrom == pytest.approx(np.quantile(own.scale * 0.2 * true, 0.95))
    assert own.upper_ev_per_angstrom == pytest.approx(4 * own.lower_ev_per_angstrom)


def test_a_rare_element_does_not_set_the_scale_of_all():
    """Twelve atoms whose spread says half of their errors, beside many whose spread says a tenth; four of a third."""
    symbols = ["Cu"] * 600 + ["Au"] * 12 + ["Ag"] * 4
    spread = np.array([0.01] * 600 + [1.0] * 12 + [0.5] * 4)
    errors = np.array([0.1] * 600 + [2.0] * 12 + [0.5] * 4)
    own = calibrated([spread], [errors], [symbols], 5, None)
    assert own.by_element == pytest.approx({"Cu": 10.0, "Au": 2.0})
    assert 1.5 < own.scale < 2.5  # of all: ten times too little for copper
    assert own.expected(np.array([0.01, 1.0, 0.5]), ["Cu", "Au", "Ag"]) == pytest.approx([0.1, 2.0, 0.5 * own.scale])
    assert own.lower_ev_per_angstrom == pytest.approx(0.1)


def test_a_target_is_the_threshold():
    own = calibrated([np.ones(9)], [np.ones(9)], [["Cu"] * 9], 3, 0.2)
    assert (own.lower_ev_per_angstrom, own.upper_ev_per_angstrom) == (0.2, 0.8)
    assert "target" in own.how


def test_it_comes_back_from_its_file(tmp_path):
    own = CommitteeScale(5, 2.5, 0.1, 0.4, "so")
    own.write(tmp_path)
    assert CommitteeScale.read(tmp_path) == own
    assert spread_figures(own, None)["scale"] == 2.5
    (tmp_path / COMMITTEE / "committee.json").write_text('{"scale": 1}')
    with pytest.raises(StateError, match="not the record of a committee"):
        CommitteeScale.read(tmp_path)
    assert CommitteeScale.read(tmp_path / "elsewhere") is None
