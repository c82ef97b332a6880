"""Whether energies, forces and stresses of a data set belong together: zero of the energies, unit and sign of stresses.

Each check holds a kind of label against a :class:`.SimpleModel` that was fitted to the others. Thresholds stand in
docs/methods/training.md; they are far from what a bad model does to good data, and close to no unit of pressure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gibbsflow.potential.data.labelled_frames import LabelledFrame, rows_in_words
from gibbsflow.potential.train.checks.simple_model import Rows, SimpleModel
from gibbsflow.potential.train.checks.stresses import hold_stresses, judge_stresses
from gibbsflow.potential.train.checks.work import Agreement
from gibbsflow.potential.train.checks.zeros import EXPLAINED, held_by, judge_shifts, left_over
from gibbsflow.units import DEVIATIONS_PER_MAD, Floats
from gibbsflow.workflow.account import Account

GAP_EV_PER_ATOM = 0.3
"""Energies apart from all others by less are never called another zero."""
GAP_SPREADS = 10.0
"""Nor by less than so many robust standard deviations (a scaled median absolute deviation)."""
FREE_SPREADS = 4.0
"""Nor by less than so many standard deviations of what forces leave free."""
UNEXPLAINED_ANGSTROM = 2.5
"""Nor by less than forces that the model does not explain do along such a way: those of its own, or the others'."""
_LEAST_WEIGHT = 1e-3
REFUSED_EV_PER_ATOM = 1.0
"""From here on another zero is refused; below it is warned of."""
FORCES_REFUSED = 4.0
"""Forces of a test set are so many times larger or smaller than those of training, or have the other sign."""
FORCES_EXPLAINED = 0.25
"""Where the positions account for less of the forces, these are not the forces of those atoms."""
_SMALL_FORCE = 0.02
# share of a test set's forces, and of training's, that the model explains before the one is held against the other
_HELD_SHARE = 0.7
_ATOMS, _FRAMES, _SUSPECTS = 3000, 100, 30


@dataclass
class Consistency:
    """The frames that are looked at, and what a simple model says of them.

    Attributes
    ----------
    frames, rows
        Frames of training, with their rows.
    model
        Fitted to their forces.
    atoms_ev
        Energy of each of the model's elements, by robust regression.
    centre, spread
        Median and robust standard deviation of what the model and the elements leave of energies, eV an atom.
    main
        Whether a frame belongs to the bulk of them, shape (frames,).
    plain_ev, plain_centre
        The same of the energies alone, without the model.
    stresses
        Fitted to forces and energies, where it agrees with the stresses of training; else None.
    """

    frames: list[LabelledFrame]
    rows: list[Rows]
    model: SimpleModel
    atoms_ev: Floats
    centre: float
    spread: float
    main: npt.NDArray[np.bool_]
    plain_ev: Floats
    plain_centre: float
    stresses: SimpleModel | None = None

    def truly(self, frames: Sequence[LabelledFrame], left: Floats) -> npt.NDArray[np.bool_]:
        """Say where the energies themselves, and not only the model's errors, lie apart.

        Parameters
        ----------
        frames
            Any frames of the same elements.
        left
            How far they lie from the others by the model, eV an atom, shape (frames,).

        Returns
        -------
        ndarray
            True where the energy without the model lies to the same side, by half as much or more; shape (frames,).
        """
        energies = np.array([frame.energy_ev / len(frame.atoms) for frame in frames])
        plain = energies - _counts(frames, self.model.species) @ self.plain_ev - self.plain_centre
        return np.asarray(plain * np.sign(left) >= 0.5 * np.abs(left))

    def surely(self, frames: Sequence[LabelledFrame], rows: Sequence[Rows], left: Floats) -> npt.NDArray[np.bool_]:
        """Say where energies lie farther apart than the model may be wrong.

        Forces say nothing of energies between kinds of frames that no path joins (dimers and a molecule), and what a
        model does not explain of forces it misses of energies too.

        Parameters
        ----------
        frames, rows
            Any frames of the same elements, with their rows.
        left
            How far they lie from the others by the model, eV an atom, shape (frames,).

        Returns
        -------
        ndarray
            True where neither accounts for it; shape (frames,).
        """
        both, count = [*self.frames, *frames], len(self.frames)
        shares = _counts(both, self.model.species)
        energies = np.array([frame.energy_ev / len(frame.atoms) for frame in both]) - shares @ self.plain_ev
        main = np.concatenate([self.main, np.zeros(len(frames), dtype=bool)])
        held = held_by(both, [*self.rows, *rows], shares, energies, self.model.explained, main, count)
        missed = held.unexplained_ev_per_angstrom
        limit = UNEXPLAINED_ANGSTROM * np.maximum(missed[count:], np.median(missed[main]))
        known = held.shift_ev[count:] * np.sign(left) > FREE_SPREADS * held.spread_ev[count:]
        return np.asarray(known & (np.abs(left) > limit))


