"""Independent windows: each state is sampled on its own, and its samples are weighed in all states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gibbsflow.binding.sample.contexts import StateContexts, centred
from gibbsflow.binding.sample.gradient.point_contexts import PointContexts
from gibbsflow.binding.sample.sampler import Samples, Walkers
from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engine import EngineSystem, MdEngine
from gibbsflow.engines.md_engines import engine_for
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
    engine
        What runs the MD; default: that of the settings.
    points
        Energies beside the states, for dU/dλ; None for none.
    """

    def __init__(
        self,
        systems: Sequence[EngineSystem],
        md: Md,
        window: int | None,
        engine: MdEngine | None = None,
        points: PointContexts | None = None,
    ) -> None:
        self.systems, self.md, self.engine, self.points = systems, md, engine or engine_for(md), points
        if window is None:
            raise ValueError("the independent sampler takes one window at a time")
        self.windows: tuple[int, ...] = (window,)

    def walkers(self, arrays: Mapping[str, npt.NDArray[Any]]) -> Walkers:
        """Read walkers as a checkpoint holds them.

        Parameters
        ----------
        arrays
            From ``as_arrays``.

        Returns
        -------
        Walkers
            The same.
        """
        return Walkers(**arrays)

    def start(
        self, starts_nm: Floats, relax: bool, seed: int, check: Callable[[], None], boxes_nm: Floats | None = None
    ) -> Walkers:
        """Put the window's start into it and draw velocities.

        Parameters
        ----------
        starts_nm
            A start for each state of the leg, shape (K, N, 3), nm.
        relax
            Whether to minimise it.
        seed
            Of the velocities.
        check
            Called often; may raise StoppedEarly.
        boxes_nm
            Periodic box of each start, shape (K, 3, 3), nm; None without boxes.

        Returns
        -------
        Walkers
            One in each window.
        """
        (window,) = self.windows
        states = StateContexts([self.systems[window]], self.md, seed, self.engine)
        positions, velocities = states.started(0, starts_nm[window], relax, seed, check)
        return Walkers(positions[None], velocities[None], np.array([window], dtype=np.int32))

    def segment(
        self, walkers: Walkers, samples: int, steps_per_sample: int, seed: int, tick: Callable[[int], None]
    ) -> tuple[Walkers, Samples]:
        """Draw samples in the window.

        Parameters
        ----------
        walkers
            Where the segment before ended.
        samples
            To draw in it.
        steps_per_sample
            MD steps before each.
        seed
            Of all random numbers in the segment.
        tick
            Called with the MD steps done since the last call, often; may raise StoppedEarly.

        Returns
        -------
        walkers
            Where this segment ends.
        samples
            What it has drawn, each with its reduced potential in all K states.
        """
        (window,) = self.windows
        if self.points is not None:
            self.points.make()
        states = StateContexts(self.systems, self.md, seed, self.engine)
        positions, velocities = centred(walkers.positions_nm)[0], walkers.velocities_nm_per_ps[0]
        rows, along = [], []
        for _ in range(samples):
            positions, velocities = states.propagate(window, positions, velocities, steps_per_sample, tick)
            rows.append(states.reduced_potentials(positions, window))
            if self.points is not None:
                along.append(self.points.gradients(window, positions, rows[-1]))
        column = np.full(samples, window, dtype=np.int32)
        drawn = Samples(column, column, np.array(rows), np.array(along) if along else None)
        return Walkers(positions[None], velocities[None], walkers.replica), drawn

    def mixing(self, samples: Samples) -> dict[str, Any]:
        """Tell how walkers moved between the windows: they do not.

        Parameters
        ----------
        samples
            Of any segments.

        Returns
        -------
        dict
            Empty.
        """
        return {}
