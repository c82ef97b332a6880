"""What hangs together in a structure: molecules, molecular ions, and atoms alone."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ase import Atoms

BOND, LEAST_ALLOWANCE_ANGSTROM = 1.2, 0.15
"""An atom's share of a bond: its covalent radius times the first, or the second more than it, whichever is more. For
H2 (0.75 Å) and F2 (1.42 Å), 1.2 sums of radii, 0.74 and 1.37 Å, are too few."""
NON_METALS = frozenset("H B C N O F P S Cl Se Br I".split())
"""Elements that molecular ions consist of; not silicon, whose bonds are the same in ions and in networks."""


@dataclass(frozen=True)
class Parts:
    """Parts of a structure, each of which hangs together by bonds.

    Attributes
    ----------
    of_atom
        Number of each atom's part, from 0, shape (n,).
    images
        Cell vectors by which each atom is shifted so that its part is whole, shape (n, 3).
    finite
        Of each part, whether it ends: False for networks, layers and chains.
    """

    of_atom: npt.NDArray[np.int_]
    images: npt.NDArray[np.int_]
    finite: npt.NDArray[np.bool_]

    @property
    def sizes(self) -> npt.NDArray[np.int_]:
        """Count the atoms of each part.

        Returns
        -------
        ndarray
            Shape (parts,).
        """
        return np.bincount(self.of_atom, minlength=len(self.finite))

    def several(self) -> list[npt.NDArray[np.int_]]:
        """List the atoms of each part that ends and has two or more.

        Returns
        -------
        list of ndarray
            Indices, rising.
        """
        wanted = np.flatnonzero(self.finite & (self.sizes > 1))
        return [np.flatnonzero(self.of_atom == part) for part in wanted]


def parts(atoms: Atoms, elements: frozenset[str] | None = None) -> Parts:
    """Follow the bonds of a structure, across its faces where it is periodic.

    Parameters
    ----------
    atoms
        The structure.
    elements
        Those that have bonds (:func:`bonds_of`); default: all.

    Returns
    -------
    Parts
        In the order of their first atoms.
    """
    bonds: list[list[tuple[int, npt.NDArray[np.int_]]]] = [[] for _ in range(len(atoms))]
    for i, j, image in zip(*bonds_of(atoms, elements), strict=True):
        bonds[i].append((int(j), image))
    of_atom, images = np.full(len(atoms), -1), np.zeros((len(atoms), 3), dtype=int)
    finite: list[bool] = []
    for first in range(len(atoms)):
        if of_atom[first] >= 0:
            continue
        of_atom[first], ends, queue = len(finite), True, deque([first])
        while queue:
            centre = queue.popleft()
            for end, image in bonds[centre]:
                there = images[centre] + image
                if of_atom[end] < 0:
                    of_atom[end], images[end] = len(finite), there
                    queue.append(end)
                # a way back to the same atom, in another cell
                ends = ends and bool(np.array_equal(images[end], there))
        finite.append(ends)
    return Parts(of_atom, images, np.array(finite, dtype=bool))


def bonds_of(
    atoms: Atoms, elements: frozenset[str] | None = None
) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """Find the bonds of a structure: distances up to 1.2 sums of covalent radii, small radii with 0.15 Å more each.

    Radii are those of Cordero et al., Dalton Trans. 2008, 2832, as in ASE.

    Parameters
    ----------
    atoms
        The structure.
    elements
        Those that have bonds; default: all.

    Returns
    -------
    tuple of ndarray
        First and second atom, shape (bonds,), and the second's cell, shape (bonds, 3); each bond from both ends.
    """
    from ase.neighborlist import natural_cutoffs, neighbor_list

    bonding = np.flatnonzero([elements is None or symbol in elements for symbol in atoms.symbols])
    if not len(bonding):  # as in a metal, of which a file may hold thousands
        return bonding, bonding, np.zeros((0, 3), dtype=int)
    chosen = atoms[bonding]
    radii = np.array(natural_cutoffs(chosen))  # type: ignore[no-untyped-call]
    radii = np.maximum(BOND * radii, radii + LEAST_ALLOWANCE_ANGSTROM)
    i, j, image = neighbor_list("ijS", chosen, radii)  # type: ignore[no-untyped-call]
    return bonding[i], bonding[j], image


def of_molecules(atoms: Atoms) -> bool:
    """Say whether most atoms of a periodic structure are in molecules: bonds that end within the cell, and its images.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    bool
        False for what is periodic nowhere, networks, layers and chains.
    """
    if not _has_volume(atoms):
        return False
    found = parts(atoms)
    return bool(found.finite.all() and 2 * found.sizes[found.sizes > 1].sum() > len(atoms))


def molecular_ions(atoms: Atoms) -> Parts | None:
    """Find the molecules and molecular ions among other atoms (CO3 in calcite, OH and water in a hydrate).

    Bonds are those between non-metals alone: from a cation to an oxygen it is no farther than a bond.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    Parts or None
        All parts, metals alone; None where no part of two atoms or more ends, and for what is periodic nowhere.
    """
    if not _has_volume(atoms):
        return None
    found = parts(atoms, NON_METALS)
    return found if found.several() else None


def _has_volume(atoms: Atoms) -> bool:
    finite = bool(np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all())
    return bool(atoms.pbc.any()) and finite and abs(float(np.linalg.det(atoms.cell.array))) >= 1e-3
