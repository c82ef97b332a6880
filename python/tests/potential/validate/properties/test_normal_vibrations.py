from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from pair_crystals import SMALL, SPRING, TOUCHING, touching
from scipy import constants

from gibbsflow.potential.validate.properties.normal_vibrations import frequencies_thz, molecule_at_rest, vibrations
from gibbsflow.potential.validate.properties.plans import answered


def test_two_atoms_on_a_spring() -> None:
    rest, measured = answered(molecule_at_rest(Atoms("CuAu", [[0, 0, 0], [0, 0.1, 2.4]]), SMALL), touching)
    assert rest.get_distance(0, 1) == pytest.approx(TOUCHING, abs=1e-3) and "CuAu" in measured.notes[0]
    found = answered(vibrations(rest, SMALL), touching)
    reduced = np.prod(rest.get_masses()) / rest.get_masses().sum() * constants.atomic_mass
    expected = np.sqrt(SPRING * constants.e * 1e20 / reduced) / (2 * np.pi) / 1e12
    assert found.values == {"mode_01": pytest.approx(expected, rel=0.005)}


def test_a_saddle_is_imaginary() -> None:
    line = Atoms("Cu3", [[0, 0, -TOUCHING], [0, 0, 0], [0, 0, TOUCHING]])
    hessian = np.diag(np.full(9, -2.0)) + np.kron(np.ones((3, 3)), np.eye(3)) * 2 / 3
    found = frequencies_thz(line, hessian)
    assert len(found) == 4 and all(found < -1)
