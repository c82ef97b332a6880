"""`train fit`: from two files of labelled frames to a potential's folder, its errors, its grade and its card."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.config.potential_training import Training
from gibbsflow.engines.lammps import Lammps, LammpsPool
from gibbsflow.errors import ScienceError, StoppedEarly
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train.atomic_energies import reference_energies
from gibbsflow.potential.train.evaluation import evaluate
from gibbsflow.potential.train.grade import ACTIVE_SET, Grader, calibrate
from gibbsflow.potential.train.inputs import POTENTIAL, Inputs, processes
from gibbsflow.potential.train.metrics import Prediction, parity, summarise
from gibbsflow.potential.train.splits import Folds, assign_folds
from gibbsflow.potential.train.trainers import pod, pod_fit, pod_search
from gibbsflow.workflow.files import atomic_open
from gibbsflow.workflow.state.segments import Stopper

log = logging.getLogger(__name__)
# predictions by LAMMPS and by the normal equations differ by rounding only; more means that the wrong thing was fitted
_AGREEMENT_EV_PER_ATOM = 1e-6
_GRADE_DESCRIPTORS = 150
PHYSICS = pod_fit.PHYSICS
# what a fit writes beside its result.json
OUTPUTS = (POTENTIAL, "dataset_card.md", "parity.svg", "parity.png", "grades.svg", "grades.png")


def fit(inputs: Inputs, settings: Training, *, backend: str, **arguments: Any) -> dict[str, Any]:
    """Fit with one of the trainers; see :func:`fit_pod` and :func:`.fit_pace`."""
    if backend == "pod":
        return fit_pod(inputs, settings, **arguments)
    from gibbsflow.potential.train.trainers import pace

    return pace.fit_pace(inputs, settings, **arguments)


def fit_pod(
    inputs: Inputs, settings: Training, *, seed: int, stopper: Stopper, budget_s: float, out: Path
) -> dict[str, Any]:
    """Fit, evaluate and write a POD potential.

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
        Gets ``potential/``, ``dataset_card.md`` and figures.

    Returns
    -------
    dict
        Figures of ``result.json``.

    Raises
    ------
    ScienceError
        Where LAMMPS does not give the energies that were fitted.
    """
    species = inputs.species
    references = reference_energies(inputs.train, species)
    zbl = pod_fit.core_of(species) if settings.zbl else None
    folds = assign_folds(inputs.train, settings.folds, seed)
    scales = pod_fit.length_scales(inputs.train)
    folder = out / POTENTIAL
    with (
        tempfile.TemporaryDirectory(prefix="gibbsflow-fit-") as scratch,
        LammpsPool(Path(scratch), processes(settings)) as pool,
    ):
        pool.members[0].require("pod")
        problem = pod_fit.prepare(inputs.train, folds, references, species, zbl, pool, stopper)
        found = pod_search.search(problem, settings, references, species, scales, zbl, budget_s, folder)
        best = found.best
        if not found.signalled:
            best = pod_fit.add_virials(problem, best, settings, references, 0.85 * budget_s)
        potential = pod_fit.solve(best, settings, references, zbl)
        potential.write(folder)
        predictions = {
            name: _predict(pool, potential, frames, folder)
            for name, frames in (("train", inputs.train), ("test", inputs.test))
        }
        difference = _disagreement(problem, best, potential, predictions["train"], inputs.train, references.of)
        grader = _grader(pool, potential, inputs.train, folds)
        grader.write(folder / ACTIVE_SET)
        test_grades = _grades(pool, potential, grader, inputs.test)
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
        "train": summarise(inputs.train, predictions["train"]),
        "test": summarise(inputs.test, predictions["test"]),
        "lammps": version,
    }  # fmt: skip
    _write_reports(out, inputs, figures, predictions, references.of, test_grades, grader)
    if found.signalled:
        raise SignalledFit(f"{found.stopped_by}: the best potential so far lies in {folder}", figures)
    return figures


class SignalledFit(StoppedEarly):
    """A signal ended the search; the potential and its figures are there all the same.

    Parameters
    ----------
    message
        What happened.
    figures
        As :func:`fit_pod` would have returned them.
    """

    def __init__(self, message: str, figures: dict[str, Any]) -> None:
        super().__init__(message)
        self.figures = figures

    @property
    def cause(self) -> str:
        """The same as of any early stop."""
        return "StoppedEarly"


def _predict(
    pool: LammpsPool, potential: pod.PodPotential, frames: Sequence[LabelledFrame], folder: Path
) -> list[Prediction]:
    def one(lammps: Lammps, frame: LabelledFrame) -> Prediction:
        return evaluate(lammps, potential, frame.atoms, folder)

    return list(pool.map(one, frames))


def _disagreement(
    problem: pod_fit.Problem, best: pod_fit.Candidate, potential: pod.PodPotential, predictions: Sequence[Prediction],
    frames: Sequence[LabelledFrame], reference: Any,
) -> float:  # fmt: skip
    """Largest difference between LAMMPS' energy and the one of the normal equations, eV an atom."""
    by_row = {frame.row: p for frame, p in zip(frames, predictions, strict=True)}
    own = potential.coefficients
    largest = 0.0
    for k, sums in zip(best.frames, best.sums, strict=True):
        frame = problem.frames[k]
        core = frame.energy_ev - reference(frame) - problem.energy[k]
        n = len(frame.atoms)
        largest = max(largest, abs(by_row[frame.row].energy_ev - float(sums @ own) - core) / n)
    if not largest < _AGREEMENT_EV_PER_ATOM:
        raise ScienceError(
            f"LAMMPS' energies differ from the fitted ones by up to {largest:.3g} eV an atom",
            what_to_do="Another LAMMPS than that of the training may be in use; report the versions in result.json.",
        )
    return largest


