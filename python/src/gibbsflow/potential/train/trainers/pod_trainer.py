"""The POD trainer: search, fit, comparison with what LAMMPS gives, errors and grade of one potential."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from ase import Atoms

from gibbsflow.config.potential_training import Training
from gibbsflow.engines.lammps import Lammps, LammpsPool
from gibbsflow.errors import ScienceError
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train.checks.frame_checks import rare_elements
from gibbsflow.potential.train.shared.atomic_energies import AtomicEnergies, reference_energies
from gibbsflow.potential.train.shared.core_pairs import core_pairs
from gibbsflow.potential.train.shared.deadline import FEWEST_FRAMES, Deadline, covering_order
from gibbsflow.potential.train.shared.grade import Grader, calibrate
from gibbsflow.potential.train.shared.inputs import POTENTIAL, Inputs, processes
from gibbsflow.potential.train.shared.metrics import Prediction, parity, summarise_errors
from gibbsflow.potential.train.shared.protocols import Fit
from gibbsflow.potential.train.shared.splits import Folds, assign_folds
from gibbsflow.potential.train.trainers import pod_fit, pod_search, pod_uncertainty
from gibbsflow.potential.train.trainers.pod import PodEvaluator, PodPotential, Zbl, zbl_for
from gibbsflow.potential.train.trainers.pod_basis import (
    LADDER,
    SMALL,
    PodBasis,
    ladder_basis,
    local_descriptors,
)
from gibbsflow.potential.train.trainers.pod_speed import SPEED, pareto_front
from gibbsflow.potential.train.uncertainty.met_frames import calm, met
from gibbsflow.units import Floats
from gibbsflow.workflow.state.segments import Stopper

log = logging.getLogger(__name__)
# predictions by LAMMPS and by the normal equations differ by rounding only; more means that the wrong thing was fitted
_AGREEMENT_EV_PER_ATOM = 1e-6
_GRADE_DESCRIPTORS = 150
T = TypeVar("T")


class PodTrainer:
    """Proper orthogonal descriptors in LAMMPS: the default, and the only trainer whose potentials are explored with."""

    physics = pod_fit.PHYSICS
    lammps_style = "pod"
    keeps_time = True
    graded = True

    def fit(
        self, inputs: Inputs, settings: Training, *, seed: int, stopper: Stopper, budget_s: float, out: Path,
        kept: Path | None = None,
    ) -> Fit:  # fmt: skip
        """Fit, evaluate and write a POD potential with its active sets.

        Parameters
        ----------
        inputs
            Training and test frames.
        settings
            Section ``training``.
        seed
            Of the validation split.
        stopper
            Its clock started with the command; a signal ends the search and the best potential so far is finished.
        budget_s
            Wall-clock seconds for all.
        out
            Gets ``potential/``.
        kept
            Folder for what a run that goes on after this one was killed need not do again, or None.

        Returns
        -------
        Fit
            Figures, and what is drawn of them.

        Raises
        ------
        MissingProgramError
            Where LAMMPS or its ML-POD is missing.
        ScienceError
            Where LAMMPS does not give the energies that were fitted.
        StoppedEarly
            After a signal before there was any potential.
        """
        species = inputs.species
        references = reference_energies(inputs.train, species)
        zbl = zbl_for(species) if settings.zbl else None
        folds = assign_folds(inputs.train, settings.folds, seed)
        surroundings = [frame for frame, own in zip(inputs.train, met(inputs.train), strict=True) if own]
        scales = pod_fit.length_scales(surroundings)
        folder = out / POTENTIAL
        with (
            tempfile.TemporaryDirectory(prefix="gibbsflow-fit-") as scratch,
            LammpsPool(Path(scratch), processes(settings)) as pool,
        ):
            pool.members[0].require(self.lammps_style)
            deadline = Deadline(stopper, budget_s)
            core = core_pairs(inputs.train)
            every = Folds(np.concatenate([folds.fold, np.arange(len(core)) % folds.count]), folds.by)
            calmed = calm(inputs.train)
            if fewer := sum(own.weights != frame.weights for own, frame in zip(calmed, inputs.train, strict=True)):
                inputs.account.note(f"{fewer} molecules with large forces count for less in the fit")
            targets = pod_fit.take_off([*calmed, *core], every, references, species, zbl, pool, deadline)
            after = len(inputs.train) + len(inputs.test)
            found = pod_search.search(
                targets, settings, references, species, scales, zbl, folder, frames_after=after, kept=kept
            )
            best = found.best
            learnt = [frame for frame in (targets.frames[k] for k in best.frames) if frame.row > 0]
            if not found.signalled:
                best = pod_fit.add_virials(targets, best, settings, references, deadline.until_s(1.0))
                if said := pod_fit.too_few_virials(targets, settings):
                    log.warning(said)
                    inputs.account.note(said)
            potential = pod_fit.solve(best, settings, references, zbl).write(folder)
            # what is left goes first to the test errors, then to the grade, and last to the errors of training
            finish = _Finish(pool, deadline, inputs)
            if best.stress_frames:
                finish.say("virials", best.stress_frames, sum(stress is not None for stress in targets.stress))
            test, predicted = finish.predict(potential, inputs.test, "test", 0.3)
            grader = finish.grader(potential, inputs.train, folds, 0.6)
            test_grades = finish.grades(grader, test)
            rare = rare_elements(inputs.train)
            judged = pod_uncertainty.judge(grader, test, predicted, test_grades, settings, folder, rare)
            grader = judged.grader
            committee = finish.committee(best, settings, references, zbl, folder, test, predicted)
            train, fitted = finish.predict(potential, inputs.train, "train", 1.0)
            predictions = {"train": fitted, "test": predicted}
            difference = _disagreement(targets, best, potential, fitted, train, references.of)
            version = pool.members[0].version
        figures = {
            "backend": "pod",
            "potential": POTENTIAL,
            "species": species,
            "coefficients": len(potential.coefficients),
            "basis": best.record(),
            "split": folds.by,
            "folds": folds.count,
            "frames_used": len(learnt),
            "energy_frames_used": sum(frame.weights.energy > 0 for frame in learnt),
            "force_frames_used": sum(frame.weights.force > 0 for frame in learnt),
            "core_pairs": len(core),
            "stress_frames_used": best.stress_frames,
            "search": found.records,
            "search_stopped_by": found.stopped_by,
            "goal": settings.goal,
            "pareto": pareto_front([record for record in found.records if SPEED in record]),
            "references": {"energy_ev": references.energy_ev, "source": references.source},
            "zbl_angstrom": [zbl.inner_angstrom, zbl.outer_angstrom] if zbl else None,
            "lammps_difference_ev_per_atom": difference,
            "grade": {
                "lower": grader.lower, "upper": grader.upper, **grader.calibration,
                "test_largest": float(max(own.max() for own in test_grades)),
                "basis_descriptors": grader.basis_descriptors, **judged.figures,
            },
            **committee,
            "train": summarise_errors(train, predictions["train"]),
            "test": summarise_errors(test, predictions["test"]),
            "lammps": version,
        }  # fmt: skip
        pairs = {
            "train": parity(train, predictions["train"], references.of),
            "test": parity(test, predictions["test"], references.of),
        }
        stopped_by = found.stopped_by if found.signalled else ""
        largest = np.array([own.max() for own in test_grades])
        return Fit(figures, pairs, largest, stopped_by=stopped_by, atom_errors=judged.atom_errors)

    def read(self, folder: Path) -> PodPotential:
        """Read what :meth:`fit` has written.

        Parameters
        ----------
        folder
            Folder of the potential.

        Returns
        -------
        PodPotential
            As written.

        Raises
        ------
        StateError
            Where it is missing or not readable.
        """
        return PodPotential.read(folder)


def _disagreement(
    targets: pod_fit.Targets, best: pod_fit.BasisTrial, potential: PodPotential, predictions: Sequence[Prediction],
    frames: Sequence[LabelledFrame], reference: Callable[[LabelledFrame], float],
) -> float:  # fmt: skip
    """Largest difference between LAMMPS' energy and the one of the normal equations, eV an atom."""
    by_row = {frame.row: p for frame, p in zip(frames, predictions, strict=True)}
    own = potential.coefficients
    largest = 0.0
    for k, sums in zip(best.frames, best.sums, strict=True):
        frame = targets.frames[k]
        if frame.row not in by_row:
            continue
        core = frame.energy_ev - reference(frame) - targets.energy[k]
        n = len(frame.atoms)
        largest = max(largest, abs(by_row[frame.row].energy_ev - float(sums @ own) - core) / n)
    if not largest < _AGREEMENT_EV_PER_ATOM:
        raise ScienceError(
            f"LAMMPS' energies differ from the fitted ones by up to {largest:.3g} eV an atom",
            what_to_do="Another LAMMPS than that of the training may be in use; report the versions in result.json.",
        )
    return largest


