"""Normal-mode samples of molecules: displacements along normalised modes with thermal amplitudes, and turned bonds."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import numpy.typing as npt
from ase.data import covalent_radii

from gibbsflow.config.potential import Generator, Target
from gibbsflow.errors import InputError, MissingProgramError, Problem, UnconvergedError
from gibbsflow.potential.data.formats.electrons import Electrons
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators.parents import parent_of, seeded_rng
from gibbsflow.units import KB_EV_PER_K

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
_STEP_ANGSTROM = 0.005
_ACCURACY, _HESSIAN_ACCURACY = 0.01, 0.1
"""Of tblite's self-consistency; C60 has by the looser one the Hessian of the other to 0.002 eV/Å² of 56."""
_SOFTEST_EV_PER_ANGSTROM2_AMU = 1e-3
# in sums of covalent radii: neighbours are nearer, a shorter bond resists turning, and no others come as close
_NEIGHBOURS, _SINGLE, _APART = 1.25, 0.96, 1.6
_TRIES = 100
# one of so many samples: more of them cost the accuracy within one conformer
_TURNED = 5


def make(parents: Sequence[Atoms], target: Target, settings: Generator) -> list[Atoms]:  # noqa: ARG001 - one call for all
    """Relax each molecule with GFN2-xTB, take its Hessian, and sample at each temperature.

    Every fifth sample of a molecule with single bonds is turned about each of them, after its modes, by any angle:
    harmonic displacements stay in one conformer, and the others are what MD meets next.

    Parameters
    ----------
    parents
        Tagged structures; those that are periodic, or of one atom, give nothing.
    target
        Not used.
    settings
        Temperatures, samples at each, and the seed.

    Returns
    -------
    list of Atoms
        Molecule by molecule, temperature by temperature; `temperature_k` in `info`.

    Raises
    ------
    InputError
        For a charge and spin that contradict themselves.
    MissingProgramError
        Where tblite is not installed.
    UnconvergedError
        Where a molecule does not relax, or GFN2-xTB cannot compute it.
    """
    made = []
    for parent in parents:
        if parent.pbc.any() or len(parent) < 2:
            continue
        relaxed, matrix = _equilibrium(parent)
        bonds = turning_bonds(relaxed)
        for temperature in settings.mode_temperatures_k:
            for number in range(settings.mode_count):
                rng = seeded_rng(settings, "normal_modes", parent.info["gibbsflow_id"], temperature, number)
                atoms = relaxed.copy()
                rigid = 5 if linear(atoms) else 6
                atoms.positions += displacements(relaxed, matrix, temperature, rng, rigid=rigid)
                if number % _TURNED == _TURNED - 1:
                    atoms = turned(atoms, bonds, rng)
                made.append(
                    tag(
                        atoms,
                        "normal_mode",
                        generator="normal_modes",
                        seed=settings.generator_seed,
                        parent=parent_of(parent),
                        temperature_k=temperature,
                    )  # fmt: skip
                )
    return made


def _equilibrium(parent: Atoms) -> tuple[Atoms, npt.NDArray[np.float64]]:
    """Relaxed molecule and its Hessian."""
    from ase.calculators.calculator import CalculatorError

    try:
        Electrons.of(parent)
    except ValueError as error:
        right = "one charge and one spin"
        raise InputError(Problem(str(parent.symbols), str(error), right, field="charge and spin")) from error
    try:
        relaxed = _relaxed(parent)
        return relaxed, hessian(relaxed)
    except CalculatorError as error:
        what = f"{parent.symbols}: GFN2-xTB, which normal modes are made by, cannot compute it ({error})"
        right = "Leave normal_mode out of generator.methods: [bulk, rattle, dimer]."
        raise UnconvergedError(what, what_to_do=right) from error


def displacements(
    atoms: Atoms, matrix: npt.NDArray[np.float64], temperature_k: float, rng: np.random.Generator, *, rigid: int
) -> npt.NDArray[np.float64]:
    """Draw displacements from the classical Boltzmann distribution of the harmonic Hessian.

    With the mass-weighted Hessian M^-1/2 H M^-1/2 = sum_k w_k^2 e_k e_k^T and |e_k| = 1, the amplitude along e_k is
    Gaussian with variance kT/w_k^2, so that each mode holds kT/2 of potential energy on average.

    Parameters
    ----------
    atoms
        Equilibrium structure.
    matrix
        Hessian in eV/Å², shape (3n, 3n).
    temperature_k
        Temperature.
    rng
        Random numbers.
    rigid
        Number of softest modes that are left out: 6, or 5 for linear molecules; 3 for crystals.

    Returns
    -------
    ndarray
        Displacements in Å, shape (n, 3).
    """
    weights = np.repeat(1 / np.sqrt(atoms.get_masses()), 3)
    values, vectors = np.linalg.eigh(weights[:, None] * (matrix + matrix.T) / 2 * weights[None, :])
    order = np.argsort(np.abs(values))[rigid:]
    # a mode softer than this would run away in the harmonic picture
    keep = order[values[order] > _SOFTEST_EV_PER_ANGSTROM2_AMU]
    amplitudes = rng.normal(size=len(keep)) * np.sqrt(KB_EV_PER_K * temperature_k / values[keep])
    return np.asarray((weights * (vectors[:, keep] @ amplitudes)).reshape(-1, 3))


