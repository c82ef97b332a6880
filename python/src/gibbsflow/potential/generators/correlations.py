"""Pair correlations of an alloy on a lattice: how far an arrangement is from a random one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ase import Atoms

SHELLS = 3
_SAME_SHELL_ANGSTROM = 0.05


@dataclass(frozen=True)
class Shells:
    """Neighbours of each site by shell.

    Parameters
    ----------
    matrices
        Number of times site j is a neighbour of site i in that shell, images counted; shape (shells, n, n).
    distances_angstrom
        Distance of each shell.
    """

    matrices: npt.NDArray[np.float64]
    distances_angstrom: tuple[float, ...]

    @classmethod
    def of(cls, atoms: Atoms, shells: int = SHELLS) -> Shells:
        """Find the first shells of a lattice."""
        from ase.neighborlist import neighbor_list

        reach = 2.5 * (atoms.get_volume() / len(atoms)) ** (1 / 3)
        first, second, distance = neighbor_list("ijd", atoms, reach)
        ordered = np.sort(distance)
        starts = ordered[np.diff(ordered, prepend=-1.0) > _SAME_SHELL_ANGSTROM][:shells]
        matrices = np.zeros((len(starts), len(atoms), len(atoms)))
        for number, start in enumerate(starts):
            inside = np.abs(distance - start) <= _SAME_SHELL_ANGSTROM
            np.add.at(matrices[number], (first[inside], second[inside]), 1.0)
        return cls(matrices, tuple(round(float(d), 4) for d in starts))

    def warren_cowley(self, numbers: Sequence[int], elements: Sequence[int]) -> npt.NDArray[np.float64]:
        """Short-range order a = 1 - P(ij)/(c_i c_j) of each shell and pair of elements; 0 for the random alloy.

        Cowley, J. Appl. Phys. 21, 24 (1950). P(ij) is the share of the shell's pairs that are i-j, in order.

        Returns
        -------
        ndarray
            Shape (shells, pairs), pairs i < j.
        """
        occupied = np.array([[n == e for n in numbers] for e in elements], dtype=float)
        shares = occupied.mean(axis=1)
        pairs = [(i, j) for i in range(len(elements)) for j in range(i + 1, len(elements))]
        totals = self.matrices.sum(axis=(1, 2))
        counts = np.einsum("ia,sab,jb->sij", occupied, self.matrices, occupied)
        return np.array(
            [[1 - c[i, j] / t / (shares[i] * shares[j]) for i, j in pairs] for c, t in zip(counts, totals, strict=True)]
        )

    def error(self, numbers: Sequence[int], elements: Sequence[int]) -> float:
        """Root mean square of the short-range order, shells weighted as 1/number: 0 for the ideal random alloy."""
        order = self.warren_cowley(numbers, elements)
        weights = 1 / np.arange(1, len(order) + 1)
        return float(np.sqrt(np.average((order**2).mean(axis=1), weights=weights)))
