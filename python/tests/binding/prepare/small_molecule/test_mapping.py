"""Poses and ligands: the same atoms on the same places whatever the drawing, and no other isomer."""

import numpy as np
import pytest
from rdkit import Chem

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import embed, settle_stereo
from gibbsflow.binding.prepare.molecules import MoleculeError
from gibbsflow.binding.prepare.small_molecule.mapping import heavy_only, laid_by_lengths, map_pose, symmetries


def pose(smiles: str, *, bare=True, single=False) -> Chem.Mol:
    """A geometry in a shuffled order, its bonds as drawn or all single."""
    mol = embed(molecules.from_smiles(smiles), count=1, seed=2).mol
    mol = Chem.RemoveHs(mol) if bare else mol
    order = np.random.default_rng(3).permutation(mol.GetNumAtoms()).tolist()
    mol = Chem.RWMol(Chem.RenumberAtoms(mol, order))
    if single:
        Chem.Kekulize(mol, clearAromaticFlags=True)
        for bond in mol.GetBonds():
            bond.SetBondType(Chem.BondType.SINGLE)
        for atom in mol.GetAtoms():
            atom.SetFormalCharge(0)
            atom.SetNoImplicit(False)
            atom.SetNumExplicitHs(0)
        Chem.SanitizeMol(mol)
    return Chem.MolFromMolBlock(Chem.MolToMolBlock(mol), removeHs=False)


def ligand(smiles: str) -> Chem.Mol:
    return settle_stereo(molecules.from_smiles(smiles)).mol


def told(smiles: str, held: str, **how) -> str:
    with pytest.raises(MoleculeError) as caught:
        map_pose(ligand(smiles), pose(held, **how), "pose.sdf")
    return str(caught.value)


def test_carbonyl_goes_on_carbonyl_and_the_centre_stays():
    for how in ({}, {"bare": False}, {"single": True}):
        held = pose("CC(=O)[C@H](C)O", **how)
        match, _ = map_pose(ligand("C[C@H](O)C(C)=O" if False else "O[C@@H](C)C(=O)C"), held, "pose.sdf")
        xyz = heavy_only(held).GetConformer().GetPositions()[match]  # O, CH, CH3, C=, =O, CH3
        assert np.linalg.norm(xyz[3] - xyz[4]) < 1.26 and np.linalg.norm(xyz[0] - xyz[1]) > 1.38


@pytest.mark.parametrize(
    ("smiles", "held", "other"),
    [
        ("CCN", "CC[NH3+]", True),
        ("Cc1c[nH]cn1", "Cc1cnc[nH]1", True),
        ("Cc1c[nH]cn1", "Cc1c[nH]cn1", False),
        ("CCO", "[2H]CCO", False),
        ("C[NH2+]CCN", "C[NH2+]CCN", False),
    ],
)
def test_another_form_with_the_same_bonds_is_told(smiles, held, other):
    for bare in (True, False):
        _, notes = map_pose(ligand(smiles), pose(held, bare=bare), "pose.sdf")
        assert [n.startswith("the pose is drawn as") for n in notes] == [True] * other


@pytest.mark.parametrize(
    ("smiles", "held", "kind"),
    [
        ("C[C@H](O)c1ccccc1", "C[C@@H](O)c1ccccc1", "enantiomer"),
        ("C/C=C/CO", r"C/C=C\CO", "stereoisomer"),
        ("N[C@H]1CC[C@H](O)CC1", "N[C@H]1CC[C@@H](O)CC1", "stereoisomer"),
        ("C[C@H](F)[C@H](O)C", "C[C@@H](F)[C@H](O)C", "stereoisomer"),
    ],
)
def test_another_isomer_is_refused_by_name(smiles, held, kind):
    said = told(smiles, held)
    assert f"holds another stereoisomer, {Chem.CanonSmiles(held)} (" in said and kind in said
    assert map_pose(ligand(held), pose(held), "pose.sdf")[1] == []


@pytest.mark.parametrize(
    ("smiles", "held"),
    [("CC[NH3+]", "CCN"), ("CC(=O)[O-]", "CC(=O)O"), ("CNC(=[NH2+])N", "CN=C(N)N"), ("C[N+](=O)[O-]", "CN(=O)=O")],
)
def test_other_protonation_and_resonance_are_the_same_molecule(smiles, held):
    match, _ = map_pose(ligand(smiles), pose(held), "pose.sdf")
    assert sorted(match) == list(range(len(match)))


@pytest.mark.parametrize(
    ("smiles", "held"), [("CC(C)=O", "CC(C)O"), ("CCC(=O)OC", "CCOC(=O)C"), ("C1CCCCC1", "c1ccccc1")]
)
def test_another_molecule_is_refused(smiles, held):
    assert Chem.CanonSmiles(held) in told(smiles, held) or "has no double bonds" in told(smiles, held)


@pytest.mark.parametrize(("smiles", "held"), [("C[C@H](O)C(C)=O", "C[C@@H](O)C(C)=O")])
def test_no_bond_length_is_bent_to_make_an_isomer_fit(smiles, held):
    assert "holds another stereoisomer" in told(smiles, held, single=True)


@pytest.mark.parametrize(
    "smiles", ["CC(O)C(C)=O", "C=CCNCCC", "C1CC=CCC1", "c1ccccc1C1CCCCC1", "NC(=[NH2+])CC(=O)[O-]"]
)
def test_multiple_bonds_are_where_lengths_say(smiles):
    joined = pose(smiles, single=True)
    mol, undecided = laid_by_lengths(Chem.MolFromSmiles(smiles), joined)
    right = heavy_only(pose(smiles))
    assert not undecided and Chem.MolToSmiles(mol) == Chem.CanonSmiles(smiles)
    assert np.allclose(mol.GetConformer().GetPositions(), right.GetConformer().GetPositions())
    places = right.GetConformer().GetPositions()
    for found, known in zip(mol.GetAtoms(), right.GetAtoms(), strict=True):
        assert found.GetSymbol() == known.GetSymbol() and found.GetIsAromatic() == known.GetIsAromatic()
        assert found.GetTotalNumHs() == known.GetTotalNumHs() or found.GetSymbol() in "ON", places[found.GetIdx()]


def test_lengths_that_leave_it_open_are_told():
    ligand = Chem.MolFromSmiles("C=CCCC")
    joined = pose("CCCCC", single=True)  # all of one length, as no pentene has them
    assert laid_by_lengths(ligand, joined)[1]
    assert laid_by_lengths(Chem.MolFromSmiles("CC(C)(C)C"), joined) is None


def test_ways_to_number_equal_atoms():
    assert len(symmetries(ligand("Cc1ccccc1"))) == 2 and len(symmetries(ligand("CC(=O)[O-]"))) == 2
    found = symmetries(ligand("CC(C)c1ccc(cc1)S(=O)(=O)[O-]"))
    assert found[0] == list(range(13)) and len(found) == 2 * 2 * 6
