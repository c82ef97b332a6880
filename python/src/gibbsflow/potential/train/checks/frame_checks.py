"""Checks of labelled frames that need no model: zeros that are placeholders, isolated atoms, twins, ranges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from ase.data import covalent_radii

from gibbsflow.errors import Problem
from gibbsflow.potential.data.labelled_frames import LabelledFrame, enter, rows_in_words
from gibbsflow.potential.data.neighbours import pairs_within
from gibbsflow.potential.data.structures import content_hash
from gibbsflow.potential.data.twins import supercells, twins
from gibbsflow.potential.train.checks.simple_model import REACH_ANGSTROM
from gibbsflow.units import DEVIATIONS_PER_MAD, Floats
from gibbsflow.workflow.account import Account

FEW_FRAMES = 5
"""Fewer frames than this are fitted with a warning."""
FEW_ATOMS = 10
"""And elements of fewer atoms."""
SAME_REFERENCE_EV = 1e-3
"""Energies of isolated atoms of one element that differ by more are two references."""
BINDING_EV_PER_ATOM = (-15.0, 5.0)
"""The median energy an atom, against isolated atoms, of anything that is bound."""
_ZERO = 1e-9
# of the sum of covalent radii: two atoms in one place; closer than any solid's under pressure
_ONE_PLACE, _CLOSE = 0.2, 0.45
_BOND_ANGSTROM = 4.0
# gap at an open face, in bond lengths, below which a crystal goes on beyond it
_GAP_BONDS = 1.4
_SAME_ENERGIES, _SAME_SHARE = 3, 0.05
# of a sum over neighbours of unit vectors times (1 - r/5.5 Å)²: displacements by some hundredths of an Å give more
_UNBALANCED = 0.02
_COMMON_SHARE, _TWINS_SHARE = 0.1, 0.25
_LARGEST_SHARE = 0.75
_FORCE = 0.05
# less than that is rounding of positions: symmetry forbids shear
_SHEARED = 1e-4
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
    _close_atoms(frames, account)
    _placeholders(frames, account)
    _repeated_numbers(frames, account)
    _open_cells(frames, account)
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
    if (
        solid
        and all(frame.force_mask.any() and _still(frame) for frame in solid)
        and len({_shape(frame) for frame in solid}) == 1
    ):
        account.refuse(
            f"{_frames(len(solid))} of one perfect structure, all forces zero: nothing tells how the energy changes",
            "displaced, strained or hot structures as well",
        )
    elif solid and not any(frame.force_mask.any() for frame in solid):
        account.warn(
            f"{_frames(len(solid))} to fit to by their energies alone: one number each",
            "forces of some frames at least: three numbers an atom",
            field="forces",
        )
    elif 0 < len(solid) < FEW_FRAMES:
        account.warn(
            f"{_frames(len(solid))} to fit to: validation and the grade say little",
            f"at least {FEW_FRAMES} structures, better a hundred",
        )
    elif frames and not solid:
        account.refuse("isolated atoms, and nothing else", "structures of several atoms")
    else:
        _rare_elements(solid, account)


def rare_elements(frames: Sequence[LabelledFrame]) -> dict[str, int]:
    """Find elements of which hardly anything can be learnt.

    Parameters
    ----------
    frames
        Labelled frames.

    Returns
    -------
    dict
        Atoms of each element of fewer than :data:`FEW_ATOMS`, those alone in free space apart.
    """
    counts: Counter[str] = Counter()
    for frame in frames:
        symbols = frame.atoms.get_chemical_symbols()
        counts.update(dict.fromkeys(symbols, 0) if frame.isolated else symbols)
    return {symbol: count for symbol, count in sorted(counts.items()) if count < FEW_ATOMS}


def _rare_elements(frames: Sequence[LabelledFrame], account: Account) -> None:
    """Warn of elements whose active set has so few axes that hardly anything lies outside of it."""
    rare = [f"{symbol} ({count})" for symbol, count in rare_elements(frames).items()]
    if rare:
        account.warn(
            f"few atoms of {', '.join(rare)} in {_frames(len(frames))}: forces on them are hardly known, and to the "
            "grade they are unknown wherever they are",
            f"at least {FEW_ATOMS} atoms of each element, better hundreds",
        )


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
    bonded = {s for _, frames in files for f in frames if not f.isolated for s in f.atoms.get_chemical_symbols()}
    if bonded and (only := sorted(set(seen) - bonded)):
        account.warn(f"{', '.join(only)} only as isolated atoms", "structures of all elements", field="species")
    if seen and (lacking := sorted(bonded - set(seen))):
        account.note(f"isolated atoms of {', '.join(seen)}, none of {', '.join(lacking)}: references by least squares")
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
) -> tuple[list[LabelledFrame], list[LabelledFrame]]:
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
    train : list of LabelledFrame
        The training frames, without the few that the test set has too.
    test : list of LabelledFrame
        The test frames, without the few that show a training frame shifted, turned, reordered or repeated: to
        predict those is to remember them.
    """
    known = {s for frame in train for s in frame.atoms.get_chemical_symbols()}
    problems = []
    where = account.where
    trained = {content_hash(frame.atoms): k for k, frame in enumerate(train)}
    same = {j: trained[key] for j, one in enumerate(test) if (key := content_hash(one.atoms)) in trained}
    common = {j: i for j, i in same.items() if not test[j].isolated}
    alike = {j: i for i, j in supercells(train, test) if _largest(test[j]) > _FORCE}
    alike |= {j: i for i, j in twins(train, test) if j not in same and not test[j].isolated}
    # strains of a perfect crystal that symmetry makes one are in many published sets: nothing but an energy leaks
    leaks = [j for j in alike if np.abs(test[j].forces_ev_per_angstrom).max(initial=0.0) > _FORCE]
    few = len(common) <= _COMMON_SHARE * len(test)
    few_alike = len(leaks) <= _TWINS_SHARE * len(test) and len(alike) <= _LARGEST_SHARE * len(test)
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
            how = _how(train[alike[j]], frame)
            what = f"is frame {train[alike[j]].row} of the training set, {how}"
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
    copies = set(alike) if few_alike else set()
    if copies:
        rows = [test[j].row for j in sorted(copies)]
        account.note(
            f"{rows_in_words(rows)} show frames of {train_name}, shifted, turned, reordered or repeated: "
            "out of the test errors"
        )
    if out:
        rows = sorted(train[i].row for i in out)
        account.note(f"{rows_in_words(rows)} of {train_name} are in the test set too: left out of training")
    kept = [frame for i, frame in enumerate(train) if i not in out]
    return kept, [frame for j, frame in enumerate(test) if j not in copies]


