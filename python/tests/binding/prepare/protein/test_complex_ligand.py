"""A ligand out of a complex: its coordinates by residue, its bonds from a SMILES."""

import numpy as np
import pytest
from peptides import hetero, peptide
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.prepare.protein.complex_ligand import find_ligand, write_ligand
from gibbsflow.errors import InputError

SMILES = "C[C@H](O)c1ccccc1"


@pytest.fixture
def complex_pdb(tmp_path):
    mol = Chem.AddHs(Chem.MolFromSmiles(SMILES))
    AllChem.EmbedMolecule(mol, randomSeed=7)
    mol = Chem.RemoveHs(mol)
    records = ""
    for number in (500, 501):
        for atom, (x, y, z) in zip(mol.GetAtoms(), mol.GetConformer().GetPositions(), strict=True):
            name = f"{atom.GetSymbol()}{atom.GetIdx()}"
            records += hetero("UNL", number, name, atom.GetSymbol(), x + 30 + number, y, z)
    path = tmp_path / "complex.pdb"
    path.write_text(peptide("NALA SER CGLY") + "TER\n" + records + "END\n")
    return path, mol.GetConformer().GetPositions()


def test_bonds_and_isomer_are_those_of_the_smiles(complex_pdb, tmp_path):
    path, positions = complex_pdb
    residue = write_ligand(path, "UNL:A:501", SMILES, tmp_path / "l.sdf")
    mol = Chem.MolFromMolFile(str(tmp_path / "l.sdf"))
    Chem.AssignStereochemistryFrom3D(mol)
    assert residue.label == "A:501" and Chem.MolToSmiles(mol) == Chem.CanonSmiles(SMILES)
    assert np.allclose(mol.GetConformer().GetPositions() - positions, [531, 0, 0], atol=1e-3)


@pytest.mark.parametrize(
    ("wanted", "smiles", "told"),
    [
        ("UNL", SMILES, "2 residues UNL: A:500, A:501"),
        ("XYZ", SMILES, "no residue XYZ .*UNL:A:500"),
        ("UNL:A:500", "CCO", "9 heavy atoms, the SMILES 3"),
        ("UNL:A:500", "CC(O)CCCCCC", "not joined as those of"),
    ],
)
def test_what_is_not_that_molecule(complex_pdb, tmp_path, wanted, smiles, told):
    with pytest.raises(InputError, match=told):
        write_ligand(complex_pdb[0], wanted, smiles, tmp_path / "l.sdf")


def test_one_of_its_name(complex_pdb):
    assert find_ligand(complex_pdb[0], "UNL:A:500").number == "500"
