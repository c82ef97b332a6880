"""The ligand of a row: one isomer of what was asked for, in the pose that was asked for."""

from dataclasses import replace

import numpy as np
import pytest
from known_molecules import B2, shifted
from rdkit import Chem
from rdkit.Chem import rdMolTransforms

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.ligands import (
    charge_faults,
    check_pose,
    covalent_faults,
    given_pose,
    hypervalent,
    pose_ligand,
    read_ligand,
    write_charges,
    written_account,
)
from gibbsflow.binding.prepare.molecules import MoleculeError
from gibbsflow.binding.prepare.receptors import Receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import System
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import read_json

SETTINGS = System()


def row(smiles=None, structure=None, charge=None, pose="place") -> Row:
    return Row(2, "a", structure and str(structure), smiles, charge, str(pose), None, None)


def protein(*heavy: tuple[float, float, float]) -> Receptor:
    return Receptor("p", "protein", None, np.array(heavy, dtype=float))


def test_smiles_and_structure_give_one_isomer():
    from_structure, from_smiles = read_ligand(row(structure=B2)), read_ligand(row("OCC12CCC(CC1)(CC2)CO"))
    assert from_structure.smiles == from_smiles.smiles
    assert from_structure.mol.GetNumConformers() == 1 and from_smiles.mol.GetNumConformers() == 0


def test_the_charge_of_the_row_is_a_check():
    assert read_ligand(row("C[NH3+]", charge=1)).charge == 1
    with pytest.raises(MoleculeError, match="charge: 0 given, but the smiles has a net charge of 1"):
        read_ligand(row("C[NH3+]", charge=0))


def test_place_needs_a_host():
    ligand = read_ligand(row("CCO"))
    (fault,) = check_pose(row("CCO"), ligand, protein((0, 0, 0)), SETTINGS)
    assert fault.field == "pose" and "needs a known pose" in fault.what
    assert check_pose(row("CCO"), ligand, Receptor("h", "host", 0, np.zeros((1, 3))), SETTINGS) == []


@pytest.mark.parametrize(
    ("away_angstrom", "expected"), [(3.5, None), (1.0, "1 heavy atoms clash"), (6.5, "does not touch")]
)
def test_a_given_pose_is_held_against_the_receptor(away_angstrom, expected):
    """One atom of a protein above the outermost heavy atom of the ligand, which has it for its nearest."""
    ligand = read_ligand(row(structure=B2))
    top = ligand.heavy_angstrom[ligand.heavy_angstrom[:, 2].argmax()]
    receptor = protein(top + [0, 0, away_angstrom])
    asked = row(structure=B2, pose="given")
    faults = [fault.what for fault in check_pose(asked, ligand, receptor, SETTINGS)]
    assert len(faults) == (expected is not None)
    if expected:
        assert expected in faults[0]
        with pytest.raises(MoleculeError, match=expected):
            pose_ligand(asked, ligand, receptor, SETTINGS, seed=1)
    else:
        assert pose_ligand(asked, ligand, receptor, SETTINGS, seed=1) is ligand


def test_a_pose_is_mapped_by_the_graph_whatever_the_order_of_its_atoms(tmp_path):
    ligand = read_ligand(row("C[NH2+]CC(=O)[O-]"))
    known = embed(molecules.from_smiles("C[NH2+]CC(=O)[O-]"), count=1, seed=4)
    bare = Chem.RemoveHs(known.mol)
    order = [4, 2, 0, 5, 1, 3]
    path = tmp_path / "pose.sdf"
    path.write_text(Chem.MolToMolBlock(Chem.RenumberAtoms(bare, order)))
    posed = given_pose(row("C[NH2+]CC(=O)[O-]", pose=path), ligand)
    assert posed.mol.GetNumAtoms() == ligand.mol.GetNumAtoms() and posed.charge == 0
    there = {symbol: [] for symbol in "CNO"}
    for atom, xyz in zip(bare.GetAtoms(), bare.GetConformer().GetPositions(), strict=True):
        there[atom.GetSymbol()].append(xyz)
    for atom, xyz in zip(posed.mol.GetAtoms(), posed.positions_angstrom, strict=True):
        if atom.GetSymbol() != "H":
            assert np.linalg.norm(np.array(there[atom.GetSymbol()]) - xyz, axis=1).min() < 1e-3
    lengths = [rdMolTransforms.GetBondLength(posed.mol.GetConformer(), b.GetBeginAtomIdx(), b.GetEndAtomIdx())
               for b in posed.mol.GetBonds()]  # fmt: skip
    assert 0.9 < min(lengths) and max(lengths) < 1.7


