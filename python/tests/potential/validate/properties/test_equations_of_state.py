from __future__ import annotations

import numpy as np
import pytest
from pair_crystals import SMALL, SPRING, TOUCHING, fcc, touching

from gibbsflow.errors import ScienceError
from gibbsflow.potential.validate.properties.equations_of_state import BirchMurnaghan, equation_of_state
from gibbsflow.potential.validate.properties.plans import answered
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3


def test_its_own_energies_give_it_back() -> None:
    known = BirchMurnaghan(16.0, -3.0, 140.0, 4.7, 0.0)
    volumes = np.linspace(14.5, 17.5, 9)
    found = BirchMurnaghan.fit(volumes, known.energy(volumes))
    assert found.volume_angstrom3 == pytest.approx(16.0) and found.energy_ev == pytest.approx(-3.0)
    assert found.bulk_modulus_gpa == pytest.approx(140.0) and found.derivative == pytest.approx(4.7)
    assert found.residual_ev < 1e-9


def test_energies_without_a_minimum_are_refused() -> None:
    volumes = np.linspace(14, 18, 7)
    with pytest.raises(ScienceError, match="no minimum between volumes of 14 and 18"):
        BirchMurnaghan.fit(volumes, -volumes)


def test_bulk_modulus_of_touching_atoms() -> None:
    # springs k between nearest neighbours of an fcc crystal: B = 4k/3a
    measured = answered(equation_of_state(fcc(), SMALL), touching)
    expected = 4 * SPRING / (3 * TOUCHING * 2**0.5) * GPA_PER_EV_PER_ANGSTROM3
    assert measured.values["bulk_modulus"] == pytest.approx(expected, rel=0.01)
    assert measured.values["eos_volume"] == pytest.approx(TOUCHING**3 / 2**0.5, rel=1e-3)
    # B' of 4ε(s^12 - s^6) alone is (12 + 6)/3 + 2 = 8
    assert measured.values["bulk_modulus_derivative"] == pytest.approx(8, abs=0.4)
    assert not measured.failures


def test_energies_that_jump_are_doubted() -> None:
    rng = np.random.default_rng(1)

    def rough(frames):
        found = touching(frames)
        return [
            type(p)(p.energy_ev + 0.005 * rng.normal(), p.forces_ev_per_angstrom, p.stress_ev_per_angstrom3)
            for p in found
        ]

    measured = answered(equation_of_state(fcc(), SMALL.model_copy(update={"eos_volumes": 11})), rough)
    assert "they are not smooth" in measured.warnings[0]


def test_a_minimum_outside_of_the_volumes_is_looked_for() -> None:
    # energies that do not fit the stresses, as those of plane waves of a low cutoff
    def shifted(frames):
        found = touching(frames)
        return [
            type(p)(p.energy_ev - 0.06 * f.get_volume(), p.forces_ev_per_angstrom, p.stress_ev_per_angstrom3)
            for f, p in zip(frames, found, strict=True)
        ]

    narrow = SMALL.model_copy(update={"eos_strain_max": 0.02})
    measured = answered(equation_of_state(fcc(), narrow), shifted)
    assert measured.values["eos_volume"] > 1.02 * TOUCHING**3 / 2**0.5
    assert "off that without stress" in measured.warnings[0]
    assert len(measured.curves["volume_angstrom3_per_atom"]) == narrow.eos_volumes
