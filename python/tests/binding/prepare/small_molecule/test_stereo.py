"""Stereochemistry as specified: kept in every geometry, told where it is open, refused where it cannot be kept."""

from dataclasses import replace

import pytest
from rdkit import Chem

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import embed, reference_geometry, settle_stereo
from gibbsflow.binding.prepare.small_molecule.stereo import several_isomers, specified, tag_by_geometry


def by_geometry(mol: Chem.Mol, conformer: int = -1) -> str:
    """SMILES of a geometry, whatever the molecule's own marks."""
    bare = Chem.Mol(mol, confId=conformer)
    Chem.RemoveStereochemistry(bare)
    Chem.AssignStereochemistryFrom3D(bare)
    return Chem.CanonSmiles(Chem.MolToSmiles(Chem.RemoveHs(bare)))


@pytest.mark.parametrize(
    "smiles",
    [
        r"C/C=C\CO",
        r"C/C=C/CO",
        r"C/N=N\c1ccccc1",
        r"CC/C(C)=N\C",
        r"C/C=N\O",
        "N[C@H]1CC[C@H](C(=O)O)CC1",
        "N[C@H]1CC[C@@H](C(=O)O)CC1",
        r"C1CCC/C=C/CC1",
        "C[S@](=O)CC",
        "C[S@@+](CC)CCO",
        "CC[P@](C)(=O)OC",
        "C[N@+](CC)(CCO)CF",
        "C[C@H](O)[C@@H](F)Cl",
    ],
)
def test_what_is_specified_comes_out_of_every_geometry(smiles):
    wanted = Chem.CanonSmiles(smiles)
    settled = settle_stereo(molecules.from_smiles(smiles))
    assert settled.smiles == wanted and settled.notes == ()
    conformers = embed(settled, count=4, seed=3).mol
    assert {by_geometry(conformers, c.GetId()) for c in conformers.GetConformers()} == {wanted}
    assert by_geometry(reference_geometry(settled)[0]) == wanted


def test_a_double_bond_that_is_open_is_told():
    settled = settle_stereo(molecules.from_smiles("CC=CCO"))
    assert settled.smiles == "C/C=C/CO" and "double bond C2=C3" in settled.notes[0]


@pytest.mark.parametrize(
    ("smiles", "several"),
    [("OCC12CCC(CC1)(CC2)CO", False), ("C1CC2CCC1C2", False), ("NC1CCC(O)CC1", True), ("CC(O)F", True)],
)
def test_marks_that_distinguish_nothing(smiles, several):
    assert several_isomers(Chem.AddHs(Chem.MolFromSmiles(smiles))) == several


def test_the_mirror_image_is_another_isomer():
    mol = embed(molecules.from_smiles("C[C@H](O)/C=C/F"), count=1, seed=1).mol
    wanted = specified(mol)
    assert wanted.against(mol) == []
    conformer = mol.GetConformer()
    for i, (x, y, z) in enumerate(conformer.GetPositions()):
        conformer.SetAtomPosition(i, (-x, y, z))
    assert wanted.against(mol) == ["centre C2"]


def test_centres_that_depend_on_each_other_may_turn_over_together():
    """The two marks of cis-1,4-dimethylcyclohexane say one thing: the same side."""
    mol = settle_stereo(molecules.from_smiles("C[C@H]1CC[C@H](C)CC1")).mol
    placed = embed(molecules.Molecule(mol, 0), count=1, seed=1).mol
    both, one = specified(placed), specified(placed)
    turned = {i: _other(tag) for i, tag in both.centres.items()}
    assert replace(both, centres=turned).against(placed) == []
    first = next(iter(turned))
    assert replace(one, centres=one.centres | {first: turned[first]}).against(placed) == [f"centre C{first + 1}"]


def _other(tag):
    ccw, cw = Chem.ChiralType.CHI_TETRAHEDRAL_CCW, Chem.ChiralType.CHI_TETRAHEDRAL_CW
    return cw if tag == ccw else ccw


@pytest.mark.parametrize(
    ("smiles", "element"),
    [
        ("C[C@H](O)C(O)[C@@H](C)O", "centre C4"),
        ("CP(CC)c1ccccc1", "centre P2"),
        ("Cc1ccc2c(c1)CN1CN2Cc2cc(C)ccc21", "centre N9"),
        ("CC1CCC2(CC1)CCC(O)CC2", "centre C5"),
    ],
)
def test_what_is_open_is_told_and_one_isomer_is_charged_and_simulated(smiles, element):
    read = settle_stereo(molecules.from_smiles(smiles))
    assert any(note.startswith("stereochemistry left open") and element in note for note in read.notes)
    posed = embed(read, count=1, seed=3)
    tag_by_geometry(posed.mol)
    wanted, (charged, order) = specified(posed.mol), reference_geometry(posed)
    again = Chem.Mol(posed.mol)
    for k, i in enumerate(order):
        again.GetConformer().SetAtomPosition(i, charged.GetConformer().GetAtomPosition(k))
    assert wanted.against(again) == []


@pytest.mark.parametrize("smiles", ["COP(=O)([O-])OCC", "[O-]S(=O)c1ccccc1", "CCP(C)(=O)[O-]", "CP([O-])(=S)OC"])
def test_resonance_makes_no_centre_and_other_atoms_do(smiles):
    read = settle_stereo(molecules.from_smiles(smiles))
    told = [note for note in read.notes if "centre" in note]
    assert bool(told) == ("=S" in smiles)  # a thiophosphonate has two kinds of outer atoms
    posed = embed(read, count=1, seed=1).mol
    tag_by_geometry(posed)
    assert bool(specified(posed).centres) == ("=S" in smiles)
