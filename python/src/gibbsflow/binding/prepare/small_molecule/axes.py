"""What is stereogenic and has no tag in RDKit: allenes, biaryls, and pyramids that do not turn over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rdkit import Chem
from rdkit.Chem import rdqueries

SMALL_RING = 8
"""Rings of fewer atoms hold no trans double bond, and their bridgeheads keep a nitrogen from turning over."""


@dataclass(frozen=True)
class Axis:
    """What is stereogenic without a tag: an allene, a biaryl that cannot turn, a pyramid that cannot turn over.

    Attributes
    ----------
    atoms
        A substituent at one end, both ends, and a substituent at the other end: the dihedral that tells the isomers.
        Of a pyramid: a neighbour, the centre, and its two other neighbours.
    kind
        ``allene``, ``biaryl`` or ``pyramid``.
    """

    atoms: tuple[int, int, int, int]
    kind: str

    def called(self, mol: Chem.Mol) -> str:
        """Name it in words.

        Parameters
        ----------
        mol
            The molecule.

        Returns
        -------
        str
            As ``allene axis C2-C4``, or ``centre N9``.
        """
        if self.kind == "pyramid":
            return f"centre {label(mol, self.atoms[1])}"
        return f"{self.kind} axis {label(mol, self.atoms[1])}-{label(mol, self.atoms[2])}"

    def through(self, place: Mapping[int, int]) -> Axis:
        """Return the same axis in another order of the atoms.

        Parameters
        ----------
        place
            New index of each atom.

        Returns
        -------
        Axis
            By the new indices.
        """
        a, b, c, d = self.atoms
        return Axis((place[a], place[b], place[c], place[d]), self.kind)


def axes(mol: Chem.Mol) -> list[Axis]:
    """Find the axes of chirality that RDKit has no marks for.

    Parameters
    ----------
    mol
        With all hydrogens.

    Returns
    -------
    list of Axis
        Allenes with two different substituents at both ends; biaryls with two different sides at both ends and three
        or four ortho substituents; phosphines, and nitrogens at the head of a bicycle, with three different neighbours.
    """
    ranks = list(Chem.CanonicalRankAtoms(mol, breakTies=False, includeChirality=True))
    found = []
    for atom in mol.GetAtoms():
        double = [b for b in atom.GetBonds() if b.GetBondType() == Chem.BondType.DOUBLE]
        if atom.GetDegree() == len(double) == 2 and not atom.IsInRing():
            ends = [b.GetOtherAtom(atom) for b in double]
            sides = [_sides(ends[k], [atom.GetIdx()], ranks) for k in (0, 1)]
            if all(sides):
                found.append(Axis((sides[0][0], ends[0].GetIdx(), ends[1].GetIdx(), sides[1][0]), "allene"))
    for bond in mol.GetBonds():
        ends = [bond.GetBeginAtom(), bond.GetEndAtom()]
        if bond.IsInRing() or bond.GetBondType() != Chem.BondType.SINGLE or not all(e.GetIsAromatic() for e in ends):
            continue
        sides = [_sides(ends[k], [ends[1 - k].GetIdx()], ranks) for k in (0, 1)]
        ortho = [mol.GetAtomWithIdx(i) for pair in sides for i in pair]
        substituted = sum(any(n.GetAtomicNum() > 1 and not _in_ring_with(a, n) for n in a.GetNeighbors())
                          or _fused(a) for a in ortho)  # fmt: skip
        if all(sides) and substituted > 2:  # noqa: PLR2004
            found.append(Axis((sides[0][0], ends[0].GetIdx(), ends[1].GetIdx(), sides[1][0]), "biaryl"))
    rings = [set(ring) for ring in Chem.GetSymmSSSR(mol) if len(ring) < SMALL_RING]
    heads = {
        i
        for i in (atom.GetIdx() for atom in mol.GetAtomsMatchingQuery(rdqueries.IsBridgeheadQueryAtom()))
        if sum(i in ring for ring in rings) > 1  # larger ones let it turn over, as the ureas of cucurbiturils
    }
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() == 15 or (atom.GetAtomicNum() == 7 and atom.GetIdx() in heads):  # noqa: PLR2004
            others = sorted((n.GetIdx() for n in atom.GetNeighbors()), key=lambda i: -ranks[i])
            if len(others) == len({ranks[i] for i in others}) == atom.GetTotalValence() == 3:  # noqa: PLR2004
                found.append(Axis((others[0], atom.GetIdx(), others[1], others[2]), "pyramid"))
    return found


def cumulenes(mol: Chem.Mol) -> list[tuple[int, int, int, int]]:
    """Find the allenes of a molecule, chiral or not.

    Parameters
    ----------
    mol
        With all hydrogens.

    Returns
    -------
    list of tuple
        A substituent at one end, both ends, and a substituent at the other end, of each whose ends have some.
    """
    found = []
    for atom in mol.GetAtoms():
        if atom.GetDegree() != 2 or any(b.GetBondType() != Chem.BondType.DOUBLE for b in atom.GetBonds()):  # noqa: PLR2004
            continue
        ends = [bond.GetOtherAtom(atom) for bond in atom.GetBonds()]
        outer = [[n.GetIdx() for n in end.GetNeighbors() if n.GetIdx() != atom.GetIdx()] for end in ends]
        if len(outer[0]) == len(outer[1]) == 2:  # noqa: PLR2004
            found.append((outer[0][0], ends[0].GetIdx(), ends[1].GetIdx(), outer[1][0]))
    return found


def _sides(atom: Chem.Atom, without: list[int], ranks: list[int]) -> tuple[int, ...]:
    """Both other neighbours of an end, the higher rank first; empty where they are equal or not two."""
    others = sorted((n.GetIdx() for n in atom.GetNeighbors() if n.GetIdx() not in without), key=lambda i: -ranks[i])
    return tuple(others) if len(others) == 2 and ranks[others[0]] != ranks[others[1]] else ()  # noqa: PLR2004


def _in_ring_with(a: Chem.Atom, b: Chem.Atom) -> bool:
    bond = a.GetOwningMol().GetBondBetweenAtoms(a.GetIdx(), b.GetIdx())
    return bool(bond.IsInRing())


def _fused(atom: Chem.Atom) -> bool:
    return sum(bond.IsInRing() for bond in atom.GetBonds()) > 2  # noqa: PLR2004


def label(mol: Chem.Mol, i: int) -> str:
    """Name an atom as messages do.

    Parameters
    ----------
    mol
        The molecule.
    i
        Index of the atom.

    Returns
    -------
    str
        Element and number from 1, as ``C5``.
    """
    return f"{mol.GetAtomWithIdx(i).GetSymbol()}{i + 1}"
