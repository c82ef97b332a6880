"""The program param: files for tleap, one computation for all who ask, clear failures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from known_molecules import CB7
from typer.testing import CliRunner

from gibbsflow.binding.prepare.complex import prepare_system, row_from_options
from gibbsflow.binding.system import SimSystem
from gibbsflow.cli.param import app
from gibbsflow.config.binding import BindingConfig

EXIT_SCIENCE = 70


@pytest.fixture(scope="module")
def system(tmp_path_factory) -> Path:
    """Butane in CB7, prepared."""
    folder = tmp_path_factory.mktemp("butane")
    row = row_from_options("butane", None, "CCCC", None, None)
    prepared, _ = prepare_system(row, CB7, BindingConfig(), folder)
    prepared.write()
    return folder


def arguments(system: Path, folder: Path, name: str) -> list[str]:
    return ["ligand", "--system", str(system), "--cache", str(folder / "cache"), "--out", str(folder / name)]


def test_two_processes_compute_once(system, tmp_path):
    command = [sys.executable, "-m", "gibbsflow.cli.param"]
    running = [
        subprocess.Popen([*command, *arguments(system, tmp_path, name)], stderr=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    for process in running:
        _, told = process.communicate(timeout=200)
        assert process.returncode == 0, told
    results = [json.loads((tmp_path / name / "result.json").read_text()) for name in ("one", "two")]
    for molecule in ("ligand", "host"):
        assert sorted(r["cache_hit"][molecule] for r in results) == [False, True]
    one, two = (SimSystem.read(tmp_path / name) for name in ("one", "two"))
    for role in ("ligand_mol2", "ligand_frcmod", "host_mol2", "host_frcmod"):
        assert one.path(role).read_bytes() == two.path(role).read_bytes()
    assert (tmp_path / "one" / "system.json").read_bytes() == (tmp_path / "two" / "system.json").read_bytes()
    assert one.meta["protein_ff"] == "ff14SB" and one.meta["param"]["charge_method"] == "bcc"
    assert [p for p in (tmp_path / "cache").rglob(".*")] == []


def test_failure_names_molecule_log_and_reason(system, tmp_path):
    (tmp_path / "c.yaml").write_text("param_memory_gb: 0.01\n")
    more = ["--config", str(tmp_path / "c.yaml"), "--state", str(tmp_path / "state")]
    outcome = CliRunner().invoke(app, [*arguments(system, tmp_path, "out"), *more])
    assert outcome.exit_code == EXIT_SCIENCE
    assert "error: ligand: antechamber" in outcome.stderr and "ligand.antechamber.log" in outcome.stderr
    assert "what to do: Read the program's log" in outcome.stderr
    for record in (tmp_path / "out" / "result.json", tmp_path / "state" / "FAILED"):
        assert json.loads(record.read_text())["cause"] == "Parametrisation"
