"""Ions as boxes have them."""

import pytest

from gibbsflow.binding.forcefield.ions import ANION, CATION, ion_of


@pytest.mark.parametrize(
    ("name", "charge", "half_r_min_angstrom", "epsilon_kcal_per_mol"),
    [(CATION, 1.0, 1.369, 0.0874393), (ANION, -1.0, 2.513, 0.0355910)],
)
def test_those_of_joung_and_cheatham_in_tip3p(name, charge, half_r_min_angstrom, epsilon_kcal_per_mol):
    """J. Phys. Chem. B 112, 9020 (2008), table 5."""
    found = ion_of("tip3p", name)
    assert found.charge_e == charge and found.name == name
    assert found.sigma_nm == pytest.approx(2 * half_r_min_angstrom / 10 / 2 ** (1 / 6), rel=1e-4)
    assert found.epsilon_kj_per_mol == pytest.approx(4.184 * epsilon_kcal_per_mol, rel=1e-4)
