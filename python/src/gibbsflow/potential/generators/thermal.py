"""Thermal samples: correlated displacements of a spring network, a sampler of its own, for hold-out sets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gibbsflow.config.potential import Generator, Target
from gibbsflow.config.potential_rules import BOND, of_molecules
from gibbsflow.potential.data.formats.mesh_cells import mesh_of
from gibbsflow.potential.data.structures import closest_pair_angstrom, tag
from gibbsflow.potential.generators.normal_modes import displacements, linear
from gibbsflow.potential.generators.parents import parent_of, seeded_rng

if TYPE_CHECKING:
    from ase import Atoms

_SPRING_EV_PER_ANGSTROM2 = 8.0
_BOND_SPRING_EV_PER_ANGSTROM2 = 30.0
_TRIES = 50


def make(parents: Sequence[Atoms], target: Target, settings: Generator) -> list[Atoms]:  # noqa: ARG001 - one call for all
    """Sample each crystal and molecule at `thermal_temperatures_k` from the Boltzmann distribution of springs.

    Parameters
    ----------
    parents
        Tagged structures; those of one atom, and those periodic in some directions only, give nothing.
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
        if not applies(parent):
            continue
        crystal = bool(parent.pbc.all())
        limit = settings.minimum_distance_ratio * closest_pair_angstrom(parent)
        matrix = spring_hessian(parent) if crystal and not of_molecules(parent) else molecule_hessian(parent)
        rigid = 3 if crystal else 5 if linear(parent) else 6
        for temperature in settings.thermal_temperatures_k:
            for number in range(settings.thermal_count):
                rng = seeded_rng(settings, "thermal", parent.info["gibbsflow_id"], temperature, number)
                atoms = parent.copy()
                for _ in range(_TRIES):
                    atoms.positions = parent.positions + displacements(parent, matrix, temperature, rng, rigid=rigid)
                    if closest_pair_angstrom(atoms) >= limit:
                        break
                else:
                    continue
                if crystal:
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
                        **mesh_of(parent, atoms),
                    )  # fmt: skip
                )
    return made


def applies(atoms: Atoms) -> bool:
    """Say whether samples of a structure can be made.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    bool
        True for crystals and molecules of two atoms or more.
    """
    return len(atoms) > 1 and bool(atoms.pbc.any() == atoms.pbc.all())


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
    stiffness = np.where(distance < 1.2 * nearest, 1.0, 0.25) * _SPRING_EV_PER_ANGSTROM2
    return _springs(len(atoms), first, second, stiffness, vector, distance)


def molecule_hessian(atoms: Atoms) -> npt.NDArray[np.float64]:
    """Give the Hessian of springs along bonds and, a quarter as stiff, between the ends of each bond angle.

    Bonds are distances up to 1.2 sums of covalent radii (Cordero et al., Dalton Trans. 2008, 2832, as in ASE), of
    30 eV/Å²: GAFF has 26 to 32 for C-C, C-O, C-H and O-H (Wang et al., J. Comput. Chem. 2004, 25, 1157), and its angles
    at carbon are a quarter of that between their ends. Turning about a bond costs nothing, nor does moving one molecule
    of a liquid or a crystal.

    Parameters
    ----------
    atoms
        A molecule at its equilibrium, or a periodic structure of molecules; bonds reach across its faces.

    Returns
    -------
    ndarray
        Hessian in eV/Å², shape (3n, 3n).
    """
    from ase.neighborlist import natural_cutoffs, neighbor_list

    radii = natural_cutoffs(atoms, mult=BOND)
    bonds: dict[int, list[tuple[int, npt.NDArray[np.int_]]]] = {}
    for centre, end, image in zip(*neighbor_list("ijS", atoms, radii), strict=True):
        bonds.setdefault(int(centre), []).append((int(end), image))
    springs: dict[tuple[int, int, tuple[int, ...]], float] = {}
    for ends in bonds.values():
        for a, b in permutations(ends, 2):
            springs[a[0], b[0], tuple(b[1] - a[1])] = 0.25
    for centre, ends in bonds.items():
        for end, image in ends:
            springs[centre, end, tuple(image)] = 1.0
    pairs = sorted(springs)
    first, second = (np.array([pair[k] for pair in pairs], dtype=int) for k in range(2))
    images = np.array([pair[2] for pair in pairs], dtype=float).reshape(-1, 3)
    stiffness = np.array([springs[pair] for pair in pairs]) * _BOND_SPRING_EV_PER_ANGSTROM2
    vectors = atoms.positions[second] - atoms.positions[first] + images @ atoms.cell.array
    return _springs(len(atoms), first, second, stiffness, vectors, np.linalg.norm(vectors, axis=1))


def _springs(
    size: int,
    first: npt.NDArray[np.int_],
    second: npt.NDArray[np.int_],
    stiffness: npt.NDArray[np.float64],
    vectors: npt.NDArray[np.float64],
    distances: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    matrix = np.zeros((size, 3, size, 3))
    for i, j, k, r, d in zip(first, second, stiffness, vectors, distances, strict=True):
        block = k * np.outer(r, r) / d**2
        matrix[i, :, i, :] += block
        matrix[i, :, j, :] -= block
    return matrix.reshape(3 * size, 3 * size)
