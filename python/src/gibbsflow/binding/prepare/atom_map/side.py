"""What the search for a map, its score and its check ask of each of the two molecules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from rdkit import Chem

from gibbsflow.units import Floats

_FLAT = 0.2
"""Of the volume that three unit vectors span, and of a dihedral's cosine: nearer to 0 nothing is told by the sign."""
_TETRAHEDRAL = 4
_PYRAMIDAL = (15, 16)
"""Phosphorus and sulfur with three neighbours keep their configuration, nitrogen turns over."""


@dataclass(frozen=True)
class Side:
    """One of the two molecules.

    Attributes
    ----------
    mol
        With all hydrogens, sanitised, and one conformer.
    """

    mol: Chem.Mol

    @cached_property
    def xyz(self) -> Floats:
        """Coordinates of all atoms.

        Returns
        -------
        ndarray
            Shape (atoms, 3), Å.
        """
        return np.asarray(self.mol.GetConformer().GetPositions(), dtype=float)

    @cached_property
    def numbers(self) -> list[int]:
        """Atomic numbers.

        Returns
        -------
        list of int
            Of each atom.
        """
        return [atom.GetAtomicNum() for atom in self.mol.GetAtoms()]

    @cached_property
    def heavy(self) -> list[int]:
        """Atoms that are not hydrogen.

        Returns
        -------
        list of int
            Their indices, ascending.
        """
        return [i for i, number in enumerate(self.numbers) if number > 1]

    @cached_property
    def neighbours(self) -> list[frozenset[int]]:
        """Atoms bonded to each atom.

        Returns
        -------
        list of frozenset of int
            By atom.
        """
        return [frozenset(n.GetIdx() for n in atom.GetNeighbors()) for atom in self.mol.GetAtoms()]

    @cached_property
    def rings(self) -> list[frozenset[int]]:
        """Smallest rings, with all that are equivalent, so that they do not hang on the order of atoms.

        Returns
        -------
        list of frozenset of int
            Atoms of each.
        """
        return [frozenset(ring) for ring in Chem.GetSymmSSSR(self.mol)]

    @cached_property
    def rings_of(self) -> list[list[int]]:
        """Rings that each atom is in.

        Returns
        -------
        list of list of int
            Numbers of `rings`, by atom.
        """
        return [[k for k, ring in enumerate(self.rings) if i in ring] for i in range(self.mol.GetNumAtoms())]

    @cached_property
    def saturated(self) -> list[bool]:
        """Which atoms are sp3.

        Returns
        -------
        list of bool
            By atom.
        """
        return [atom.GetHybridization() == Chem.HybridizationType.SP3 for atom in self.mol.GetAtoms()]

    @cached_property
    def centres(self) -> frozenset[int]:
        """Tetrahedral stereocentres, specified or not, those of a ring that are so by each other among them.

        Returns
        -------
        frozenset of int
            Their indices.
        """
        return frozenset(s.centeredOn for s in self._stereo if s.type == Chem.StereoType.Atom_Tetrahedral)

    @cached_property
    def double_bonds(self) -> frozenset[frozenset[int]]:
        """Double bonds that have an E and a Z form.

        Returns
        -------
        frozenset of frozenset of int
            Both atoms of each.
        """
        found = [s.centeredOn for s in self._stereo if s.type == Chem.StereoType.Bond_Double]
        bonds = [self.mol.GetBondWithIdx(k) for k in found]
        return frozenset(frozenset((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())) for bond in bonds)

    @cached_property
    def _stereo(self) -> list[Chem.StereoInfo]:
        return list(Chem.FindPotentialStereo(Chem.Mol(self.mol), cleanIt=False))

    def in_ring_bond(self, i: int, j: int) -> bool:
        """Say whether a bond is part of a ring.

        Parameters
        ----------
        i, j
            Bonded atoms.

        Returns
        -------
        bool
            False for one between rings.
        """
        return bool(self.mol.GetBondBetweenAtoms(i, j).IsInRing())

    def hydrogens(self, i: int) -> list[int]:
        """List the hydrogens of an atom.

        Parameters
        ----------
        i
            The atom.

        Returns
        -------
        list of int
            Ascending.
        """
        return sorted(j for j in self.neighbours[i] if self.numbers[j] == 1)

    def holds_its_form(self, i: int) -> bool:
        """Say whether an atom is pyramidal and cannot turn over by itself.

        Parameters
        ----------
        i
            The atom.

        Returns
        -------
        bool
            True for four neighbours, and for phosphorus and sulfur with three that are no plane.
        """
        count = len(self.neighbours[i])
        return count == _TETRAHEDRAL or (
            count == _TETRAHEDRAL - 1 and self.numbers[i] in _PYRAMIDAL and self.saturated[i]
        )

    def handedness(self, centre: int, arms: tuple[int, int, int]) -> int:
        """Tell in which sense three neighbours go round an atom.

        Parameters
        ----------
        centre
            The atom.
        arms
            Three of its neighbours, in order.

        Returns
        -------
        int
            +1, -1, or 0 where they lie in a plane with it.
        """
        v = self.xyz[list(arms)] - self.xyz[centre]
        volume = float(np.linalg.det(v / np.linalg.norm(v, axis=1)[:, None]))
        return 0 if abs(volume) < _FLAT else int(np.sign(volume))

    def same_side(self, a: int, x: int, y: int, b: int) -> int:
        """Tell whether the ends of a dihedral are on one side of its middle bond.

        Parameters
        ----------
        a, x, y, b
            Atoms of the dihedral.

        Returns
        -------
        int
            +1 for one side, -1 for opposite sides, 0 where it is not told.
        """
        axis = self.xyz[y] - self.xyz[x]
        axis = axis / np.linalg.norm(axis)
        u, v = self.xyz[a] - self.xyz[x], self.xyz[b] - self.xyz[y]
        u, v = u - (u @ axis) * axis, v - (v @ axis) * axis
        size = float(np.linalg.norm(u) * np.linalg.norm(v))
        cosine = float(u @ v) / size if size > 0 else 0.0
        return 0 if abs(cosine) < _FLAT else int(np.sign(cosine))


