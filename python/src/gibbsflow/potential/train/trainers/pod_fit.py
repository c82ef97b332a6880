"""Fit of one POD basis: targets without references and core, rows from LAMMPS, weights and penalty by validation."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from ase.data import atomic_numbers, covalent_radii
from ase.neighborlist import neighbor_list

from gibbsflow.config.potential_training import Training
from gibbsflow.engines.lammps import Lammps, LammpsPool
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train import regression
from gibbsflow.potential.train.atomic_energies import References
from gibbsflow.potential.train.evaluation import evaluate_core
from gibbsflow.potential.train.splits import Folds
from gibbsflow.potential.train.trainers import pod
from gibbsflow.units import Floats
from gibbsflow.workflow.progress import Progress
from gibbsflow.workflow.state.segments import Stopper

log = logging.getLogger(__name__)
PHYSICS = 1


@dataclass(frozen=True)
class Scales:
    """Lengths that the data set by themselves.

    Parameters
    ----------
    shortest_angstrom
        Shortest distance in any frame.
    neighbour_angstrom
        Median distance of an atom to its nearest neighbour.
    """

    shortest_angstrom: float
    neighbour_angstrom: float


def length_scales(frames: Sequence[LabelledFrame]) -> Scales:
    """Measure the distances of a data set; a set of isolated atoms only counts as 2.5 Å."""
    nearest = []
    for frame in frames:
        i, d = neighbor_list("id", frame.atoms, 6.0)
        closest = np.full(len(frame.atoms), np.inf)
        np.minimum.at(closest, i, d)
        nearest.append(closest[np.isfinite(closest)])
    every = np.concatenate(nearest) if nearest else np.zeros(0)
    return Scales(float(every.min()), float(np.median(every))) if len(every) else Scales(2.5, 2.5)


def core_of(species: Sequence[str]) -> pod.Zbl:
    """Core that ends at 75 % of the shortest covalent bond the elements can make, and begins to at half of that."""
    outer = 0.75 * 2 * min(covalent_radii[atomic_numbers[s]] for s in species)
    return pod.Zbl(0.5 * outer, outer)


@dataclass
class Problem:
    """What a fit works on: frames with targets, their folds, and the means.

    Parameters
    ----------
    frames
        Training frames without isolated atoms where those set the references.
    energy, force, stress
        Targets with reference energies and core taken off: eV a frame, eV/Å, and eV/Å^3 or None.
    fold
        Fold of each frame.
    """

    frames: list[LabelledFrame]
    energy: list[float]
    force: list[Floats]
    stress: list[Floats | None]
    fold: npt.NDArray[np.int64]
    pool: LammpsPool
    stopper: Stopper


def prepare(
    frames: Sequence[LabelledFrame], folds: Folds, references: References, species: Sequence[str], zbl: pod.Zbl | None,
    pool: LammpsPool, stopper: Stopper,
) -> Problem:  # fmt: skip
    """Take reference energies and the core, as LAMMPS evaluates it, off the labels."""
    keep = [i for i, f in enumerate(frames) if not (f.isolated and references.source == "isolated atoms")]
    kept = [frames[i] for i in keep]
    energy = [f.energy_ev - references.of(f) for f in kept]
    force = [f.forces_ev_per_angstrom for f in kept]
    stress = [f.stress_ev_per_angstrom3 for f in kept]
    if zbl is not None:
        near = [k for k, f in enumerate(kept) if len(neighbor_list("i", f.atoms, zbl.outer_angstrom))]

        def core(lammps: Lammps, k: int) -> Any:
            return evaluate_core(lammps, kept[k].atoms, species, zbl)

        for k, base in zip(near, pool.map(core, near), strict=True):
            energy[k] -= base.energy_ev
            force[k] = force[k] - base.forces_ev_per_angstrom
            own = stress[k]
            stress[k] = None if own is None else own - base.stress_ev_per_angstrom3
    return Problem(kept, energy, force, stress, folds.fold[keep], pool, stopper)


@dataclass
class Candidate:
    """One basis with the sums its fit needs.

    Parameters
    ----------
    basis
        The basis.
    blocks
        Normal equations by fold.
    frames
        Numbers of the frames in the problem.
    sums
        Summed descriptors of each, shape (frames, all columns).
    choice
        Weights by validation.
    seconds
        Time its descriptors took.
    stress_frames
        Frames whose virials are in the blocks.
    """

    basis: pod.PodBasis
    blocks: list[dict[str, regression.NormalEquations]]
    frames: list[int]
    sums: Floats
    choice: regression.Choice
    seconds: float
    stress_frames: int = 0

    def record(self) -> dict[str, Any]:
        """What the result says of it."""
        return {
            "cutoff_angstrom": self.basis.rcut_angstrom,
            "radial": self.basis.radial,
            "angular": self.basis.angular,
            "coefficients": self.sums.shape[1],
            "frames": len(self.sums),
            "validation_energy_rmse_mev_per_atom": 1e3 * self.choice.energy_rmse_ev_per_atom,
            "validation_force_rmse_ev_per_angstrom": self.choice.force_rmse_ev_per_angstrom,
            "energy_weight": self.choice.weights.energy,
            "ridge": self.choice.weights.ridge,
            "seconds": round(self.seconds, 1),
        }


class OutOfTimeError(Exception):
    """A candidate would not be ready in time; never leaves this module."""


def free_columns(columns: int, species: Sequence[str], references: References) -> npt.NDArray[np.bool_]:
    """Columns that are fitted: all, but the one-body terms where isolated atoms fix them."""
    free = np.ones(columns, dtype=bool)
    if references.source == "isolated atoms":
        free[:: columns // len(species)] = False
    return free


def build(
    problem: Problem,
    basis: pod.PodBasis,
    settings: Training,
    references: References,
    frames: Sequence[int],
    until_s: float,
) -> Candidate:
    """Compute the descriptors of some frames, sum them up and validate.

    Raises
    ------
    OutOfTimeError
        Where `until_s` of the stopper's clock passes first.
    StoppedEarly
        After a signal.
    """
    start = time.monotonic()
    folds = problem.fold[list(frames)]
    _, folds = np.unique(folds, return_inverse=True)
    progress = Progress(f"descriptors to {basis.rcut_angstrom:.2f} Å", len(frames), "frames")
    blocks: list[dict[str, regression.NormalEquations]] = []
    sums: list[Floats] = []

    def rows(lammps: Lammps, k: int) -> tuple[Floats, Floats, Floats]:
        return pod.descriptor_sums(lammps, problem.frames[k].atoms, basis)

    for k, fold, (total, derivatives, rotation) in zip(frames, folds, problem.pool.map(rows, frames), strict=True):
        problem.stopper.check()
        if problem.stopper.elapsed_s > until_s:
            raise OutOfTimeError
        free = free_columns(len(total), basis.species, references)
        blocks = blocks or regression.new_blocks(int(folds.max()) + 1, int(free.sum()))
        n = len(problem.frames[k].atoms)
        mask = np.repeat(problem.frames[k].force_mask, 3)
        blocks[fold]["energy"].add(total[None, free] / n, np.array([problem.energy[k] / n]))
        blocks[fold]["force"].add(derivatives[mask][:, free], (problem.force[k] @ rotation).ravel()[mask])
        sums.append(total)
        progress.add(1)
    seconds = time.monotonic() - start
    return Candidate(basis, blocks, list(frames), np.array(sums), _validate(blocks, settings, 0.0), seconds)


def _validate(blocks: regression.Blocks, settings: Training, stress: float) -> regression.Choice:
    energies = (settings.energy_weight,) if settings.energy_weight else regression.ENERGY_WEIGHTS
    ridges = (settings.ridge,) if settings.ridge else regression.RIDGES
    return regression.cross_validate(blocks, energies=energies, ridges=ridges, stress=stress)


def add_virials(
    problem: Problem, candidate: Candidate, settings: Training, references: References, until_s: float
) -> Candidate:
    """Add the virials of as many frames as there is time for, evenly spread, and validate again."""
    have = [k for k, stress in enumerate(problem.stress) if stress is not None]
    if not have or settings.stress_weight == 0:
        return candidate
    each_s = 12 * candidate.seconds / max(len(candidate.sums), 1)
    room = int((until_s - problem.stopper.elapsed_s) / max(each_s, 1e-9))
    chosen = (
        [have[i] for i in np.unique(np.linspace(0, len(have) - 1, min(room, len(have))).astype(int))]
        if room > 0
        else []
    )
    if len(chosen) < 3:
        log.warning("no time for the virials: the fit is to energies and forces")
        return candidate
    blocks, basis = candidate.blocks, candidate.basis
    free = free_columns(candidate.sums.shape[1], basis.species, references)
    progress = Progress("virials", len(chosen), "frames")

    def rows(lammps: Lammps, k: int) -> Floats:
        return pod.virial_rows(lammps, problem.frames[k].atoms, basis)

    added = 0
    for k, virial in zip(chosen, problem.pool.map(rows, chosen), strict=True):
        problem.stopper.check()
        if problem.stopper.elapsed_s > until_s:
            break
        atoms, target = problem.frames[k].atoms, problem.stress[k]
        assert target is not None  # noqa: S101 - chosen above
        own = blocks[int(problem.fold[k]) % len(blocks)]["stress"]
        own.add(virial[:, free] / len(atoms), target * atoms.get_volume() / len(atoms))
        added += 1
        progress.add(1)
    choice = _validate(blocks, settings, settings.stress_weight)
    return replace(candidate, choice=choice, stress_frames=added)


def solve(candidate: Candidate, settings: Training, references: References, zbl: pod.Zbl | None) -> pod.PodPotential:
    """Fit to all frames with the weights that validation chose, and add the reference energies again."""
    stress = settings.stress_weight if candidate.stress_frames else 0.0
    weights = replace(candidate.choice.weights, stress=stress)
    columns = candidate.sums.shape[1]
    free = free_columns(columns, candidate.basis.species, references)
    coefficients = np.zeros(columns)
    coefficients[free] = regression.fit(candidate.blocks, weights)
    step = columns // len(candidate.basis.species)
    coefficients[::step] += [references.energy_ev[s] for s in candidate.basis.species]
    meta = {
        "validation": candidate.record(),
        "references_ev": references.energy_ev,
        "references_from": references.source,
        "physics": PHYSICS,
    }
    return pod.PodPotential(candidate.basis, coefficients, zbl, meta)
