"""One simulation for each state of a leg, and the energies of any configuration in all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engine import EngineSystem, MdEngine, StateSimulation
from gibbsflow.engines.md_engines import engine_for
from gibbsflow.errors import NumericalError, during
from gibbsflow.units import KJ_PER_KCAL, Floats, kt_kcal_per_mol
from gibbsflow.workflow.seeds import derive_seed

OVERLAP_U = 1e12
"""Reduced potential that stands for atoms on top of each other in a state that was not sampled."""
START_MINIMISE_STEPS = 100


class StateContexts:
    """One simulation a state; energies of any configuration in all of them.

    Parameters
    ----------
    systems
        System of each of the K states, all with the same particles.
    md
        Settings.
    seed
        Seed of the segment; each state's noise has its own, derived from it.
    engine
        What runs the MD; default: that of the settings.
    """

    def __init__(self, systems: Sequence[EngineSystem], md: Md, seed: int, engine: MdEngine | None = None) -> None:
        self.md = md
        engine = engine or engine_for(md)
        self.simulations = [engine.simulation(s, md, derive_seed(seed, "state", k)) for k, s in enumerate(systems)]
        self.beta_mol_per_kj = 1 / (kt_kcal_per_mol(md.temperature_k) * KJ_PER_KCAL)

    def started(
        self, state: int, start_nm: Floats, relax: bool, seed: int, check: Callable[[], None]
    ) -> tuple[Floats, Floats]:
        """Put a configuration into a state and draw velocities.

        A frame of an equilibration is thermal already: minimising it would only cool the slow motions.

        Parameters
        ----------
        state
            Index of the state.
        start_nm
            Shape (N, 3), nm.
        relax
            Whether to minimise it.
        seed
            Of the velocities.
        check
            Called often; may raise StoppedEarly.

        Returns
        -------
        positions
            Shape (N, 3), nm.
        velocities
            Shape (N, 3), nm/ps.

        Raises
        ------
        NumericalError
            Where the energy is not finite.
        """
        simulation = self.simulations[state]
        simulation.place(start_nm)
        simulation.minimise(START_MINIMISE_STEPS if relax else 0, check)
        simulation.draw_velocities(self.md.temperature_k, derive_seed(seed, "velocities", state))
        return simulation.positions_nm(), simulation.velocities_nm_per_ps()

    def propagate(
        self, state: int, positions: Floats, velocities: Floats, steps: int, tick: Callable[[int], None]
    ) -> tuple[Floats, Floats]:
        """Run MD in a state.

        Parameters
        ----------
        state
            Index of the state.
        positions, velocities
            Where to begin, shape (N, 3), nm and nm/ps.
        steps
            MD steps.
        tick
            Called with the steps done since the last call, every few; may raise StoppedEarly.

        Returns
        -------
        positions
            Shape (N, 3), nm.
        velocities
            Shape (N, 3), nm/ps.

        Raises
        ------
        NumericalError
            For NaN, naming the state.
        """
        simulation = self.simulations[state]
        with during(f"MD in window {state}"):
            simulation.place(positions, velocities)
            simulation.run(steps, tick)
            return simulation.positions_nm(), simulation.velocities_nm_per_ps()

    def moved(self, before: int, after: int, positions: Floats, velocities: Floats) -> Floats:
        """Take a configuration into another state with the velocities that it has at the time of its positions.

        The integrator keeps velocities of half a time step before the positions, which the forces of the old state have
        brought there; those of the new state must take over from the same moment.

        Parameters
        ----------
        before, after
            Index of the state that it was propagated in, and of the one that it is put into.
        positions, velocities
            Shape (N, 3), nm and nm/ps.

        Returns
        -------
        ndarray
            Velocities to go on with, shape (N, 3), nm/ps.
        """
        if before == after:
            return velocities
        kicks = []
        for state in (before, after):
            simulation = cast(StateSimulation, self.simulations[state])  # no other is made for exchange
            simulation.place(positions)
            kicks.append(simulation.half_kick_nm_per_ps())
        return velocities + kicks[0] - kicks[1]

    def reduced_potentials(self, positions: Floats, own: int) -> Floats:
        """βU of a configuration in all states.

        Parameters
        ----------
        positions
            Shape (N, 3), nm.
        own
            Index of the state that it was drawn from.

        Returns
        -------
        ndarray
            Shape (K,), dimensionless.

        Raises
        ------
        NumericalError
            Where its energy in its `own` state is not finite. In other states atoms may lie on top of each other:
            these energies are cut at `OVERLAP_U`, whose weight is zero.
        """
        u = np.empty(len(self.simulations))
        for state, simulation in enumerate(self.simulations):
            with during(f"energy of window {own} in state {state}"):
                simulation.place(positions)
                u[state] = self.beta_mol_per_kj * simulation.potential_kj_per_mol()
        if not np.isfinite(u[own]):
            raise NumericalError(f"potential energy in window {own} is {u[own]} kT")
        return np.nan_to_num(u, nan=OVERLAP_U, posinf=OVERLAP_U, neginf=OVERLAP_U).clip(max=OVERLAP_U)


def centred(positions: Floats) -> Floats:
    """Move configurations to the origin, where single precision is finest.

    Parameters
    ----------
    positions
        Shape (W, N, 3).

    Returns
    -------
    ndarray
        Shape (W, N, 3), the mean of each over its atoms zero.
    """
    return positions - positions.mean(axis=1, keepdims=True)
