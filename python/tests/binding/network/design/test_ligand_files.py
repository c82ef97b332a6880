"""Ligands from a samplesheet or an SDF."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.network.design.comparison import Ways, compare
from gibbsflow.binding.network.design.ligand_files import compared, read_molecules
from gibbsflow.config.binding import BindingConfig
from gibbsflow.errors import InputError
from gibbsflow.workflow.account import Account


def block(smiles: str, name: str) -> str:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    mol.SetProp("_Name", name)
    return Chem.MolToMolBlock(mol) + "$$$$\n"


def test_sdf(tmp_path: Path) -> None:
    path = tmp_path / "l.sdf"
    path.write_text(block("Cc1ccccc1", "toluene") + block("c1ccccc1", "benzene") + block("CCc1ccccc1", "ethyl benzene"))
    found = compared(path, Account(str(path)))
    assert found.ligands == ("benzene", "ethyl_benzene", "toluene") and len(found.difficulty) == 3
    assert found.difficulty["benzene", "toluene"] < found.difficulty["benzene", "ethyl_benzene"]


def test_a_record_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "l.sdf"
    path.write_text(block("Cc1ccccc1", "toluene").replace("$$$$\n", "") + block("c1ccccc1", "benzene"))
    with pytest.raises(InputError, match="'toluene': 2 molecules in one record"):
        compared(path, Account(str(path)))


def test_poses_decide_as_in_a_campaign(tmp_path: Path) -> None:
    """Two cresols, one laid on the other by its ring alone: the map where they lie, and so its difficulty."""
    mol = Chem.AddHs(Chem.MolFromSmiles("Cc1cccc(O)c1"))
    AllChem.EmbedMolecule(mol, randomSeed=3)
    other = Chem.AddHs(Chem.MolFromSmiles("Cc1ccccc1"))
    AllChem.EmbedMolecule(other, randomSeed=3)
    blocks = []
    for name, one in (("cresol", mol), ("toluene", other)):
        one.SetProp("_Name", name)
        blocks.append(Chem.MolToMolBlock(one) + "$$$$\n")
    (tmp_path / "l.sdf").write_text("".join(blocks))
    (tmp_path / "l.csv").write_text("ligand,structure\ncresol,l.sdf\ntoluene,l.sdf\n")
    account = Account("l")
    found = read_molecules(tmp_path / "l.sdf", account)
    assert all(ligand.given for ligand in found.values())
    wanted = compare(found, seed=0, ways=Ways.of(BindingConfig())).candidates()
    for name in ("l.sdf", "l.csv"):
        assert compared(tmp_path / name, Account(name)).difficulty == wanted.difficulty


def test_net_charges_that_differ_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "l.csv"
    path.write_text("ligand,smiles\nphenol,Oc1ccccc1\nphenolate,[O-]c1ccccc1\ntoluene,Cc1ccccc1\n")
    water = {"md": {"solvent": "tip3p"}}
    compared(path, Account(str(path)), settings=BindingConfig(**water))
    assert "net charges -1, +0 e: an edge between two of them needs fe.charge_correction counter_ion" in caplog.text
    caplog.clear()
    for settings in (water | {"fe": {"charge_correction": "counter_ion"}}, {"md": {"solvent": "obc2"}}):
        compared(path, Account(str(path)), settings=BindingConfig(**settings))
    assert "net charges" not in caplog.text


def test_samplesheet(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("ligand,smiles\ntoluene,Cc1ccccc1\nbenzene,c1ccccc1\n")
    assert list(compared(path, Account(str(path))).difficulty) == [("benzene", "toluene")]


def test_one_molecule_twice_and_isomers(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("ligand,smiles\nr,C[C@H](O)c1ccccc1\ns,C[C@@H](O)c1ccccc1\nketo,CC(=O)C\nenol,CC(O)=C\n")
    assert len(compared(path, Account(str(path))).ligands) == 4  # enantiomers and tautomers are ligands of their own
    path.write_text("ligand,smiles\nr,C[C@H](O)c1ccccc1\nketo,CC(C)=O\nagain,c1ccccc1[C@H]([13CH3])O\n")
    with pytest.raises(InputError, match="again is the molecule of r .right: each molecule once"):
        compared(path, Account(str(path)))


def test_all_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "l.sdf"
    path.write_text(
        block("CC", "a b")
        + block("CC", "a/b")
        + block("CC", "a")
        + block("CC", "a")
        + block("CC", "")
        + "bad\nnothing\n$$$$\n"
        + block("CC", "A")
    )
    account = Account(str(path))
    read_molecules(path, account)
    with pytest.raises(InputError) as caught:
        account.settle()
    assert "record 2: 'a/b', as a name a_b, is there already (record 1)" in str(caught.value)
    for said in (
        "'a' is there already (record 3)",
        "without a usable name",
        "'bad' is not readable",
        "differ in case alone",
    ):
        assert said in str(caught.value)
    empty = tmp_path / "e.sdf"
    empty.write_text("\n")
    account = Account(str(empty))
    assert read_molecules(empty, account) == {} and "no ligand" in str(account.of_weight("refuse")[0])
