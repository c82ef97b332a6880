"""Search for cutoff and size of a POD basis within a time budget; the best potential so far is always on disk."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from gibbsflow.config.potential_training import Training
from gibbsflow.errors import InputError, Problem, StoppedEarly
from gibbsflow.potential.train.shared import regression
from gibbsflow.potential.train.shared.atomic_energies import AtomicEnergies
from gibbsflow.potential.train.shared.deadline import FEWEST_FRAMES
from gibbsflow.potential.train.trainers import pod_fit
from gibbsflow.potential.train.trainers.pod import Zbl
from gibbsflow.potential.train.trainers.pod_basis import LADDER, SMALL, PodBasis, descriptor_sums, ladder_basis

log = logging.getLogger(__name__)
# times 1.9 distances of nearest neighbours; in this order, since time may end the trials
_CUTOFF_FACTORS = (1.25, 1.12, 1.4, 1.0)
_SEARCH_SHARE, _CUTOFF_SHARE, _FINISH_SHARE = 0.70, 0.12, 0.85
_BETTER = 0.99
# validation is noisy where energies are few: one basis without gain says little
_PATIENCE = 2
_CUTOFF_PRICE = 0.15
# of the time budget, for the two validations of the first basis
_ALGEBRA_SHARE = 0.2
# and for the descriptors of the fewest frames
_FIRST_SHARE = 0.3
_GRADE_COLUMNS = 150


@dataclass(frozen=True)
class Search:
    """Outcome of the search.

    Attributes
    ----------
    best
        Basis with the best score.
    records
        All that were tried.
    stopped_by
        Why no larger basis was tried.
    signalled
        Whether a signal ended it.
    """

    best: pod_fit.BasisTrial
    records: list[dict[str, Any]]
    stopped_by: str
    signalled: bool


def search(
    targets: pod_fit.Targets, settings: Training, references: AtomicEnergies, species: Sequence[str],
    scales: pod_fit.Scales, zbl: Zbl | None, folder: Path, *, frames_after: int = 0,
) -> Search:  # fmt: skip
    """Choose cutoff and size of the basis within the time; the best potential so far always lies in `folder`.

    Parameters
    ----------
    targets
        What is fitted.
    settings
        Section ``training``.
    references
        Energies of the elements.
    species
        Chemical symbols in the order of LAMMPS' types.
    scales
        Distances in the data, from which cutoffs are made.
    zbl
        The repulsion that was taken off the targets, or None.
    folder
        Gets the best potential so far.
    frames_after
        So many frames are predicted and graded after the search, of whose time an estimate is kept.

    Returns
    -------
    Search
        The best basis, and all that were tried.

    Raises
    ------
    InputError
        Where ``max_coefficients`` is below what the smallest basis of these elements has.
    StoppedEarly
        After a signal before there was any potential.
    """
    deadline, budget_s = targets.deadline, targets.deadline.budget_s
    rin = float(np.clip(0.45 * scales.shortest_angstrom, 0.2, 1.2))
    everything = range(len(targets.frames))
    shortest = max(4.5, 1.9 * scales.neighbour_angstrom)
    number, start, each_s = _first_basis(
        targets, settings, rin, settings.cutoff_angstrom or round(shortest * _CUTOFF_FACTORS[0], 2), species, budget_s
    )
    # energies, forces and descriptors of each frame, and the algebra of as many grades as there are elements and folds
    after_s = 3 * each_s * frames_after / len(everything) / len(targets.pool.members)
    after_s += 2 * len(species) * (int(targets.fold.max()) + 2) * deadline.eigen_s(_GRADE_COLUMNS)
    deadline.reserve(after_s)
    usable = _spread(everything, 0.4 * deadline.until_s(1.0) * len(targets.pool.members) / max(each_s, 1e-9))
    best = pod_fit.try_basis(targets, start, settings, references, usable, float("inf"))
    records = [best.record()]
    pod_fit.solve(best, settings, references, zbl).write(folder)
    reason, signalled, misses = "the largest basis was reached", False, 0
    cutoff, first = start.rcut_angstrom, max(number + 1, 0)
    try:
        if settings.cutoff_angstrom is None and number >= 0:
            cutoff = _best_cutoff(targets, start, shortest, settings, references, budget_s, records)
            first -= cutoff != start.rcut_angstrom
        for number in range(first, len(LADDER)):
            targets.deadline.check()
            if _good_enough(best.choice, settings):
                reason = "validation errors are below the targets"
                break
            basis = ladder_basis(number, species, rin, cutoff)
            columns = _columns(targets, basis)
            if columns > _limit(targets, settings):
                reason = f"a basis of {columns} coefficients is more than data, memory or max_coefficients allow"
                break
            each_s = _cost(targets, basis, columns)
            expected_s = each_s * len(usable) / len(everything) / len(targets.pool.members)
            expected_s += pod_fit.validation_s(targets, columns, settings)
            if deadline.elapsed_s + expected_s > deadline.until_s(_SEARCH_SHARE):
                reason = f"the time budget would not hold a basis of {columns} coefficients ({expected_s:.0f} s)"
                break
            trial = pod_fit.try_basis(targets, basis, settings, references, usable, deadline.until_s(_FINISH_SHARE))
            records.append(trial.record())
            log.info("%d coefficients: validation %s", columns, records[-1])
            misses = misses + 1 if trial.choice.score > _BETTER * best.choice.score else 0
            if trial.choice.score < best.choice.score:
                best = trial
                pod_fit.solve(best, settings, references, zbl).write(folder)
            if misses == _PATIENCE:
                reason = f"bases of up to {columns} coefficients are no better in validation"
                break
    except pod_fit.OutOfTimeError:
        reason = "time budget"
    except StoppedEarly as error:
        reason, signalled = str(error), True
    return Search(best, records, reason, signalled)


def _first_basis(
    targets: pod_fit.Targets, settings: Training, rin: float, cutoff: float, species: Sequence[str], budget_s: float
) -> tuple[int, PodBasis, float]:
    """Number of the basis to begin with, the basis and its cost: the second of the ladder, or what bounds allow."""
    for number in range(1, -1 - len(SMALL), -1):
        basis = ladder_basis(number, species, rin, cutoff)
        columns = _columns(targets, basis)
        bound = _limit(targets, settings) if number > 0 else _bound(targets, settings)
        if columns <= bound and 2 * pod_fit.validation_s(targets, columns, settings) <= _ALGEBRA_SHARE * budget_s:
            each_s = _cost(targets, basis, columns)
            few = min(FEWEST_FRAMES, len(targets.frames)) / len(targets.frames) / len(targets.pool.members)
            if few * each_s <= _FIRST_SHARE * budget_s or number == -len(SMALL):
                return number, basis, each_s
    if columns <= _bound(targets, settings):  # the time budget alone forbids it: the least that can be done
        return number, basis, _cost(targets, basis, columns)
    what = f"{settings.max_coefficients}, and the smallest basis of {len(species)} elements has {columns} coefficients"
    raise InputError(Problem("training", what, f"at least {columns}", field="max_coefficients"))


def _good_enough(choice: regression.Choice, settings: Training) -> bool:
    energy = 1e3 * choice.energy_rmse_ev_per_atom <= settings.target_energy_rmse_mev_per_atom
    return energy and choice.force_rmse_ev_per_angstrom <= settings.target_force_rmse_ev_per_angstrom


def _best_cutoff(
    targets: pod_fit.Targets, start: PodBasis, shortest_angstrom: float, settings: Training, references: AtomicEnergies,
    budget_s: float, records: list[dict[str, Any]],
) -> float:  # fmt: skip
    """Cutoff of the best score with a small basis on some frames, where a longer one has to earn its cost.

    Time in fit and MD grows with the cube of the cutoff. The price is about half of what the same time buys by a larger
    basis, since large bases make more of a long cutoff than the small one that is tried here.
    """
    probe = ladder_basis(2, start.species, start.rin_angstrom, start.rcut_angstrom)
    columns = _columns(targets, probe)
    if columns > _limit(targets, settings):
        probe, columns = start, _columns(targets, start)
    each_s = _cost(targets, probe, columns)
    share = _CUTOFF_SHARE * budget_s * len(targets.pool.members) / (8 * max(each_s, 1e-9))
    few = _spread(range(len(targets.frames)), share)
    until_s = min(targets.deadline.elapsed_s + 2 * _CUTOFF_SHARE * budget_s, targets.deadline.until_s(_SEARCH_SHARE))
    scores: list[tuple[float, float]] = []
    for factor in _CUTOFF_FACTORS:
        if targets.deadline.elapsed_s + pod_fit.validation_s(targets, columns, settings) > until_s:
            break
        cutoff = round(shortest_angstrom * factor, 2)
        try:
            tried = pod_fit.try_basis(targets, probe.with_cutoff(cutoff), settings, references, few, until_s)
        except pod_fit.OutOfTimeError:
            break
        scores.append((tried.choice.score * cutoff**_CUTOFF_PRICE, cutoff))
        records.append({**tried.record(), "purpose": "cutoff"})
    return min(scores)[1] if scores else start.rcut_angstrom


def _columns(targets: pod_fit.Targets, basis: PodBasis) -> int:
    """Number of coefficients of a basis, by asking LAMMPS about two atoms."""
    atoms = Atoms([basis.species[0], basis.species[-1]], positions=[[0, 0, 0], [0, 0, 0.6 * basis.rcut_angstrom]])
    return len(descriptor_sums(targets.pool.members[0], atoms, basis)[0])


def _cost(targets: pod_fit.Targets, basis: PodBasis, columns: int) -> float:
    """Seconds of one process for the descriptors of all frames, by trying one."""
    sizes = np.array([len(f.atoms) for f in targets.frames])
    typical = int(np.argsort(sizes)[len(sizes) // 2])
    start = time.monotonic()
    descriptor_sums(targets.pool.members[0], targets.frames[typical].atoms, basis)
    seconds = time.monotonic() - start
    # the sums of squares: 2 · rows · columns² operations at some 5 · 10⁹ a second
    gram_s = 2 * 3 * sizes.sum() * columns**2 / 5e9 * len(targets.pool.members)
    return float(seconds * sizes.sum() / sizes[typical] + gram_s)


def _limit(targets: pod_fit.Targets, settings: Training) -> int:
    """Largest number of coefficients that rows, memory and settings allow."""
    rows = sum(3 * int(f.force_mask.sum()) + 1 for f in targets.frames)
    return min(_bound(targets, settings), max(rows // 4, 24))


def _bound(targets: pod_fit.Targets, settings: Training) -> int:
    """Largest number of coefficients that memory and settings allow, however few the data are."""
    blocks = 3 * (int(targets.fold.max()) + 2)
    return min(settings.max_coefficients, int(np.sqrt(settings.memory_gb * 1024**3 / (8 * blocks))))


def _spread(items: Sequence[int], share: float) -> list[int]:
    """Evenly spread part of a list, at least 20 of it."""
    count = min(len(items), max(FEWEST_FRAMES, int(min(share, 1.0) * len(items))))
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, count).astype(int))]
