from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from gibbsflow.config import label_engines
from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.loop.extension import require_same_labels

AUTO = {"elements": ["Si"], "structure": "diamond", "engine": "auto"}


def program(folder: Path, name: str, text: str = "exit 0") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without pw.x: an empty PATH, and a Python in an environment of its own."""
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "home" / "venv"))
    return tmp_path


def test_the_order_is_path_then_set_up_then_gpaw_then_tblite(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gpaw" else find_spec(name))
    engine, why = label_engines.choose_engine()
    assert engine == "tblite" and "make setup-qe" in why and "no DFT" in why
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "gpaw" else find_spec(name))
    assert label_engines.choose_engine()[0] == "gpaw"
    own = program(bare / "home" / "programs" / "qe" / "bin", "pw.x")
    assert label_engines.choose_engine()[0] == "quantum_espresso"
    assert label_engines.find_pw() == str(own)
    installed = program(bare / "path", "pw.x")
    assert label_engines.choose_engine() == ("quantum_espresso", "pw.x is on PATH")
    assert label_engines.find_pw() == str(installed)


@pytest.mark.skipif(importlib.util.find_spec("gpaw") is None, reason="GPAW is not installed")
def test_gpaw_comes_before_a_pw_that_has_no_pseudopotential(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare / "path", "pw.x")
    salt = {"elements": ["Na", "Cl"], "structure": "rocksalt", "engine": "auto"}
    dft = PotentialConfig.from_mapping(salt, where="nacl.yaml").dft
    assert dft.engine == "gpaw" and "no pbe pseudopotential of Na, Cl; GPAW is installed" in dft.engine_because
    table = {"elements": ["Si", "Ti"], "engine": "auto", "structure": "fcc"}
    assert PotentialConfig.from_mapping(table, where="t.yaml").dft.engine == "gpaw"
    assert (
        PotentialConfig.from_mapping(table | {"dft": {"functional": "lda"}}, where="t.yaml").dft.engine
        == "quantum_espresso"
    )
    own = {"pseudo_library": "gth"}  # for pseudopotentials: then they are asked for
    assert PotentialConfig.from_mapping(salt | {"dft": own}, where="nacl.yaml").dft.engine == "quantum_espresso"
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gpaw" else find_spec(name))
    assert PotentialConfig.from_mapping(salt, where="nacl.yaml").dft.engine == "quantum_espresso"


def test_only_the_plain_name_falls_back_to_the_set_up(bare: Path) -> None:
    own = program(bare / "home" / "programs" / "qe" / "bin", "pw.x")
    assert label_engines.find_pw("pw-7.4.x") is None
    assert label_engines.find_pw(str(bare / "nowhere" / "pw.x")) is None
    assert label_engines.find_pw(str(own)) == str(own)


def test_the_reason_travels_with_the_settings_and_decides_nothing(bare: Path) -> None:
    program(bare / "path", "pw.x")
    config = PotentialConfig.from_mapping(AUTO, where="si.yaml")
    assert (config.dft.engine, config.dft.engine_because) == ("quantum_espresso", "pw.x is on PATH")
    again = PotentialConfig.from_mapping(config.model_dump(mode="json"), where="config.json")
    assert again == config
    named = PotentialConfig.from_mapping({**AUTO, "engine": "quantum_espresso"}, where="si.yaml")
    assert named.dft.engine_because == ""
    require_same_labels(config, named, bare)  # not refused


def test_the_names_are_said_as_a_list() -> None:
    assert label_engines.ENGINE_WORDS == "quantum_espresso, gpaw or tblite"
