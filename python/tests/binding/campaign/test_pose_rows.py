"""Rows that are poses of one ligand: what cannot be, and what is given twice."""

from dataclasses import replace

import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.campaign.pose_rows import pose_problems
from gibbsflow.binding.forcefield.given.smiles import constitution
from gibbsflow.binding.prepare.molecules import Molecule
from gibbsflow.binding.prepare.samplesheet import Row


def made(smiles: str, shift: float = 0.0) -> Molecule:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=7)
    for atom in range(mol.GetNumAtoms()):
        x, y, z = mol.GetConformer().GetAtomPosition(atom)
        mol.GetConformer().SetAtomPosition(atom, (x + shift, y, z))
    return Molecule(mol, 0)


def row(line: int, pose: str = "given", pose_of: str | None = "lig") -> Row:
    smiles = "CCO" if pose == "place" else None
    structure = None if smiles else f"/in/{line}.sdf"
    return Row(line, f"p{line}", structure, smiles, None, pose, None, None, pose_of)


def test_poses_of_one_molecule():
    assert pose_problems([(row(2), made("CCO")), (row(3), made("OCC", 3.0))], "abfe", "l.csv") == ([], [])


@pytest.mark.parametrize(
    ("mode", "pose", "told"),
    [
        ("asfe", "given", True), ("asfe", "place", True), ("abfe", "place", True), ("abfe", "given", False),
        ("rsfe", "given", False),
    ],
)  # fmt: skip
def test_a_molecule_that_is_computed_twice_is_told(mode, pose, told):
    """With poses of their own two rows differ; modes of edges refuse the second."""
    molecules = {2: "CCO", 3: "CCN", 4: "OCC", 5: "[2H]CCO"}
    ligands = [(row(line, pose, None), made(smiles)) for line, smiles in molecules.items()]
    problems, warnings = pose_problems(ligands, mode, "l.csv")
    expected = [
        f"l.csv, row {line}, ligand: p{line} is the molecule of p2 (row 2), and is computed again" for line in (4, 5)
    ]
    assert problems == [] and [str(one) for one in warnings] == expected * told


def test_another_molecule_is_named():
    ligands = [(row(2), made("CCO")), (row(3), made("CCN")), (row(4, pose_of=None), made("C"))]
    ((about, problem),), warnings = pose_problems(ligands, "abfe", "l.csv")
    assert about.line == 3 and str(problem).startswith("l.csv, row 3, pose_of: p3: a pose of lig is CCN, and p2 is CCO")
    assert warnings == []


def test_two_that_would_be_placed_alike():
    ligands = [(row(2, "place"), made("CCO")), (row(3, "place"), made("CCO")), (row(4), made("CCO"))]
    ((about, problem),), _ = pose_problems(ligands, "abfe", "l.csv")
    assert about.line == 3 and "placed, as p2 is" in problem.what


def test_one_pose_given_twice_is_warned_of():
    mirrored = made("CC(C)O", 0.2)
    problems, (warning,) = pose_problems([(row(2), made("CC(C)O")), (row(3), mirrored)], "md", "l.csv")
    assert problems == [] and "p2 and p3 are one pose of lig (0.20 Å apart)" in warning.what


def test_systems_that_come_solvated_are_poses_too():
    methanol, ethanol = constitution(made("CO").mol), constitution(made("CCO").mol)
    ligands = [(row(2), methanol), (row(3), None), (row(4), made("CO")), (row(5), ethanol), (row(6), made("CCO"))]
    problems, warnings = pose_problems(ligands, "abfe", "l.csv")
    assert [about.line for about, _ in problems] == [5, 6] and warnings == []
    assert "a pose of lig is another molecule than p2" in problems[0][1].what
    ((_, problem),), _ = pose_problems([(row(2), None)], "asfe", "l.csv")
    assert problem.right == "no pose_of in mode asfe"


@pytest.mark.parametrize("mode", ["asfe"])
def test_without_a_receptor_there_are_no_poses(mode):
    ((_, problem),), _ = pose_problems([(replace(row(2), pose="place"), made("CCO"))], mode, "l.csv")
    assert "without a receptor" in problem.what