def _placeholders(frames: Sequence[LabelledFrame], account: Account) -> None:
    """Zeros that nobody computed: energies, forces where neighbours are not balanced, stresses."""
    bonded = [frame for frame in frames if not frame.isolated]
    zero = [f for f in bonded if abs(f.energy_ev) < _ZERO and f.weights.energy > 0][:_LOOKED_AT]
    empty = [frame.row for frame in zero if _unbalance(frame) is not None]
    _say_zeros(account, "energy", empty, len(bonded), "config_weight or energy_weight 0")
    _zero_forces(bonded, account)
    stressed = [f for f in bonded if f.stress_ev_per_angstrom3 is not None]
    none = [f for f in stressed if np.abs(_array(f)).max() < _ZERO][:_LOOKED_AT]
    _say_zeros(account, "stress", [f.row for f in none if _unbalance(f) is not None], len(stressed), "stress_weight 0")
    flat = [f for f in stressed if np.abs(_array(f)[3:]).max() < _ZERO and f not in none]
    bare = [f.row for f in flat[:_LOOKED_AT] if (_unbalance(f) or 0.0) > _UNBALANCED and _shear(f) > _SHEARED]
    if len(bare) > 1 or (bare and len(stressed) == 1):
        account.refuse(
            f"shear stresses are exactly zero in {rows_in_words(bare)}, whose atoms are not in balanced places",
            "all six components of the stress, or stress_weight 0", row=bare[0], field="stress",
        )  # fmt: skip


