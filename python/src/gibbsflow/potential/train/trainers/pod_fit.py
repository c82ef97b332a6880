"""Fit of one POD basis: targets without reference energies and repulsion, rows from LAMMPS, weights by validation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gibbsflow.config.potential_training import Training
from gibbsflow.engines.lammps import Lammps, LammpsPool
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.data.neighbours import pairs_within
from gibbsflow.potential.train.shared import regression
from gibbsflow.potential.train.shared.atomic_energies import AtomicEnergies
from gibbsflow.potential.train.shared.deadline import FEWEST_FRAMES, Deadline, spread_order
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.potential.train.shared.repeated_cells import RepeatedCell, smallest_cell
from gibbsflow.potential.train.shared.splits import Folds
from gibbsflow.potential.train.trainers import pod_basis
from gibbsflow.potential.train.trainers.pod import PodPotential, Zbl, evaluate_zbl
from gibbsflow.units import Floats
from gibbsflow.workflow.progress import Progress

PHYSICS = 10
"""Raised by hand when the same frames and settings give another potential."""
_FEWEST_VIRIALS = 3
# most atoms have a neighbour as near; the list to 6 Å has ten times as many pairs
_NEAR_ANGSTROM = 3.2


@dataclass(frozen=True)
class Scales:
    """Lengths that the data set by themselves.

    Attributes
    ----------
    shortest_angstrom
        Shortest distance in any frame.
    neighbour_angstrom
        Median distance of an atom to its nearest neighbour.
    """

    shortest_angstrom: float
    neighbour_angstrom: float


def length_scales(frames: Sequence[LabelledFrame]) -> Scales:
    """Measure the distances of a data set.

    Parameters
    ----------
    frames
        Training frames.

    Returns
    -------
    Scales
        Of pairs within 6 Å; 2.5 Å for both where there is none, as in a set of isolated atoms.
    """
    nearest = []
    for frame in frames:
        closest = np.full(len(frame.atoms), np.inf)
        for reach in (_NEAR_ANGSTROM, 6.0):
            i, _, d, _ = pairs_within(frame.atoms, reach)
            np.minimum.at(closest, i, d)
            if np.isfinite(closest).all():
                break
        nearest.append(closest[np.isfinite(closest)])
    every = np.concatenate(nearest) if nearest else np.zeros(0)
    return Scales(float(every.min()), float(np.median(every))) if len(every) else Scales(2.5, 2.5)


@dataclass
class Targets:
    """What a fit works on: frames with targets, their folds, and the means.

    Attributes
    ----------
    frames
        Training frames without isolated atoms where those set the references.
    energy, force, stress
        Of each frame, with reference energies and repulsion taken off: eV a frame, eV/Å of shape (n, 3), and eV/Å^3
        of shape (6,) or None.
    fold
        Fold of each frame, shape (frames,).
    cells
        The smallest cell of each frame, whose descriptors are those of all its repeats.
    pool
        LAMMPS processes that compute descriptors.
    deadline
        Time budget of the fit.
    """

    frames: list[LabelledFrame]
    energy: list[float]
    force: list[Floats]
    stress: list[Floats | None]
    fold: npt.NDArray[np.int64]
    cells: list[RepeatedCell]
    pool: LammpsPool
    deadline: Deadline


def take_off(
    frames: Sequence[LabelledFrame], folds: Folds, references: AtomicEnergies, species: Sequence[str], zbl: Zbl | None,
    pool: LammpsPool, deadline: Deadline,
) -> Targets:  # fmt: skip
    """Take reference energies and the repulsion, as LAMMPS evaluates it, off the labels.

    Parameters
    ----------
    frames
        Training frames.
    folds
        Fold of each.
    references
        Energies of the elements.
    species
        Chemical symbols in the order of LAMMPS' types.
    zbl
        The repulsion, or None.
    pool
        LAMMPS processes.
    deadline
        Time budget of the fit.

    Returns
    -------
    Targets
        What is left to fit.
    """
    keep = [i for i, f in enumerate(frames) if not (f.isolated and references.source == "isolated atoms")]
    kept = [frames[i] for i in keep]
    energy = [f.energy_ev - references.of(f) for f in kept]
    force = [f.forces_ev_per_angstrom for f in kept]
    stress = [f.stress_ev_per_angstrom3 for f in kept]
    if zbl is not None:
        near = [k for k, f in enumerate(kept) if len(pairs_within(f.atoms, zbl.outer_angstrom)[0])]

        def _repulsion(lammps: Lammps, k: int) -> Prediction:
            return evaluate_zbl(lammps, kept[k].atoms, species, zbl)

        for k, base in zip(near, pool.map(_repulsion, near), strict=True):
            energy[k] -= base.energy_ev
            force[k] = force[k] - base.forces_ev_per_angstrom
            own, part = stress[k], base.stress_ev_per_angstrom3
            stress[k] = None if own is None or part is None else own - part
    cells = [smallest_cell(f.atoms, f.force_mask) for f in kept]
    return Targets(kept, energy, force, stress, folds.fold[keep], cells, pool, deadline)


@dataclass
class BasisTrial:
    """One basis with the sums its fit needs.

    Attributes
    ----------
    basis
        The basis.
    blocks
        Normal equations by fold.
    frames
        Numbers of the frames among the targets'.
    sums
        Summed descriptors of each, shape (frames, all columns).
    choice
        Weights by validation.
    seconds
        Time its descriptors took, s.
    stress_frames
        Frames whose virials are in the blocks.
    """

    basis: pod_basis.PodBasis
    blocks: list[dict[str, regression.NormalEquations]]
    frames: list[int]
    sums: Floats
    choice: regression.Choice
    seconds: float
    stress_frames: int = 0

    def record(self) -> dict[str, Any]:
        """What the result says of it.

        Returns
        -------
        dict
            Size, cutoff, weights and validation errors, JSON-serialisable.
        """
        return {
            "cutoff_angstrom": self.basis.rcut_angstrom,
            "radial": self.basis.radial,
            "angular": self.basis.angular,
            "environments": self.basis.kinds,
            "radial_degrees": [self.basis.bessel, self.basis.inverse],
            "coefficients": self.sums.shape[1],
            "frames": len(self.sums),
            "validation_energy_mae_mev_per_atom": 1e3 * self.choice.energy_mae_ev_per_atom,
            "validation_energy_rmse_mev_per_atom": 1e3 * self.choice.energy_rmse_ev_per_atom,
            "validation_force_rmse_ev_per_angstrom": self.choice.force_rmse_ev_per_angstrom,
            "validation_force_middle_ev_per_angstrom": self.choice.force_middle_ev_per_angstrom,
            **(
                {"validation_stress_relative_rmse": self.choice.stress_relative_rmse}
                if self.choice.stress_relative_rmse is not None
                else {}
            ),
            "energy_weight": self.choice.weights.energy,
            "energy_size_power": self.choice.weights.size_power,
            "ridge": self.choice.weights.ridge,
            "seconds": round(self.seconds, 1),
        }


class OutOfTimeError(Exception):
    """A basis would not be ready in time; ends the search, and never leaves the trainer."""


def free_columns(columns: int, species: Sequence[str], references: AtomicEnergies) -> npt.NDArray[np.bool_]:
    """Columns that are fitted: all, but the one-body terms where isolated atoms fix them.

    Parameters
    ----------
    columns
        Number of coefficients.
    species
        Chemical symbols in the order of LAMMPS' types.
    references
        Energies of the elements.

    Returns
    -------
    ndarray
        True where fitted, shape (columns,).
    """
    free = np.ones(columns, dtype=bool)
    if references.source == "isolated atoms":
        free[:: columns // len(species)] = False
    return free


def try_basis(
    targets: Targets,
    basis: pod_basis.PodBasis,
    settings: Training,
    references: AtomicEnergies,
    frames: Sequence[int],
    until_s: float,
) -> BasisTrial:
    """Compute the descriptors of some frames, sum them up and validate.

    Parameters
    ----------
    targets
        What is fitted.
    basis
        The basis.
    settings
        Section ``training``.
    references
        Energies of the elements.
    frames
        Numbers of the frames to use, among the targets'.
    until_s
        When it has to be done, on the clock of the deadline.

    Returns
    -------
    BasisTrial
        Without virials.

    Raises
    ------
    OutOfTimeError
        Where `until_s` passes first.
    StoppedEarly
        After a signal.
    """
    start = time.monotonic()
    folds = targets.fold[list(frames)]
    _, folds = np.unique(folds, return_inverse=True)
    progress = Progress(f"descriptors to {basis.rcut_angstrom:.2f} Å", len(frames), "frames")
    blocks: list[dict[str, regression.NormalEquations]] = []
    sums: list[Floats] = []

    def _rows(lammps: Lammps, k: int) -> tuple[Floats, Floats, Floats]:
        return pod_basis.descriptor_sums(lammps, targets.cells[k].atoms, basis)

    for k, fold, (total, derivatives, rotation) in zip(frames, folds, targets.pool.map(_rows, frames), strict=True):
        targets.deadline.check()
        if targets.deadline.elapsed_s > until_s:
            raise OutOfTimeError
        free = free_columns(len(total), basis.species, references)
        blocks = blocks or regression.new_blocks(int(folds.max()) + 1, int(free.sum()))
        cell, n = targets.cells[k], len(targets.frames[k].atoms)
        mask = np.repeat(targets.frames[k].force_mask[cell.chosen], 3)
        counts = targets.frames[k].weights
        total = cell.count * total
        blocks[fold]["energy"].add(total[None, free] / n, np.array([targets.energy[k] / n]), counts.energy, n)
        force, spread = cell.mean(targets.force[k])
        turned = (force @ rotation).ravel()
        blocks[fold]["force"].add(derivatives[mask][:, free], turned[mask], cell.count * counts.force)
        blocks[fold]["force"].square += spread * counts.force
        sums.append(total)
        progress.add(1)
    seconds = time.monotonic() - start
    choice = _validate(blocks, settings, 0.0, targets.deadline)
    return BasisTrial(basis, blocks, list(frames), np.array(sums), choice, seconds)


def _validate(blocks: regression.Blocks, settings: Training, stress: float, deadline: Deadline) -> regression.Choice:
    energies = (settings.energy_weight,) if settings.energy_weight else regression.ENERGY_WEIGHTS
    ridges = (settings.ridge,) if settings.ridge else regression.RIDGES
    start = time.monotonic()
    choice = regression.cross_validate(blocks, energies=energies, ridges=ridges, stress=stress)
    tried = len(energies) + len(regression.SIZE_POWERS) - 1
    deadline.learn(blocks[0]["energy"].columns, (time.monotonic() - start) / (len(blocks) * tried))
    return choice


def validation_s(targets: Targets, columns: int, settings: Training) -> float:
    """Predict the time of one validation: decompositions for each fold and weighting of energies.

    Parameters
    ----------
    targets
        What is fitted.
    columns
        Number of coefficients.
    settings
        Section ``training``.

    Returns
    -------
    float
        Seconds.
    """
    weights = 1 if settings.energy_weight else len(regression.ENERGY_WEIGHTS)
    weights += len(regression.SIZE_POWERS) - 1
    return (int(targets.fold.max()) + 1) * weights * targets.deadline.eigen_s(columns)


def virial_s(targets: Targets, basis: pod_basis.PodBasis) -> float:
    """Predict the time of the virials of a frame, by trying one of median size.

    Parameters
    ----------
    targets
        What is fitted; some of its frames have a stress.
    basis
        The basis.

    Returns
    -------
    float
        Seconds, of all processes together.
    """
    have = [frame for frame, stress in zip(targets.frames, targets.stress, strict=True) if stress is not None]
    typical = sorted(have, key=lambda frame: len(frame.atoms))[len(have) // 2].atoms
    start = time.monotonic()
    pod_basis.virial_rows(targets.pool.members[0], typical, basis)
    return 1.2 * (time.monotonic() - start) / len(targets.pool.members)


def with_virials(targets: Targets, settings: Training) -> list[int]:
    """List the frames whose virials are to be fitted.

    Parameters
    ----------
    targets, settings
        What is fitted, and section ``training``.

    Returns
    -------
    list of int
        Numbers of those that have a stress; empty where they are fewer than three, or none is asked for.
    """
    have = [k for k, stress in enumerate(targets.stress) if stress is not None]
    return have if settings.stress_weight > 0 and len(have) >= _FEWEST_VIRIALS else []


def add_virials(
    targets: Targets, trial: BasisTrial, settings: Training, references: AtomicEnergies, until_s: float
) -> BasisTrial:
    """Add the virials of as many frames as there is time for, evenly spread, and validate again.

    Parameters
    ----------
    targets
        What is fitted.
    trial
        The basis that was chosen; its blocks are added to.
    settings
        Section ``training``.
    references
        Energies of the elements.
    until_s
        When it has to be done, on the clock of the deadline.

    Returns
    -------
    BasisTrial
        With its new weights, by the virials of 20 frames at least; the same where there are none to be fitted.

    Raises
    ------
    StoppedEarly
        After a signal.
    """
    have = with_virials(targets, settings)
    if not have:
        return trial
    until_s -= validation_s(targets, trial.sums.shape[1], settings)
    # the least is done in any case, as of errors and grades: without stresses a volume or a shear may be far off
    least = min(len(have), FEWEST_FRAMES)
    room = int((until_s - targets.deadline.elapsed_s) / max(virial_s(targets, trial.basis), 1e-9))
    chosen = [have[i] for i in np.unique(np.linspace(0, len(have) - 1, min(max(room, least), len(have))).astype(int))]
    chosen = [chosen[i] for i in spread_order(len(chosen))]  # the same spread where time ends before them
    blocks, basis = trial.blocks, trial.basis
    free = free_columns(trial.sums.shape[1], basis.species, references)
    progress = Progress("virials", len(chosen), "frames")

    def _rows(lammps: Lammps, k: int) -> Floats:
        cell = targets.cells[k]
        return cell.count * pod_basis.virial_rows(lammps, cell.atoms, basis)

    added = 0
    for k, virial in zip(chosen, targets.pool.map(_rows, chosen), strict=True):
        targets.deadline.check()
        if targets.deadline.elapsed_s > until_s and added >= least:
            break
        atoms, target = targets.frames[k].atoms, targets.stress[k]
        assert target is not None  # noqa: S101 - chosen above
        own = blocks[int(targets.fold[k]) % len(blocks)]["stress"]
        counts = targets.frames[k].weights
        own.add(virial[:, free] / len(atoms), target * atoms.get_volume() / len(atoms), counts.stress)
        added += 1
        progress.add(1)
    choice = _validate(blocks, settings, settings.stress_weight, targets.deadline)
    return replace(trial, choice=choice, stress_frames=added)


def too_few_virials(targets: Targets, settings: Training) -> str:
    """Say that stresses are labelled and asked for, and too few for a fit to them.

    Parameters
    ----------
    targets, settings
        What is fitted, and section ``training``.

    Returns
    -------
    str
        In words; empty where they are enough, none, or not asked for.
    """
    count = sum(stress is not None for stress in targets.stress)
    if not settings.stress_weight or not 0 < count < _FEWEST_VIRIALS:
        return ""
    frames = "1 frame has" if count == 1 else f"{count} frames have"
    return f"only {frames} a stress, and {_FEWEST_VIRIALS} are needed: the fit is to energies and forces alone"


def solve(trial: BasisTrial, settings: Training, references: AtomicEnergies, zbl: Zbl | None) -> PodPotential:
    """Fit to all frames with the weights that validation chose, and add the reference energies again.

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

    Returns
    -------
    PodPotential
        Not yet written.
    """
    stress = settings.stress_weight if trial.stress_frames else 0.0
    weights = replace(trial.choice.weights, stress=stress)
    columns = trial.sums.shape[1]
    free = free_columns(columns, trial.basis.species, references)
    coefficients = np.zeros(columns)
    coefficients[free] = regression.least_squares(trial.blocks, weights)
    step = columns // len(trial.basis.species)
    coefficients[::step] += [references.energy_ev[s] for s in trial.basis.species]
    meta = {
        "validation": trial.record(),
        "references_ev": references.energy_ev,
        "references_from": references.source,
        "physics": PHYSICS,
    }
    return PodPotential(trial.basis, coefficients, zbl, meta)
