"""The potential that a lattice of charges in their neutralising background puts on each of them."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy.special import erfc

from gibbsflow.units import Floats

_REACH = 4.5
"""Terms beyond exp(−4.5²) = 2e-9 of the first are left out of both sums."""


def lattice_potential(box_angstrom: Floats, screening_per_angstrom: float = 0.0) -> float:
    """Potential of all images, and of the background, at the place of a unit charge: ξ_LS/L of a cubic box.

    Parameters
    ----------
    box_angstrom
        Reduced vectors of the box as rows, shape (3, 3), Å; of any shape.
    screening_per_angstrom
        Inverse Debye length κ of ions that are free to move, 1/Å; 0 for none. The potential is then what the lattice
        adds to the charge and its cloud of ions in a solution without end, of the same ionic strength.

    Returns
    -------
    float
        1/Å, times the charge and Coulomb's constant a potential. Times the cube root of the volume −2.837297 for a
        cube and −2.888462 for a truncated octahedron, whose lattice is body-centred cubic (−3.639 by the cube's edge).

    Notes
    -----
    Ewald's sum of the potential exp(−κr)/r less the mean over the box, at r = 0 and less 1/r (Salin, Caillol, J. Chem.
    Phys. 113, 10459 (2000), for κ > 0): equal to Σ exp(−κR)/R − 4π/(κ²V) over the lattice R ≠ 0, at any κ.
    """
    kappa = screening_per_angstrom
    volume = abs(float(np.linalg.det(box_angstrom)))
    alpha = math.sqrt(math.pi) / volume ** (1 / 3)
    b = kappa / (2 * alpha)
    reciprocal = np.asarray(2 * math.pi * np.linalg.inv(box_angstrom).T, dtype=float)
    images = np.linalg.norm(_lattice(box_angstrom, (_REACH + b) / alpha), axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        grown = np.where(alpha * images + b < 26, np.exp(kappa * images) * erfc(alpha * images + b), 0.0)
    real = (grown + np.exp(-kappa * images) * erfc(alpha * images - b)) / (2 * images)
    waves_2 = np.sum(_lattice(reciprocal, 2 * alpha * _REACH) ** 2, axis=1) + kappa**2
    waves = 4 * math.pi / volume * np.exp(-waves_2 / (4 * alpha**2)) / waves_2
    mean = math.pi / (volume * alpha**2) * (-math.expm1(-(b**2)) / b**2 if b > 1e-6 else 1.0)
    itself = kappa * float(erfc(b)) - 2 * alpha / math.sqrt(math.pi) * math.exp(-(b**2))
    return float(real.sum() + waves.sum() - mean + itself)


def debye_per_angstrom(charges_squared: float, volume_angstrom3: float, bjerrum_angstrom: float) -> float:
    """Inverse Debye length of the ions of a box.

    Parameters
    ----------
    charges_squared
        Σ z² over the ions that are free to move, e².
    volume_angstrom3
        Of the box, Å³.
    bjerrum_angstrom
        Distance at which two unit charges have the energy kT in the solvent, Å.

    Returns
    -------
    float
        κ = √(4π l_B Σ z² / V), 1/Å.
    """
    return math.sqrt(4 * math.pi * bjerrum_angstrom * charges_squared / volume_angstrom3)


def _lattice(vectors: Floats, reach: float) -> Floats:
    """All points of a lattice within a distance, without the origin."""
    heights = 1 / np.linalg.norm(np.linalg.inv(vectors), axis=0)
    ranges = [range(-n, n + 1) for n in np.ceil(reach / heights).astype(int)]
    points = np.array([n for n in itertools.product(*ranges) if any(n)]) @ vectors
    return np.asarray(points[np.linalg.norm(points, axis=1) <= reach])
