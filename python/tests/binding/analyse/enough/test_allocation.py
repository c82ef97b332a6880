"""Lengths of legs for an error: against the closed form, its limits, and that nothing cheaper will do."""

import math

import numpy as np
import pytest

from gibbsflow.binding.analyse.enough.allocation import SampledLeg, allocate

LEGS = [SampledLeg("complex", 100.0, 0.6, 4.0), SampledLeg("solvent", 100.0, 0.3, 1.0)]
FAR = {"complex": 1e9, "solvent": 1e9}


def variance(lengths, legs=LEGS):
    return sum(leg.variance_after(lengths[leg.name]) for leg in legs)


def cost(lengths, legs=LEGS):
    return sum(leg.cost_per_ps * lengths[leg.name] for leg in legs)


def test_without_limits_it_is_neymans_allocation():
    """t = sqrt(a/c) * sum(sqrt(a c)) / V, for V small enough that both legs grow."""
    a = {leg.name: leg.error_kcal_per_mol**2 * leg.window_ps for leg in LEGS}
    root = sum(math.sqrt(a[leg.name] * leg.cost_per_ps) for leg in LEGS)
    found = allocate(LEGS, 0.1, FAR)
    for leg in LEGS:
        assert found[leg.name] == pytest.approx(math.sqrt(a[leg.name] / leg.cost_per_ps) * root / 0.01, rel=1e-9)
    assert variance(found) == pytest.approx(0.01, rel=1e-9)


def test_what_was_sampled_stays_and_the_other_leg_makes_up_for_it():
    found = allocate([LEGS[0], SampledLeg("solvent", 100.0, 0.01, 1.0)], 0.3, FAR)
    assert found["solvent"] == 100.0 and found["complex"] == pytest.approx(36 / (0.09 - 1e-4), rel=1e-6)


def test_no_other_lengths_are_cheaper():
    most = {"complex": 700.0, "solvent": 5000.0}
    found = allocate(LEGS, 0.25, most)
    assert found["complex"] <= 700.0 and variance(found) == pytest.approx(0.0625, rel=1e-9)
    for complex_ps in np.linspace(100.0, 700.0, 400):
        left = 0.0625 - LEGS[0].variance_after(complex_ps)
        if left > 0 and (solvent_ps := max(100.0, 9.0 / left)) <= 5000.0:
            assert cost({"complex": complex_ps, "solvent": solvent_ps}) >= cost(found) * (1 - 1e-9)


def test_out_of_reach_and_there_already():
    most = {"complex": 300.0, "solvent": 50.0}
    assert allocate(LEGS, 0.01, most) == {"complex": 300.0, "solvent": 100.0}  # longer than the most already: stays
    assert allocate(LEGS, 0.7, most) == {"complex": 100.0, "solvent": 100.0}
    sure = SampledLeg("vacuum", 100.0, 0.0, 1.0)
    assert allocate([*LEGS, sure], 0.01, most | {"vacuum": 1e4})["vacuum"] == 100.0
    almost = SampledLeg("vacuum", 100.0, 1e-3, 1.0)
    far = allocate([*LEGS, almost], 0.01, most | {"vacuum": 1e4})
    assert far == {"complex": 300.0, "solvent": 100.0, "vacuum": 100.0}  # it would lessen nothing
