"""Work with a time budget and no steps, which says how far it is and what it takes."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

from gibbsflow.errors import StateError
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.hours.pace import PROGRESS, TIMES, Held, Pace, engine_times

log = logging.getLogger(__name__)
_OFTEN_S = 15.0


class BudgetedWork:
    """Work that has a time budget and no steps, such as a fit: its progress file is written now and then meanwhile.

    Parameters
    ----------
    folder
        Its state folder, held by the caller; None for work that keeps no state, of which nothing is written.
    held
        What this process holds for it.
    budget_s
        Wall-clock seconds that it has, in each attempt anew; 0 where it keeps to none.
    spent_s
        Seconds of them that were used before this.
    """

    def __init__(self, folder: Path | None, held: Held, budget_s: float, spent_s: float = 0.0) -> None:
        self.folder, self.budget_s = folder, budget_s
        self._begun = time.monotonic()
        self._spent_s, self._counted_s = spent_s, 0.0
        self._pace = Pace(held, self._earlier())
        self._ended = Event()
        self._writer = Thread(target=self._go_on, daemon=True)

    def __enter__(self) -> Self:
        self._write()
        if self.folder is not None:
            self._writer.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._writer.is_alive():
            self._writer.join()
        try:
            self._write()
        except OSError as full:
            if error is None:
                raise
            log.error("%s: what this attempt took could not be written down (%s)", self.folder, full)

    def _earlier(self) -> dict[str, float] | None:
        """What earlier attempts took; the file is all that keeps it."""
        path = self.folder / PROGRESS if self.folder is not None else None
        if path is None or not path.exists():
            return None
        try:
            return dict(zip(TIMES, engine_times(read_json(path), path, Held()), strict=True))
        except StateError as error:
            log.warning("%s: hours of earlier attempts are not counted", error)
            return None

    def _go_on(self) -> None:
        while not self._ended.wait(_OFTEN_S):
            try:
                self._write()
            except OSError as error:  # the work itself will meet a full disk, and say so with its own exit code
                log.warning("%s: progress could not be written (%s)", self.folder, error)

    def _write(self) -> None:
        if self.folder is None:
            return
        taken_s = time.monotonic() - self._begun
        self._pace.add(0, taken_s - self._counted_s)
        self._counted_s = taken_s
        told = {"budget_s": self.budget_s, "spent_s": round(self._spent_s + taken_s, 3)}
        write_json(self.folder / PROGRESS, told | {k: round(v, 3) for k, v in self._pace.saved().items()})
