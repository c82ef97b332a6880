"""Stages of an equilibration and their segments."""

import pytest

from gibbsflow.binding.equilibrate.stages import default_stages, plan_equilibration
from gibbsflow.config.binding import Equil, Md


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
