"""Conformers and the geometry for charges: the same from the same graph, one isomer, the lowest energy first."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdMolTransforms

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import embed, reference_geometry, relax, settle_stereo
from gibbsflow.binding.prepare.molecules import MoleculeError
from gibbsflow.binding.prepare.small_molecule.axes import cumulenes


@pytest.mark.parametrize(
    ("smiles", "is_open"),
    [
        ("OCC12CCC(CC1)(CC2)CO", False),  # bridgeheads allow one geometry only
        ("OC12CC3CC(CC(C3)C1)C2", False),
        ("OC1C2CC3CC(C2)CC1C3", False),
        ("C[C@H](O)CC", False),
        ("CC(O)CC", True),
        ("CC1CCC(C)CC1", True),
        ("CC=CC", True),
        ("CC1(C)C2CCC1(C)C(=O)C2", True),
    ],
)
def test_open_stereochemistry_is_told_and_settled_the_same_each_time(smiles, is_open):
    settled = settle_stereo(molecules.from_smiles(smiles))
    assert bool(settled.notes) == is_open
    assert settle_stereo(molecules.from_smiles(smiles)).smiles == settled.smiles
    assert settle_stereo(settled).notes == settled.notes


def test_conformers_are_deterministic_and_sorted():
    first, second = (embed(molecules.from_smiles("OCCCCO"), count=10, seed=5) for _ in range(2))
    assert first.mol.GetNumConformers() > 3
    for a, b in zip(first.mol.GetConformers(), second.mol.GetConformers(), strict=True):
        assert np.array_equal(a.GetPositions(), b.GetPositions())
    energies = [c.GetDoubleProp("energy_kcal_per_mol") for c in first.mol.GetConformers()]
    assert energies[0] == 0 and energies == sorted(energies)


@pytest.mark.parametrize("smiles", ["OCC12CCC(CC1)(CC2)CO", "C[C@H](O)[C@@H](F)Cl", "C[NH2+]CC(=O)[O-]", "C/C=C/CN"])
def test_reference_geometry_depends_on_the_graph_alone(smiles):
    """Another atom order and pose: the same atoms in the same places, and an order that leads back."""
    molecule = embed(molecules.from_smiles(smiles), count=1, seed=3)
    order = np.random.default_rng(1).permutation(molecule.mol.GetNumAtoms())
    shuffled = molecules.Molecule(Chem.RenumberAtoms(molecule.mol, order.tolist()), molecule.charge)
    (one, one_order), (two, two_order) = reference_geometry(molecule), reference_geometry(shuffled)
    assert Chem.MolToMolBlock(one) == Chem.MolToMolBlock(two)
    for mol, back, source in ((one, one_order, molecule.mol), (two, two_order, shuffled.mol)):
        assert sorted(back) == list(range(source.GetNumAtoms()))
        for bond in mol.GetBonds():
            assert source.GetBondBetweenAtoms(back[bond.GetBeginAtomIdx()], back[bond.GetEndAtomIdx()]) is not None


def test_butane_is_anti_and_gauche():
    """Gauche lies 0.8 kcal/mol above anti in MMFF94 (Halgren and Nachbar, J. Comput. Chem. 17, 587 (1996))."""
    butane = embed(molecules.from_smiles("CCCC"), count=20, seed=1).mol
    carbons = [a.GetIdx() for a in butane.GetAtoms() if a.GetAtomicNum() == 6]
    turns = [abs(rdMolTransforms.GetDihedralDeg(c, *carbons)) for c in butane.GetConformers()]
    energies = [c.GetDoubleProp("energy_kcal_per_mol") for c in butane.GetConformers()]
    assert turns[0] == pytest.approx(180, abs=1) and 55 < turns[1] < 75
    assert energies[1] == pytest.approx(0.8, abs=0.1)


def test_relaxing_mends_a_stretched_bond_and_sorts():
    mol = Chem.Mol(embed(molecules.from_smiles("OCCCCO"), count=5, seed=2).mol)
    first = mol.GetConformer(mol.GetConformers()[0].GetId())
    length = rdMolTransforms.GetBondLength(first, 0, 1)
    rdMolTransforms.SetBondLength(first, 0, 1, length + 0.3)
    relax(mol)
    for conformer in mol.GetConformers():
        assert rdMolTransforms.GetBondLength(conformer, 0, 1) == pytest.approx(length, abs=0.01)
    energies = [c.GetDoubleProp("energy_kcal_per_mol") for c in mol.GetConformers()]
    assert energies[0] == 0.0 and energies == sorted(energies)


def test_a_geometry_that_cannot_be_built_is_refused():
    impossible = molecules.from_smiles("C1#CC#CC1")  # two triple bonds in a ring of five
    with pytest.raises(MoleculeError, match="no 3-D structure can be built"):
        embed(impossible, count=1, seed=1)


@pytest.mark.parametrize("smiles", ["CC=C=CO", "CC=C=C", "CC(Cl)=C=C(C)c1ccccc1"])
def test_both_ends_of_an_allene_are_perpendicular(smiles):
    """MMFF94s and UFF would flatten it, and the charges were those of a molecule that there is not."""
    mol = embed(molecules.from_smiles(smiles), count=6, seed=1).mol
    (atoms,) = cumulenes(mol)
    for conformer in mol.GetConformers():
        assert abs(rdMolTransforms.GetDihedralDeg(conformer, *atoms)) == pytest.approx(90, abs=10)
