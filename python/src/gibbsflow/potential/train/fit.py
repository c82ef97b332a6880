"""The trainers by name: fit with one of them, and read what it has written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gibbsflow.config.potential_training import Training
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.shared.protocols import Fit, Potential, Trainer
from gibbsflow.potential.train.trainers.pace import PaceTrainer
from gibbsflow.potential.train.trainers.pod_trainer import PodTrainer
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.state.segments import Stopper

TRAINERS: Mapping[str, Trainer] = {"pod": PodTrainer(), "pace": PaceTrainer()}
"""By ``--backend``, which is also the ``backend`` of a potential's ``potential.json``."""


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
    if backend not in TRAINERS:
        raise InputError(Problem("--backend", f"{backend!r} is no trainer", " or ".join(TRAINERS)))
    return TRAINERS[backend]


def fit(
    inputs: Inputs, settings: Training, *, backend: str = "pod", seed: int, stopper: Stopper, budget_s: float, out: Path
) -> Fit:
    """Fit a potential with one of the trainers and write it.

    Parameters
    ----------
    inputs
        Training and test frames.
    settings
        Section ``training``.
    backend
        One of :data:`TRAINERS`.
    seed
        Of the validation split.
    stopper
        Its clock started with the command; after a signal the best potential so far is finished, where there is one.
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
    InputError
        For a backend that is none.
    MissingProgramError
        Where the trainer's program is not installed.
    ScienceError
        Where the potential does not give what was fitted.
    StoppedEarly
        After a signal before there was any potential.
    """
    return trainer(backend).fit(inputs, settings, seed=seed, stopper=stopper, budget_s=budget_s, out=out)


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
