from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from silicon import COARSE

from gibbsflow.config.label_engines import Engine
from gibbsflow.config.potential import Dft, Labels
from gibbsflow.errors import MissingProgramError
from gibbsflow.potential.label.engines import ENGINES, make_engine

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
