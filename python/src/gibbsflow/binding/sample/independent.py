"""Independent windows: each state is sampled on its own, and its samples are weighed in all states."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import openmm

from gibbsflow.binding.sample.contexts import Samples, StateContexts, Walkers, centred
from gibbsflow.config.binding import Md
from gibbsflow.units import Floats


class IndependentSampler:
    """Samples one window without exchange.

    Parameters
    ----------
    systems
        System of each of the K states.
    md
        Settings.
    window
        The state to sample.
    """

    def __init__(self, systems: Sequence[openmm.System], md: Md, window: int) -> None:
        self.systems, self.md = systems, md
        self.windows: tuple[int, ...] = (window,)

    def start(self, starts_nm: Floats, relax: bool, seed: int, check: Callable[[], None]) -> Walkers:
        """Put the window's start into it and draw velocities."""
        (window,) = self.windows
        states = StateContexts([self.systems[window]], self.md, seed)
        positions, velocities = states.started(0, starts_nm[window], relax, seed, check)
        return Walkers(positions[None], velocities[None], np.array([window], dtype=np.int32))

    def segment(
        self, walkers: Walkers, samples: int, steps_per_sample: int, seed: int, tick: Callable[[int], None]
    ) -> tuple[Walkers, Samples]:
        """Draw samples, each with its reduced potential in all K states."""
        (window,) = self.windows
        states = StateContexts(self.systems, self.md, seed)
        positions, velocities = centred(walkers.positions_nm)[0], walkers.velocities_nm_per_ps[0]
        rows = []
        for _ in range(samples):
            positions, velocities = states.propagate(window, positions, velocities, steps_per_sample, tick)
            rows.append(states.reduced_potentials(positions, window))
        column = np.full(samples, window, dtype=np.int32)
        return Walkers(positions[None], velocities[None], walkers.replica), Samples(column, column, np.array(rows))
