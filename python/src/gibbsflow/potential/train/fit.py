"""The trainers by name: fit with one of them, and read what it has written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gibbsflow.config.potential_training import Backend, Training
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.shared.protocols import Fit, Potential, Trainer, check_figures
from gibbsflow.potential.train.trainers.foundation.chgnet_trainer import ChgnetTrainer
from gibbsflow.potential.train.trainers.pace import PaceTrainer
from gibbsflow.potential.train.trainers.pod_trainer import PodTrainer
from gibbsflow.workflow.files import inputs_hash, read_json
from gibbsflow.workflow.state.segments import Stopper

TRAINERS: Mapping[Backend, Trainer] = {"pod": PodTrainer(), "pace": PaceTrainer(), "chgnet": ChgnetTrainer()}
"""By ``training.backend``, which is also the ``backend`` of a potential's ``potential.json``."""


def trainer(backend: str) -> Trainer:
    """Trainer of a name.

    Parameters
    ----------
    backend
        One of :data:`TRAINERS`.

    Returns
    -------
    Trainer
        Its entry.

    Raises
    ------
    InputError
        For another name.
    """
    for name, found in TRAINERS.items():
        if name == backend:
            return found
    raise InputError(Problem("--backend", f"{backend!r} is no trainer", " or ".join(TRAINERS)))


def graded_trainer(settings: Training) -> Trainer:
    """Trainer for the learning loop, where MD must know when its potential is guessing.

    Parameters
    ----------
    settings
        Section ``training``.

    Returns
    -------
    Trainer
        The one that they name.

    Raises
    ------
    InputError
        Where its potentials have no grade.
    """
    found = trainer(settings.backend)
    if not found.graded:
        what = f"{settings.backend!r} makes potentials without a grade, which the loop explores and selects by"
        right = " or ".join(name for name, other in TRAINERS.items() if other.graded)
        raise InputError(Problem("training", what, right, field="backend"))
    return found


def fit(
    inputs: Inputs, settings: Training, *, backend: str | None = None, seed: int, stopper: Stopper, budget_s: float,
    out: Path, kept: Path | None = None,
) -> Fit:  # fmt: skip
    """Fit a potential with one of the trainers and write it.

    Parameters
    ----------
    inputs
        Training and test frames.
    settings
        Section ``training``.
    backend
        One of :data:`TRAINERS`; default: the one that the settings name.
    seed
        Of the validation split.
    stopper
        Its clock started with the command; after a signal the best potential so far is finished, where there is one.
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
    InputError
        For a backend that is none.
    MissingProgramError
        Where the trainer's program is not installed.
    ScienceError
        Where the potential does not give what was fitted, or the trainer not the figures that it must.
    StoppedEarly
        After a signal before there was any potential.
    """
    backend = backend or settings.backend
    chosen = trainer(backend)
    made = chosen.fit(inputs, settings, seed=seed, stopper=stopper, budget_s=budget_s, out=out, kept=kept)
    check_figures(made.figures, graded=chosen.graded, where=backend)
    return made


def load_potential(folder: Path) -> Potential:
    """Read a potential's folder, whichever trainer wrote it.

    Parameters
    ----------
    folder
        Folder that a trainer wrote (``DIR/potential`` of ``train fit``).

    Returns
    -------
    Potential
        Of the backend that its ``potential.json`` names.

    Raises
    ------
    StateError
        Where it is missing, not readable, or of a kind that cannot be run.
    """
    meta = read_json(Path(folder) / "potential.json")
    try:
        written_by = TRAINERS[meta["backend"]]
    except (KeyError, TypeError) as error:
        raise StateError(f"{folder}: not a potential written by gibbsflow ({error})") from error
    return written_by.read(Path(folder))


def fingerprint(folder: Path) -> str:
    """Hash what a potential computes with, which is the same wherever it is copied or exported to.

    Parameters
    ----------
    folder
        Folder of the potential.

    Returns
    -------
    str
        SHA-256 of the names and contents of its basis, coefficients and description.
    """
    files = sorted([*Path(folder).glob("potential.*"), *Path(folder).glob("coefficients.*")])
    return inputs_hash(files={file.name: file for file in files}, settings={}, physics=1)
