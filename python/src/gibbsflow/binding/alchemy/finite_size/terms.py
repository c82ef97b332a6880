"""The terms of the analytic finite-size correction, each a formula.

From charging a ligand in a periodic box with lattice sums to charging it in a solvent without end: Rocklin, Mobley,
Dill, Hünenberger, J. Chem. Phys. 139, 184103 (2013), whose symbols are used. L is the cube root of the volume, and ξ_LS
that of the box's own lattice, so that the terms hold for boxes that are not cubes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gibbsflow.binding.alchemy.finite_size.lattice import debye_per_angstrom, lattice_potential
from gibbsflow.units import COULOMB_KCAL_ANGSTROM_PER_E2, Floats, kt_kcal_per_mol

PERMITTIVITY = {"tip3p": 97.0, "spce": 68.0, "opc": 78.4, "tip4pew": 63.9}
"""Relative permittivity of the models at 298 K: TIP3P (97 ± 7) and SPC/E (68 ± 6) from Höchtl, Boresch, Bitomsky,
Steinhauser, J. Chem. Phys. 109, 4927 (1998); OPC and TIP4P-Ew from Izadi, Anandakrishnan, Onufriev, J. Phys. Chem.
Lett. 5, 3863 (2014)."""
_UNIT = COULOMB_KCAL_ANGSTROM_PER_E2
"""1/(4πε₀)."""


@dataclass(frozen=True)
class Charges:
    """What is charged in a box.

    Attributes
    ----------
    ligand_e
        Q_L, which is switched.
    fixed_e
        Charge that stands beside it, of a receptor.
    ions_e, ions_squared_e2
        Sum of the charges of ions that are free to move, and of their squares.
    """

    ligand_e: float
    fixed_e: float = 0.0
    ions_e: float = 0.0
    ions_squared_e2: float = 0.0

    @property
    def others_e(self) -> float:
        """Q_P, the charge of the box without the ligand.

        Returns
        -------
        float
            In e.
        """
        return self.fixed_e + self.ions_e


@dataclass(frozen=True)
class Solvent:
    """What the box is filled with.

    Attributes
    ----------
    permittivity
        Relative, ε_S.
    molecules
        N_S.
    quadrupole_e_angstrom2
        γ_S, the trace of a molecule's quadrupole Σ q r² about its centre of van der Waals.
    """

    permittivity: float
    molecules: int
    quadrupole_e_angstrom2: float


@dataclass(frozen=True)
class IntegratedPotentials:
    """Integrals of the solutes' potentials over what they would be in the solvent alone.

    Attributes
    ----------
    ligand, others
        I_L and I_P, ions included, kcal/mol Å³/e.
    ligand_solvent
        Of I_L what the solvent makes, I_L,SLV: that of a sphere says how large the ligand is.
    """

    ligand: float
    others: float
    ligand_solvent: float


@dataclass(frozen=True)
class Terms:
    """Terms to add to the free energy of charging, kcal/mol.

    Attributes
    ----------
    net
        Periodicity-induced net-charge interactions (eq. 15).
    usv
        Periodicity-induced net-charge undersolvation (eq. 16).
    scr
        What of these two is taken back by ions that are free to move (Debye, Hückel); none without ions.
    rip
        Residual integrated potential (eq. 17).
    emp
        Empirical term, the next order.
    dsc
        Discrete solvent (eq. 35).
    """

    net: float
    usv: float
    scr: float
    rip: float
    emp: float
    dsc: float

    @property
    def total(self) -> float:
        """Sum of all.

        Returns
        -------
        float
            kcal/mol.
        """
        return math.fsum(vars(self).values())


def correction_terms(
    charges: Charges,
    solvent: Solvent,
    potentials: IntegratedPotentials,
    box_angstrom: Floats,
    temperature_k: float,
) -> Terms:
    """Compute all terms.

    Parameters
    ----------
    charges
        Of ligand, receptor and ions.
    solvent
        Of the box.
    potentials
        Of the solutes in an endless solvent.
    box_angstrom
        Reduced vectors as rows, shape (3, 3), Å.
    temperature_k
        For the Debye length, K.

    Returns
    -------
    Terms
        From no charge of the ligand to all of it.

    Notes
    -----
    NET and USV take the charges that stand still, since free ions are anywhere and their mean potential is zero; what
    they screen is SCR. RIP and EMP come from the background, so that all charges count, the ions' too.
    """
    volume = abs(float(np.linalg.det(box_angstrom)))
    screening = 1 - 1 / solvent.permittivity
    bjerrum = _UNIT / (solvent.permittivity * kt_kcal_per_mol(temperature_k))
    kappa = debye_per_angstrom(charges.ions_squared_e2, volume, bjerrum)
    bare, screened = lattice_potential(box_angstrom), lattice_potential(box_angstrom, kappa)
    standing = (charges.fixed_e + charges.ligand_e) ** 2 - charges.fixed_e**2
    every = (charges.others_e + charges.ligand_e) ** 2 - charges.others_e**2
    both = (potentials.ligand + potentials.others) * (charges.others_e + charges.ligand_e)
    radius = ligand_radius_angstrom(charges.ligand_e, potentials.ligand_solvent, solvent.permittivity)
    return Terms(
        net=-_UNIT / 2 * bare * standing,
        usv=_UNIT / 2 * bare * screening * standing,
        scr=_UNIT / 2 * (bare - screened) * (1 - screening) * standing,
        rip=(both - potentials.others * charges.others_e) / volume,
        emp=-_UNIT / 2 * 16 * math.pi**2 / 45 * screening * every * radius**5 / volume**2,
        dsc=discrete_solvent(charges.ligand_e, solvent, volume),
    )


def discrete_solvent(ligand_e: float, solvent: Solvent, volume_angstrom3: float) -> float:
    """Term DSC (eq. 35): the quadrupoles of molecules shift the potential, whose mean over the box is kept at zero.

    Parameters
    ----------
    ligand_e
        Charge that is switched on.
    solvent
        Of the box.
    volume_angstrom3
        Of the box, Å³.

    Returns
    -------
    float
        −γ_S Q_L N_S/(6 ε₀ V), kcal/mol.
    """
    density = solvent.molecules / volume_angstrom3
    return -4 * math.pi * _UNIT / 6 * solvent.quadrupole_e_angstrom2 * ligand_e * density


def ligand_radius_angstrom(ligand_e: float, ligand_solvent: float, permittivity: float) -> float:
    """Radius R_L of the sphere with the ligand's integrated potential.

    Parameters
    ----------
    ligand_e
        Its charge.
    ligand_solvent
        I_L,SLV, kcal/mol Å³/e.
    permittivity
        Relative, of the solvent.

    Returns
    -------
    float
        Å; 0 for one without charge, or where its potential is not that of any sphere.
    """
    if not ligand_e:
        return 0.0
    return math.sqrt(max(0.0, ligand_solvent / (4 * math.pi * _UNIT / 6 * (1 - 1 / permittivity) * ligand_e)))
