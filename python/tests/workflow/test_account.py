"""The account of an input: every doubt once, all refusals at once, and nothing lost on the way through JSON."""

import json
import logging

import pytest

from gibbsflow.errors import InputError, StateError
from gibbsflow.workflow.account import Account, heaviest


def test_all_refusals_are_raised_at_once_and_notes_only_without_them(caplog):
    account = Account("protein.pdb")
    account.note("2 waters left out")
    account.refuse("residue LYN A:5 is unknown", "one of the 20 amino acids", row=12)
    account.refuse("chain B ends within a residue", "whole residues", field="receptor")
    with caplog.at_level(logging.INFO), pytest.raises(InputError) as caught:
        account.settle()
    assert [p.row for p in caught.value.problems] == [12, None]
    assert "waters" not in caplog.text


def test_warnings_and_notes_are_said_and_weighed(caplog):
    account = Account("protein.pdb")
    assert heaviest(account.doubts) is None
    account.note("2 waters left out")
    account.note("2 waters left out")
    account.warn("zinc left out", "--keep ZN", row=7)
    with caplog.at_level(logging.INFO):
        account.settle()
    assert [(r.levelname, r.message) for r in caplog.records] == [
        ("INFO", "protein.pdb: 2 waters left out"),
        ("WARNING", "protein.pdb, row 7: zinc left out (right: --keep ZN)"),
    ]
    assert heaviest(account.doubts) == "warn"


def test_an_account_survives_json_and_parts_are_taken_in():
    whole, part = Account("system b2", {"charge_e": 0}), Account("ligand.sdf", {"atoms": 28})
    part.warn("stereochemistry left open: R is taken", "a SMILES with @")
    whole.note("placed in the cavity")
    whole.take(part, "ligand")
    whole.take(part)
    content = json.loads(json.dumps(whole.as_dict()))
    again = Account.from_dict(content, where="record.json")
    assert again.facts == {"charge_e": 0, "ligand": {"atoms": 28}}
    assert content["warnings"] == ["ligand.sdf: stereochemistry left open: R is taken (right: a SMILES with @)"]
    assert again.as_dict() == content
    with pytest.raises(StateError, match="notes is no list"):
        Account.from_dict({"notes": "two"}, where="record.json")
