"""Particles on springs, as OpenMM Systems whose free energies are known, and samplers run on them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import openmm
from pymbar import MBAR

from gibbsflow.binding.sample.sampler import Sampler, Samples, Walkers
from gibbsflow.config.binding import Md
from gibbsflow.units import KJ_PER_KCAL, kt_kcal_per_mol

# light noise-driven motion: samples half a picosecond apart are nearly independent
MD = Md(temperature_k=300, timestep_fs=4, friction_per_ps=5, platform="Reference")
KT_KJ = kt_kcal_per_mol(300) * KJ_PER_KCAL
# openmmtools' series: five oscillators of σ = (1 + 0.2 n) Å at 300 K
CONSTANTS = [KT_KJ / (0.1 * (1 + 0.2 * n)) ** 2 for n in range(5)]
EXACT_KT = np.array([1.5 * math.log(k / CONSTANTS[0]) for k in CONSTANTS])
START_NM = np.array([[0.05, 0.02, 0.0], [0.0, 0.0, 0.0]])


def springs(constants: list[float] = CONSTANTS) -> list[openmm.System]:
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


def started(
    sampler: Sampler, start: np.ndarray = START_NM, seed: int = 1, check: Callable[[], None] = lambda: None
) -> Walkers:
    """Walkers of a sampler, all windows from one start."""
    return sampler.start(np.array([start] * len(sampler.systems)), True, seed, check)


def run(sampler: Sampler, samples: int, steps: int, start: np.ndarray = START_NM, seed: int = 5) -> Samples:
    """Samples after a short equilibration."""
    walkers, _ = sampler.segment(started(sampler, start, seed), 20, steps, seed + 1, lambda n: None)
    return sampler.segment(walkers, samples, steps, seed + 2, lambda n: None)[1]


def mbar(samples: Samples, states: int) -> tuple[np.ndarray, np.ndarray]:
    """Free energies and errors relative to the first state, kT."""
    order = np.argsort(samples.window, kind="stable")
    counts = np.bincount(samples.window, minlength=states)
    result = MBAR(samples.u[order].T, counts).compute_free_energy_differences()
    return result["Delta_f"][0], result["dDelta_f"][0]


def as_exact(samples: Samples) -> None:
    """Assert that five springs have their free energies, and each state its mean energy of 3/2 kT."""
    f, df = mbar(samples, 5)
    assert np.all(np.abs(f - EXACT_KT)[1:] < 4 * df[1:]), (f, EXACT_KT, df)
    assert df[-1] < 0.15
    for k in range(5):
        own = samples.u[samples.window == k, k]
        assert abs(own.mean() - 1.5) < 4 * own.std() / math.sqrt(len(own))