def test_a_pose_of_another_molecule_is_refused(tmp_path):
    pose = shifted(B2, tmp_path / "b2.sdf", (0.0, 0.0, 0.0))
    ligand = read_ligand(row("OC12CC3CC(CC(C3)C1)C2"))
    with pytest.raises(MoleculeError, match=r"b2.sdf: holds OC.*\(CC1\)CC2"):
        given_pose(row("OC12CC3CC(CC(C3)C1)C2", pose=pose), ligand)


@pytest.mark.parametrize(("away_angstrom", "bonded"), [(1.85, True), (2.15, True), (2.3, False)])
def test_the_distance_of_a_bond_is_refused(away_angstrom, bonded):
    """Carbon at a carbon of the host: 0.76 + 0.76 + 0.4 A; oxygen at its end adds less."""
    ligand = embed(molecules.from_smiles("CC"), count=1, seed=1)
    host = Chem.Mol(embed(molecules.from_smiles("CCl"), count=1, seed=1).mol)
    chlorine = next(a.GetIdx() for a in host.GetAtoms() if a.GetSymbol() == "Cl")
    carbon, other = ligand.positions_angstrom[:2]
    direction = (carbon - other) / np.linalg.norm(carbon - other)
    shift = carbon + away_angstrom * direction - host.GetConformer().GetPositions()[chlorine]
    for i, xyz in enumerate(host.GetConformer().GetPositions() + shift):
        host.GetConformer().SetAtomPosition(i, xyz.tolist())
    host_molecule = molecules.Molecule(host, 0)
    only = Receptor("h", "host", 0, host_molecule.heavy_angstrom, host_molecule)
    faults = [f.what for f in covalent_faults(ligand, only) if "Cl" in f.what]
    assert bool(faults) == bonded
    if bonded:
        assert f"C1 of the ligand is {away_angstrom:.2f} Å from Cl" in faults[0] and "covalent bond" in faults[0]


def test_another_isomer_in_the_pose_is_refused(tmp_path):
    pose = tmp_path / "pose.sdf"
    pose.write_text(Chem.MolToMolBlock(embed(molecules.from_smiles("C[C@@H](O)c1ccccc1"), count=1, seed=1).mol))
    asked = row("C[C@H](O)c1ccccc1", pose=pose)
    with pytest.raises(MoleculeError, match="another stereoisomer.*enantiomer"):
        given_pose(asked, read_ligand(asked))


@pytest.mark.parametrize(
    ("smiles", "held", "noted"),
    [
        ("CC(O)c1ccccc1", "C[C@H](O)c1ccccc1", True),
        ("CC(O)c1ccccc1", "C[C@@H](O)c1ccccc1", True),
        ("CC=CCO", r"C/C=C\CO", True),
        ("CC1CCC(O)CC1", "C[C@H]1CC[C@H](O)CC1", True),
        ("C[C@H](F)C(C)O", "C[C@H](F)[C@@H](C)O", True),
        ("C[C@H](F)[C@@H](C)O", "C[C@H](F)[C@@H](C)O", False),
    ],
)
def test_a_pose_decides_what_a_smiles_leaves_open(tmp_path, smiles, held, noted):
    pose = tmp_path / "pose.sdf"
    pose.write_text(Chem.MolToMolBlock(embed(molecules.from_smiles(held), count=1, seed=1).mol))
    asked = row(smiles, pose=pose)
    posed = given_pose(asked, read_ligand(asked))
    assert Chem.CanonSmiles(posed.smiles) == Chem.CanonSmiles(held)
    assert [f"that of the pose is taken, {posed.smiles}" in note for note in posed.notes] == [True] * noted


def test_what_is_marked_is_held_against_the_pose_where_the_rest_is_open(tmp_path):
    pose = tmp_path / "pose.sdf"
    pose.write_text(Chem.MolToMolBlock(embed(molecules.from_smiles("C[C@@H](F)[C@@H](C)O"), count=1, seed=1).mol))
    asked = row("C[C@H](F)C(C)O", pose=pose)
    with pytest.raises(MoleculeError, match="another stereoisomer.*centre C2"):
        given_pose(asked, read_ligand(asked))


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_phosphate_ester_may_have_either_oxygen_drawn_double(tmp_path, seed):
    """A centre that two drawings make, in a nucleotide with centres that count."""
    smiles = "C[C@H]1C[C@@H](O)[C@H](COP(=O)([O-])OC)O1"
    pose = tmp_path / "pose.sdf"
    mol = embed(molecules.from_smiles(smiles.replace("P(=O)([O-])", "P([O-])(=O)")), count=1, seed=seed).mol
    pose.write_text(Chem.MolToMolBlock(mol))
    asked = row(smiles, pose=pose)
    posed = given_pose(asked, read_ligand(asked))
    assert posed.smiles == Chem.CanonSmiles(smiles) and posed.notes == ()


