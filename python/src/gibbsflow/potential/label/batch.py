"""A batch of labels: what is finished is used again, the rest is made, and each result is kept as it comes."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential import Labels
from gibbsflow.errors import InputError, Problem, ScienceError, StateError, StoppedEarly
from gibbsflow.potential.data.labels import (
    DOUBTS,
    TRANSIENT,
    LabelResult,
    bad_structure,
    check_label,
    crash,
    labelled_frame,
    write_labels,
)
from gibbsflow.potential.data.structures import earlier_hash, structure_id, write_frames
from gibbsflow.potential.label.engines import LabelEngine
from gibbsflow.potential.label.task_queue import TaskQueue
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.sentinels import Kind, Sentinel, valid_sentinel

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
_SHORTAGES = 3
"""Tasks with more memory that are asked for one label; after that, it has failed."""
PHYSICS = 1
"""Raised by hand when labels change for the same settings and structure."""


class LabelStore:
    """Finished labels in a state folder, one folder each, keyed by settings and content.

    Parameters
    ----------
    folder
        State folder; shared by all batches.
    settings_hash
        Of the engine: labels of other settings lie beside and are never read.
    """

    def __init__(self, folder: Path, settings_hash: str) -> None:
        self.folder = Path(folder) / settings_hash
        self._hash = f"{settings_hash}-{PHYSICS}"

    def _inputs(self, key: str) -> str:
        return f"{self._hash}-{key}" if key else self._hash

    def place(self, name: str) -> Path:
        """Say where the label of a structure lies, or would.

        Parameters
        ----------
        name
            Id of the structure.

        Returns
        -------
        Path
            Its folder, whether it is there or not.
        """
        return self.folder / name

    def load(self, name: str, *, key: str = "", retry_failed: bool = False) -> LabelResult | None:
        """Read a finished label or failure, as it was computed: no threshold has been applied to it.

        Parameters
        ----------
        name
            Id of the structure.
        key
            What else it depends on (`LabelEngine.key`); one made with another is none.
        retry_failed
            Whether failures are to be tried again.

        Returns
        -------
        LabelResult or None
            None where there is none, where it cannot be read, and for a failure that is to be tried again: all of
            them if asked for, and always those that say nothing about the structure.
        """
        kinds: tuple[Kind, ...] = ("FINISHED",) if retry_failed else ("FINISHED", "FAILED")
        place = self.place(name)
        try:
            if not any(valid_sentinel(place, kind, self._inputs(key)) for kind in kinds):
                return None
            result = LabelResult(**read_json(place / "label.json"))
            # a worker that died or ran out of memory says nothing about the structure
            again = result.cause in TRANSIENT or (retry_failed and result.physics_changed)
            return None if again else result
        except (StateError, TypeError) as error:
            log.warning("%s cannot be read (%s): made again", place, error)
            return None

    def save(self, result: LabelResult, key: str = "") -> LabelResult:
        """Write a result, then its sentinel: a crash between the two leaves a label that is made again.

        Parameters
        ----------
        result
            Label or failure, as it was computed.
        key
            What else it depends on (`LabelEngine.key`).

        Returns
        -------
        LabelResult
            The same; of one that the machine had no memory for, with the times before counted.
        """
        place = self.place(result.gibbsflow_id)
        if result.short_of_memory:
            result = replace(result, shortages=self._shortages(place) + 1)
        write_json(place / "label.json", asdict(result))
        kind: Kind = "FINISHED" if result.status == "labelled" else "FAILED"
        Sentinel(
            kind, self._inputs(key), steps_done=result.scf_steps, cause=result.cause, message=result.message
        ).write(place)
        return result

    def _shortages(self, place: Path) -> int:
        try:
            return int(read_json(place / "label.json").get("shortages", 0))
        except (StateError, ValueError, TypeError, AttributeError):
            return 0  # none was there, or none that can be read: it is written anew


@dataclass
class Batch:
    """Results of one batch.

    Attributes
    ----------
    frames
        The structures, in their order.
    results
        By id.
    reused
        How many were there already.
    """

    frames: Sequence[Atoms]
    results: dict[str, LabelResult] = field(default_factory=dict)
    reused: int = 0

    def ordered(self) -> list[LabelResult]:
        """Give the results in the order of the structures.

        Returns
        -------
        list of LabelResult
            Without those that are not yet made.
        """
        return [self.results[name] for frame in self.frames if (name := structure_id(frame)) in self.results]

    def labelled(self) -> list[Atoms]:
        """Give the structures that have an accepted label.

        Returns
        -------
        list of Atoms
            Copies that carry it, in the order of the structures.
        """
        pairs = ((frame, self.results.get(structure_id(frame))) for frame in self.frames)
        return [labelled_frame(frame, result) for frame, result in pairs if result and result.status == "labelled"]

    def programs(self) -> dict[str, str]:
        """Say which programs made the labels.

        Returns
        -------
        dict
            Version by program.
        """
        return dict(result.program.split(" ", 1) for result in self.ordered() if " " in result.program)

    def notes(self) -> list[str]:
        """Say what programs warned of in labels that count.

        Returns
        -------
        list of str
            One sentence for each kind, with the number of labels.
        """
        counts = Counter(name for result in self.ordered() if result.status == "labelled" for name in result.doubts)
        return [f"{n} frame{' is' if n == 1 else 's are'} {DOUBTS[name]}" for name, n in counts.items()]

    def figures(self) -> dict[str, Any]:
        """Say in figures what became of the batch.

        Returns
        -------
        dict
            As `result.json` has it: `counts` by status, `left` (not yet made), `reused`, `failures` (cause by id),
            `corrected` (corrections by id), `handlers` (corrections by who made them), `errors` (of failures, by name),
            `short_of_memory` (labels that the machine had no memory for, and a larger task may), `label_s` (time of all
            labels in s).
        """
        results = self.ordered()
        return {
            "counts": {"labelled": 0, "failed": 0, **Counter(r.status for r in results)},
            "left": len({structure_id(f) for f in self.frames} - self.results.keys()),
            "reused": self.reused,
            "failures": {r.gibbsflow_id: r.cause for r in results if r.status == "failed"},
            "corrected": {r.gibbsflow_id: r.corrections for r in results if r.corrections},
            "handlers": dict(Counter(entry["handler"] for r in results for entry in r.audit)),
            "errors": dict(Counter(r.error for r in results if r.status == "failed" and r.error)),
            "short_of_memory": sum(r.short_of_memory and r.shortages <= _SHORTAGES for r in results),
            "label_s": round(sum(r.wall_s for r in results), 3),
        }

    def write(self, out: Path) -> None:
        """Write `labelled.extxyz` and `labels.jsonl`.

        Parameters
        ----------
        out
            Folder.
        """
        write_frames(out / "labelled.extxyz", self.labelled())
        write_labels(out / "labels.jsonl", self.ordered())


def label_batch(
    batch: Batch,
    engine: LabelEngine,
    labels: Labels,
    *,
    store: LabelStore | None = None,
    retry_failed: bool = False,
    scheduler: str | None = None,
    workers: int = 1,
    logs: Path | None = None,
    record: Callable[[LabelResult], object] | None = None,
    stopper: Stopper | None = None,
) -> None:
    """Label the structures of a batch; its results are filled in as they come.

    Parameters
    ----------
    batch
        Structures, and where results go.
    engine, labels
        What makes labels, and how.
    store
        Finished labels, read first and added to.
    retry_failed
        Whether stored failures are tried again.
    scheduler, workers
        Where labels are made (:class:`TaskQueue`).
    logs
        Where inputs and outputs of failed labels are kept.
    record
        Called with each result, those used again included.
    stopper
        Says when to stop.

    Raises
    ------
    InputError
        For no structure at all.
    StoppedEarly
        After a signal: what is finished is stored.
    ScienceError
        Where not one label succeeded.
    """
    if not batch.frames:
        raise InputError(Problem("--input", "holds no structure", "at least one"))
    wanted: dict[str, Atoms] = {structure_id(frame): frame for frame in batch.frames}

    def _keep(atoms: Atoms, result: LabelResult) -> None:
        # judged here, by today's thresholds, whenever it was computed
        result = check_label(result, atoms, labels)
        batch.results[result.gibbsflow_id] = result
        if record is not None:
            record(result)

    for name, atoms in list(wanted.items()):
        found = _stored(store, atoms, engine.key(atoms), retry_failed=retry_failed) if store is not None else None
        if found is not None and found.by_threshold and not bad_structure(atoms, labels.closest_ratio):
            # what a threshold made of it, and not what was computed: today's may be another
            found = None
        if found is not None:
            batch.reused += 1
            del wanted[name]
            _keep(atoms, replace(found, gibbsflow_id=name))
    if batch.reused:
        log.info("%d of %d labels were there already", batch.reused, batch.reused + len(wanted))

    def _done(atoms: Atoms, result: LabelResult) -> None:
        if store is not None:
            result = store.save(result, engine.key(atoms))
        _keep(atoms, result)

    def _lost(atoms: Atoms, why: str) -> None:
        result = LabelResult(structure_id(atoms), "failed", settings_hash=engine.settings_hash, engine=engine.name)
        _done(atoms, result.failed(crash("worker"), f"its worker died each time: {why}"))

    queue: TaskQueue[Atoms, LabelResult] = TaskQueue(workers, scheduler, labels.attempts_max, fragile=engine.in_process)
    task = partial(_label, engine, str(logs) if logs is not None else None)
    try:
        queue.run(task, list(wanted.values()), done=_done, lost=_lost, stopper=stopper, text=f"labels ({engine.name})")
    except StoppedEarly:
        # a program that the signal reached leaves its files as one that failed does: its label is only waiting
        if logs is not None:
            for name in wanted.keys() - batch.results.keys():
                shutil.rmtree(logs / name, ignore_errors=True)
        raise
    if not any(result.status == "labelled" for result in batch.results.values()):
        raise ScienceError(
            f"no label succeeded: {_summary(batch.results)}", what_to_do="See the causes in labels.jsonl."
        )


def _stored(store: LabelStore, atoms: Atoms, key: str, *, retry_failed: bool) -> LabelResult | None:
    names = dict.fromkeys((structure_id(atoms), earlier_hash(atoms)))
    found = (store.load(name, key=key, retry_failed=retry_failed) for name in names)
    return next((result for result in found if result is not None), None)


def _label(engine: LabelEngine, logs: str | None, atoms: Atoms) -> LabelResult:
    return engine.label(atoms, Path(logs) / structure_id(atoms) if logs else None)


def _summary(results: Mapping[str, LabelResult]) -> str:
    causes = Counter(result.cause for result in results.values())
    first = next(iter(results.values()))
    each = ", ".join(f"{count} {cause}" for cause, count in causes.items())
    return f"{each}; the first, {first.gibbsflow_id}: {first.message}"
