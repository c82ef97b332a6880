"""Walls that keep atoms from the middle of others, at any distance: a bond from a site without mass.

The pull code refuses distances above 0.49 of the box. A bond does not: its potential is nil from the wall on and takes
the nearest images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gibbsflow.units import Ints

_FAR_NM = 1000.0
"""Where the bond would begin to pull: in no box."""


@dataclass(frozen=True)
class Walls:
    """Atoms that are kept from the middle of others: U = 1/2 K (least − d)² where they are nearer, else 0.

    Attributes
    ----------
    molecules
        Which molecule of the topology each atom is in, shape (N,): those of the centre are one, as a site is in one
        molecule with the atoms that it is the mean of.
    centre
        Atoms whose plain mean is the middle; all at their images nearest to the first.
    kept
        Atom, distance (nm) and K (kJ/mol/nm²) of each wall.
    """

    molecules: Ints
    centre: tuple[int, ...]
    kept: tuple[tuple[int, float, float], ...]

    @property
    def order(self) -> Ints:
        """Atoms as the topology has them.

        Returns
        -------
        ndarray
            Shape (N + 1,); -1 for the site, which is the last of its molecule.
        """
        order = np.argsort(self.molecules, kind="stable")
        (inside,) = np.nonzero(self.molecules[order] == self.molecules[self.centre[0]])
        return np.insert(order, inside[-1] + 1, -1)

    def text(self) -> str:
        """Write the bonds, atoms counted over the whole system.

        Returns
        -------
        str
            Last section of a ``.top``; the same in state B.
        """
        place = {int(atom): row + 1 for row, atom in enumerate(self.order)}
        rows = []
        for atom, least_nm, k in self.kept:
            values = f"{least_nm:.12g} {_FAR_NM:g} {_FAR_NM:g} {k:.12g}"
            rows.append(f"{place[-1]} {place[atom]} 10 {values} {values}\n")
        return "[ intermolecular_interactions ]\n[ bonds ]\n" + "".join(rows)


def as_one(molecules: Ints, atoms: Sequence[int]) -> Ints:
    """Take the molecules of some atoms for one, in the place of the first of them.

    Parameters
    ----------
    molecules
        Which molecule each atom is in, shape (N,).
    atoms
        At least one.

    Returns
    -------
    ndarray
        The same, counted from 0, shape (N,).
    """
    those = np.unique(molecules[list(atoms)])
    joined = np.where(np.isin(molecules, those), those[0], molecules)
    return np.unique(joined, return_inverse=True)[1].astype(np.int32)
