"""Hamiltonian replica exchange: all states of a leg in one process, walkers change states after each sample."""

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
from gibbsflow.units import Floats, Ints
from gibbsflow.workflow.seeds import derive_seed


class ExchangeSampler:
    """Samples all windows and swaps walkers between them.

    Parameters
    ----------
    systems
        System of each of the K states.
    md
        Settings.
    engine
        What runs the MD; default: that of the settings.
    points
        Energies beside the states, for dU/dλ; None for none.
    """

    def __init__(
        self,
        systems: Sequence[EngineSystem],
        md: Md,
        engine: MdEngine | None = None,
        points: PointContexts | None = None,
    ) -> None:
        self.systems, self.md, self.engine, self.points = systems, md, engine or engine_for(md), points
        self.windows: tuple[int, ...] = tuple(range(len(systems)))

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
        """Put each window's start into it and draw velocities.

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
        states = StateContexts(self.systems, self.md, seed, self.engine)
        pairs = []
        for window in self.windows:
            pairs.append(states.started(window, starts_nm[window], relax, seed, check))
        return Walkers(
            np.array([p for p, _ in pairs]), np.array([v for _, v in pairs]), np.array(self.windows, dtype=np.int32)
        )

    def segment(
        self, walkers: Walkers, samples: int, steps_per_sample: int, seed: int, tick: Callable[[int], None]
    ) -> tuple[Walkers, Samples]:
        """Draw samples in all windows; after each, walkers move between windows by Gibbs sampling.

        Parameters
        ----------
        walkers
            Where the segment before ended.
        samples
            To draw in each window.
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
        random = np.random.default_rng(derive_seed(seed, "exchange"))
        if self.points is not None:
            self.points.make()
        states = StateContexts(self.systems, self.md, seed, self.engine)
        positions, velocities = list(centred(walkers.positions_nm)), list(walkers.velocities_nm_per_ps)
        replica = walkers.replica.copy()
        energies, replicas, along = [], [], []
        for _ in range(samples):
            for k in self.windows:
                positions[k], velocities[k] = states.propagate(k, positions[k], velocities[k], steps_per_sample, tick)
            u = np.array([states.reduced_potentials(positions[k], k) for k in self.windows])
            energies.append(u)
            replicas.append(replica.copy())
            if self.points is not None:
                along += [self.points.gradients(k, positions[k], u[k]) for k in self.windows]
            order = gibbs_permutation(u, random)
            velocities = [states.moved(i, k, positions[i], velocities[i]) for k, i in enumerate(order.tolist())]
            positions = [positions[i] for i in order]
            replica = replica[order]
        window = np.tile(np.array(self.windows, dtype=np.int32), samples)
        drawn = Samples(window, np.concatenate(replicas), np.concatenate(energies), np.array(along) if along else None)
        return Walkers(np.array(positions), np.array(velocities), replica), drawn

    def mixing(self, samples: Samples) -> dict[str, Any]:
        """Tell how walkers moved between the windows.

        Parameters
        ----------
        samples
            Of one segment or of several, whole.

        Returns
        -------
        dict
            Mean acceptance of each pair of neighbours, and round trips.
        """
        count = len(self.windows)
        return {
            "exchange_acceptance": acceptance(samples.u, samples.window, count),
            "round_trips": round_trips(samples.replica, count),
        }


def gibbs_permutation(u: Floats, random: np.random.Generator) -> npt.NDArray[np.intp]:
    """Draw which configuration goes into each state, nearly from the exact joint distribution.

    K³ Metropolis swaps of random pairs, as in Chodera and Shirts, J. Chem. Phys. 135, 194110 (2011).

    Parameters
    ----------
    u
        Reduced potential of configuration i in state j, shape (K, K).
    random
        Source of random numbers.

    Returns
    -------
    ndarray
        Configuration that is put into each state, shape (K,).
    """
    count = len(u)
    order = list(range(count))
    if count < 2:
        return np.array(order, dtype=np.intp)
    table = u.tolist()
    pairs = random.integers(0, count, size=(count**3, 2)).tolist()
    # an exponential deviate e > x with probability e^-x: the Metropolis test without an exponential
    deviates = random.standard_exponential(count**3).tolist()
    for (a, b), deviate in zip(pairs, deviates, strict=True):
        i, j = order[a], order[b]
        if deviate >= table[i][b] + table[j][a] - table[i][a] - table[j][b]:
            order[a], order[b] = j, i
    return np.array(order, dtype=np.intp)


def acceptance(u: Floats, window: Ints, states: int) -> list[float]:
    """Mean Metropolis acceptance of swaps between neighbouring states, from samples drawn side by side.

    Parameters
    ----------
    u
        Reduced potentials, shape (n·K, K), in order of time, then window.
    window
        State of each row.
    states
        K.

    Returns
    -------
    list of float
        K − 1 rates between 0 and 1.

    Raises
    ------
    ValueError
        For rows in another order.
    """
    table = u.reshape(-1, states, states)
    if not np.array_equal(window.reshape(-1, states), np.broadcast_to(np.arange(states), table.shape[:2])):
        raise ValueError("rows are not in order of time, then window")
    rates = []
    for k in range(states - 1):
        x = table[:, k, k + 1] + table[:, k + 1, k] - table[:, k, k] - table[:, k + 1, k + 1]
        rates.append(float(np.exp(-x.clip(min=0)).mean()))
    return rates


def round_trips(replica: Ints, states: int) -> int:
    """Count how often walkers went from the first state to the last and back, over all walkers.

    Parameters
    ----------
    replica
        Walker of each row, rows in order of time, then window, shape (n·K,).
    states
        K.

    Returns
    -------
    int
        Of all walkers together.
    """
    table = replica.reshape(-1, states)
    trips = 0
    visited_last: dict[int, bool] = {}  # walkers that started out at the first state
    for row in table:
        first, last = int(row[0]), int(row[-1])
        if visited_last.get(first):
            trips += 1
        visited_last[first] = False
        if last in visited_last:
            visited_last[last] = True
    return trips