def _grader(pool: LammpsPool, potential: pod.PodPotential, frames: Sequence[LabelledFrame], folds: Folds) -> Grader:
    """Active sets on the largest basis of the ladder that is quick in MD and not larger than the potential's own."""
    basis = potential.basis
    for number in range(len(pod.LADDER)):
        smaller = pod.rung(number, basis.species, basis.rin_angstrom, basis.rcut_angstrom)
        count = pod.descriptor_sums(pool.members[0], frames[0].atoms, smaller)[0].size // len(basis.species) - 1
        if number and (count > _GRADE_DESCRIPTORS or smaller.radial > basis.radial):
            break
        chosen = smaller
    descriptors = _descriptors(pool, chosen, frames)
    symbols = [frame.atoms.get_chemical_symbols() for frame in frames]
    return calibrate(symbols, descriptors, folds.fold, chosen)


def _descriptors(pool: LammpsPool, basis: pod.PodBasis, frames: Sequence[LabelledFrame]) -> list[Any]:
    def one(lammps: Lammps, frame: LabelledFrame) -> Any:
        return pod.local_descriptors(lammps, frame.atoms, basis)

    return list(pool.map(one, frames))


def _grades(pool: LammpsPool, potential: pod.PodPotential, grader: Grader, frames: Sequence[LabelledFrame]) -> Any:
    descriptors = _descriptors(pool, grader.basis, frames)
    return np.array(
        [grader.grades(f.atoms.get_chemical_symbols(), d).max() for f, d in zip(frames, descriptors, strict=True)]
    )


def _write_reports(
    out: Path, inputs: Inputs, figures: dict[str, Any], predictions: dict[str, list[Prediction]], reference: Any,
    test_grades: Any, grader: Grader,
) -> None:  # fmt: skip
    from gibbsflow.report.figures import learning_figures

    pairs = {"train": parity(inputs.train, predictions["train"], reference)}
    pairs["test"] = parity(inputs.test, predictions["test"], reference)
    learning_figures.parity_plot(pairs, out / "parity")
    learning_figures.grade_histogram({"test": test_grades}, grader.lower, grader.upper, out / "grades")
    with atomic_open(out / "dataset_card.md", "w") as file:
        file.write(dataset_card(inputs, figures))


def dataset_card(inputs: Inputs, figures: dict[str, Any]) -> str:
    """Describe the data in Markdown: what is in it, how it was labelled, how well the potential knows it."""
    settings = sorted({f.settings_hash for f in inputs.train + inputs.test if f.settings_hash})
    sources = figures["references"]
    lines = [
        "# Data set", "",
        f"Elements: {', '.join(inputs.species)}. Labels: {', '.join(settings) or 'settings not recorded'}.",
        f"Reference energies ({sources['source']}): "
        + ", ".join(f"{s} {e:.6f} eV" for s, e in sources["energy_ev"].items()) + ".",
        f"Inner validation split by {figures['split']}.", "",
        "| set | config_type | frames | atoms | with stress | E MAE, meV/atom | F MAE, eV/Å | S MAE, GPa |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name in ("train", "test"):
        groups = {**figures[name]["by_config_type"], "all": figures[name]}
        for kind, errors in groups.items():
            stress = "–" if errors["stress_mae_gpa"] is None else f"{errors['stress_mae_gpa']:.3f}"
            lines.append(
                f"| {name} | {kind} | {errors['frames']} | {errors['atoms']} | {errors.get('stress_frames', 0)} "
                f"| {errors['energy_mae_mev_per_atom']:.2f} | {errors['force_mae_ev_per_angstrom']:.4f} | {stress} |"
            )
    return "\n".join(lines) + "\n"
