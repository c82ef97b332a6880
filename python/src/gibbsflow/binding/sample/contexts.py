"""What all samplers share: walkers, samples, and one OpenMM Context for each state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import openmm

from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_systems import (
    minimise,
    new_context,
    numerical,
    positions_nm,
    potential_kj_per_mol,
    velocities_nm_per_ps,
)
from gibbsflow.errors import NumericalError
from gibbsflow.units import KJ_PER_KCAL, Floats, Ints, kt_kcal_per_mol
from gibbsflow.workflow.seeds import derive_seed

OVERLAP_U = 1e12
"""Reduced potential that stands for atoms on top of each other in a state that was not sampled."""
START_MINIMISE_STEPS = 100
STEPS_PER_TICK = 10
"""MD steps between two looks at whether to stop: seconds even for thousands of atoms on one CPU thread."""


@dataclass(frozen=True)
class Walkers:
    """Configurations at the end of a segment, one for each sampled window, in the windows' order.

    Parameters
    ----------
    positions_nm, velocities_nm_per_ps
        Shape (W, N, 3).
    replica
        Which walker is in each window, shape (W,).
    """

    positions_nm: Floats
    velocities_nm_per_ps: Floats
    replica: Ints

    def as_arrays(self) -> dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int32]]:
        """Arrays by name, for a checkpoint."""
        return dict(vars(self))


@dataclass(frozen=True)
class Samples:
    """What a segment has drawn; rows in order of time, then window.

    Parameters
    ----------
    window, replica
        State drawn from, and walker, shape (n,).
    u
        Reduced potential in every state, shape (n, K), dimensionless.
    """

    window: Ints
    replica: Ints
    u: Floats

    def as_arrays(self) -> dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int32]]:
        """Arrays by name, for a file."""
        return dict(vars(self))


class Sampler(Protocol):
    """Draws samples from some of the states of a leg, segment by segment.

    A segment depends on its walkers, its length and its seed, and on nothing that came before in the process: so an
    interrupted run and one in one go draw the same samples.
    """

    windows: tuple[int, ...]

    def start(self, starts_nm: Floats, relax: bool, seed: int, check: Callable[[], None]) -> Walkers:
        """Put each window's own start, of `starts_nm` with shape (K, N, 3), into it and draw velocities."""
        ...

    def segment(
        self, walkers: Walkers, samples: int, steps_per_sample: int, seed: int, tick: Callable[[int], None]
    ) -> tuple[Walkers, Samples]:
        """Draw a number of samples in each window; `tick` is called with the MD steps done, often."""
        ...


class StateContexts:
    """One Context a state; energies of any configuration in all of them.

    Parameters
    ----------
    systems
        System of each of the K states, all with the same particles.
    md
        Settings.
    seed
        Seed of the segment; each state's noise has its own, derived from it.
    """

    def __init__(self, systems: Sequence[openmm.System], md: Md, seed: int) -> None:
        self.md = md
        self.contexts = [new_context(s, md, derive_seed(seed, "state", k)) for k, s in enumerate(systems)]
        self.beta_mol_per_kj = 1 / (kt_kcal_per_mol(md.temperature_k) * KJ_PER_KCAL)

    def started(
        self, state: int, start_nm: Floats, relax: bool, seed: int, check: Callable[[], None]
    ) -> tuple[Floats, Floats]:
        """Put a configuration into a state, minimised where asked; returns it with fresh thermal velocities.

        A frame of an equilibration is thermal already: minimising it would only cool the slow motions.
        """
        context = self.contexts[state]
        context.setPositions(start_nm)
        minimise(context, START_MINIMISE_STEPS if relax else 0, check)
        context.setVelocitiesToTemperature(self.md.temperature_k, derive_seed(seed, "velocities", state))
        return positions_nm(context), velocities_nm_per_ps(context)

    def propagate(
        self, state: int, positions: Floats, velocities: Floats, steps: int, tick: Callable[[int], None]
    ) -> tuple[Floats, Floats]:
        """Run MD in a state, with a `tick` every few steps; returns new positions and velocities.

        Raises
        ------
        NumericalError
            For NaN, naming the state.
        """
        context = self.contexts[state]
        with numerical(f"MD in window {state}"):
            context.setPositions(positions)
            context.setVelocities(velocities)
            for first in range(0, steps, STEPS_PER_TICK):
                count = min(STEPS_PER_TICK, steps - first)
                context.getIntegrator().step(count)
                tick(count)
            return positions_nm(context), velocities_nm_per_ps(context)

    def reduced_potentials(self, positions: Floats, own: int) -> Floats:
        """βU of a configuration in all K states, shape (K,).

        Raises
        ------
        NumericalError
            Where its energy in its `own` state is not finite. In other states atoms may lie on top of each other:
            these energies are cut at `OVERLAP_U`, whose weight is zero.
        """
        u = np.empty(len(self.contexts))
        for state, context in enumerate(self.contexts):
            with numerical(f"energy of window {own} in state {state}"):
                context.setPositions(positions)
                u[state] = self.beta_mol_per_kj * potential_kj_per_mol(context)
        if not np.isfinite(u[own]):
            raise NumericalError(f"potential energy in window {own} is {u[own]} kT")
        return np.nan_to_num(u, nan=OVERLAP_U, posinf=OVERLAP_U, neginf=OVERLAP_U).clip(max=OVERLAP_U)


def centred(positions: Floats) -> Floats:
    """Positions of shape (W, N, 3) moved to the origin, where single precision is finest."""
    return positions - positions.mean(axis=1, keepdims=True)
