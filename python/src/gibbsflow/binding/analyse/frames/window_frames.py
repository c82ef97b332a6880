"""Frames of a trajectory by the atoms of their topology, whatever was kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gibbsflow.binding.equilibrate.xtc_file import read_frames_nm
from gibbsflow.binding.sample.kept_frames import ABOUT, trajectory_file
from gibbsflow.binding.sample.sampling import window_file
from gibbsflow.errors import StateError
from gibbsflow.units import Floats, Ints
from gibbsflow.workflow.files import as_written, read_json
from gibbsflow.workflow.result import FILE_NAME as RESULT


@dataclass(frozen=True)
class Frames:
    """Frames of one trajectory, as far as they are looked at.

    Attributes
    ----------
    atoms
        By their indices in the topology, ascending, shape (n,).
    positions_nm
        Of these atoms, shape (F, n, 3), nm.
    oxygens_nm
        Of waters, which may be others from frame to frame, shape (F, m, 3), nm; m is 0 without.
    time_ps
        Shape (F,), ps.
    """

    atoms: Ints
    positions_nm: npt.NDArray[np.floating]
    oxygens_nm: npt.NDArray[np.floating]
    time_ps: Floats

    def __len__(self) -> int:
        return len(self.time_ps)

    def angstrom(self, atoms: Sequence[int] | Ints) -> Floats:
        """Take atoms.

        Parameters
        ----------
        atoms
            Of those that are there, by their indices in the topology, in any order.

        Returns
        -------
        ndarray
            Shape (F, atoms, 3), Å.
        """
        return self.positions_nm[:, np.searchsorted(self.atoms, atoms)].astype(np.float64) * 10

    def spread(self, most: int) -> Frames:
        """Take some of many.

        Parameters
        ----------
        most
            How many at most.

        Returns
        -------
        Frames
            The first, the last, and some evenly spread between them.
        """
        at = evenly(len(self), most)
        return Frames(self.atoms, self.positions_nm[at], self.oxygens_nm[at], self.time_ps[at])


def evenly(count: int, most: int) -> Ints:
    """Choose some of many.

    Parameters
    ----------
    count
        How many there are.
    most
        How many are wanted at most.

    Returns
    -------
    ndarray
        Places of the first, of the last and of some between them.
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int32))


def kept_any(run: Path) -> bool:
    """Say whether a run kept frames, whatever has become of them.

    Parameters
    ----------
    run
        Output of ``fe run``.

    Returns
    -------
    bool
        By what is there of them, or by its ``result.json``.

    Raises
    ------
    StateError
        For one that cannot be read.
    """
    if (run / ABOUT).exists() or any(run.glob("trajectory_*.xtc")):
        return True
    result = run / RESULT
    with as_written(result, "`fe run`"):
        return result.exists() and bool(read_json(result).get("trajectory_frames"))


def frames_of(runs: Sequence[Path], window: int, atoms: Sequence[int] | Ints) -> Frames | None:
    """Read the frames that were kept of a window.

    Parameters
    ----------
    runs
        Those of one leg and replicate that kept frames; that counts which has the window, the last one of several.
    window
        Index of its state.
    atoms
        Those that are wanted, by their indices in the leg.

    Returns
    -------
    Frames or None
        None where the window was not sampled (yet).

    Raises
    ------
    StateError
        Where frames are missing or damaged, or not those that the run tells of.
    """
    name = trajectory_file(window)
    of = [run for run in runs if (run / name).exists() or (run / window_file(window)).exists()]
    return _read(of[-1] / name, of[-1] / ABOUT, np.unique(np.asarray(atoms, dtype=np.int32))) if of else None


def _read(file: Path, about: Path, atoms: Ints) -> Frames:
    content = read_json(about)
    with as_written(about, "`fe run`"):
        kept, oxygens = content["atoms"], np.array(content["water_oxygens"], dtype=np.int32).ravel()
        if (kept is not None and kept != sorted(kept)) or (oxygens < 0).any():
            raise ValueError("atoms out of order, or before the first")
        at = atoms if kept is None else np.searchsorted(np.array(kept, dtype=np.int32), atoms)
        if kept is not None and not np.isin(atoms, kept).all():
            raise ValueError("it lacks atoms of the ligands or the receptor")
        # of runs before these were told, not known
        of, frames = (None if content.get(key) is None else int(content[key]) for key in ("frame_atoms", "frames"))
    positions, time_ps = read_frames_nm(file, [*at, *oxygens], of)
    if frames not in (None, len(time_ps)):
        raise StateError(f"{file}: {len(time_ps)} frames; right: {frames}, as {about.name} says")
    return Frames(atoms, positions[:, : len(at)], positions[:, len(at) :], time_ps)
