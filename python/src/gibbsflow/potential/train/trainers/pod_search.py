"""Search for cutoff, size and kinds of surroundings of a POD basis; the best potential so far is always on disk.

From a small basis the search climbs. Of the neighbours of the best it tries one or two sizes up, more kinds of
surroundings, other cutoffs, other radial functions, size against kinds, and many more kinds, in this order but what is
dear after what is not, and goes on from the first that gains 1 %. Where none does and time is left, 0.1 % is enough, of
what was tried and of smaller steps, around the best and then around what was nearly as good, since a way up may lead
over a basis that gains nothing; until nothing is left or the time is used. What was tried is kept: a search that was
killed goes on where it was.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.config.potential_training import Training
from gibbsflow.engines.lammps import Lammps
from gibbsflow.errors import StateError, StoppedEarly
from gibbsflow.potential.train.shared import regression
from gibbsflow.potential.train.shared.atomic_energies import AtomicEnergies
from gibbsflow.potential.train.shared.deadline import covering_order
from gibbsflow.potential.train.trainers import pod_bounds, pod_fit
from gibbsflow.potential.train.trainers.pod import Zbl
from gibbsflow.potential.train.trainers.pod_basis import (
    DEGREES,
    LADDER,
    SMALL,
    PodBasis,
    ladder_basis,
    local_descriptors,
)
from gibbsflow.potential.train.trainers.pod_environments import find_environments
from gibbsflow.potential.train.trainers.pod_speed import PRICE, SCORE, SPEED, dense, md_cost_us, objective
from gibbsflow.units import Floats
from gibbsflow.workflow.files import read_json, write_json

log = logging.getLogger(__name__)
# times 1.9 distances of nearest neighbours; in this order, since time may end the trials
_CUTOFF_FACTORS = (1.25, 1.12, 1.4, 1.0)
_CUTOFF_SHARE, _FINISH_SHARE = 0.12, 0.85
# of the time budget, where virials are to follow and where none are
_SEARCH_SHARE = {True: 0.70, False: 0.85}
# and for errors and grades after the virials, at least
_AFTER_SHARE = 0.15
# first what is worth its time in MD, then what time is left for
_BETTER, _BETTER_AT_ALL = 0.99, 0.999
# of the best objective: what is no worse has its surroundings tried as well, where there is time
_NEARLY = 1.2
_KINDS = (1, 2, 3, 4, 6, 8)
_CUTOFF_STEP, _FINE_CUTOFF_STEP = 1.07, 1.035
# cutoffs nearer than this are one: two fine steps are nearly a coarse one
_SAME_CUTOFF = 0.01
# rows for each column where cutoffs are compared: fewer are decided by chance
_PROBE_ROWS = 20
# of what is left of the search: what takes longer waits for the rest
_DEAR = 0.25
# kinds of surroundings are told apart on so many frames
_KIND_FRAMES = 80
_TRIED = "search.json"
_CUTOFF_PRICE = 0.15
_GRADE_COLUMNS = 150


@dataclass(frozen=True)
class Search:
    """Outcome of the search.

    Attributes
    ----------
    best
        Basis with the best score, or of the best score for its cost where the goal asks for that.
    records
        All that were tried.
    stopped_by
        Why no other basis was tried.
    signalled
        Whether a signal ended it.
    """

    best: pod_fit.BasisTrial
    records: list[dict[str, Any]]
    stopped_by: str
    signalled: bool


@dataclass(frozen=True)
class _Point:
    """Where the search may stand: places on the ladder and in the degrees, kinds of surroundings, a cutoff in Å."""

    number: int
    kinds: int
    cutoff: float
    degrees: int = 0


@dataclass
class _Tried:
    """A basis that was tried; the trial is None where an earlier run of the same search did it."""

    point: _Point
    choice: regression.Choice
    record: dict[str, Any]
    trial: pod_fit.BasisTrial | None


def search(
    targets: pod_fit.Targets, settings: Training, references: AtomicEnergies, species: Sequence[str],
    scales: pod_fit.Scales, zbl: Zbl | None, folder: Path, *, frames_after: int = 0, kept: Path | None = None,
) -> Search:  # fmt: skip
    """Choose cutoff, size and kinds of surroundings within the time; the best potential so far lies in `folder`.

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
    kept
        Folder that keeps what was tried, or None; of the same inputs and settings.

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
    number, start, each_s = pod_bounds.first_basis(
        targets, settings, rin, settings.cutoff_angstrom or round(shortest * _CUTOFF_FACTORS[0], 2), species, budget_s
    )
    # energies, forces and descriptors of each frame, and the algebra of as many grades as there are elements and folds
    after_s = 3 * each_s * frames_after / len(everything) / len(targets.pool.members)
    after_s += 2 * len(species) * (int(targets.fold.max()) + 2) * deadline.eigen_s(_GRADE_COLUMNS)
    stressed = len(pod_fit.with_virials(targets, settings))
    if stressed:
        after_s = max(after_s, _AFTER_SHARE * budget_s)
    where = (folder, tuple(species), rin, scales.neighbour_angstrom, kept)
    climb = _Climb(targets, settings, references, zbl, *where, after_s, stressed)
    climb.reserve(start, pod_bounds.columns_of(targets, start))
    first_s = 0.4 * deadline.until_s(1.0)
    climb.usable = pod_bounds.spread(everything, first_s * len(targets.pool.members) / max(each_s, 1e-9))
    climb.read()
    point = _Point(number, 1, start.rcut_angstrom)
    climb.begin(point, start)
    reason, signalled = "time budget", False
    try:
        if settings.cutoff_angstrom is None and number >= 0:
            cutoff = _best_cutoff(targets, start, shortest, settings, references, budget_s, climb)
            if cutoff != point.cutoff:
                climb.step(replace(point, cutoff=cutoff), start.with_cutoff(cutoff), must=True)
        reason = climb.climb()
    except pod_fit.OutOfTimeError:
        pass
    except StoppedEarly as error:
        reason, signalled = str(error), True
    best = climb.best_trial()
    deadline.reserve(after_s)  # the virials are next
    return Search(best, climb.records, reason, signalled)


