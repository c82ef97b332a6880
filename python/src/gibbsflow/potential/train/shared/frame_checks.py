"""Checks of labelled frames that need no model: zeros that are placeholders, isolated atoms, twins, ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gibbsflow.errors import Problem
from gibbsflow.potential.data.labelled_frames import LabelledFrame, enter, rows_in_words
from gibbsflow.potential.data.neighbours import pairs_within
from gibbsflow.potential.data.structures import content_hash
from gibbsflow.potential.data.twins import twins
from gibbsflow.potential.train.shared.simple_model import REACH_ANGSTROM
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account

FEW_FRAMES = 5
"""Fewer frames than this are fitted with a warning."""
SAME_REFERENCE_EV = 1e-3
"""Energies of isolated atoms of one element that differ by more are two references."""
BINDING_EV_PER_ATOM = (-15.0, 5.0)
"""The median energy an atom, against isolated atoms, of anything that is bound."""
_ZERO = 1e-9
# of a sum over neighbours of unit vectors times (1 - r/5.5 Å)²: displacements by some hundredths of an Å give more
_UNBALANCED = 0.02
_COMMON_SHARE, _TWINS_SHARE = 0.1, 0.25
_LOOKED_AT = 200
_FAR = 8.0


def look_through(frames: Sequence[LabelledFrame], account: Account, *, train: bool) -> None:
    """Look through the frames of one file.

    Parameters
    ----------
    frames
        As read.
    account
        Of the file; gets doubts, and the facts ``ranges``, ``twins`` and ``outliers``.
    train
        Whether they are fitted to: then it also matters how many there are.
    """
    account.facts["ranges"] = ranges(frames)
    _placeholders(frames, account)
    references([(account.where, frames)], account)
    _outliers(frames, account)
    if not train:
        return
    pairs = twins(frames)
    account.facts["twins"] = len(pairs)
    if pairs:
        few = ", ".join(f"{frames[j].row} is {frames[i].row}" for i, j in pairs[:5])
        account.note(f"{len(pairs)} frames are earlier ones shifted, turned or reordered ({few})")
    solid = [frame for frame in frames if not frame.isolated]
    if solid and all(_still(frame) for frame in solid) and len({_shape(frame) for frame in solid}) == 1:
        account.refuse(
            f"{_frames(len(solid))} of one perfect structure, all forces zero: nothing tells how the energy changes",
            "displaced, strained or hot structures as well",
        )
    elif 0 < len(solid) < FEW_FRAMES:
        account.warn(
            f"{_frames(len(solid))} to fit to: validation and the grade say little",
            f"at least {FEW_FRAMES} structures, better a hundred",
        )
    elif frames and not solid:
        account.refuse("isolated atoms, and nothing else", "structures of several atoms")


def references(files: Sequence[tuple[str, Sequence[LabelledFrame]]], account: Account) -> None:
    """Refuse two references of one element, and structures that isolated atoms cannot have bound.

    Parameters
    ----------
    files
        File and frames of each set.
    account
        Gets doubts.
    """
    seen: dict[str, tuple[float, str, int]] = {}
    problems = []
    for where, frames in files:
        for frame in (one for one in frames if one.isolated and one.weights.energy > 0):
            symbol = str(frame.atoms.symbols[0])
            energy, other, row = seen.setdefault(symbol, (frame.energy_ev, where, frame.row))
            if abs(energy - frame.energy_ev) > SAME_REFERENCE_EV:
                place = f"frame {row}" + (f" of {other}" if other != where else "")
                what = f"an isolated {symbol} of {frame.energy_ev:.6g} eV, and of {energy:.6g} eV in {place}"
                problems.append(Problem(where, what, "one energy an element", row=frame.row, field="energy"))
    enter(account, problems)
    bound = [
        (frame.energy_ev - sum(seen[s][0] for s in frame.atoms.get_chemical_symbols())) / len(frame.atoms)
        for _, frames in files for frame in frames
        if not frame.isolated and all(s in seen for s in frame.atoms.get_chemical_symbols())
    ]  # fmt: skip
    low, high = BINDING_EV_PER_ATOM
    if bound and not low <= (median := float(np.median(bound))) <= high:
        account.warn(
            f"the energy of binding from isolated atoms is {median:+.3g} eV/atom in the median",
            "isolated atoms and structures of one level of theory, on one zero", field="energy",
        )  # fmt: skip


def ranges(frames: Sequence[LabelledFrame]) -> dict[str, Any]:
    """Give the ranges of labels.

    Parameters
    ----------
    frames
        Of one file.

    Returns
    -------
    dict
        Lowest, median and highest ``energy_ev_per_atom`` without isolated atoms, ``largest_force_ev_per_angstrom``,
        ``largest_stress_gpa`` (None where there is none), ``atoms_per_frame``, frames by ``config_type``.
    """
    solid = [frame for frame in frames if not frame.isolated]
    energies = [frame.energy_ev / len(frame.atoms) for frame in solid if frame.weights.energy > 0]
    stresses = [np.abs(f.stress_ev_per_angstrom3).max() for f in frames if f.stress_ev_per_angstrom3 is not None]
    sizes = [len(frame.atoms) for frame in frames]
    kinds: dict[str, int] = {}
    for frame in frames:
        kinds[frame.config_type] = kinds.get(frame.config_type, 0) + 1
    return {
        "energy_ev_per_atom": [float(f(energies)) for f in (np.min, np.median, np.max)] if energies else None,
        "largest_force_ev_per_angstrom": max((_largest(frame) for frame in frames), default=None),
        "largest_stress_gpa": 160.21766208 * float(max(stresses)) if stresses else None,
        "atoms_per_frame": [min(sizes), max(sizes)] if sizes else None,
        "config_types": kinds,
    }


def check_pair(
    train: Sequence[LabelledFrame], test: Sequence[LabelledFrame], account: Account, *, train_name: str = "training"
) -> list[LabelledFrame]:
    """Check that a test set can be predicted from a training set, and is none of it.

    Parameters
    ----------
    train, test
        Frames of the two sets, as read.
    account
        Of the test set; gets refusals for elements that training lacks, a test set that is largely training's, and
        labels of different settings or references.
    train_name
        File of the training set, for messages.

    Returns
    -------
    list of LabelledFrame
        The training frames, without the few that the test set has too.
    """
    known = {s for frame in train for s in frame.atoms.get_chemical_symbols()}
    problems = []
    where = account.where
    trained = {content_hash(frame.atoms): k for k, frame in enumerate(train)}
    same = {j: trained[key] for j, one in enumerate(test) if (key := content_hash(one.atoms)) in trained}
    common = {j: i for j, i in same.items() if not test[j].isolated}
    alike = {j: i for i, j in twins(train, test) if j not in same and not test[j].isolated}
    few, few_alike = len(common) <= _COMMON_SHARE * len(test), len(alike) <= _TWINS_SHARE * len(test)
    settings = {frame.settings_hash for frame in train}
    for j, frame in enumerate(test):
        alien = sorted(set(frame.atoms.get_chemical_symbols()) - known)
        if alien:
            right = f"only {', '.join(sorted(known))}, which the training set has"
            problems.append(Problem(where, f"holds {', '.join(alien)}", right, row=frame.row, field="species"))
        if not few and j in common:
            what = f"is frame {train[common[j]].row} of the training set"
            problems.append(Problem(where, what, "frames of its own", row=frame.row))
        if not few_alike and j in alike:
            what = f"is frame {train[alike[j]].row} of the training set, shifted, turned or reordered"
            problems.append(Problem(where, what, "frames of its own", row=frame.row))
        if frame.settings_hash and settings != {frame.settings_hash} and "" not in settings:
            what = f"{frame.settings_hash[:12]!r}, training {', '.join(sorted(s[:12] for s in settings))!r}"
            problems.append(Problem(where, what, "labels of one setting", row=frame.row, field="settings_hash"))
    enter(account, problems)
    if [frame for frame in test if frame.isolated]:
        own = {str(f.atoms.symbols[0]): f for f in train if f.isolated}
        references([(train_name, list(own.values())), (where, [f for f in test if f.isolated])], account)
    out = {i for j, i in common.items()} if few else set()
    account.facts |= {"in_training_too": len(common), "twins_in_training": len(alike)}
    if alike and few_alike:
        rows = [test[j].row for j in sorted(alike)]
        account.note(f"{rows_in_words(rows)} are in {train_name} too, shifted, turned or reordered")
    if out:
        rows = sorted(train[i].row for i in out)
        account.note(f"{rows_in_words(rows)} of {train_name} are in the test set too: left out of training")
    return [frame for i, frame in enumerate(train) if i not in out]


def _placeholders(frames: Sequence[LabelledFrame], account: Account) -> None:
    """Zeros that nobody computed: energies, forces where neighbours are not balanced, stresses."""
    bonded = [frame for frame in frames if not frame.isolated]
    zero = [f for f in bonded if abs(f.energy_ev) < _ZERO and f.weights.energy > 0][:_LOOKED_AT]
    empty = [frame.row for frame in zero if _unbalance(frame) is not None]
    _say_zeros(account, "energy", empty, len(bonded), "config_weight or energy_weight 0")
    still = [f for f in bonded if _still(f) and f.force_mask.any()][:_LOOKED_AT]
    unbalanced = [frame.row for frame in still if (_unbalance(frame) or 0.0) > _UNBALANCED]
    if unbalanced:
        account.refuse(
            f"all forces are zero in {rows_in_words(unbalanced)}, whose atoms are not in balanced places",
            "their forces, or forces_weight 0", row=unbalanced[0], field="forces",
        )  # fmt: skip
    stressed = [f for f in bonded if f.stress_ev_per_angstrom3 is not None]
    none = [f for f in stressed if np.abs(_array(f)).max() < _ZERO][:_LOOKED_AT]
    _say_zeros(account, "stress", [f.row for f in none if _unbalance(f) is not None], len(stressed), "stress_weight 0")


def _say_zeros(account: Account, kind: str, rows: Sequence[int], count: int, weight: str) -> None:
    if not rows:
        return
    what = f"{kind} is exactly zero in {rows_in_words(rows)} of {count}"
    right = f"what was computed, or {weight} where nothing was"
    if len(rows) > 1 or count == 1:
        account.refuse(what, right, row=rows[0], field=kind)
    else:
        account.warn(what, right, row=rows[0], field=kind)


def _unbalance(frame: LabelledFrame) -> float | None:
    """Largest sum of weighted unit vectors to an atom's neighbours; None where no atom has one."""
    first, _, distance, vector = pairs_within(frame.atoms, REACH_ANGSTROM)
    if not len(first):
        return None
    pull = vector * ((1 - distance / REACH_ANGSTROM) ** 2 / np.maximum(distance, 1e-9))[:, None]
    sums = np.array([np.bincount(first, pull[:, axis], minlength=len(frame.atoms)) for axis in range(3)])
    return float(np.linalg.norm(sums, axis=0).max())


