"""`infer screen` from files to files, and from a state to the next."""

import json
from pathlib import Path

import pytest
from ase.build import molecule
from ase.io import read, write
from typer.testing import CliRunner

from gibbsflow.cli.infer import app


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


def test_a_killed_screening_goes_on_from_its_state(tmp_path: Path) -> None:
    write(tmp_path / "in.extxyz", [molecule("H2O"), molecule("CH4"), molecule("NH3")])
    config = tmp_path / "settings.json"
    config.write_text(json.dumps({"surrogate": {"model": "tblite", "max_force_ev_per_angstrom": 10}}))
    words = ["screen", "--structures", str(tmp_path / "in.extxyz"), "--config", str(config)]
    words += ["--state", str(tmp_path / "state")]
    first = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "first")])
    assert first.exit_code == 0, first.output
    (kept,) = (tmp_path / "state").iterdir()
    lines = kept.read_text().splitlines(keepends=True)
    assert len(lines) == 3
    # two of three were looked at, and the second is no more what the model would say of it
    said = json.loads(lines[1]) | {"force_ev_per_angstrom": 11.0}
    kept.write_text(lines[0] + json.dumps(said) + "\n" + lines[2][:20])
    again = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "again")])
    assert again.exit_code == 0, again.output
    fates = [one["fate"] for one in json.loads((tmp_path / "again" / "result.json").read_text())["records"]]
    assert fates == ["kept", "screened", "kept"]


@pytest.mark.parametrize("more", [[], ["--from", "a", "--structures", "b"], ["--structures", "b", "--surrogate", "c"]])
def test_it_is_clear_what_is_screened(tmp_path: Path, more: list[str]) -> None:
    told = CliRunner().invoke(app, ["screen", *more, "--out", str(tmp_path / "out")])
    assert told.exit_code == 65 and "--structures with --config and --potential, or --from" in told.output
