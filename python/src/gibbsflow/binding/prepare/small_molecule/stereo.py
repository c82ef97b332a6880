"""Stereochemistry as specified, held against a geometry: tetrahedral centres, double bonds, allenes, biaryl axes.

What RDKit has no tags for (axes, nitrogens that a bicycle keeps from turning over) is told by the sign of a dihedral.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdMolDescriptors

from gibbsflow.binding.prepare.small_molecule.axes import Axis, axes, label
from gibbsflow.units import Floats

_TRIES = 4
_LEAST_SINE = {"allene": 0.1, "biaryl": 0.1, "pyramid": 0.5}
"""Nearer to flat than this a geometry specifies nothing."""
SAME_SIDE = {
    Chem.BondStereo.STEREOZ: 1,
    Chem.BondStereo.STEREOCIS: 1,
    Chem.BondStereo.STEREOE: -1,
    Chem.BondStereo.STEREOTRANS: -1,
}
"""Of what is marked at a double bond: whether the neighbours that it names lie on the same side."""


@dataclass(frozen=True)
class Specified:
    """What is specified of a molecule's stereochemistry.

    Attributes
    ----------
    centres
        Chiral tags by atom index.
    bonds
        Dihedral's atoms of double bonds, and +1 for the same side (Z, cis), -1 for opposite sides.
    axes
        Axes and the sign of their dihedral, where a geometry gave it.
    dependent
        Centres of one ring system that differ by each other alone, as in cis-1,4-dimethylcyclohexane: turned over
        together they are the same isomer.
    """

    centres: dict[int, Any]
    bonds: dict[tuple[int, int, int, int], int]
    axes: dict[Axis, int]
    dependent: tuple[frozenset[int], ...] = ()

    def against(self, mol: Chem.Mol, conformer: int = -1) -> list[str]:
        """Say what a geometry has otherwise.

        Parameters
        ----------
        mol
            The molecule, atoms and bonds in the order that the specification was taken from.
        conformer
            Its conformer.

        Returns
        -------
        list of str
            One phrase for each element (``centre C5``); empty where all is as specified.
        """
        probe = Chem.Mol(mol, confId=conformer)
        xyz = np.asarray(probe.GetConformer().GetPositions())
        wrong = []
        if self.centres:
            Chem.AssignAtomChiralTagsFromStructure(probe, replaceExistingTags=True)
            tags = {i: _tag(probe, i, xyz) for i in self.centres}
            other = {i for i, tag in self.centres.items() if tags[i] != tag}
            for group in self.dependent:
                if group <= other:
                    other -= group
            wrong += [f"centre {label(mol, i)}" for i in sorted(other)]
        for atoms, side in self.bonds.items():
            if side * np.cos(_dihedral(xyz[list(atoms)])) <= 0:
                wrong.append(f"double bond {label(mol, atoms[1])}={label(mol, atoms[2])}")
        for axis, sign in self.axes.items():
            if sign * np.sin(_dihedral(xyz[list(axis.atoms)])) <= 0:
                wrong.append(axis.called(mol))
        return wrong


def specified(mol: Chem.Mol) -> Specified:
    """Take the stereochemistry that a molecule has: its marks, and its axes where it has a geometry.

    Parameters
    ----------
    mol
        With all hydrogens; axes of chirality are taken from its first conformer, if any.

    Returns
    -------
    Specified
        By atom index.
    """
    tetrahedral = (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW)
    tagged = (atom for atom in mol.GetAtoms() if atom.GetChiralTag() in tetrahedral and not resonant(atom))
    centres = {atom.GetIdx(): atom.GetChiralTag() for atom in tagged}
    bonds = {}
    for bond in mol.GetBonds():
        if bond.GetStereo() in SAME_SIDE and len(ends := list(bond.GetStereoAtoms())) == 2:
            atoms = (int(ends[0]), bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), int(ends[1]))
            bonds[atoms] = SAME_SIDE[bond.GetStereo()]
    signs = {}
    if mol.GetNumConformers():
        xyz = np.asarray(mol.GetConformer().GetPositions())
        sines = {axis: float(np.sin(_dihedral(xyz[list(axis.atoms)]))) for axis in axes(mol)}
        signs = {axis: 1 if sine > 0 else -1 for axis, sine in sines.items() if abs(sine) > _LEAST_SINE[axis.kind]}
    return Specified(centres, bonds, signs, _dependent(mol, set(centres)))


def _dependent(mol: Chem.Mol, centres: set[int]) -> tuple[frozenset[int], ...]:
    """Group the centres that have no label of their own, by ring system."""
    certain = Chem.FindMolChiralCenters(mol, includeUnassigned=True, useLegacyImplementation=True)
    loose = centres - {i for i, _ in certain}
    groups: list[set[int]] = []
    for ring in (set(ring) for ring in Chem.GetSymmSSSR(mol)):
        joined = [group for group in groups if group & ring]
        groups = [group for group in groups if not group & ring] + [ring.union(*joined)]
    return tuple(frozenset(group & loose) for group in groups if group & loose)


def tag_by_geometry(mol: Chem.Mol) -> None:
    """Give a molecule the stereochemistry of its geometry.

    Parameters
    ----------
    mol
        With a conformer; changed in place. Centres that resonance makes none (:func:`resonant`) get no tag.
    """
    Chem.AssignStereochemistryFrom3D(mol)
    for atom in mol.GetAtoms():
        if resonant(atom):
            atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)


def resonant(atom: Chem.Atom) -> bool:
    """Say whether two neighbours of an atom differ by how they are drawn alone, as in phosphate esters and sulfinates.

    Parameters
    ----------
    atom
        Any atom.

    Returns
    -------
    bool
        True for sulfur and phosphorus with an outer oxygen or sulfur of each kind, ``=O`` and ``[O-]``.
    """
    if atom.GetAtomicNum() not in (15, 16):
        return False
    kinds: dict[int, set[bool]] = {}
    for bond in atom.GetBonds():
        outer = bond.GetOtherAtom(atom)
        charged = outer.GetFormalCharge() == -1
        if outer.GetAtomicNum() in (8, 16) and outer.GetDegree() == 1 and outer.GetTotalNumHs() == 0:  # noqa: PLR2004
            if charged or bond.GetBondType() == Chem.BondType.DOUBLE:
                kinds.setdefault(outer.GetAtomicNum(), set()).add(charged)
    return any(len(kind) > 1 for kind in kinds.values())


def open_elements(mol: Chem.Mol) -> list[str]:
    """List the stereochemistry that a molecule leaves open in its graph.

    Parameters
    ----------
    mol
        With all hydrogens.

    Returns
    -------
    list of str
        Centres and double bonds, as phrases (``centre C5``); some may allow one geometry only.
    """
    unmarked = Chem.StereoSpecified.Unspecified
    return [called(mol, element) for element in potential_elements(mol) if element.specified == unmarked]


def called(mol: Chem.Mol, element: Element) -> str:
    """Name an element in words.

    Parameters
    ----------
    mol
        The molecule.
    element
        Of its centres and double bonds.

    Returns
    -------
    str
        As ``centre C5`` or ``double bond C2=C3``.
    """
    if element.type != Chem.StereoType.Bond_Double:
        return f"centre {label(mol, element.centeredOn)}"
    bond = mol.GetBondWithIdx(element.centeredOn)
    return "double bond " + "=".join(label(mol, i) for i in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))


@dataclass(frozen=True)
class Element:
    """A centre or double bond that could be stereogenic, as RDKit's ``StereoInfo`` has it.

    Attributes
    ----------
    type, centeredOn, specified
        As there: kind, index of atom or bond, whether it is marked.
    """

    type: Any
    centeredOn: int  # noqa: N815
    specified: Any


def potential_elements(mol: Chem.Mol) -> list[Element]:
    """List the centres and double bonds that could be stereogenic, as RDKit does, without those of allenes.

    Parameters
    ----------
    mol
        With all hydrogens.

    Returns
    -------
    list of Element
        Centres that only the labels of others make stereogenic, as in ribitol, are the last.
    """
    kinds = (centre, _) = Chem.StereoType.Atom_Tetrahedral, Chem.StereoType.Bond_Double
    infos = [info for info in Chem.FindPotentialStereo(mol) if info.type in kinds and not _cumulated(mol, info)]
    found = [Element(info.type, info.centeredOn, info.specified) for info in infos]
    known = {element.centeredOn for element in found if element.type == centre}
    labelled = Chem.FindMolChiralCenters(mol, includeUnassigned=True, useLegacyImplementation=True)
    dependent = [i for i, label in labelled if label == "?" and i not in known]
    found += [Element(centre, i, Chem.StereoSpecified.Unspecified) for i in dependent]
    return [e for e in found if e.type != centre or not resonant(mol.GetAtomWithIdx(e.centeredOn))]


def several_isomers(mol: Chem.Mol) -> bool:
    """Say whether the open elements distinguish isomers, as at the bridgeheads of a cage they do not.

    An open double bond or spiro centre does. Else one isomer is embedded; each open centre alone, and all of them, are
    turned over, and what is not the same molecule then is embedded in its turn.

    Parameters
    ----------
    mol
        With all hydrogens.

    Returns
    -------
    bool
        True where two isomers have a geometry, or none was found.
    """
    still = [i for i in potential_elements(mol) if i.specified == Chem.StereoSpecified.Unspecified]
    spiro: list[int] = []
    rdMolDescriptors.CalcNumSpiroAtoms(mol, atoms=spiro)  # type: ignore[arg-type]  # RDKit's stub is wrong
    if any(info.type == Chem.StereoType.Bond_Double or info.centeredOn in spiro for info in still):
        return True  # SMILES do not tell the isomers of a spirane apart
    base = _embedded(mol)
    if base is None:
        return bool(still)
    known = _isomer_smiles(base)
    for turned in [*([info] for info in still), still]:
        trial = Chem.Mol(base)
        for info in turned:
            trial.GetAtomWithIdx(info.centeredOn).InvertChirality()
        if _isomer_smiles(trial) == known:
            continue
        if len(turned) == len(potential_elements(mol)):
            return True  # a mirror image is as possible as its original
        other = _embedded(trial)
        if other is not None and not specified(trial).against(other) and _isomer_smiles(other) != known:
            return True
    return False


def _embedded(mol: Chem.Mol) -> Chem.Mol | None:
    """One geometry, tagged by what it is; None where none is found soon."""
    trial = Chem.Mol(mol)
    trial.RemoveAllConformers()
    parameters: Any = rdDistGeom.ETKDGv3()
    parameters.randomSeed, parameters.maxIterations, parameters.numThreads = 7, _TRIES, 1
    if rdDistGeom.EmbedMolecule(trial, parameters) < 0:
        return None
    tag_by_geometry(trial)
    return trial


def _isomer_smiles(mol: Chem.Mol) -> str:
    return str(Chem.CanonSmiles(Chem.MolToSmiles(Chem.RemoveHs(mol))))


def _cumulated(mol: Chem.Mol, info: Any) -> bool:
    if info.type != Chem.StereoType.Bond_Double:
        return False
    bond = mol.GetBondWithIdx(info.centeredOn)
    ends = (bond.GetBeginAtom(), bond.GetEndAtom())
    return any(sum(b.GetBondType() == Chem.BondType.DOUBLE for b in end.GetBonds()) > 1 and end.GetDegree() == 2
               for end in ends)  # fmt: skip


def _tag(probe: Chem.Mol, i: int, xyz: Floats) -> Any:
    """Tag of a centre by its geometry; three neighbours are looked at here, as RDKit tags no phosphines so."""
    atom = probe.GetAtomWithIdx(i)
    tag = atom.GetChiralTag()
    if tag == Chem.ChiralType.CHI_UNSPECIFIED and atom.GetDegree() == 3:  # noqa: PLR2004
        a, b, c = (xyz[bond.GetOtherAtomIdx(i)] - xyz[i] for bond in atom.GetBonds())
        volume = float(a @ np.cross(b, c))
        tag = Chem.ChiralType.CHI_TETRAHEDRAL_CCW if volume > 0 else Chem.ChiralType.CHI_TETRAHEDRAL_CW
    return tag


def _dihedral(points: Floats | Sequence[Floats]) -> float:
    """Dihedral of four points, in radians."""
    a, b, c, d = np.asarray(points)
    axis = (c - b) / np.linalg.norm(c - b)
    v = (a - b) - ((a - b) @ axis) * axis
    w = (d - c) - ((d - c) @ axis) * axis
    return float(np.arctan2(np.cross(axis, v) @ w, v @ w))
