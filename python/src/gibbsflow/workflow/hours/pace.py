"""How fast a calculation goes and what it has taken, in the progress file of its state folder."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gibbsflow.errors import StateError

PROGRESS = "progress.json"
_MOST_STRETCHES, _RECENT_S = 20, 600.0
TIMES = ("engine_s", "core_s", "gpu_s")
"""Names that a progress file and a checkpoint have for what an engine took, and that times cores and GPUs held."""
LOST = tuple(f"lost_{name}" for name in TIMES)
"""The same of stretches that ended before their checkpoint."""


@dataclass(frozen=True)
class Held:
    """What a calculation holds while it runs.

    Attributes
    ----------
    cores
        CPU cores.
    gpus
        GPUs; a part of one where several calculations share it.
    """

    cores: float = 1.0
    gpus: float = 0.0


class Pace:
    """Time that an engine has taken, and the speed of late.

    Parameters
    ----------
    held
        What this process holds for it.
    before
        What :meth:`saved` gave at the last checkpoint; of a version that kept ``engine_s`` alone, what is held now
        counts as held all the time.
    """

    def __init__(self, held: Held, before: Mapping[str, Any] | None = None) -> None:
        self.held = held
        told = before or {}
        self.engine_s = float(told.get("engine_s", 0.0))
        self.core_s = float(told.get("core_s", self.engine_s * held.cores))
        self.gpu_s = float(told.get("gpu_s", self.engine_s * held.gpus))
        self._lost = [float(told.get(name, 0.0)) for name in LOST]
        self._recent: deque[tuple[int, float]] = deque(maxlen=_MOST_STRETCHES)

    def add(self, steps: int, seconds: float) -> None:
        """Count a stretch.

        Parameters
        ----------
        steps
            MD steps (or iterations) done in it.
        seconds
            Wall-clock time of the engine.
        """
        self.engine_s += seconds
        self.core_s += seconds * self.held.cores
        self.gpu_s += seconds * self.held.gpus
        self._recent.append((steps, seconds))
        while len(self._recent) > 1 and sum(taken for _, taken in self._recent) > _RECENT_S:
            self._recent.popleft()

    def lose(self, seconds: float) -> None:
        """Count a stretch that a signal or a failure ended before its checkpoint: hours, and no speed.

        Parameters
        ----------
        seconds
            Wall-clock time of the engine.
        """
        held = (1.0, self.held.cores, self.held.gpus)
        self._lost = [before + seconds * share for before, share in zip(self._lost, held, strict=True)]

    def saved(self) -> dict[str, float]:
        """Tell what a checkpoint keeps.

        Returns
        -------
        dict
            ``engine_s``, and times the cores and the GPUs held ``core_s`` and ``gpu_s``; where stretches ended before
            their checkpoint, the same of them, which these three leave out, with ``lost_`` before each name.
        """
        lost = dict(zip(LOST, self._lost, strict=True)) if any(self._lost) else {}
        return {name: getattr(self, name) for name in TIMES} | lost

    def told(self) -> dict[str, float]:
        """Tell what the progress file keeps.

        Returns
        -------
        dict
            As :meth:`saved`, in ms, with what was lost in all three, and ``recent_segments``, ``recent_steps`` and
            ``recent_s``: of the last stretches of this process, twenty of them or ten minutes or so, so that neither a
            night in between nor another machine before it is in the speed.
        """
        steps, seconds = (sum(column) for column in zip((0, 0.0), *self._recent, strict=True))
        counts = {"recent_segments": len(self._recent), "recent_steps": steps}
        whole = {name: getattr(self, name) + lost for name, lost in zip(TIMES, self._lost, strict=True)}
        times = self.saved() | whole | {"recent_s": seconds}
        return counts | {name: round(value, 3) for name, value in times.items()}


def engine_times(content: Any, where: Path, before: Held) -> tuple[float, float, float]:
    """Read from a progress file what an engine took.

    Parameters
    ----------
    content
        What the file holds.
    where
        The file, for messages.
    before
        What is taken to have been held where the file does not say: a version before this one wrote it.

    Returns
    -------
    engine_s, core_s, gpu_s
        Wall-clock seconds, and those times the cores and GPUs held.

    Raises
    ------
    StateError
        For what is no time.
    """
    if not isinstance(content, dict):
        raise StateError(f"{where}: holds something else")
    engine_s = seconds_of(content, "engine_s", where)
    return (
        engine_s,
        seconds_of(content, "core_s", where, engine_s * before.cores),
        seconds_of(content, "gpu_s", where, engine_s * before.gpus),
    )


def seconds_of(content: Mapping[str, Any], name: str, where: Path | str, absent_s: float = 0.0) -> float:
    """Read a time of a progress file.

    Parameters
    ----------
    content
        What the file holds.
    name
        Which time.
    where
        The file, for messages.
    absent_s
        What it is where the file has none.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    StateError
        For what is no time.
    """
    value = content.get(name, absent_s)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise StateError(f"{where}: {name} is no time")
    return float(value)
