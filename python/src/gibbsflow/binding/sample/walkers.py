"""Walkers that live on, stepped side by side in threads, exchanging λ states and not coordinates.

This is how explicit solvent is sampled. One System holds all states as global parameters, so that its energy in
another state costs an energy and nothing else, and an exchange the forces of two states. Under NVIDIA's MPS a card runs
the walkers of a leg at once, each in a Context of its own; where that gains nothing, walkers share Contexts and are
handed over as what the engine saves of them.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt

from gibbsflow.binding.sample.contexts import OVERLAP_U, START_MINIMISE_STEPS
from gibbsflow.binding.sample.exchange import acceptance, gibbs_permutation, round_trips
from gibbsflow.binding.sample.gradient.lambda_gradients import LambdaGradients
from gibbsflow.binding.sample.sampler import Samples, Walkers
from gibbsflow.binding.sample.volume import Barostat
from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engine import EngineSystem, MdEngine, Walker
from gibbsflow.errors import MachineError, NumericalError, during
from gibbsflow.units import KJ_PER_KCAL, Floats, Ints, kt_kcal_per_mol
from gibbsflow.workflow.seeds import derive_seed

log = logging.getLogger(__name__)
ON_CPU = ("CPU", "Reference")
"""Platforms on which as many walkers run at once as there are threads."""
LOOK_S = 0.1
"""Seconds between two looks at whether to stop."""
MOST_STEPS_PER_CALL = 500


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


class _Stopped(Exception):  # noqa: N818 - ends a thread that is asked to
    pass


class WalkerSampler:
    """Samples windows by living walkers; two windows or more exchange their walkers.

    The samples do not depend on how many Contexts there are, bit by bit on OpenMM's CPU platform.

    Parameters
    ----------
    system
        Holds all λ states.
    states
        λ by name, of each of the K states of the leg.
    md
        Settings.
    engine
        What runs the MD.
    molecules
        Which molecule each atom is in, shape (N,).
    windows
        The states to sample, in order; default: all.
    contexts
        How many walkers run at once, each in a Context; default: on a CPU one a thread, else all; on the platform
        Reference always one. Where the GPU's memory does not hold them, half as many are tried.
    membrane
        Whether area and height of the box change by themselves.
    """

    def __init__(
        self,
        system: EngineSystem,
        states: Sequence[Mapping[str, float]],
        md: Md,
        engine: MdEngine,
        molecules: Ints,
        windows: Sequence[int] | None = None,
        contexts: int | None = None,
        *,
        membrane: bool = False,
    ) -> None:
        self.windows: tuple[int, ...] = tuple(range(len(states)) if windows is None else windows)
        self._system, self._states, self._md, self._engine = system, tuple(states), md, engine
        self._gradients = LambdaGradients(states)
        self._beta_mol_per_kj = 1 / (kt_kcal_per_mol(md.temperature_k) * KJ_PER_KCAL)
        self._barostat = Barostat(molecules, md.temperature_k, md.pressure_bar, membrane=membrane)
        self._steps_per_call = 10
        wanted = contexts or (md.threads if md.platform in ON_CPU else len(self.windows))
        if md.platform == "Reference":
            wanted = 1  # its random numbers are those of the process, whichever thread draws them
        self._use(min(wanted, len(self.windows)))

    @property
    def contexts(self) -> int:
        """Say how many walkers run at once.

        Returns
        -------
        int
            Contexts, fewer than asked for where memory was short.
        """
        return len(self._living)

    def _use(self, contexts: int) -> None:
        """Let go of all Contexts; so many shall be made."""
        self._living: list[Walker | None] = [None] * contexts
        self._inside: list[int | None] = [None] * contexts  # which walker each holds as it is now
        self._threads = ThreadPoolExecutor(contexts)
        self._hand_over = contexts < len(self.windows) or self._md.platform in ON_CPU

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
        while True:
            try:
                return self._start(starts_nm, boxes_nm, relax, seed, check)
            except MachineError as error:
                self._use_fewer(error)
            gc.collect()  # the error's frames have held Contexts

    def _start(
        self, starts_nm: Floats, boxes_nm: Floats, relax: bool, seed: int, check: Callable[[], None]
    ) -> PeriodicWalkers:
        self._saved: list[npt.NDArray[np.uint8]] = []
        self._propagated_in = list(self.windows)
        for w, window in enumerate(self.windows):
            check()
            self._saved.append(self._started(w, starts_nm[window], boxes_nm[window], relax, seed))
        return self._all_walkers(np.arange(len(self.windows), dtype=np.int32))

    def _started(self, w: int, start_nm: Floats, box_nm: Floats, relax: bool, seed: int) -> npt.NDArray[np.uint8]:
        """Save walker w at its start; no caller holds a Context while the next one is made."""
        window = self.windows[w]
        walker = self._new_walker(w, seed)
        walker.put(self._states[window])
        walker.place(start_nm, box_nm)
        with during(f"start of window {window}"):
            walker.minimise(START_MINIMISE_STEPS if relax else 0)
        walker.draw_velocities(self._md.temperature_k, derive_seed(seed, "velocities", window))
        return walker.save()

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
            Called with the MD steps done since the last call, often; may raise StoppedEarly. Less than none where the
            GPU's memory was full, so that the segment begins anew with fewer Contexts.

        Returns
        -------
        walkers
            Where this segment ends.
        samples
            What it has drawn, each with its reduced potential in all K states; the term pV, the same in all, is left
            out.
        """
        assert isinstance(walkers, PeriodicWalkers)
        while True:
            done = 0

            def counted(steps: int) -> None:
                nonlocal done
                done += steps
                tick(steps)

            try:
                return self._segment(walkers, samples, steps_per_sample, seed, counted)
            except MachineError as error:
                self._use_fewer(error)
            gc.collect()  # the error's frames have held Contexts
            tick(-done)

    def _segment(
        self, walkers: PeriodicWalkers, samples: int, steps: int, seed: int, tick: Callable[[int], None]
    ) -> tuple[PeriodicWalkers, Samples]:
        random = np.random.default_rng(derive_seed(seed, "exchange"))
        self._resume(walkers, seed)
        replica = walkers.replica.copy()
        self._propagated_in = [self.windows[row] for row in np.argsort(replica)]
        energies, gradients, replicas = [], [], []
        for _ in range(samples):
            draws = random.random((len(self.windows), self._barostat.draws))
            u, along = self._sample(replica, steps, draws, tick)
            energies.append(u)
            gradients.append(along)
            replicas.append(replica.copy())
            if len(self.windows) > 1:
                replica = replica[gibbs_permutation(u[:, list(self.windows)], random)]
        rows = np.tile(np.array(self.windows, dtype=np.int32), samples)
        drawn = Samples(rows, np.concatenate(replicas), np.concatenate(energies), np.concatenate(gradients))
        return self._all_walkers(replica), drawn

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

    def _new_walker(self, w: int, seed: int) -> Walker:
        """Make walker w, in place of another one that has its Context; one after another, threads are not safe here."""
        while True:
            place = w % len(self._living)
            self._living[place] = self._inside[place] = None  # its memory first
            try:
                walker = self._engine.walker(self._system, self._md, derive_seed(seed, "walker", w))
            except MachineError as error:
                self._use_fewer(error)
            else:
                self._living[place], self._inside[place] = walker, w
                return walker
            gc.collect()  # the error's frames have held Contexts

    def _use_fewer(self, error: MachineError) -> None:
        """Halve the number of Contexts, unless there is one at most: a driver may say that a card is not there."""
        if len(self._living) == 1 or not any(self._living):
            raise error
        fewer = len(self._living) // 2
        log.warning("%s; %d Contexts instead of %d, which walkers share", str(error), fewer, len(self._living))
        self._use(fewer)

    def _resume(self, walkers: PeriodicWalkers, seed: int) -> None:
        """Take all walkers as a segment left them, also those that are there: an interrupted run must not differ."""
        self._saved = [saved[:size] for saved, size in zip(walkers.saved, walkers.saved_bytes, strict=True)]
        self._inside = [None] * len(self._living)
        for place, walker in enumerate(self._living):
            if walker is None:
                self._new_walker(place, seed)
        if not self._restored_first():
            log.info("saved by another platform or version: positions and velocities are kept, the noise is drawn anew")
            for w in range(len(self.windows)):
                self._saved[w] = self._moved(w, walkers, seed)
        self._inside = [None] * len(self._living)

    def _restored_first(self) -> bool:
        """Try whether the first walker is read by what is there."""
        walker = self._living[0]
        assert walker is not None
        return walker.restore(self._saved[0])

    def _moved(self, w: int, walkers: PeriodicWalkers, seed: int) -> npt.NDArray[np.uint8]:
        """Save walker w as this platform does."""
        walker = self._new_walker(w, seed)
        walker.place(walkers.positions_nm[w], walkers.box_nm[w], walkers.velocities_nm_per_ps[w])
        return walker.save()

    def _walker(self, place: int, w: int) -> Walker:
        """Have walker w in a Context, as it was saved unless it is there."""
        walker = self._living[place]
        assert walker is not None
        if self._inside[place] != w:
            if not walker.restore(self._saved[w]):
                raise RuntimeError("OpenMM does not read what it has saved")
            self._inside[place] = w
        return walker

    def _sample(self, replica: Ints, steps: int, draws: Floats, tick: Callable[[int], None]) -> tuple[Floats, Floats]:
        """Draw a sample in each window; returns reduced potentials and their derivatives, shapes (W, K) and (W, L)."""
        stop, done = Event(), [0] * len(self._living)
        u = np.empty((len(self.windows), len(self._states)))
        along = np.empty((len(self.windows), len(self._gradients.names)))
        failed: dict[int, BaseException] = {}

        def work(place: int) -> None:
            for row, w in enumerate(replica):
                if w % len(self._living) == place and not stop.is_set():
                    try:
                        u[row], along[row] = self._visit(place, int(w), row, steps, draws[row], stop, done)
                    except BaseException as error:  # noqa: BLE001 - raised by `_sample`, in the order of the windows
                        failed[row] = error
                        stop.set()

        futures = [self._threads.submit(work, place) for place in range(len(self._living))]
        try:
            self._attend(futures, done, tick)
        finally:
            stop.set()
            wait(futures)
        for row in sorted(failed):
            if not isinstance(failed[row], _Stopped):
                raise failed[row]
        return np.nan_to_num(u, nan=OVERLAP_U, posinf=OVERLAP_U, neginf=OVERLAP_U).clip(max=OVERLAP_U), along

    @staticmethod
    def _attend(futures: Sequence[Future[None]], done: list[int], tick: Callable[[int], None]) -> None:
        """Report steps while threads work."""
        told, left = 0, set(futures)
        while left:
            _, left = wait(left, timeout=LOOK_S)
            now = sum(done)
            tick(now - told)
            told = now

    def _visit(
        self, place: int, w: int, row: int, steps: int, draws: Floats, stop: Event, done: list[int]
    ) -> tuple[Floats, Floats]:
        """Let walker w draw a sample in a window: MD, another volume, its energies in all states, and along λ."""
        window = self.windows[row]
        points = self._gradients.points(window)
        walker = self._walker(place, w)
        with during(f"MD in window {window}"):
            if not self._moved_into(walker, w, window):
                walker.put(self._states[window])
            left = steps
            while left:
                count = min(self._steps_per_call, left)
                begin = time.monotonic()
                walker.run(count)
                self._pace(time.monotonic() - begin)
                left -= count
                done[place] += count
                if stop.is_set():
                    raise _Stopped
            self._barostat.attempt(walker, draws)
            # points first: the walker is left in the last state, as without them
            energies = self._beta_mol_per_kj * walker.potentials_kj_per_mol([*points, *self._states])
            at_points, u = energies[: len(points)], energies[len(points) :]
        if not np.isfinite(u[window]):
            raise NumericalError(f"potential energy in window {window} is {u[window]} kT")
        if self._hand_over:
            self._saved[w], self._inside[place] = walker.save(), None
        return u, self._gradients.of_sample(window, u, at_points)

    def _moved_into(self, walker: Walker, w: int, window: int) -> bool:
        """Move walker w into a window, unless it was propagated there last; says whether it was moved."""
        before = self._propagated_in[w]
        if before == window:
            return False
        walker.move(self._states[before], self._states[window])
        self._propagated_in[w] = window
        return True

    def _pace(self, seconds: float) -> None:
        """Choose how many steps to run in one call, so that a stop is heard within a moment."""
        if seconds < LOOK_S:
            self._steps_per_call = min(2 * self._steps_per_call, MOST_STEPS_PER_CALL)
        elif seconds > 4 * LOOK_S:
            self._steps_per_call = max(self._steps_per_call // 2, 1)

    def _all_walkers(self, replica: Ints) -> PeriodicWalkers:
        """Read all walkers as they are now."""
        positions, velocities, boxes = [], [], []
        for w, row in enumerate(np.argsort(replica)):
            walker = self._walker(w % len(self._living), w)
            moved = self._moved_into(walker, w, self.windows[row])
            positions.append(walker.positions_nm())
            velocities.append(walker.velocities_nm_per_ps())
            boxes.append(walker.box_nm())
            if moved or not self._hand_over:
                self._saved[w] = walker.save()
        sizes = np.array([len(content) for content in self._saved], dtype=np.int64)
        padded = np.zeros((len(sizes), sizes.max()), dtype=np.uint8)
        for row, content in zip(padded, self._saved, strict=True):
            row[: len(content)] = content
        return PeriodicWalkers(np.array(positions), np.array(velocities), replica, np.array(boxes), padded, sizes)
