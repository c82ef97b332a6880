"""Frames that are repeats of a smaller cell, as strained crystals are: what is computed of one repeat holds for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ase import Atoms

from gibbsflow.units import Floats

# positions are written with six to eight digits; energies change with the square of it
_TOLERANCE_ANGSTROM = 1e-4


@dataclass(frozen=True)
class RepeatedCell:
    """The smallest cell of a frame.

    Attributes
    ----------
    atoms
        The cell, in the orientation of the frame.
    chosen
        Which atoms of the frame it holds, shape (m,).
    place
        Which atom of the cell each atom of the frame repeats, shape (n,).
    count
        Repeats, n / m.
    """

    atoms: Atoms
    chosen: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    count: int

    def mean(self, values: Floats) -> tuple[Floats, float]:
        """Mean over the repeats of what a frame says of each atom.

        Parameters
        ----------
        values
            Shape (n, 3).

        Returns
        -------
        mean : ndarray
            Shape (m, 3).
        spread : float
            Sum of the squared differences from it, over all atoms.
        """
        if self.count == 1:
            return values, 0.0
        mean = np.zeros((len(self.chosen), 3))
        np.add.at(mean, self.place, values / self.count)
        return mean, float(((values - mean[self.place]) ** 2).sum())


def smallest_cell(atoms: Atoms, mask: npt.NDArray[np.bool_]) -> RepeatedCell:
    """Find the smallest cell that a frame repeats.

    Parameters
    ----------
    atoms
        Any; only where it is periodic in all directions can it be repeats.
    mask
        Atoms whose forces count, shape (n,); where some do not, the frame is left whole.

    Returns
    -------
    RepeatedCell
        The frame itself where there is no smaller cell.
    """
    import spglib

    n = len(atoms)
    whole = RepeatedCell(atoms, np.arange(n), np.arange(n), 1)
    if n == 1 or not atoms.pbc.all() or not mask.all():
        return whole
    crystal = (atoms.cell[:], atoms.get_scaled_positions(), atoms.numbers)
    found = spglib.get_symmetry_dataset(crystal, symprec=_TOLERANCE_ANGSTROM)
    if found is None:
        return whole
    _, chosen, place = np.unique(found.mapping_to_primitive, return_index=True, return_inverse=True)
    count = n // len(chosen)
    repeats = np.rint(atoms.cell[:] @ np.linalg.inv(found.primitive_lattice))
    if count == 1 or round(abs(np.linalg.det(repeats))) != count or n != count * len(chosen):
        return whole
    cell = atoms[chosen]
    cell.set_cell(np.linalg.solve(repeats, atoms.cell[:]))
    return RepeatedCell(cell, chosen, place, count)
