"""GROMACS's λ states have the energies of OpenMM's, state by state; what it cannot do is refused."""

import numpy as np
import pytest
from gromacs_boxes import LADDER, Box, needs_gromacs

from gibbsflow.binding.alchemy.gromacs_states import check_gromacs_leg, gromacs_lambdas, gromacs_problems, pulls
from gibbsflow.binding.alchemy.protocols import protocol_of
from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint, CentreOfMassRestraint, FlatBottomRestraint
from gibbsflow.binding.alchemy.schedules import LambdaState, leg_schedules, read_schedule
from gibbsflow.config.binding import BindingConfig, Fe, Md
from gibbsflow.engines.gromacs import parameters
from gibbsflow.engines.md_engine import Apart
from gibbsflow.errors import InputError

SOLUTES = {
    "methanol": ("CO", {}),
    "phenol": ("Oc1ccccc1", {"box_shape": "box"}),
    "methanol in OPC": ("CO", {"solvent": "opc"}),
    "ethane in TIP4P-Ew, no HMR": ("CC", {"solvent": "tip4pew", "hydrogen_mass_amu": 1.008}),
}


@needs_gromacs
@pytest.mark.parametrize("name", SOLUTES)
def test_every_state_has_the_energy_of_the_other_engine(name, tmp_path):
    smiles, settings = SOLUTES[name]
    box = Box(tmp_path / "box", smiles, **settings)
    theirs, ours = box.gromacs_kj_per_mol(tmp_path / "rerun", LADDER), box.openmm_kj_per_mol(LADDER)
    np.testing.assert_allclose(theirs, ours, rtol=1e-4)
    # between states: the ligand with its own images, and how the long-range correction counts pairs
    np.testing.assert_allclose(theirs - theirs[0], ours - ours[0], atol=0.12)
    assert np.ptp(ours) > 5


@needs_gromacs
def test_restraints_by_the_pull_code(tmp_path):
    box = Box(tmp_path / "box", "Oc1ccccc1")
    first = len(box.ligand)
    near = np.argsort(np.linalg.norm(box.frames[0][first::3] - box.frames[0][0], axis=1))[:3] * 3 + first
    states = [LambdaState(r, 1, 1) for r in (0, 0.25, 1)]
    reach = 10 * float(
        np.linalg.norm(box.frames[0][near].mean(axis=0) - box.frames[0][list(box.ligand[:4])].mean(axis=0))
    )
    held = [
        # within its radius nothing is felt
        FlatBottomRestraint(tuple(map(int, near)), box.ligand[:4], 10.0, round(reach - 1.5, 2)),
        FlatBottomRestraint(tuple(map(int, near)), box.ligand[:4], 10.0, round(reach + 0.5, 2)),
        CentreOfMassRestraint(tuple(map(int, near)), box.ligand[:4], 10.0, 2.0),
        CentreOfMassRestraint(tuple(map(int, near)), box.ligand[:5], 3.0, 0.0),
        BoreschRestraint(
            tuple(map(int, near)), (box.ligand[0], box.ligand[2], box.ligand[4]),
            5.0, 70.0, 80.0, -100.0, 50.0, 170.0, 10.0, 100.0,
        ),
    ]  # fmt: skip
    for number, restraint in enumerate(held):
        theirs = box.gromacs_kj_per_mol(tmp_path / f"rerun{number}", states, restraint)
        ours = box.openmm_kj_per_mol(states, restraint)
        np.testing.assert_allclose(theirs - theirs[0], ours - ours[0], rtol=1e-5, atol=2e-3)
        assert (abs(theirs[2] - theirs[0]) < 1e-3) == (number == 1)
        assert ours[2] - ours[0] == pytest.approx(4.184 * restraint.energy_kcal_per_mol(box.frames[0] * 10), abs=1e-3)


