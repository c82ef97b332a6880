"""Search for cutoff and size of a POD basis within a time budget; the best potential so far is always on disk."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.config.potential_training import Training
from gibbsflow.errors import StoppedEarly
from gibbsflow.potential.train import regression
from gibbsflow.potential.train.atomic_energies import References
from gibbsflow.potential.train.trainers import pod, pod_fit

log = logging.getLogger(__name__)
# times 1.9 distances of nearest neighbours; in this order, since time may end the trials
_CUTOFF_FACTORS = (1.25, 1.12, 1.4, 1.0)
_SEARCH_SHARE, _CUTOFF_SHARE, _FINISH_SHARE = 0.70, 0.12, 0.85
_BETTER = 0.99
# validation is noisy where energies are few: one rung without gain says little
_PATIENCE = 2
_CUTOFF_PRICE = 0.15


@dataclass(frozen=True)
class Search:
    """Outcome of the search.

    Parameters
    ----------
    best
        Candidate with the best score.
    records
        All that were tried.
    stopped_by
        Why no larger basis was tried.
    signalled
        Whether a signal ended it.
    """

    best: pod_fit.Candidate
    records: list[dict[str, Any]]
    stopped_by: str
    signalled: bool


def search(
    problem: pod_fit.Problem, settings: Training, references: References, species: Sequence[str],
    scales: pod_fit.Scales, zbl: pod.Zbl | None,
    budget_s: float, folder: Path,
) -> Search:  # fmt: skip
    """Choose cutoff and size of the basis within the time; the best potential so far always lies in `folder`.

    Raises
    ------
    StoppedEarly
        After a signal before there was any potential.
    """
    rin = float(np.clip(0.45 * scales.shortest_angstrom, 0.2, 1.2))
    everything = range(len(problem.frames))
    shortest = max(4.5, 1.9 * scales.neighbour_angstrom)
    start = pod.rung(1, species, rin, settings.cutoff_angstrom or round(shortest * _CUTOFF_FACTORS[0], 2))
    each_s, columns = _cost(problem, start)
    if columns > _limit(problem, settings):
        start = pod.rung(0, species, rin, start.rcut_angstrom)
        each_s, columns = _cost(problem, start)
    usable = _spread(everything, 0.4 * budget_s * len(problem.pool.members) / max(each_s, 1e-9))
    best = pod_fit.build(problem, start, settings, references, usable, 10 * budget_s)
    records = [best.record()]
    pod_fit.solve(best, settings, references, zbl).write(folder)
    reason, signalled, misses = "the largest basis was reached", False, 0
    cutoff, first = start.rcut_angstrom, 1 + next(i for i, (r, _) in enumerate(pod.LADDER) if r == start.radial)
    try:
        if settings.cutoff_angstrom is None:
            cutoff = _best_cutoff(problem, start, shortest, settings, references, budget_s, records)
            first -= cutoff != start.rcut_angstrom
        for number in range(first, len(pod.LADDER)):
            problem.stopper.check()
            if _good_enough(best.choice, settings):
                reason = "validation errors are below the targets"
                break
            basis = pod.rung(number, species, rin, cutoff)
            each_s, columns = _cost(problem, basis)
            if columns > _limit(problem, settings):
                reason = f"a basis of {columns} coefficients is more than data, memory or max_coefficients allow"
                break
            expected_s = each_s * len(usable) / len(everything) / len(problem.pool.members)
            if problem.stopper.elapsed_s + expected_s > _SEARCH_SHARE * budget_s:
                reason = f"the time budget would not hold a basis of {columns} coefficients ({expected_s:.0f} s)"
                break
            candidate = pod_fit.build(problem, basis, settings, references, usable, _FINISH_SHARE * budget_s)
            records.append(candidate.record())
            log.info("%d coefficients: validation %s", columns, records[-1])
            misses = misses + 1 if candidate.choice.score > _BETTER * best.choice.score else 0
            if candidate.choice.score < best.choice.score:
                best = candidate
                pod_fit.solve(best, settings, references, zbl).write(folder)
            if misses == _PATIENCE:
                reason = f"bases of up to {columns} coefficients are no better in validation"
                break
    except pod_fit.OutOfTimeError:
        reason = "time budget"
    except StoppedEarly as error:
        reason, signalled = str(error), True
    return Search(best, records, reason, signalled)


def _good_enough(choice: regression.Choice, settings: Training) -> bool:
    energy = 1e3 * choice.energy_rmse_ev_per_atom <= settings.target_energy_rmse_mev_per_atom
    return energy and choice.force_rmse_ev_per_angstrom <= settings.target_force_rmse_ev_per_angstrom


def _best_cutoff(
    problem: pod_fit.Problem, start: pod.PodBasis, shortest_angstrom: float, settings: Training, references: References,
    budget_s: float, records: list[dict[str, Any]],
) -> float:  # fmt: skip
    """Cutoff of the best score with a small basis on some frames, where a longer one has to earn its cost.

    Time in fit and MD grows with the cube of the cutoff. The price is about half of what the same time buys by a larger
    basis, since large bases make more of a long cutoff than the small one that is tried here.
    """
    probe = pod.rung(2, start.species, start.rin_angstrom, start.rcut_angstrom)
    each_s, columns = _cost(problem, probe)
    if columns > _limit(problem, settings):
        probe = start
    share = _CUTOFF_SHARE * budget_s * len(problem.pool.members) / (8 * max(each_s, 1e-9))
    few = _spread(range(len(problem.frames)), share)
    until_s = problem.stopper.elapsed_s + 2 * _CUTOFF_SHARE * budget_s
    scores: list[tuple[float, float]] = []
    for factor in _CUTOFF_FACTORS:
        cutoff = round(shortest_angstrom * factor, 2)
        try:
            tried = pod_fit.build(problem, probe.with_cutoff(cutoff), settings, references, few, until_s)
        except pod_fit.OutOfTimeError:
            break
        scores.append((tried.choice.score * cutoff**_CUTOFF_PRICE, cutoff))
        records.append({**tried.record(), "purpose": "cutoff"})
    return min(scores)[1] if scores else start.rcut_angstrom


def _cost(problem: pod_fit.Problem, basis: pod.PodBasis) -> tuple[float, int]:
    """Seconds of one process for the descriptors of all frames, and the number of coefficients, by trying one frame."""
    sizes = np.array([len(f.atoms) for f in problem.frames])
    typical = int(np.argsort(sizes)[len(sizes) // 2])
    start = time.monotonic()
    total = pod.descriptor_sums(problem.pool.members[0], problem.frames[typical].atoms, basis)[0]
    seconds = time.monotonic() - start
    # the sums of squares: 2 · rows · columns² operations at some 5 · 10⁹ a second
    gram_s = 2 * 3 * sizes.sum() * len(total) ** 2 / 5e9 * len(problem.pool.members)
    return float(seconds * sizes.sum() / sizes[typical] + gram_s), len(total)


def _limit(problem: pod_fit.Problem, settings: Training) -> int:
    """Largest number of coefficients that rows, memory and settings allow."""
    rows = sum(3 * int(f.force_mask.sum()) + 1 for f in problem.frames)
    blocks = 3 * (int(problem.fold.max()) + 2)
    memory = int(np.sqrt(settings.memory_gb * 1024**3 / (8 * blocks)))
    return min(settings.max_coefficients, max(rows // 4, 24), memory)


def _spread(items: Sequence[int], share: float) -> list[int]:
    """Evenly spread part of a list, at least 20 of it."""
    count = min(len(items), max(20, int(min(share, 1.0) * len(items))))
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, count).astype(int))]
