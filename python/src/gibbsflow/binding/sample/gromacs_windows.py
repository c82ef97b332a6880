"""Windows that GROMACS samples: a run of ``mdrun`` each, side by side, with exchange between them where MPI is there.

What decides how a window goes on is GROMACS's checkpoint at the end of a segment. It is kept among our own, so a
segment that was cut off is run again from where it began, whatever ``mdrun`` has left. The noise of ``sd`` and of the
barostat are functions of seed and step: the same checkpoint gives the same samples on the same kind of machine.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.gromacs_states import check_gromacs_leg, gromacs_lambdas, pulls
from gibbsflow.binding.forcefield.topology_file import in_blocks, molecules
from gibbsflow.binding.sample.contexts import OVERLAP_U
from gibbsflow.binding.sample.exchange import round_trips
from gibbsflow.binding.sample.sampler import Samples, Walkers
from gibbsflow.config.binding import Md
from gibbsflow.engines.gromacs import parameters
from gibbsflow.engines.gromacs.dhdl_file import read_dhdl
from gibbsflow.engines.gromacs.programs import (
    GMX,
    GMX_MPI,
    MPIRUN,
    Start,
    exchange_fault,
    make_run_input,
    mpirun,
    require_gromacs,
    run_all,
)
from gibbsflow.engines.gromacs.topology import coulomb_table, g96_text, read_g96, topology_text
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.errors import EngineError, NumericalError
from gibbsflow.units import KJ_PER_KCAL, Floats, Ints, kt_kcal_per_mol
from gibbsflow.workflow.files import atomic_open
from gibbsflow.workflow.seeds import derive_seed

log = logging.getLogger(__name__)
MINIMISE_STEPS = 200
_TABLE = "table_b0.xvg"
_QUIET = ("-quiet", "-nobackup")
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

    Raises
    ------
    MissingProgramError
        Where GROMACS is not there.
    InputError
        For what GROMACS cannot do.
    """

    def __init__(
        self, leg: AlchemicalLeg, md: Md, folder: Path, windows: Sequence[int] | None = None, *, exchange: bool = True
    ) -> None:
        require_gromacs()
        check_gromacs_leg(leg.states, leg.fe.soft_core, where=f"{leg.transformation}.{leg.leg}")
        self.windows: tuple[int, ...] = tuple(range(len(leg.states)) if windows is None else windows)
        self._leg, self._md, self._folder = leg, md, folder.absolute()
        self._beta_mol_per_kj = 1 / (kt_kcal_per_mol(md.temperature_k) * KJ_PER_KCAL)
        self.no_exchange = exchange_fault(len(self.windows)) if exchange else "independent windows"
        """Why windows do not exchange their states; empty where they do."""
        prmtop = leg.folder / leg.topology
        system = create_system(prmtop, md)
        self._masses = np.array([system.getParticleMass(i)._value for i in range(system.getNumParticles())])
        self._topology = topology_text(system, in_blocks(molecules(prmtop)), leg.ligand_atoms)
        self._pulls = pulls(leg.restraint, leg.starts_nm(0)[0], leg.starts_boxes_nm(0)[0], self._masses)
        self._home: Path | None = None

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
            positions = self._minimised(positions, boxes, check)
        moving = self._masses > 0
        width = np.zeros(len(self._masses))
        width[moving] = np.sqrt(1 / (self._beta_mol_per_kj * self._masses[moving]))
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
        home = self._made(walkers, steps_per_sample, seed)
        begun = [self._ready(home, walkers, w) for w in range(len(self.windows))]
        if len(set(begun)) > 1 and not self.no_exchange:
            raise EngineError("windows that exchange stand at different steps")
        steps = samples * steps_per_sample
        common = [
            "mdrun", *_QUIET, "-s", "run.tpr", "-deffnm", "run", "-nsteps", str(steps), "-noappend", "-reprod",
            "-notunepme", "-pin", "off", "-tableb", _TABLE, "-c", "run.out.g96",
        ]  # fmt: skip
        if any(begun):
            common += ["-cpi", "run.cpt"]
        if self.no_exchange:
            self._side_by_side(home, common, tick)
        else:
            self._exchanging(home, common, steps_per_sample, seed, tick)
        tick(steps * len(self.windows))
        return self._read(home, walkers, samples, steps_per_sample)

    def mixing(self, samples: Samples) -> dict[str, Any]:
        """Tell how walkers moved between the windows.

        Parameters
        ----------
        samples
            Of one segment or of several, whole.

        Returns
        -------
        dict
            Whether windows exchanged, how often neighbours did, and round trips; empty where one is sampled alone.
        """
        count = len(self.windows)
        if count < 2:
            return {}
        table = samples.replica.reshape(-1, count)
        if (table == table[0]).all():
            return {"exchange": f"none: {self.no_exchange}" if self.no_exchange else "none was accepted"}
        # neighbours are tried in turn: each pair at every second sample
        swapped = (table[1:, :-1] == table[:-1, 1:]) & (table[1:, 1:] == table[:-1, :-1])
        tries = np.maximum(1, (len(table) - 1) / 2)
        return {
            "exchange": "neighbours, by gmx_mpi -replex",
            "exchange_acceptance": [float(rate) for rate in np.minimum(1, swapped.sum(axis=0) / tries)],
            "round_trips": round_trips(samples.replica, count),
        }

    def _parameters(self, box_nm: Floats, own: int, steps_per_sample: int, seed: int) -> dict[str, str]:
        alpha, grid = parameters.pme(self._md.cutoff_angstrom / 10, box_nm)
        found = parameters.common(self._md, alpha, grid) | parameters.dynamics(self._md, seed, steps_per_sample)
        found |= parameters.lambdas(gromacs_lambdas(self._leg.states), own)
        return found | (parameters.pulling(self._pulls, len(self._masses))[0] if self._pulls else {})

    def _made(self, walkers: GromacsWalkers, steps_per_sample: int, seed: int) -> Path:
        """Make the run inputs, or find them: named by what is in them but the seed, which is that of the first."""
        if self._home is not None:
            return self._home
        # grids by the first window's box: all windows have one Hamiltonian
        box = self._leg.starts_boxes_nm(0)[0]
        texts = [
            parameters.mdp_text(self._parameters(box, k, steps_per_sample, 0)) for k in range(len(self._leg.states))
        ]
        name = hashlib.sha256("".join([self._topology, *texts]).encode()).hexdigest()[:16]
        home = self._folder / name
        home.mkdir(parents=True, exist_ok=True)
        _write(home / "topol.top", self._topology)
        index = self._index(home)
        for w, window in enumerate(self.windows):
            place = self._place(home, window)
            place.mkdir(exist_ok=True)
            if (place / "run.tpr").exists() and (place / _TABLE).exists() and walkers.saved_bytes[w]:
                continue
            own = derive_seed(seed, "noise", window) % 2**31
            mdp = parameters.mdp_text(self._parameters(box, window, steps_per_sample, own))
            _write(place / _TABLE, coulomb_table(2 * float(np.abs(box).max())))
            frame = g96_text(walkers.positions_nm[w], walkers.box_nm[w], walkers.velocities_nm_per_ps[w])
            make_run_input(place, "run", mdp, frame, home / "topol.top", index)
        self._home = home
        return home

    def _minimised(self, positions_nm: Floats, boxes_nm: Floats, check: Callable[[], None]) -> Floats:
        """Steepest descent in each window's own state."""
        home, box = self._folder / "minimised", self._leg.starts_boxes_nm(0)[0]
        home.mkdir(parents=True, exist_ok=True)
        _write(home / "topol.top", self._topology)
        index = self._index(home)
        starts = []
        for w, window in enumerate(self.windows):
            place = self._place(home, window)
            place.mkdir(exist_ok=True)
            chosen = self._parameters(box, window, 1, 1)
            chosen |= {"integrator": "steep", "nsteps": str(MINIMISE_STEPS), "emtol": "100", "pcoupl": "no"}
            _write(place / _TABLE, coulomb_table(2 * float(np.abs(box).max())))
            make_run_input(
                place,
                "min",
                parameters.mdp_text(chosen),
                g96_text(positions_nm[w], boxes_nm[w]),
                home / "topol.top",
                index,
            )
            words = (GMX, "mdrun", *_QUIET, "-s", "min.tpr", "-deffnm", "min", "-tableb", _TABLE, "-c", "min.out.g96")
            starts.append(Start((*words, "-ntmpi", "1", "-ntomp", "1"), place, f"start of window {window}"))
        run_all(starts, min(self._md.threads, len(starts)), check)
        found = [read_g96((self._place(home, k) / "min.out.g96").read_text())["positions_nm"] for k in self.windows]
        return np.array(found)

    def _index(self, home: Path) -> Path | None:
        if not self._pulls:
            return None
        index = home / "index.ndx"
        _write(index, parameters.pulling(self._pulls, len(self._masses))[1])
        return index

    @staticmethod
    def _place(home: Path, window: int) -> Path:
        return home / f"window_{window:02d}"

    def _ready(self, home: Path, walkers: GromacsWalkers, w: int) -> bool:
        """Leave nothing in a window's folder but its inputs and the checkpoint; whether there is one."""
        place = self._place(home, self.windows[w])
        for left in (*place.glob("run.part*"), *place.glob("run*.cpt"), *place.glob("run.out.part*.g96")):
            left.unlink()
        if size := int(walkers.saved_bytes[w]):
            (place / "run.cpt").write_bytes(walkers.saved[w][:size].tobytes())
        return bool(size)

    def _side_by_side(self, home: Path, words: Sequence[str], tick: Callable[[int], None]) -> None:
        threads = max(1, self._md.threads // len(self.windows))
        starts = [
            Start((GMX, *words, "-ntmpi", "1", "-ntomp", str(threads)), self._place(home, k), f"window {k}")
            for k in self.windows
        ]
        run_all(starts, min(self._md.threads, len(starts)), lambda: tick(0), threads)

    def _exchanging(
        self, home: Path, words: Sequence[str], interval: int, seed: int, tick: Callable[[int], None]
    ) -> None:
        count = len(self.windows)
        threads = max(1, self._md.threads // count)
        together = (
            mpirun() or MPIRUN, "-np", str(count), "--oversubscribe", "--bind-to", "none", GMX_MPI, *words,
            "-multidir", *(self._place(home, k).name for k in self.windows),
            "-replex", str(interval), "-reseed", str(derive_seed(seed, "exchange") % 2**31), "-ntomp", str(threads),
        )  # fmt: skip
        run_all([Start(together, home, "windows that exchange")], 1, lambda: tick(0), threads)

    def _read(
        self, home: Path, before: GromacsWalkers, samples: int, steps_per_sample: int
    ) -> tuple[GromacsWalkers, Samples]:
        sample_ps = steps_per_sample * self._md.timestep_fs / 1000
        orders = self._orders(home, before.replica, samples)
        energies, frames, saved = [], [], []
        for w, window in enumerate(self.windows):
            place = self._place(home, window)
            wanted = before.time_ps[w] + sample_ps * np.arange(1, samples + 1)
            energies.append(self._energies(_only(place, "run.part*.xvg"), window, wanted))
            frames.append(read_g96(_only(place, "run.out.part*.g96").read_text()))
            saved.append((place / "run.cpt").read_bytes())
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
        u = np.stack(energies, axis=1)  # (samples, W, K)
        column = np.tile(np.array(self.windows, dtype=np.int32), samples)
        return after, Samples(column, orders[:-1].reshape(-1), u.reshape(-1, u.shape[-1]))

    def _energies(self, path: Path, window: int, wanted_ps: Floats) -> Floats:
        """Reduced potentials of the samples of a window, shape (n, K)."""
        file = read_dhdl(path)
        times = file.table[:, 0]
        rows = np.searchsorted(times, wanted_ps - _SAME_TIME_PS)
        if rows[-1] >= len(times) or np.abs(times[rows] - wanted_ps).max() > _SAME_TIME_PS:
            raise EngineError(f"window {window}: {path} lacks samples: the run ended before its last step")
        (potential,) = file.header.columns("Potential Energy")
        u = self._beta_mol_per_kj * (file.table[rows][:, file.header.foreign] + file.table[rows][:, [potential]])
        if not np.isfinite(u[:, window]).all():
            raise NumericalError(f"potential energy in window {window} is no number")
        return np.nan_to_num(u, nan=OVERLAP_U, posinf=OVERLAP_U, neginf=OVERLAP_U).clip(max=OVERLAP_U)

    def _orders(self, home: Path, replica: Ints, samples: int) -> Ints:
        """Walker in each window at each sample, and after the last one, shape (n + 1, W)."""
        if self.no_exchange:
            return np.tile(replica, (samples + 1, 1))
        text = _only(self._place(home, self.windows[0]), "run.part*.log").read_text(errors="replace")
        return exchange_orders(text, replica, samples)


def exchange_orders(text: str, replica: Ints, samples: int) -> Ints:
    """Follow walkers through the exchanges that a log tells of.

    Parameters
    ----------
    text
        Log of ``mdrun -replex``: ``Repl ex  0 x  1    2    3`` after each interval, an x between those that swapped.
    replica
        Walker in each window at first, shape (W,).
    samples
        Samples drawn: the first exchange comes after the first of them.

    Returns
    -------
    ndarray
        Walker in each window at each sample, and after the last one, shape (n + 1, W).
    """
    rows = [replica.copy()]
    for line in re.findall(r"^Repl ex +(\d.*)$", text, re.MULTILINE):
        order = rows[-1].copy()
        words = line.split()
        for place, word in enumerate(words):
            if word == "x":
                a, b = int(words[place - 1]), int(words[place + 1])
                order[[a, b]] = order[[b, a]]
        rows.append(order)
    rows += [rows[-1]] * (samples + 1 - len(rows))
    return np.array(rows[: samples + 1], dtype=np.int32)


def _write(path: Path, text: str) -> None:
    with atomic_open(path, "w") as file:
        file.write(text)


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise EngineError(f"{folder}: {len(found)} files {pattern} where one should be")
    return found[0]