@needs_gromacs
@pytest.mark.parametrize("smiles", ["CC(=O)[O-]", "[NH3+]CC[NH3+]"])
def test_ions_lose_their_charge_with_the_ligand_beyond_a_wall(smiles, tmp_path):
    """The ends are those of the other engine. Between them it has products of these charges at λ, and not at λ²."""
    box = Box(tmp_path / "box", smiles)
    ions = box.ions()
    assert len(ions) == smiles.count("+") + smiles.count("-")
    # a water behind the ions stands for a cofactor: the centre has molecules that are not side by side
    beside = np.linalg.norm(box.frames[0][ions[-1] + 1 :] - box.frames[0][0], axis=1)
    centre = (*box.ligand[:2], int(np.argmin(beside)) + ions[-1] + 1)
    away = box.frames[0][ions] - box.frames[0][list(centre)].mean(axis=0)
    images = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3), axis=-1).reshape(-1, 3) @ box.boxes[0]
    reach = np.linalg.norm(away[:, None] + images, axis=-1).min(axis=1) * 10
    apart = [Apart(centre, (ion,), float(reach[k]) + 2 - 4 * (k % 2)) for k, ion in enumerate(ions)]
    wall = 0.5 * 5 * 418.4 * 0.2**2  # of the first alone
    theirs = box.gromacs_kj_per_mol(tmp_path / "rerun", LADDER, ions=ions, apart=apart)
    ours = box.openmm_kj_per_mol(LADDER, ions=ions) + wall
    e = np.array([state.lambda_electrostatics for state in LADDER])
    ends = e * (1 - e) == 0
    np.testing.assert_allclose(theirs[[0, 4]], ours[[0, 4]], rtol=1e-4)
    more = (theirs - theirs[0]) - (ours - ours[0])
    assert abs(more[4]) < 0.05
    # then the ions' Lennard-Jones with the ligand, which OpenMM leaves out: they are near it in so small a box
    np.testing.assert_allclose(more[ends], 0, atol=1.0)
    np.testing.assert_allclose(more[~ends] / (e * (1 - e))[~ends], more[2] / 0.25, rtol=0.02)
    felt = theirs - box.gromacs_kj_per_mol(tmp_path / "free", LADDER, ions=ions)
    np.testing.assert_allclose(felt, wall, rtol=2e-3)
    assert np.ptp(ours) > 500 and abs(more[2]) > 1


def test_shipped_schedules_can_be_run():
    for mode, ions in (("asfe", None), ("abfe", None), ("abfe", "counter_ion")):
        protocol = protocol_of(mode, explicit=True, fe=Fe(charge_correction=ions))
        schedules = leg_schedules(Fe(), protocol)
        for leg in protocol:
            if leg.medium == "solvent":
                check_gromacs_leg(schedules[leg.name], "beutler", where=leg.name)
                assert all(0 <= x <= 1 for values in gromacs_lambdas(schedules[leg.name]).values() for x in values)


def test_what_gromacs_cannot_do():
    with pytest.raises(InputError, match="gapsys.*beutler"):
        check_gromacs_leg(LADDER, "gapsys", where="leg")
    with pytest.raises(InputError, match="states 1 have charges without full Lennard-Jones"):
        check_gromacs_leg([LambdaState(0, 1, 1), LambdaState(0, 0.5, 0.5), LambdaState(0, 0, 0)], "beutler", where="x")
    wide = np.array([[0.0, 0, 0], [0.9, 0, 0], [1.8, 0, 0]])
    with pytest.raises(InputError, match="reaches 0.90 nm"):
        pulls(CentreOfMassRestraint((0, 1, 2), (1,), 1.0), wide, np.eye(3) * 1.9, np.ones(3))
    for box_nm, far in ((3.5, True), (4.5, False)):  # 0.9 nm is farther than half of half the box, or not
        assert pulls(CentreOfMassRestraint((0, 1, 2), (1,), 1.0), wide, np.eye(3) * box_nm, np.ones(3))[0].wide == far


