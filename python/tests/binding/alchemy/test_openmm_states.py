"""Alchemical systems: both ends are the systems they should be, and what lies between is what openmmtools has."""

import copy

import host_guest as hg
import numpy as np
import openmm
import pytest
from openmm import app, unit

from gibbsflow.binding.alchemy.openmm_states import alchemical_system, restraint_force
from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.errors import InputError
from gibbsflow.units import KJ_PER_KCAL

LIGAND = range(hg.RECEPTOR_ATOMS, 156)
COUPLED = LambdaState(0, 1, 1)
DECOUPLED = LambdaState(1, 0, 0)


def evaluate(system: openmm.System, positions: np.ndarray) -> tuple[float, np.ndarray]:
    """Energy (kJ/mol) and forces (kJ/mol/nm) in double precision."""
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(positions)
    state = context.getState(getEnergy=True, getForces=True)
    return state.getPotentialEnergy()._value, np.array(state.getForces(asNumpy=True)._value)


@pytest.fixture(scope="module", params=["obc2", "vacuum"])
def md(request):
    return Md(solvent=request.param)


@pytest.fixture(scope="module")
def parent(md):
    return create_system(hg.data("complex-vacuum.prmtop"), md)


@pytest.fixture(scope="module")
def positions():
    return hg.positions_nm("complex-vacuum")


def test_coupled_end_is_the_parent(parent, positions):
    system = alchemical_system(parent, LIGAND, COUPLED, hg.com_restraint())
    energy, forces = evaluate(system, positions)
    expected, expected_forces = evaluate(parent, positions)
    assert energy == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(forces, expected_forces, rtol=1e-9, atol=1e-9)


