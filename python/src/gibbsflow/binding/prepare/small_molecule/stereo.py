"""Stereochemistry as specified, held against a geometry: tetrahedral centres, double bonds, allenes, biaryl axes.

What RDKit has no tags for (axes, nitrogens that a bicycle keeps from turning over) is told by the sign of a dihedral.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdMolDescriptors, rdqueries

from gibbsflow.units import Floats

_SMALL_RING = 8
_TRIES = 4
_LEAST_SINE = {"allene": 0.1, "biaryl": 0.1, "pyramid": 0.5}
"""Nearer to flat than this a geometry specifies nothing."""
_SAME_SIDE = {
    Chem.BondStereo.STEREOZ: 1,
    Chem.BondStereo.STEREOCIS: 1,
    Chem.BondStereo.STEREOE: -1,
    Chem.BondStereo.STEREOTRANS: -1,
}


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
            return f"centre {_label(mol, self.atoms[1])}"
        return f"{self.kind} axis {_label(mol, self.atoms[1])}-{_label(mol, self.atoms[2])}"

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
            wrong += [f"centre {_label(mol, i)}" for i in sorted(other)]
        for atoms, side in self.bonds.items():
            if side * np.cos(_dihedral(xyz[list(atoms)])) <= 0:
                wrong.append(f"double bond {_label(mol, atoms[1])}={_label(mol, atoms[2])}")
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
        if bond.GetStereo() in _SAME_SIDE and len(ends := list(bond.GetStereoAtoms())) == 2:
            atoms = (int(ends[0]), bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), int(ends[1]))
            bonds[atoms] = _SAME_SIDE[bond.GetStereo()]
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
    rings = [set(ring) for ring in Chem.GetSymmSSSR(mol) if len(ring) < _SMALL_RING]
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
    return [_called(mol, element) for element in potential_elements(mol) if element.specified == unmarked]


def _called(mol: Chem.Mol, element: Element) -> str:
    if element.type != Chem.StereoType.Bond_Double:
        return f"centre {_label(mol, element.centeredOn)}"
    bond = mol.GetBondWithIdx(element.centeredOn)
    return "double bond " + "=".join(_label(mol, i) for i in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))


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
    return [f"centre {_label(mol, i)}" for i, (a, b) in pairs.items() if none not in (a, b) and a != b]


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
            said.append(f"the axis of the allene at {_label(raw, atom.GetIdx())}")
    rings = [set(ring) for ring in Chem.GetSymmSSSR(raw) if len(ring) < _SMALL_RING]
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
        and read.GetBondWithIdx(bond.GetIdx()).GetStereo() not in _SAME_SIDE
    ]
    if not gone and not sided:
        return []
    whole = Chem.AddHs(read)
    pyramids = [axis for axis in axes(whole) if axis.kind == "pyramid" and axis.atoms[1] in gone]
    said = [axis.called(whole) for axis in pyramids]
    for element in potential_elements(whole):
        marked = sided if element.type == Chem.StereoType.Bond_Double else gone
        if element.specified == Chem.StereoSpecified.Unspecified and element.centeredOn in marked:
            said.append(_called(whole, element))
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


def _cumulated(mol: Chem.Mol, info: Any) -> bool:
    if info.type != Chem.StereoType.Bond_Double:
        return False
    bond = mol.GetBondWithIdx(info.centeredOn)
    ends = (bond.GetBeginAtom(), bond.GetEndAtom())
    return any(sum(b.GetBondType() == Chem.BondType.DOUBLE for b in end.GetBonds()) > 1 and end.GetDegree() == 2
               for end in ends)  # fmt: skip


def _sides(atom: Chem.Atom, without: list[int], ranks: list[int]) -> tuple[int, ...]:
    """Both other neighbours of an end, the higher rank first; empty where they are equal or not two."""
    others = sorted((n.GetIdx() for n in atom.GetNeighbors() if n.GetIdx() not in without), key=lambda i: -ranks[i])
    return tuple(others) if len(others) == 2 and ranks[others[0]] != ranks[others[1]] else ()  # noqa: PLR2004


def _in_ring_with(a: Chem.Atom, b: Chem.Atom) -> bool:
    bond = a.GetOwningMol().GetBondBetweenAtoms(a.GetIdx(), b.GetIdx())
    return bool(bond.IsInRing())


def _fused(atom: Chem.Atom) -> bool:
    return sum(bond.IsInRing() for bond in atom.GetBonds()) > 2  # noqa: PLR2004


def _tag(probe: Chem.Mol, i: int, xyz: Floats) -> Any:
    """Tag of a centre by its geometry; three neighbours are looked at here, as RDKit tags no phosphines so."""
    atom = probe.GetAtomWithIdx(i)
    tag = atom.GetChiralTag()
    if tag == Chem.ChiralType.CHI_UNSPECIFIED and atom.GetDegree() == 3:  # noqa: PLR2004
        a, b, c = (xyz[bond.GetOtherAtomIdx(i)] - xyz[i] for bond in atom.GetBonds())
        volume = float(a @ np.cross(b, c))
        tag = Chem.ChiralType.CHI_TETRAHEDRAL_CCW if volume > 0 else Chem.ChiralType.CHI_TETRAHEDRAL_CW
    return tag


def _label(mol: Chem.Mol, i: int) -> str:
    return f"{mol.GetAtomWithIdx(i).GetSymbol()}{i + 1}"


def _dihedral(points: Floats | Sequence[Floats]) -> float:
    """Dihedral of four points, in radians."""
    a, b, c, d = np.asarray(points)
    axis = (c - b) / np.linalg.norm(c - b)
    v = (a - b) - ((a - b) @ axis) * axis
    w = (d - c) - ((d - c) @ axis) * axis
    return float(np.arctan2(np.cross(axis, v) @ w, v @ w))
