"""The one folder that goes round the learning loop: its files, its checkpoint, and what may follow what."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from gibbsflow.errors import InputError, Problem, StateError, one_line
from gibbsflow.potential.loop.stopping import GenerationRecord
from gibbsflow.workflow.files import as_written, read_json, write_json

if TYPE_CHECKING:
    from ase import Atoms

CHECKPOINT = "checkpoint.json"
CONFIG = "config.json"
DATABASE = "structures.db"
TRAIN = "dataset/train.extxyz"
HOLDOUT = "dataset/holdout.extxyz"
STARTS = "starts.extxyz"
BATCHES = "batches"
TRAJECTORIES = "trajectories"
POTENTIAL = "potential"
METRICS = "metrics.json"
VALIDATION = "validation"
VALIDATION_FILES = ("result.json", "validation.html", "validation.csv", "validation.json")
ALWAYS_COPIED = (CONFIG, DATABASE, STARTS)
VERSION = 1
_SAID_WHERE_THERE_IS_ANY: Mapping[str, Any] = {
    "validation": "", "validation_reasons": [], "held": {}, "met_labels": 0, "met_force_mae_ev_per_angstrom": None,
    "met_atom_error_ev_per_angstrom": None, "md_largest_spread_ev_per_angstrom": None,
}  # fmt: skip
"""What a record without it is read as; an error of 0 is a figure, and none of these."""
_BATCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\.extxyz")


class Phase(StrEnum):
    """Where the loop stands: the phase that comes next."""

    GENERATE = "generate"
    SELECT = "select"
    LABEL = "label"
    TRAIN = "train"
    VALIDATE = "validate"
    EXPLORE = "explore"
    DECIDE = "decide"
    STOPPED = "stopped"


TRANSITIONS: Mapping[Phase, frozenset[Phase]] = {
    Phase.GENERATE: frozenset({Phase.SELECT}),
    Phase.SELECT: frozenset({Phase.LABEL, Phase.STOPPED}),
    Phase.LABEL: frozenset({Phase.TRAIN, Phase.STOPPED}),
    Phase.TRAIN: frozenset({Phase.VALIDATE}),
    Phase.VALIDATE: frozenset({Phase.EXPLORE}),
    Phase.EXPLORE: frozenset({Phase.DECIDE}),
    Phase.DECIDE: frozenset({Phase.SELECT, Phase.STOPPED}),
    Phase.STOPPED: frozenset({Phase.DECIDE}),
}
"""What may follow each phase. A stopped loop may be judged again, with other limits; one whose structures a surrogate
leaves out, all of them, stops before it labels."""


@dataclass(frozen=True)
class LoopCheckpoint:
    """What is known of a loop between two phases.

    Attributes
    ----------
    generation
        The one that is under way, or comes next; from 0.
    phase
        The phase that comes next.
    seed
        ``loop.seed``.
    holdout
        Ids of the hold-out structures.
    labels_made
        Labels attempted so far.
    stopped_by, reason
        Why the loop stopped, as a word and in words; empty while it goes on (`reason` says how it stands).
    history
        One record a finished generation.
    screenings
        What a surrogate made of the structures of each generation: ``generation``, ``surrogate``, ``key`` (what it
        decided by), ``offered``, and counts by fate.
    """

    generation: int
    phase: Phase
    seed: int
    holdout: tuple[str, ...] = ()
    labels_made: int = 0
    stopped_by: str = ""
    reason: str = ""
    history: tuple[GenerationRecord, ...] = field(default=())
    screenings: tuple[dict[str, Any], ...] = ()

    def to(self, phase: Phase, **changes: Any) -> LoopCheckpoint:
        """Return the checkpoint after a step.

        Parameters
        ----------
        phase
            The phase that comes next now.
        **changes
            Other fields that have changed.

        Returns
        -------
        LoopCheckpoint
            Not yet written.

        Raises
        ------
        StateError
            For a step that may not follow.
        """
        if phase not in TRANSITIONS[self.phase]:
            allowed = ", ".join(sorted(TRANSITIONS[self.phase]))
            raise StateError(
                f"generation {self.generation}: {self.phase} cannot be followed by {phase} (allowed: {allowed})"
            )
        return replace(self, phase=phase, **changes)

    def write(self, folder: Path) -> None:
        """Write ``checkpoint.json`` into a folder, atomically.

        Parameters
        ----------
        folder
            State folder.
        """
        content = {"version": VERSION, **asdict(self)}
        # said only where there is something: other checkpoints are to the byte what they were before
        if not content["screenings"]:
            del content["screenings"]
        for record in content["history"]:
            for name, nothing in _SAID_WHERE_THERE_IS_ANY.items():
                if record[name] == nothing:
                    del record[name]
        write_json(Path(folder) / CHECKPOINT, content)

    @classmethod
    def read(cls, folder: Path) -> LoopCheckpoint:
        """Read the checkpoint of a folder.

        Parameters
        ----------
        folder
            State folder.

        Returns
        -------
        LoopCheckpoint
            As it was written.

        Raises
        ------
        StateError
            Where it is missing, unreadable, of another version or not whole: it is never taken for a fresh start.
        """
        path = Path(folder) / CHECKPOINT
        content = read_json(path)
        with as_written(path, "the learning loop"):
            version = content.pop("version")
            if version != VERSION:
                raise StateError(f"{path}: version {version}, expected {VERSION}")
            unknown = content.keys() - {one.name for one in fields(cls)}
            for record in content["history"]:
                unknown |= record.keys() - {one.name for one in fields(GenerationRecord)}
            if unknown:
                raise KeyError(*sorted(unknown))
            return TypeAdapter(cls).validate_python(content)


def clear(folder: Path) -> None:
    """Make a folder ready for a state: of an attempt before, neither batches, trajectories nor half a write may stay.

    Parameters
    ----------
    folder
        Made where it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (BATCHES, TRAJECTORIES):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (CHECKPOINT, f"{DATABASE}-journal"):
        (folder / name).unlink(missing_ok=True)


