"""Rings of a topology, and bonds that go through them: a start that nothing mends, and that looks sound otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from scipy.spatial import cKDTree

from gibbsflow.units import Floats, Ints

LARGEST = 8
"""Atoms of a ring that nothing fits through; macrocycles are made for guests."""
LONGEST_ANGSTROM = 3.0
"""A bond's middle is nearer to the middle of a ring that it goes through than this."""
_NEARLY_PARALLEL = 1e-9


def small_rings(bonds: Ints) -> list[tuple[int, ...]]:
    """Find the rings of 4 to 8 atoms.

    Parameters
    ----------
    bonds
        Pairs of atoms, shape (M, 2).

    Returns
    -------
    list of tuple
        Atoms of each, in the order in which they are bonded. Triangles of rigid water are none.
    """
    atoms = np.unique(bonds)
    place = {int(atom): k for k, atom in enumerate(atoms)}
    mol = Chem.RWMol()
    for _ in atoms:
        mol.AddAtom(Chem.Atom(0))
    for a, b in {tuple(sorted(pair)) for pair in bonds.tolist()}:
        mol.AddBond(place[a], place[b], Chem.BondType.SINGLE)
    rings = Chem.GetSymmSSSR(mol)
    return [tuple(int(atoms[k]) for k in ring) for ring in rings if 3 < len(ring) <= LARGEST]  # noqa: PLR2004


def pierced_rings(
    positions_angstrom: Floats, rings: Sequence[tuple[int, ...]], bonds: Ints
) -> list[tuple[tuple[int, ...], tuple[int, int]]]:
    """Find bonds that go through rings.

    Parameters
    ----------
    positions_angstrom
        Shape (N, 3), Å; molecules whole.
    rings
        From :func:`small_rings`.
    bonds
        Pairs of atoms, shape (M, 2).

    Returns
    -------
    list
        Ring and bond of each; a ring's face is the triangles between its edges and its middle.
    """
    if not rings or not len(bonds):
        return []
    middles = np.array([positions_angstrom[list(ring)].mean(axis=0) for ring in rings])
    near = cKDTree(positions_angstrom[bonds].mean(axis=1)).query_ball_point(middles, LONGEST_ANGSTROM)
    found = []
    for ring, middle, candidates in zip(rings, middles, near, strict=True):
        own, corners = set(ring), positions_angstrom[list(ring)]
        for index in sorted(candidates):
            a, b = (int(atom) for atom in bonds[index])
            if a in own or b in own:
                continue
            ends = positions_angstrom[a], positions_angstrom[b]
            if any(_crosses(*ends, middle, corners[k - 1], corners[k]) for k in range(len(ring))):
                found.append((ring, (a, b)))
    return found


def _crosses(start: Floats, end: Floats, p: Floats, q: Floats, r: Floats) -> bool:
    """Whether a segment goes through a triangle (Möller, Trumbore, J. Graph. Tools 2, 21 (1997))."""
    along, first, second = end - start, q - p, r - p
    normal = np.cross(along, second)
    determinant = float(first @ normal)
    if abs(determinant) < _NEARLY_PARALLEL:
        return False
    offset = start - p
    u = float(offset @ normal) / determinant
    turned = np.cross(offset, first)
    v = float(along @ turned) / determinant
    t = float(second @ turned) / determinant
    return u >= 0 and v >= 0 and u + v <= 1 and 0 <= t <= 1
