"""What a POD fit knows of its own errors: grade and committee held against the labels of the hold-out."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from gibbsflow.config.potential_training import Training
from gibbsflow.engines.lammps import Lammps
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train.shared.atomic_energies import AtomicEnergies
from gibbsflow.potential.train.shared.grade import ACTIVE_SET, Grader
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.potential.train.trainers import pod_fit
from gibbsflow.potential.train.trainers.pod import PodEvaluator, PodPotential, Zbl
from gibbsflow.potential.train.uncertainty.committee_spread import (
    COMMITTEE,
    calibrated,
    force_spread,
    spread_figures,
)
from gibbsflow.potential.train.uncertainty.error_curve import CURVE, Thresholds, error_curve, no_higher, thresholds
from gibbsflow.potential.train.uncertainty.met_frames import met
from gibbsflow.units import Floats

log = logging.getLogger(__name__)
T = TypeVar("T")
_USUAL = "frames left out of training: their median, and their 95 % quantile"


class Within(Protocol):
    """Works on as many frames as there is time for."""

    def __call__(
        self, work: Callable[[Lammps, LabelledFrame], T], frames: Sequence[LabelledFrame], until_s: float, /
    ) -> dict[int, T]:
        """Work.

        Parameters
        ----------
        work
            Called with a process and a frame.
        frames
            What to work on.
        until_s
            When it has to be done, on the clock of the fit.

        Returns
        -------
        dict
            Results by number of the frame.
        """


@dataclass(frozen=True)
class Judged:
    """A grade with its thresholds, and what the hold-out says of it.

    Attributes
    ----------
    grader
        As it was written.
    figures
        For the part ``grade`` of ``result.json``.
    atom_errors
        Grade and force error (eV/Å) of each atom of the hold-out, shape (2, atoms).
    """

    grader: Grader
    figures: dict[str, Any]
    atom_errors: Floats


def force_errors(frame: LabelledFrame, predicted: Prediction) -> Floats:
    """Length of the error of the force on each atom.

    Parameters
    ----------
    frame
        With its label.
    predicted
        What a potential says.

    Returns
    -------
    ndarray
        In eV/Å, shape (n,); not a number where the label does not count.
    """
    wrong = np.linalg.norm(predicted.forces_ev_per_angstrom - frame.forces_ev_per_angstrom, axis=1)
    return np.where(frame.force_mask & (frame.weights.force > 0), wrong, np.nan)


def judge(
    grader: Grader, frames: Sequence[LabelledFrame], predicted: Sequence[Prediction], grades: Sequence[Floats],
    settings: Training, folder: Path, rare: Mapping[str, int] | None = None,
) -> Judged:  # fmt: skip
    """Hold the grade against the hold-out, set its thresholds, and write both into the potential's folder.

    Parameters
    ----------
    grader
        With its usual thresholds.
    frames, predicted, grades
        Of the hold-out: labels, predictions and the grade of each atom.
    settings
        Section ``training``: the force error of an atom that MD may have, or the mean one that is wanted.
    folder
        Of the potential.
    rare
        Elements of few training atoms, with their numbers: to the grade they are unknown.

    Returns
    -------
    Judged
        As written.
    """
    errors = [force_errors(frame, own) for frame, own in zip(frames, predicted, strict=True)]
    judged = np.flatnonzero(met(frames)).tolist()
    curve = error_curve([grades[k] for k in judged], [errors[k] for k in judged])
    usual = Thresholds(grader.lower, grader.upper, _USUAL)
    target, wanted = settings.target_atom_error_ev_per_angstrom, settings.wanted_force_mae_ev_per_angstrom
    found = thresholds(curve, target, usual) if target is not None else no_higher(curve, wanted, usual)
    if found != usual:
        said = {"usual_lower": grader.lower, "usual_upper": grader.upper}
        said |= {"target_atom_error": target} if target is not None else {"wanted_force_mae": float(wanted or 0.0)}
        grader = replace(grader, lower=found.lower, upper=found.upper, calibration={**grader.calibration, **said})
        log.info("thresholds of the grade: %s", found.how)
    grader = grader.without(rare or {})
    grader.write(folder / ACTIVE_SET)
    if curve is not None:
        curve.write(folder)
    else:  # an earlier fit may have left its own
        (folder / CURVE).unlink(missing_ok=True)
    figures = {
        "thresholds_from": found.how, "curve": curve.figures() if curve is not None else None,
        "unknown_elements": dict(rare or {}),
    }  # fmt: skip
    pairs = np.stack([np.concatenate([*grades, []]), np.concatenate([*errors, []])])
    return Judged(grader, figures, pairs[:, np.isfinite(pairs).all(axis=0)])


def make_committee(
    trial: pod_fit.BasisTrial, settings: Training, references: AtomicEnergies, zbl: Zbl | None, folder: Path
) -> list[PodPotential]:
    """Fit without each fold in turn, from the sums that are there, and write the members.

    Parameters
    ----------
    trial
        The basis that was chosen.
    settings
        Section ``training``.
    references
        Energies of the elements.
    zbl
        The repulsion that was taken off the targets, or None.
    folder
        Of the potential; gets ``committee/0``, ``committee/1``, ...

    Returns
    -------
    list of PodPotential
        As written; none where there is one fold only.
    """
    shutil.rmtree(folder / COMMITTEE, ignore_errors=True)
    folds = range(len(trial.blocks))
    if len(folds) < 2:
        return []
    return [
        pod_fit.solve(
            replace(trial, blocks=[block for k, block in enumerate(trial.blocks) if k != left_out]),
            settings, references, zbl,
        ).write(folder / COMMITTEE / str(left_out))
        for left_out in folds
    ]  # fmt: skip


def judge_committee(
    members: Sequence[PodPotential], frames: Sequence[LabelledFrame], predicted: Sequence[Prediction],
    target_ev_per_angstrom: float | None, folder: Path, within: Within, until_s: float,
) -> dict[str, Any]:  # fmt: skip
    """Calibrate the spread of a committee on the hold-out.

    Parameters
    ----------
    members
        As they lie in their folders.
    frames, predicted
        Of the hold-out: labels, and what the potential itself predicts.
    target_ev_per_angstrom
        Force error of an atom that MD may have, or None.
    folder
        Of the potential.
    within
        Works on as many frames as there is time for.
    until_s
        When it has to be done, on the clock of the fit.

    Returns
    -------
    dict
        For ``result.json``: scale, thresholds, and errors against the scaled spread.
    """

    def _spread(lammps: Lammps, frame: LabelledFrame) -> Floats:
        return force_spread([PodEvaluator(m, lammps).predict(frame.atoms).forces_ev_per_angstrom for m in members])

    found = within(_spread, frames, until_s)
    numbers = sorted(found)
    errors = [force_errors(frames[k], predicted[k]) for k in numbers]
    counted = [np.isfinite(own) for own in errors]
    spreads = [found[k][ok] for k, ok in zip(numbers, counted, strict=True)]
    errors = [own[ok] for own, ok in zip(errors, counted, strict=True)]
    kinds = [np.array(frames[k].atoms.get_chemical_symbols())[ok] for k, ok in zip(numbers, counted, strict=True)]
    symbols = [own.tolist() for own in kinds]
    scale = calibrated(spreads, errors, symbols, len(members), target_ev_per_angstrom)
    scale.write(folder)
    scaled = [scale.expected(*own) for own in zip(spreads, symbols, strict=True)]
    return spread_figures(scale, error_curve(scaled, errors))
