from __future__ import annotations

import pytest
from pair_crystals import DEPTH, SMALL, SPRING, TOUCHING, Pairs, fcc, touching

from gibbsflow.errors import ScienceError
from gibbsflow.potential.validate.properties.plans import answered, by_calculator
from gibbsflow.potential.validate.properties.thermal_expansions import thermal_expansion
from gibbsflow.units import KB_EV_PER_K

HOT = SMALL.model_copy(update={"temperature_k": 300.0, "expansion_strain_max": 0.05, "phonon_mesh_angstrom": 10.0})


@pytest.mark.slow
def test_classical_limit_of_grueneisen() -> None:
    # α = γ 3k/(B V) an atom, with γ = 21/6 of a pair 4ε(s^12 - s^6) at its least, B = 4k/3a and V = a^3/4
    measured = answered(thermal_expansion(fcc(), HOT), touching)
    a = TOUCHING * 2**0.5
    bulk_modulus, volume = 4 * SPRING / (3 * a), a**3 / 4
    linear = 21 / 6 * 3 * KB_EV_PER_K / (bulk_modulus * volume) / 3 * 1e6
    assert measured.values["thermal_expansion"] == pytest.approx(linear, rel=0.15)
    assert measured.values["warm_volume"] > volume
    assert DEPTH > 0 and measured.curves["temperature_k"][0] == 0


@pytest.mark.slow
def test_a_range_that_is_too_small_is_said() -> None:
    narrow = HOT.model_copy(update={"expansion_strain_max": 0.004})
    with pytest.raises(ScienceError, match="expansion_strain_max gives more|no equation of state"):
        answered(thermal_expansion(fcc(), narrow), by_calculator(Pairs()))
