"""Both samplers on systems whose free energies are known, in units of the estimate's own error."""

import math

import numpy as np
import openmm
import pytest
from openmm import unit
from pymbar import MBAR

from gibbsflow.binding.alchemy.openmm_states import alchemical_system
from gibbsflow.binding.alchemy.restraints import CentreOfMassRestraint
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.sample.exchange import ExchangeSampler, acceptance, gibbs_permutation, round_trips
from gibbsflow.binding.sample.independent import IndependentSampler
from gibbsflow.config.binding import Md
from gibbsflow.errors import NumericalError, StoppedEarly
from gibbsflow.units import KJ_PER_KCAL, STANDARD_VOLUME_ANGSTROM3, kt_kcal_per_mol

# light noise-driven motion: samples half a picosecond apart are nearly independent
MD = Md(temperature_k=300, timestep_fs=4, friction_per_ps=5, platform="Reference")


def oscillators(constants: list[float]) -> list[openmm.System]:
    """One particle of 12 amu in U = ½ K r², K in kJ/mol/nm²."""
    systems = []
    for k in constants:
        system = openmm.System()
        system.addParticle(12.0)
        system.addParticle(0.0)  # fixed at the origin, so that centring the walkers does not matter
        force = openmm.HarmonicBondForce()
        force.addBond(0, 1, 0.0, k)
        system.addForce(force)
        systems.append(system)
    return systems


def started(sampler, start, seed=1, check=lambda: None):
    return sampler.start(np.array([start] * len(sampler.systems)), True, seed, check)


def run(sampler, start, samples, steps, seed=5):
    walkers = started(sampler, start, seed)
    walkers, _ = sampler.segment(walkers, 20, steps, seed + 1, lambda n: None)
    return sampler.segment(walkers, samples, steps, seed + 2, lambda n: None)[1]


def mbar(samples, states):
    order = np.argsort(samples.window, kind="stable")
    counts = np.bincount(samples.window, minlength=states)
    result = MBAR(samples.u[order].T, counts).compute_free_energy_differences()
    return result["Delta_f"][0], result["dDelta_f"][0]


KT_KJ = kt_kcal_per_mol(300) * KJ_PER_KCAL
# openmmtools' series: five oscillators of σ = (1 + 0.2 n) Å at 300 K
CONSTANTS = [KT_KJ / (0.1 * (1 + 0.2 * n)) ** 2 for n in range(5)]


@pytest.mark.parametrize("kind", ["exchange", "independent"])
def test_oscillators(kind):
    systems = oscillators(CONSTANTS)
    start = np.array([[0.05, 0.02, 0.0], [0.0, 0.0, 0.0]])
    if kind == "exchange":
        samples = run(ExchangeSampler(systems, MD), start, 300, 150)
        u, window = samples.u, samples.window
    else:
        parts = [run(IndependentSampler(systems, MD, k), start, 300, 150, seed=10 * k + 1) for k in range(5)]
        u, window = np.concatenate([p.u for p in parts]), np.concatenate([p.window for p in parts])

    class Joined:
        pass

    joined = Joined()
    joined.u, joined.window = u, window
    f, df = mbar(joined, 5)
    exact = np.array([1.5 * math.log(k / CONSTANTS[0]) for k in CONSTANTS])
    assert np.all(np.abs(f - exact)[1:] < 4 * df[1:]), (f, exact, df)
    assert df[-1] < 0.15
    # equipartition: the mean energy of each state in itself is 3/2 kT
    for k in range(5):
        own = u[window == k, k]
        assert abs(own.mean() - 1.5) < 4 * own.std() / math.sqrt(len(own))


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
    samples = run(ExchangeSampler(systems, MD), start, 600, 50, seed=3)
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
    systems = oscillators(CONSTANTS)
    sampler = ExchangeSampler(systems, MD)
    walkers = started(sampler, np.array([[0.05, 0.02, 0.0], [0.0, 0.0, 0.0]]), 3)
    first = sampler.segment(walkers, 5, 20, 9, lambda n: None)[1]
    again = ExchangeSampler(oscillators(CONSTANTS), MD).segment(walkers, 5, 20, 9, lambda n: None)[1]
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


def test_nan_is_named():
    system = openmm.System()
    for _ in range(2):
        system.addParticle(1.0)
    force = openmm.CustomBondForce("1e9*sqrt(r-10)")
    force.addBond(0, 1)
    system.addForce(force)
    sampler = IndependentSampler([system], MD, 0)
    with pytest.raises(NumericalError):
        started(sampler, np.array([[0.0, 0, 0], [1, 0, 0]]))


def test_a_stop_ends_minimisation_and_md():
    def stop(*_: object) -> None:
        raise StoppedEarly("enough")

    sampler = ExchangeSampler(oscillators(CONSTANTS), MD)
    start = np.array([[0.05, 0.02, 0.0], [0.0, 0.0, 0.0]])
    with pytest.raises(StoppedEarly):
        started(sampler, start, 1, stop)
    with pytest.raises(StoppedEarly):
        sampler.segment(started(sampler, start), 1, 100, 1, stop)
