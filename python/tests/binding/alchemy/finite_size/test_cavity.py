"""The potential of a uniform background in a cavity: a sphere's is known, and others lie where they must."""

import math

import numpy as np
import pytest

from gibbsflow.binding.alchemy.finite_size.cavity import background_potential
from gibbsflow.units import COULOMB_KCAL_ANGSTROM_PER_E2

UNIT = 4 * math.pi * COULOMB_KCAL_ANGSTROM_PER_E2 / 6
CENTRE = np.array([[0.13, 0.21, -0.1]])


def in_sphere(radius, epsilon, away_squared):
    return UNIT * ((1 - 1 / epsilon) * radius**2 - away_squared)


@pytest.mark.parametrize("epsilon", [97.0, 4.0, 1.0])
@pytest.mark.parametrize("radius", [1.7, 3.5, 6.0])
def test_sphere(radius, epsilon):
    """At its centre 4πk/6 (1 − 1/ε) R², which is Rocklin's integrated potential of a charge there; less by 4πk/6 r²."""
    at = CENTRE + radius * np.array([[0, 0, 0], [0.3, 0, 0], [0.2, -0.4, 0.1]])
    found = background_potential(CENTRE, np.array([radius]), at, permittivity=epsilon, origin_angstrom=CENTRE[0])
    expected = in_sphere(radius, epsilon, np.sum((at - CENTRE) ** 2, axis=1))
    np.testing.assert_allclose(found, expected, rtol=0.03, atol=0.01 * UNIT)
    assert found[0] == pytest.approx(expected[0], rel=0.02, abs=1e-3 * UNIT)


def test_finer_grids_come_nearer():
    errors = [
        background_potential(
            CENTRE, np.array([2.5]), CENTRE, permittivity=80, origin_angstrom=CENTRE[0], spacing_angstrom=step
        )[0]
        / in_sphere(2.5, 80, 0.0)
        - 1
        for step in (0.9, 0.45)
    ]
    assert abs(errors[1]) < 0.5 * abs(errors[0]) < 0.02


def test_of_atoms_within_another_nothing_changes():
    many = np.vstack([CENTRE, CENTRE + 0.8, CENTRE - 0.5])
    one, all_of_them = (
        background_potential(c, r, CENTRE, permittivity=97, origin_angstrom=CENTRE[0])
        for c, r in ((CENTRE, np.array([3.0])), (many, np.array([3.0, 1.0, 1.2])))
    )
    np.testing.assert_allclose(one, all_of_them, rtol=0.01)


def test_far_cavities_do_not_know_of_each_other():
    both = np.array([[0.0, 0, 0], [14.0, 0, 0]])
    found = background_potential(both, np.array([2.5, 2.5]), both, permittivity=97, origin_angstrom=both.mean(axis=0))
    # each has its own sphere's, less the potential in the solvent, where the centre of all is away: 4πk/6ε r²
    expected = UNIT * ((1 - 1 / 97) * 2.5**2 - 7.0**2 / 97)
    np.testing.assert_allclose(found, expected, rtol=0.02)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-3)


def test_a_crevice_that_a_probe_cannot_enter_belongs_to_the_cavity():
    both = np.array([[0.0, 0, 0], [5.2, 0, 0]])
    middle = both.mean(axis=0, keepdims=True)
    closed, open_ = (
        background_potential(
            both, np.array([2.5, 2.5]), both, permittivity=97, origin_angstrom=middle[0], probe_angstrom=probe
        )
        for probe in (1.4, 0.0)
    )
    assert np.all(closed > 1.03 * open_)