def _learnt(
    frames: Sequence[LabelledFrame], found: Mapping[int, Floats], numbers: Sequence[int]
) -> tuple[list[int], list[list[str]], list[Floats]]:
    """Frames with symbols and descriptors of the atoms that the fit has learnt from.

    An atom whose force does not count, in a frame whose energy does not count, is known to no one.
    """
    kept = {k: frames[k].force_mask if frames[k].weights.energy == 0 else np.ones(len(frames[k].atoms), bool)
            for k in numbers}  # fmt: skip
    names = {k: np.array(frames[k].atoms.get_chemical_symbols()) for k in numbers}
    every = {str(symbol) for k in numbers for symbol in names[k]}
    if {str(symbol) for k in numbers for symbol in names[k][kept[k]]} != every:
        kept = {k: np.ones(len(names[k]), bool) for k in numbers}  # an element would have no active set at all
    numbers = [k for k in numbers if kept[k].any()]
    return numbers, [names[k][kept[k]].tolist() for k in numbers], [found[k][kept[k]] for k in numbers]


@dataclass
class _Finish:
    """What comes after the search, within what is left of the time; what was left out is noted."""

    pool: LammpsPool
    deadline: Deadline
    inputs: Inputs

    def predict(
        self, potential: PodPotential, frames: Sequence[LabelledFrame], name: str, share: float
    ) -> tuple[list[LabelledFrame], list[Prediction]]:
        """Predict as many frames as there is time for, in a share of what is left."""

        def _one(lammps: Lammps, frame: LabelledFrame) -> Prediction:
            return PodEvaluator(potential, lammps).predict(frame.atoms)

        until_s = self.deadline.elapsed_s + share * self.deadline.left_s
        found = self._within(_one, frames, until_s)
        self.say(f"{name} errors", len(found), len(frames))
        return [frames[k] for k in sorted(found)], [found[k] for k in sorted(found)]

    def grader(self, potential: PodPotential, frames: Sequence[LabelledFrame], folds: Folds, share: float) -> Grader:
        """Active sets on the largest basis of the ladder that is quick enough and not larger than the potential's."""
        until_s = self.deadline.elapsed_s + share * self.deadline.left_s
        chosen = self._basis(potential.basis, folds.count, 0.5 * share * self.deadline.left_s)

        def _one(lammps: Lammps, frame: LabelledFrame) -> Floats:
            return local_descriptors(lammps, frame.atoms, chosen)

        found = self._within(_one, frames, until_s)
        self.say("the grade", len(found), len(frames))
        numbers = sorted(found)
        numbers, symbols, descriptors = _learnt(frames, found, numbers)
        _, fold = np.unique(folds.fold[numbers], return_inverse=True)
        counted = met([frames[k] for k in numbers])
        return calibrate(symbols, descriptors, fold.astype(np.int64), chosen.to_json(), counted)

    def committee(
        self, best: pod_fit.BasisTrial, settings: Training, references: AtomicEnergies, zbl: Zbl | None, folder: Path,
        frames: Sequence[LabelledFrame], predicted: Sequence[Prediction],
    ) -> dict[str, Any]:  # fmt: skip
        """Fits without each fold, where they are asked for, and what the test frames say of their spread."""
        if not settings.committee:
            shutil.rmtree(folder / pod_uncertainty.COMMITTEE, ignore_errors=True)
            return {}
        members = pod_uncertainty.make_committee(best, settings, references, zbl, folder)
        if not members:
            self.inputs.account.warn("all training frames are of one group: there is no committee", "several parents")
            return {"committee": None}
        target, until_s = (
            settings.target_atom_error_ev_per_angstrom,
            self.deadline.elapsed_s + 0.5 * self.deadline.left_s,
        )
        found = pod_uncertainty.judge_committee(members, frames, predicted, target, folder, self._within, until_s)
        return {"committee": found}

    def grades(self, grader: Grader, frames: Sequence[LabelledFrame]) -> list[Floats]:
        """Grade of each atom, an array a frame."""
        basis = PodBasis.from_json(grader.basis)

        def _one(lammps: Lammps, frame: LabelledFrame) -> Floats:
            return local_descriptors(lammps, frame.atoms, basis)

        found = list(self.pool.map(_one, frames))
        return [grader.grades(f.atoms.get_chemical_symbols(), d) for f, d in zip(frames, found, strict=True)]

    def _basis(self, own: PodBasis, folds: int, algebra_s: float) -> PodBasis:
        pair = Atoms([own.species[0], own.species[-1]], positions=[[0, 0, 0], [0, 0, 0.6 * own.rcut_angstrom]])
        chosen = own.plain
        for number in range(-len(SMALL), len(LADDER)):
            smaller = ladder_basis(number, own.species, own.rin_angstrom, own.rcut_angstrom)
            count = local_descriptors(self.pool.members[0], pair, smaller).shape[1]
            # below the first step of the ladder only where that is larger than the potential's own basis, or too slow
            too_slow = 2 * len(own.species) * (folds + 1) * self.deadline.eigen_s(count) > algebra_s
            beyond = count > _GRADE_DESCRIPTORS or smaller.radial > own.radial or too_slow
            if beyond and number > -len(SMALL) and (number > 0 or smaller.radial > own.radial or too_slow):
                break
            chosen = smaller
        return chosen

    def _within(
        self, work: Callable[[Lammps, LabelledFrame], T], frames: Sequence[LabelledFrame], until_s: float
    ) -> dict[int, T]:
        """Work on frames until the time has come, but on the fewest that hold all elements in any case."""
        kinds = [frozenset(frame.atoms.get_chemical_symbols()) for frame in frames]
        order = covering_order(kinds)
        wanted, seen, found = frozenset[str]().union(*kinds), set[str](), {}
        for k, made in zip(order, self.pool.map(work, [frames[k] for k in order]), strict=False):
            found[k] = made
            seen |= kinds[k]
            if self.deadline.elapsed_s > until_s and len(found) >= FEWEST_FRAMES and seen == wanted:
                break
        return found

    def say(self, what: str, count: int, of: int) -> None:
        """Note what was done on fewer frames than there are."""
        if count < of:
            said = f"the time budget was at its end: {what} by {count} of {of} frames, evenly spread"
            log.warning(said)
            self.inputs.account.note(said)
