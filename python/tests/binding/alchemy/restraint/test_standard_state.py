"""Standard-state terms against closed forms and published values, kcal/mol."""

import math

import pytest

from gibbsflow.binding.alchemy.restraint import standard_state as ss
from gibbsflow.errors import InputError


@pytest.mark.parametrize(
    ("r0", "theta_a", "theta_b", "k_r", "k_angle", "analytic", "numeric"),
    [
        (5, 90, 90, 10, 100, -10.2416, -10.2437),
        (8, 90, 90, 10, 500, -12.0686, -12.0687),
        (5, 60, 120, 10, 80, -10.0815, -10.0845),
        (5, 30, 90, 10, 80, -10.3217, -10.3247),
        (5, 90, 90, 1, 10, -6.1488, -6.1701),
    ],
)
def test_boresch(r0, theta_a, theta_b, k_r, k_angle, analytic, numeric):
    given = dict(
        r0_angstrom=r0, theta_a_deg=theta_a, theta_b_deg=theta_b, k_r=k_r, k_angle=k_angle, temperature_k=298.15
    )
    assert ss.boresch_analytic_kcal_per_mol(**given) == pytest.approx(analytic, abs=6e-5)
    assert ss.boresch_numeric_kcal_per_mol(**given) == pytest.approx(numeric, abs=6e-5)


@pytest.mark.parametrize(("temperature", "expected"), [(298.15, -7.14151), (328.15, -7.70392), (278.15, -6.75834)])
def test_attach_pull_release_reference_at_180_degrees(temperature, expected):
    """pAPRika's reference state; its U = k x^2 is K = 2 k here, and the other three angles are free."""
    value = ss.boresch_numeric_kcal_per_mol(
        r0_angstrom=24, theta_a_deg=180, theta_b_deg=180, k_r=10, k_angle=200, k_dihedral=0, temperature_k=temperature
    )
    assert value == pytest.approx(expected, abs=1e-4)


def test_attach_pull_release_of_cb6_butylamine():
    """Distance, one angle and one dihedral restrained."""
    value = ss.boresch_numeric_kcal_per_mol(
        r0_angstrom=18.5,
        theta_a_deg=8,
        theta_b_deg=90,
        k_r=10,
        k_angle=(100, 0),
        k_dihedral=(100, 0, 0),
        temperature_k=298.15,
    )
    assert value == pytest.approx(-4.34372240, abs=1e-5)


@pytest.mark.parametrize(("k", "expected"), [(0.17, -1.6502), (0.2, -1.7947), (1, -3.2250), (10, -5.2714)])
def test_harmonic_distance(k, expected):
    assert ss.com_analytic_kcal_per_mol(k=k, temperature_k=298.15) == pytest.approx(expected, abs=6e-5)
    assert ss.com_numeric_kcal_per_mol(k=k, temperature_k=298.15) == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize(("k", "r0"), [(10, 0.1), (10, 3.0), (0.2, 1.0)])
def test_harmonic_distance_with_offset(k, r0):
    given = dict(k=k, r0_angstrom=r0, temperature_k=298.15)
    assert ss.com_analytic_kcal_per_mol(**given) == pytest.approx(ss.com_numeric_kcal_per_mol(**given), abs=1e-6)


@pytest.mark.parametrize(("radius", "k"), [(5, 1.0), (5, 10.0), (10, 0.5), (0.1, 10.0), (6, 0.02)])
def test_flat_bottom(radius, k):
    given = dict(radius_angstrom=radius, k=k, temperature_k=298.15)
    value = ss.flat_bottom_analytic_kcal_per_mol(**given)
    assert ss.flat_bottom_numeric_kcal_per_mol(**given) == pytest.approx(value, abs=1e-6)
    hard = ss.kt_kcal_per_mol(298.15) * math.log(4 * math.pi * radius**3 / 3 / ss.STANDARD_VOLUME_ANGSTROM3)
    assert value > hard  # soft walls let in more than the sphere: 0.18 kcal/mol of (5 Å, 1 kcal/mol/Å²)


@pytest.mark.parametrize(("radius", "expected"), [(5, -0.6838), (10, 0.5482)])
def test_flat_bottom_with_hard_walls_is_a_sphere(radius, expected):
    for value in (ss.flat_bottom_analytic_kcal_per_mol, ss.flat_bottom_numeric_kcal_per_mol):
        assert value(radius_angstrom=radius, k=1e9, temperature_k=298.15) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("k", [0.2, 10.0])
def test_a_flat_bottom_without_radius_is_a_harmonic_distance(k):
    expected = ss.com_analytic_kcal_per_mol(k=k, temperature_k=298.15)
    assert ss.flat_bottom_analytic_kcal_per_mol(radius_angstrom=0.0, k=k, temperature_k=298.15) == pytest.approx(
        expected
    )
    with pytest.raises(ValueError, match="must be positive"):
        ss.flat_bottom_numeric_kcal_per_mol(radius_angstrom=1.0, k=0.0, temperature_k=298.15)


def test_constants():
    assert ss.kt_kcal_per_mol(298.15) == pytest.approx(0.5924849497, rel=1e-8)
    assert ss.STANDARD_VOLUME_ANGSTROM3 == pytest.approx(1660.5390, abs=1e-3)


def test_difference_is_named():
    assert ss.differ(-10.2416, -10.2437) is None
    assert "numeric value is used" in (ss.differ(-4.0, -4.2) or "")


def test_closed_form_is_refused_where_it_diverges():
    given = dict(r0_angstrom=5.0, theta_b_deg=90.0, k_r=10.0, k_angle=100.0, temperature_k=298.15)
    with pytest.raises(ValueError, match="between 0 and 180"):
        ss.boresch_analytic_kcal_per_mol(theta_a_deg=180.0, **given)
    assert math.isfinite(ss.boresch_numeric_kcal_per_mol(theta_a_deg=180.0, **given))


@pytest.mark.parametrize("k_angle", [1e6, 1e7, 1e9, 1e12, 1e15])
def test_the_integral_does_not_miss_a_stiff_restraint(k_angle):
    given = dict(r0_angstrom=5, theta_a_deg=90, theta_b_deg=60, k_r=1000.0, k_angle=k_angle, temperature_k=298.15)
    assert ss.boresch_numeric_kcal_per_mol(**given) == pytest.approx(
        ss.boresch_analytic_kcal_per_mol(**given), abs=2e-5
    )


def test_values_that_no_restraint_has_are_named():
    good = {"r0_angstrom": 5.0, "theta_a_deg": 90.0, "k_r": 10.0, "temperature_k": 298.15}
    ss.check_values(**good)
    ss.check_values(least_r0_angstrom=0.0, r0_angstrom=0.0, k=1e-6)
    for name, value in [
        ("theta_a_deg", 180.0), ("theta_a_deg", 0.0), ("theta_a_deg", 179.99999), ("r0_angstrom", 0.0),
        ("r0_angstrom", -1.0), ("k_r", 0.0), ("k_r", math.nan), ("k_r", math.inf), ("k_r", 1e300),
        ("temperature_k", 0.0), ("temperature_k", math.inf),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=f"restraint, {name}: .* is not usable"):
            ss.check_values(**{**good, name: value})