def copy_state(source: Path, target: Path, names: Sequence[str] = ALWAYS_COPIED) -> None:
    """Copy what a state hands on to the next.

    Parameters
    ----------
    source, target
        State folders.
    names
        Files and folders to copy.

    Raises
    ------
    StateError
        Where something is missing.
    """
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (source / name).exists():
            raise StateError(f"{source / name}: missing, so the loop cannot go on from {source}")
        is_folder, as_file = (source / name).is_dir(), bool(Path(name).suffix)
        if is_folder == as_file:
            there, right = ("a folder", "a file") if is_folder else ("a file", "a folder")
            raise StateError(f"{source / name}: {there}, where {right} should be")
        try:
            if is_folder:
                shutil.copytree(source / name, target / name, dirs_exist_ok=True)
            else:
                shutil.copyfile(source / name, target / name)
        except shutil.Error as error:  # of several files, each with its reason
            path, _, why = error.args[0][0]
            raise StateError(f"{path}: cannot be copied ({one_line(str(why), 200)})") from error


def write_batches(folder: Path, prefix: str, frames: Sequence[Atoms], size: int) -> None:
    """Write structures to label as ``batches/PREFIX_NNN.extxyz``.

    Parameters
    ----------
    folder
        State folder.
    prefix
        First part of the files' names.
    frames
        Structures to label.
    size
        Structures a file.
    """
    from gibbsflow.potential.data.structures import write_frames

    for number, start in enumerate(range(0, len(frames), size)):
        write_frames(folder / BATCHES / f"{prefix}_{number:03d}.extxyz", frames[start : start + size])


def batches(folder: Path) -> list[Path]:
    """Files of the structures that wait for a label.

    Parameters
    ----------
    folder
        State folder.

    Returns
    -------
    list of Path
        By name.

    Raises
    ------
    InputError
        For a name that could not name a task and its folders: an earlier run's folder may come from anywhere.
    """
    found = sorted((Path(folder) / BATCHES).glob("*.extxyz"))
    if odd := [path.name for path in found if not _BATCH.fullmatch(path.name)]:
        what = f"a batch is called {ascii(odd[0][:80])}"
        raise InputError(Problem(str(folder), what, "letters, digits, '.', '_' and '-', as batch_000.extxyz"))
    return found


def trajectories(folder: Path) -> list[Path]:
    """Structures from which MD starts; beside each, its settings and seed as JSON.

    Parameters
    ----------
    folder
        State folder.

    Returns
    -------
    list of Path
        By name.
    """
    return sorted((Path(folder) / TRAJECTORIES).glob("*.extxyz"))