def _outliers(frames: Sequence[LabelledFrame], account: Account) -> None:
    solid = [frame for frame in frames if not frame.isolated]
    if len(solid) < 2 * FEW_FRAMES:
        return
    sizes = np.log10([max(_largest(frame), 1e-3) for frame in solid])
    limit = np.median(sizes) + _FAR * 1.4826 * max(float(np.median(np.abs(sizes - np.median(sizes)))), 0.05)
    rows = [frame.row for frame, size in zip(solid, sizes, strict=True) if size > limit]
    account.facts["outliers"] = rows
    if rows:
        account.note(f"outliers: the largest force of {rows_in_words(rows)} is far above that of others")


def _frames(count: int) -> str:
    return f"{count} frame{'s' * (count > 1)}"


def _still(frame: LabelledFrame) -> bool:
    return _largest(frame) < 1e-7


def _largest(frame: LabelledFrame) -> float:
    return float(np.abs(frame.forces_ev_per_angstrom).max(initial=0.0))


def _shape(frame: LabelledFrame) -> tuple[str, float]:
    volume = frame.atoms.get_volume() / len(frame.atoms) if frame.atoms.pbc.all() else 0.0
    return frame.atoms.get_chemical_formula(empirical=True), round(volume, 4)


def _array(frame: LabelledFrame) -> Floats:
    return np.asarray(frame.stress_ev_per_angstrom3)
