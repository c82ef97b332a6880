"""Thermal samples: correlated displacements of a spring network, a sampler of its own, for hold-out sets.

Of liquids, crystals and clusters of molecules, and of crystals with molecular ions, each molecule, ion and lone atom
also moves as a whole: without that, such a set would say nothing of the forces between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gibbsflow.config.potential import Generator, Target
from gibbsflow.config.structures.molecules import NON_METALS, Parts, bonds_of, molecular_ions, of_molecules, parts
from gibbsflow.potential.data.formats.mesh_cells import mesh_of
from gibbsflow.potential.data.structures import closest_pair_angstrom, tag
from gibbsflow.potential.generators.normal_modes import displacements, linear
from gibbsflow.potential.generators.parents import parent_of, seeded_rng
from gibbsflow.units import KB_EV_PER_K

if TYPE_CHECKING:
    from ase import Atoms

_SPRING_EV_PER_ANGSTROM2 = 8.0
_BOND_SPRING_EV_PER_ANGSTROM2 = 30.0
_TRIES = 50
_SHRINK = 0.9
_CLOSEST_RATIO = 0.85
_CLOSEST_OF_VAN_DER_WAALS = 0.75


@dataclass(frozen=True)
class Stiffness:
    """What holds a molecule or an ion in its place.

    Attributes
    ----------
    shift
        Against its shift along each axis, in eV/Å².
    turn
        Against its turn about each axis, in eV/rad².
    """

    shift: float
    turn: float


MOLECULES = Stiffness(0.5, 1.0)
"""0.05 Å² along an axis at 300 K, as in crystals of molecules; a water of 1.2 u Å² that librates at 500 cm⁻¹ has
1.1 eV."""
IONS = Stiffness(1.5, 3.0)
"""0.017 Å² along an axis at 300 K, as in rock salt; turns are as much stiffer."""


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
        matrix, whole = _springs_of(parent)
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
                if whole is not None:
                    atoms.positions = whole.moved(atoms, temperature, rng)
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


def molecule_hessian(atoms: Atoms, elements: frozenset[str] | None = None) -> npt.NDArray[np.float64]:
    """Give the Hessian of springs along bonds and, a quarter as stiff, between the ends of each bond angle.

    Bonds (:func:`.bonds_of`) are of 30 eV/Å²: GAFF has 26 to 32 for C-C, C-O, C-H and O-H (Wang et al., J. Comput.
    Chem. 2004, 25, 1157), and its angles at carbon are a quarter of that between their ends. Turning about a bond costs
    nothing, nor does moving one molecule of a liquid or a crystal.

    Parameters
    ----------
    atoms
        A molecule at its equilibrium, or a periodic structure of molecules; bonds reach across its faces.
    elements
        Those that have bonds; default: all.

    Returns
    -------
    ndarray
        Hessian in eV/Å², shape (3n, 3n).
    """
    bonds: dict[int, list[tuple[int, npt.NDArray[np.int_]]]] = {}
    for centre, end, image in zip(*bonds_of(atoms, elements), strict=True):
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


def _springs_of(parent: Atoms) -> tuple[npt.NDArray[np.float64], RigidMoves | None]:
    """Hessian of a parent, and what moves as a whole in it: nothing where there is one molecule, or a framework."""
    if not parent.pbc.any():
        apart = parts(parent)
        return molecule_hessian(parent), RigidMoves(parent, apart, MOLECULES) if len(apart.finite) > 1 else None
    if of_molecules(parent):
        return molecule_hessian(parent), RigidMoves(parent, parts(parent), MOLECULES)
    ions = molecular_ions(parent)
    if ions is None or not ions.finite.all():
        return spring_hessian(parent), None
    return molecule_hessian(parent, NON_METALS), RigidMoves(parent, ions, IONS)


class RigidMoves:
    """Moves of molecules and ions against each other, each one drawn for itself.

    Shifts, and turns about the centre of mass, are Gaussian, with a variance of kT over the stiffness. No contact comes
    nearer than 0.85 of the closest one of those two elements in the parent, or 0.75 of the sum of their van der Waals
    radii (Alvarez, Dalton Trans. 2013, 42, 8617, as in ASE), whichever is less: what is crowded is drawn again, each
    time a tenth smaller.

    Parameters
    ----------
    parent
        Structure at its equilibrium.
    apart
        Its parts, all of which end.
    stiffness
        Of each of them.
    """

    def __init__(self, parent: Atoms, apart: Parts, stiffness: Stiffness) -> None:
        self.apart, self.stiffness, self.masses = apart, stiffness, parent.get_masses()
        self.members = [np.flatnonzero(apart.of_atom == part) for part in range(len(apart.finite))]
        self.limits = self._limits(parent)

    def moved(self, atoms: Atoms, temperature_k: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Draw moves of all parts at once.

        Parameters
        ----------
        atoms
            The parent, with or without displacements within its parts.
        temperature_k
            Temperature.
        rng
            Random numbers.

        Returns
        -------
        ndarray
            Positions in Å, shape (n, 3), parts whole as far as they were.
        """
        made = atoms.copy()
        lattice = self.apart.images @ atoms.cell.array
        start = atoms.positions + lattice
        made.positions = start
        waiting, scale = set(range(len(self.members))), 1.0
        for _ in range(_TRIES):
            for part in sorted(waiting):
                made.positions[self.members[part]] = self._drawn(start, part, scale, temperature_k, rng)
            if not (waiting := self._crowded(made)):
                break
            scale *= _SHRINK
        return np.asarray(made.positions - lattice)

    def _drawn(
        self, start: npt.NDArray[np.float64], part: int, scale: float, temperature_k: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        from scipy.spatial.transform import Rotation

        own = self.members[part]
        spread = scale * np.sqrt(KB_EV_PER_K * temperature_k)
        shift = rng.normal(size=3) * spread / np.sqrt(self.stiffness.shift)
        turn = Rotation.from_rotvec(rng.normal(size=3) * spread / np.sqrt(self.stiffness.turn))
        centre = np.average(start[own], axis=0, weights=self.masses[own])
        return np.asarray(centre + shift + turn.apply(start[own] - centre))

    def _crowded(self, whole: Atoms) -> set[int]:
        """Parts with a contact that is too close."""
        from ase.neighborlist import neighbor_list

        i, j, image = neighbor_list("ijS", whole, self.limits)
        between = self._between(i, j, image)
        return set(self.apart.of_atom[i[between]].tolist())

    def _between(
        self, i: npt.NDArray[np.int_], j: npt.NDArray[np.int_], image: npt.NDArray[np.int_]
    ) -> npt.NDArray[np.bool_]:
        """Whether pairs are of two parts, or of a part and its own image."""
        return np.asarray((self.apart.of_atom[i] != self.apart.of_atom[j]) | image.any(axis=1))

    def _limits(self, parent: Atoms) -> dict[tuple[int, int], float]:
        from ase.neighborlist import neighbor_list

        whole = parent.copy()
        whole.positions += self.apart.images @ parent.cell.array
        numbers = sorted(set(parent.numbers.tolist()))
        radii = {n: van_der_waals_angstrom(n) for n in numbers}
        limits = {(a, b): _CLOSEST_OF_VAN_DER_WAALS * (radii[a] + radii[b]) for a in numbers for b in numbers if a <= b}
        reach = {pair: limit / _CLOSEST_RATIO for pair, limit in limits.items()}
        i, j, distance, image = neighbor_list("ijdS", whole, reach)
        between = self._between(i, j, image)
        for a, b, apart in zip(whole.numbers[i[between]], whole.numbers[j[between]], distance[between], strict=True):
            pair = (min(int(a), int(b)), max(int(a), int(b)))
            limits[pair] = min(limits[pair], _CLOSEST_RATIO * float(apart))
        return limits


def van_der_waals_angstrom(number: int) -> float:
    """Give the van der Waals radius of an element.

    Parameters
    ----------
    number
        Atomic number.

    Returns
    -------
    float
        In Å: Alvarez, Dalton Trans. 2013, 42, 8617, as in ASE; where that has none, the covalent radius and 0.8 Å.
    """
    from ase.data import covalent_radii
    from ase.data.vdw_alvarez import vdw_radii

    own = float(vdw_radii[number])
    return own if np.isfinite(own) else float(covalent_radii[number]) + 0.8


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