@pytest.mark.parametrize(
    ("smiles", "count"), [("CS(F)(F)(F)(F)F", 1), ("CI(C)C", 1), ("CS(=O)(=O)N", 0), ("COP(=O)([O-])OC", 0)]
)
def test_centres_with_too_many_neighbours(smiles, count):
    assert len(hypervalent(molecules.from_smiles(smiles).mol)) == count


def test_the_account_holds_the_file_against_the_molecule(tmp_path):
    posed = embed(read_ligand(row(r"C/C=C\CO")), count=1, seed=1)
    path = molecules.write_sdf(posed, tmp_path / "ligand.sdf", "a")
    account = written_account(posed, posed, path, "a")
    assert account.doubts == [] and account.facts["as_written"]["smiles"] == r"C/C=C\CO"
    assert account.facts["stereo"] == {"centres": 0, "double_bonds": 1, "axes": 0}
    other = embed(read_ligand(row("C/C=C/CO")), count=1, seed=1)
    molecules.write_sdf(other, path, "a")
    (refusal,) = written_account(posed, posed, path, "a").of_weight("refuse")
    assert "another isomer at double bond C2=C3" in refusal.what


def several(folder, **charges: str):
    """A file with ethanol and methanol in it, and the charges of some."""
    path = folder / "ligands.sdf"
    path.write_text("")
    for name, smiles in (("a", "CO"), ("b", "CCO")):
        molecule = embed(molecules.from_smiles(smiles), count=1, seed=1)
        own = f">  <atom.dprop.PartialCharge>\n{charges[name]}\n\n$$$$" if name in charges else "$$$$"
        text = molecules.write_sdf(molecule, folder / "one.sdf", name).read_text()
        path.write_text(path.read_text() + text.replace("$$$$", own))
    return path


def test_a_ligand_of_a_file_with_several_is_found_by_its_name(tmp_path):
    path = several(tmp_path)
    assert read_ligand(row(structure=path, pose="given")).smiles == "CO"
    assert given_pose(row(structure=path, pose=path), read_ligand(row(structure=path))).smiles == "CO"
    other = replace(row(structure=path, pose="given"), ligand="b")
    assert read_ligand(other).smiles == "CCO"
    with pytest.raises(MoleculeError, match=r"holds 2 molecules, none of them called c; their titles are a, b"):
        read_ligand(replace(other, ligand="c"))
    path.write_text(path.read_text().replace(" C   0", " Xx  0"))
    with pytest.raises(MoleculeError, match=r"ligands.sdf, record 2 \(b\): not readable"):
        read_ligand(other)


def test_charges_stay_with_their_atoms_in_another_pose(tmp_path):
    """Hydrogens that are built anew share what those of their atom had."""
    path = several(tmp_path, a="0.1 -0.6 0.01 0.02 0.03 0.44")
    ligand = read_ligand(row(structure=path, pose="given"))
    assert ligand.sdf_charges.values_e == (0.1, -0.6, 0.01, 0.02, 0.03, 0.44)
    assert charge_faults(row(structure=path), ligand) == []
    posed = given_pose(row(structure=path, pose=path), ligand)
    assert posed.sdf_charges.values_e == pytest.approx((0.1, -0.6, 0.02, 0.02, 0.02, 0.44))
    account = Account("a")
    (name,) = write_charges(posed, tmp_path, account).values()
    assert tuple(read_json(tmp_path / name)["charges_e"]) == posed.sdf_charges.values_e and not account.doubts


def test_charges_that_are_not_those_of_the_ligand(tmp_path):
    (none,) = charge_faults(row("CO"), read_ligand(row("CO")))
    assert "a SMILES has no partial charges" in none.what
    plain = row(structure=several(tmp_path), pose="given")
    (none,) = charge_faults(plain, read_ligand(plain))
    assert "the structure has no atom.dprop.PartialCharge" in none.what
    wrong = read_ligand(row(structure=several(tmp_path, a="0.1 -0.6 0.01 0.02 0.03 0.48"), pose="given"))
    (fault,) = charge_faults(plain, wrong)
    assert "they sum up to +0.0400 e" in fault.what
    account = Account("a")
    assert write_charges(wrong, tmp_path, account) == {} and "are left: " in account.as_dict()["notes"][0]
