from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from pair_crystals import SMALL, TOUCHING, Pairs, fcc, touching

from gibbsflow.potential.validate.properties.dynamics import first_peak, stability
from gibbsflow.potential.validate.properties.plans import answered, by_calculator

SHORT = SMALL.model_copy(update={"md_steps": 120, "temperature_k": 100.0})


def test_energy_stays_and_neighbours_are_where_they_touch() -> None:
    measured = answered(stability(fcc().supercell(6.0), SHORT), touching)
    assert not measured.failures and not measured.warnings
    assert measured.values["energy_drift"] < 0.1
    assert 60 < measured.values["mean_temperature"] < 140
    assert measured.values["rdf_first_peak"] == pytest.approx(TOUCHING, abs=0.06)


def test_steps_too_long_explode_or_drift() -> None:
    settings = SHORT.model_copy(update={"md_timestep_fs": 10.0, "temperature_k": 3000.0, "md_steps": 60})
    measured = answered(stability(fcc().supercell(6.0), settings), by_calculator(Pairs(hole=2.0)))
    assert "MD at 3000 K" in measured.failures[0] or "drifts" in measured.failures[0]


def test_a_molecule_moves_too() -> None:
    pair = Atoms("Cu2", [[0, 0, 0], [0, 0, TOUCHING]])
    measured = answered(stability(pair, SHORT), touching)
    assert set(measured.values) == {"energy_drift", "mean_temperature"} and not measured.failures


def test_first_peak_of_a_distribution() -> None:
    radii = np.linspace(0.05, 7.95, 80)
    density = 1 + 3 * np.exp(-(((radii - 2.53) / 0.2) ** 2)) + 2 * np.exp(-(((radii - 4.0) / 0.2) ** 2))
    density[radii < 2] = 0
    assert first_peak(radii, density) == pytest.approx(2.53, abs=0.02)
    assert np.isnan(first_peak(radii, np.zeros(80)))
