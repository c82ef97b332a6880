"""Coordinates that cannot be those of the molecule, and those that can."""

import numpy as np
import pytest
from known_molecules import B2, CB7
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.small_molecule.coordinates import coordinate_faults


def butanol() -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles("CC[C@H](C)O"))
    AllChem.EmbedMolecule(mol, randomSeed=3)
    return mol


def told(mol: Chem.Mol, change) -> str:
    conformer = mol.GetConformer()
    xyz = np.array(conformer.GetPositions())
    conformer.SetPositions(change(xyz))
    return "; ".join(fault.what for fault in coordinate_faults(mol, "structure"))


def moved(first: int, *others: int):
    def change(xyz):
        xyz[list(others)] = xyz[first] if first >= 0 else 0.0
        return xyz

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda xyz: xyz / 10, "14 of 14 bonds have no length of a bond"),
        (lambda xyz: xyz / 0.529177, "14 of 14 bonds have no length of a bond"),
        (moved(-1, 5, 6), "of 14 bonds have no length of a bond"),
        (moved(9, 10), "of 14 bonds have no length of a bond"),
        (lambda xyz: xyz * np.array([1, 1, 0]), "all atoms lie in one plane"),
        (lambda xyz: xyz * np.nan, "no finite numbers"),
        (lambda xyz: xyz * 1.1 + 7.0, ""),
    ],
)
def test_coordinates(change, expected):
    said = told(butanol(), change)
    assert expected in said and bool(expected) == bool(said)


def test_the_worst_bond_is_named_with_its_length():
    def away(xyz):
        xyz[8] = xyz[2] + [50.0, 0.0, 0.0]
        return xyz

    bonded = butanol().GetAtomWithIdx(8).GetNeighbors()[0]
    assert f"{bonded.GetSymbol()}{bonded.GetIdx() + 1}-H9 (" in told(butanol(), away)


def test_two_molecules_in_one_place():
    assert "are at one place" in told(Chem.CombineMols(butanol(), butanol()), lambda xyz: xyz)


def test_a_drawing_with_hydrogens_of_a_flat_molecule():
    mol = Chem.AddHs(Chem.MolFromSmiles("c1ccccc1O"))
    AllChem.Compute2DCoords(mol)
    assert "6 of 13 bonds have no length of a bond" in told(mol, lambda xyz: xyz)


@pytest.mark.parametrize(
    "smiles", ["FS(F)(F)(F)(F)c1ccccc1", "Ic1ccccc1", "CSSC", "C#CC#N", "C1CC1", "[H][H]", "BrC(Br)(Br)Br"]
)
def test_ordinary_bonds(smiles):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    assert coordinate_faults(mol, "structure") == []


def test_files_of_the_field():
    assert [molecules.from_file(path).notes[:0] for path in (B2, CB7)] == [(), ()]
