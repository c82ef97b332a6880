"""Elastic constants of cubic crystals by stress and strain, with whatever ASE calculator gives the stress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.errors import InputError, Problem, UnconvergedError
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3, Floats

if TYPE_CHECKING:
    from ase import Atoms

STRAINS = (-0.01, -0.005, 0.005, 0.01)
_CUBIC = range(195, 231)
_PRESSURE_GPA = 0.05


@dataclass(frozen=True)
class CubicConstants:
    """Elastic constants of a cubic crystal at zero pressure.

    Attributes
    ----------
    lattice_constant_angstrom
        Edge of the given cell over that of the start, times the start's.
    c11_gpa, c12_gpa, c44_gpa
        The three constants, GPa, with ions relaxed.
    residual_gpa
        Root mean square of what the straight lines leave of the stresses.
    """

    lattice_constant_angstrom: float
    c11_gpa: float
    c12_gpa: float
    c44_gpa: float
    residual_gpa: float

    @property
    def bulk_modulus_gpa(self) -> float:
        """B = (C11 + 2 C12)/3, GPa (Nye, chapter VIII).

        Returns
        -------
        float
            In GPa.
        """
        return (self.c11_gpa + 2 * self.c12_gpa) / 3


def cubic_constants(
    atoms: Atoms, *, strains: Sequence[float] = STRAINS, force_max_ev_per_angstrom: float = 0.005
) -> CubicConstants:
    """Elastic constants of a cubic crystal: C11, C12 from strains along x, C44 from shears in yz, ions relaxed.

    Stresses are differences to the unstrained cell, which is brought to zero pressure first; slopes come from least
    squares over strains of both signs (Nye, Physical Properties of Crystals, chapter VIII; in Voigt's notation).

    Parameters
    ----------
    atoms
        Conventional cell along the axes, with a calculator of energy, forces and stress.
    strains
        Strains, symmetric about zero, so that even terms drop out.
    force_max_ev_per_angstrom
        Where the relaxation of the ions ends.

    Returns
    -------
    CubicConstants
        In GPa, with the lattice constant in Å.

    Raises
    ------
    InputError
        For a crystal that is not cubic, or not along the axes.
    UnconvergedError
        Where no cell without pressure is found, or ions do not relax.
    """
    import spglib

    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    symmetry = spglib.get_symmetry_dataset(cell, symprec=1e-3)
    number = 0 if symmetry is None else int(symmetry.number)
    if number not in _CUBIC or not np.allclose(atoms.cell.array, np.eye(3) * atoms.cell[0, 0]):
        what = f"space group {number}, cell {np.round(atoms.cell.cellpar(), 3).tolist()}"
        raise InputError(Problem("elastic constants", what, "a conventional cubic cell along x, y, z"))
    rest = _without_pressure(atoms, force_max_ev_per_angstrom)
    base = _stress_gpa(rest, np.zeros(6), force_max_ev_per_angstrom)
    size = np.array(strains)
    uniaxial, shear = (
        np.array([_stress_gpa(rest, s * np.eye(6)[k], force_max_ev_per_angstrom) - base for s in size]) for k in (0, 3)
    )
    c11, c44 = (float(size @ values / (size @ size)) for values in (uniaxial[:, 0], shear[:, 3]))
    across = uniaxial[:, 1:3].mean(axis=1)
    c12 = float(size @ across / (size @ size))
    left = np.concatenate([uniaxial[:, 0] - c11 * size, across - c12 * size, shear[:, 3] - c44 * size])
    return CubicConstants(float(rest.cell[0, 0]), c11, c12, c44, float(np.sqrt((left**2).mean())))


def _without_pressure(atoms: Atoms, force_max: float) -> Atoms:
    """Bring the cell to zero pressure by Newton steps with the slope of the last two, from 100 GPa as a first guess."""
    rest, bulk_gpa, before = atoms.copy(), 100.0, None
    rest.calc = atoms.calc
    for _ in range(12):
        pressure = -_stress_gpa(rest, np.zeros(6), force_max)[:3].mean()
        volume = rest.get_volume()
        if abs(pressure) < _PRESSURE_GPA:
            return rest
        if before is not None and volume != before[0]:
            slope = -volume * (pressure - before[1]) / (volume - before[0])
            bulk_gpa = slope if slope > 0 else bulk_gpa
        before = (volume, pressure)
        step = float(np.clip(pressure / bulk_gpa, -0.1, 0.1))
        rest.set_cell(rest.cell.array * (1 + step) ** (1 / 3), scale_atoms=True)
    raise UnconvergedError(f"no cell without pressure: {pressure:.2f} GPa at {volume:.2f} Å^3")


def _stress_gpa(rest: Atoms, voigt: Floats, force_max: float) -> Floats:
    """Stress of the strained cell with ions relaxed, Voigt xx yy zz yz xz xy."""
    from ase.optimize import BFGS

    xx, yy, zz, yz, xz, xy = voigt
    deformation = np.eye(3) + np.array([[xx, xy / 2, xz / 2], [xy / 2, yy, yz / 2], [xz / 2, yz / 2, zz]])
    strained = rest.copy()
    strained.set_cell(rest.cell.array @ deformation, scale_atoms=True)
    strained.calc = rest.calc
    with BFGS(strained, logfile=None) as relaxation:
        if not relaxation.run(fmax=force_max, steps=50):
            raise UnconvergedError(f"ions do not relax under the strain {np.round(voigt, 4).tolist()}")
    return np.asarray(strained.get_stress()) * GPA_PER_EV_PER_ANGSTROM3
