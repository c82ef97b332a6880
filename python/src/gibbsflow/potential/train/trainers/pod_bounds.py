"""What a search for a POD basis must keep within: data, memory, settings, and the time that a basis takes."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from ase import Atoms

from gibbsflow.config.potential_training import Training
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.train.shared.deadline import FEWEST_FRAMES
from gibbsflow.potential.train.trainers.pod_basis import SMALL, PodBasis, descriptor_sums, ladder_basis
from gibbsflow.potential.train.trainers.pod_fit import Targets, validation_s

# of the time budget, for the two validations of the first basis
_ALGEBRA_SHARE = 0.2
# and for the descriptors of the fewest frames
_FIRST_SHARE = 0.3


def columns_of(targets: Targets, basis: PodBasis) -> int:
    """Number of coefficients of a basis, by asking LAMMPS about two atoms.

    Parameters
    ----------
    targets
        What is fitted.
    basis
        The basis.

    Returns
    -------
    int
        Of all elements together.
    """
    atoms = Atoms([basis.species[0], basis.species[-1]], positions=[[0, 0, 0], [0, 0, 0.6 * basis.rcut_angstrom]])
    return len(descriptor_sums(targets.pool.members[0], atoms, basis)[0])


def descriptors_s(targets: Targets, basis: PodBasis, columns: int) -> float:
    """Predict the time of the descriptors of all frames and of their sums, by trying one.

    Parameters
    ----------
    targets
        What is fitted.
    basis
        The basis, with one kind of surroundings.
    columns
        Number of coefficients, with all kinds.

    Returns
    -------
    float
        Seconds of one process.
    """
    sizes = np.array([len(cell.atoms) for cell in targets.cells])
    atoms = typical(targets)
    start = time.monotonic()
    descriptor_sums(targets.pool.members[0], atoms, basis)
    seconds = time.monotonic() - start
    # the sums of squares: 2 · rows · columns² operations at some 5 · 10⁹ a second
    gram_s = 2 * 3 * sizes.sum() * columns**2 / 5e9 * len(targets.pool.members)
    return float(seconds * sizes.sum() / len(atoms) + gram_s)


def typical(targets: Targets) -> Atoms:
    """Give a frame of median size.

    Parameters
    ----------
    targets
        What is fitted.

    Returns
    -------
    Atoms
        The frame.
    """
    sizes = [len(f.atoms) for f in targets.frames]
    return targets.frames[int(np.argsort(sizes, kind="stable")[len(sizes) // 2])].atoms


def most_columns(targets: Targets, settings: Training) -> int:
    """Largest number of coefficients that rows, memory and settings allow.

    Parameters
    ----------
    targets
        What is fitted.
    settings
        Section ``training``.

    Returns
    -------
    int
        At least 24 where memory and settings allow them.
    """
    rows = sum(3 * int(f.force_mask.sum()) + 1 for f in targets.frames)
    return min(affordable_columns(targets, settings), max(rows // 4, 24))


def affordable_columns(targets: Targets, settings: Training) -> int:
    """Largest number of coefficients that memory and settings allow, however few the data are.

    Parameters
    ----------
    targets
        What is fitted.
    settings
        Section ``training``.

    Returns
    -------
    int
        By the sums of each fold, of all folds, and of energies weighed by their atoms.
    """
    blocks = 4 * (int(targets.fold.max()) + 2)
    return min(settings.max_coefficients, int(np.sqrt(settings.memory_gb * 1024**3 / (8 * blocks))))


def spread(items: Sequence[int], share: float) -> list[int]:
    """Evenly spread part of a list, at least 20 of it.

    Parameters
    ----------
    items
        The list.
    share
        Of it; more than 1 is all.

    Returns
    -------
    list of int
        In the same order.
    """
    count = min(len(items), max(FEWEST_FRAMES, int(min(share, 1.0) * len(items))))
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, count).astype(int))]


def first_basis(
    targets: Targets, settings: Training, rin: float, cutoff: float, species: Sequence[str], budget_s: float
) -> tuple[int, PodBasis, float]:
    """Choose the basis to begin with: the third of the ladder, or what bounds allow.

    Parameters
    ----------
    targets
        What is fitted.
    settings
        Section ``training``.
    rin
        Inner radius, Å.
    cutoff
        Cutoff, Å.
    species
        Chemical symbols.
    budget_s
        Time budget, s.

    Returns
    -------
    tuple of int, PodBasis and float
        Its number on the ladder, the basis, and seconds of one process for the descriptors of all frames.

    Raises
    ------
    InputError
        Where ``max_coefficients`` is below what the smallest basis has.
    """
    for number in range(2, -1 - len(SMALL), -1):
        basis = ladder_basis(number, species, rin, cutoff)
        columns = columns_of(targets, basis)
        bound = most_columns if number > 0 else affordable_columns
        if (
            columns <= bound(targets, settings)
            and 2 * validation_s(targets, columns, settings) <= _ALGEBRA_SHARE * budget_s
        ):
            each_s = descriptors_s(targets, basis, columns)
            few = min(FEWEST_FRAMES, len(targets.frames)) / len(targets.frames) / len(targets.pool.members)
            if few * each_s <= _FIRST_SHARE * budget_s or number == -len(SMALL):
                return number, basis, each_s
    # where the time budget alone forbids it: the least that can be done
    if columns <= affordable_columns(targets, settings):
        return number, basis, descriptors_s(targets, basis, columns)
    what = f"{settings.max_coefficients}, and the smallest basis of {len(species)} elements has {columns} coefficients"
    raise InputError(Problem("training", what, f"at least {columns}", field="max_coefficients"))
