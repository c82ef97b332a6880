from __future__ import annotations

import sys

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.lj import LennardJones
from ase.data import atomic_masses, atomic_numbers
from pair_crystals import SMALL, SPRING, TOUCHING, fcc, touching
from scipy import constants

from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.phonons import frequency_difference_thz, phonons
from gibbsflow.potential.validate.properties.plans import Measured, answered, by_calculator

MASS = atomic_masses[atomic_numbers["Cu"]]


def thz(spring_ev_per_angstrom2: float) -> float:
    """Frequency of a spring on an atom of copper."""
    omega = np.sqrt(spring_ev_per_angstrom2 * constants.e * 1e20 / (MASS * constants.atomic_mass))
    return float(omega / (2 * np.pi) / 1e12)


def test_springs_between_neighbours_and_the_path_through_the_zone() -> None:
    # at X of an fcc crystal of springs k, M ω² is 8k along and 4k across (Born and von Kármán)
    found = answered(phonons(fcc(), SMALL), touching)
    assert found.values["highest_frequency"] == pytest.approx(thz(8 * SPRING), rel=0.005)
    assert found.values["lowest_frequency"] == pytest.approx(0, abs=1e-3) and not found.failures
    piece = next(piece for piece in found.curves["bands"] if piece["ends"] == ["Γ", "X"])
    at_x = piece["frequencies_thz"][-1]
    assert at_x == pytest.approx([thz(4 * SPRING), thz(4 * SPRING), thz(8 * SPRING)], rel=0.005)
    assert piece["frequencies_thz"][0] == pytest.approx([0, 0, 0], abs=1e-3)  # the acoustic sum rule
    frequencies, states = np.array(found.curves["dos_frequency_thz"]), np.array(found.curves["dos_per_thz"])
    assert float(np.trapezoid(states, frequencies)) == pytest.approx(3, rel=0.02)
    assert frequency_difference_thz(found, found) == 0
    assert sys.getrecursionlimit() < 10_000  # symfc raises it


def test_a_crystal_on_a_saddle_has_imaginary_modes() -> None:
    evaluate = by_calculator(LennardJones(sigma=2.3, epsilon=0.4, rc=7, smooth=True))
    coarse = SMALL.model_copy(update={"phonon_mesh_angstrom": 8.0, "supercell_angstrom": 4.5})
    found = answered(phonons(Crystal.of(bulk("Cu", "bcc", a=2.846), 0.01), coarse), evaluate)
    assert found.values["lowest_frequency"] < -2
    assert "imaginary modes: 3." in found.failures[0] and "at N, q = (" in found.failures[0]


def test_other_meshes_do_not_compare() -> None:
    one = Measured({}, curves={"mesh_frequencies_thz": [[1.0, 2.0]], "mesh_weights": [1.0]})
    other = Measured({}, curves={"mesh_frequencies_thz": [[1.0, 4.0]], "mesh_weights": [1.0]})
    assert frequency_difference_thz(one, other) == pytest.approx(2**0.5)
    assert frequency_difference_thz(one, Measured({}, curves={"mesh_frequencies_thz": [[1.0]]})) is None


def test_touching_distance_is_that_of_the_crystal() -> None:
    assert fcc().conventional.get_distance(0, 1) == pytest.approx(TOUCHING)
