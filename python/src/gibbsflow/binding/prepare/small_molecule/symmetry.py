"""The symmetry of a molecule's bonds."""

from __future__ import annotations

from rdkit import Chem

MOST_COUNTED = 10_000
"""Ways of mapping a molecule onto itself that are counted."""


def self_maps(mol: Chem.Mol) -> list[dict[int, int]]:
    """List the ways in which the heavy atoms of a molecule can be mapped onto themselves.

    Orders of bonds and formal charges do not count, since both may be drawn in several ways; elements, bonds, hydrogens
    and stereocentres do.

    Parameters
    ----------
    mol
        With all hydrogens.

    Returns
    -------
    list of dict
        Index of the atom that each heavy atom goes to, by its own; the identity among them, at most `MOST_COUNTED`.
    """
    places = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1]
    hydrogens = [atom.GetTotalNumHs(includeNeighbors=True) for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1]
    heavy = Chem.RWMol(Chem.RemoveAllHs(mol, sanitize=False))
    for atom, count in zip(heavy.GetAtoms(), hydrogens, strict=True):
        # what a mapping must keep besides the element goes into the isotope; its charge may be drawn elsewhere
        atom.SetIsotope(1 + count if atom.GetAtomicNum() == 6 else 0)
        atom.SetFormalCharge(0)
        atom.SetIsAromatic(False)
    for bond in heavy.GetBonds():
        bond.SetBondType(Chem.BondType.SINGLE)
        bond.SetIsAromatic(False)
    plain = heavy.GetMol()
    ways = plain.GetSubstructMatches(plain, uniquify=False, useChirality=True, maxMatches=MOST_COUNTED)
    return [{places[a]: places[b] for a, b in enumerate(way)} for way in ways or (range(len(places)),)]


def self_mappings(mol: Chem.Mol) -> int:
    """Count the ways in which the heavy atoms of a molecule can be mapped onto themselves.

    Parameters
    ----------
    mol
        With all hydrogens.

    Returns
    -------
    int
        At least 1; counted up to `MOST_COUNTED`.
    """
    return len(self_maps(mol))
