"""A calculation that can be killed at any moment: lock, sentinels, checkpoints and outputs of one state folder."""

from __future__ import annotations

import logging
import time
import zipfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gibbsflow.errors import GibbsflowError, ScienceError, StateError, StoppedEarly, StorageError
from gibbsflow.workflow import sentinels
from gibbsflow.workflow.checkpoints import Checkpoint, RollingCheckpoints
from gibbsflow.workflow.files import atomic_open, inputs_hash, read_json, sha256_path, write_json
from gibbsflow.workflow.locks import folder_lock
from gibbsflow.workflow.segments import Stopper, run_segments

log = logging.getLogger(__name__)
Arrays = Mapping[str, npt.NDArray[Any]]

INPUTS = "inputs.json"
PROGRESS = "progress.json"
ATTEMPTS = "attempts.json"
_KEPT = (".lock",)


class ResumableRun:
    """One state folder, held while this is open as a context manager.

    What was made from other inputs is moved into ``superseded-NNN`` with the change named in the log, never deleted.
    After a failure the next run counts as another attempt, so that it can take other random numbers than the one that
    failed; an interruption is no attempt.

    Parameters
    ----------
    folder
        State folder.
    files
        Input files by role.
    settings
        Settings that change results.
    physics
        Version of the physics.

    Raises
    ------
    LockedError
        On entering, where another process holds the folder.
    """

    def __init__(self, folder: Path, *, files: Mapping[str, Path], settings: Mapping[str, Any], physics: int) -> None:
        self.folder = Path(folder)
        self.settings = dict(settings)
        self.inputs_hash = inputs_hash(files=files, settings=self.settings, physics=physics)
        self.attempt = 0
        self.engine_s = 0.0
        self.segments_done = 0
        self._described = {
            **{f"setting {key}": value for key, value in self.settings.items()},
            **{f"file {role}": sha256_path(path) for role, path in files.items()},
            "physics": physics,
        }
        self._checkpoints = RollingCheckpoints(self.folder)
        self._stack = ExitStack()

    def __enter__(self) -> ResumableRun:
        self._stack.enter_context(folder_lock(self.folder))
        try:
            self._settle()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        try:
            if isinstance(error, ScienceError):
                write_json(self.folder / ATTEMPTS, {"failures": self.attempt + 1})
            if isinstance(error, GibbsflowError) and not isinstance(error, StoppedEarly | StorageError):
                sentinels.failed(error, self.inputs_hash).write(self.folder)
                error.recorded = True
        finally:
            self._stack.close()

    def _settle(self) -> None:
        """Make the folder belong to today's inputs."""
        path = self.folder / INPUTS
        before = read_json(path) if path.exists() else None
        if before is not None and before["inputs_hash"] != self.inputs_hash:
            old = before["described"]
            changed = [
                f"{key}: {old.get(key, 'absent')} -> {self._described.get(key, 'absent')}"
                for key in sorted(old.keys() | self._described.keys())
                if old.get(key) != _as_json(self._described.get(key))
            ]
            self._set_aside("; ".join(changed))
            before = None
        elif before is None and (self._checkpoints.current.exists() or (self.folder / "FINISHED").exists()):
            self._set_aside(f"{INPUTS} is missing")
        attempts = self.folder / ATTEMPTS
        self.attempt = int(read_json(attempts)["failures"]) if attempts.exists() else 0
        failure = sentinels.read(self.folder, "FAILED")
        if failure is not None:
            log.warning("%s failed before (%s: %s) and is tried again", self.folder, failure.cause, failure.message)
            (self.folder / "FAILED").unlink()
        if before is None:
            write_json(path, {"inputs_hash": self.inputs_hash, "described": self._described})

    def _set_aside(self, why: str) -> None:
        number = len(list(self.folder.glob("superseded-*")))
        target = self.folder / f"superseded-{number:03d}"
        target.mkdir()
        for item in sorted(self.folder.iterdir()):
            if item.name not in _KEPT and not item.name.startswith("superseded-") and not item.is_dir():
                item.rename(target / item.name)
        log.warning("%s holds state of other inputs, moved to %s. Changed: %s", self.folder, target.name, why)

    @property
    def finished(self) -> sentinels.Sentinel | None:
        """The FINISHED sentinel, where it stands for today's inputs."""
        return sentinels.valid(self.folder, "FINISHED", self.inputs_hash)

    def advance(
        self,
        total: int,
        start: Callable[[], Arrays],
        segment: Callable[[int, Arrays], tuple[Arrays, Arrays]],
        stopper: Stopper,
        *,
        steps: Callable[[int], int],
    ) -> None:
        """Run what is left of all segments, then leave FINISHED; at once where it stands already.

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
        """
        point = self._checkpoints.load(self.inputs_hash)
        if point is not None:
            self.segments_done, self.engine_s = point.segment, float(point.meta["engine_s"])
        if self.finished is not None:
            return
        arrays = point.arrays if point is not None else None

        def one(number: int) -> None:
            nonlocal arrays
            begin = time.monotonic()
            arrays, outputs = segment(number, start() if arrays is None else arrays)
            self.engine_s += time.monotonic() - begin
            with atomic_open(self._output(number)) as file:
                np.savez(file, **outputs)  # type: ignore[arg-type]
            self._checkpoints.save(Checkpoint(self.inputs_hash, number + 1, arrays, {"engine_s": self.engine_s}))
            self.segments_done = number + 1
            self._write_progress(total, steps)

        self._write_progress(total, steps)
        run_segments(self.segments_done, total, one, stopper)
        sentinels.Sentinel("FINISHED", self.inputs_hash, steps_done=steps(total), settings=self.settings).write(
            self.folder
        )

    def last_arrays(self) -> Arrays:
        """Arrays at the end of the last segment done."""
        point = self._checkpoints.load(self.inputs_hash)
        if point is None:
            raise StateError(f"{self.folder}: no checkpoint")
        return point.arrays

    def outputs(self) -> dict[str, npt.NDArray[Any]]:
        """Outputs of all segments done, joined along the first axis.

        Raises
        ------
        StateError
            Where a segment's file is missing or damaged.
        """
        parts: list[dict[str, npt.NDArray[Any]]] = []
        for number in range(self.segments_done):
            path = self._output(number)
            try:
                with np.load(path, allow_pickle=False) as file:
                    parts.append({name: file[name] for name in file.files})
            except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
                raise StateError(f"{path}: missing or damaged ({error})") from error
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}

    def _output(self, number: int) -> Path:
        return self.folder / f"segment-{number:05d}.npz"

    def _write_progress(self, total: int, steps: Callable[[int], int]) -> None:
        content = {
            "segments_done": self.segments_done,
            "segments": total,
            "steps_done": steps(self.segments_done),
            "steps": steps(total),
            "engine_s": round(self.engine_s, 3),
            "attempt": self.attempt,
        }
        write_json(self.folder / PROGRESS, content)


def _as_json(value: Any) -> Any:
    """A value as it comes back from JSON, for comparison."""
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, list | tuple) else value
