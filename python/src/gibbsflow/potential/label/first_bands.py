"""Bands that the first run of pw.x begins with, so that the highest of them is empty."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from ase.cell import Cell
from ase.geometry import minkowski_reduce

from gibbsflow.config.potential import Dft
from gibbsflow.potential.label.plane_waves import k_mesh
from gibbsflow.units import RYDBERG_EV

if TYPE_CHECKING:
    from ase import Atoms

_EV_ANGSTROM2 = 3.80998211616  # ħ²/2m
_TAIL_WIDTHS = {"fermi-dirac": 5.3}
_USUAL_TAIL_WIDTHS = 1.9
"""Widths above the Fermi energy where an occupation has fallen to 0.005: 1.83 for Gaussian, 1.46 for cold smearing."""


def first_bands(atoms: Atoms, electrons: float, moment_ub: float, dft: Dft) -> int | None:
    """Choose the number of bands of the first run.

    pw.x takes a fifth more bands than are filled, and four at least, of one half of the electrons (`setup.f90`): too
    few where a moment fills more of one channel, and in metals where at some k points more bands than usual lie below
    the Fermi energy. How many do is counted in a gas of free electrons of the same mean density, in the same cell and
    on the same mesh (Ashcroft and Mermin, Solid State Physics, 1976, chapters 2 and 9).

    Parameters
    ----------
    atoms
        The structure as it is computed; of one that is not periodic in all directions the mean density tells nothing.
    electrons
        Valence electrons.
    moment_ub
        Total moment that the run starts from, μB.
    dft
        Settings: k points, smearing and its width.

    Returns
    -------
    int or None
        None where the program's own number is as large.
    """
    own = _program(electrons / 2)
    filled = (electrons + abs(moment_ub)) / 2
    wanted = _program(filled)
    if atoms.pbc.all():
        wanted = max(wanted, _free_below(atoms, filled, dft) + 1)
    return wanted if wanted > own else None


def _program(filled: float) -> int:
    return max(round(1.2 * filled), math.ceil(filled) + 4)


def _free_below(atoms: Atoms, filled: float, dft: Dft) -> int:
    """Most plane waves |k + G⟩ below the Fermi energy and the tail of the smearing, over the k points."""
    fermi_ev = _EV_ANGSTROM2 * (6 * np.pi**2 * filled / atoms.get_volume()) ** (2 / 3)
    top_ev = fermi_ev + _TAIL_WIDTHS.get(dft.smearing, _USUAL_TAIL_WIDTHS) * dft.degauss_ry * RYDBERG_EV
    # oblique vectors reach over many more waves than the same lattice needs
    reduced = Cell(minkowski_reduce(atoms.cell)[0])
    reciprocal = 2 * np.pi * reduced.reciprocal().array
    reach = np.ceil(math.sqrt(top_ev / _EV_ANGSTROM2) * reduced.lengths() / (2 * np.pi)).astype(int) + 1
    waves = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in reach], indexing="ij"), axis=-1).reshape(-1, 3)
    mesh = k_mesh(atoms, dft.kspacing_per_angstrom)
    points = np.array(list(np.ndindex(*mesh))) / mesh @ atoms.cell.reciprocal().array @ reduced.array.T
    return max(
        int((_EV_ANGSTROM2 * (((waves + point) @ reciprocal) ** 2).sum(axis=1) < top_ev).sum())
        for point in points - np.rint(points)
    )
