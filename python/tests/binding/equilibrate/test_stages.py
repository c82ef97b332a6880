"""Stages of an equilibration and their segments."""

import pytest

from gibbsflow.binding.equilibrate.stages import chosen_stages, default_stages, plan_equilibration, stage_problems
from gibbsflow.config.binding import Equil, Md
from gibbsflow.config.equil_stages import Holds, StageSettings
from gibbsflow.errors import InputError


def test_a_box_finds_its_size_with_the_solute_held():
    implicit, explicit = (default_stages(Md(solvent=solvent), Equil()) for solvent in ("obc2", "tip3p"))
    assert [stage.name for stage in implicit] == ["heating", "free"]
    assert [(s.name, s.constant_pressure, s.hold_kcal_per_mol_angstrom2 > 0) for s in explicit] == [
        ("heating", False, True),
        ("density", True, True),
        ("free", True, False),
    ]
    assert [stage.from_k for stage in explicit] == [10.0, None, None]
    assert [s.name for s in default_stages(Md(solvent="opc"), Equil(heat_ps=0, density_ps=0))] == ["free"]


def test_all_but_the_last_stage_is_preparation():
    plan = plan_equilibration(Md(solvent="tip3p"), Equil(heat_ps=4, density_ps=6, equil_ps=5, equil_segment_ps=2))
    assert plan.frames == (2, 2, 2, 2, 2, 2, 2, 1) and plan.heating == 5
    assert plan.frames_after(2) == 4 and plan.steps_per_frame == 250


def test_a_ramp_goes_over_its_stage_alone():
    plan = plan_equilibration(Md(solvent="tip3p"), Equil(heat_ps=4, density_ps=6, equil_ps=5, equil_segment_ps=2))
    assert plan.share_of_stage(0, 0, 50) == pytest.approx(0.05)
    assert plan.share_of_stage(1, 3, 250) == 1.0
    assert plan.share_of_stage(2, 4, 250) == pytest.approx(1 / 6)


def test_frames_of_many_waters_are_fewer():
    long = Equil(heat_ps=0, density_ps=0, equil_ps=5000, equil_segment_ps=100)
    assert sum(plan_equilibration(Md(), long).frames) == 1000
    assert sum(plan_equilibration(Md(solvent="tip3p"), long).frames) == 100


def test_stages_of_a_file_have_their_holds_and_time_steps():
    md = Md(solvent="tip3p")
    given = (
        StageSettings(name="cold", length_ps=2, from_k=10, to_k=150, hold=Holds(ligand=3), timestep_fs=2),
        StageSettings(name="free", length_ps=3, ensemble="NPT"),
    )
    cold, free = chosen_stages(given, md, where="f")
    assert cold.holds == (("ligand", 3.0),) and free.holds == () and free.constant_pressure
    assert (cold.starts_at_k(md), cold.ends_at_k(md), free.starts_at_k(md)) == (10, 150, md.temperature_k)
    plan = plan_equilibration(md, Equil(equil_segment_ps=2), (cold, free))
    assert plan.frames == (2, 2, 1) and [plan.steps_in_frame(k) for k in range(3)] == [500, 250, 250]
    assert plan.steps_after(3) == 1000 + 750 and [plan.begins_stage(k) for k in range(3)] == [True, True, False]
    assert plan.share_of_stage(0, 1, 250) == pytest.approx(0.75)
    with pytest.raises(InputError, match="no box"):
        chosen_stages(given, Md(), where="f")
    with pytest.raises(InputError, match="a time step of 3 fs"):
        odd = StageSettings(name="odd", length_ps=2, timestep_fs=3)
        plan_equilibration(md, Equil(), chosen_stages((odd, given[1]), md, where="f"))


def test_a_box_that_is_built_needs_a_stage_at_constant_pressure():
    still = (StageSettings(name="warm", length_ps=2), StageSettings(name="free", length_ps=3))
    (problem,) = stage_problems(Md(solvent="tip3p"), still, where="s.yaml")
    assert (problem.where, problem.field) == ("s.yaml", "ensemble") and "its density" in problem.what
    assert stage_problems(Md(solvent="tip3p"), still, built=False, where="s.yaml") == []
    assert stage_problems(Md(), still, where="s.yaml") == stage_problems(Md(solvent="tip3p"), where="s.yaml") == []
    dense = (*still[:1], StageSettings(name="free", length_ps=3, ensemble="NPT"))
    assert stage_problems(Md(solvent="tip3p"), dense, where="s.yaml") == []


def test_long_time_steps_need_heavy_hydrogens():
    light = Md(hydrogen_mass_amu=1.008)
    (problem,) = stage_problems(light, where="s.yaml")
    assert str(problem).startswith("md, timestep_fs: 4 fs with hydrogens of 1.008 amu (right: 2 fs at the most, or")
    slow = light.model_copy(update={"timestep_fs": 2.0})
    assert stage_problems(slow, where="s.yaml") == stage_problems(Md(hydrogen_mass_amu=1.5), where="s.yaml") == []
    fast = (StageSettings(name="a", length_ps=1), StageSettings(name="b", length_ps=1, timestep_fs=3))
    (problem,) = stage_problems(slow, fast, where="s.yaml")
    assert (problem.where, problem.row, problem.field) == ("s.yaml", 2, "timestep_fs")
