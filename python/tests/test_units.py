"""Constants against scipy's (CODATA) to the digits that are kept; what is exact by definition is exact."""

import pytest
from scipy import constants

from gibbsflow import units


def test_exact_by_definition():
    assert units.KJ_PER_KCAL == 4.184 == constants.calorie
    assert units.EV_PER_ANGSTROM3_PER_BAR == 1e5 / (constants.e * 1e30)


@pytest.mark.parametrize(
    ("ours", "theirs", "digits"),
    [
        (units.KB_KCAL_PER_MOL_K, constants.k * constants.N_A / constants.calorie / 1000, 14),
        (units.STANDARD_VOLUME_ANGSTROM3, 1e-3 / constants.N_A * 1e30, 14),
        (units.KB_EV_PER_K, constants.k / constants.e, 10),
        (units.RYDBERG_EV, constants.value("Rydberg constant times hc in eV"), 8),
        (units.GPA_PER_EV_PER_ANGSTROM3, constants.e * 1e30 / 1e9, 8),
        (
            units.COULOMB_KCAL_ANGSTROM_PER_E2,
            constants.e**2 / (4 * constants.pi * constants.epsilon_0) * 1e10 * constants.N_A / constants.calorie / 1000,
            8,
        ),
    ],
    ids=["kB kcal", "V0", "kB eV", "Ry", "GPa", "Coulomb"],
)
def test_each_holds_to_its_digits(ours, theirs, digits):
    assert ours == pytest.approx(theirs, rel=5 * 10.0**-digits)


def test_numbers_that_chemists_know():
    assert units.kt_kcal_per_mol(298.15) == pytest.approx(0.5925, abs=5e-5)
    assert units.STANDARD_VOLUME_ANGSTROM3 == pytest.approx(1660.539, abs=5e-4)  # docs/contracts.md
    assert 1 / units.EV_PER_ANGSTROM3_PER_BAR * 1e-4 == pytest.approx(units.GPA_PER_EV_PER_ANGSTROM3, rel=1e-7)
