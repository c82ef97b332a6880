"""Free energy of releasing a restrained, decoupled ligand into the standard state (1 mol/L, free rotation).

All restraints are harmonic with the one half, U = 1/2 K x^2; that of a flat bottom beyond its radius. Values are
negative when the restrained volume is smaller than that of the standard state. Each restraint has a closed form and an
integral; where they differ, the integral is right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from gibbsflow.errors import InputError, Problem
from gibbsflow.units import STANDARD_VOLUME_ANGSTROM3, kt_kcal_per_mol

WARN_DIFFERENCE_KCAL_PER_MOL = 0.05
"""Analytic and numeric values farther apart than this call for a look at the restraint."""

_NARROW = 2e-3  # share of an angle's range below which points over all of it would miss a restraint
_RANGES = {
    "temperature_k": (1.0, 10_000.0, " K"),
    "r0_angstrom": (0.0, 1000.0, " Å"),
    "radius_angstrom": (0.0, 1000.0, " Å"),
    "theta": (0.1, 179.9, " degrees"),
    "k": (1e-6, 1e15, ""),
}
_POINTS = 200_001  # trapezoid points of each one-dimensional integral; converged to 1e-9 kcal/mol


def check_values(*, least_r0_angstrom: float = 0.01, **values: float) -> None:
    """Check the values of a restraint that a user gives.

    Parameters
    ----------
    least_r0_angstrom
        Least reference distance, Å: 0 for two centres; the Boresch form needs one between its anchors.
    **values
        By name: ``temperature_k``, ``r0_angstrom``, ``radius_angstrom``, ``theta_…_deg`` and force constants ``k…``.

    Raises
    ------
    InputError
        For each that is not a number, or beyond what a restraint can have; an angle of 0 or 180 degrees leaves the
        dihedrals undefined.
    """
    problems = []
    for name, value in values.items():
        low, high, unit = _RANGES.get(name) or _RANGES["theta" if name.startswith("theta") else "k"]
        low = least_r0_angstrom if name == "r0_angstrom" else low
        if not low <= value <= high:
            right = f"a number >= {low:g} and <= {high:g}{unit}"
            problems.append(Problem("restraint", f"{value:g} is not usable", right, field=name))
    if problems:
        raise InputError(problems)


def boresch_analytic_kcal_per_mol(
    *,
    r0_angstrom: float,
    theta_a_deg: float,
    theta_b_deg: float,
    k_r: float,
    k_angle: float,
    temperature_k: float,
    k_dihedral: float | None = None,
) -> float:
    """Release of a Boresch restraint, closed form for stiff restraints.

    Boresch, Tettinger, Leitgeb, Karplus, J. Phys. Chem. B 107, 9535 (2003), equation 32, with K in U = 1/2 K x^2.

    Parameters
    ----------
    r0_angstrom
        Reference distance P1–L1, Å.
    theta_a_deg, theta_b_deg
        Reference angles P2–P1–L1 and P1–L1–L2, degrees.
    k_r
        Force constant of the distance, kcal/mol/Å².
    k_angle
        Force constant of both angles, kcal/mol/rad².
    temperature_k
        Temperature, K.
    k_dihedral
        Force constant of the three dihedrals, kcal/mol/rad²; that of the angles where not given.

    Returns
    -------
    float
        ΔG(release), kcal/mol.

    Raises
    ------
    ValueError
        For constants that are not positive, or angles at which sin θ vanishes.
    """
    k_dihedral = k_angle if k_dihedral is None else k_dihedral
    sines = math.sin(math.radians(theta_a_deg)) * math.sin(math.radians(theta_b_deg))
    if min(k_r, k_angle, k_dihedral, r0_angstrom) <= 0 or sines < 1e-6:
        raise ValueError("the closed form needs positive r0 and force constants and angles between 0 and 180 degrees")
    kt = kt_kcal_per_mol(temperature_k)
    roots = math.sqrt(k_r * k_angle**2 * k_dihedral**3)
    volume = r0_angstrom**2 * sines * (2 * math.pi * kt) ** 3 / roots
    return kt * math.log(volume / (8 * math.pi**2 * STANDARD_VOLUME_ANGSTROM3))


def boresch_numeric_kcal_per_mol(
    *,
    r0_angstrom: float,
    theta_a_deg: float,
    theta_b_deg: float,
    k_r: float,
    k_angle: float | Sequence[float],
    temperature_k: float,
    k_dihedral: float | Sequence[float] | None = None,
) -> float:
    """Release of a Boresch restraint, by integration over all six coordinates.

    The integral separates: Z = ∫r² e^(−U/kT) dr · Π ∫sin θ e^(−U/kT) dθ · Π ∫e^(−U/kT) dφ, dihedrals over one period.

    Parameters
    ----------
    r0_angstrom
        Reference distance P1–L1, Å.
    theta_a_deg, theta_b_deg
        Reference angles P2–P1–L1 and P1–L1–L2, degrees.
    k_r
        Force constant of the distance, kcal/mol/Å².
    k_angle
        Force constants of the two angles, kcal/mol/rad²; 0 leaves one free.
    temperature_k
        Temperature, K.
    k_dihedral
        Force constants of the three dihedrals, kcal/mol/rad²; those of the angles where not given; 0 leaves one free.

    Returns
    -------
    float
        ΔG(release), kcal/mol.

    Raises
    ------
    ValueError
        For a distance constant that is not positive, or two different angle constants without those of the dihedrals.
    """
    kt = kt_kcal_per_mol(temperature_k)
    angles = np.broadcast_to(np.asarray(k_angle, dtype=float), 2)
    if k_dihedral is None:
        if np.ptp(angles):
            raise ValueError("with two different angle constants the dihedrals' must be given")
        k_dihedral = float(angles[0])
    dihedrals = np.broadcast_to(np.asarray(k_dihedral, dtype=float), 3)
    log_z = math.log(_radial_integral(r0_angstrom, k_r, kt))
    for theta0_deg, k in zip((theta_a_deg, theta_b_deg), angles, strict=True):
        theta = _points(0.0, math.pi, math.radians(theta0_deg), k, kt)
        weight = np.sin(theta) * np.exp(-0.5 * k * (theta - math.radians(theta0_deg)) ** 2 / kt)
        log_z += math.log(np.trapezoid(weight, theta))
    for k in dihedrals:
        phi = _points(-math.pi, math.pi, 0.0, k, kt)
        log_z += math.log(np.trapezoid(np.exp(-0.5 * k * phi**2 / kt), phi))
    return kt * (log_z - math.log(8 * math.pi**2 * STANDARD_VOLUME_ANGSTROM3))


def com_analytic_kcal_per_mol(*, k: float, temperature_k: float, r0_angstrom: float = 0.0) -> float:
    """Release of a harmonic distance restraint between two centres, closed form.

    V_eff = 4π ∫₀^∞ r² e^(−K(r−r0)²/2kT) dr; for r0 = 0 it is (2πkT/K)^(3/2).

    Parameters
    ----------
    k
        Force constant, kcal/mol/Å².
    temperature_k
        Temperature, K.
    r0_angstrom
        Reference distance, Å.

    Returns
    -------
    float
        ΔG(release) = kT ln(V_eff/V0), kcal/mol.

    Raises
    ------
    ValueError
        For a constant that is not positive.
    """
    if k <= 0:
        raise ValueError(f"force constant {k} must be positive")
    kt = kt_kcal_per_mol(temperature_k)
    s2 = kt / k
    s = math.sqrt(s2)
    half = s2 * r0_angstrom * math.exp(-(r0_angstrom**2) / (2 * s2))
    half += s * math.sqrt(math.pi / 2) * (r0_angstrom**2 + s2) * (1 + float(erf(r0_angstrom / (s * math.sqrt(2)))))
    return kt * math.log(4 * math.pi * half / STANDARD_VOLUME_ANGSTROM3)


def com_numeric_kcal_per_mol(*, k: float, temperature_k: float, r0_angstrom: float = 0.0) -> float:
    """Release of a harmonic distance restraint between two centres, by integration.

    Parameters
    ----------
    k
        Force constant, kcal/mol/Å².
    temperature_k
        Temperature, K.
    r0_angstrom
        Reference distance, Å.

    Returns
    -------
    float
        ΔG(release) = kT ln(V_eff/V0), kcal/mol, V_eff as in `com_analytic_kcal_per_mol`.

    Raises
    ------
    ValueError
        For a constant that is not positive.
    """
    kt = kt_kcal_per_mol(temperature_k)
    return kt * math.log(4 * math.pi * _radial_integral(r0_angstrom, k, kt) / STANDARD_VOLUME_ANGSTROM3)


def flat_bottom_analytic_kcal_per_mol(*, radius_angstrom: float, k: float, temperature_k: float) -> float:
    """Release of a flat-bottom distance restraint, U = 1/2 K (r − R)² beyond R and 0 within, closed form.

    V_eff = 4π [R³/3 + R² s √(π/2) + 2 R s² + s³ √(π/2)], s² = kT/K: the sphere, and what its soft walls let in.
    4πR³/3 alone is the limit of hard walls, and no bound for others.

    Parameters
    ----------
    radius_angstrom
        Radius R, Å.
    k
        Force constant of the walls, kcal/mol/Å².
    temperature_k
        Temperature, K.

    Returns
    -------
    float
        ΔG(release) = kT ln(V_eff/V0), kcal/mol.

    Raises
    ------
    ValueError
        For a constant that is not positive, or a radius below 0.
    """
    if k <= 0 or radius_angstrom < 0:
        raise ValueError(f"force constant {k} must be positive, radius {radius_angstrom} not negative")
    kt = kt_kcal_per_mol(temperature_k)
    s, r, root = math.sqrt(kt / k), radius_angstrom, math.sqrt(math.pi / 2)
    volume = 4 * math.pi * (r**3 / 3 + r**2 * s * root + 2 * r * s**2 + s**3 * root)
    return kt * math.log(volume / STANDARD_VOLUME_ANGSTROM3)


def flat_bottom_numeric_kcal_per_mol(*, radius_angstrom: float, k: float, temperature_k: float) -> float:
    """Release of a flat-bottom distance restraint, by integration over all distances, walls included.

    Parameters
    ----------
    radius_angstrom
        Radius, Å.
    k
        Force constant of the walls, kcal/mol/Å².
    temperature_k
        Temperature, K.

    Returns
    -------
    float
        ΔG(release), kcal/mol, as in `flat_bottom_analytic_kcal_per_mol`.

    Raises
    ------
    ValueError
        For a constant that is not positive, or a radius below 0.
    """
    if k <= 0 or radius_angstrom < 0:
        raise ValueError(f"force constant {k} must be positive, radius {radius_angstrom} not negative")
    kt = kt_kcal_per_mol(temperature_k)
    inside = np.linspace(0.0, radius_angstrom, _POINTS)
    walls = np.linspace(radius_angstrom, radius_angstrom + 12 * math.sqrt(kt / k), _POINTS)
    volume = np.trapezoid(inside**2, inside)
    volume += np.trapezoid(walls**2 * np.exp(-0.5 * k * (walls - radius_angstrom) ** 2 / kt), walls)
    return kt * math.log(4 * math.pi * float(volume) / STANDARD_VOLUME_ANGSTROM3)


def differ(analytic_kcal_per_mol: float, numeric_kcal_per_mol: float) -> str | None:
    """Say so where the two values are too far apart.

    Parameters
    ----------
    analytic_kcal_per_mol, numeric_kcal_per_mol
        The same term by closed form and by integration.

    Returns
    -------
    str or None
        What is wrong, in words; None where they agree.
    """
    difference = abs(analytic_kcal_per_mol - numeric_kcal_per_mol)
    if difference <= WARN_DIFFERENCE_KCAL_PER_MOL:
        return None
    return (
        f"analytic and numeric standard-state terms differ by {difference:.3f} kcal/mol: the restraint is too weak, or "
        "an angle too near 0 or 180 degrees, for the closed form; the numeric value is used"
    )


def _points(low: float, high: float, centre: float, k: float, kt: float) -> npt.NDArray[np.float64]:
    """Points of an integral over an angle: of the whole range, and only about the centre of a very stiff restraint."""
    width = 12 * math.sqrt(kt / k) if k > 0 else math.inf
    if 2 * width < _NARROW * (high - low):
        low, high = max(low, centre - width), min(high, centre + width)
    return np.linspace(low, high, _POINTS)


def _radial_integral(r0_angstrom: float, k: float, kt: float) -> float:
    """∫₀^∞ r² e^(−K(r−r0)²/2kT) dr in Å³."""
    if k <= 0:
        raise ValueError(f"force constant {k} must be positive")
    width = 12 * math.sqrt(kt / k)
    r: npt.NDArray[np.float64] = np.linspace(max(0.0, r0_angstrom - width), r0_angstrom + width, _POINTS)
    return float(np.trapezoid(r**2 * np.exp(-0.5 * k * (r - r0_angstrom) ** 2 / kt), r))
