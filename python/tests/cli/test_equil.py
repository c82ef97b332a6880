"""`equil`: MD that stops and goes on, and the exit codes of what cannot be used."""

import json

import host_guest as hg
from typer.testing import CliRunner

from gibbsflow.binding.facts import BoundFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.cli.equil import app as equil
from gibbsflow.cli.fe import app as fe
from gibbsflow.config.binding import Equil

EQUIL = Equil(minimise_steps=100, heat_ps=1, equil_ps=3, equil_segment_ps=2)


def call(app, *args):
    return CliRunner().invoke(app, [str(a) for a in args])


def test_stopped_and_resumed_is_the_same_as_one_go(chain, tmp_path):
    done = call(equil, "run", "--system", chain / "prepare", "--state", tmp_path / "s", "--out", tmp_path / "o")
    assert done.exit_code == 0
    for name in ("equil_log.csv", "equil_frames.npz", "equil_state.npz"):
        assert (tmp_path / "o" / name).read_bytes() == (chain / "equil" / name).read_bytes()


def test_an_unbound_ligand_is_exit_70(tmp_path):
    hg.prepare_equil(tmp_path / "p", EQUIL.model_copy(update={"heat_ps": 0.0, "equil_ps": 1.0}), shift_nm=2.0)
    assert (
        call(equil, "run", "--system", tmp_path / "p", "--state", tmp_path / "s", "--out", tmp_path / "e").exit_code
        == 0
    )
    done = call(equil, "analyse", "--system", tmp_path / "e", "--out", tmp_path / "a", "--state", tmp_path / "sa")
    assert done.exit_code == 70
    result = json.loads((tmp_path / "a" / "result.json").read_text())
    assert result["status"] == "unbound" and result["cause"] == "Unbound"
    assert "unbound" in (tmp_path / "a" / "equil.svg").read_text()
    left = SimSystem.read(tmp_path / "a")
    assert left.facts(BoundFacts).bound is False and left.artifacts["equil_plot"] == "equil.svg"
    assert "representative" not in left.artifacts and "anchors" not in left.meta
    assert call(fe, "prepare", "--system", tmp_path / "a", "--out", tmp_path / "f").exit_code == 70


def test_a_clash_is_caught_by_the_energy_gate(tmp_path):
    gate = EQUIL.model_copy(update={"minimise_steps": 0})
    hg.prepare_equil(tmp_path / "p", gate, shift_nm=0.2)
    done = call(equil, "run", "--system", tmp_path / "p", "--state", tmp_path / "s", "--out", tmp_path / "e")
    assert done.exit_code == 70 and "above the gate" in done.output
    assert json.loads((tmp_path / "s" / "FAILED").read_text())["cause"] == "Numerical"


def test_dry_run_tells_the_length_and_runs_nothing(chain, tmp_path):
    args = ("run", "--system", chain / "prepare", "--state", tmp_path / "s", "--out", tmp_path / "o")
    done = call(equil, *args, "--dry-run")
    assert done.exit_code == 0 and "4 ps in 3 segments" in done.output
    assert not (tmp_path / "s").exists()


def test_an_equilibration_is_written_for_amber(chain, tmp_path):
    done = call(equil, "write", "--system", chain / "prepare", "--out", tmp_path / "amber", "--engine", "amber")
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "amber" / "result.json").read_text())
    assert result["boxes"] == ["complex"] and (tmp_path / "amber" / "complex" / "minimise.in").exists()
    assert "total_steps=" in (tmp_path / "amber" / "complex" / "1-heating-001.in").read_text()
