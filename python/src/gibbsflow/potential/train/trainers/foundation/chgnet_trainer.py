"""Fine-tuning of CHGNet (Deng et al., Nat. Mach. Intell. 2023, 5, 1031) to our labels: an optional trainer.

Nothing is replayed: the data that the model was made from are not in its wheel. What it knew of other structures may be
lost, and the potential is of the elements of its training frames alone.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gibbsflow.config.potential_training import Training
from gibbsflow.engines.foundation.elements import refuse_unknown
from gibbsflow.engines.foundation.environment import find_environment
from gibbsflow.engines.foundation.program.fit_files import TUNED
from gibbsflow.engines.foundation.session import Model, periodic_cell
from gibbsflow.engines.foundation.tuning_run import GRACE_S, tune
from gibbsflow.errors import InputError, Problem, StoppedEarly
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train.shared.atomic_energies import reference_energies
from gibbsflow.potential.train.shared.deadline import FEWEST_FRAMES, Deadline, covering_order
from gibbsflow.potential.train.shared.inputs import POTENTIAL, Inputs, processes
from gibbsflow.potential.train.shared.metrics import Prediction, parity, summarise_errors
from gibbsflow.potential.train.shared.protocols import Evaluator, Fit
from gibbsflow.potential.train.shared.splits import Folds, assign_folds
from gibbsflow.potential.train.trainers.foundation.chgnet import ChgnetPotential
from gibbsflow.potential.train.trainers.foundation.chgnet_references import Shift, fit_shift, refuse_undetermined
from gibbsflow.workflow.state.segments import Stopper

log = logging.getLogger(__name__)
REPLAY = "none: the data of the foundation model are not in its wheel; what it knew of other structures may be lost"
_KEPT = "chgnet"


class ChgnetTrainer:
    """CHGNet tuned in an environment of its own; not graded, and run through ASE alone."""

    physics = 1
    lammps_style = ""
    keeps_time = True
    graded = False

    def fit(
        self, inputs: Inputs, settings: Training, *, seed: int, stopper: Stopper, budget_s: float, out: Path,
        kept: Path | None = None,
    ) -> Fit:  # fmt: skip
        """Fit reference energies, tune, choose the best epoch by a fold of the training frames, and write it.

        Parameters
        ----------
        inputs
            Training and test frames.
        settings
            Section ``training``, of which ``chgnet``, ``folds`` and ``processes`` (threads of PyTorch) count.
        seed
            Of the fold and of the order of batches.
        stopper
            Its clock started with the command; a signal ends the fit after a batch, and the best epoch is finished.
        budget_s
            Wall-clock seconds for all: as many epochs are planned as they hold.
        out
            Gets ``potential/``.
        kept
            Folder for the checkpoints of each epoch, or None.

        Returns
        -------
        Fit
            Without grades.

        Raises
        ------
        InputError
            For elements that CHGNet has not seen, and test compositions whose reference energies training leaves open.
        MissingProgramError
            Where the environment is not installed.
        EngineError
            Where its process fails.
        StoppedEarly
            After a signal before there was an epoch, or where what was begun took longer than 20 s after it.
        """
        find_environment()
        species, own = inputs.species, settings.chgnet
        for name, frames in (("train", inputs.train), ("test", inputs.test)):
            for frame in frames:
                refuse_unknown(frame.atoms.get_chemical_symbols(), name, row=frame.row)
        bulk = [frame for frame in inputs.train if not frame.isolated]
        if not bulk:
            raise InputError(Problem("train", "isolated atoms alone", "structures with bonds to learn from"))
        refuse_undetermined(inputs.train, inputs.test, species, "test")
        deadline, threads = Deadline(stopper, budget_s), processes(settings)
        with closing(Model(own.weights, threads=threads, check=stopper.check)) as untuned:
            begin = stopper.elapsed_s
            test_before = [Prediction(*untuned.predict(frame.atoms)) for frame in inputs.test]
            atoms = sum(len(frame.atoms) for frame in inputs.test)
            each_s = (stopper.elapsed_s - begin) / max(atoms, 1)
            energies = [untuned.predict(frame.atoms, forces=False)[0] for frame in inputs.train]
        deadline.reserve(1.5 * each_s * (atoms + sum(len(frame.atoms) for frame in inputs.train)))
        shift = fit_shift(inputs.train, energies, species)
        folds = assign_folds(bulk, settings.folds, seed)
        request = {
            "weights": own.weights, "frozen": own.frozen, "learning_rate": own.learning_rate, "epochs": own.epochs,
            "batch": own.batch, "loss": [own.energy_weight, own.force_weight, own.stress_weight], "seed": seed,
            "time_s": max(deadline.until_s(1.0) - stopper.elapsed_s, 0.0),
        }  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="gibbsflow-tune-") as scratch:
            folder = kept / _KEPT if kept is not None else Path(scratch)
            outcome = tune(folder, request, _arrays(bulk, shift, folds), threads=threads, stopper=stopper)
            if outcome["stopped_by"] == "signal" and outcome["best_epoch"] == 0:
                raise StoppedEarly("stopped by a signal before the first epoch was better than the untuned model")
            meta = {
                "made_with": {**own.model_dump(), "seed": seed, "replay": REPLAY},
                "best_epoch": outcome["best_epoch"], "environment": outcome["environment"],
            }  # fmt: skip
            given = ChgnetPotential(species, own.weights, shift.energy_ev, shift.isolated_ev, meta, folder / TUNED)
            potential = given.write(out / POTENTIAL)
        self._say(inputs, outcome, shift, folds)
        finished = replace(potential, threads=threads)
        with closing(finished.start(lambda: stopper.check(GRACE_S))) as evaluator:
            finish = _Finish(deadline, inputs, evaluator)
            test, predicted = finish.predict(inputs.test, "test", 0.5)
            train, fitted = finish.predict(inputs.train, "train", 1.0)
        judged = _judged(folds)
        references = reference_energies(inputs.train, species)
        before = [
            Prediction(p.energy_ev + shift.of(f.atoms.get_chemical_symbols()), p.forces_ev_per_angstrom,
                       p.stress_ev_per_angstrom3)
            for f, p in zip(inputs.test, test_before, strict=True)
        ]  # fmt: skip
        figures = {
            "backend": "chgnet", "potential": POTENTIAL, "species": species, "coefficients": outcome["parameters"],
            "weights": own.weights, "frozen": own.frozen, "replay": REPLAY, "environment": outcome["environment"],
            "split": folds.by, "folds": folds.count, "judged_by_frames": int(judged.sum()),
            "best_epoch": outcome["best_epoch"], "epochs": outcome["epochs"], "epochs_planned": outcome["planned"],
            "began_at_epoch": outcome["begun_at"], "search_stopped_by": outcome["stopped_by"] or "all epochs done",
            "history": outcome["history"],
            "stress_frames_used": sum(f.stress_ev_per_angstrom3 is not None and f.weights.stress > 0 for f in bulk)
            * (own.stress_weight > 0),
            "references": {"energy_ev": references.energy_ev, "source": references.source},
            "shift": {"energy_ev": shift.energy_ev, "isolated_ev": shift.isolated_ev, "rank": shift.rank},
            "train": summarise_errors(train, fitted), "test": summarise_errors(test, predicted),
            "untuned_test": summarise_errors(inputs.test, before),
        }  # fmt: skip
        pairs = {
            "train": parity(train, fitted, references.of), "test": parity(test, predicted, references.of),
        }  # fmt: skip
        return Fit(figures, pairs, stopped_by="signal" if outcome["stopped_by"] == "signal" else "")

    def read(self, folder: Path) -> ChgnetPotential:
        """Read what :meth:`fit` has written.

        Parameters
        ----------
        folder
            Folder of the potential.

        Returns
        -------
        ChgnetPotential
            As written.

        Raises
        ------
        StateError
            Where it is missing, not readable or altered.
        """
        return ChgnetPotential.read(folder)

    @staticmethod
    def _say(inputs: Inputs, outcome: Mapping[str, Any], shift: Shift, folds: Folds) -> None:
        """Enter what is in doubt."""
        account, species = inputs.account, inputs.species
        if outcome["best_epoch"] == 0:
            why = "the time budget held no epoch" if not outcome["epochs"] else "no epoch was better on the fold"
            what = f"{why}: the potential is the untuned model with our reference energies"
            account.warn(what, "more time, more epochs or more frames")
        if folds.count == 1:
            what = "all training frames are of one group: no fold chooses the epoch, and the last is taken"
            account.warn(what, "several parents")
        if shift.rank < len(species):
            account.note(
                f"compositions fix {shift.rank} of {len(species)} reference energies; along the others the foundation "
                "model's own differences stand"
            )
        if shift.isolated_ev:
            account.note("isolated atoms have their labels beyond 6 Å; the energy steps to them there")


def _arrays(frames: Sequence[LabelledFrame], shift: Shift, folds: Folds) -> dict[str, Any]:
    """Frames as the program reads them."""
    absent = np.full(6, np.nan)
    weights = [[f.weights.energy, f.weights.force, f.weights.stress] for f in frames]
    stresses = [absent if f.stress_ev_per_angstrom3 is None else f.stress_ev_per_angstrom3 for f in frames]
    return {
        "counts": np.array([len(f.atoms) for f in frames]),
        "numbers": np.concatenate([f.atoms.numbers for f in frames]),
        "positions": np.concatenate([f.atoms.get_positions() for f in frames]),
        "cells": np.array([periodic_cell(f.atoms) for f in frames]),
        "energies": np.array([f.energy_ev - shift.of(f.atoms.get_chemical_symbols()) for f in frames]),
        "forces": np.concatenate([f.forces_ev_per_angstrom for f in frames]),
        "masks": np.concatenate([f.force_mask for f in frames]),
        "stresses": np.array(stresses), "weights": np.array(weights),
        "judge": _judged(folds),
    }  # fmt: skip


def _judged(folds: Folds) -> npt.NDArray[np.bool_]:
    """Frames that choose the epoch, and are not learnt from: the first fold, where there are others."""
    judged: npt.NDArray[np.bool_] = (folds.fold == 0) & (folds.count > 1)
    return judged


class _Finish:
    """Errors after the fit, within what is left of the time; after a signal, of the fewest frames."""

    def __init__(self, deadline: Deadline, inputs: Inputs, evaluator: Evaluator) -> None:
        self.deadline, self.inputs, self.evaluator = deadline, inputs, evaluator

    def predict(
        self, frames: Sequence[LabelledFrame], name: str, share: float
    ) -> tuple[list[LabelledFrame], list[Prediction]]:
        """Predict as many frames as there is time for, in a share of what is left."""
        left_s = self.deadline.left_s if self.deadline.stopper.signal is None else 0.0
        until_s = self.deadline.elapsed_s + share * left_s
        kinds = [frozenset(frame.atoms.get_chemical_symbols()) for frame in frames]
        wanted, seen, found = frozenset[str]().union(*kinds), set[str](), {}
        for k in covering_order(kinds):
            found[k] = self.evaluator.predict(frames[k].atoms)
            seen |= kinds[k]
            if self.deadline.elapsed_s > until_s and len(found) >= FEWEST_FRAMES and seen == wanted:
                break
        if len(found) < len(frames):
            said = f"the time was at its end: {name} errors by {len(found)} of {len(frames)} frames, evenly spread"
            log.warning(said)
            self.inputs.account.note(said)
        return [frames[k] for k in sorted(found)], [found[k] for k in sorted(found)]