def test_soft_core_ends_where_native_terms_take_over(parent, positions):
    """The states with λ_s = 1 use other forces than those just below; the energy must not notice."""
    expected, expected_forces = evaluate(parent, positions)
    nearly = alchemical_system(parent, LIGAND, LambdaState(0, 1, 1 - 1e-9))
    energy, forces = evaluate(nearly, positions)
    assert energy == pytest.approx(expected, rel=1e-8)
    np.testing.assert_allclose(forces, expected_forces, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("shift_nm", [0.0, 0.05, 30.0])
def test_decoupled_end_is_receptor_and_uncharged_ligand_apart(md, parent, positions, shift_nm):
    moved = positions + np.where(np.arange(156)[:, None] >= hg.RECEPTOR_ATOMS, [shift_nm, 0, 0], 0)
    energy, forces = evaluate(alchemical_system(parent, LIGAND, DECOUPLED), moved)
    receptor = create_system(hg.data("receptor.prmtop"), md)
    ligand = create_system(hg.data("ligand.prmtop"), md)
    uncharge(ligand)
    receptor_energy, receptor_forces = evaluate(receptor, moved[: hg.RECEPTOR_ATOMS])
    ligand_energy, ligand_forces = evaluate(ligand, moved[hg.RECEPTOR_ATOMS :])
    assert energy == pytest.approx(receptor_energy + ligand_energy, rel=1e-10)
    np.testing.assert_allclose(forces, np.concatenate([receptor_forces, ligand_forces]), rtol=1e-7, atol=1e-7)


def uncharge(system: openmm.System) -> None:
    for force in system.getForces():
        if isinstance(force, openmm.NonbondedForce):
            for i in range(force.getNumParticles()):
                _, sigma, epsilon = force.getParticleParameters(i)
                force.setParticleParameters(i, 0, sigma, epsilon)
            for k in range(force.getNumExceptions()):
                i, j, _, sigma, epsilon = force.getExceptionParameters(k)
                force.setExceptionParameters(k, i, j, 0, sigma, epsilon)
        if isinstance(force, openmm.GBSAOBCForce):
            for i in range(force.getNumParticles()):
                _, radius, scale = force.getParticleParameters(i)
                force.setParticleParameters(i, 0, radius, scale)


def test_restraint_is_added_with_its_lambda(parent, positions):
    restraint = hg.com_restraint(25.0)
    moved = positions + np.where(np.arange(156)[:, None] >= hg.RECEPTOR_ATOMS, 0.1, 0)
    without, _ = evaluate(alchemical_system(parent, LIGAND, COUPLED), moved)
    energy, _ = evaluate(alchemical_system(parent, LIGAND, LambdaState(0.3, 1, 1), restraint), moved)
    expected = 0.3 * restraint.energy_kcal_per_mol(moved * 10) * KJ_PER_KCAL
    assert expected > 1
    assert energy - without == pytest.approx(expected, rel=1e-8)


def test_forces_are_the_derivative_of_the_energy(parent, positions):
    system = alchemical_system(parent, LIGAND, LambdaState(1, 0, 0.45), hg.com_restraint())
    _, forces = evaluate(system, positions)
    random = np.random.default_rng(3)
    for _ in range(3):
        way = random.normal(size=positions.shape)
        step = 1e-6
        up, down = evaluate(system, positions + step * way)[0], evaluate(system, positions - step * way)[0]
        assert -(up - down) / (2 * step) == pytest.approx((forces * way).sum(), rel=1e-5)


def test_energy_is_continuous_in_lambda(parent, positions):
    """dU/dλ from both sides of a point agree: no step where forces change their form."""

    def energy(state: LambdaState) -> float:
        return evaluate(alchemical_system(parent, LIGAND, state, hg.com_restraint()), positions)[0]

    h = 1e-4
    for middle in (0.3, 0.6):
        left, at, right = (energy(LambdaState(1, 0, middle + d)) for d in (-h, 0, h))
        assert (right - at) / h == pytest.approx((at - left) / h, rel=0.02, abs=1.0)
    # charges enter with λ and λ²: three points fix the parabola, a fourth must lie on it
    values = [energy(LambdaState(1, e, 1)) for e in (0.0, 0.5, 1.0, 0.2)]
    fit = np.polyfit([0.0, 0.5, 1.0], values[:3], 2)
    assert values[3] == pytest.approx(np.polyval(fit, 0.2), rel=1e-9)


@pytest.mark.parametrize("offset_deg", [0.0, 179.0, -179.0])
def test_boresch_force_is_the_formula_and_periodic(offset_deg):
    random = np.random.default_rng(7)
    positions = random.normal(size=(6, 3)) * 0.4
    restraint = BoreschRestraint((2, 1, 0), (3, 4, 5), 4.0, 80, 100, 10 + offset_deg, -170, 175 - offset_deg, 10, 100)
    system = openmm.System()
    for _ in range(6):
        system.addParticle(12)
    system.addForce(restraint_force(restraint))
    energy, forces = evaluate(system, positions)
    assert energy == pytest.approx(restraint.energy_kcal_per_mol(positions * 10) * KJ_PER_KCAL, rel=1e-9)
    assert np.isfinite(forces).all()


@pytest.mark.parametrize(("electrostatics", "sterics"), [(1, 1), (0, 1), (0, 0.7), (0, 0.45), (0, 0.12), (0, 0)])
def test_between_the_ends_as_openmmtools(positions, electrostatics, sterics):
    """AbsoluteAlchemicalFactory in vacuum: the same soft core (a = b = 1, c = 6, α = 0.5), charges annihilated."""
    alchemy = pytest.importorskip("openmmtools.alchemy")
    parent = app.AmberPrmtopFile(str(hg.data("complex-vacuum.prmtop"))).createSystem(
        nonbondedMethod=app.NoCutoff, constraints=app.HBonds
    )
    region = alchemy.AlchemicalRegion(
        alchemical_atoms=list(LIGAND), annihilate_electrostatics=True, annihilate_sterics=False
    )
    factory = alchemy.AbsoluteAlchemicalFactory(consistent_exceptions=False)
    oracle = factory.create_alchemical_system(copy.deepcopy(parent), region)
    state = alchemy.AlchemicalState.from_system(oracle)
    state.lambda_sterics, state.lambda_electrostatics = sterics, electrostatics
    state.apply_to_system(oracle)
    expected, expected_forces = evaluate(oracle, positions)
    energy, forces = evaluate(alchemical_system(parent, LIGAND, LambdaState(0, electrostatics, sterics)), positions)
    assert energy == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(forces, expected_forces, rtol=1e-5, atol=1e-3)


def test_a_ligand_bonded_to_the_receptor_is_refused(parent):
    with pytest.raises(InputError, match="bond the ligand to the receptor"):
        alchemical_system(parent, range(100, 156), COUPLED)


def test_masses_are_repartitioned_and_conserved(md):
    light = create_system(hg.data("ligand.prmtop"), md.model_copy(update={"hydrogen_mass_amu": 1.008}))
    heavy = create_system(hg.data("ligand.prmtop"), md)
    masses = [[s.getParticleMass(i).value_in_unit(unit.dalton) for i in range(30)] for s in (light, heavy)]
    assert sum(masses[0]) == pytest.approx(sum(masses[1]))
    assert min(masses[1]) == pytest.approx(3.0)
