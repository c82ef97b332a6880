from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from gibbsflow.cli.train import app
from gibbsflow.config.potential_config import PotentialConfig

SETTINGS = """
elements: [Si]
structure: diamond
temperature_k: [300, 900]
engine: tblite
labels: {batch_size: 5}
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """File of settings in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "si.yaml").write_text(SETTINGS)
    return tmp_path / "si.yaml"


def config(file: Path, *more: object) -> Result:
    return CliRunner().invoke(app, ["config", "--expand", file.name, *map(str, more)])


def test_settings_are_named_as_by_the_other_verbs_too(settings: Path) -> None:
    named = CliRunner().invoke(app, ["config", "--config", settings.name])
    assert named.exit_code == 0 and named.stdout == config(settings).stdout


def test_config_is_printed_whole(settings: Path) -> None:
    done = config(settings, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["config"]["exploration"]["temperature_end_k"] == 900
    printed = yaml.safe_load(config(settings).stdout)
    assert printed["labels"]["batch_size"] == 5
    assert PotentialConfig.from_mapping(printed, where="printed") == PotentialConfig.expand(settings)


def test_config_is_written_whole(settings: Path, tmp_path: Path) -> None:
    done = config(settings, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert PotentialConfig.expand(tmp_path / "out" / "config.json") == PotentialConfig.expand(settings)
    assert json.loads((tmp_path / "out" / "result.json").read_text())["engine"] == "tblite"


def test_an_engine_that_was_chosen_is_said_with_its_reason(settings: Path) -> None:
    settings.write_text(SETTINGS.replace("tblite", "auto"))
    said = config(settings)
    assert "note: labels are made by " in said.stderr
    assert yaml.safe_load(said.stdout)["dft"]["engine_because"] in said.stderr


def test_what_is_checked_is_printed_as_well_and_what_was_found_said(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"program": "tblite", "version": "0.8.0", "settings_hash": "tblite-1", "method": "GFN1-xTB, Γ point only"}
    monkeypatch.setattr("gibbsflow.potential.loop.preflight.check", lambda *_: found)
    said = config(settings, "--check")
    assert said.exit_code == 0, said.output
    assert said.stdout == config(settings).stdout != ""
    assert "note: found: program tblite; version 0.8.0; method GFN1-xTB, Γ point only\n" in said.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("engine: tblite", "engine: quantum_espresso\ndft: {pw_command: no-such-pw.x}"), "no-such-pw.x"),
        (("elements: [Si]", "elements: [Ar]"), "Ar"),
        (("structure: diamond", "structure: si.cif"), "si.cif"),
    ],
)
def test_what_is_missing_is_said_before_anything_starts(
    settings: Path, tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    settings.write_text(SETTINGS.replace(*change).replace("engine: tblite", "engine: quantum_espresso"))
    (tmp_path / "si.cif").write_text("this is no crystal")
    refused = config(settings, "--check")
    assert refused.exit_code == 65, refused.output
    assert message in refused.stderr and "Traceback" not in refused.stderr
