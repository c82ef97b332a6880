"""Equilibration to free-energy legs on CB7·B2, through the commands, in a minute."""

import csv
import json

import host_guest as hg
import numpy as np
import pytest
from typer.testing import CliRunner

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.prepare_fe import choose_restraint
from gibbsflow.binding.alchemy.restraints import BoreschRestraint
from gibbsflow.binding.equilibrate.equilibration import plan_equilibration
from gibbsflow.binding.system import SimSystem
from gibbsflow.cli.equil import app as equil
from gibbsflow.cli.fe import app as fe
from gibbsflow.config.binding import Equil, Fe, Md
from gibbsflow.errors import InputError

EQUIL = Equil(minimise_steps=100, heat_ps=1, equil_ps=3, equil_segment_ps=2)


def call(app, *args):
    return CliRunner().invoke(app, [str(a) for a in args])


def prepared(folder, shift_nm=0.0, equil_settings=EQUIL):
    return hg.prepare_equil(folder, equil_settings, shift_nm)


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """Folders of all phases from prepare_equil to prepare_fe."""
    root = tmp_path_factory.mktemp("chain")
    prepared(root / "prepare")
    first = call(
        equil, "run", "--system", root / "prepare", "--state", root / "state", "--out", root / "equil", "--segments", 1
    )
    assert first.exit_code == 75, first.output
    done = call(equil, "run", "--system", root / "prepare", "--state", root / "state", "--out", root / "equil")
    assert done.exit_code == 0, done.output
    analysed = call(equil, "analyse", "--system", root / "equil", "--out", root / "analysis")
    assert analysed.exit_code == 0, analysed.output
    legs = call(fe, "prepare", "--system", root / "analysis", "--out", root / "fe")
    assert legs.exit_code == 0, legs.output
    return root


def test_log_and_trajectory(chain):
    rows = list(csv.DictReader((chain / "equil" / "equil_log.csv").open()))
    assert list(rows[0]) == ["time_ps", "potential_kcal_per_mol", "temperature_k"]
    assert [float(r["time_ps"]) for r in rows] == pytest.approx([1, 2, 3, 4])
    assert 150 < float(rows[-1]["temperature_k"]) < 450
    system = SimSystem.read(chain / "equil")
    assert system.meta["equil_steps"] == 1000
    with np.load(system.path("equil_state")) as state:
        assert state["positions_nm"].shape == state["velocities_nm_per_ps"].shape == (156, 3)
    assert system.path("equil_trajectory").read_bytes()[4:8] == b"CORD"


def test_stopped_and_resumed_is_the_same_as_one_go(chain, tmp_path):
    done = call(equil, "run", "--system", chain / "prepare", "--state", tmp_path / "s", "--out", tmp_path / "o")
    assert done.exit_code == 0
    for name in ("equil_log.csv", "equil_frames.npz", "equil_state.npz"):
        assert (tmp_path / "o" / name).read_bytes() == (chain / "equil" / name).read_bytes()


def test_analysis(chain):
    system = SimSystem.read(chain / "analysis")
    assert system.meta["bound"] is True and system.meta["ligand_site_distance_angstrom"] < 1
    assert set(system.meta["anchors"]) >= {"receptor", "ligand", "r0_angstrom", "theta_a_deg", "why"}
    assert "<svg" in system.path("equil_plot").read_text()[:600]
    assert system.path("representative").read_text().count("HETATM") == 156
    with np.load(system.path("representative_npz")) as file:
        assert file["positions_nm"].shape == (156, 3)
    result = json.loads((chain / "analysis" / "result.json").read_text())
    assert result["bound"] and result["inputs_hash"] and result["buried_fraction"] > 0.6


