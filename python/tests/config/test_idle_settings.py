"""What has no effect is said, and what would be taken for the result's is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gibbsflow.config.idle_settings import judge
from gibbsflow.config.potential import Dft, Target
from gibbsflow.config.potential_training import Exploration
from gibbsflow.workflow.account import Account


def judged(target: dict[str, Any] | None = None, dft: dict[str, Any] | None = None, **exploration: Any) -> Account:
    return judge(Target(**target or {}), Dft(**dft or {}), Exploration(**exploration), "si.yaml")


@pytest.mark.parametrize(
    ("target", "exploration", "message"),
    [
        ({}, {"pressure_bar": 100.0}, "exploration.pressure_bar: 100 bar has no effect at constant volume"),
        ({}, {"pressure_bar": 0.0, "pressure_end_bar": 1e5}, "exploration.pressure_end_bar: 100000 bar has no effect"),
        (
            {"elements": ("Na", "Cl"), "composition": {"Na": 0.7, "Cl": 0.3}, "crystal": "rocksalt"}, {},
            "target.composition: has no effect: the composition is that of the rocksalt",
        ),
        (
            {"elements": ("Ca", "F"), "composition": {"Ca": 0.7, "F": 0.3}, "crystal": "fluorite"}, {},
            "of the fluorite",
        ),
        (
            {"elements": ("Cu", "Au"), "composition": {"Cu": 0.75, "Au": 0.25}, "structure_file": "s.cif"}, {},
            "of the structure_file",
        ),
        ({"crystal": "fcc", "structure_file": "s.cif"}, {}, "target.structure_file: beside crystal"),
        ({"molecule": "H2O", "lattice_constant_angstrom": 5.0}, {}, "target.lattice_constant_angstrom: has no effect"),
    ],
)  # fmt: skip
def test_refused(target: dict[str, Any], exploration: dict[str, Any], message: str) -> None:
    refused = judged(target, **exploration).of_weight("refuse")
    assert len(refused) == 1 and message in str(refused[0])


@pytest.mark.parametrize(
    ("target", "exploration"),
    [
        ({}, {"pressure_bar": 100.0, "ensemble": "npt"}),
        ({}, {"pressure_bar": 0.0, "pressure_end_bar": 0.0}),
        ({"elements": ("Na", "Cl"), "crystal": "rocksalt"}, {}),
        ({"elements": ("Ca", "F"), "composition": {"Ca": 1 / 3, "F": 2 / 3}, "crystal": "fluorite"}, {}),
        ({"elements": ("Cu", "Au"), "composition": {"Cu": 0.75, "Au": 0.25}, "crystal": "fcc"}, {}),
        ({"elements": ("Cu", "Au"), "composition": {"Cu": 0.75, "Au": 0.25}}, {}),
        ({"elements": ("Cu", "Au"), "structure_file": "s.cif"}, {}),
        ({"lattice_constant_angstrom": 5.0, "crystal": "fcc"}, {}),
    ],
)
def test_nothing_to_say(target: dict[str, Any], exploration: dict[str, Any]) -> None:
    assert judged(target, **exploration).doubts == []


def test_settings_of_another_engine_are_noted() -> None:
    account = judged(dft={"engine": "tblite", "functional": "lda", "tblite_method": "GFN2-xTB"})
    assert [str(p) for p in account.of_weight("note")] == ["si.yaml, dft.functional: has no effect with engine tblite"]
    assert account.of_weight("refuse") == []
    assert judged(dft={"functional": "lda", "bands": 20}).doubts == []
