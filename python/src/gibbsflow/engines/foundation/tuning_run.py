"""One fit of the foundation model in its own process: what it is given, followed as it goes, and what it gives back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.engines.foundation.program.fit_files import FRAMES, REQUEST, TUNED
from gibbsflow.engines.foundation.session import Session
from gibbsflow.errors import EngineError
from gibbsflow.workflow.files import atomic_open, write_json
from gibbsflow.workflow.state.segments import Stopper

log = logging.getLogger(__name__)
_BEAT_S = 1800.0
GRACE_S = 20.0
"""After a signal, for the batch under way and for all that makes a fit whole; schedulers kill after thirty."""


def tune(
    folder: Path, request: Mapping[str, Any], frames: Mapping[str, Any], *, threads: int, stopper: Stopper
) -> dict[str, Any]:
    """Tune, or go on where an earlier run of the same fit was killed.

    Parameters
    ----------
    folder
        Keeps request, frames and checkpoints; gets ``tuned.npz``.
    request
        As :func:`gibbsflow.engines.foundation.program.tuning.tune` reads it.
    frames
        Arrays: ``counts``, ``numbers``, ``positions``, ``cells`` (three periodic directions), ``energies`` (eV),
        ``forces``, ``masks``, ``stresses`` (eV/Å^3, not a number where there is none), ``weights``, ``judge``.
    threads
        Of PyTorch.
    stopper
        A signal ends the fit after the present batch, with the best epoch so far.

    Returns
    -------
    dict
        Outcome as the program gives it, and ``environment``.

    Raises
    ------
    MissingProgramError
        Where the environment is not installed.
    EngineError
        Where the process fails, or says nothing for half an hour.
    StoppedEarly
        Where that takes longer than :data:`GRACE_S` after the signal; the last checkpoint stands.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / REQUEST, dict(request))
    with atomic_open(folder / FRAMES) as file:
        np.savez(file, **frames)
    asked = False
    command = ["tune", str(folder.resolve())]
    with Session(command, folder=folder, threads=threads, check=lambda: stopper.check(GRACE_S)) as session:

        def _pass_on() -> None:
            nonlocal asked
            if stopper.signal is not None and not asked:
                asked = True
                session.post({"stop": True}, {})
            stopper.check(GRACE_S)

        session.check = _pass_on
        while "outcome" not in (told := session.answer(_BEAT_S)[0]):
            if "epoch" in told:
                log.info("%s", _in_words(told["epoch"], told["planned"]))
        outcome: dict[str, Any] = told["outcome"]
        if not (folder / TUNED).is_file():
            raise EngineError(f"the fit has left no {TUNED} (log: {session.log})")
        return {**outcome, "environment": session.record}


def _in_words(epoch: Mapping[str, Any], planned: int) -> str:
    units = (
        ("energy_rmse_mev_per_atom", "meV/atom"),
        ("force_rmse_ev_per_angstrom", "eV/Å"),
        ("stress_rmse_gpa", "GPa"),
    )
    errors = [f"{epoch[name]:.4g} {unit}" for name, unit in units if name in epoch]
    return f"epoch {epoch['epoch']} of {planned}: {', '.join(errors) or 'no fold judges'} ({epoch['seconds']:.0f} s)"
