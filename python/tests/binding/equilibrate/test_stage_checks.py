"""What is looked at after each stage in a box."""

import dataclasses

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.equilibrate.periodic_box import GRAM_PER_ML_OF_AMU_PER_NM3
from gibbsflow.binding.equilibrate.stage_checks import PiercedRingError, StageChecks, StageError, least_freedom
from gibbsflow.binding.equilibrate.stages import plan_equilibration
from gibbsflow.config.binding import Equil, Md
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.errors import EXIT_SCIENCE
from gibbsflow.workflow.account import Account

MD = Md(solvent="tip3p")
PLAN = plan_equilibration(MD, Equil(heat_ps=10, density_ps=30, equil_ps=30))
BOX = np.eye(3) * 3.0
POSITIONS = np.array([[0.0, 0, 0], [4, 0, 0], [4, 1.5, 0]])
CHECKS = StageChecks("x", MD, PLAN, 27 / GRAM_PER_ML_OF_AMU_PER_NM3, np.array([[1, 2]]), [0], [1, 2])
ENDS = [k for k in range(len(PLAN.stages)) if k + 1 == len(PLAN.stages) or PLAN.stages[k + 1] != PLAN.stages[k]]


def look(checks=CHECKS, segment=ENDS[1], positions=POSITIONS, box=BOX, temperature=300.0, start=BOX):
    checks.require(segment, start, positions, {"box_nm": box, "temperature_k": temperature})


def test_a_sound_stage_passes_and_nothing_is_said_in_the_middle_of_one():
    look()
    look(segment=ENDS[1] - 1, temperature=900.0)
    assert CHECKS.density_g_per_ml(BOX) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"box": np.eye(3) * 1.79, "start": np.eye(3)}, "less than two cutoffs"),
        ({"box": BOX * 1.4}, "0.36 g/mL, outside 0.4 to 1.8"),
        ({"box": np.diag([3.0, 3.0, 3.1])}, "changed its shape"),
        ({"temperature": 450.0}, "450 K, more than 1.5 times the 298 K"),
        ({"positions": POSITIONS + [[30, 0, 0], [0, 0, 0], [0, 0, 0]]}, "the ligand is 26.0 Å from the receptor"),
    ],
)
def test_what_cannot_be_gone_on_with_ends_the_stage(change, said):
    with pytest.raises(StageError, match=said) as caught:
        look(**change)
    assert caught.value.exit_code == EXIT_SCIENCE and "'density'" in str(caught.value)


def test_a_membrane_may_grow_higher_and_not_narrower_on_one_side():
    membrane = dataclasses.replace(CHECKS, membrane=True)
    look(membrane, box=np.diag([3.0, 3.0, 3.1]))
    with pytest.raises(StageError, match="a membrane's barostat keeps in xy"):
        look(membrane, box=np.diag([3.0, 3.1, 3.0]))


def test_a_ligand_that_leaves_in_the_last_stage_is_judged_later():
    look(segment=ENDS[-1], positions=POSITIONS + [[30, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_a_pierced_ring_ends_it():
    ring = np.array([[np.cos(a), np.sin(a), 0.0] for a in np.arange(6) * np.pi / 3]) * 1.39
    bonds = np.array([[k, (k + 1) % 6] for k in range(6)] + [[6, 7]])
    checks = dataclasses.replace(CHECKS, bonds=bonds, receptor=[0], ligand=[6])
    with pytest.raises(PiercedRingError, match="the bond 7-8 goes through the ring"):
        look(checks, positions=np.vstack([ring, [[0, 0, -0.7], [0, 0, 0.7]]]))


def test_doubts_are_warnings_of_stages_that_were_long_enough():
    frames = sum(PLAN.frames)
    held = sum(n for n, stage in zip(PLAN.frames, PLAN.stages, strict=True) if stage.name != "free")
    boxes = np.tile(BOX, (frames, 1, 1))
    temperature = np.full(frames, 300.0)
    sound = CHECKS.account({"box_nm": boxes, "temperature_k": temperature})
    assert sound.of_weight("warn") == [] and [row["name"] for row in sound.facts["stages"]] == [
        "heating",
        "density",
        "free",
    ]
    boxes[held:] *= 1.12
    temperature[held:] = 340.0
    told = [str(doubt) for doubt in CHECKS.account({"box_nm": boxes, "temperature_k": temperature}).of_weight("warn")]
    assert len(told) == 3 and "340 K" in told[0] and "0.71 g/mL" in told[1] and "40 %" in told[2]
    short = plan_equilibration(MD, Equil(heat_ps=1, density_ps=1, equil_ps=1))
    quick = dataclasses.replace(CHECKS, plan=short)
    assert not quick.account({"box_nm": boxes[-3:], "temperature_k": temperature[-3:]}).of_weight("warn")


@pytest.mark.parametrize(
    ("freedom", "temperatures_k", "doubted"),
    [
        (300, [20.0, 50.0, 83.0], True),  # a thermostat of 1/ps had 1 ps
        (300, [300.0, 270.0, 285.0], False),
        (12, [300.0, 200.0, 150.0], False),  # a few atoms: one frame scatters by 120 K
        (30, [290.0] * 10 + [100.0, 90.0] * 10, True),  # and many do not
        (30000, [300.0] * 10 + [265.0] * 20, True),
        (30000, [300.0] * 10 + [120.0, 420.0, 130.0, 400.0, 90.0] * 4, False),  # its blocks tell nothing better
    ],
)
def test_an_end_far_from_its_temperature_is_doubted(freedom, temperatures_k, doubted):
    equil = Equil(heat_ps=0, equil_ps=len(temperatures_k), equil_segment_ps=len(temperatures_k))
    checks = dataclasses.replace(CHECKS, md=Md(), plan=plan_equilibration(Md(), equil), freedom=freedom)
    account = Account("x")
    checks.doubt_end(account, np.array(temperatures_k))
    told = [str(doubt) for doubt in account.of_weight("warn")]
    assert bool(told) == doubted
    right = "(equil_ps), at least 5 ps" if len(temperatures_k) < 5 else "(equil_ps), or a shorter time step"
    assert not told or ("the equilibration ends at" in told[0] and right in told[0])


@pytest.mark.parametrize("name", ["ligand", "complex-explicit"])
def test_degrees_of_freedom_are_no_more_than_those_of_its_system(name):
    prmtop = hg.data(f"{name}.prmtop")
    system = create_system(prmtop, Md(solvent="vacuum"))
    moving = sum(system.getParticleMass(k)._value > 0 for k in range(system.getNumParticles()))
    found = 3 * moving - system.getNumConstraints() - 3
    assert 0.8 * found <= least_freedom(prmtop) <= found
