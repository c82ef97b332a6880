"""Trajectories of a leg's windows: a frame at the ends of segments, which a run saves anyway.

Nothing is asked of the sampler but its walkers, so that samples are those of a run that keeps no frames, and an
interrupted run has the frames of one in one go. Of each segment that gives frames the state folder holds one file.
"""

from __future__ import annotations

import csv
import logging
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import numpy as np

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg
from gibbsflow.binding.equilibrate.frame_files import Selection, thinned, write_pdb
from gibbsflow.binding.equilibrate.xtc_file import XtcFile
from gibbsflow.binding.sample.sampler import Walkers
from gibbsflow.workflow.files import atomic_open, write_json

log = logging.getLogger(__name__)
PDB, FRAMES, ABOUT = "trajectory.pdb", "trajectory.csv", "trajectory.json"


def trajectory_file(window: int) -> str:
    """Name the trajectory of a window.

    Parameters
    ----------
    window
        Index of its state.

    Returns
    -------
    str
        Without folder.
    """
    return f"trajectory_{window:02d}.xtc"


class KeptFrames:
    """Frames of the windows that one run samples.

    Parameters
    ----------
    leg
        The leg; its settings say what is kept.
    state
        Folder of its state.
    windows
        States that are sampled, in order.
    """

    def __init__(self, leg: AlchemicalLeg, state: Path, windows: Sequence[int]) -> None:
        self._leg, self._state, self._windows = leg, Path(state), tuple(windows)
        self.wanted = leg.md.trajectory != "none"

    @cached_property
    def selection(self) -> Selection:
        """Atoms that are kept.

        Returns
        -------
        Selection
            By the leg's settings.
        """
        leg, kind = self._leg, self._leg.md.trajectory
        assert kind != "none"
        if isinstance(leg, HybridLeg):
            parts = leg.pieces if leg.periodic else None
            return Selection.of_topology(leg.all_atoms, parts, leg.receptor_atoms, leg.ligand_atoms, kind)
        return Selection.read(leg.folder / leg.topology, leg.receptor_atoms, leg.ligand_atoms, kind)

    @cached_property
    def every(self) -> int:
        """Segments from one frame to the next.

        Returns
        -------
        int
            As many as make up ``trajectory_ps``, as far as the frames are not too large (:func:`.thinned`).
        """
        plan = self._leg.sampling
        wanted = round(self._leg.md.trajectory_ps / (plan.samples_per_segment * plan.sample_ps))
        return thinned(wanted, plan.segments, self.selection.atoms * 12 * len(self._leg.states))

    @property
    def frame_ps(self) -> float:
        """Time between frames.

        Returns
        -------
        float
            A whole number of segments, ps.
        """
        plan = self._leg.sampling
        return self.every * plan.samples_per_segment * plan.sample_ps

    def time_ps(self, segment: int) -> float:
        """Say when a segment ends, as the samples' times are counted: from the end of what is discarded.

        Parameters
        ----------
        segment
            Its number, from 0.

        Returns
        -------
        float
            Zero or less while samples are discarded, ps.
        """
        plan = self._leg.sampling
        return (plan.samples_after(segment + 1) - plan.discarded) * plan.sample_ps

    def keep(self, segment: int, walkers: Walkers) -> None:
        """Keep a frame of each window, where it is time for one.

        Parameters
        ----------
        segment
            The segment that has ended.
        walkers
            Where it ended.
        """
        if not self.wanted or self.time_ps(segment) <= 0 or (segment + 1) % self.every:
            return
        positions, boxes = walkers.in_windows()
        box_of = [None] * len(positions) if boxes is None else list(boxes)
        frames = [self.selection.of(frame, box) for frame, box in zip(positions, box_of, strict=True)]
        with atomic_open(self._file(segment)) as file:
            np.savez(
                file,
                positions_nm=np.array(frames, dtype=np.float32),
                box_nm=np.zeros((0, 3, 3)) if boxes is None else boxes,
                replica=walkers.replica,
                kind=np.array(self.selection.kind),
            )

    def write(self, out: Path, segments: int) -> int:
        """Write the trajectory of each window, with the topology and what its frames are.

        Parameters
        ----------
        out
            Folder to write into.
        segments
            Segments done; frames of later ones are of a segment that was given up.

        Returns
        -------
        int
            Frames of each window.
        """
        for window in self._windows:
            (out / trajectory_file(window)).unlink(missing_ok=True)
        if not self.wanted:
            return 0
        numbers = [n for n in range(segments) if self.time_ps(n) > 0 and not (n + 1) % self.every]
        files: list[XtcFile] = []
        rows: list[list[str]] = []
        topology = self.selection.part()
        for number in numbers:
            kept = self._read(number)
            if kept is None:
                continue
            positions, boxes, replica = kept
            if not files:
                files = [XtcFile(out / trajectory_file(window)) for window in self._windows]
                write_pdb(out / PDB, topology, positions[0])
            for place, window in enumerate(self._windows):
                files[place].add(self.time_ps(number), positions[place], boxes[place] if len(boxes) else None)
                rows.append([f"{self.time_ps(number):.6g}", str(window), str(replica[place])])
        for file in files:
            file.close()
        if not files:
            return 0
        if len(self._windows) > 1:  # by itself a window keeps its walker
            with atomic_open(out / FRAMES, "w") as table:
                writer = csv.writer(table, lineterminator="\n")
                writer.writerows([["time_ps", "window", "replica"], *rows])
        chosen = self.selection
        about = {
            "kind": chosen.kind,
            "frame_ps": self.frame_ps,
            "atoms": None if chosen.kind == "all" else chosen.solute.tolist(),
            "water_oxygens": chosen.oxygens.tolist(),
            "frame_atoms": chosen.atoms,
            "frames": len(rows) // len(self._windows),
        }
        write_json(out / ABOUT, about)
        return len(rows) // len(self._windows)

    def _file(self, segment: int) -> Path:
        return self._state / f"frames-{segment:05d}.npz"

    def _read(self, segment: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Frames at the end of a segment; None where none were kept, or of other atoms."""
        path = self._file(segment)
        with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            with np.load(path, allow_pickle=False) as file:
                shape = (len(self._windows), self.selection.atoms, 3)
                if str(file["kind"]) == self.selection.kind and file["positions_nm"].shape == shape:
                    return file["positions_nm"], file["box_nm"], file["replica"]
        log.info("%s: no frames of these atoms were kept of this segment", path)
        return None
