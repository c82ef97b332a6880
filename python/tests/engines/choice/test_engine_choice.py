"""Which engine ``auto`` stands for, and that what was settled once is kept."""

import shutil

import pytest

from gibbsflow.config.binding import Md
from gibbsflow.engines.choice.engine_choice import (
    choose_engine,
    engine_problems,
    engine_versions,
    require_engine,
    settled,
)
from gibbsflow.engines.gromacs import programs
from gibbsflow.errors import InputError

AUTO = Md(engine="auto", solvent="tip3p")


@pytest.fixture
def no_gromacs(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def gromacs(monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bin")
    (folder / "gmx").write_text("#!/bin/sh\necho 'GROMACS version:    2024.1'\n")
    (folder / "gmx").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    programs.version.cache_clear()
    yield
    programs.version.cache_clear()


def test_a_card_goes_before_gromacs_and_gromacs_before_a_cpu(gromacs):
    assert choose_engine(AUTO).engine == "gromacs" and "2024.1" in choose_engine(AUTO).because
    card = choose_engine(AUTO.model_copy(update={"platform": "CUDA"}))
    assert (card.engine, card.because) == ("openmm", "platform: CUDA")
    assert choose_engine(Md(engine="auto")).because == "GROMACS has no obc2"
    assert choose_engine(Md(solvent="tip3p")).because == "" and engine_versions(AUTO) == {}


def test_without_gromacs_it_is_openmm_and_says_why(no_gromacs):
    assert choose_engine(AUTO).engine == "openmm" and "no gmx on PATH" in choose_engine(AUTO).because


def test_what_was_settled_is_kept_on_another_machine(gromacs, tmp_path, monkeypatch):
    md, first = settled(AUTO, tmp_path / "state")
    assert md.engine == first.engine == "gromacs"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("gmx") is None
    again, choice = settled(AUTO, tmp_path / "state")
    assert again == md and choice == first
    assert settled(AUTO, None)[0].engine == "openmm"


@pytest.mark.parametrize("text", ["[", '{"engine": "amber"}', '{"engine": 5}', '["openmm"]'])
def test_a_record_that_cannot_be_read_or_names_another_is_made_anew(no_gromacs, tmp_path, text):
    (tmp_path / "engine.json").write_text(text)
    assert settled(AUTO, tmp_path)[0].engine == "openmm"
    assert '"openmm"' in (tmp_path / "engine.json").read_text()


def test_one_that_was_named_is_refused_where_it_cannot_be(no_gromacs):
    named = Md(engine="gromacs", solvent="opc")
    with pytest.raises(InputError, match="engine: gromacs, and there is no gmx on PATH"):
        require_engine(named, "md")
    assert engine_problems(named, "md", programs=False) == []
    for solvent in ("obc2", "vacuum"):
        (problem,) = engine_problems(Md(engine="gromacs", solvent=solvent), "md", programs=False)
        assert "no implicit solvent since 2019" in problem.what and problem.field == "engine"