@dataclass
class _Climb:
    """The search under way."""

    targets: pod_fit.Targets
    settings: Training
    references: AtomicEnergies
    zbl: Zbl | None
    folder: Path
    species: tuple[str, ...]
    rin: float
    neighbour: float
    kept: Path | None
    after_s: float
    stressed: int
    usable: list[int] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: dict[_Point, _Tried] = field(default_factory=dict)
    best: _Tried = field(init=False)
    enough: float = _BETTER
    virials_s: float = 0.0  # of all frames that have a stress, with the best basis
    each_s: float = 0.0  # of the descriptors with it

    def reserve(self, basis: PodBasis, columns: int) -> None:
        """Keep time for the virials with this basis, and for what follows them."""
        if self.stressed:
            self.each_s = pod_bounds.descriptors_s(self.targets, replace(basis, environments=None), columns)
            self.virials_s = self.stressed * pod_fit.virial_s(self.targets, basis)
        self.targets.deadline.reserve(self.after_s + self.virials_s)

    def read(self) -> None:
        """Read what an earlier run has tried."""
        if self.kept is None or not (self.kept / _TRIED).exists():
            return
        try:
            self.known = read_json(self.kept / _TRIED)
        except StateError as error:
            log.warning("%s: what was tried before is tried again", error)

    def begin(self, point: _Point, basis: PodBasis) -> None:
        """Try the first basis, whatever the time."""
        self.best = self._try(point, basis, float("inf"))
        self._write(self.best)

    def step(self, point: _Point, basis: PodBasis, *, must: bool = False) -> None:
        """Try a basis; it becomes the best where it gains enough, or must."""
        tried = self._try(point, basis, self.targets.deadline.until_s(_FINISH_SHARE + 0.05))
        if must or self._objective(tried) < self.enough * self._objective(self.best):
            self.best = tried
            self._write(tried)
            self.reserve(basis, tried.record["coefficients"])
        tried.trial = self.best.trial if tried is self.best else None  # its sums fill the memory

    def climb(self) -> str:
        """Go on until nothing is left to try; why it ends, in words."""
        while True:
            self.targets.deadline.check()
            if _good_enough(self.best.choice, self.settings):
                return "validation errors are below the targets"
            refused: list[str] = []
            found = self._next(refused)
            if found is not None:
                self.step(*found)
            elif self.enough == _BETTER:
                self._take_small_gains()
            else:
                return next(
                    (text for text in refused if text.startswith("the time budget")),
                    "; ".join(["no basis near the best ones gains 0.1 % in validation", *refused[:1]]),
                )

    def _take_small_gains(self) -> None:
        """From now on small gains are enough; the best of what was tried may be another by them."""
        self.enough = _BETTER_AT_ALL
        found = min(self.done.values(), key=self._objective)
        left_s = self.targets.deadline.until_s(_search_share(self.targets, self.settings))
        again_s = found.record["seconds"] + self.targets.deadline.elapsed_s
        if self._objective(found) < self.enough * self._objective(self.best) and again_s < left_s:
            # made again before it is the best: a signal meanwhile leaves one that is complete
            found.trial = self._run(self.basis(found.point) or self._plain(found.point), left_s)
            self.best = found
            self._write(found)
            self.reserve(found.trial.basis, found.record["coefficients"])

    def _objective(self, tried: _Tried) -> float:
        return objective(tried.record, self.settings.goal)

    def best_trial(self) -> pod_fit.BasisTrial:
        """The trial of the best basis, done again where an earlier run did it."""
        if self.best.trial is None:
            again = self._run(self.basis(self.best.point) or self._plain(self.best.point), float("inf"))
            self.best.trial = again
            self._write(self.best)
        assert self.best.trial is not None  # noqa: S101 - just made
        return self.best.trial

    def keep(self, name: str, record: dict[str, Any], choice: regression.Choice) -> None:
        """Keep what was tried, for a run that goes on after this one was killed."""
        self.known[name] = {"record": record, "choice": asdict(choice)}
        if self.kept is not None:
            write_json(self.kept / _TRIED, self.known)

    def _origins(self) -> list[_Point]:
        """Where to go on from: the best, and where small gains count also what was nearly as good, the best first."""
        if self.enough == _BETTER:
            return [self.best.point]
        bound = _NEARLY * self._objective(self.best)
        others = {id(tried): tried for tried in self.done.values() if tried is not self.best}.values()
        near = [tried for tried in sorted(others, key=self._objective) if self._objective(tried) <= bound]
        return [self.best.point, *(tried.point for tried in near)]

    def _neighbours(self, point: _Point) -> list[_Point]:
        """Neighbours of a point that were not tried, in the order of preference."""
        kinds = [k for k in _KINDS if k <= self.settings.max_environments] or [1]
        at = kinds.index(point.kinds)

        def _size(step: int) -> list[_Point]:
            number = point.number + step
            return [replace(point, number=number)] if -len(SMALL) <= number < len(LADDER) else []

        def _more(step: int) -> list[_Point]:
            return [replace(point, kinds=kinds[at + step])] if 0 <= at + step < len(kinds) else []

        around = [*_size(1), *_size(2), *_more(1)]
        if PRICE[self.settings.goal]:  # where cost counts, smaller may be better
            around += [*_size(-1), *_more(-1)]
        if self.settings.cutoff_angstrom is None:
            steps = (_CUTOFF_STEP,) if self.enough == _BETTER else (_CUTOFF_STEP, _FINE_CUTOFF_STEP)
            cutoffs = (round(point.cutoff * f, 2) for step in steps for f in (1 / step, step))
            around += [replace(point, cutoff=c) for c in cutoffs if 1.3 * self.neighbour <= c <= 20]
        around += [replace(point, degrees=k) for k in range(len(DEGREES))]
        # at the bound of coefficients neither alone can grow
        around += [replace(more, number=less.number) for k in (1, 2) for less in _size(-k) for more in _more(k)]
        around += [replace(fewer, number=larger.number) for larger in _size(1) for fewer in _more(-1)]
        around += _more(2)
        return [p for p in around if p not in self.done and (p.cutoff == point.cutoff or not self._tried_near(p))]

    def _tried_near(self, point: _Point) -> bool:
        """Whether the same basis was tried at a cutoff so near that it is no other."""
        return any(
            replace(other, cutoff=point.cutoff) == point
            and abs(other.cutoff - point.cutoff) < _SAME_CUTOFF * point.cutoff
            for other in self.done
        )

    def _next(self, refused: list[str]) -> tuple[_Point, PodBasis] | None:
        """What to try next, of what bounds and time allow; what is refused is said."""
        for origin in self._origins():
            for point in self._possible(origin, refused):
                basis = self.basis(point)
                if basis is not None:
                    return point, basis
        return None

    def _possible(self, origin: _Point, refused: list[str]) -> list[_Point]:
        """Neighbours of a point that bounds and time allow, what is dear after what is not."""
        deadline, share, options = self.targets.deadline, _search_share(self.targets, self.settings), []
        # the sums of the best are to be made again
        again_s = self.best.record["seconds"] if self.best.trial is None else 0.0
        for place, point in enumerate(self._neighbours(origin)):
            plain = self._plain(point)
            species = len(plain.species)
            columns = species + (pod_bounds.columns_of(self.targets, plain) - species) * point.kinds
            if columns > pod_bounds.most_columns(self.targets, self.settings):
                refused.append(f"a basis of {columns} coefficients is more than data, memory or max_coefficients allow")
                continue
            expected_s = dearer_s = 0.0
            if self._name(point) not in self.known:
                each_s = pod_bounds.descriptors_s(self.targets, plain, columns)
                expected_s = each_s * len(self.usable) / len(self.targets.frames) / len(self.targets.pool.members)
                expected_s += pod_fit.validation_s(self.targets, columns, self.settings)
                dearer_s = self.virials_s * max(each_s / max(self.each_s, 1e-9) - 1, 0.0)
            left_s = deadline.until_s(share, dearer_s) - deadline.elapsed_s - again_s
            if expected_s > left_s:
                refused.append(f"the time budget would not hold a basis of {columns} coefficients ({expected_s:.0f} s)")
                continue
            options.append((expected_s > _DEAR * left_s, place, point))
        return [point for _, _, point in sorted(options, key=lambda option: option[:2])]

    def _plain(self, point: _Point) -> PodBasis:
        bessel, inverse = DEGREES[point.degrees]
        plain = ladder_basis(point.number, self.species, self.rin, point.cutoff)
        return replace(plain, bessel=bessel, inverse=inverse)

    def basis(self, point: _Point) -> PodBasis | None:
        """The basis of a point; None where the surroundings are not of so many kinds."""
        plain = self._plain(point)
        if point.kinds == 1:
            return plain

        def _local(lammps: Lammps, k: int) -> Floats:
            return local_descriptors(lammps, self.targets.frames[k].atoms, plain)

        symbols = [self.targets.frames[k].atoms.get_chemical_symbols() for k in self.usable]
        chosen = covering_order([frozenset(s) for s in symbols])[:_KIND_FRAMES]
        local = list(self.targets.pool.map(_local, [self.usable[k] for k in chosen]))
        found = find_environments([symbols[k] for k in chosen], local, plain.species, point.kinds)
        if found is None:
            self.done[point] = self.best  # not to be asked again
            return None
        return replace(plain, environments=found)

    def _name(self, point: _Point) -> str:
        return f"{point.number} {point.kinds} {point.cutoff:g} {point.degrees} {len(self.usable)}"

    def _run(self, basis: PodBasis, until_s: float) -> pod_fit.BasisTrial:
        return pod_fit.try_basis(self.targets, basis, self.settings, self.references, self.usable, until_s)

    def _try(self, point: _Point, basis: PodBasis, until_s: float) -> _Tried:
        name = self._name(point)
        if name in self.known:
            told = self.known[name]
            choice = regression.Choice(**{**told["choice"], "weights": regression.Weights(**told["choice"]["weights"])})
            tried = _Tried(point, choice, told["record"], None)
        else:
            trial = self._run(basis, until_s)
            atoms = dense(pod_bounds.typical(self.targets), point.cutoff, self.neighbour)
            cost = md_cost_us(self.targets.pool.members[0], atoms, basis, trial.sums[0])
            record = {**trial.record(), SCORE: trial.choice.score, SPEED: round(cost, 2)}
            tried = _Tried(point, trial.choice, record, trial)
            self.keep(name, record, trial.choice)
            log.info("validation: %s", record)
        self.records.append(tried.record)
        self.done[point] = tried
        return tried

    def _write(self, tried: _Tried) -> None:
        """Write the best so far, and let go of the sums of those before it."""
        if tried.trial is not None:
            pod_fit.solve(tried.trial, self.settings, self.references, self.zbl).write(self.folder)
        for other in self.done.values():
            if other is not tried:
                other.trial = None


