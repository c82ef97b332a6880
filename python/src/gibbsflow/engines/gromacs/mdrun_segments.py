"""Segments of ``mdrun``, each from a checkpoint: what a time limit has cut short is kept, and gone on with.

A segment that was killed is run again from where it began, and draws the same samples to the last digit. One that
``mdrun`` itself has ended (``-maxh``) leaves a checkpoint, and all that it has drawn counts: going on from there
rounds otherwise than a run in one go, so that later samples are others of the same distribution.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gibbsflow.engines.gromacs.dhdl_file import DhdlFile, read_dhdl
from gibbsflow.errors import EngineError, StateError
from gibbsflow.units import Ints
from gibbsflow.workflow.files import atomic_open, read_json, write_json

log = logging.getLogger(__name__)
NAME = "run"
"""Of all files of a run, its input included: ``run.tpr``."""
CHECKPOINT = f"{NAME}.cpt"
_RECORD, _KEPT = "begun.json", "begun.cpt"
_FRAMES = f"{NAME}.out.part*.g96"
_MADE = re.compile(rf"{NAME}(_prev|_step.*)?\.cpt|{NAME}\.(out\.)?part\d+\.\w+")
"""Names of what ``mdrun`` writes."""
_CHECKPOINT_STEP = re.compile(r"^Writing checkpoint, step (\d+) at ", re.MULTILINE)
_EXCHANGE = re.compile(r"^(?:Replica exchange at step (\d+)|Accepted Exchanges: +(\d.*)$)", re.MULTILINE)


@dataclass(frozen=True)
class WindowRun:
    """A segment of one window, in a folder with ``run.tpr``.

    Attributes
    ----------
    place
        The folder.
    saved
        Checkpoint that the segment starts from; empty for the first.
    first_step, steps
        Where it starts, and how many MD steps it has.
    seed
        Tells it from other segments of these steps.
    """

    place: Path
    saved: bytes
    first_step: int
    steps: int
    seed: int

    def prepare(self, *, anew: bool = False) -> int:
        """Leave in the folder what is needed, and nothing that another run has left.

        Parameters
        ----------
        anew
            Whether to drop what a time limit has cut short.

        Returns
        -------
        int
            Steps of this segment that are done already; ``run.cpt`` stands there.
        """
        begun = None if anew else self._begun()
        names = () if begun is None else begun.files
        for left in self.place.glob(f"{NAME}*"):
            if _MADE.fullmatch(left.name) and left.name not in names:
                left.unlink()
        if begun is not None:
            (self.place / CHECKPOINT).write_bytes((self.place / _KEPT).read_bytes())
            return begun.step - self.first_step
        for name in (_RECORD, _KEPT):
            (self.place / name).unlink(missing_ok=True)
        if self.saved:
            (self.place / CHECKPOINT).write_bytes(self.saved)
        return 0

    def words(self, done: int) -> list[str]:
        """Say where ``mdrun`` starts and how far it goes.

        Parameters
        ----------
        done
            Steps that are done already.

        Returns
        -------
        list of str
            Options.
        """
        options = ["-nsteps", str(self.steps - done)]
        return [*options, "-cpi", CHECKPOINT] if self.saved or done else options

    def steps_done(self) -> int:
        """Say how far ``mdrun`` has come that has ended in good order.

        Returns
        -------
        int
            Steps of this segment.

        Raises
        ------
        EngineError
            Where it has left no checkpoint.
        """
        logs = self._parts("log")
        return self._checkpoint_step(logs[-1]) - self.first_step if logs else 0

    def keep(self) -> None:
        """Keep what is there of a segment that a time limit has cut short, to be gone on with."""
        logs = self._parts("log")
        if not logs:
            return
        content = self.checkpoint()
        with atomic_open(self.place / _KEPT) as file:
            file.write(content)
        kept = [self.place / _KEPT, *logs, *self._parts("xvg"), *self.place.glob(_FRAMES)]
        hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}
        step = self._checkpoint_step(logs[-1])
        write_json(self.place / _RECORD, {"segment": self._key(), "step": step, "files": hashes})

    def _checkpoint_step(self, path: Path) -> int:
        found = _CHECKPOINT_STEP.findall(path.read_text(errors="replace"))
        if not found or not (self.place / CHECKPOINT).exists():
            raise EngineError(f"{path}: mdrun has ended without a checkpoint")
        return int(found[-1])

    def energies(self) -> list[DhdlFile]:
        """Read what has been drawn.

        Returns
        -------
        list of DhdlFile
            One for each start of ``mdrun`` that has drawn anything.
        """
        return [read_dhdl(path) for path in self._parts("xvg") if _has_rows(path)]

    def log_text(self) -> str:
        """Read the logs.

        Returns
        -------
        str
            Of all starts of ``mdrun`` in this segment.
        """
        return "".join(path.read_text(errors="replace") for path in self._parts("log"))

    def last_frame(self) -> str:
        """Read the configuration at the end.

        Returns
        -------
        str
            A ``.g96``.

        Raises
        ------
        EngineError
            Where it is not there.
        """
        found = sorted(self.place.glob(_FRAMES))
        if len(found) != 1:
            raise EngineError(f"{self.place}: {len(found)} configurations at the end, where one should be")
        return found[0].read_text()

    def checkpoint(self) -> bytes:
        """Read GROMACS's checkpoint.

        Returns
        -------
        bytes
            Its content.
        """
        return (self.place / CHECKPOINT).read_bytes()

    def _parts(self, ending: str) -> list[Path]:
        return sorted(self.place.glob(f"{NAME}.part*.{ending}"))

    def _key(self) -> str:
        words = f"{self.first_step} {self.steps} {self.seed} ".encode()
        return hashlib.sha256(words + self.saved).hexdigest()

    def _begun(self) -> _Begun | None:
        record = self.place / _RECORD
        if not record.exists():
            return None
        try:
            found = read_json(record)
            if found["segment"] != self._key():
                return None
            for name, expected in found["files"].items():
                if hashlib.sha256((self.place / name).read_bytes()).hexdigest() != expected:
                    raise StateError(f"{self.place / name} has changed")
            return _Begun(frozenset(found["files"]), int(found["step"]))
        except (StateError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
            log.warning("%s: %s; the segment is run from its start", record, error)
            return None


@dataclass(frozen=True)
class _Begun:
    """What a time limit has left of a segment: files by their names, and the step that they reach to."""

    files: frozenset[str]
    step: int


def prepare_together(runs: Sequence[WindowRun]) -> int:
    """Prepare windows that exchange, which stand at one step.

    Parameters
    ----------
    runs
        Of all windows.

    Returns
    -------
    int
        Steps that are done already.
    """
    done = {run.prepare() for run in runs}
    if len(done) > 1:
        log.warning("windows that exchange were left at different steps; the segment is run from its start")
        return max(run.prepare(anew=True) for run in runs)
    return done.pop()


def exchange_orders(text: str, replica: Ints, samples: int, first_step: int, interval: int) -> Ints:
    """Follow walkers through the exchanges that a log tells of.

    Exchanges are tried after each sample; that after the last one of a start of ``mdrun`` is by the start that follows.

    Parameters
    ----------
    text
        Log of ``mdrun -replex -nex``: ``Accepted Exchanges:   1 0 2`` below the step, the window that each window's
        configuration has come from.
    replica
        Walker in each window at first, shape (W,).
    samples
        Samples drawn.
    first_step, interval
        Step that the segment starts from, and steps between samples.

    Returns
    -------
    ndarray
        Walker in each window at each sample, and at the end, shape (n + 1, W).
    """
    lines: dict[int, str] = {}
    step = -1
    for at, line in _EXCHANGE.findall(text):
        step = int(at) if at else step
        lines[step] = line
    rows, order = [], replica
    for sample in range(samples + 1):
        if sample < samples:
            line = lines.get(first_step + sample * interval)
            order = order if line is None else order[[int(word) for word in line.split()]]
        rows.append(order)
    return np.array(rows, dtype=np.int32)


def _has_rows(path: Path) -> bool:
    with open(path) as file:
        return any(line[:1] not in "#@" and line.strip() for line in file)
