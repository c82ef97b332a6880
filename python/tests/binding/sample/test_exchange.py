"""Replica exchange on systems whose free energies are known, in units of the estimate's own error."""

import math

import numpy as np
import openmm
import pytest
from openmm import unit
from springs import MD, as_exact, mbar, run, springs, started

from gibbsflow.binding.alchemy.openmm_states import alchemical_system
from gibbsflow.binding.alchemy.restraint.restraints import CentreOfMassRestraint
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.sample.exchange import ExchangeSampler, acceptance, gibbs_permutation, round_trips
from gibbsflow.binding.sample.sampler import Samples
from gibbsflow.errors import StoppedEarly
from gibbsflow.units import STANDARD_VOLUME_ANGSTROM3, kt_kcal_per_mol


def test_springs_have_their_free_energies():
    as_exact(run(ExchangeSampler(springs(), MD), 300, 150))


@pytest.mark.slow
def test_exchange_leaves_a_stiff_spring_as_wide_as_it_is():
    """Swapped every 3 steps of ω dt = 0.5, velocities of half a step before make the soft state 5 % too wide."""
    stiff = 12 * (0.5 / 0.004) ** 2
    sampler = ExchangeSampler(springs([stiff / 4, stiff]), MD.model_copy(update={"friction_per_ps": 50}))
    samples = sampler.segment(started(sampler), 16_000, 3, 5, lambda _: None)[1]
    own = samples.u[np.arange(len(samples.u)), samples.window].reshape(-1, 2)[200:]
    assert own.mean(axis=0) == pytest.approx(1.5 * np.array([0.99, 1.0]), rel=0.025)  # of the time step itself: 1 %


SIGMA_ANGSTROM, EPSILON_KCAL = 3.35, 10.0


def lj_pair() -> openmm.System:
    system = openmm.System()
    force = openmm.NonbondedForce()
    for _ in range(2):
        system.addParticle(40.0)
        force.addParticle(0.0, SIGMA_ANGSTROM * unit.angstrom, EPSILON_KCAL * unit.kilocalorie_per_mole)
    system.addForce(force)
    return system


@pytest.mark.slow
def test_lennard_jones_pair_end_to_end():
    """Bound by ε = 10 kcal/mol: restraint, soft-core decoupling and standard state give ΔG° = −kT ln(Z/V0).

    Z is the integral to R = 6σ; at this depth the value is the same from R = 2σ on, so that the sampled bound state
    needs no wall.
    """
    restraint = CentreOfMassRestraint((0,), (1,), 1.0, r0_angstrom=SIGMA_ANGSTROM * 2 ** (1 / 6))
    rows = [(0, 1), (0.2, 1), (1, 1), (1, 0.9), (1, 0.8), (1, 0.7), (1, 0.6), (1, 0.5), (1, 0.4), (1, 0.3), (1, 0.2)]
    states = [LambdaState(r, 0 if s < 1 else 1, s) for r, s in [*rows, (1, 0.1), (1, 0.0)]]
    systems = [alchemical_system(lj_pair(), [1], state, restraint) for state in states]
    start = np.array([[0, 0, 0], [0.376, 0, 0]])
    samples = run(ExchangeSampler(systems, MD), 600, 50, start, seed=3)
    f, df = mbar(samples, len(states))
    kt = kt_kcal_per_mol(300)
    value = -kt * f[-1] - restraint.standard_state(300).numeric_kcal_per_mol
    error = kt * df[-1]
    r = np.linspace(1e-3, 6 * SIGMA_ANGSTROM, 400_001)
    u = 4 * EPSILON_KCAL * ((SIGMA_ANGSTROM / r) ** 12 - (SIGMA_ANGSTROM / r) ** 6)
    z = np.trapezoid(4 * math.pi * r**2 * np.exp(-u / kt), r)
    exact = -kt * math.log(z / STANDARD_VOLUME_ANGSTROM3)
    assert exact == pytest.approx(-7.9268, abs=1e-3)
    assert abs(value - exact) < 4 * error, (value, error)
    assert error < 0.12


def test_segments_depend_on_walkers_and_seed_alone():
    systems = springs()
    sampler = ExchangeSampler(systems, MD)
    walkers = started(sampler, seed=3)
    first = sampler.segment(walkers, 5, 20, 9, lambda n: None)[1]
    again = ExchangeSampler(springs(), MD).segment(walkers, 5, 20, 9, lambda n: None)[1]
    other = sampler.segment(walkers, 5, 20, 10, lambda n: None)[1]
    assert np.array_equal(first.u, again.u) and np.array_equal(first.replica, again.replica)
    assert not np.array_equal(first.u, other.u)


def test_gibbs_permutation_draws_from_the_joint_distribution():
    random = np.random.default_rng(1)
    u = np.array([[0.0, 1.0], [0.0, 0.0]])  # swapping costs 1 kT
    swapped = np.mean([gibbs_permutation(u, random)[0] == 1 for _ in range(4000)])
    expected = math.exp(-1) / (1 + math.exp(-1))
    assert swapped == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 4000) + 0.02)


def test_gibbs_permutation_keeps_all_configurations():
    random = np.random.default_rng(2)
    assert sorted(gibbs_permutation(random.normal(size=(7, 7)), random)) == list(range(7))


def test_acceptance_and_round_trips():
    u = np.array([[0.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    assert acceptance(u, np.array([0, 1, 0, 1]), 2) == [pytest.approx((math.exp(-1) + 1) / 2)]
    replicas = np.array([[0, 1, 2], [1, 0, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]])
    assert round_trips(replicas.ravel(), 3) == 1  # walker 0 went 0 → 2 → 0; walker 1 has not come back


def test_a_stop_ends_minimisation_and_md():
    def stop(*_: object) -> None:
        raise StoppedEarly("enough")

    sampler = ExchangeSampler(springs(), MD)
    with pytest.raises(StoppedEarly):
        started(sampler, check=stop)
    with pytest.raises(StoppedEarly):
        sampler.segment(started(sampler), 1, 100, 1, stop)


def test_rows_in_another_order_are_refused():
    with pytest.raises(ValueError, match="order of time, then window"):
        acceptance(np.zeros((4, 2)), np.array([0, 0, 1, 1]), 2)


def test_walkers_move_between_windows_and_it_is_told():
    sampler = ExchangeSampler(springs(), MD)
    samples = run(sampler, 20, 20)
    told = sampler.mixing(samples)
    assert list(told) == ["exchange_acceptance", "round_trips"]
    assert len(told["exchange_acceptance"]) == 4 and all(0.3 < rate <= 1 for rate in told["exchange_acceptance"])
    walkers = samples.replica.reshape(20, 5)
    assert (np.sort(walkers, axis=1) == np.arange(5)).all() and not (walkers == np.arange(5)).all()
    alike = Samples(
        np.tile(np.arange(5, dtype=np.int32), 3), np.tile(np.arange(5, dtype=np.int32), 3), np.zeros((15, 5))
    )
    assert sampler.mixing(alike) == {"exchange_acceptance": [1.0] * 4, "round_trips": 0}
