"""Disulfides: nearest first, doubts told, contradictions refused."""

import pytest

from gibbsflow.binding.prepare.protein.residues import Residue
from gibbsflow.binding.prepare.protein.sulfurs import account_disulfides, disulfides
from gibbsflow.workflow.account import Account


def cysteine(number: int, x: float, name: str = "CYS", *, thiol: bool = False) -> Residue:
    atoms = {"SG": ("S", (x, 0.0, 0.0))} | ({"HG": ("H", (x, 1.3, 0.0))} if thiol else {})
    return Residue("A", str(number), name, False, atoms)


def test_nearest_first_and_each_once():
    four = [cysteine(1, 0), cysteine(2, 2.9), cysteine(3, 2.9 + 2.05), cysteine(4, 20)]
    assert disulfides(four) == [(1, 2)]
    assert disulfides([cysteine(1, 0), cysteine(2, 3.01)]) == []
    assert disulfides([cysteine(1, 0, "CYM"), cysteine(2, 2.05)]) == []


@pytest.mark.parametrize(
    ("pair", "weight", "told"),
    [
        ([cysteine(1, 0), cysteine(2, 2.05)], None, ""),
        ([cysteine(1, 0), cysteine(2, 2.75)], "note", "taken as a disulfide though their sulfurs are 2.75 Å apart"),
        ([cysteine(1, 0, thiol=True), cysteine(2, 2.75, thiol=True)], "note", "not a disulfide, as hydrogen or name"),
        ([cysteine(1, 0, thiol=True), cysteine(2, 2.05, thiol=True)], "refuse", "2.05 Å apart, but a hydrogen"),
        ([cysteine(1, 0, "CYX"), cysteine(2, 4.0, "CYX")], "refuse", "named as half of a disulfide"),
    ],
)
def test_doubts(pair, weight, told):
    account = Account("p.pdb")
    account_disulfides(pair, [], account)
    assert [d.weight for d in account.doubts][:1] == ([weight] if weight else [])
    assert told in "\n".join(map(str, account.doubts))


def test_a_listed_bond_that_is_not_built():
    account = Account("p.pdb")
    assert account_disulfides([cysteine(1, 0), cysteine(2, 4)], [("A:1", "A:2")], account) == []
    assert "lists a disulfide A:1 to A:2" in str(account.of_weight("warn")[0])
