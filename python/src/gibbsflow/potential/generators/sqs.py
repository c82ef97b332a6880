"""Special quasirandom structures at the target composition and its neighbours, their correlations measured."""

from __future__ import annotations

import importlib.util
import itertools
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators.common import random
from gibbsflow.potential.generators.correlations import Shells
from gibbsflow.potential.generators.parents import ORDERED, lattice, occupy, whole_numbers

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)


def make(parents: Sequence[Atoms], target: Target, settings: Generator) -> list[Atoms]:  # noqa: ARG001 - one call for all
    """Search one structure a composition: by icet where it is installed, else by Monte Carlo over swaps.

    `info` says which, and `sqs_error`: the root-mean-square Warren-Cowley order of the first three shells, 0 for the
    ideal random alloy, measured in the same way whoever searched.
    """
    if len(target.elements) < 2 or target.structure_file or target.molecule or target.crystal in ORDERED:
        return []
    made = []
    for composition in neighbouring(target.composition, settings.sqs_composition_step):
        sites = _supercell(lattice(target.model_copy(update={"composition": composition}), settings), settings)
        counts = whole_numbers(composition, len(sites))
        if sum(1 for count in counts.values() if count) < 2:
            continue
        rng = random(settings, "sqs", sorted(composition.items()))
        engine = "icet" if importlib.util.find_spec("icet") else "swaps"
        atoms = (_by_icet if engine == "icet" else _by_swaps)(sites, counts, settings, rng)
        shells = Shells.of(atoms)
        elements = sorted(set(atoms.numbers.tolist()))
        order = shells.warren_cowley(atoms.numbers.tolist(), elements)
        error = shells.error(atoms.numbers.tolist(), elements)
        log.info("SQS %s: error against the random alloy %.4f (%s)", atoms.symbols, error, engine)
        made.append(
            tag(
                atoms,
                "sqs",
                generator="sqs",
                seed=settings.generator_seed,
                sqs_engine=engine,
                sqs_error=round(error, 6),
                sqs_order=" ".join(f"{x:.4f}" for x in order.ravel()),
            )  # fmt: skip
        )
    return made


def neighbouring(composition: dict[str, float], step: float) -> list[dict[str, float]]:
    """Return the composition, and those with `step` moved from one element to another (70/30: 60/40 and 80/20)."""
    found = [dict(composition)]
    for one, other in itertools.permutations(composition, 2):
        moved = {**composition, one: composition[one] + step, other: composition[other] - step}
        if moved[one] <= 1 + 1e-9 and moved[other] >= -1e-9:
            found.append(moved)
    return found


def _supercell(sites: Atoms, settings: Generator) -> Atoms:
    """Largest supercell within the limit of atoms, grown along the shortest vector each time."""
    while 2 * len(sites) <= settings.sqs_atoms_max:
        repeats = [1, 1, 1]
        repeats[int(np.argmin(np.round(sites.cell.lengths(), 6)))] = 2
        sites = sites.repeat(repeats)
    return sites


def _by_swaps(sites: Atoms, counts: dict[str, int], settings: Generator, rng: np.random.Generator) -> Atoms:
    """Metropolis search over swaps of two atoms, cooled from a tenth to nothing; the best arrangement seen is kept."""
    atoms = occupy(sites, {element: count / len(sites) for element, count in counts.items()}, rng)
    shells = Shells.of(atoms)
    numbers = atoms.numbers.copy()
    elements = sorted(set(numbers.tolist()))
    error = least = shells.error(numbers.tolist(), elements)
    best = numbers.copy()
    for step in range(settings.sqs_steps):
        i, j = rng.integers(len(numbers), size=2)
        if numbers[i] == numbers[j]:
            continue
        numbers[[i, j]] = numbers[[j, i]]
        trial = shells.error(numbers.tolist(), elements)
        heat = 0.1 * (1 - step / settings.sqs_steps) + 1e-6
        if trial <= error or rng.random() < np.exp((error - trial) / heat):
            error = trial
            if error < least - 1e-12:
                least, best = error, numbers.copy()
            if least < 1e-9:
                break
        else:
            numbers[[i, j]] = numbers[[j, i]]
    atoms.numbers = best
    return atoms


def _by_icet(sites: Atoms, counts: dict[str, int], settings: Generator, rng: np.random.Generator) -> Atoms:
    """Search by icet's simulated annealing on pairs and triplets."""
    from icet import ClusterSpace
    from icet.tools.structure_generation import generate_sqs_from_supercells

    distances = Shells.of(sites).distances_angstrom
    chosen = {element: count / len(sites) for element, count in counts.items() if count}
    primitive = sites.copy()
    space = ClusterSpace(primitive, [distances[-1] + 0.05, distances[0] + 0.05], list(chosen))
    # the supercell is the cell itself: all of its sites are of one sublattice
    atoms: Atoms = generate_sqs_from_supercells(
        space, [primitive], chosen, random_seed=int(rng.integers(2**31 - 1)), n_steps=settings.sqs_steps
    )
    return atoms
