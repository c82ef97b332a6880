"""Choice of the candidates that are worth a label: sane, new, and as different as they can be."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms

from gibbsflow.config.potential_training import Selection
from gibbsflow.potential.data.structures import content_hash
from gibbsflow.potential.explore.calculator import PotentialCalculator, read_graded
from gibbsflow.potential.explore.candidates import Candidate, describe, surrogate_force
from gibbsflow.potential.explore.criteria.medoids import ROWS_BYTES, Coverage, forces_tell
from gibbsflow.potential.explore.criteria.variance import MeanVariance
from gibbsflow.potential.explore.distances import shortest_distance
from gibbsflow.potential.train.shared.grade import ActiveSet, Grader, maxvol
from gibbsflow.units import Floats

log = logging.getLogger(__name__)
PHYSICS = 3
"""Raised by hand when the same inputs give another choice."""
# a candidate that adds less than this to the volume of the active set adds nothing worth a label
_NEW = 1.05
FATES = ("selected", "too_close", "force", "duplicate", "nothing_new", "over_budget", "unknown_element")


class Selector:
    """Chooses with one potential among what it has not seen; a context that ends the potential's process.

    Parameters
    ----------
    potential
        Folder of a potential with a grade.
    labelled
        All that is labelled, each with its source.
    settings
        Section ``selection``.

    Attributes
    ----------
    known
        What of `labelled` counts.
    notes
        What was left out of it, and other doubts.

    Raises
    ------
    InputError
        Where the folder holds no potential with a grade, or for whatever is no structure.
    """

    def __init__(self, potential: Path, labelled: Iterable[tuple[str, Atoms]], settings: Selection) -> None:
        _, self.grader = read_graded(potential)
        self.settings = settings
        self.calculator = PotentialCalculator(potential)
        self.known: list[Candidate] = []
        self.notes: list[str] = []
        try:
            described = self._described(labelled)
            self.known = [found for found in described if not found.fate]
            for reason, number in Counter(found.reason for found in described if found.fate).items():
                self._note(f"labelled structures left out of the comparison: {number} ({reason})")
        except BaseException:
            self.calculator.close()
            raise

    def __enter__(self) -> Selector:
        return self

    def __exit__(self, *error: object) -> None:
        self.calculator.close()

    def choose(self, offered: Iterable[tuple[str, Atoms]], *, budget: int, seed: int) -> list[Candidate]:
        """Decide the fate of each structure that is offered.

        Parameters
        ----------
        offered
            Structures, each with its source.
        budget
            Structures to select at most.
        seed
            Decides between candidates of one worth.

        Returns
        -------
        list of Candidate
            In the same order, each with its fate.
        """
        decided = choose(
            self._described(offered), self.known, self.grader, self.settings, budget=budget, seed=seed,
            largest_force=surrogate_force(self.calculator),
        )  # fmt: skip
        for because in {found.because: None for found in decided if found.because}:
            self._note(because)
        return decided

    def _described(self, frames: Iterable[tuple[str, Atoms]]) -> list[Candidate]:
        frames = list(frames)
        rows = self.settings.method in ("variance", "medoids")
        columns = len(self.grader.species) * self.grader.basis_descriptors
        kept = sum(found.rows.nbytes for found in self.known if found.rows is not None)
        needed = kept + 8 * columns * sum(3 * len(atoms) for _, atoms in frames)
        if self.settings.method == "auto":
            rows = needed <= ROWS_BYTES
        elif rows and needed > ROWS_BYTES:
            self._note(f"selection.method {self.settings.method} keeps {needed / 2**30:.1f} GiB of rows in memory")
        return describe(frames, self.calculator, rows=rows)

    def _note(self, text: str) -> None:
        self.notes.append(text)
        log.info("%s", text)


def fingerprint(symbols: Sequence[str], descriptors: Floats, species: Sequence[str]) -> Floats:
    """Mean and spread of the descriptors over the atoms of each element: the same for supercells and rotations.

    Parameters
    ----------
    symbols
        Chemical symbol of each atom.
    descriptors
        Of each, shape (n, d).
    species
        Chemical symbols in the order of the result.

    Returns
    -------
    ndarray
        Shape (2 · elements · d,); zeros for elements that are not there.
    """
    names = np.array(symbols)
    parts = []
    for symbol in species:
        own = descriptors[names == symbol]
        empty = np.zeros(descriptors.shape[1])
        parts += [own.mean(axis=0), own.std(axis=0)] if len(own) else [empty, empty]
    return np.concatenate(parts)


def choose(
    candidates: Sequence[Candidate], labelled: Sequence[Candidate], grader: Grader, settings: Selection, *, budget: int,
    seed: int, largest_force: Callable[[Atoms], float],
) -> list[Candidate]:  # fmt: skip
    """Decide the fate of every candidate.

    The first candidate over the lower threshold with sane distances leads, whatever the surrogate thinks of its forces,
    where these are too large or nothing else would be taken: where the potential is wrong, so are its forces, and a
    filter that trusts them would starve the loop. With sane forces it is one among the others.

    Parameters
    ----------
    candidates
        In order of their files and frames.
    labelled
        Everything labelled so far, in all generations.
    grader
        Grade of the present potential.
    settings
        Section ``selection``.
    budget
        Structures to select at most.
    seed
        Decides between candidates of one worth.
    largest_force
        Largest force on an atom by the surrogate in eV/Å; infinite where it fails.

    Returns
    -------
    list
        The candidates in the same order, each with its fate.
    """
    decided = [_distances(candidate, settings) for candidate in candidates]
    first = next((k for k, c in enumerate(decided) if not c.fate and c.grade >= grader.lower), None)
    if first is not None and content_hash(decided[first].atoms) in {content_hash(c.atoms) for c in labelled}:
        first = None
    leads = None
    for k, candidate in enumerate(decided):
        if candidate.fate:
            continue
        force = largest_force(candidate.atoms)
        if not force <= settings.max_force_ev_per_angstrom:
            if k == first:
                leads = first
            else:
                decided[k] = replace(candidate, fate="force", reason=f"largest surrogate force {force:.3g} eV/Å")
    decided = _without_copies(decided, labelled, grader, settings, first)
    order = np.random.default_rng(seed).permutation(len(decided))
    rules: dict[str, Callable[..., list[Candidate]]] = {
        "maxvol": _by_volume, "fps": _by_distance, "variance": partial(_by_fall, criterion=MeanVariance),
        "medoids": partial(_by_fall, criterion=Coverage),
    }  # fmt: skip
    method, because = settings.method, ""
    if method == "auto":
        because = _why_not_medoids([c for c in decided if not c.fate], labelled)
        method = "maxvol" if because else "medoids"
    pick = rules[method]
    found = pick(list(decided), labelled, grader, budget, leads, order)
    if first is not None and leads is None and all(c.fate != "selected" for c in found):
        found = pick(decided, labelled, grader, budget, first, order)
    return [replace(candidate, method=method, because=because) for candidate in found]


def _why_not_medoids(open_: Sequence[Candidate], labelled: Sequence[Candidate]) -> str:
    """Why rows of forces do not decide by themselves; empty where they do."""
    if any(c.rows is None for c in (*open_, *labelled)):
        return f"by maxvol, as rows of forces would take more than {ROWS_BYTES / 2**30:g} GiB"
    if not forces_tell([c.rows for c in open_ if c.rows is not None]):
        return "by maxvol, as the forces of more than one candidate in ten vanish by symmetry, or do not count"
    return ""


def _distances(candidate: Candidate, settings: Selection) -> Candidate:
    if candidate.fate:
        return candidate
    share, pair = shortest_distance(candidate.atoms)
    if share >= settings.min_distance_factor:
        return candidate
    reason = f"{pair}, {share:.2f} of the covalent distance (least {settings.min_distance_factor:g})"
    return replace(candidate, fate="too_close", reason=reason)


def _without_copies(
    candidates: list[Candidate], labelled: Sequence[Candidate], grader: Grader, settings: Selection, first: int | None
) -> list[Candidate]:
    """Reject what equals, within tolerance, something labelled or a candidate before it."""
    every = [*labelled, *[c for c in candidates if not c.fate]]
    if not every:
        return candidates
    species = grader.species
    prints = np.array([fingerprint(c.atoms.get_chemical_symbols(), c.descriptors, species) for c in every])
    scale = _spread(prints)
    known = {content_hash(c.atoms): c.source for c in labelled}
    sizes = [tuple(sorted(Counter(c.atoms.get_chemical_symbols()).items())) for c in labelled]
    seen = [(size, point / scale, c.source) for size, point, c in zip(sizes, prints, labelled, strict=False)]
    # the one that must not starve claims its place before its copies do
    for k in sorted(range(len(candidates)), key=lambda k: (k != first, k)):
        candidate = candidates[k]
        if candidate.fate:
            continue
        point = fingerprint(candidate.atoms.get_chemical_symbols(), candidate.descriptors, species) / scale
        size = tuple(sorted(Counter(candidate.atoms.get_chemical_symbols()).items()))
        name = content_hash(candidate.atoms)
        near = known.get(name) or next(
            (source for other, place, source in seen
             if _alike(size, other) and np.abs(place - point).max() < settings.duplicate_tolerance),
            None,
        )  # fmt: skip
        if near is not None:
            candidates[k] = replace(candidate, fate="duplicate", reason=f"the same as {near}")
            continue
        known[name] = candidate.source
        seen.append((size, point, candidate.source))
    return candidates


def _alike(one: tuple[tuple[str, int], ...], other: tuple[tuple[str, int], ...]) -> bool:
    """Whether two compositions are equal up to a multiple: a supercell is no new structure."""
    if [s for s, _ in one] != [s for s, _ in other]:
        return False
    return len({a * other[0][1] - b * one[0][1] for (_, a), (_, b) in zip(one, other, strict=True)} - {0}) == 0


def _spread(prints: Floats) -> Floats:
    spread = prints.std(axis=0)
    # directions without spread hold rounding only
    return np.where(spread > 1e-9 * np.maximum(np.abs(prints).max(axis=0), 1.0), spread, np.inf)


def _by_volume(
    candidates: list[Candidate], labelled: Sequence[Candidate], grader: Grader, budget: int, first: int | None,
    order: npt.NDArray[np.int64],
) -> list[Candidate]:  # fmt: skip
    """Take the candidate of the largest grade, put its atoms into the active sets, grade anew, and so on."""
    del labelled  # they are what the active sets were made of
    sets = dict(grader.sets)
    open_ = [int(k) for k in order if not candidates[k].fate]
    taken = 0
    while open_ and taken < budget:
        grades = {k: _grade(candidates[k], sets) for k in open_}
        best = first if first in open_ else max(open_, key=lambda k: grades[k])
        if grades[best] < _NEW and best != first:
            break
        reason = f"grade {grades[best]:.3g} when it was taken"
        candidates[best] = replace(candidates[best], fate="selected", reason=reason)
        sets = _extended(sets, candidates[best])
        open_.remove(best)
        taken += 1
    for k in open_:
        grade = _grade(candidates[k], sets)
        fate, why = (
            ("nothing_new", "after the others were taken") if grade < _NEW else ("over_budget", "with the budget spent")
        )
        candidates[k] = replace(candidates[k], fate=fate, reason=f"grade {grade:.3g} {why}")
    return candidates


def _grade(candidate: Candidate, sets: dict[str, ActiveSet]) -> float:
    symbols = np.array(candidate.atoms.get_chemical_symbols())
    grades = [sets[s].grades(candidate.descriptors[symbols == s]).max() for s in set(symbols) if s in sets]
    return float(max(grades)) if len(grades) == len(set(symbols)) else float("inf")


def _extended(sets: dict[str, ActiveSet], candidate: Candidate) -> dict[str, ActiveSet]:
    """Active sets after the atoms of a structure have been offered to them."""
    symbols = np.array(candidate.atoms.get_chemical_symbols())
    result = dict(sets)
    for symbol in sorted(set(symbols) & set(sets)):
        own = sets[symbol]
        rows = np.vstack([np.linalg.inv(own.inverse), own.project(candidate.descriptors[symbols == symbol])])
        result[symbol] = replace(own, inverse=np.linalg.inv(rows[maxvol(rows)]))
    return result


def _by_distance(
    candidates: list[Candidate], labelled: Sequence[Candidate], grader: Grader, budget: int, first: int | None,
    order: npt.NDArray[np.int64],
) -> list[Candidate]:  # fmt: skip
    """Farthest-point sampling of fingerprints; distances to everything labelled count."""
    open_ = [int(k) for k in order if not candidates[k].fate]
    if not open_:
        return candidates
    species = grader.species
    every = [*labelled, *[candidates[k] for k in open_]]
    prints = np.array([fingerprint(c.atoms.get_chemical_symbols(), c.descriptors, species) for c in every])
    points = (prints - prints.mean(axis=0)) / _spread(prints)
    known, new = points[: len(labelled)], dict(zip(open_, points[len(labelled) :], strict=True))
    start = known if len(known) else np.zeros((1, points.shape[1]))
    nearest = {k: float(np.linalg.norm(start - new[k], axis=1).min()) for k in open_}
    taken = 0
    while open_ and taken < budget:
        best = first if first in open_ else max(open_, key=lambda k: nearest[k])
        candidates[best] = replace(
            candidates[best], fate="selected", reason=f"distance {nearest[best]:.3g} to its nearest"
        )
        open_.remove(best)
        taken += 1
        for k in open_:
            nearest[k] = min(nearest[k], float(np.linalg.norm(new[best] - new[k])))
    for k in open_:
        candidates[k] = replace(
            candidates[k], fate="over_budget", reason=f"distance {nearest[k]:.3g} with the budget spent"
        )
    return candidates


def _by_fall(
    candidates: list[Candidate], labelled: Sequence[Candidate], grader: Grader, budget: int, first: int | None,
    order: npt.NDArray[np.int64], *, criterion: type[MeanVariance | Coverage],
) -> list[Candidate]:  # fmt: skip
    """Take the candidate that lowers a mean over all structures the most, count it as labelled, and so on."""
    del grader
    offered = [int(k) for k in order if not candidates[k].fate]
    mean = criterion([_rows(c) for c in labelled], [_rows(candidates[k]) for k in offered])
    place, open_ = {k: number for number, k in enumerate(offered)}, list(offered)
    taken, closed = 0, ("over_budget", "with the budget spent")

    def _said(k: int) -> str:
        return f"lowers {mean.NAME} by {100 * mean.fall(place[k]) / (mean.value or 1.0):.3g} %"

    while open_ and taken < budget:
        best = first if first in open_ else offered[mean.best([place[k] for k in open_])]
        if mean.fall(place[best]) <= mean.least and best != first:
            closed = ("nothing_new", "after the others were taken")
            break
        candidates[best] = replace(candidates[best], fate="selected", reason=f"{_said(best)} when it was taken")
        mean.take(place[best])
        open_.remove(best)
        taken += 1
    for k in open_:
        candidates[k] = replace(candidates[k], fate=closed[0], reason=f"{_said(k)} {closed[1]}")
    return candidates


def _rows(candidate: Candidate) -> Floats:
    if candidate.rows is None:
        raise ValueError(f"{candidate.source} was described without the rows of its forces")
    return candidate.rows


def figures(candidates: Sequence[Candidate], labelled: int, budget: int, notes: Sequence[str] = ()) -> dict[str, Any]:
    """What ``result.json`` says of a selection.

    Parameters
    ----------
    candidates
        Each with its fate.
    labelled
        Number of structures that were labelled before.
    budget
        Structures to select at most.
    notes
        Of the selector.

    Returns
    -------
    dict
        Counts by fate, the method that was used (null without candidates), notes, and the fate of each;
        JSON-serialisable.
    """
    counts = Counter(c.fate for c in candidates)
    return {
        "candidates": len(candidates),
        "labelled": labelled,
        "budget": budget,
        "method": next((c.method for c in candidates), None),
        "notes": [*notes],
        "selected": counts["selected"],
        "rejected": {fate: counts[fate] for fate in FATES if fate != "selected" and counts[fate]},
        "fates": [
            {"source": c.source, "grade": c.grade if np.isfinite(c.grade) else None, "fate": c.fate, "reason": c.reason}
            for c in candidates
        ],
    }
