"""How hard pairs are: a table, or what they have in common."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from rdkit import Chem

from gibbsflow.binding.network.design.difficulty import common_difficulty, read_difficulties
from gibbsflow.errors import InputError
from gibbsflow.workflow.account import Account


def difficulty(a: str, b: str) -> float | None:
    return common_difficulty(*(Chem.AddHs(Chem.MolFromSmiles(smiles)) for smiles in (a, b)))


def test_table(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("ligand_b,ligand_a,difficulty\na,b,0.25\nc,b,\n")
    account = Account(str(path))
    found = read_difficulties(path, account)
    account.settle()
    assert found.difficulty == {("a", "b"): 0.25} and found.ligands == ("a", "b", "c")


def test_all_faults_of_a_table_at_once(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("ligand_a,ligand_b,difficulty\na,a,0.1\na,b,1.5\nb,a,0.2\na,z,0.1\nA,b,x\n")
    account = Account(str(path))
    read_difficulties(path, account, ["a", "b", "A"])
    with pytest.raises(InputError) as caught:
        account.settle()
    for said in ("'a' with itself", "'1.5' is no difficulty", "a~b is already in row 3", "'z' is none of the ligands",
                 "'x' is no number", "'A' and 'a' differ in case alone"):  # fmt: skip
        assert said in str(caught.value)


def test_what_two_molecules_have_in_common() -> None:
    assert difficulty("Cc1ccccc1", "Cc1ccccc1") == 0
    assert difficulty("c1ccccc1", "Cc1ccccc1") == pytest.approx(1 - math.exp(-0.1))
    assert difficulty("Cc1ccccc1C", "Cc1ccc(C)cc1") == pytest.approx(1 - math.exp(-0.2))  # toluene is common
    assert difficulty("c1ccccc1", "C1CCCCC1") is None  # rings of other bonds
    assert difficulty("c1ccccc1", "c1ccc2ccccc2c1") != 0  # half a ring system is not common
    assert difficulty("CCCCN", "CCCC[NH3+]") == pytest.approx(0.7)  # the part of a map's score for one e
    assert difficulty("Cc1ccccc1", "CCc1ccccc1") == difficulty("CCc1ccccc1", "Cc1ccccc1")


def test_elements_change_where_nothing_else_is_common() -> None:
    assert difficulty("c1ccccc1", "c1ccncc1") == pytest.approx(1 - math.exp(-0.2))  # C to N: one of each
    assert difficulty("C1CCCCC1", "CC1CCOCC1") == pytest.approx(1 - math.exp(-0.3))
    assert difficulty("CCCC", "O") is None and difficulty("CCC", "CCC") is None  # fewer than four heavy atoms
