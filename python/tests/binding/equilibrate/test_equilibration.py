"""Equilibration in segments: what it leaves, how it is cut, and what it says to an engine that fails."""

import csv

import host_guest as hg
import numpy as np
import pytest
from still_engine import Still

from gibbsflow.binding.equilibrate.equilibration import equilibrate
from gibbsflow.binding.equilibrate.stages import HOLD_KCAL_PER_MOL_ANGSTROM2, START_K, plan_equilibration
from gibbsflow.binding.facts import EquilibratedFacts
from gibbsflow.binding.forcefield.topology_file import Topology, heavy_atoms
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil, Md
from gibbsflow.errors import NumericalError
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.segments import Stopper


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


def test_plan_covers_the_lengths_asked_for():
    plan = plan_equilibration(Md(), Equil(heat_ps=10, equil_ps=25, equil_segment_ps=10))
    assert plan.frames == (10, 10, 10, 5) and plan.heating == 1 and plan.steps_per_frame == 250
    long = plan_equilibration(Md(), Equil(heat_ps=0, equil_ps=5000, equil_segment_ps=100))
    assert sum(long.frames) == 1000 and long.heating == 0


def test_heavy_atoms_of_the_ligand():
    topology = Topology.read(hg.data("ligand.prmtop"), hg.data("ligand.inpcrd"))
    found = heavy_atoms(hg.data("ligand.prmtop"))
    assert sorted(topology.elements[found]) == [6] * 10 + [8] * 2


def equilibrated(folder, engine):
    hg.prepare_equil(folder / "prepare", Equil(minimise_steps=1, heat_ps=1, equil_ps=1, equil_segment_ps=1))
    with Stopper() as stopper:
        given = SimSystem.read(folder / "prepare")
        return equilibrate(given, folder / "state", folder / "out", stopper, Result(), engine)


def test_any_engine_heats_with_heavy_atoms_held_then_lets_go(tmp_path):
    engine = Still()
    system = equilibrated(tmp_path, engine)
    assert engine.told[0] == ("velocities", START_K)
    ramp = [value for what, value in engine.told if what == "temperature"]
    assert ramp == pytest.approx([START_K + share * (298.15 - START_K) for share in (0.2, 0.4, 0.6, 0.8, 1.0)])
    assert [value for what, value in engine.told if what == "run"] == [50] * 5 + [250]
    none, held, free = engine.holds
    assert none is None and free is None
    assert len(held.atoms) == 96 and held.k_kcal_per_mol_angstrom2 == HOLD_KCAL_PER_MOL_ANGSTROM2
    assert (held.positions_nm == engine.positions).all()
    assert system.facts(EquilibratedFacts).equil_steps == 500
    rows = list(csv.DictReader(system.path("equil_log").open()))
    assert [(row["potential_kcal_per_mol"], row["temperature_k"]) for row in rows] == [("-100.0000", "300.00")] * 2


def test_what_an_engine_complains_of_is_said_with_its_time(tmp_path):
    with pytest.raises(NumericalError, match="^equilibration at 1 ps: Particle coordinate is NaN"):
        equilibrated(tmp_path, Still(fails_at=500))