def _zero_forces(bonded: Sequence[LabelledFrame], account: Account) -> None:
    """Forces, columns of them and atoms without any, that are exactly zero where neighbours are not balanced."""
    whole: list[int] = []
    columns: dict[str, list[int]] = {}
    atoms: dict[int, int] = {}
    looked = 0
    for frame in bonded:
        forces = frame.forces_ev_per_angstrom
        zero = (np.abs(forces) < _ZERO) & frame.force_mask[:, None]
        if not zero[frame.force_mask].all(axis=0).any() and not zero.all(axis=1).any() or looked >= _LOOKED_AT:
            continue
        looked += 1
        pull = np.abs(_pull(frame))
        if zero[frame.force_mask].all():
            if frame.force_mask.any() and np.linalg.norm(pull, axis=1).max() > _UNBALANCED:
                whole.append(frame.row)
            continue
        for axis, name in enumerate("xyz"):
            if zero[frame.force_mask, axis].all() and pull[frame.force_mask, axis].max(initial=0.0) > _UNBALANCED:
                columns.setdefault(name, []).append(frame.row)
        fixed = int((zero.all(axis=1) & (np.linalg.norm(pull, axis=1) > _UNBALANCED)).sum())
        if fixed:
            atoms[frame.row] = fixed
    if whole:
        account.refuse(
            f"all forces are zero in {rows_in_words(whole)}, whose atoms are not in balanced places",
            "their forces, or forces_weight 0", row=whole[0], field="forces",
        )  # fmt: skip
    for name, rows in columns.items():
        account.refuse(
            f"all forces along {name} are exactly zero in {rows_in_words(rows)}, of atoms not in balanced places",
            "forces with three components, or forces_weight 0", row=rows[0], field="forces",
        )  # fmt: skip
    if atoms and not columns:
        rows, count = list(atoms), sum(atoms.values())
        what = f"the force is exactly zero on {count} atoms of {rows_in_words(rows)} that are not in balanced places"
        right = "true forces of atoms that were kept fixed, or a column force_mask that is 0 for them"
        (account.refuse if count > 1 else account.warn)(what, right, row=rows[0], field="forces")


def _say_zeros(account: Account, kind: str, rows: Sequence[int], count: int, weight: str) -> None:
    if not rows:
        return
    what = f"{kind} is exactly zero in {rows_in_words(rows)} of {count}"
    right = f"what was computed, or {weight} where nothing was"
    if len(rows) > 1 or count == 1:
        account.refuse(what, right, row=rows[0], field=kind)
    else:
        account.warn(what, right, row=rows[0], field=kind)


def _pull(frame: LabelledFrame) -> Floats:
    """Sum of weighted unit vectors to the neighbours of each atom, shape (n, 3)."""
    first, _, distance, vector = pairs_within(frame.atoms, REACH_ANGSTROM)
    pull = vector * ((1 - distance / REACH_ANGSTROM) ** 2 / np.maximum(distance, 1e-9))[:, None]
    return np.array([np.bincount(first, pull[:, axis], minlength=len(frame.atoms)) for axis in range(3)]).T


def _unbalance(frame: LabelledFrame) -> float | None:
    """Largest of these sums; None where no atom has a neighbour."""
    if not len(pairs_within(frame.atoms, REACH_ANGSTROM)[0]):
        return None
    return float(np.linalg.norm(_pull(frame), axis=1).max())


def _shear(frame: LabelledFrame) -> float:
    """Largest off-diagonal element, against the trace, of the weighted sum of v vᵀ over neighbours; 0 by symmetry."""
    _, _, distance, vector = pairs_within(frame.atoms, REACH_ANGSTROM)
    weighted = vector * ((1 - distance / REACH_ANGSTROM) / np.maximum(distance, 1e-9))[:, None]
    tensor = weighted.T @ weighted
    return float(np.abs(tensor[np.triu_indices(3, 1)]).max() / max(np.trace(tensor), 1e-9))


def _close_atoms(frames: Sequence[LabelledFrame], account: Account) -> None:
    """Atoms in one place, and positions that are no lengths in Å."""
    bonded = [frame for frame in frames if not frame.isolated]
    looked = [bonded[i] for i in np.unique(np.linspace(0, len(bonded) - 1, _LOOKED_AT).astype(int))] if bonded else []
    shares = []
    for frame in looked:
        first, second, distance, _ = pairs_within(frame.atoms, _BOND_ANGSTROM)
        radii = covalent_radii[frame.atoms.numbers]
        shares.append(float(np.min(distance / (radii[first] + radii[second]), initial=np.inf)))
    near = [frame.row for frame, share in zip(looked, shares, strict=True) if share < _ONE_PLACE]
    if shares and (median := float(np.median(shares))) < _CLOSE:
        account.refuse(
            f"the closest atoms are {median:.2f} of a covalent bond apart, in the median of {len(looked)} frames",
            "positions and Lattice in Å, positions that are not fractions of the cell", field="pos",
        )  # fmt: skip
    elif near:
        account.refuse(
            f"two atoms are in one place in {rows_in_words(near)}", "each atom once", row=near[0], field="pos"
        )


