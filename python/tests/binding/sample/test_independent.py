"""Independent windows on springs whose free energies are known, and what a window must not depend on."""

import numpy as np
import openmm
import pytest
from springs import MD, as_exact, run, springs, started

from gibbsflow.binding.sample.independent import IndependentSampler
from gibbsflow.binding.sample.sampler import Samples
from gibbsflow.errors import NumericalError


def test_springs_have_their_free_energies():
    parts = [run(IndependentSampler(springs(), MD, k), 300, 150, seed=10 * k + 1) for k in range(5)]
    names = ("window", "replica", "u")
    as_exact(Samples(*(np.concatenate([getattr(part, name) for part in parts]) for name in names)))


def test_a_window_has_one_walker_and_its_energy_in_every_state():
    sampler = IndependentSampler(springs(), MD, 3)
    walkers = started(sampler)
    assert walkers.positions_nm.shape == walkers.velocities_nm_per_ps.shape == (1, 2, 3)
    _, samples = sampler.segment(walkers, 4, 10, 7, lambda n: None)
    assert samples.window.tolist() == samples.replica.tolist() == [3] * 4
    ratio = samples.u / samples.u[:, :1]  # of one configuration in springs of other constants
    assert ratio == pytest.approx(np.tile([1 / (1 + 0.2 * n) ** 2 for n in range(5)], (4, 1)))
    assert sampler.mixing(samples) == {}


def test_every_step_is_told():
    steps = []
    sampler = IndependentSampler(springs(), MD, 0)
    sampler.segment(started(sampler), 2, 25, 1, steps.append)
    assert steps == [10, 10, 5] * 2


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
