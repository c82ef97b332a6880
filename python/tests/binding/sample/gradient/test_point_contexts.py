"""dU/dλ of systems by OpenMM against formulas and quadrature: a soft core, a Boresch restraint, charges."""

import math

import numpy as np
import openmm
import pytest
from openmm import unit
from scipy.integrate import quad
from springs import MD

from gibbsflow.binding.alchemy.openmm_states import alchemical_system
from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.sample.exchange import ExchangeSampler
from gibbsflow.binding.sample.gradient.point_contexts import PointContexts
from gibbsflow.binding.sample.independent import IndependentSampler
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.units import KJ_PER_KCAL, kt_kcal_per_mol

KT_KJ = kt_kcal_per_mol(MD.temperature_k) * KJ_PER_KCAL
SIGMA_NM, EPSILON_KJ = 0.3, 1.5
COULOMB = 138.935458


def pair(charge=0.0):
    """Two atoms of opposite charge."""
    system, force = openmm.System(), openmm.NonbondedForce()
    for q in (charge, -charge):
        system.addParticle(40.0)
        force.addParticle(q, SIGMA_NM * unit.nanometer, EPSILON_KJ * unit.kilojoule_per_mole)
    system.addForce(force)
    return system


def at(parent, points, ligand=(1,), restraint=None):
    return [alchemical_system(parent, ligand, LambdaState(**point), restraint) for point in points]


def contexts(parent, ligand, states, restraint=None):
    def systems_at(points):
        return at(parent, points, ligand, restraint)

    made = PointContexts([state.as_dict() for state in states], systems_at, MD, OPENMM)
    made.make()
    return made


def u_of(parent, ligand, states, positions, restraint=None):
    found = []
    for state in states:
        simulation = OPENMM.simulation(alchemical_system(parent, ligand, state, restraint), MD, 1)
        simulation.place(positions)
        found.append(simulation.potential_kj_per_mol() / KT_KJ)
    return np.array(found)


def soft_core(r, s):
    d = 0.5 * (1 - s) + (r / SIGMA_NM) ** 6
    return 4 * s * EPSILON_KJ * (1 / d - 1) / d / KT_KJ


def soft_core_slope(r, s):
    d = 0.5 * (1 - s) + (r / SIGMA_NM) ** 6
    return 4 * EPSILON_KJ / KT_KJ * ((1 / d**2 - 1 / d) + 0.5 * s * (2 / d**3 - 1 / d**2))


@pytest.mark.parametrize("distance", [0.27, 0.31, 0.45])
def test_a_soft_core_has_its_analytic_derivative_at_all_lambda(distance):
    states = [LambdaState(0, 0, s) for s in (1.0, 0.7, 0.3, 0.0)]
    made, x = contexts(pair(), [1], states), np.array([[0, 0, 0], [distance, 0, 0]])
    u = u_of(pair(), [1], states, x)
    for window, state in enumerate(states):
        exact = soft_core_slope(distance, state.lambda_sterics)
        found = made.gradients(window, x, u)
        assert found[2] == pytest.approx(exact, rel=1e-3, abs=1e-4) and np.isnan(found[:2]).all()


def test_charges_are_exact_from_states_of_the_leg_alone():
    states = [LambdaState(0, e, 1) for e in (1.0, 0.55, 0.2, 0.0)]
    x = np.array([[0, 0, 0], [0.4, 0, 0]])
    made, u = contexts(pair(0.5), [1], states), u_of(pair(0.5), [1], states, x)
    exact = -COULOMB * 0.25 / 0.4 / KT_KJ  # of one charged ligand atom and one atom beside it: linear in λ
    assert [made.gradients(k, x, u)[1] for k in range(4)] == pytest.approx([exact] * 4, rel=1e-5)
    assert made._simulations == {k: [] for k in range(4)}


