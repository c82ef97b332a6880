"""Molecules from SMILES and files: what is refused, with which words, and what is mended."""

import numpy as np
import pytest
from known_molecules import B2, CB7
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import settle_stereo
from gibbsflow.binding.prepare.molecules import MoleculeError


def told_of_smiles(smiles, charge=None):
    with pytest.raises(MoleculeError) as caught:
        molecules.from_smiles(smiles, charge)
    return str(caught.value)


def told_of_file(path):
    with pytest.raises(MoleculeError) as caught:
        molecules.from_file(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("c1cccc1x", "syntax error"),
        ("C1CC", "unclosed ring"),
        ("CC(C", "parentheses"),
        ("C(C)(C)(C)(C)C", "valence"),
        ("c1ccccc1C(=O", "is no valid SMILES"),
        ("CC(=O)[O-].[Na+]", "2 separate fragments: 'CC(=O)[O-]' and '[Na+]'"),
        ("CCO.O", "2 separate fragments"),
        ("[Fe]", "GAFF has no parameters for Fe"),
        ("[Pt](Cl)(Cl)(N)N", "GAFF has no parameters for Pt"),
        ("OB(O)c1ccccc1", "GAFF has no parameters for B"),
        ("C*", "GAFF has no parameters for *"),
        ("[CH3]", "9 electrons, 1 of them unpaired"),
        ("C[N]C", "unpaired"),
        ("[N]=O", "15 electrons, 1 of them unpaired"),
        ("[O][O]", "16 electrons, 2 of them unpaired"),
        ("O=O", "16 electrons, 2 of them unpaired in the ground state"),
        ("[18O]=O", "2 of them unpaired in the ground state"),
        ("[H][H]", "[H][H]: GAFF has no parameters for a bond H-H"),
        ("F", "[H]F: GAFF has no parameters for a bond H-F"),
        ("[2H]Cl", "GAFF has no parameters for a bond H-Cl"),
        ("I", "GAFF has no parameters for a bond H-I"),
        ("C[BrH+]", "GAFF has no parameters for a bond H-Br"),
        ("F[H-]F", "GAFF has no parameters for a bond H-F"),
        ("S=O", "24 electrons, 2 of them unpaired in the ground state"),
    ],
)
def test_smiles_that_are_refused(smiles, expected):
    assert expected in told_of_smiles(smiles)


@pytest.mark.parametrize(
    "smiles", ["OO", "[O-][O-]", "O=[O+][O-]", "O=S=O", "N#N", "[C-]#[O+]", "NO", "FF", "O", "S", "P"]
)
def test_closed_shells_near_those_that_are_open(smiles):
    assert molecules.from_smiles(smiles).smiles


def test_charge_must_agree():
    assert molecules.from_smiles("C[NH3+]", 1).charge == 1
    assert "charge: 0 given, but the smiles has a net charge of 1" in told_of_smiles("C[NH3+]", 0)


def test_mol2_and_sdf_give_the_same_molecule(tmp_path):
    mol2 = molecules.from_file(B2)
    sdf = molecules.from_file(molecules.write_sdf(mol2, tmp_path / "b2.sdf", "b2"))
    assert settle_stereo(sdf).smiles == settle_stereo(mol2).smiles == "OCC12CCC(CO)(CC1)CC2"
    assert np.allclose(sdf.positions_angstrom, mol2.positions_angstrom, atol=1e-4)
    assert mol2.residue_names == ("B2",) and sdf.residue_names == ("b2",)


def test_host_of_the_demo():
    host = molecules.from_file(CB7)
    assert (host.mol.GetNumAtoms(), host.charge, host.notes) == (126, 0, ())


def embedded(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    return mol


def test_missing_hydrogens_are_added_in_place(tmp_path):
    bare = Chem.RemoveHs(embedded("CCO"))
    path = tmp_path / "ethanol.sdf"
    path.write_text(Chem.MolToMolBlock(bare))
    read = molecules.from_file(path)
    assert read.mol.GetNumAtoms() == 9
    assert "6 hydrogens that ethanol.sdf lacks were added" in read.notes[0]
    assert np.allclose(read.positions_angstrom[:3], bare.GetConformer().GetPositions(), atol=1e-4)


@pytest.mark.parametrize("smiles", ["CCO", "c1ccccc1", "OCC12CCC(CC1)(CC2)CO"])
def test_drawings_have_no_coordinates(tmp_path, smiles):
    mol = Chem.MolFromSmiles(smiles)
    AllChem.Compute2DCoords(mol)
    path = tmp_path / "drawn.sdf"
    path.write_text(Chem.MolToMolBlock(mol))
    assert "no 3-D coordinates" in told_of_file(path)


def test_a_flat_molecule_may_be_flat(tmp_path):
    mol = embedded("c1ccccc1")
    conformer = mol.GetConformer()
    xyz = np.asarray(conformer.GetPositions())
    flat = (xyz - xyz.mean(0)) @ np.linalg.svd(xyz - xyz.mean(0))[2].T
    for i, (x, y, _) in enumerate(flat):
        conformer.SetAtomPosition(i, [float(x), float(y), 0.0])
    path = tmp_path / "benzene.sdf"
    path.write_text(Chem.MolToMolBlock(mol))
    assert molecules.from_file(path).mol.GetNumAtoms() == 12


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.sdf", "", "holds no molecules"),
        ("a.sdf", "this is\nno molecule\n\nat all\n", "not readable"),
        ("a.mol2", "@<TRIPOS>MOLECULE\nx\n 3 0\n", "not readable"),
        ("a.mol2", "nothing", "holds no molecules"),
    ],
)
def test_unreadable_files(tmp_path, name, content, expected):
    path = tmp_path / name
    path.write_text(content)
    assert expected in told_of_file(path)


def test_two_molecules_in_one_file(tmp_path):
    path = tmp_path / "two.sdf"
    path.write_text((Chem.MolToMolBlock(embedded("CCO")) + "$$$$\n") * 2)
    assert "holds 2 molecules" in told_of_file(path)


def test_all_atoms_at_one_point(tmp_path):
    mol = embedded("CCO")
    for i in range(mol.GetNumAtoms()):
        mol.GetConformer().SetAtomPosition(i, [0.0, 0.0, 0.0])
    path = tmp_path / "zero.sdf"
    path.write_text(Chem.MolToMolBlock(mol))
    assert "all atoms at one point" in told_of_file(path)


def test_atom_names_are_unique():
    names = molecules.atom_names(molecules.from_file(CB7).mol)
    assert len(set(names)) == 126 and names[0] == "N1" and max(map(len, names)) <= 4


def test_isotopes_of_a_smiles_are_told():
    assert "2H1: isotopes are computed as the element" in molecules.from_smiles("[2H]OC").notes[0]
    assert molecules.from_smiles("OC").notes == ()
