from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from silicon import COARSE, si8

from gibbsflow.config.label_engines import Engine
from gibbsflow.config.potential import Dft, Labels
from gibbsflow.errors import MissingProgramError
from gibbsflow.potential.label.engines import ENGINES, check_electrons, make_engine
from gibbsflow.workflow.account import Account

LABELS = Labels()


def test_every_engine_of_the_settings_has_its_row() -> None:
    assert list(ENGINES) == list(get_args(Engine))


@pytest.mark.parametrize("name", ENGINES)
def test_every_row_is_of_an_engine_and_names_settings_that_there_are(name: Engine) -> None:
    found: Any = ENGINES[name].load()
    assert found.name == name
    assert callable(found.label) and callable(found.describe)
    assert ENGINES[name].settings[0] == "engine"
    assert set(ENGINES[name].settings) <= Dft.model_fields.keys()


def test_the_settings_choose() -> None:
    pytest.importorskip("tblite")
    engine = make_engine(["Si"], Dft(engine="tblite"), LABELS)
    assert engine.name == "tblite"
    assert engine.settings_hash == engine.describe()["settings_hash"]


def test_no_pw_is_an_error_before_anything_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))  # as where the set-up made none
    with pytest.raises(MissingProgramError, match=r"pw\.x"):
        make_engine(["Si"], Dft.model_validate(COARSE), LABELS)


@pytest.mark.parametrize(("engine", "package"), [("gpaw", "gpaw"), ("tblite", "tblite")])
def test_a_package_that_is_not_installed_is_named(
    engine: Engine, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find_spec(name))
    with pytest.raises(MissingProgramError, match=package):
        make_engine(["Si"], Dft(engine=engine), LABELS)


def test_what_is_asked_of_an_engine_is_judged_before_it_starts() -> None:
    pytest.importorskip("tblite")
    engine = make_engine(["Si"], Dft(engine="tblite"), LABELS)
    charged, antiferro, earlier = si8(1), si8(2), si8(3)
    charged.info["charge"] = 2
    antiferro.set_initial_magnetic_moments([1.0, -1.0] * 4)
    earlier.calc = SinglePointCalculator(earlier, magmoms=[1.0] * 8)
    account = Account("s.extxyz")
    check_electrons(engine, [si8(4), charged, antiferro, earlier, Atoms("Si")], account)
    assert [str(problem) for problem in account.of_weight("refuse")] == [
        "s.extxyz, charge and spin: frame 2: moments of both signs, and tblite computes both spins in the same "
        "orbitals (right: what tblite can compute)"
    ]
    notes = " ".join(account.as_dict()["notes"])
    for words in ("1 frame is charged", "earlier calculation", "isolated atoms are computed spin-polarised", "Si 3"):
        assert words in notes
    assert account.facts == {"frames": 5, "elements": ["Si"], "charged": 1, "spin_polarised": 1}
    plain = Account("s.extxyz")
    check_electrons(engine, [si8(4)], plain)
    assert not plain.doubts
