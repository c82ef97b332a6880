"""Thermal samples: correlated displacements of a spring network, a sampler of its own, for hold-out sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.data.structures import closest_pair_angstrom, tag
from gibbsflow.potential.generators.normal_modes import displacements
from gibbsflow.potential.generators.parents import parent_of, seeded_rng

if TYPE_CHECKING:
    from ase import Atoms

_SPRING_EV_PER_ANGSTROM2 = 8.0
_TRIES = 50


def make(parents: Sequence[Atoms], target: Target, settings: Generator) -> list[Atoms]:  # noqa: ARG001 - one call for all
    """Sample each periodic parent at `thermal_temperatures_k` from the Boltzmann distribution of its spring network.

    Parameters
    ----------
    parents
        Tagged structures; those that are not periodic in all directions, or of one atom, give nothing.
    target
        Not used.
    settings
        Temperatures, samples at each, least distance, and the seed.

    Returns
    -------
    list of Atoms
        Parent by parent, temperature by temperature; `temperature_k` in `info`. A sample that finds no
        displacements within the least distance in 50 draws is left out.
    """
    made = []
    for parent in parents:
        if not parent.pbc.all() or len(parent) < 2:
            continue
        limit = settings.minimum_distance_ratio * closest_pair_angstrom(parent)
        matrix = spring_hessian(parent)
        for temperature in settings.thermal_temperatures_k:
            for number in range(settings.thermal_count):
                rng = seeded_rng(settings, "thermal", parent.info["gibbsflow_id"], temperature, number)
                atoms = parent.copy()
                for _ in range(_TRIES):
                    atoms.positions = parent.positions + displacements(parent, matrix, temperature, rng, rigid=3)
                    if closest_pair_angstrom(atoms) >= limit:
                        break
                else:
                    continue
                volume = 1 + 2e-5 * temperature * rng.uniform(-0.5, 1.5)
                atoms.set_cell(atoms.cell.array * volume ** (1 / 3), scale_atoms=True)
                made.append(
                    tag(
                        atoms,
                        "thermal",
                        generator="thermal",
                        seed=settings.generator_seed,
                        parent=parent_of(parent),
                        temperature_k=temperature,
                    )  # fmt: skip
                )
    return made


def spring_hessian(atoms: Atoms) -> npt.NDArray[np.float64]:
    """Give the Hessian of springs to first neighbours and, a quarter as stiff, to second ones.

    A spring of 8 eV/Å² acts along its bond alone: H_ij = -k r r^T / r², and H_ii is minus the sum of the others, so
    that a shift of all atoms costs nothing.

    Parameters
    ----------
    atoms
        A crystal at its equilibrium.

    Returns
    -------
    ndarray
        Hessian in eV/Å², shape (3n, 3n).
    """
    from ase.neighborlist import neighbor_list

    nearest = closest_pair_angstrom(atoms)
    first, second, distance, vector = neighbor_list("ijdD", atoms, 1.8 * nearest)
    size = len(atoms)
    matrix = np.zeros((size, 3, size, 3))
    for i, j, d, r in zip(first, second, distance, vector, strict=True):
        stiffness = _SPRING_EV_PER_ANGSTROM2 * (1.0 if d < 1.2 * nearest else 0.25)
        block = stiffness * np.outer(r, r) / d**2
        matrix[i, :, i, :] += block
        matrix[i, :, j, :] -= block
    return matrix.reshape(3 * size, 3 * size)
