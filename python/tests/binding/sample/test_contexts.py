"""One simulation a state: energies in all of them, starts, and what is said where they are not finite."""

import numpy as np
import openmm
import pytest
from springs import CONSTANTS, KT_KJ, MD, START_NM, springs

from gibbsflow.binding.sample.contexts import OVERLAP_U, StateContexts, centred
from gibbsflow.errors import NumericalError


def walled(radius_nm):
    """A particle that has no finite energy beyond a radius."""
    system = openmm.System()
    for mass in (12.0, 0.0):
        system.addParticle(mass)
    force = openmm.CustomBondForce(f"1/step({radius_nm}-r) - 1")
    force.addBond(0, 1)
    system.addForce(force)
    return system


def test_reduced_potentials_are_those_of_the_springs():
    u = StateContexts(springs(), MD, 1).reduced_potentials(START_NM, 2)
    assert u == pytest.approx([0.5 * k * (0.05**2 + 0.02**2) / KT_KJ for k in CONSTANTS])


def test_an_energy_that_is_not_finite_elsewhere_has_no_weight_and_in_its_own_state_is_an_error():
    states = StateContexts([*springs([100.0]), walled(0.01)], MD, 1)
    u = states.reduced_potentials(START_NM, 0)
    assert u[0] < 1 and u[1] == OVERLAP_U and np.exp(-u[1]) == 0
    with pytest.raises(NumericalError, match="potential energy in window 1 is inf kT"):
        states.reduced_potentials(START_NM, 1)


def test_a_start_is_minimised_only_where_asked_for():
    states = StateContexts(springs(), MD, 1)
    as_given, velocities = states.started(0, START_NM, False, 3, lambda: None)
    assert as_given == pytest.approx(START_NM) and velocities.any()
    assert (states.started(0, START_NM, False, 3, lambda: None)[1] == velocities).all()  # by the seed alone
    relaxed, _ = states.started(0, START_NM, True, 3, lambda: None)
    assert np.linalg.norm(relaxed[0]) < 0.25 * np.linalg.norm(START_NM[0])


def test_nan_in_motion_names_the_window():
    states = StateContexts(springs(), MD.model_copy(update={"platform": "CPU"}), 1)  # Reference does not look
    with pytest.raises(NumericalError, match="^MD in window 4: "):
        states.propagate(4, START_NM, np.full((2, 3), np.nan), 10, lambda n: None)


def test_velocities_in_another_state_are_those_of_the_same_moment():
    """What is kept lies half a time step behind: a step without friction adds twice the half kick."""
    md = MD.model_copy(update={"friction_per_ps": 0.0})
    states = StateContexts(springs(), md, 1)
    positions, velocities = states.propagate(0, START_NM, np.array([[1.0, -2.0, 0.5], [0, 0, 0]]), 3, lambda _: None)
    kicks = [-k * positions * [[1.0], [0.0]] / 12 * md.timestep_fs / 2000 for k in CONSTANTS]
    _, next_step = states.propagate(0, positions, velocities, 1, lambda _: None)
    assert next_step - velocities == pytest.approx(2 * kicks[0], rel=1e-9, abs=1e-12)
    moved = states.moved(0, 3, positions, velocities)
    assert moved + kicks[3] == pytest.approx(velocities + kicks[0], rel=1e-9, abs=1e-12)
    assert np.abs(moved - velocities).max() > 1e-3 and not (moved - velocities)[1].any()
    assert (states.moved(2, 2, positions, velocities) == velocities).all()


def test_centred():
    shifted = np.random.default_rng(3).normal(size=(2, 5, 3)) + 40
    assert centred(shifted).mean(axis=1) == pytest.approx(np.zeros((2, 3)), abs=1e-12)
    assert centred(shifted)[:, 1] - centred(shifted)[:, 0] == pytest.approx(shifted[:, 1] - shifted[:, 0])
