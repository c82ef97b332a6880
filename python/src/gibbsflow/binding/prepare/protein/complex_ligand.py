"""A ligand taken from the file of a complex: its coordinates by residue, its bond orders from a SMILES."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rdkit import Chem
from rdkit.Geometry import Point3D

from gibbsflow.binding.prepare.protein.atom_records import read_structure
from gibbsflow.binding.prepare.protein.residues import Residue, residues_of
from gibbsflow.binding.prepare.small_molecule.mapping import laid_by_lengths
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.account import Account


@dataclass(frozen=True)
class TakenLigand:
    """A ligand that was taken from the file of a complex.

    Attributes
    ----------
    residue
        Where it is in the file, one alternate location of it.
    pose
        SDF with its heavy atoms, in the frame of the complex.
    smiles
        As given; with the isomer of its coordinates where what was given leaves it open.
    note
        What was taken, in words.
    """

    residue: Residue
    pose: Path
    smiles: str
    note: str


def find_ligand(path: Path, wanted: str, altlocs: Mapping[str, str]) -> Residue:
    """Find the residue that is the ligand.

    Parameters
    ----------
    path
        PDB or mmCIF file of the complex.
    wanted
        NAME, or NAME:CHAIN:NUMBER where there are several of that name.
    altlocs
        Alternate location to take, by CHAIN:NUMBER.

    Returns
    -------
    Residue
        One alternate location of it.

    Raises
    ------
    InputError
        Where there is none, or more than one.
    """
    name, _, label = wanted.partition(":")
    residues = residues_of(read_structure(path), Account(str(path)), altlocs)
    named = [r for r in residues if r.name == name]
    found = [r for r in named if label in ("", r.label, r.read_as)]
    if len(found) == 1:
        return found[0]
    if found:
        what = f"{len(found)} residues {name}: {', '.join(r.label for r in found[:8])}"
        right = f"one of them, as {name}:{found[0].label}"
    else:
        what = f"no residue {wanted}"
        beside = sorted({f"{r.name}:{r.label}" for r in (named or [r for r in residues if r.hetero])})
        right = f"one that is there: {', '.join(beside[:8]) or 'none stands beside the protein'}"
    raise InputError(Problem(str(path), what, right, field="ligand_residue"))


def write_ligand(path: Path, wanted: str, smiles: str, out: Path, altlocs: Mapping[str, str]) -> TakenLigand:
    """Write the ligand of a complex as SDF, with the bond orders of a SMILES.

    Parameters
    ----------
    path
        PDB or mmCIF file of the complex.
    wanted
        NAME, or NAME:CHAIN:NUMBER.
    smiles
        The same molecule, as protonated in the complex.
    out
        File to write; heavy atoms alone, in the frame of the complex.
    altlocs
        Alternate location to take, by CHAIN:NUMBER.

    Returns
    -------
    TakenLigand
        Where the ligand is in the file, and its isomer.

    Raises
    ------
    InputError
        Where it is not there, or its atoms are not those of the SMILES.
    """
    residue = find_ligand(path, wanted, altlocs)
    template = Chem.MolFromSmiles(smiles)
    if template is None:
        raise InputError(Problem("command line", f"{smiles!r} is no SMILES", "a SMILES", field="smiles"))
    heavy = [value for value in residue.atoms.values() if value[0] != "H"]
    if len(heavy) != template.GetNumAtoms():
        what = f"{residue.called} has {len(heavy)} heavy atoms, the SMILES {template.GetNumAtoms()}"
        raise InputError(Problem(str(path), what, "the same molecule, whole", residue.line or None, "ligand_residue"))
    placed = laid_by_lengths(template, _by_distance(heavy))
    if placed is None:
        what = f"the atoms of {residue.called} are not joined as those of {smiles}"
        raise InputError(Problem(str(path), what, "the same molecule, whole", residue.line or None, "ligand_residue"))
    mol, open_to = placed
    Chem.AssignStereochemistryFrom3D(mol)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(Chem.MolToMolBlock(mol) + "$$$$\n")
    isomer = _isomer(template, mol)
    note = f"the ligand is {residue.called} of the complex"
    if isomer is not None:
        note += f", its isomer that of the coordinates: {isomer}"
    if open_to:
        note += "; by its bond lengths multiple bonds might as well be elsewhere, and a pose as SDF would tell"
    return TakenLigand(residue, out, isomer or smiles, note)


def _isomer(template: Chem.Mol, placed: Chem.Mol) -> str | None:
    """SMILES of a template with the stereochemistry of its coordinates; None where it leaves none of it open.

    Where what it says is another isomer it is left alone: who maps the pose refuses that by name.
    """
    said, there = Chem.MolToSmiles(template), Chem.MolToSmiles(placed)
    return there if said != there and placed.HasSubstructMatch(template, useChirality=True) else None


def _by_distance(atoms: Sequence[tuple[str, tuple[float, float, float]]]) -> Chem.Mol:
    """Heavy atoms joined by single bonds where they are as near as covalent radii say."""
    mol = Chem.RWMol()
    conformer = Chem.Conformer(len(atoms))
    for k, (element, xyz) in enumerate(atoms):
        mol.AddAtom(Chem.Atom(element.capitalize()))
        conformer.SetAtomPosition(k, Point3D(*xyz))
    table = Chem.GetPeriodicTable()
    radii = [table.GetRcovalent(atom.GetAtomicNum()) for atom in mol.GetAtoms()]
    for a in range(len(atoms)):
        for b in range(a):
            distance = conformer.GetAtomPosition(a).Distance(conformer.GetAtomPosition(b))
            if distance < radii[a] + radii[b] + 0.4:
                mol.AddBond(a, b, Chem.BondType.SINGLE)
    mol.AddConformer(conformer)
    return mol.GetMol()
