"""Stereochemistry as specified: kept in every geometry, told where it is open, refused where it cannot be kept."""

from dataclasses import replace

import pytest
from rdkit import Chem

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import embed, reference_geometry, settle_stereo
from gibbsflow.binding.prepare.molecules import MoleculeError
from gibbsflow.binding.prepare.small_molecule.stereo import (
    axes,
    lost_marks,
    marks_against_geometry,
    several_isomers,
    specified,
)


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


@pytest.mark.parametrize(("smiles", "kind"), [("CC=C=CO", "allene"), ("Cc1cccc(F)c1-c1c(C)cccc1Br", "biaryl")])
def test_axes_are_kept_from_a_geometry(smiles, kind):
    """The isomer of a geometry is found again when conformers are built anew, and is told where no geometry says it."""
    from_smiles = settle_stereo(molecules.from_smiles(smiles))
    assert f"{kind} axis" in from_smiles.notes[0]
    assert [axis.kind for axis in axes(from_smiles.mol)] == [kind]
    source = embed(from_smiles, count=1, seed=1)
    mirrored = Chem.Mol(source.mol)
    for i, (x, y, z) in enumerate(source.mol.GetConformer().GetPositions()):
        mirrored.GetConformer().SetAtomPosition(i, (-x, y, z))
    for mol in (source.mol, mirrored):
        wanted = specified(mol)
        again = embed(replace(source, mol=mol), count=6, seed=5).mol
        assert all(not wanted.against(again, c.GetId()) for c in again.GetConformers())


@pytest.mark.parametrize("smiles", ["CC=[C@]=CC", "C1CC/C=C/CC1"])
def test_marks_that_cannot_be_kept_are_refused(smiles):
    with pytest.raises(MoleculeError, match="which cannot be kept"):
        molecules.from_smiles(smiles)
    assert lost_marks(r"C1CC/C=C\CC1") == lost_marks("C/C=C/C") == []


def test_wedges_that_contradict_the_geometry(tmp_path):
    mol = embed(molecules.from_smiles("C[C@H](O)F"), count=1, seed=1).mol
    block = Chem.MolToMolBlock(mol)
    assert marks_against_geometry(block) == []
    lines = block.splitlines()
    wedged = next(i for i, line in enumerate(lines) if len(line) == 12 and line[9:].strip() in ("1", "6"))
    lines[wedged] = lines[wedged][:9] + {"1": "  6", "6": "  1"}[lines[wedged][9:].strip()]
    path = tmp_path / "m.sdf"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(MoleculeError, match="its wedges say another stereoisomer than its geometry at centre C2"):
        molecules.from_file(path)
