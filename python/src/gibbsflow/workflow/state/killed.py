"""Tasks that were killed, as a run's head notes them in its campaign's state (conf/base.config): why, and their log."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gibbsflow.errors import StateError
from gibbsflow.workflow.files import read_json

log = logging.getLogger(__name__)
FOLDER = ".killed"


@dataclass(frozen=True)
class Killed:
    """How the last killed attempt of a task ended.

    Attributes
    ----------
    process, item
        Process of the pipeline and its tag, such as ``FE_RUN`` and ``b2 complex_replicate_0_window_03``.
    cause
        In SLURM's words: ``OUT_OF_MEMORY``, ``TIMEOUT``, ``CANCELLED``, ``NODE_FAIL``, ...; ``KILLED`` where not known.
    then
        What that means for the next attempt, if there is one.
    exit
        Exit code; None for a job that left none.
    memory, time
        What it had asked for; None where there was no bound.
    job
        Job of the scheduler, or process.
    log
        Path of its output.
    at
        When that was noticed (UTC).
    """

    process: str
    item: str
    cause: str
    then: str = ""
    exit: int | None = None
    memory: str | None = None
    time: str | None = None
    job: str = ""
    log: str = ""
    at: str = ""

    @property
    def text(self) -> str:
        """The end in words, without its cause.

        Returns
        -------
        str
            Such as ``EQUIL_RUN (exit 137, asked 2 GB for 4h, log /w/.command.log)``.
        """
        code = "no exit code" if self.exit is None else f"exit {self.exit}"
        asked = " for ".join(filter(None, [self.memory, self.time]))
        facts = [code, f"asked {asked}" if asked else "", f"log {self.log}" if self.log else ""]
        return f"{self.process} ({', '.join(filter(None, facts))})"

    @property
    def log_file(self) -> Path | None:
        """The log, to be read.

        Returns
        -------
        Path or None
            None where the path is none of a task's output: a note may come from anywhere.
        """
        path = Path(self.log)
        return path if path.name == ".command.log" and path.is_absolute() else None

    def is_of(self, parts: Sequence[str]) -> bool:
        """Say whether it was at work in a state folder.

        Parameters
        ----------
        parts
            The folder's path below the campaign's: receptor, item, then phase or leg, replicate and window.

        Returns
        -------
        bool
            Whether it was.
        """
        words = self.item.split()
        if len(parts) < 3 or not words or words[0] != parts[1]:
            return False
        if len(words) == 1:
            return len(parts) == 3 and _PHASES.get(self.process) == parts[2]
        name = "_".join(parts[2:4])
        found = re.fullmatch(rf"{re.escape(name)}(?:_windows?_(\d+)(?:-(\d+))?)?", words[1])
        window = re.fullmatch(r"window_(\d+)", parts[4]) if len(parts) > 4 else None
        if found is None or (window is None) != (found[1] is None):
            return False
        return window is None or int(found[1]) <= int(window[1]) <= int(found[2] or found[1])


_PHASES = {
    "SYSTEM_PREP": "system_prep",
    "PARAM_LIGAND": "param_ligands",
    "EQUIL_PREPARE": "prepare_equil",
    "EQUIL_RUN": "equil",
    "EQUIL_ANALYSE": "equil_analysis",
    "FE_PREPARE": "prepare_fe",
    "ANALYSIS_TRANSFORMATION": "analysis",
}
_NAMES = frozenset(field.name for field in fields(Killed))


def read_killed(campaign: Path) -> list[Killed]:
    """Read what is noted of killed tasks.

    Parameters
    ----------
    campaign
        State folder of a campaign.

    Returns
    -------
    list of Killed
        One a task, oldest first; what cannot be read is logged and left out: no result depends on it.
    """
    found = []
    for path in sorted((Path(campaign) / FOLDER).glob("*.json")):
        try:
            content: dict[str, Any] = read_json(path)
            found.append(Killed(**{key: value for key, value in content.items() if key in _NAMES}))
        except (StateError, TypeError, AttributeError) as error:
            log.warning("%s: no record of a killed task (%s)", path, error)
    return sorted(found, key=lambda one: one.at)