def test_legs(chain):
    system = SimSystem.read(chain / "fe")
    assert system.meta["standard_state"]["numeric_kcal_per_mol"] == pytest.approx(-5.2714, abs=1e-3)
    assert system.meta["run"] == {"seed": 2026, "replicates": 2}
    bound, free = (AlchemicalLeg.read(system.root / "legs" / name) for name in ("complex", "solvent"))
    assert len(bound.states) == 16 and len(free.states) == 6 and free.restraint is None
    assert bound.restraint.r0_angstrom == 0 and len(bound.restraint.ligand_atoms) == 12
    np.testing.assert_allclose(free.start_nm, bound.start_nm[:, hg.RECEPTOR_ATOMS :])
    assert bound.thermal_starts and bound.starts_nm(0).shape == (16, 156, 3)
    assert not np.array_equal(bound.starts_nm(0), bound.starts_nm(1))


def test_dry_run_computes_nothing(chain, tmp_path):
    args = [
        "--leg",
        chain / "fe" / "legs" / "complex",
        "--replicate",
        1,
        "--state",
        tmp_path / "s",
        "--out",
        tmp_path / "o",
    ]
    done = call(fe, "run", *args, "--dry-run")
    assert done.exit_code == 0 and "16 windows x 1020 ps" in done.output
    assert not (tmp_path / "s").exists()
    wrong = call(fe, "run", *args, "--dry-run", "--window", 3)
    assert wrong.exit_code == 65 and "replica exchange" in wrong.output


def test_status_of_a_state_folder(chain):
    done = call(fe, "status", chain / "state")
    assert done.exit_code == 0 and "finished" in done.output
    rows = json.loads(call(fe, "status", chain / "state", "--json").stdout)
    assert rows[0]["steps_done"] == 1000 and rows[0]["total_ns"] == pytest.approx(0.004)
    assert call(fe, "status", chain / "nowhere").exit_code == 65


def test_an_unbound_ligand_is_exit_70(tmp_path):
    prepared(tmp_path / "p", shift_nm=2.0, equil_settings=EQUIL.model_copy(update={"heat_ps": 0.0, "equil_ps": 1.0}))
    assert (
        call(equil, "run", "--system", tmp_path / "p", "--state", tmp_path / "s", "--out", tmp_path / "e").exit_code
        == 0
    )
    done = call(equil, "analyse", "--system", tmp_path / "e", "--out", tmp_path / "a", "--state", tmp_path / "sa")
    assert done.exit_code == 70
    result = json.loads((tmp_path / "a" / "result.json").read_text())
    assert result["status"] == "unbound" and result["cause"] == "Unbound" and (tmp_path / "a" / "equil.svg").exists()
    assert call(fe, "prepare", "--system", tmp_path / "a", "--out", tmp_path / "f").exit_code == 70


def test_a_clash_is_caught_by_the_energy_gate(tmp_path):
    gate = EQUIL.model_copy(update={"minimise_steps": 0})
    prepared(tmp_path / "p", shift_nm=0.2, equil_settings=gate)
    done = call(equil, "run", "--system", tmp_path / "p", "--state", tmp_path / "s", "--out", tmp_path / "e")
    assert done.exit_code == 70 and "above the gate" in done.output
    assert json.loads((tmp_path / "s" / "FAILED").read_text())["cause"] == "Numerical"


def test_restraint_by_kind(chain):
    system = SimSystem.read(chain / "analysis")
    assert isinstance(choose_restraint(system, Fe(restraint="boresch")), BoreschRestraint)
    protein = system.with_meta(receptor_kind="protein")
    assert isinstance(choose_restraint(protein, Fe()), BoreschRestraint)
    off_centre = system.with_meta(ligand_site_distance_angstrom=2.5)
    assert choose_restraint(off_centre, Fe()).r0_angstrom == 2.5
    with pytest.raises(InputError, match="2 heavy atoms"):
        bare = system.with_meta(anchors=None, anchors_problem="the ligand has 2 heavy atoms")
        choose_restraint(bare, Fe(restraint="boresch"))


def test_plan_covers_the_lengths_asked_for():
    plan = plan_equilibration(Md(), Equil(heat_ps=10, equil_ps=25, equil_segment_ps=10))
    assert plan.frames == (10, 10, 10, 5) and plan.heating == 1 and plan.steps_per_frame == 250
    long = plan_equilibration(Md(), Equil(heat_ps=0, equil_ps=5000, equil_segment_ps=100))
    assert sum(long.frames) == 1000 and long.heating == 0
