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
    taken = write_ligand(path, "UNL:A:501", SMILES, tmp_path / "l.sdf", {})
    mol = Chem.MolFromMolFile(str(tmp_path / "l.sdf"))
    Chem.AssignStereochemistryFrom3D(mol)
    assert (taken.residue.label, taken.smiles) == ("A:501", SMILES) and Chem.MolToSmiles(mol) == Chem.CanonSmiles(
        SMILES
    )
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
        write_ligand(complex_pdb[0], wanted, smiles, tmp_path / "l.sdf", {})


@pytest.mark.parametrize("first", ["phenyl", "cyclohexyl"])
def test_a_ring_is_aromatic_where_its_lengths_say(tmp_path, first):
    smiles = "c1ccccc1C1CCCCC1" if first == "phenyl" else "C1CCCCC1c1ccccc1"
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=7)
    mol = Chem.RemoveHs(mol)
    places = mol.GetConformer().GetPositions()
    records = "".join(hetero("UNL", 500, f"C{k}", "C", x + 30, y, z) for k, (x, y, z) in enumerate(places))
    path = tmp_path / "complex.pdb"
    path.write_text(peptide("NALA SER CGLY") + "TER\n" + records + "END\n")
    for given in ("c1ccccc1C1CCCCC1", "C1CCCCC1c1ccccc1"):
        found = Chem.MolFromMolFile(str(write_ligand(path, "UNL", given, tmp_path / "l.sdf", {}).pose))
        assert [a.GetIsAromatic() for a in found.GetAtoms()] == [a.GetIsAromatic() for a in mol.GetAtoms()]


def test_one_of_its_name(complex_pdb):
    assert find_ligand(complex_pdb[0], "UNL:A:500", {}).number == "500"


@pytest.mark.parametrize(
    ("given", "taken"), [("CC(O)c1ccccc1", SMILES), (SMILES, SMILES), ("C[C@@H](O)c1ccccc1", "C[C@@H](O)c1ccccc1")]
)
def test_the_isomer_is_that_of_the_coordinates_where_the_smiles_leaves_it_open(complex_pdb, tmp_path, given, taken):
    found = write_ligand(complex_pdb[0], "UNL:A:500", given, tmp_path / "l.sdf", {})
    assert Chem.CanonSmiles(found.smiles) == Chem.CanonSmiles(taken)
    assert ("its isomer that of the coordinates" in found.note) == ("@" not in given)


@pytest.mark.parametrize(("altlocs", "shift"), [({}, 1.0), ({"A:500": "A"}, 0.0)])
def test_the_location_that_is_asked_for(complex_pdb, tmp_path, altlocs, shift):
    path, positions = complex_pdb
    lines = []
    for line in path.read_text().splitlines():
        if " UNL A 501" in line:
            continue
        if " UNL A 500" in line:
            lines.append(f"{line[:16]}A{line[17:54]}  0.30{line[60:]}")
            line = f"{line[:16]}B{line[17:30]}{float(line[30:38]) + 1:8.3f}{line[38:54]}  0.70{line[60:]}"
        lines.append(line)
    path.write_text("\n".join(lines))
    taken = write_ligand(path, "UNL", SMILES, tmp_path / "l.sdf", altlocs)
    mol = Chem.MolFromMolFile(str(taken.pose))
    assert np.allclose(mol.GetConformer().GetPositions() - positions, [530 + shift, 0, 0], atol=1e-3)
