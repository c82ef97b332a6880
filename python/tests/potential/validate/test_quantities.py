from __future__ import annotations

import pytest

from gibbsflow.config.potential_validation import Validation
from gibbsflow.potential.validate.quantities import QUANTITIES, UNITS, bounds, quantity


def test_every_quantity_has_a_unit_and_known_tolerances() -> None:
    for one in QUANTITIES:
        assert quantity(one.example) is one and UNITS[one.unit][one.unit] == 1.0
        assert not one.tolerance or hasattr(Validation(), one.tolerance)
        assert not one.floor or hasattr(Validation(), one.floor)


def test_bounds_are_relative_with_a_floor() -> None:
    settings = Validation(modulus_tolerance=(0.1, 0.2), modulus_floor_gpa=5)
    assert bounds("c11", 100.0, settings) == pytest.approx((10, 20))
    assert bounds("c12", -10.0, settings) == pytest.approx((5, 5))
    assert bounds("lattice_a", 5.0, settings) == pytest.approx((0.05, 0.15))
    assert bounds("volume", 20.0, settings) == pytest.approx((0.6, 1.8))
    assert bounds("bulk_modulus_derivative", 4.0, settings) is None and bounds("other", 1.0, settings) is None
