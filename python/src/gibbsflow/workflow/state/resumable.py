"""A calculation that can be killed at any moment: a state folder with sentinels, checkpoints and outputs."""

from __future__ import annotations

import logging
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.workflow.files import atomic_open, read_json, write_json
from gibbsflow.workflow.hours.pace import LOST, PROGRESS, Held, Pace, seconds_of
from gibbsflow.workflow.state import sentinels
from gibbsflow.workflow.state.checkpoints import Checkpoint, RollingCheckpoints
from gibbsflow.workflow.state.segments import Stopper, run_segments
from gibbsflow.workflow.state.state_folder import StateFolder

log = logging.getLogger(__name__)
Arrays = Mapping[str, npt.NDArray[Any]]

_WHERE_CHECKPOINTS_ARE_GONE = (
    "What has finished stands as it is; `gibbsflow clean --checkpoints` gives up sampling it longer (.cleaned.json of "
    "the campaign tells what it removed)."
)


class ResumableRun(StateFolder):
    """A calculation in segments, in a state folder that is held while this is open as a context manager.

    Parameters
    ----------
    folder
        State folder.
    held
        Cores and GPUs that its engine holds.
    **given
        As :class:`.StateFolder` takes them.
    """

    def __init__(self, folder: Path, *, held: Held = Held(), **given: Any) -> None:
        super().__init__(folder, **given)
        self._pace = Pace(held)

    @property
    def engine_s(self) -> float:
        """Time that the engine has taken in segments that are done.

        Returns
        -------
        float
            Wall-clock seconds, of all attempts that went on from one another.
        """
        return self._pace.engine_s

    def advance(
        self,
        total: int,
        start: Callable[[], Arrays],
        segment: Callable[[int, Arrays], tuple[Arrays, Arrays]],
        stopper: Stopper,
        *,
        steps: Callable[[int], int],
    ) -> None:
        """Run what is left of all segments, then leave FINISHED; at once where it stands for as many already.

        Parameters
        ----------
        total
            Number of segments.
        start
            Makes the arrays that segment 0 starts from.
        segment
            Takes its number and the arrays of the one before; returns its last arrays and its outputs.
        stopper
            Decides when to stop.
        steps
            MD steps (or iterations) done after so many segments, for the records.

        Raises
        ------
        StoppedEarly
            With state saved.
        StateError
            For checkpoints that are there and cannot be read.
        InputError
            For more than has finished, where its last checkpoint is gone.
        """
        checkpoints = RollingCheckpoints(self.folder)
        point = checkpoints.load(self.inputs_hash)
        if point is not None:
            self.segments_done = point.segment
        self._pace = Pace(self._pace.held, {**(point.meta if point is not None else {}), **self._lost()})
        finished = self.finished
        if finished is not None and finished.steps_done >= steps(total):
            if point is None:  # `gibbsflow clean --checkpoints` gives up those of what has finished
                self.segments_done = total
            elif not (self.folder / PROGRESS).exists():  # which `clean-failures` has removed: hours stand in it
                self._write_progress(total, steps)
            return
        if finished is not None and point is None and self._output(0).exists():
            raise self._gone()
        for number in range(self.segments_done or 0):  # now, not after days at the rest
            if not zipfile.is_zipfile(self._output(number)):
                raise StateError(f"{self._output(number)}: missing or damaged")
        arrays = point.arrays if point is not None else None

        def _run(number: int) -> None:
            nonlocal arrays
            begin = time.monotonic()
            try:
                arrays, outputs = segment(number, start() if arrays is None else arrays)
            except BaseException:  # a signal or a failure: nothing of the segment is kept but what it took
                self._pace.lose(time.monotonic() - begin)
                try:
                    self._write_progress(total, steps)
                except OSError as full:
                    log.error("%s: what this attempt took could not be written down (%s)", self.folder, full)
                raise
            self._pace.add(steps(number + 1) - steps(number), time.monotonic() - begin)
            with atomic_open(self._output(number)) as file:
                np.savez(file, **outputs)  # type: ignore[arg-type]
            checkpoints.save(Checkpoint(self.inputs_hash, number + 1, arrays, self._pace.saved()))
            self.segments_done = number + 1
            self._write_progress(total, steps)

        self._write_progress(total, steps)
        run_segments(self.segments_done, total, _run, stopper)
        sentinels.Sentinel("FINISHED", self.inputs_hash, steps_done=steps(total), settings=self.settings).write(
            self.folder
        )

    def last_arrays(self) -> Arrays:
        """Read the arrays at the end of the last segment done.

        Returns
        -------
        Mapping
            Arrays by name, units in the names.

        Raises
        ------
        StateError
            Where there is no checkpoint.
        """
        point = RollingCheckpoints(self.folder).load(self.inputs_hash)
        if point is None:
            raise StateError(f"{self.folder}: no checkpoint")
        return point.arrays

    def arrays_to_go_on_from(self) -> Arrays:
        """Read the same for more than was asked for at first, which the care of a campaign may have given up.

        Returns
        -------
        Mapping
            Arrays by name, units in the names.

        Raises
        ------
        InputError
            Where there is no checkpoint: what has finished is not begun anew for that.
        StateError
            Where none can be read.
        """
        point = RollingCheckpoints(self.folder).load(self.inputs_hash)
        if point is None:
            raise self._gone()
        return point.arrays

    def _gone(self) -> InputError:
        what = "its last checkpoint is gone, so that nothing can go on from there"
        problem = Problem(str(self.folder), what, "as long as it is, or prepared anew with a longer window_ps")
        error = InputError(problem, what_to_do=_WHERE_CHECKPOINTS_ARE_GONE)
        error.of_item = False  # FAILED would take the place of FINISHED, which stands for what there is
        return error

    def outputs(self, segments: int | None = None) -> dict[str, npt.NDArray[Any]]:
        """Join the outputs of segments along the first axis.

        Parameters
        ----------
        segments
            How many of them, from the first; None for all that are done.

        Returns
        -------
        dict
            Arrays by name, those that all these segments have; empty before the first one.

        Raises
        ------
        StateError
            Where a segment's file is missing or damaged.
        """
        parts: list[dict[str, npt.NDArray[Any]]] = []
        for number in range(self.segments_done if segments is None else segments):
            path = self._output(number)
            try:
                with np.load(path, allow_pickle=False) as file:
                    parts.append({name: file[name] for name in file.files})
            except (OSError, ValueError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
                raise StateError(f"{path}: missing or damaged ({error})") from error
        shared = [name for name in parts[0] if all(name in part for part in parts)] if parts else []
        return {name: np.concatenate([part[name] for part in parts]) for name in shared}

    def _lost(self) -> dict[str, float]:
        """What stretches took that ended before their checkpoint; before the first one only the progress file says."""
        path = self.folder / PROGRESS
        try:
            content = read_json(path) if path.exists() else {}
            return {name: seconds_of(content, name, path) for name in LOST if name in content}
        except (StateError, TypeError) as error:
            log.warning("%s: hours of what was cut off are not counted", error)
            return {}

    def _output(self, number: int) -> Path:
        return self.folder / f"segment-{number:05d}.npz"

    def _write_progress(self, total: int, steps: Callable[[int], int]) -> None:
        content = {
            "segments_done": self.segments_done,
            "segments": total,
            "steps_done": steps(self.segments_done),
            "steps": steps(total),
            "attempt": self.attempt,
        }
        write_json(self.folder / PROGRESS, content | self._pace.told())
