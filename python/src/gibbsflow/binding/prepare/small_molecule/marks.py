"""Marks of SMILES and wedges of files that would be lost, or that contradict the geometry."""

from __future__ import annotations

from typing import Any

from rdkit import Chem

from gibbsflow.binding.prepare.small_molecule.axes import SMALL_RING, axes, label
from gibbsflow.binding.prepare.small_molecule.stereo import (
    SAME_SIDE,
    called,
    potential_elements,
    several_isomers,
)


def marks_against_geometry(block: str) -> list[str]:
    """Say where the wedges of an SDF with a geometry contradict that geometry.

    Parameters
    ----------
    block
        One molecule of an SDF.

    Returns
    -------
    list of str
        The centres; empty for a file without wedges.
    """
    mol = Chem.MolFromMolBlock(block, removeHs=False)
    if mol is None or mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D():
        return []
    drawn = Chem.Mol(mol)
    Chem.ReapplyMolBlockWedging(drawn)
    wedges = (Chem.BondDir.BEGINWEDGE, Chem.BondDir.BEGINDASH)
    marked = {bond.GetBeginAtomIdx() for bond in drawn.GetBonds() if bond.GetBondDir() in wedges}
    if not marked:
        return []
    for atom in drawn.GetAtoms():
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    Chem.AssignChiralTypesFromBondDirs(drawn, replaceExistingTags=True)
    Chem.AssignAtomChiralTagsFromStructure(mol, replaceExistingTags=True)
    pairs = {i: (drawn.GetAtomWithIdx(i).GetChiralTag(), mol.GetAtomWithIdx(i).GetChiralTag()) for i in sorted(marked)}
    none = Chem.ChiralType.CHI_UNSPECIFIED
    return [f"centre {label(mol, i)}" for i, (a, b) in pairs.items() if none not in (a, b) and a != b]


def lost_marks(smiles: str) -> list[str]:
    """Say which marks of a SMILES specify what RDKit cannot keep.

    Parameters
    ----------
    smiles
        A valid one.

    Returns
    -------
    list of str
        Axes of allenes, trans double bonds in rings of less than eight atoms, and marks that RDKit drops though isomers
        differ there, as in alkylidene cyclohexanes, spiranes and Tröger's base; empty for all others.
    """
    raw = Chem.MolFromSmiles(smiles, sanitize=False)
    if raw is None:
        return []
    said = []
    Chem.FastFindRings(raw)
    for atom in raw.GetAtoms():
        double = [b for b in atom.GetBonds() if b.GetBondType() == Chem.BondType.DOUBLE]
        if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED and len(double) == atom.GetDegree() == 2:  # noqa: PLR2004
            said.append(f"the axis of the allene at {label(raw, atom.GetIdx())}")
    rings = [set(ring) for ring in Chem.GetSymmSSSR(raw) if len(ring) < SMALL_RING]
    for bond in raw.GetBonds():
        ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        ring = next((r for r in rings if set(ends) <= r), None)
        if ring is None or bond.GetBondType() != Chem.BondType.DOUBLE:
            continue
        above = [_above(raw.GetAtomWithIdx(i), ring, other) for i, other in zip(ends, reversed(ends), strict=True)]
        if None not in above and above[0] != above[1]:
            said.append(f"a trans double bond in a ring of {len(ring)}")
    return said or _dropped_marks(smiles, raw)


def _dropped_marks(smiles: str, raw: Chem.Mol) -> list[str]:
    """Marks of a SMILES that are gone once it is read, at elements that tell isomers apart."""
    parameters: Any = Chem.SmilesParserParams()
    parameters.removeHs = False
    read = Chem.MolFromSmiles(smiles, parameters)
    unmarked = Chem.ChiralType.CHI_UNSPECIFIED
    gone = [
        atom.GetIdx()
        for atom, kept in zip(raw.GetAtoms(), read.GetAtoms(), strict=True)
        if atom.GetChiralTag() != unmarked and kept.GetChiralTag() == unmarked
    ]
    sided = [
        bond.GetIdx()
        for bond in raw.GetBonds()
        if bond.GetBondType() == Chem.BondType.DOUBLE
        and all(_slashed(end) for end in (bond.GetBeginAtom(), bond.GetEndAtom()))
        and read.GetBondWithIdx(bond.GetIdx()).GetStereo() not in SAME_SIDE
    ]
    if not gone and not sided:
        return []
    whole = Chem.AddHs(read)
    pyramids = [axis for axis in axes(whole) if axis.kind == "pyramid" and axis.atoms[1] in gone]
    said = [axis.called(whole) for axis in pyramids]
    for element in potential_elements(whole):
        marked = sided if element.type == Chem.StereoType.Bond_Double else gone
        if element.specified == Chem.StereoSpecified.Unspecified and element.centeredOn in marked:
            said.append(called(whole, element))
    if not pyramids and said and not several_isomers(whole):
        return []  # as at the bridgeheads of a cage
    return list(dict.fromkeys(said))


def _slashed(atom: Chem.Atom) -> bool:
    return any(b.GetBondDir() in (Chem.BondDir.ENDUPRIGHT, Chem.BondDir.ENDDOWNRIGHT) for b in atom.GetBonds())


def _above(atom: Chem.Atom, ring: set[int], other: int) -> bool | None:
    """Whether the neighbour in the ring lies above a double bond's end, by the slashes of a SMILES."""
    for bond in atom.GetBonds():
        neighbour = bond.GetOtherAtomIdx(atom.GetIdx())
        if neighbour == other or bond.GetBondDir() not in (Chem.BondDir.ENDUPRIGHT, Chem.BondDir.ENDDOWNRIGHT):
            continue
        up = (bond.GetBondDir() == Chem.BondDir.ENDUPRIGHT) == (bond.GetBeginAtomIdx() == atom.GetIdx())
        return up if neighbour in ring else not up
    return None