def look_at(
    frames: Sequence[LabelledFrame], account: Account, agreement: Agreement | None = None
) -> Consistency | None:
    """Hold the energies of a training set against its forces, and its stresses against both.

    Parameters
    ----------
    frames
        Of the training set.
    account
        Of the file; gets doubts, and the facts ``energies_apart``, ``stress_ratio`` and, of rows whose energies are
        refused, ``energies_refused``: how far they lie off, eV an atom.
    agreement
        What the labels say of each other without a model, which counts for more.

    Returns
    -------
    Consistency or None
        What a test set can be held against; None where there are too few frames to tell.
    """
    solid = _that_count([frame for frame in frames if not frame.isolated and len(frame.atoms) > 0])
    species = tuple(sorted({int(number) for frame in solid for number in frame.atoms.numbers}))
    if not solid:
        return None
    chosen = _sample(solid, species)
    model = SimpleModel(species)
    rows = [model.rows(frame.atoms) for frame in chosen]
    model.fit(chosen, rows)
    _judge_forces(chosen, model, account)
    agreement = agreement or Agreement()
    seen, use = None, np.ones(len(chosen), dtype=bool)
    if len(chosen) >= 2 * len(species) + 3:
        left, atoms_ev = _left_over(chosen, rows, model, species)
        main, spread = main_group(left)
        main = _linked_too(main, chosen, agreement.linked)
        plain = np.array([frame.energy_ev / len(frame.atoms) for frame in chosen])
        plain_left, plain_ev = _least_deviations(_counts(chosen, species), plain)
        seen = Consistency(
            chosen, rows, model, atoms_ev, float(np.median(left[main])), spread, main,
            plain_ev, float(np.median(plain_left[main])),
        )  # fmt: skip
        off = _judge_energies(seen, left - seen.centre, account)
        use = ~(off if off.any() else _judge_parts(seen, agreement, account))
    shares = _counts(chosen, species)
    stresses = judge_stresses(chosen, rows, species, shares, use, account, sure=agreement.stress_is_right)
    return replace(seen, stresses=stresses) if seen is not None else None


def _linked_too(
    main: npt.NDArray[np.bool_], frames: Sequence[LabelledFrame], linked: Sequence[tuple[int, int]]
) -> npt.NDArray[np.bool_]:
    """Add frames whose energies differ from those of the main group as forces and stresses have it."""
    place = {frame.row: k for k, frame in enumerate(frames)}
    pairs = [(place[a], place[b]) for a, b in linked if a in place and b in place]
    known = main.copy()
    for _ in range(len(pairs)):
        before = known.sum()
        for a, b in pairs:
            known[a] = known[b] = known[a] or known[b]
        if known.sum() == before:
            break
    return known