def turning_bonds(atoms: Atoms) -> list[tuple[int, int, list[int]]]:
    """Find the bonds about which a molecule turns: single by their length, in no ring, and at no end.

    Parameters
    ----------
    atoms
        A molecule at its equilibrium.

    Returns
    -------
    list of tuple
        Of each bond the atom that stays, the one that its side turns with, and that side, which is the smaller one.
    """
    ratios = _ratios(atoms)
    graph = nx.from_numpy_array((ratios < _NEIGHBOURS) & ~np.eye(len(atoms), dtype=bool))
    found = []
    for bond in nx.bridges(graph):
        if ratios[bond] < _SINGLE or min(graph.degree(atom) for atom in bond) < 2:
            continue
        rest = nx.restricted_view(graph, [], [bond])
        sides = [sorted(nx.node_connected_component(rest, atom)) for atom in bond]
        moved = int(len(sides[1]) <= len(sides[0]))
        found.append((int(bond[1 - moved]), int(bond[moved]), sides[moved]))
    return found


def turned(atoms: Atoms, bonds: Sequence[tuple[int, int, list[int]]], rng: np.random.Generator) -> Atoms:
    """Turn a molecule about its bonds by random angles, drawn again where atoms would meet.

    Parameters
    ----------
    atoms
        The molecule; it stays as it is.
    bonds
        Of :func:`turning_bonds`.
    rng
        Random numbers.

    Returns
    -------
    Atoms
        The turned copy; as it was without bonds to turn, or where 100 draws find no room.
    """
    near = _ratios(atoms) < _APART
    for _ in range(_TRIES if bonds else 0):
        made: Atoms = atoms.copy()
        for fixed, centre, side in bonds:
            part = made[side]
            axis = made.positions[centre] - made.positions[fixed]
            part.rotate(rng.uniform(0, 360), axis, center=made.positions[centre])
            made.positions[side] = part.positions
        if not ((_ratios(made) < _APART) & ~near).any():
            return made
    return atoms.copy()


def _ratios(atoms: Atoms) -> npt.NDArray[np.float64]:
    """Distances in sums of covalent radii."""
    radii = covalent_radii[atoms.numbers]
    return np.asarray(atoms.get_all_distances() / (radii[:, None] + radii))


def hessian(atoms: Atoms) -> npt.NDArray[np.float64]:
    """Differentiate GFN2-xTB forces by central differences of 0.005 Å.

    Parameters
    ----------
    atoms
        A molecule at its equilibrium.

    Returns
    -------
    ndarray
        Hessian in eV/Å², symmetric, shape (3n, 3n).

    Raises
    ------
    MissingProgramError
        Where tblite is not installed.
    """
    size = 3 * len(atoms)
    matrix = np.zeros((size, size))
    moved = atoms.copy()
    # one calculator for all: it goes on from the wavefunction of the displacement before
    moved.calc = _calculator(moved, accuracy=_HESSIAN_ACCURACY)
    for index in range(size):
        sides = []
        for sign in (1, -1):
            moved.positions = atoms.positions
            moved.positions[index // 3, index % 3] += sign * _STEP_ANGSTROM
            sides.append(moved.get_forces().ravel())
        matrix[index] = (sides[1] - sides[0]) / (2 * _STEP_ANGSTROM)
    return (matrix + matrix.T) / 2


def _relaxed(atoms: Atoms) -> Atoms:
    from ase.optimize import BFGS

    relaxed = atoms.copy()
    relaxed.calc = _calculator(relaxed)
    if not BFGS(relaxed, logfile=None).run(fmax=0.005, steps=300):
        raise UnconvergedError(f"{atoms.symbols}: the molecule does not relax within 300 steps")
    relaxed.calc = None
    return relaxed


def _calculator(atoms: Atoms, accuracy: float = _ACCURACY):  # type: ignore[no-untyped-def] # the package is imported only here
    try:
        from tblite.ase import TBLite
    except ImportError as error:
        raise MissingProgramError("package 'tblite' is not installed, and normal modes need it") from error
    said = Electrons.of(atoms)
    return TBLite(
        method="GFN2-xTB", accuracy=accuracy, verbosity=0, charge=said.charge, multiplicity=said.multiplicity
    )  # fmt: skip


def linear(atoms: Atoms) -> bool:
    """Say whether all atoms of a molecule lie on a line.

    Parameters
    ----------
    atoms
        The molecule.

    Returns
    -------
    bool
        True where its smallest moment of inertia is below a thousandth of its largest.
    """
    moments = atoms.get_moments_of_inertia()
    return bool(moments[0] < 1e-3 * max(moments[-1], 1e-12))
