"""SELECT to LABEL: a surrogate looks at what a generation would label; the hold-out it does not look at.

What is left out keeps its row, with its cause, and is no candidate again. Where all is left out, what was set aside is
offered in its place, until something passes or nothing is left.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.config.potential_training import Surrogate
from gibbsflow.errors import ScienceError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.structures import read_frames, structure_id
from gibbsflow.potential.explore.screening import screen as screening
from gibbsflow.potential.explore.screening.screen import Screened
from gibbsflow.potential.explore.screening.surrogates import SurrogateModel, make_surrogate
from gibbsflow.potential.loop import label_doubts, stopping
from gibbsflow.potential.loop import select as selection_step
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.state import LoopCheckpoint, Phase
from gibbsflow.workflow.files import inputs_hash, write_json
from gibbsflow.workflow.state.segments import Stopper

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
SCREENING = "screening.json"
"""In a state folder: what became of each structure that was offered, and why."""
CAUSES = {"screened": "surrogate", "relaxed": "relaxed"}
"""In the database, why a structure is not labelled as it was: left out, or relaxed to another one."""
_NOT_COPIED = ("command.json", "command.log", "result.json", SCREENING)


def screen_state(
    folder: Path, config: PotentialConfig, out: Path, *, state: Path | None = None, stopper: Stopper | None = None
) -> dict[str, Any]:
    """Take a state through its screening.

    Parameters
    ----------
    folder
        State folder whose structures wait for their labels; one that has stopped, or was screened by the same model
        and limits, is handed on as it is.
    config
        Settings, with the surrogate's file as it can be opened from here.
    out
        State folder to make.
    state
        Folder in which the model's figures are kept; default: nowhere.
    stopper
        Says when to stop.

    Returns
    -------
    dict
        What ``screening.json`` holds: ``generation, surrogate, identity, structures, fates{}, records[], notes[]``;
        empty where nothing was looked at.

    Raises
    ------
    InputError
        For a surrogate that cannot be had.
    ScienceError
        Where nothing is left to label in a first generation.
    StoppedEarly
        After a signal: the same call goes on from `state`.
    """
    point = LoopCheckpoint.read(folder)
    loop_state.clear(out)
    shutil.copytree(folder, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    (out / SCREENING).unlink(missing_ok=True)
    if config.surrogate.model == "none" or point.phase is Phase.STOPPED:
        return {}
    potential = None
    if config.surrogate.model == "last_generation":
        potential = out / loop_state.POTENTIAL
        if not potential.is_dir():
            said = f"generation {point.generation}: no potential yet, so that none of its structures was screened"
            label_doubts.add_note(out, said)
            log.info("%s", said)
            return {"generation": point.generation, "structures": 0, "fates": {}, "records": [], "notes": [said]}
    stopper = stopper or Stopper()
    with closing(make_surrogate(config.surrogate, config.target.elements, potential, check=stopper.check)) as model:
        key = _key(config.surrogate, model)
        if any((old["generation"], old["key"]) == (point.generation, key) for old in point.screenings):
            return {}
        found, going = _until_one_passes(out, config, point, model, state, stopper)
        told = {"generation": point.generation, **screening.figures(found, model)}
    entry = {
        "generation": point.generation, "surrogate": model.name, "key": key, "offered": len(found),
        **{fate: told["fates"].get(fate, 0) for fate in ("kept", "relaxed", "screened", "unknown")},
    }  # fmt: skip
    write_json(out / SCREENING, told)
    for note in told["notes"]:
        label_doubts.add_note(out, f"generation {point.generation}: {note}")
    _write(out, config, replace(point, screenings=(*point.screenings, entry)), going)
    return told


def _key(settings: Surrogate, model: SurrogateModel) -> str:
    own = settings.model_dump(mode="json", exclude={"pair_file", "potential"})
    return inputs_hash(files={}, settings={**own, "identity": model.identity}, physics=screening.PHYSICS)[:16]


def _until_one_passes(
    out: Path, config: PotentialConfig, point: LoopCheckpoint, model: SurrogateModel, state: Path | None,
    stopper: Stopper,
) -> tuple[list[Screened], list[Atoms]]:  # fmt: skip
    """Fates of all that was offered, and what goes on to its label."""
    manager = DatabaseManager(out / loop_state.DATABASE)
    offered = _waiting(out, point)
    found: list[Screened] = []
    going: list[Atoms] = []
    while offered and not going:
        fates = screening.screen(offered, model, config.surrogate, state=state, stopper=stopper)
        going = _settle(manager, fates)
        found += fates
        offered = [] if going else _set_aside_before(out, config, point, manager)
    return found, going


def _waiting(out: Path, point: LoopCheckpoint) -> list[Atoms]:
    frames = [frame for path in loop_state.batches(out) for frame in read_frames(path)]
    return [frame for frame in frames if structure_id(frame) not in point.holdout]


def _settle(manager: DatabaseManager, fates: Sequence[Screened]) -> list[Atoms]:
    """Give each structure its status; return what is labelled, a relaxed one in place of the one it was made from."""
    going = []
    for one in fates:
        if (cause := CAUSES.get(one.fate)) is None:
            going.append(one.atoms)
            continue
        becomes = f"; labelled as {structure_id(one.atoms)}" if one.fate == "relaxed" else ""
        manager.move([structure_id(one.given)], RowStatus.SCREENED, f"{one.reason}{becomes}", cause=cause)
        if becomes and manager.add([one.atoms]):
            going.append(one.atoms)
    return going


def _set_aside_before(
    out: Path, config: PotentialConfig, point: LoopCheckpoint, manager: DatabaseManager
) -> list[Atoms]:
    """What is offered next where all was left out."""
    if (out / "candidates.extxyz").exists() and (out / loop_state.POTENTIAL).is_dir():
        return selection_step.select(out, config, replace(point, generation=point.generation - 1))
    held = manager.frames(RowStatus.HELD)
    chosen = selection_step.by_type(held, config.loop.initial_labels) if held else []
    manager.move(selection_step.ids_of(chosen), RowStatus.PENDING, "those before it were left out by the surrogate")
    return chosen


def _write(out: Path, config: PotentialConfig, point: LoopCheckpoint, going: Sequence[Atoms]) -> None:
    """Write batches of what is left, or stop."""
    entry = point.screenings[-1]
    counts = ", ".join(f"{count} {fate}" for fate, count in Counter(entry).items() if fate in (*CAUSES, "kept"))
    log.info("generation %d, %s: %s of %d", point.generation, entry["surrogate"], counts, entry["offered"])
    if going:
        paths = loop_state.batches(out)
        apart = [f for path in paths for f in read_frames(path) if structure_id(f) in point.holdout]
        for path in paths:
            path.unlink()
        loop_state.write_batches(out, "holdout", apart, config.labels.batch_size)
        loop_state.write_batches(out, "training", going, config.labels.batch_size)
        point.write(out)
        return
    reason = f"{entry['surrogate']} leaves out all {entry['offered']} structures that could be labelled"
    if not point.history:
        right = f"See {SCREENING} and section surrogate: larger limits, or another model."
        raise ScienceError(f"generation {point.generation}: {reason}", what_to_do=right)
    shutil.rmtree(out / loop_state.BATCHES)
    last = f"{reason}: {point.reason}" if point.reason else reason
    point.to(Phase.STOPPED, generation=point.generation - 1, stopped_by=stopping.NOTHING_NEW, reason=last).write(out)
