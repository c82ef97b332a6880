"""Walkers that live on: a Context each, stepped side by side in threads, exchanging λ states and not coordinates.

This is how explicit solvent is sampled. One System holds all states as global parameters, so that its energy in
another state costs an energy and nothing else, and an exchange costs nothing. Under NVIDIA's MPS a card runs the
walkers of a leg at once; on a CPU each has a thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gibbsflow.binding.sample.contexts import OVERLAP_U, START_MINIMISE_STEPS
from gibbsflow.binding.sample.exchange import acceptance, gibbs_permutation, round_trips
from gibbsflow.binding.sample.sampler import Samples, Walkers
from gibbsflow.binding.sample.volume import Barostat
from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engine import EngineSystem, MdEngine, Walker, during
from gibbsflow.errors import NumericalError
from gibbsflow.units import KJ_PER_KCAL, Floats, Ints, kt_kcal_per_mol
from gibbsflow.workflow.seeds import derive_seed

log = logging.getLogger(__name__)
STEPS_PER_CALL = {"CPU": 10, "Reference": 1}
"""MD steps of each walker between two looks at whether to stop; on a card 500, a fraction of a second."""


@dataclass(frozen=True)
class PeriodicWalkers(Walkers):
    """Walkers at the end of a segment, in the order of the walkers; ``replica`` says which is in each window.

    Attributes
    ----------
    box_nm
        Periodic box of each walker, shape (W, 3, 3), nm.
    saved
        Of each walker what its engine saved, with its random numbers: bytes, filled up with zeros, shape (W, B).
    saved_bytes
        How many of them count, shape (W,).
    """

    box_nm: Floats
    saved: npt.NDArray[np.uint8]
    saved_bytes: npt.NDArray[np.int64]

    def in_windows(self) -> tuple[Floats, Floats | None]:
        """Give the configurations as they stand in the windows.

        Returns
        -------
        positions
            Shape (W, N, 3), nm, in the windows' order.
        boxes
            Periodic box of each, shape (W, 3, 3), nm.
        """
        return self.positions_nm[self.replica], self.box_nm[self.replica]


class WalkerSampler:
    """Samples windows by living walkers; two windows or more exchange their walkers.

    Parameters
    ----------
    system
        Holds all λ states.
    states
        λ by name, of each of the K states of the leg.
    windows
        The states to sample, in order; default: all.
    md
        Settings.
    engine
        What runs the MD.
    molecules
        Which molecule each atom is in, shape (N,).
    """

    def __init__(
        self,
        system: EngineSystem,
        states: Sequence[Mapping[str, float]],
        md: Md,
        engine: MdEngine,
        molecules: Ints,
        windows: Sequence[int] | None = None,
    ) -> None:
        self.windows: tuple[int, ...] = tuple(range(len(states)) if windows is None else windows)
        self._system, self._states, self._md, self._engine = system, tuple(states), md, engine
        self._beta_mol_per_kj = 1 / (kt_kcal_per_mol(md.temperature_k) * KJ_PER_KCAL)
        self._barostat = Barostat(molecules, md.temperature_k, md.pressure_bar)
        count = min(len(self.windows), md.threads) if md.platform in STEPS_PER_CALL else len(self.windows)
        self._threads = ThreadPoolExecutor(count)
        self._living: list[Walker] = []

    def walkers(self, arrays: Mapping[str, npt.NDArray[Any]]) -> PeriodicWalkers:
        """Read walkers as a checkpoint holds them.

        Parameters
        ----------
        arrays
            From ``as_arrays``.

        Returns
        -------
        PeriodicWalkers
            The same.
        """
        return PeriodicWalkers(**arrays)

    def start(
        self, starts_nm: Floats, relax: bool, seed: int, check: Callable[[], None], boxes_nm: Floats | None = None
    ) -> PeriodicWalkers:
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
            Its periodic box, shape (K, 3, 3), nm.

        Returns
        -------
        PeriodicWalkers
            Walker w in window w.
        """
        if boxes_nm is None:
            raise ValueError("a periodic leg starts from frames with boxes")
        self._bring_to_life(seed)
        for window, walker in zip(self.windows, self._living, strict=True):
            check()
            walker.put(self._states[window])
            walker.place(starts_nm[window], boxes_nm[window])
            with during(f"start of window {window}"):
                walker.minimise(START_MINIMISE_STEPS if relax else 0)
            walker.draw_velocities(self._md.temperature_k, derive_seed(seed, "velocities", window))
        return self._save(np.arange(len(self.windows), dtype=np.int32))

    def segment(
        self, walkers: Walkers, samples: int, steps_per_sample: int, seed: int, tick: Callable[[int], None]
    ) -> tuple[PeriodicWalkers, Samples]:
        """Draw samples; after each a walker may change its volume, and then its window, by Gibbs sampling.

        Parameters
        ----------
        walkers
            Where the segment before ended.
        samples
            To draw in each window.
        steps_per_sample
            MD steps before each.
        seed
            Of all random numbers of the segment that are not the walkers' own.
        tick
            Called with the MD steps done since the last call, often; may raise StoppedEarly.

        Returns
        -------
        walkers
            Where this segment ends.
        samples
            What it has drawn, each with its reduced potential in all K states; the term pV, the same in all, is left
            out.
        """
        assert isinstance(walkers, PeriodicWalkers)
        random = np.random.default_rng(derive_seed(seed, "exchange"))
        self._restore(walkers, seed)
        replica = walkers.replica.copy()
        energies, replicas = [], []
        for _ in range(samples):
            ordered = [self._living[w] for w in replica]
            for window, walker in zip(self.windows, ordered, strict=True):
                walker.put(self._states[window])
            self._propagate(ordered, steps_per_sample, tick)
            draws = random.random((len(ordered), 2))
            list(self._threads.map(self._barostat.attempt, ordered, draws))
            u = self._reduced_potentials(ordered)
            energies.append(u)
            replicas.append(replica.copy())
            if len(self.windows) > 1:
                replica = replica[gibbs_permutation(u[:, list(self.windows)], random)]
        rows = np.tile(np.array(self.windows, dtype=np.int32), samples)
        return self._save(replica), Samples(rows, np.concatenate(replicas), np.concatenate(energies))

    def mixing(self, samples: Samples) -> dict[str, Any]:
        """Tell how walkers moved between the windows.

        Parameters
        ----------
        samples
            Of one segment or of several, whole.

        Returns
        -------
        dict
            Mean acceptance of each pair of neighbours, and round trips; empty where one window is sampled alone.
        """
        count = len(self.windows)
        if count < 2:
            return {}
        return {
            "exchange_acceptance": acceptance(samples.u, samples.window, count),
            "round_trips": round_trips(samples.replica, count),
        }

    def _bring_to_life(self, seed: int) -> None:
        """Make the walkers, one after another: from one System in threads is not safe."""
        self._living = [
            self._engine.walker(self._system, self._md, derive_seed(seed, "walker", w))
            for w in range(len(self.windows))
        ]

    def _restore(self, walkers: PeriodicWalkers, seed: int) -> None:
        """Put all walkers where a segment ended, also those that are there: an interrupted run must not differ."""
        if not self._living:
            self._bring_to_life(seed)
        kept = zip(self._living, walkers.saved, walkers.saved_bytes, strict=True)
        if all([walker.restore(saved[:size]) for walker, saved, size in kept]):
            return
        log.info("saved by another platform or version: positions and velocities are kept, the noise is drawn anew")
        self._bring_to_life(seed)
        for w, walker in enumerate(self._living):
            walker.place(walkers.positions_nm[w], walkers.box_nm[w], walkers.velocities_nm_per_ps[w])

    def _propagate(self, ordered: Sequence[Walker], steps: int, tick: Callable[[int], None]) -> None:
        at_once = STEPS_PER_CALL.get(self._md.platform, 500)

        def run(number: int, count: int) -> None:
            with during(f"MD in window {self.windows[number]}"):
                ordered[number].run(count)

        for first in range(0, steps, at_once):
            count = min(at_once, steps - first)
            list(self._threads.map(run, range(len(ordered)), [count] * len(ordered)))
            tick(count * len(ordered))

    def _reduced_potentials(self, ordered: Sequence[Walker]) -> Floats:
        rows = self._threads.map(lambda walker: walker.potentials_kj_per_mol(self._states), ordered)
        u = self._beta_mol_per_kj * np.array(list(rows))
        for row, window in enumerate(self.windows):
            if not np.isfinite(u[row, window]):
                raise NumericalError(f"potential energy in window {window} is {u[row, window]} kT")
        return np.nan_to_num(u, nan=OVERLAP_U, posinf=OVERLAP_U, neginf=OVERLAP_U).clip(max=OVERLAP_U)

    def _save(self, replica: Ints) -> PeriodicWalkers:
        saved = [walker.save() for walker in self._living]
        sizes = np.array([len(content) for content in saved], dtype=np.int64)
        padded = np.zeros((len(saved), sizes.max()), dtype=np.uint8)
        for row, content in zip(padded, saved, strict=True):
            row[: len(content)] = content
        return PeriodicWalkers(
            np.array([walker.positions_nm() for walker in self._living]),
            np.array([walker.velocities_nm_per_ps() for walker in self._living]),
            replica,
            np.array([walker.box_nm() for walker in self._living]),
            padded,
            sizes,
        )
