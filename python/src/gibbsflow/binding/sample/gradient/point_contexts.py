"""Energies beside the states of a leg, where each state is a system of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gibbsflow.binding.sample.gradient.lambda_gradients import LambdaGradients
from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engine import EngineSystem, MdEngine, Simulation
from gibbsflow.errors import during
from gibbsflow.units import KJ_PER_KCAL, Floats, kt_kcal_per_mol

_SEED = 1
"""Of simulations that never take a step."""


class PointContexts:
    """Simulations at the points that derivatives need; they take no step of MD.

    Parameters
    ----------
    states
        λ by name, of each of the K states of the leg.
    systems_at
        Makes the systems at points.
    md
        Settings.
    engine
        What evaluates them.
    window
        Index of the one state that samples will be from; None for all.
    """

    def __init__(
        self,
        states: Sequence[Mapping[str, float]],
        systems_at: Callable[[Sequence[Mapping[str, float]]], Sequence[EngineSystem]],
        md: Md,
        engine: MdEngine,
        window: int | None = None,
    ) -> None:
        self._gradients, self._systems_at, self._md, self._engine = LambdaGradients(states), systems_at, md, engine
        self._beta_mol_per_kj = 1 / (kt_kcal_per_mol(md.temperature_k) * KJ_PER_KCAL)
        self._windows = range(len(states)) if window is None else (window,)
        self._simulations: dict[int, list[Simulation]] = {}

    def make(self) -> None:
        """Make them, where that has not been done; all at once, since a topology is read for them.

        To be done before the simulations of a segment are made: on the platform Reference the one that is made last
        seeds the noise of the process.
        """
        if self._simulations:
            return
        points = [(window, point) for window in self._windows for point in self._gradients.points(window)]
        self._simulations = {window: [] for window in self._windows}
        for (window, _), system in zip(points, self._systems_at([point for _, point in points]), strict=True):
            self._simulations[window].append(self._engine.simulation(system, self._md, _SEED))

    def gradients(self, window: int, positions: Floats, u: Floats) -> Floats:
        """Give the derivatives of a sample; :meth:`make` comes before.

        Parameters
        ----------
        window
            Index of the state that it is from.
        positions
            Shape (N, 3), nm.
        u
            Its reduced potential in each state, shape (K,).

        Returns
        -------
        ndarray
            Of the reduced potential along each λ, shape (L,); NaN for those that do not belong to the window.
        """
        at_points = []
        for simulation in self._simulations[window]:
            with during(f"dU/dλ of window {window}"):
                simulation.place(positions)
                at_points.append(self._beta_mol_per_kj * simulation.potential_kj_per_mol())
        return self._gradients.of_sample(window, u, np.array(at_points))
