"""Special quasirandom structures at the target composition and its neighbours, their correlations measured."""

from __future__ import annotations

import importlib.util
import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators.parents import ORDERED, lattice, occupy, seeded_rng, whole_numbers

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
SHELLS = 3
_SAME_SHELL_ANGSTROM = 0.05


@dataclass(frozen=True)
class Shells:
    """Neighbours of each site by shell.

    Attributes
    ----------
    matrices
        Number of times site j is a neighbour of site i in that shell, images counted; shape (shells, n, n).
    distances_angstrom
        Distance of each shell in Å.
    """

    matrices: npt.NDArray[np.float64]
    distances_angstrom: tuple[float, ...]

    @classmethod
    def of(cls, atoms: Atoms, shells: int = SHELLS) -> Shells:
        """Find the first shells of a lattice; distances within 0.05 Å are one shell.

        Parameters
        ----------
        atoms
            A lattice of n sites, whatever occupies them.
        shells
            How many shells.

        Returns
        -------
        Shells
            Fewer than asked for where 2.5 mean spacings hold no more.
        """
        from ase.neighborlist import neighbor_list

        reach = 2.5 * (atoms.get_volume() / len(atoms)) ** (1 / 3)
        first, second, distance = neighbor_list("ijd", atoms, reach)
        ordered = np.sort(distance)
        starts = ordered[np.diff(ordered, prepend=-1.0) > _SAME_SHELL_ANGSTROM][:shells]
        matrices = np.zeros((len(starts), len(atoms), len(atoms)))
        for number, start in enumerate(starts):
            inside = np.abs(distance - start) <= _SAME_SHELL_ANGSTROM
            np.add.at(matrices[number], (first[inside], second[inside]), 1.0)
        return cls(matrices, tuple(round(float(d), 4) for d in starts))

    def warren_cowley(self, numbers: Sequence[int], elements: Sequence[int]) -> npt.NDArray[np.float64]:
        """Short-range order a = 1 - P(ij)/(c_i c_j) of each shell and pair of elements; 0 for the random alloy.

        Cowley, J. Appl. Phys. 21, 24 (1950). P(ij) is the share of the shell's pairs that are i-j, in order.

        Parameters
        ----------
        numbers
            Atomic number on each site, shape (n,).
        elements
            Atomic numbers of all elements, each of which must be there.

        Returns
        -------
        ndarray
            Short-range order, shape (shells, pairs), pairs i < j in the order of `elements`.
        """
        occupied = np.array([[n == e for n in numbers] for e in elements], dtype=float)
        shares = occupied.mean(axis=1)
        pairs = [(i, j) for i in range(len(elements)) for j in range(i + 1, len(elements))]
        totals = self.matrices.sum(axis=(1, 2))
        counts = np.einsum("ia,sab,jb->sij", occupied, self.matrices, occupied)
        return np.array(
            [[1 - c[i, j] / t / (shares[i] * shares[j]) for i, j in pairs] for c, t in zip(counts, totals, strict=True)]
        )

    def error(self, numbers: Sequence[int], elements: Sequence[int]) -> float:
        """Measure how far an arrangement is from the random alloy.

        Parameters
        ----------
        numbers
            Atomic number on each site, shape (n,).
        elements
            Atomic numbers of all elements.

        Returns
        -------
        float
            Root mean square of the short-range order, shells weighted as 1/number: 0 for the ideal random alloy.
        """
        order = self.warren_cowley(numbers, elements)
        weights = 1 / np.arange(1, len(order) + 1)
        return float(np.sqrt(np.average((order**2).mean(axis=1), weights=weights)))


def make(parents: Sequence[Atoms], target: Target, settings: Generator) -> list[Atoms]:  # noqa: ARG001 - one call for all
    """Search one structure a composition: by icet where it is installed, else by Monte Carlo over swaps.

    `info` says which, and `sqs_error`: the root-mean-square Warren-Cowley order of the first three shells, 0 for the
    ideal random alloy, measured in the same way whoever searched.

    Parameters
    ----------
    parents
        Not used: the lattice is made from the target.
    target
        Elements, composition and crystal; one element, a file, a molecule or an ordered compound gives nothing.
    settings
        Atoms at most, step of the composition, steps of a search, and the seed.

    Returns
    -------
    list of Atoms
        One structure for the composition and for each of its neighbours; `sqs_engine`, `sqs_error` and `sqs_order`
        (by shell and pair of elements) in `info`.
    """
    if len(target.elements) < 2 or target.structure_file or target.molecule or target.crystal in ORDERED:
        return []
    made = []
    for composition in neighbouring_compositions(target.composition, settings.sqs_composition_step):
        sites = _supercell(lattice(target.model_copy(update={"composition": composition}), settings), settings)
        counts = whole_numbers(composition, len(sites))
        if sum(1 for count in counts.values() if count) < 2:
            continue
        rng = seeded_rng(settings, "sqs", sorted(composition.items()))
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


def neighbouring_compositions(composition: dict[str, float], step: float) -> list[dict[str, float]]:
    """Return the composition, and those with `step` moved from one element to another (70/30: 60/40 and 80/20).

    Parameters
    ----------
    composition
        Fraction of each element; their sum is 1.
    step
        Fraction that is moved.

    Returns
    -------
    list of dict
        The composition first; of its neighbours those whose fractions lie between 0 and 1.
    """
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
