from __future__ import annotations

import pytest

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.validate.ordered import ordered_compound
from gibbsflow.potential.validate.subjects import find_subject
from gibbsflow.workflow.account import Account


def settings(elements: list[str], structure: str, **target: object) -> PotentialConfig:
    given = {
        "elements": elements, "structure": structure, "engine": "tblite", "target": target,
        "validation": {"subject": "target"},
    }  # fmt: skip
    return PotentialConfig.from_mapping(given, where="here")


@pytest.mark.parametrize(
    ("elements", "structure", "name", "atoms"),
    [
        (["Si", "Ge"], "diamond", "F-43m", 2),
        (["Ni", "Al"], "bcc", "Pm-3m", 2),
        (["Cu", "Ni"], "fcc", "P4/mmm", 2),
    ],
)
def test_an_alloy_in_equal_parts_is_measured_ordered(
    elements: list[str], structure: str, name: str, atoms: int
) -> None:
    found = find_subject(settings(elements, structure), Account("x"), species=elements)
    assert found.crystal is not None
    smallest = found.crystal.primitive
    assert found.name.endswith(name) and len(smallest) == atoms
    assert sorted(smallest.get_chemical_symbols()) == sorted(elements)
    assert "ordered" in found.source


def test_what_has_no_such_compound_stays_as_it_is() -> None:
    uneven = settings(["Si", "Ge"], "diamond", composition={"Si": 0.75, "Ge": 0.25})
    assert ordered_compound(uneven.target) is None
    assert find_subject(uneven, Account("x"), species=["Si", "Ge"]).source == "target of the settings"
    assert ordered_compound(settings(["Si"], "diamond").target) is None
    assert ordered_compound(settings(["Mg", "O"], "rocksalt").target) is None