def inversions(a: Side, b: Side, pairs: Mapping[int, int]) -> list[tuple[int, ...]]:
    """Find what a map would have to turn inside out: stereocentres, and double bonds between E and Z.

    Parameters
    ----------
    a, b
        The two molecules.
    pairs
        Atoms of b by those of a.

    Returns
    -------
    list of tuple of int
        Atoms of a that take part: of a centre itself and its neighbours, of a double bond both and two neighbours.
    """
    found: list[tuple[int, ...]] = []
    back = {j: i for i, j in pairs.items()}
    for i in sorted({*a.centres, *(back[j] for j in b.centres if j in back)} & pairs.keys()):
        j = pairs[i]
        arms = sorted(k for k in a.neighbours[i] if k in pairs and pairs[k] in b.neighbours[j])
        if not (a.holds_its_form(i) and b.holds_its_form(j)):
            continue
        for three in combinations(arms, 3):
            ours, theirs = a.handedness(i, three), b.handedness(j, (pairs[three[0]], pairs[three[1]], pairs[three[2]]))
            if ours * theirs < 0:
                found.append((i, *arms))
                break
    bonds = {*a.double_bonds, *(frozenset(back[j] for j in bond) for bond in b.double_bonds if bond <= back.keys())}
    for x, y in sorted(tuple(sorted(bond)) for bond in bonds if bond <= pairs.keys()):
        if not _both_double(a, b, x, y, pairs):
            continue
        for m in sorted(a.neighbours[x] - {y}):
            for n in sorted(a.neighbours[y] - {x}):
                if m in pairs and n in pairs and m != n:
                    ours, theirs = a.same_side(m, x, y, n), b.same_side(pairs[m], pairs[x], pairs[y], pairs[n])
                    if ours * theirs < 0:
                        found.append((x, y, m, n))
    return found


def _both_double(a: Side, b: Side, x: int, y: int, pairs: Mapping[int, int]) -> bool:
    bonds = a.mol.GetBondBetweenAtoms(x, y), b.mol.GetBondBetweenAtoms(pairs[x], pairs[y])
    return all(bond is not None and bond.GetBondType() == Chem.BondType.DOUBLE for bond in bonds)
