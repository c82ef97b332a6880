"""The POD trainer: search, fit, comparison with what LAMMPS gives, errors and grade of one potential."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from gibbsflow.config.potential_training import Training
from gibbsflow.engines.lammps import Lammps, LammpsPool
from gibbsflow.errors import ScienceError
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train.shared.atomic_energies import reference_energies
from gibbsflow.potential.train.shared.grade import ACTIVE_SET, Grader, calibrate
from gibbsflow.potential.train.shared.inputs import POTENTIAL, Inputs, processes
from gibbsflow.potential.train.shared.metrics import Prediction, parity, summarise_errors
from gibbsflow.potential.train.shared.protocols import Fit
from gibbsflow.potential.train.shared.splits import Folds, assign_folds
from gibbsflow.potential.train.trainers import pod_fit, pod_search
from gibbsflow.potential.train.trainers.pod import PodEvaluator, PodPotential, zbl_for
from gibbsflow.potential.train.trainers.pod_basis import (
    LADDER,
    PodBasis,
    descriptor_sums,
    ladder_basis,
    local_descriptors,
)
from gibbsflow.units import Floats
from gibbsflow.workflow.state.segments import Stopper

# predictions by LAMMPS and by the normal equations differ by rounding only; more means that the wrong thing was fitted
_AGREEMENT_EV_PER_ATOM = 1e-6
_GRADE_DESCRIPTORS = 150


class PodTrainer:
    """Proper orthogonal descriptors in LAMMPS: the default, and the only trainer whose potentials are explored with."""

    physics = pod_fit.PHYSICS
    lammps_style = "pod"
    graded = True

    def fit(
        self, inputs: Inputs, settings: Training, *, seed: int, stopper: Stopper, budget_s: float, out: Path
    ) -> Fit:
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
        scales = pod_fit.length_scales(inputs.train)
        folder = out / POTENTIAL
        with (
            tempfile.TemporaryDirectory(prefix="gibbsflow-fit-") as scratch,
            LammpsPool(Path(scratch), processes(settings)) as pool,
        ):
            pool.members[0].require(self.lammps_style)
            targets = pod_fit.take_off(inputs.train, folds, references, species, zbl, pool, stopper)
            found = pod_search.search(targets, settings, references, species, scales, zbl, budget_s, folder)
            best = found.best
            if not found.signalled:
                best = pod_fit.add_virials(targets, best, settings, references, 0.85 * budget_s)
            potential = pod_fit.solve(best, settings, references, zbl).write(folder)
            predictions = {
                name: _predict(pool, potential, frames)
                for name, frames in (("train", inputs.train), ("test", inputs.test))
            }
            difference = _disagreement(targets, best, potential, predictions["train"], inputs.train, references.of)
            grader = _grader(pool, potential, inputs.train, folds)
            grader.write(folder / ACTIVE_SET)
            test_grades = _grades(pool, grader, inputs.test)
            version = pool.members[0].version
        figures = {
            "backend": "pod",
            "potential": POTENTIAL,
            "species": species,
            "coefficients": len(potential.coefficients),
            "basis": best.record(),
            "split": folds.by,
            "folds": folds.count,
            "frames_used": len(best.sums),
            "stress_frames_used": best.stress_frames,
            "search": found.records,
            "search_stopped_by": found.stopped_by,
            "references": {"energy_ev": references.energy_ev, "source": references.source},
            "zbl_angstrom": [zbl.inner_angstrom, zbl.outer_angstrom] if zbl else None,
            "lammps_difference_ev_per_atom": difference,
            "grade": {
                "lower": grader.lower, "upper": grader.upper, **grader.calibration,
                "test_largest": float(test_grades.max()),
                "basis_descriptors": grader.basis_descriptors,
            },
            "train": summarise_errors(inputs.train, predictions["train"]),
            "test": summarise_errors(inputs.test, predictions["test"]),
            "lammps": version,
        }  # fmt: skip
        pairs = {
            "train": parity(inputs.train, predictions["train"], references.of),
            "test": parity(inputs.test, predictions["test"], references.of),
        }
        return Fit(figures, pairs, test_grades, stopped_by=found.stopped_by if found.signalled else "")

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


def _predict(pool: LammpsPool, potential: PodPotential, frames: Sequence[LabelledFrame]) -> list[Prediction]:
    def _one(lammps: Lammps, frame: LabelledFrame) -> Prediction:
        return PodEvaluator(potential, lammps).predict(frame.atoms)

    return list(pool.map(_one, frames))


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
        core = frame.energy_ev - reference(frame) - targets.energy[k]
        n = len(frame.atoms)
        largest = max(largest, abs(by_row[frame.row].energy_ev - float(sums @ own) - core) / n)
    if not largest < _AGREEMENT_EV_PER_ATOM:
        raise ScienceError(
            f"LAMMPS' energies differ from the fitted ones by up to {largest:.3g} eV an atom",
            what_to_do="Another LAMMPS than that of the training may be in use; report the versions in result.json.",
        )
    return largest


def _grader(pool: LammpsPool, potential: PodPotential, frames: Sequence[LabelledFrame], folds: Folds) -> Grader:
    """Active sets on the largest basis of the ladder that is quick in MD and not larger than the potential's own."""
    basis = potential.basis
    for number in range(len(LADDER)):
        smaller = ladder_basis(number, basis.species, basis.rin_angstrom, basis.rcut_angstrom)
        count = descriptor_sums(pool.members[0], frames[0].atoms, smaller)[0].size // len(basis.species) - 1
        if number and (count > _GRADE_DESCRIPTORS or smaller.radial > basis.radial):
            break
        chosen = smaller
    descriptors = _descriptors(pool, chosen, frames)
    symbols = [frame.atoms.get_chemical_symbols() for frame in frames]
    return calibrate(symbols, descriptors, folds.fold, asdict(chosen))


def _descriptors(pool: LammpsPool, basis: PodBasis, frames: Sequence[LabelledFrame]) -> list[Floats]:
    def _one(lammps: Lammps, frame: LabelledFrame) -> Floats:
        return local_descriptors(lammps, frame.atoms, basis)

    return list(pool.map(_one, frames))


def _grades(pool: LammpsPool, grader: Grader, frames: Sequence[LabelledFrame]) -> Floats:
    """Largest grade of each frame, shape (frames,)."""
    descriptors = _descriptors(pool, PodBasis.from_json(grader.basis), frames)
    return np.array(
        [grader.grades(f.atoms.get_chemical_symbols(), d).max() for f, d in zip(frames, descriptors, strict=True)]
    )