def hold_against(seen: Consistency, test: Sequence[LabelledFrame], account: Account) -> None:
    """Hold the energies, forces and stresses of a test set against the training set.

    Parameters
    ----------
    seen
        What was found of the training set.
    test
        Frames of the test set.
    account
        Of its file; gets doubts, and the fact ``energies_refused``.
    """
    solid = [frame for frame in test if not frame.isolated]
    species = seen.model.species
    if any(number not in species for frame in solid for number in frame.atoms.numbers) or not solid:
        return
    chosen = [solid[i] for i in _spread_over(len(solid), _few(solid, _FRAMES // 2, _ATOMS // 2))]
    rows = [seen.model.rows(frame.atoms) for frame in chosen]
    left = _residuals(chosen, rows, seen.model) - _counts(chosen, species) @ seen.atoms_ev - seen.centre
    limit = max(GAP_EV_PER_ATOM, GAP_SPREADS * seen.spread)
    alike = _alike(rows, chosen, [row for row, own in zip(seen.rows, seen.main, strict=True) if own],
                   [frame for frame, own in zip(seen.frames, seen.main, strict=True) if own])  # fmt: skip
    off = (np.abs(left) > limit) & alike & seen.truly(chosen, left)
    off = _sure(seen, chosen, rows, left, off, account)
    if off.any():
        _say_zero(account, chosen, left, off, "those of the training set", of_all=bool(off.all()))
    _hold_forces(seen, chosen, rows, account)
    if seen.stresses is not None:
        hold_stresses(seen.stresses, chosen, rows, account)


def _hold_forces(seen: Consistency, frames: Sequence[LabelledFrame], rows: Sequence[Rows], account: Account) -> None:
    forces = np.concatenate([frame.forces_ev_per_angstrom.ravel() for frame in frames])
    model = np.concatenate([row.forces @ seen.model.coefficients for row in rows])
    norms = float(np.linalg.norm(forces) * np.linalg.norm(model))
    if seen.model.explained < _HELD_SHARE or np.sqrt(np.mean(forces**2)) < 1e-4 or not norms:
        return
    factor, share = float(forces @ model / (model @ model)), float(forces @ model / norms) ** 2
    if share > _HELD_SHARE and not 1 / FORCES_REFUSED < factor < FORCES_REFUSED:
        what = f"forces are {factor:.3g} times what those of the training set say, in {len(frames)} frames"
        account.refuse(what, "forces in eV/Å (minus the gradient), as in training", field="forces")


def main_group(values: Floats) -> tuple[npt.NDArray[np.bool_], float]:
    """Find the largest group of values that no gap divides.

    Parameters
    ----------
    values
        Energies an atom that a model has left over, eV, shape (frames,).

    Returns
    -------
    main : ndarray
        Which belong to it, shape (frames,).
    spread
        Its robust standard deviation, eV an atom.
    """
    order = np.argsort(values)
    limit, spread = GAP_EV_PER_ATOM, 0.0
    main = np.ones(len(values), dtype=bool)
    for _ in range(3):
        groups = np.split(order, 1 + np.flatnonzero(np.diff(values[order]) > limit))
        largest = max(groups, key=len)
        main = np.zeros(len(values), dtype=bool)
        main[largest] = True
        spread = DEVIATIONS_PER_MAD * float(np.median(np.abs(values[largest] - np.median(values[largest]))))
        if limit >= max(GAP_EV_PER_ATOM, GAP_SPREADS * spread):
            break
        limit = max(GAP_EV_PER_ATOM, GAP_SPREADS * spread)
    return main, spread


def _judge_forces(frames: Sequence[LabelledFrame], model: SimpleModel, account: Account) -> None:
    forces = np.concatenate([frame.forces_ev_per_angstrom[frame.force_mask].ravel() for frame in frames])
    if len(forces) < 10 * len(model.coefficients) or np.sqrt(np.mean(forces**2)) < _SMALL_FORCE:
        return
    account.facts["forces_explained"] = round(model.explained, 3)
    if model.explained < FORCES_EXPLAINED:
        what = (
            f"a simple model of the positions accounts for {max(model.explained, 0):.0%} of the forces of "
            f"{len(frames)} frames, and for more than half of those of other sets"
        )
        right = "forces in eV/Å of these atoms, in their order, in the columns that Properties names; positions in Å"
        account.warn(what, right, field="forces")


def _judge_energies(seen: Consistency, left: Floats, account: Account) -> npt.NDArray[np.bool_]:
    """Say which energies are on another zero: those are True, shape (frames,)."""
    main = [k for k in range(len(left)) if seen.main[k]]
    others = [k for k in range(len(left)) if not seen.main[k]]
    account.facts["energies_apart"] = [seen.frames[k].row for k in others]
    alike = np.zeros(len(left), dtype=bool)
    if not others:
        return alike
    alike[others] = _alike(
        [seen.rows[k] for k in others], [seen.frames[k] for k in others],
        [seen.rows[k] for k in main], [seen.frames[k] for k in main],
    )  # fmt: skip
    alike &= seen.truly(seen.frames, left)
    strange = [seen.frames[k].row for k in others if not alike[k]]
    alike = _sure(seen, seen.frames, seen.rows, left, alike, account)
    if alike.any():
        _say_zero(account, seen.frames, left, alike, "those of all other frames", of_all=False)
    if strange:
        account.note(f"outliers: energies of {rows_in_words(strange)}, whose geometry is unlike all others'")
    return alike


def _sure(
    seen: Consistency, frames: Sequence[LabelledFrame], rows: Sequence[Rows], left: Floats,
    apart: npt.NDArray[np.bool_], account: Account,
) -> npt.NDArray[np.bool_]:  # fmt: skip
    """Keep those that lie apart by more than the model may be wrong, and note the others."""
    chosen = [k for k in range(len(apart)) if apart[k]]
    sure = apart.copy()
    if not chosen:
        return sure
    sure[chosen] = seen.surely([frames[k] for k in chosen], [rows[k] for k in chosen], left[chosen])
    unsure = apart & ~sure
    if unsure.any():
        named = rows_in_words(sorted(frames[k].row for k in chosen if unsure[k]))
        shift = float(np.median(left[unsure]))
        account.note(f"energies of {named} lie {shift:+.3g} eV/atom off by a simple model that may err as much")
    return sure


def _judge_parts(seen: Consistency, agreement: Agreement, account: Account) -> npt.NDArray[np.bool_]:
    """Say which energies lie on another zero by a fit that energies take part in: those are True, shape (frames,)."""
    frames, species = seen.frames, seen.model.species
    off = np.zeros(len(frames), dtype=bool)
    weighted = sum(frame.weights.energy > 0 for frame in frames)
    if seen.model.explained < EXPLAINED or weighted < 2 * len(species) + 3:
        return off
    shares = _counts(frames, species)
    energies = np.array([frame.energy_ev / len(frame.atoms) for frame in frames]) - shares @ seen.plain_ev
    left = left_over(frames, seen.rows, shares, energies, seen.model.explained)
    known = [k for k in range(len(frames)) if left.main[k]]
    alike = _alike(seen.rows, frames, [seen.rows[k] for k in known], [frames[k] for k in known])
    left = replace(left, main=_linked_too(left.main, frames, agreement.linked))
    off = judge_shifts(frames, left, alike & seen.truly(frames, left.shift_ev), account)
    rows = {frame.row for frame, own in zip(frames, off, strict=True) if own}
    account.facts["energies_apart"] = sorted(rows.union(account.facts["energies_apart"]))
    return off


def _say_zero(
    account: Account, frames: Sequence[LabelledFrame], left: Floats, off: npt.NDArray[np.bool_], than: str, *,
    of_all: bool,
) -> None:  # fmt: skip
    shifts = {frame.row: float(own) for frame, own, is_off in zip(frames, left, off, strict=True) if is_off}
    rows, values = sorted(shifts), list(shifts.values())
    named = "all frames" if of_all else rows_in_words(rows)
    # where some lie above and some below, the middle of all would say that none does
    one_way = min(values) * max(values) > 0
    by = f"{np.median(values):+.3g}" if one_way else f"{min(values):+.3g} to {max(values):+.3g}"
    what = f"energies of {named} lie {by} eV/atom from {than}, as forces and elements have it"
    right = "energies on one zero, of one level of theory"
    if np.median(np.abs(values)) >= REFUSED_EV_PER_ATOM:
        account.facts["energies_refused"] = shifts
        account.refuse(what, right, row=rows[0], field="energy")
    else:
        account.warn(what, right, row=rows[0], field="energy")


def _that_count(frames: Sequence[LabelledFrame]) -> list[LabelledFrame]:
    """Without frames that weigh so little beside others, as pairs for the core do, that nothing rests on them."""
    least = _LEAST_WEIGHT * max((frame.weights.energy for frame in frames), default=0.0)
    return [frame for frame in frames if not 0 < frame.weights.energy < least]


def _counts(frames: Sequence[LabelledFrame], species: Sequence[int]) -> Floats:
    """Share of each element in each frame, shape (frames, elements)."""
    return np.array([[np.mean(frame.atoms.numbers == number) for number in species] for frame in frames])


def _residuals(frames: Sequence[LabelledFrame], rows: Sequence[Rows], model: SimpleModel) -> Floats:
    return np.array(
        [(f.energy_ev - float(r.energy @ model.coefficients)) / len(f.atoms) for f, r in zip(frames, rows, strict=True)]
    )


def _left_over(
    frames: Sequence[LabelledFrame], rows: Sequence[Rows], model: SimpleModel, species: Sequence[int]
) -> tuple[Floats, Floats]:
    """What forces and elements leave of the energies an atom, by least absolute deviations."""
    energies = _residuals(frames, rows, model)
    return _least_deviations(_counts(frames, species), energies)


def _least_deviations(shares: Floats, energies: Floats) -> tuple[Floats, Floats]:
    weights: Floats = np.ones(len(energies))
    atoms_ev: Floats = np.zeros(shares.shape[1])
    for _ in range(40):  # Schlossmacher, J. Am. Stat. Assoc. 1973, 68, 857
        solution = np.linalg.lstsq(shares * weights[:, None], energies * weights, rcond=1e-8)
        atoms_ev = np.asarray(solution[0], dtype=float)
        weights = np.asarray(1 / np.sqrt(np.maximum(np.abs(energies - shares @ atoms_ev), 1e-4)), dtype=float)
    return energies - shares @ atoms_ev, atoms_ev


def _alike(
    rows: Sequence[Rows], frames: Sequence[LabelledFrame], known: Sequence[Rows], known_frames: Sequence[LabelledFrame]
) -> npt.NDArray[np.bool_]:
    """Whether the surroundings of a frame's atoms lie in the range of those that are known, half as much beyond it."""
    values = np.array([row.energy / len(frame.atoms) for row, frame in zip(rows, frames, strict=True)])
    there = np.array([row.energy / len(frame.atoms) for row, frame in zip(known, known_frames, strict=True)])
    low, high = there.min(axis=0), there.max(axis=0)
    room = 0.5 * (high - low) + 1e-3 * np.abs(there).max(axis=0)
    return np.asarray(((values >= low - room) & (values <= high + room)).all(axis=1))


def _sample(frames: Sequence[LabelledFrame], species: Sequence[int]) -> list[LabelledFrame]:
    """Frames evenly spread, and those whose energies stand apart by their elements alone."""
    chosen = set(_spread_over(len(frames), _few(frames, _FRAMES, _ATOMS)))
    left, _ = _least_deviations(_counts(frames, species), np.array([f.energy_ev / len(f.atoms) for f in frames]))
    apart = np.flatnonzero(~main_group(left)[0])
    room = [k for k in map(int, apart) if len(frames[k].atoms) <= 2 * _ATOMS // _FRAMES]
    chosen |= {room[i] for i in _spread_over(len(room), min(len(room), _SUSPECTS))}
    return [frames[k] for k in sorted(chosen)]


def _few(frames: Sequence[LabelledFrame], most: int, atoms: int) -> int:
    """So many frames have no more atoms than are looked at."""
    mean = np.mean([len(frame.atoms) for frame in frames])
    return max(1, min(len(frames), most, int(atoms / mean)))


def _spread_over(count: int, few: int) -> list[int]:
    return [int(i) for i in np.unique(np.linspace(0, count - 1, few).astype(int))] if few else []
