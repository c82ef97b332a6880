"""Which structures a generation of the learning loop labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.structures import read_frames, structure_id, write_frames
from gibbsflow.potential.explore import selection
from gibbsflow.potential.explore.embedding import Embedded, embed
from gibbsflow.potential.generators.generate import GENERATORS, start_types
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.state import LoopCheckpoint
from gibbsflow.potential.loop.trajectories import write_trajectories
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.seeds import derive_seed

if TYPE_CHECKING:
    from ase import Atoms

_T = TypeVar("_T")
_FATE_STATUS = {
    "over_budget": RowStatus.HELD,
    "nothing_new": RowStatus.HELD,
    "too_close": RowStatus.REJECTED,
    "force": RowStatus.REJECTED,
    "duplicate": RowStatus.REJECTED,
    "unknown_element": RowStatus.REJECTED,
}
_MADE_BY = ("strain_kind", "sigma_angstrom", "temperature_k")
"""In which ways structures of one generator are made."""
_METHOD_OF = {kind: method for method, row in GENERATORS.items() for kind in row.starts}
"""Generators by the types that they give."""
_WHOLE = tuple(kind for method in ("bulk", "sqs") for kind in GENERATORS[method].starts)
"""Types of crystals as they are."""
_CLOSED = (RowStatus.SCREENED, RowStatus.REJECTED)
"""What has such a status is no candidate again."""


def select(folder: Path, config: PotentialConfig, point: LoopCheckpoint) -> list[Atoms]:
    """Choose among what MD put up or, where none of it will do, what was set aside before; each gets its fate.

    Parameters
    ----------
    folder
        State folder with ``candidates.extxyz``, the potential and the database, which takes the fates.
    config
        Settings.
    point
        Where the loop stands.

    Returns
    -------
    list of Atoms
        Structures to label, within both budgets; none where nothing is new and sane.
    """
    path = folder / "candidates.extxyz"
    frames = read_frames(path) if path.exists() and path.stat().st_size else []
    manager = DatabaseManager(folder / loop_state.DATABASE)
    closed = {name for status in _CLOSED for name in ids_of(manager.frames(status))}
    frames = [frame for frame in frames if structure_id(frame) not in closed]
    labelled = manager.frames(RowStatus.LABELLED)
    settings = config.selection.in_loop()
    budget = min(settings.budget, config.convergence.max_labels - point.labels_made)
    chosen: list[Atoms] = []
    seed = derive_seed(point.seed, "select", point.generation)
    with selection.Selector(folder / loop_state.POTENTIAL, _named(labelled), settings) as selector:
        for offered in (frames, manager.frames(RowStatus.HELD)):
            decided = selector.choose(_named(offered), budget=budget, seed=seed)
            picked = [c.atoms for c in decided if c.fate == "selected"]
            boxes = embed(picked, selector.calculator, config.embedding, seed=seed, generation=point.generation + 1)
            figures = selection.figures(decided, len(labelled), budget, selector.notes)
            if config.embedding.largest_cell_atoms is not None:
                figures["embedding"] = boxes.figures()
            write_json(folder / "selection.json", figures)
            if chosen := _store(manager, decided, boxes, budget):
                break
    return chosen


def begin(
    folder: Path, config: PotentialConfig, manager: DatabaseManager, apart: Sequence[Atoms], generated: Sequence[Atoms]
) -> None:
    """Store what was generated, and write batches of the first labels and starts of the first exploration.

    Parameters
    ----------
    folder
        State folder of a campaign that begins.
    config
        Settings, which are written too; the budget of labels holds more than the hold-out.
    manager
        Its database.
    apart
        Structures of the hold-out, all of which are labelled.
    generated
        The others; those over the number of initial labels wait.
    """
    left = config.convergence.max_labels - len(apart)
    chosen = by_type(generated, min(config.loop.initial_labels, left))
    manager.add(apart)
    manager.add(chosen)
    manager.add(generated, RowStatus.HELD, "over the number of initial labels")
    config.write(folder / loop_state.CONFIG)
    write_frames(folder / loop_state.STARTS, starts_of(generated))
    loop_state.write_batches(folder, "holdout", apart, config.labels.batch_size)
    loop_state.write_batches(folder, "training", chosen, config.labels.batch_size)
    write_trajectories(folder, config, 0)


def starts_of(generated: Sequence[Atoms]) -> list[Atoms]:
    """Order what MD may start from: whole crystals, then defects, slabs and strained crystals in turn.

    Few trajectories would otherwise all be spent on strained crystals, and a surface or a defect that was asked for
    would never be met in MD.

    Parameters
    ----------
    generated
        First structures.

    Returns
    -------
    list of Atoms
        Without copies of defects and slabs that are rattled; all structures where none may begin MD.
    """
    own: dict[str, list[Atoms]] = {kind: [] for kind in start_types()}
    for frame in generated:
        if (kind := _starts_as(frame)) in own and "sigma_angstrom" not in frame.info:
            own[kind].append(frame)
    whole = [frame for kind in _WHOLE for frame in own.pop(kind)]
    strained = own.pop("strain")
    return whole + _in_turn([*own.values(), strained]) or list(generated)


def _starts_as(frame: Atoms) -> str:
    """Type by which MD may start: what a file calls by a word of its own (liquid) is one of its structures as others.

    Pairs and single atoms, whatever their name, and a molecule, which its normal modes stand for, begin nothing.
    """
    kind = str(frame.info["config_type"])
    given = frame.info.get("generator") == "parents" and len(frame) > 2
    return "bulk" if given and kind not in (*start_types(), *GENERATORS, "molecule") else kind


def _named(frames: Sequence[Atoms]) -> list[tuple[str, Atoms]]:
    return [(structure_id(frame), frame) for frame in frames]


def ids_of(frames: Sequence[Atoms]) -> list[str]:
    """Ids of structures.

    Parameters
    ----------
    frames
        Structures.

    Returns
    -------
    list of str
        ``gibbsflow_id`` of each.
    """
    return [structure_id(frame) for frame in frames]


def _store(
    manager: DatabaseManager, decided: Sequence[selection.Candidate], boxes: Embedded, budget: int
) -> list[Atoms]:
    """Put every candidate into the database with its fate; return those to label, boxes in place of large cells."""
    chosen = boxes.frames[:budget]
    there = {structure_id(frame) for frame in manager.frames(RowStatus.LABELLED)}
    chosen = [frame for frame in chosen if structure_id(frame) not in there]
    new = set(manager.add(chosen))
    manager.move([name for name in ids_of(chosen) if name not in new], RowStatus.PENDING, "selected")
    manager.add(boxes.frames[budget:], RowStatus.HELD, "over_budget")
    _set_aside(manager, boxes.replaced, "embedded")
    _set_aside(manager, [atoms for atoms, _ in boxes.refused], "too_large")
    for fate, status in _FATE_STATUS.items():
        manager.add([c.atoms for c in decided if c.fate == fate], status, fate)
    return chosen


def _set_aside(manager: DatabaseManager, frames: Sequence[Atoms], cause: str) -> None:
    """Reject structures that are too large to be labelled, also those that were held before."""
    manager.add(frames, RowStatus.REJECTED, cause)
    held = set(ids_of(manager.frames(RowStatus.HELD)))
    manager.move([name for name in ids_of(frames) if name in held], RowStatus.REJECTED, cause)


def spread(frames: Sequence[Atoms], count: int) -> list[Atoms]:
    """At most so many frames, evenly spread over all.

    Parameters
    ----------
    frames
        In their order.
    count
        Frames at most.

    Returns
    -------
    list of Atoms
        With the first; in the same order.
    """
    step = max(len(frames) / count, 1.0)
    return [frames[int(k * step)] for k in range(min(count, len(frames)))]


def by_type(frames: Sequence[Atoms], count: int) -> list[Atoms]:
    """At most so many frames, dealt out in turn over the generators.

    Within a generator its config types take turns (vacancies and antisites), so that many kinds of defects do not take
    the place of strains and displacements, by which elastic constants and phonons come out right. Within a type, what
    was made in different ways takes turns: kinds of strain, sizes of displacements, temperatures; of each the parents
    (of pairs the elements), of which every next kind begins with the next; of each parent the first structure, the
    last, then those between, so that the ends of a range are in. The first so many of a list would be volumes of one
    parent and no shear, distances of one pair and of no other.

    Parameters
    ----------
    frames
        Structures with ``config_type``; at least one.
    count
        Frames at most.

    Returns
    -------
    list of Atoms
        In the same order.
    """
    kinds: dict[str, dict[tuple[object, ...], dict[str, list[int]]]] = {}
    for number, frame in enumerate(frames):
        made = tuple(frame.info.get(key) for key in _MADE_BY)
        parents = kinds.setdefault(str(frame.info["config_type"]), {}).setdefault(made, {})
        parents.setdefault(_parent(frame), []).append(number)
    turns: dict[str, list[list[int]]] = {}
    for kind, ways in kinds.items():
        own = _in_turn([_of_parents(own, first) for first, own in enumerate(ways.values())])
        turns.setdefault(_METHOD_OF.get(kind, kind), []).append(own)
    return [frames[k] for k in sorted(_in_turn([_in_turn(own) for own in turns.values()])[:count])]


def _parent(frame: Atoms) -> str:
    """Parent of a structure; of pairs and others that have none, their elements."""
    parent = str(frame.info.get("parent"))
    return frame.get_chemical_formula() if parent == structure_id(frame) else parent


def _of_parents(numbers: Mapping[str, Sequence[int]], first: int) -> list[int]:
    """Deal out the structures of parents, beginning with the one of that number."""
    parents = [_outside_in(own) for own in numbers.values()]
    first %= len(parents)
    return _in_turn([*parents[first:], *parents[:first]])


def _in_turn(lists: Sequence[Sequence[_T]]) -> list[_T]:
    return [own[k] for k in range(max(map(len, lists))) for own in lists if k < len(own)]


def _outside_in(numbers: Sequence[int]) -> list[int]:
    """Order a list so that its beginning, however long, is spread over all of it."""
    last = len(numbers) - 1
    order, between = ([0, last] if last else [0]), [(0, last)]
    for low, high in between:  # grows as it is gone through: halves come after all that are as wide
        if high - low > 1:
            middle = (low + high) // 2
            order.append(middle)
            between += [(low, middle), (middle, high)]
    return [numbers[k] for k in order]
