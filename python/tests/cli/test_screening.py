"""`infer screen` from files to files, and that a loop does not take a surrogate in silence."""

import json
from pathlib import Path

import pytest
from ase.build import molecule
from ase.io import read, write
from typer.testing import CliRunner

from gibbsflow.cli.infer import app
from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError


def test_a_torn_molecule_is_left_out(tmp_path: Path) -> None:
    torn = molecule("H2O")
    torn.positions[1] = torn.positions[0] + [0, 0, 0.55]
    write(tmp_path / "in.extxyz", [molecule("H2O"), torn])
    config = tmp_path / "settings.json"
    config.write_text(json.dumps({"surrogate": {"model": "tblite", "max_force_ev_per_angstrom": 10}}))
    words = ["screen", "--structures", str(tmp_path / "in.extxyz"), "--config", str(config), "--out"]
    told = CliRunner().invoke(app, [*words, str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["fates"] == {"kept": 1, "screened": 1}
    (gone,) = read(tmp_path / "out" / "left_out.extxyz", ":")
    assert gone.get_distance(0, 1) == pytest.approx(0.55)
    assert len(read(tmp_path / "out" / "screened.extxyz", ":")) == 1


def test_nothing_to_screen_by_is_an_input_error(tmp_path: Path) -> None:
    write(tmp_path / "in.extxyz", molecule("H2O"))
    told = CliRunner().invoke(
        app, ["screen", "--structures", str(tmp_path / "in.extxyz"), "--out", str(tmp_path / "out")]
    )
    assert told.exit_code == 65 and "surrogate.model" in told.output


def test_a_loop_refuses_a_surrogate(tmp_path: Path) -> None:
    config = tmp_path / "si.json"
    config.write_text(json.dumps({"elements": ["Si"], "surrogate": {"model": "tblite"}}))
    with pytest.raises(InputError, match="asks no surrogate"):
        PotentialConfig.expand(config)
