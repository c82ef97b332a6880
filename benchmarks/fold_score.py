"""Force errors of left-out folds pooled, their median or geometric mean: which chooses a POD fit's weights better.

    python benchmarks/fold_score.py NAME=FOLDER... [--cutoff 4.5] [--ladder 0 1] [--every 1]

A folder holds train.extxyz and holdout.extxyz, as `dataset/` of a generation does. Each basis is fitted once to all
frames; energy weight, penalty and size power are chosen by each score, and the errors on the hold-out printed: of the
basis with the better score, and of each. Half a minute of one core for a hundred frames of nine atoms.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from ase.io import read, write

from gibbsflow.config.potential_training import Training
from gibbsflow.engines.lammps import LammpsPool
from gibbsflow.potential.train.shared import regression
from gibbsflow.potential.train.shared.atomic_energies import reference_energies
from gibbsflow.potential.train.shared.deadline import Deadline
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.shared.splits import assign_folds
from gibbsflow.potential.train.trainers import pod_fit
from gibbsflow.potential.train.trainers.pod import PodEvaluator, zbl_for
from gibbsflow.potential.train.trainers.pod_basis import ladder_basis
from gibbsflow.potential.train.uncertainty.met_frames import met
from gibbsflow.workflow.state.segments import Stopper

GEOMETRIC = regression._left_out
_CLOSEST_OF_SHORTEST = 0.75


def _pooled(blocks: regression.Blocks, *settings: Any) -> list[regression.Choice]:
    """Choose by the force error of all folds together."""
    usual = GEOMETRIC(blocks, *settings)
    return [replace(own, force_middle_ev_per_angstrom=own.force_rmse_ev_per_angstrom) for own in usual]


def _median(
    blocks: regression.Blocks, energy: float, power: float, ridges: Sequence[float], stress: float
) -> list[regression.Choice]:
    """Choose by the median of the folds' force errors."""
    folds = [k for k, block in enumerate(blocks) if block["force"].rows]
    errors = []
    for k in folds:
        alone = [own for i, own in enumerate(blocks) if i != k] or list(blocks)
        gram, moment, scale = regression._scaled_sums(alone, regression.Weights(energy, stress, 0.0, power))
        errors.append([blocks[k]["force"].rmse(scale * regression._solve(gram, moment, ridge)) for ridge in ridges])
    middle = np.median(errors, axis=0)
    usual = GEOMETRIC(blocks, energy, power, ridges, stress)
    return [replace(own, force_middle_ev_per_angstrom=float(f)) for own, f in zip(usual, middle, strict=True)]


def compare(name: str, folder: Path, cutoff: float, ladder: Sequence[int], every: int) -> None:
    """Fit, choose by each score, and print the errors on the hold-out."""
    with tempfile.TemporaryDirectory() as scratch, Stopper() as stopper, LammpsPool(Path(scratch), 1) as pool:
        chosen = Path(scratch) / "train.extxyz"
        write(chosen, read(folder / "train.extxyz", f"::{every}"))
        inputs = Inputs.read(chosen, folder / "holdout.extxyz")
        settings = Training(processes=1, cutoff_angstrom=cutoff)
        species, deadline = inputs.species, Deadline(stopper, 1e6)
        references = reference_energies(inputs.train, species)
        zbl = zbl_for(species) if settings.zbl else None
        folds = assign_folds(inputs.train, settings.folds, 1)
        targets = pod_fit.take_off(inputs.train, folds, references, species, zbl, pool, deadline)
        around = [frame for frame, own in zip(inputs.train, met(inputs.train), strict=True) if own]
        inner = max(0.5, _CLOSEST_OF_SHORTEST * pod_fit.length_scales(around).shortest_angstrom)
        scores = {"pooled": _pooled, "median": _median, "geometric": GEOMETRIC}
        found: dict[str, list[tuple[float, float]]] = {score: [] for score in scores}
        for number in ladder:
            basis = ladder_basis(number, species, inner, cutoff)
            trial = pod_fit.try_basis(targets, basis, settings, references, range(len(targets.frames)), 1e6)
            for score, choose in scores.items():
                with mock.patch.object(regression, "_left_out", choose):
                    own = replace(trial, choice=regression.cross_validate(trial.blocks))
                potential = pod_fit.solve(own, settings, references, zbl).write(Path(scratch) / f"{score}{number}")
                evaluator = PodEvaluator(potential, pool.members[0])
                off = [evaluator.predict(f.atoms).forces_ev_per_angstrom - f.forces_ev_per_angstrom
                       for f in inputs.test]  # fmt: skip
                found[score].append((own.choice.score, float(np.abs(np.concatenate(off)).mean())))
        for score, rows in found.items():
            each = ", ".join(f"{error:.4f}" for _, error in rows)
            print(f"{name}: {score} {min(rows)[1]:.4f} eV/Å (each basis {each})", flush=True)


def main() -> None:
    """Compare on each data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--cutoff", type=float, default=4.5, help="Å")
    parser.add_argument("--ladder", type=int, nargs="+", default=[0, 1], help="steps of the ladder of bases")
    parser.add_argument("--every", type=int, default=1, help="train on every so many frames")
    given = parser.parse_args()
    for one in given.sets:
        name, _, folder = one.partition("=")
        compare(name, Path(folder), given.cutoff, given.ladder, given.every)


if __name__ == "__main__":
    main()