def _repeated_numbers(frames: Sequence[LabelledFrame], account: Account) -> None:
    """The same energy or the same forces in different structures: labels that were not computed for them."""
    bonded = [f for f in frames if not f.isolated and len(f.atoms) > 1 and f.weights.energy > 0 and not _still(f)]
    energies: dict[tuple[float, int], list[LabelledFrame]] = {}
    forces: dict[bytes, list[LabelledFrame]] = {}
    for frame in bonded:
        if abs(frame.energy_ev) > _ZERO:
            energies.setdefault((frame.energy_ev, len(frame.atoms)), []).append(frame)
        forces.setdefault(frame.forces_ev_per_angstrom.tobytes(), []).append(frame)
    most = max(energies.values(), key=len, default=[])
    # copies under symmetry have forces of the same sizes
    different = list({round(_largest(f), 3): f for f in most}.values())
    if len(different) >= _SAME_ENERGIES and len(different) >= _SAME_SHARE * len(bonded):
        what = f"energy is exactly {most[0].energy_ev:.10g} eV in {rows_in_words([f.row for f in most])}"
        enter_ = account.refuse if len(different) > len(bonded) / 2 else account.warn
        enter_(f"{what}, whose forces differ", "the energy of each structure", row=most[0].row, field="energy")
    copied = [own for own in forces.values() if len(own) > 1]
    rows = sorted({own[j].row for own in copied for j in range(1, len(own)) if not twins([own[0]], [own[j]])})
    if rows:
        account.refuse(
            f"forces of {rows_in_words(rows)} are exactly those of an earlier frame, and the structures are not",
            "forces of each structure", row=rows[0], field="forces",
        )  # fmt: skip


def _open_cells(frames: Sequence[LabelledFrame], account: Account) -> None:
    """Crystals that are said not to be periodic: atoms fill the cell up to a bond's length from its faces."""
    filled = []
    for frame in [f for f in frames if len(f.atoms) > 1 and not f.atoms.pbc.all()][:_LOOKED_AT]:
        cell = frame.atoms.cell
        open_ = [axis for axis in range(3) if not frame.atoms.pbc[axis] and np.linalg.norm(cell[axis]) > 0]
        if not open_ or cell.rank < 3 or abs(cell.volume) < 1e-6:
            continue
        whole = frame.atoms.copy()
        whole.pbc = True
        heights = [abs(cell.volume) / np.linalg.norm(np.cross(cell[axis - 2], cell[axis - 1])) for axis in range(3)]
        radius = float(np.mean(covalent_radii[frame.atoms.numbers]))
        spread = np.ptp(frame.atoms.cell.scaled_positions(frame.atoms.positions), axis=0)
        gaps = [(1 - spread[axis]) * heights[axis] for axis in open_]
        closest = np.min(pairs_within(whole, _BOND_ANGSTROM)[2], initial=np.inf)
        if max(gaps) < _GAP_BONDS * 2 * radius and closest > _CLOSE * 2 * radius:
            filled.append(frame.row)
    if filled:
        account.warn(
            f"{rows_in_words(filled)}: not periodic, and the atoms fill the cell like a crystal's",
            'pbc="T T T" where the calculation was periodic, or more room in Lattice', row=filled[0], field="pbc",
        )  # fmt: skip


def _outliers(frames: Sequence[LabelledFrame], account: Account) -> None:
    solid = [frame for frame in frames if not frame.isolated and frame.force_mask.any() and _largest(frame) > 1e-3]
    if len(solid) < 2 * FEW_FRAMES:  # those that symmetry makes zero tell no size
        return
    sizes = np.log10([_largest(frame) for frame in solid])
    limit = np.median(sizes) + _FAR * DEVIATIONS_PER_MAD * max(float(np.median(np.abs(sizes - np.median(sizes)))), 0.05)
    rows = [frame.row for frame, size in zip(solid, sizes, strict=True) if size > limit]
    account.facts["outliers"] = rows
    if rows:
        account.note(f"outliers: the largest force of {rows_in_words(rows)} is far above that of others")


def _how(one: LabelledFrame, other: LabelledFrame) -> str:
    return "shifted, turned or reordered" if len(one.atoms) == len(other.atoms) else "as a cell of another size"


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
