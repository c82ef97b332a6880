"""Constants and conversions, each once, with its source; the types of arrays that the whole core shares.

Values from scipy.constants are CODATA's recommended ones. Those written out were in use before this module and keep
their digits, since a digit more would move results that exist already.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import constants

Floats = npt.NDArray[np.float64]
"""Array of floats; its shape and unit are said where it is used."""
Ints = npt.NDArray[np.int32]
"""Array of whole numbers, as of states and frames."""
DEVIATIONS_PER_MAD = 1.4826
"""Standard deviations of a normal distribution in one median absolute deviation: 1/Φ⁻¹(3/4), five digits."""

# --- molar energies: binding -----------------------------------------------------------------------------------------

KB_KCAL_PER_MOL_K = constants.R / constants.calorie / 1000
"""Boltzmann constant, kcal/mol/K (CODATA's gas constant, thermochemical calorie)."""
KJ_PER_KCAL = 4.184
"""kJ in one thermochemical kcal, exact by definition (ISO 31-4)."""
KJ_PER_BAR_NM3 = 1e-25 * constants.N_A
"""Work against 1 bar over 1 nm³, kJ/mol (CODATA's Avogadro constant)."""
COULOMB_KCAL_ANGSTROM_PER_E2 = 332.06371
"""Coulomb energy of two unit charges at 1 Å, kcal/mol (CODATA 2014, eight digits)."""
STANDARD_VOLUME_ANGSTROM3 = 1e27 / constants.N_A
"""Volume of one molecule at 1 mol/L, Å³ (CODATA's Avogadro constant)."""

# --- energies an atom: potential -------------------------------------------------------------------------------------

KB_EV_PER_K = 8.617333262e-5
"""Boltzmann constant, eV/K (CODATA 2018, ten digits)."""
RYDBERG_EV = 13.605693
"""Rydberg energy, eV (CODATA 2018, eight digits)."""
GPA_PER_EV_PER_ANGSTROM3 = 160.21766208
"""Pressure of 1 eV/Å³ in GPa (CODATA 2014's elementary charge)."""
EV_PER_ANGSTROM3_PER_BAR = 1.0 / 1.602176634e6
"""Pressure of 1 bar in eV/Å³ (elementary charge of the SI of 2019, exact)."""


def kt_kcal_per_mol(temperature_k: float) -> float:
    """Thermal energy kT.

    Parameters
    ----------
    temperature_k
        Temperature, K.

    Returns
    -------
    float
        kT in kcal/mol.
    """
    return KB_KCAL_PER_MOL_K * temperature_k