def _search_share(targets: pod_fit.Targets, settings: Training) -> float:
    return _SEARCH_SHARE[bool(pod_fit.with_virials(targets, settings))]


def _good_enough(choice: regression.Choice, settings: Training) -> bool:
    energy = 1e3 * choice.energy_rmse_ev_per_atom <= settings.target_energy_rmse_mev_per_atom
    return energy and choice.force_rmse_ev_per_angstrom <= settings.target_force_rmse_ev_per_angstrom


def _best_cutoff(
    targets: pod_fit.Targets, start: PodBasis, shortest_angstrom: float, settings: Training, references: AtomicEnergies,
    budget_s: float, climb: _Climb,
) -> float:  # fmt: skip
    """Cutoff of the best forces with a middling basis on some frames, where a longer one has to earn its cost.

    Time in fit and MD grows with the cube of the cutoff. The price is about half of what the same time buys by a larger
    basis, since large bases make more of a long cutoff than the one that is tried here.
    """
    point, few, columns = _probe(targets, start, settings, budget_s, climb)
    until_s = min(
        targets.deadline.elapsed_s + 2 * _CUTOFF_SHARE * budget_s,
        targets.deadline.until_s(_search_share(targets, settings)),
    )
    scores: list[tuple[float, float]] = []
    for factor in _CUTOFF_FACTORS:
        if targets.deadline.elapsed_s + pod_fit.validation_s(targets, columns, settings) > until_s:
            break
        cutoff = round(shortest_angstrom * factor, 2)
        name = f"cutoff {cutoff:g} {len(few)} {columns}"
        if name not in climb.known:
            probe = climb.basis(replace(point, cutoff=cutoff)) or climb.basis(replace(point, cutoff=cutoff, kinds=1))
            assert probe is not None  # noqa: S101 - there is always one kind
            try:
                tried = pod_fit.try_basis(targets, probe, settings, references, few, until_s)
            except pod_fit.OutOfTimeError:
                break
            record = {**tried.record(), SCORE: tried.choice.score, "purpose": "cutoff"}
            climb.keep(name, record, tried.choice)
        record = climb.known[name]["record"]
        # forces alone: on few frames the few energies say little
        scores.append((record["validation_force_rmse_ev_per_angstrom"] * cutoff**_CUTOFF_PRICE, cutoff))
        climb.records.append(record)
    return min(scores)[1] if scores else start.rcut_angstrom


def _probe(
    targets: pod_fit.Targets, start: PodBasis, settings: Training, budget_s: float, climb: _Climb
) -> tuple[_Point, list[int], int]:
    """What cutoffs are tried with: size and kinds, frames, columns. Small bases without kinds like too long cutoffs."""
    two = min(2, settings.max_environments)
    for number, kinds in ((4, two), (3, two), (3, 1), (climb.best.point.number, 1)):
        plain = ladder_basis(number, start.species, start.rin_angstrom, start.rcut_angstrom)
        columns = pod_bounds.columns_of(targets, plain) * kinds
        each_s = max(pod_bounds.descriptors_s(targets, plain, columns), 1e-9)
        share = _CUTOFF_SHARE * budget_s * len(targets.pool.members) / (8 * each_s)
        few = pod_bounds.spread(range(len(targets.frames)), share)
        rows = 3 * sum(len(targets.frames[k].atoms) for k in few)
        if columns <= min(pod_bounds.most_columns(targets, settings), rows // _PROBE_ROWS):
            break
    return _Point(number, kinds, start.rcut_angstrom), few, columns