def test_settings_that_gromacs_cannot_run_are_named_at_once():
    protocol = protocol_of("abfe", explicit=True)
    good = BindingConfig.from_params({"solvent": "tip3p", "engine": "gromacs"})
    assert gromacs_problems(good, protocol, where="run.yaml") == []
    wrong = BindingConfig.from_params({"solvent": "opc", "engine": "gromacs", "soft_core": "gapsys"})
    assert {problem.field for problem in gromacs_problems(wrong, protocol, where="run.yaml")} == {"soft_core"}
    good = BindingConfig.from_params(
        {"solvent": "opc", "engine": "gromacs", "protein_ff": "ff19SB", "restraint": "flat_bottom"}
    )
    assert gromacs_problems(good, protocol, where="run.yaml") == []
    assert {p.field for p in gromacs_problems(wrong, protocol_of("asfe", explicit=True), where="x")} == {"soft_core"}


def test_a_copy_and_ions_of_edges_are_refused_with_the_reason():
    def told(mode, **given):
        config = BindingConfig.from_params({"solvent": "tip3p", "engine": "gromacs"} | given)
        protocol = protocol_of(mode, explicit=True, fe=config.fe)
        return [(p.field, str(p)) for p in gromacs_problems(config, protocol, where="run.yaml")]

    for mode in ("abfe", "rbfe"):
        ((field, text),) = told(mode, abfe_protocol="sdr")
        assert field == "abfe_protocol" and "sdr with engine gromacs: it has one λ for all Lennard-Jones" in text
    ((field, text),) = told("rbfe", charge_correction="counter_ion")
    assert field == "charge_correction" and "of an edge waters become ions" in text and "analytic" not in text
    assert told("abfe", charge_correction="counter_ion") == told("rbfe") == []


def test_a_solvation_is_not_refused_for_what_its_legs_have_no_use_for():
    """A copy in bulk is of binding; what counter-ions lack there, they lack with every engine."""
    given = {"mode": "asfe", "solvent": "tip3p", "engine": "gromacs", "abfe_protocol": "sdr"}
    config = BindingConfig.from_params(given)
    assert gromacs_problems(config, protocol_of("asfe", explicit=True, fe=config.fe), where="x") == []
    config = BindingConfig.from_params(given | {"charge_correction": "counter_ion"})
    assert gromacs_problems(config, protocol_of("asfe", explicit=True, fe=config.fe), where="x") == []
    assert gromacs_problems(config, protocol_of("rsfe", explicit=True, fe=config.fe), where="x") == []


def test_what_sdr_has_no_use_for_gets_no_advice_of_an_engine():
    given = {"solvent": "tip3p", "engine": "gromacs", "abfe_protocol": "sdr", "charge_correction": "counter_ion"}
    config = BindingConfig.from_params(given)
    (problem,) = gromacs_problems(config, protocol_of("abfe", explicit=True, fe=config.fe), where="x")
    assert problem.field == "abfe_protocol"


def test_the_vacuum_leg_is_of_the_engine_that_has_no_need_of_a_box():
    md = Md(solvent="tip3p", engine="gromacs")
    engines = {leg.name: leg.md(md).engine for leg in protocol_of("asfe", explicit=True)}
    assert engines == {"solvent": "gromacs", "vacuum": "openmm"}


@pytest.mark.parametrize("name", ["rbfe_11", "rbfe_21"])
def test_an_edge_has_one_lambda_for_charges_and_lennard_jones(name):
    states = read_schedule(name)
    check_gromacs_leg(states, "beutler", where="edge")
    found = gromacs_lambdas(states)
    assert set(found) == {"coul", "vdw", "bonded"} and found["coul"] == found["vdw"]
    assert found["bonded"] == [state.lambda_core for state in states]
    assert found["vdw"][0] == 0 and found["vdw"][-1] == 1 and (np.diff(found["vdw"]) > 0.01).all()
    np.testing.assert_allclose(found["vdw"], found["bonded"], atol=0.04)
    np.testing.assert_allclose(np.add(found["vdw"], found["vdw"][::-1]), 1)  # of B to A it is the same


def test_soft_charges_of_an_edge_are_written():
    chosen = parameters.lambdas(gromacs_lambdas(read_schedule("rbfe_11")), 3, soft_charges=True)
    assert (chosen["sc-coul"], chosen["sc-alpha"], chosen["sc-sigma"]) == ("yes", "0.3", "0.25")
    assert chosen["bonded-lambdas"].split()[3] == "0.3" and chosen["init-lambda-state"] == "3"
