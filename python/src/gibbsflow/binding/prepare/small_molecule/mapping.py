"""Which heavy atom of a pose is which of the ligand: by bond orders, by resonance and charge, by lengths at last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rdkit import Chem

from gibbsflow.binding.prepare.small_molecule.faults import Fault, MoleculeError
from gibbsflow.binding.prepare.small_molecule.stereo import Specified, specified, tag_by_geometry

MOST_MATCHES = 2000
LENGTH_TOLERANCE_ANGSTROM = 0.15
"""Deviation from usual bond lengths that every bond of a geometry keeps to; a ketone is no alcohol within it."""
_ORDER_SHORTENS_ANGSTROM = {1.0: 0.0, 1.5: 0.12, 2.0: 0.20, 3.0: 0.32}


def map_pose(ligand: Chem.Mol, pose: Chem.Mol, source: str) -> tuple[list[int], list[str]]:
    """Map the heavy atoms of a ligand to those of a pose that holds the same molecule and stereoisomer.

    Parameters
    ----------
    ligand
        With all hydrogens and its stereochemistry.
    pose
        As read from its file, with coordinates; hydrogens and bond orders may be missing or drawn in another way.
    source
        What messages call the pose.

    Returns
    -------
    match
        For each heavy atom of the ligand, its index among the heavy atoms of `pose`.
    notes
        Where it is drawn in another way.

    Raises
    ------
    MoleculeError
        Where the pose holds another molecule, or another stereoisomer.
    """
    bare, theirs = heavy_only(ligand), heavy_only(pose)
    names = Chem.MolToSmiles(_clean(ligand)), _pose_smiles(pose)
    wanted = specified(bare)
    same_size = bare.GetNumAtoms() == theirs.GetNumAtoms() and bare.GetNumBonds() == theirs.GetNumBonds()
    forms = (_exact, _delocalised) if _has_orders(theirs, bare) else (_skeleton,)
    for form in forms if same_size else ():
        matches = list(_matches(form(bare), form(theirs)))
        if not matches:
            continue
        ranked = sorted(matches, key=lambda match: _misfit(bare, theirs, match)) if form is _skeleton else matches
        if form is _skeleton:
            ranked = [match for match in ranked if _fits(ligand, pose, bare, theirs, match)]
        if not ranked:
            what = f"{source}: has no double bonds, nor the bond lengths and hydrogens of the ligand, {names[0]}"
            raise MoleculeError([Fault("pose", what, "the bound pose of the ligand of this row, with its bonds")])
        for match in ranked:
            if not _against(wanted, bare, theirs, match):
                other = [f"the pose is drawn as {names[1]}; the ligand's own form, {names[0]}, is taken"]
                said = {
                    _exact: [] if _form(ligand) == _form(pose) else other,
                    _delocalised: other,
                    _skeleton: ["the pose has no bond orders; its atoms were mapped by bond lengths"],
                }[form]
                return match, said
        wrong = ", ".join(dict.fromkeys(_against(wanted, bare, theirs, ranked[0])))
        kind = "enantiomer" if _mirrored(wanted, bare, theirs, ranked) else "stereoisomer"
        found = _isomer_smiles(bare, theirs, ranked[0])
        what = f"{source}: holds another stereoisomer, {found} (an {kind}; {wrong})".replace("an stereo", "a stereo")
        raise MoleculeError([Fault("pose", what, f"the isomer of this row, {names[0]}")])
    raise MoleculeError([Fault("pose", f"{source}: holds {names[1]}", f"the ligand of this row, {names[0]}")])


def _matches(ours: Chem.Mol, theirs: Chem.Mol) -> Iterator[list[int]]:
    yield from (
        list(match)
        for match in theirs.GetSubstructMatches(ours, uniquify=False, useChirality=False, maxMatches=MOST_MATCHES)
    )


def laid_by_lengths(ligand: Chem.Mol, joined: Chem.Mol) -> tuple[Chem.Mol, bool] | None:
    """Put a ligand on atoms whose bonds have no orders, so that lengths are those of its bonds.

    Parameters
    ----------
    ligand
        Its heavy atoms, with bond orders.
    joined
        The same atoms with coordinates, in any order, joined by single bonds.

    Returns
    -------
    tuple or None
        `ligand` with the coordinates and in the order of `joined`, and whether lengths leave it open where its multiple
        bonds are; None where the atoms are joined otherwise.
    """
    if ligand.GetNumBonds() != joined.GetNumBonds():
        return None
    found = sorted((_misfit(ligand, joined, match), match) for match in _matches(_skeleton(ligand), _skeleton(joined)))
    if not found:
        return None
    shared = _delocalised(ligand)

    def _orders(match: list[int]) -> set[tuple[frozenset[int], float]]:
        return {
            (frozenset((match[b.GetBeginAtomIdx()], match[b.GetEndAtomIdx()])), b.GetBondTypeAsDouble())
            for b in shared.GetBonds()
        }

    (least, best), others = found[0], found[1:]
    taken = _orders(best)
    near = [match for misfit, match in others if misfit < least + LENGTH_TOLERANCE_ANGSTROM]
    placed = _posed(ligand, joined, best)
    back = sorted(range(len(best)), key=lambda k: best[k])
    mol = Chem.RenumberAtoms(placed, back)
    Chem.SanitizeMol(mol)
    return mol, any(_orders(match) != taken for match in near)


def symmetries(mol: Chem.Mol, most: int = 200) -> list[list[int]]:
    """List the ways to number the heavy atoms of a molecule that make no difference: flipped rings, carboxylates.

    Parameters
    ----------
    mol
        With all hydrogens.
    most
        Ways that are listed at most.

    Returns
    -------
    list of list of int
        The identity first.
    """
    bare = _delocalised(heavy_only(mol))
    same = list(range(bare.GetNumAtoms()))
    found = bare.GetSubstructMatches(bare, uniquify=False, useChirality=False, maxMatches=most)
    return [same, *(list(match) for match in found if list(match) != same)]


def heavy_only(mol: Chem.Mol) -> Chem.Mol:
    """Remove all hydrogens, not sanitised: those of deuterium and at imines too.

    Parameters
    ----------
    mol
        Any molecule.

    Returns
    -------
    Chem.Mol
        A copy, heavy atoms in their order.
    """
    parameters: Any = Chem.RemoveHsParameters()  # RDKit's stubs give the fields the wrong type
    parameters.removeDefiningBondStereo = True
    parameters.removeDegreeZero = True
    parameters.removeIsotopes = True
    parameters.removeWithWedgedBond = True
    return Chem.RemoveHs(mol, parameters, sanitize=False)


def _clean(mol: Chem.Mol) -> Chem.Mol:
    return Chem.RemoveHs(mol)


def _form(mol: Chem.Mol) -> str:
    """SMILES with its charges and hydrogens, without stereochemistry and isotopes."""
    bare = heavy_only(mol)
    bare.UpdatePropertyCache(strict=False)
    return str(Chem.MolToSmiles(bare, isomericSmiles=False))


def _pose_smiles(pose: Chem.Mol) -> str:
    """SMILES of the pose by its geometry."""
    mol = Chem.Mol(pose)
    tag_by_geometry(mol)
    return str(Chem.MolToSmiles(_clean(mol)))


def _has_orders(theirs: Chem.Mol, ours: Chem.Mol) -> bool:
    """Whether a pose has bond orders at all: any multiple bond, or none to be expected."""
    multiple = [any(bond.GetBondTypeAsDouble() > 1 for bond in mol.GetBonds()) for mol in (theirs, ours)]
    return multiple[0] or not multiple[1]


def _exact(mol: Chem.Mol) -> Chem.Mol:
    """Elements, bond orders and formal charges."""
    return _stripped(mol)


def _delocalised(mol: Chem.Mol) -> Chem.Mol:
    """Elements and bond orders, those of conjugated bonds all equal: the same for resonance and protonation forms."""
    copy = _stripped(mol)
    for atom in copy.GetAtoms():
        atom.SetFormalCharge(0)
        atom.SetIsAromatic(False)
    for bond, original in zip(copy.GetBonds(), mol.GetBonds(), strict=True):
        if original.GetIsConjugated() or original.GetIsAromatic() or _in_oxo_group(original):
            bond.SetBondType(Chem.BondType.ONEANDAHALF)
        bond.SetIsAromatic(False)
    return copy


def _in_oxo_group(bond: Chem.Bond) -> bool:
    """Bonds of nitro, phosphate, sulfonate and the like to their outer oxygens and sulfurs."""
    for centre, outer in ((bond.GetBeginAtom(), bond.GetEndAtom()), (bond.GetEndAtom(), bond.GetBeginAtom())):
        if outer.GetAtomicNum() in (8, 16) and outer.GetDegree() == 1 and centre.GetAtomicNum() in (7, 15, 16):
            return True
    return False


def _skeleton(mol: Chem.Mol) -> Chem.Mol:
    """Elements joined by single bonds."""
    copy = _stripped(mol)
    for atom in copy.GetAtoms():
        atom.SetFormalCharge(0)
        atom.SetIsAromatic(False)
    for bond in copy.GetBonds():
        bond.SetBondType(Chem.BondType.SINGLE)
        bond.SetIsAromatic(False)
    return copy


def _stripped(mol: Chem.Mol) -> Chem.Mol:
    bare = Chem.RWMol(mol)
    for atom in bare.GetAtoms():
        atom.SetNoImplicit(True)
        atom.SetNumExplicitHs(0)
        atom.SetIsotope(0)
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    for bond in bare.GetBonds():
        bond.SetStereo(Chem.BondStereo.STEREONONE)
    return bare.GetMol()


def _posed(bare: Chem.Mol, theirs: Chem.Mol, match: list[int]) -> Chem.Mol:
    mol = Chem.Mol(bare)
    mol.RemoveAllConformers()
    conformer = Chem.Conformer(mol.GetNumAtoms())
    for i, k in enumerate(match):
        conformer.SetAtomPosition(i, theirs.GetConformer().GetAtomPosition(k))
    conformer.Set3D(True)
    mol.AddConformer(conformer, assignId=True)
    mol.UpdatePropertyCache(strict=False)
    return mol


def _against(wanted: Specified, bare: Chem.Mol, theirs: Chem.Mol, match: list[int]) -> list[str]:
    return wanted.against(_posed(bare, theirs, match))


def _mirrored(wanted: Specified, bare: Chem.Mol, theirs: Chem.Mol, matches: list[list[int]]) -> bool:
    """Whether the mirror image of the pose would be the isomer."""
    for match in matches:
        mol = _posed(bare, theirs, match)
        conformer = mol.GetConformer()
        for i, (x, y, z) in enumerate(conformer.GetPositions()):
            conformer.SetAtomPosition(i, (-x, y, z))
        if not wanted.against(mol):
            return True
    return False


def _isomer_smiles(bare: Chem.Mol, theirs: Chem.Mol, match: list[int]) -> str:
    mol = _posed(bare, theirs, match)
    tag_by_geometry(mol)
    return str(Chem.MolToSmiles(mol))


def _fits(ligand: Chem.Mol, pose: Chem.Mol, bare: Chem.Mol, theirs: Chem.Mol, match: list[int]) -> bool:
    """Whether lengths, and hydrogens on carbons where the pose has some, are those of the ligand."""
    ours, drawn = (
        sum(n.GetAtomicNum() == 1 for a in mol.GetAtoms() if a.GetAtomicNum() == 6 for n in a.GetNeighbors())  # noqa: PLR2004
        for mol in (ligand, pose)
    )
    return drawn in (0, ours) and max(_away(bare, theirs, match), default=0.0) < LENGTH_TOLERANCE_ANGSTROM


def _misfit(bare: Chem.Mol, theirs: Chem.Mol, match: list[int]) -> float:
    """Sum of what the pose's bond lengths deviate from usual ones, in Å."""
    return float(sum(_away(bare, theirs, match)))


def _away(bare: Chem.Mol, theirs: Chem.Mol, match: list[int]) -> list[float]:
    table = Chem.GetPeriodicTable()
    xyz = np.asarray(theirs.GetConformer().GetPositions())[match]
    away = []
    for bond in bare.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        usual = sum(table.GetRcovalent(bare.GetAtomWithIdx(k).GetAtomicNum()) for k in (i, j))
        order = 1.5 if bond.GetIsAromatic() else bond.GetBondTypeAsDouble()
        too_long = float(np.linalg.norm(xyz[i] - xyz[j])) - usual + _ORDER_SHORTENS_ANGSTROM.get(order, 0.0)
        # what is drawn single beside a double bond may be anything between, as in amides and carboxylates
        partly = order == 1.0 and (bond.GetIsConjugated() or _in_oxo_group(bond))
        away.append(max(too_long, -too_long - (0.2 if partly else 0.0), 0.0))
    return away
