"""A campaign that goes on from an old one with more elements, another target or other temperatures: its labels count.

A label of settings with fewer elements is one of settings with more where all that is computed of its structure is the
same. The key of the settings, which holds all elements, is then another, and the old labels get the new one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gibbsflow.config.potential import Target
from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError, MissingProgramError, Problem
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.labels import LabelResult, require_one_settings_hash
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.generators.generate import generate
from gibbsflow.potential.label.engines import ENGINES
from gibbsflow.potential.label.pseudopotentials import pseudo_table
from gibbsflow.potential.loop import label_doubts
from gibbsflow.potential.loop import select as selection_step
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.state import LoopCheckpoint, Phase
from gibbsflow.workflow.files import read_json, write_json

log = logging.getLogger(__name__)
REUSED = "reused_labels.json"
"""In a state folder: the key of the labels that an earlier campaign made, and what became of it."""
_FREE = ("engine_because", "pw_command", "pseudo_dir", "electron_maxstep", "mixing_beta", "diagonalization")
_TEMPERATURES = ("thermal_temperatures_k", "mode_temperatures_k")


def require_same_labels(before: PotentialConfig, now: PotentialConfig, folder: Path) -> None:
    """Refuse settings under which a structure's label would be another.

    Parameters
    ----------
    before, now
        Settings of the labels that are there, and from here on.
    folder
        Where the former come from, for messages.

    Raises
    ------
    InputError
        For other DFT settings, elements that are gone, and new ones whose pseudopotentials need other cutoffs.
    """
    old, new = before.dft.model_dump(mode="json"), now.dft.model_dump(mode="json")
    first, then = before.target.elements, now.target.elements
    changed = []
    for key in old:
        if key in _FREE or old[key] == new.get(key):
            continue
        if (
            isinstance(old[key], dict)
            and {**new[key], **old[key]} == new[key]
            and not (new[key].keys() & {*first}) - (old[key].keys())
        ):
            continue  # of new elements alone
        changed.append(f"{key}: {old[key]} -> {new.get(key)}")
    if not set(first) <= set(then):
        changed.append(f"elements: {first} -> {then}, where elements may only be added")
    right = "the settings that the labels of that generation were made with"
    if not changed and set(first) < set(then) and before.dft.engine == "quantum_espresso":
        cutoffs = [
            pseudo_table.cutoffs_ry(pseudo_table.choose(elements, settings.dft), settings.dft)
            for elements, settings in ((first, before), (then, now))
        ]
        if cutoffs[0] != cutoffs[1]:
            told = [f"{wfc:g} and {rho:g} Ry" for wfc, rho in cutoffs]
            changed.append(f"cutoffs of {', '.join(first)} were {told[0]}, those of {', '.join(then)} are {told[1]}")
            right = "labels of one cutoff: made anew, or with cutoffs that were given for all elements from the start"
    if changed:
        raise InputError(Problem(str(folder), f"other DFT settings ({'; '.join(changed)})", right, field="dft"))


def require_same_key(key: str | None, before: PotentialConfig, now: PotentialConfig, folder: Path) -> str:
    """Refuse labels whose key is not what the engine gives today for their elements.

    The same words in the settings may mean another file of a pseudopotential, or another version of the data.

    Parameters
    ----------
    key
        Of the labels that are there.
    before, now
        Settings of the labels that are there, and from here on.
    folder
        Where the former come from, for messages.

    Returns
    -------
    str
        Empty, or why it could not be looked at here.

    Raises
    ------
    InputError
        Where the keys are two.
    """
    try:
        today = ENGINES[now.dft.engine].key(before.target.elements, now.dft)
    except (MissingProgramError, InputError) as error:
        # the loop may decide on a machine that makes no labels
        return f"whether labels of {key} would be the same today was not looked at: {error}"
    if key != today:
        what = f"labels of {key}, and the same settings are {today} today: another pseudopotential, or other data"
        raise InputError(Problem(str(folder), what, "the files that those labels were made with", field="dft"))
    return ""


def news(before: PotentialConfig, now: PotentialConfig) -> list[str]:
    """Name what asks for structures that an old campaign has not made.

    Parameters
    ----------
    before, now
        Settings of the old campaign, and from here on.

    Returns
    -------
    list of str
        Elements, target and temperatures that are others; empty where the old campaign just goes on.
    """
    found = []
    added = [symbol for symbol in now.target.elements if symbol not in before.target.elements]
    if added:
        found.append(f"new elements {', '.join(added)}")
    old, new = (_comparable(config.target) for config in (before, now))
    if changed := [key for key in new if old[key] != new[key] and key != "elements" and not added]:
        found.append(f"another target ({', '.join(changed)})")
    for key in _TEMPERATURES:
        was, now_is = getattr(before.generator, key), getattr(now.generator, key)
        if was != now_is and key == ("mode_temperatures_k" if now.target.molecule else "thermal_temperatures_k"):
            words = ["-".join(f"{kelvin:g}" for kelvin in values) for values in (was, now_is)]
            found.append(f"temperatures {words[1]} K in place of {words[0]} K")
    return found


def extend(
    folder: Path, before: LoopCheckpoint, config: PotentialConfig, target: Target, why: Sequence[str], out: Path
) -> None:
    """Begin a campaign that has all labels of an old one, and generates what is new.

    The hold-out is the old one, and what another sampler makes of the new target. Generations are counted anew, since
    errors on another hold-out cannot be compared.

    Parameters
    ----------
    folder
        ``generation_NN/`` of the old campaign.
    before
        Its checkpoint.
    config
        Settings from here on.
    target
        Section ``target``, with the structure file as it can be opened from here.
    why
        What is new, in words.
    out
        State folder to make.

    Raises
    ------
    InputError
        Where nothing new can be generated, the budget of labels does not hold the hold-out, or the labels that are
        there would have another key today, or may have where elements are added.
    """
    loop_state.copy_state(folder, out, (loop_state.DATABASE,))
    manager = DatabaseManager(out / loop_state.DATABASE)
    labelled = manager.frames(RowStatus.LABELLED)
    key = require_one_settings_hash(labelled, where=str(folder))
    earlier = PotentialConfig.model_validate(read_json(folder / loop_state.CONFIG))
    unsure = require_same_key(key, earlier, config, folder)
    added = sorted({*config.target.elements} - {*earlier.target.elements})
    if unsure and added:
        right = "files and packages of the engine, which tell whether old and new labels are of the same settings"
        raise InputError(Problem(str(folder), unsure, right, field="dft"))
    key_then = ENGINES[config.dft.engine].key(config.target.elements, config.dft) if added else key
    manager.move(
        [structure_id(frame) for frame in manager.frames(RowStatus.PENDING)], RowStatus.HELD,
        "was waiting in the campaign before",
    )  # fmt: skip
    known = {structure_id(frame) for frame in manager.frames()}
    both = {holdout: generate(target, config.generator, holdout=holdout) for holdout in (True, False)}
    made = {
        holdout: [frame for frame in those.frames if structure_id(frame) not in known]
        for holdout, those in both.items()
    }
    apart = selection_step.spread(made[True], config.loop.holdout_labels) if made[True] else []
    names = {structure_id(frame) for frame in apart}
    generated = [frame for frame in made[False] if structure_id(frame) not in names]
    left = config.convergence.max_labels - len(apart)
    if not generated or left < 1:
        what = f"{len(generated)} new structures, and {left} labels beside a hold-out of {len(apart)}"
        right = "a target or temperatures that the old campaign did not have, and a larger convergence.max_labels"
        raise InputError(Problem(str(folder), what, right))
    selection_step.begin(out, config, manager, apart, generated)
    label_doubts.hand_on(folder, out)
    said = f"{len(labelled)} labels of an earlier campaign are reused ({key}); new here: {', '.join(why)}"
    for sentence in filter(None, (said, unsure)):
        label_doubts.add_note(out, sentence)
        log.info("%s", sentence)
    for sentence in dict.fromkeys(note for those in both.values() for note in those.notes):
        label_doubts.add_note(out, sentence)
    told = {"key": key, "key_then": key_then, "labels": len(labelled), "why": list(why), "added": added}
    write_json(out / REUSED, told)
    point = LoopCheckpoint(0, Phase.GENERATE, config.loop.seed).to(Phase.SELECT)
    point.to(Phase.LABEL, holdout=(*before.holdout, *selection_step.ids_of(apart))).write(out)


def take_over(folder: Path, manager: DatabaseManager, results: Sequence[LabelResult], out: Path) -> None:
    """Give the labels of an old campaign the key of new ones with more elements, the first time that such come in.

    A key that is not the one expected for these elements is one of other settings or of other pseudopotentials, and is
    left for the data set to refuse.

    Parameters
    ----------
    folder
        State folder, perhaps with `REUSED`.
    manager
        Its database.
    results
        Labels that come in.
    out
        Next state folder; gets `REUSED` with what became of the key.
    """
    path = folder / REUSED
    if not path.exists():
        return
    told: dict[str, Any] = dict(read_json(path))
    keys = {result.settings_hash for result in results if result.status == RowStatus.LABELLED}
    if told.get("as") is None and keys == {told.get("key_then")} != {told["key"]}:
        told["as"] = told["key_then"]
        moved = manager.rekey(told["key"], told["as"], "the same settings, with more elements")
        log.info(
            "%d labels of %s are labels of %s: the same settings, with more elements", moved, told["key"], told["as"]
        )
    write_json(out / REUSED, told)


def hand_on(source: Path, target: Path) -> None:
    """Hand the record of reused labels on to the next state.

    Parameters
    ----------
    source, target
        State folders.
    """
    if (source / REUSED).exists() and source.resolve() != target.resolve():
        loop_state.copy_state(source, target, (REUSED,))


def _comparable(target: Target) -> dict[str, Any]:
    """A target, whose structure file is known by its name: each campaign has a copy."""
    told = target.model_dump(mode="json")
    return {**told, "structure_file": Path(told["structure_file"]).name if told["structure_file"] else None}
