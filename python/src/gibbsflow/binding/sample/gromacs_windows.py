"""Windows that GROMACS samples: a run of ``mdrun`` each, side by side, with exchange between them where MPI is there.

What decides how a window goes on is GROMACS's checkpoint at the end of a segment. It is kept among our own, so a
segment that was cut off is run again from where it began, whatever ``mdrun`` has left. The noise of ``sd`` and of the
barostat are functions of seed and step: the same checkpoint gives the same samples on the same kind of machine.

Windows exchange by many random swaps after each sample, K³ for K of them: close to a draw from all permutations, as
walkers have it (Chodera, Shirts, J. Chem. Phys. 135, 194110 (2011)), where swaps of neighbours alone take K² rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.gromacs_states import check_gromacs_leg, gromacs_slopes
from gibbsflow.binding.sample.contexts import OVERLAP_U
from gibbsflow.binding.sample.exchange import acceptance, round_trips
from gibbsflow.binding.sample.gradient.lambda_gradients import changing
from gibbsflow.binding.sample.gromacs.leg_inputs import QUIET, TABLE, LegInputs
from gibbsflow.binding.sample.sampler import Samples, Walkers
from gibbsflow.config.binding import Md
from gibbsflow.engines.gromacs.dhdl_file import Header
from gibbsflow.engines.gromacs.mdrun_segments import WindowRun, exchange_orders, prepare_together
from gibbsflow.engines.gromacs.programs import (
    GMX,
    GMX_MPI,
    MPIRUN,
    Start,
    exchange_fault,
    mpirun,
    require_gromacs,
    run_all,
)
from gibbsflow.errors import EngineError, NumericalError, StoppedEarly
from gibbsflow.units import KJ_PER_KCAL, Floats, kt_kcal_per_mol
from gibbsflow.workflow.files import disk_blamed_first
from gibbsflow.workflow.seeds import derive_seed

_MDRUN = (
    "mdrun", *QUIET, "-s", "run.tpr", "-deffnm", "run", "-noappend", "-reprod", "-notunepme", "-pin", "off",
    "-tableb", TABLE, "-c", "run.out.g96",
)  # fmt: skip
_SAME_TIME_PS = 1e-3


@dataclass(frozen=True)
class GromacsWalkers(Walkers):
    """Configurations at the end of a segment, in the windows' order; with exchange ``replica`` says whose they are.

    Attributes
    ----------
    box_nm
        Periodic box of each, shape (W, 3, 3), nm.
    saved
        GROMACS's checkpoint of each: bytes, filled up with zeros, shape (W, B).
    saved_bytes
        How many of them count, shape (W,); 0 before the first segment.
    time_ps
        Time that each has been run for, shape (W,), ps.
    """

    box_nm: Floats
    saved: npt.NDArray[np.uint8]
    saved_bytes: npt.NDArray[np.int64]
    time_ps: Floats

    def in_windows(self) -> tuple[Floats, Floats | None]:
        """Give the configurations as they stand in the windows.

        Returns
        -------
        positions
            Shape (W, N, 3), nm; GROMACS moves coordinates between windows.
        boxes
            Periodic box of each, shape (W, 3, 3), nm.
        """
        return self.positions_nm, self.box_nm


class GromacsSampler:
    """Samples windows of a leg in a box by GROMACS.

    Parameters
    ----------
    leg
        The leg.
    md
        Settings of this attempt.
    folder
        Where GROMACS works; what is in it can be made again.
    windows
        The states to sample; default: all.
    exchange
        Whether windows are to exchange their states.
    left_s
        Tells what is left of the task's time budget, s; None without a limit.

    Raises
    ------
    MissingProgramError
        Where GROMACS is not there.
    InputError
        For what GROMACS cannot do.
    """

    def __init__(
        self,
        leg: AlchemicalLeg,
        md: Md,
        folder: Path,
        windows: Sequence[int] | None = None,
        *,
        exchange: bool = True,
        left_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        require_gromacs()
        check_gromacs_leg(leg.states, leg.fe.soft_core, where=f"{leg.transformation}.{leg.leg}")
        self.windows: tuple[int, ...] = tuple(range(len(leg.states)) if windows is None else windows)
        self._md, self._left_s, self._states = md, left_s, leg.states
        self._inputs = LegInputs(leg, md, folder, self.windows)
        self._beta_mol_per_kj = 1 / (kt_kcal_per_mol(md.temperature_k) * KJ_PER_KCAL)
        self.no_exchange = exchange_fault(len(self.windows)) if exchange else "independent windows"
        """Why windows do not exchange their states; empty where they do."""

    def walkers(self, arrays: Mapping[str, npt.NDArray[Any]]) -> GromacsWalkers:
        """Read walkers as a checkpoint holds them.

        Parameters
        ----------
        arrays
            From ``as_arrays``.

        Returns
        -------
        GromacsWalkers
            The same.
        """
        return GromacsWalkers(**arrays)

    def start(
        self, starts_nm: Floats, relax: bool, seed: int, check: Callable[[], None], boxes_nm: Floats | None = None
    ) -> GromacsWalkers:
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
        GromacsWalkers
            One in each window, without a checkpoint of GROMACS's yet.
        """
        if boxes_nm is None:
            raise ValueError("a periodic leg starts from frames with boxes")
        chosen = list(self.windows)
        positions, boxes = starts_nm[chosen], boxes_nm[chosen]
        if relax:
            positions = self._inputs.minimised(positions, boxes, check)
        masses = self._inputs.atoms.masses_amu
        width, moving = np.zeros(len(masses)), masses > 0
        width[moving] = np.sqrt(1 / (self._beta_mol_per_kj * masses[moving]))
        draw = [np.random.default_rng(derive_seed(seed, "velocities", k)) for k in chosen]
        velocities = np.array([width[:, None] * one.standard_normal(positions.shape[1:]) for one in draw])
        count = len(chosen)
        return GromacsWalkers(
            positions, velocities, np.array(chosen, dtype=np.int32), boxes,
            np.zeros((count, 0), dtype=np.uint8), np.zeros(count, dtype=np.int64), np.zeros(count),
        )  # fmt: skip

    def segment(
        self, walkers: Walkers, samples: int, steps_per_sample: int, seed: int, tick: Callable[[int], None]
    ) -> tuple[GromacsWalkers, Samples]:
        """Draw a number of samples in each window.

        Parameters
        ----------
        walkers
            Where the segment before ended.
        samples
            To draw in each window.
        steps_per_sample
            MD steps before each, and between exchanges.
        seed
            Of the segment.
        tick
            Called with the MD steps done since the last call, often; may raise StoppedEarly.

        Returns
        -------
        walkers
            Where this segment ends.
        samples
            What it has drawn, each with its reduced potential in all K states, the term pV left out.
        """
        assert isinstance(walkers, GromacsWalkers)
        steps = samples * steps_per_sample
        places = self._inputs.places(
            lambda w: self._inputs.atoms.frame(
                walkers.positions_nm[w], walkers.box_nm[w], walkers.velocities_nm_per_ps[w]
            ),
            [bool(size) for size in walkers.saved_bytes],
            steps_per_sample,
            seed,
        )
        runs = [
            WindowRun(
                places[w],
                walkers.saved[w][: int(walkers.saved_bytes[w])].tobytes(),
                round(walkers.time_ps[w] * 1000 / self._md.timestep_fs),
                steps,
                seed,
            )
            for w in range(len(self.windows))
        ]
        with disk_blamed_first(places[0].parent):
            if self.no_exchange:
                self._side_by_side(runs, tick)
            else:
                self._exchanging(runs, steps_per_sample, seed, tick)
            done = [run.steps_done() for run in runs]
            if min(done) < steps:
                for run in runs:
                    run.keep()
                share = sum(done) / (steps * len(runs))
                raise StoppedEarly(f"time budget used up; {share:.0%} of a segment is kept to be gone on with")
            tick(steps * len(runs))
            return self._read(runs, walkers, samples, steps_per_sample)

    def mixing(self, samples: Samples) -> dict[str, Any]:
        """Tell how walkers moved between the windows.

        Parameters
        ----------
        samples
            Of one segment or of several, whole.

        Returns
        -------
        dict
            Whether windows exchange, mean acceptance of each pair of neighbours, and round trips; empty where one is
            sampled alone.
        """
        count = len(self.windows)
        if count < 2:
            return {}
        if self.no_exchange:
            return {"exchange": f"none: {self.no_exchange}"}
        return {
            "exchange": "of all pairs, by gmx_mpi -replex -nex",
            "exchange_acceptance": acceptance(samples.u, samples.window, count),
            "round_trips": round_trips(samples.replica, count),
        }

    def _side_by_side(self, runs: Sequence[WindowRun], tick: Callable[[int], None]) -> None:
        threads = max(1, self._md.threads // len(self.windows))
        done = [run.prepare() for run in runs]
        starts = [
            Start(
                (GMX, *_MDRUN, *run.words(steps), "-ntmpi", "1", "-ntomp", str(threads)), run.place, f"window {window}"
            )
            for window, run, steps in zip(self.windows, runs, done, strict=True)
            if steps < run.steps
        ]
        run_all(starts, max(1, min(self._md.threads, len(starts))), lambda: tick(0), threads, self._left_s)

    def _exchanging(self, runs: Sequence[WindowRun], interval: int, seed: int, tick: Callable[[int], None]) -> None:
        count, done = len(self.windows), prepare_together(runs)
        swaps = count**3 | 1  # of two windows that take every swap, an even number leaves each where it was
        threads = max(1, self._md.threads // count)
        together = (
            mpirun() or MPIRUN, "-np", str(count), "--oversubscribe", "--bind-to", "none",
            GMX_MPI, *_MDRUN, *runs[0].words(done), "-multidir", *(run.place.name for run in runs),
            "-replex", str(interval), "-nex", str(swaps), "-reseed", str(derive_seed(seed, "exchange") % 2**31),
            "-ntomp", str(threads),
        )  # fmt: skip
        start = Start(together, runs[0].place.parent, "windows that exchange")
        run_all([start], 1, lambda: tick(0), threads, self._left_s)

    def _read(
        self, runs: Sequence[WindowRun], before: GromacsWalkers, samples: int, steps_per_sample: int
    ) -> tuple[GromacsWalkers, Samples]:
        sample_ps = steps_per_sample * self._md.timestep_fs / 1000
        if self.no_exchange:
            orders = np.tile(before.replica, (samples + 1, 1))
        else:
            orders = exchange_orders(runs[0].log_text(), before.replica, samples, runs[0].first_step, steps_per_sample)
        energies = [
            self._energies(run, window, before.time_ps[w] + sample_ps * np.arange(1, samples + 1))
            for w, (window, run) in enumerate(zip(self.windows, runs, strict=True))
        ]
        frames = [self._inputs.atoms.read(run.last_frame()) for run in runs]
        saved = [run.checkpoint() for run in runs]
        padded = np.zeros((len(saved), max(map(len, saved))), dtype=np.uint8)
        for row, content in zip(padded, saved, strict=True):
            row[: len(content)] = np.frombuffer(content, dtype=np.uint8)
        after = GromacsWalkers(
            np.array([frame["positions_nm"] for frame in frames]),
            np.array([frame["velocities_nm_per_ps"] for frame in frames]),
            orders[-1],
            np.array([frame["box_nm"] for frame in frames]),
            padded,
            np.array([len(content) for content in saved], dtype=np.int64),
            before.time_ps + samples * sample_ps,
        )
        u, along = (np.stack(values, axis=1) for values in zip(*energies, strict=True))  # (samples, W, K), (..., L)
        column = np.tile(np.array(self.windows, dtype=np.int32), samples)
        drawn = u.reshape(-1, u.shape[-1]), along.reshape(-1, along.shape[-1])
        return after, Samples(column, orders[:-1].reshape(-1), *drawn)

    def _energies(self, run: WindowRun, window: int, wanted_ps: Floats) -> tuple[Floats, Floats]:
        """Reduced potentials of the samples of a window, shape (n, K), and their derivatives, shape (n, L)."""
        files = run.energies()
        table = np.concatenate([file.table for file in files])
        rows = np.searchsorted(table[:, 0], wanted_ps - _SAME_TIME_PS)
        if rows[-1] >= len(table) or np.abs(table[rows, 0] - wanted_ps).max() > _SAME_TIME_PS:
            raise EngineError(f"window {window}: {run.place} lacks samples: the run ended before its last step")
        header, table = files[0].header, self._beta_mol_per_kj * table[rows]
        (potential,) = header.columns("Potential Energy")
        u = table[:, header.foreign] + table[:, [potential]]
        if not np.isfinite(u[:, window]).all():
            raise NumericalError(f"potential energy in window {window} is no number")
        u = np.nan_to_num(u, nan=OVERLAP_U, posinf=OVERLAP_U, neginf=OVERLAP_U).clip(max=OVERLAP_U)
        return u, self._gradients(window, header, table)

    def _gradients(self, window: int, header: Header, table: Floats) -> Floats:
        """Derivatives along the λ of the window's state that change beside it, from those by GROMACS's kinds."""
        of_kind = dict(zip((name.split("-")[0] for name in header.names), header.gradients, strict=False))
        slopes = gromacs_slopes(self._states[window])
        beside = changing([state.as_dict() for state in self._states], window)
        found = np.full((len(table), len(slopes)), np.nan)
        for place, (name, kinds) in enumerate(slopes.items()):
            if name in beside:
                found[:, place] = sum(slope * table[:, of_kind[kind]] for kind, slope in kinds.items())
        return found