def test_a_boresch_restraint_is_its_own_derivative():
    restraint = BoreschRestraint(
        receptor=(2, 1, 0), ligand=(3, 4, 5), k_r_kcal_per_mol_angstrom2=10.0, k_angle_kcal_per_mol_rad2=50.0,
        r0_angstrom=4.0, theta_a_deg=80.0, theta_b_deg=100.0, phi_a_deg=20.0, phi_b_deg=170.0, phi_c_deg=-60.0,
    )  # fmt: skip
    parent, force = openmm.System(), openmm.NonbondedForce()
    for _ in range(6):
        parent.addParticle(12.0)
        force.addParticle(0.0, 0.1, 0.0)
    parent.addForce(force)
    states = [LambdaState(r, 0, 0) for r in (0.0, 0.1, 1.0)]
    x = np.random.default_rng(3).normal(scale=0.3, size=(6, 3))
    u = u_of(parent, [3, 4, 5], states, x, restraint)
    assert u[2] > 10
    made = contexts(parent, [3, 4, 5], states, restraint)
    assert [made.gradients(k, x, u)[0] for k in range(3)] == pytest.approx([u[2]] * 3, rel=1e-5)


def wells(constant=2000.0):
    """A pair on a spring, so that it stays where its soft core counts."""
    system = pair()
    spring = openmm.HarmonicBondForce()
    spring.addBond(0, 1, 0.0, constant)
    system.addForce(spring)
    return system


def weighted(r, s, value=lambda r, s: 1.0):
    """Boltzmann's weight of a distance in the well, times a value."""
    return value(r, s) * r**2 * math.exp(-soft_core(r, s) - 1000.0 * r**2 / KT_KJ)


def test_means_are_those_of_quadrature_and_samples_stay_as_they_are():
    """⟨dU/dλ⟩ of each window against the integral over the distance; not a bit of a sample changes for it."""
    states = [LambdaState(0, 0, s) for s in (1.0, 0.5, 0.0)]
    systems = [alchemical_system(wells(), [1], state) for state in states]
    start = np.array([[[0, 0, 0], [0.3, 0, 0]]] * 3)

    def drawn(points):
        sampler = ExchangeSampler(systems, MD, OPENMM, points)
        walkers = sampler.start(start, False, 3, lambda: None)
        return sampler.segment(walkers, 400, 60, 5, lambda _: None)

    unmade = PointContexts([state.as_dict() for state in states], lambda points: at(wells(), points), MD, OPENMM)
    (walkers, samples), (plain_walkers, plain) = drawn(unmade), drawn(None)
    assert plain.gradients is None and "gradients" not in plain.as_arrays()
    assert np.array_equal(samples.u, plain.u) and np.array_equal(walkers.positions_nm, plain_walkers.positions_nm)
    assert np.array_equal(walkers.velocities_nm_per_ps, plain_walkers.velocities_nm_per_ps)
    for k, state in enumerate(states):
        s = state.lambda_sterics
        exact = quad(weighted, 0.05, 0.6, (s, soft_core_slope))[0] / quad(weighted, 0.05, 0.6, (s,))[0]
        series = samples.gradients[samples.window == k, 2][40:]
        assert abs(series.mean() - exact) < 4 * 1.5 * series.std() / math.sqrt(len(series)), (s, exact, series.mean())


def test_one_window_alone_has_its_own():
    states = [LambdaState(0, 0, s) for s in (1.0, 0.5, 0.0)]
    systems = [alchemical_system(wells(), [1], state) for state in states]
    asked = []

    def systems_at(points):
        asked.extend(points)
        return at(wells(), points)

    points = PointContexts([state.as_dict() for state in states], systems_at, MD, OPENMM, 1)
    sampler = IndependentSampler(systems, MD, 1, OPENMM, points)
    walkers = sampler.start(np.array([[[0, 0, 0], [0.3, 0, 0]]] * 3), False, 3, lambda: None)
    _, samples = sampler.segment(walkers, 4, 10, 5, lambda _: None)
    assert samples.gradients.shape == (4, 3) and len(asked) == 2
    assert np.isfinite(samples.gradients[:, 2]).all() and np.isnan(samples.gradients[:, :2]).all()
