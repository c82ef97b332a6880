"""Vibrations of a molecule at rest, by finite differences of forces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import constants

from gibbsflow.config.potential_validation import Validation
from gibbsflow.potential.generators.normal_modes import linear
from gibbsflow.potential.validate.properties.plans import Measured, Plan, all_relaxed, asked, energy_of
from gibbsflow.units import Floats

if TYPE_CHECKING:
    from ase import Atoms

_TO_THZ = np.sqrt(constants.e / constants.atomic_mass) * 1e10 / (2 * np.pi) / 1e12
"""Frequency of 1 eV/Å^2/u, THz; phonopy's factor."""


def molecule_at_rest(start: Atoms, settings: Validation) -> Plan[tuple[Atoms, Measured]]:
    """Relax a molecule.

    Parameters
    ----------
    start
        The molecule.
    settings
        Where a relaxation ends.

    Returns
    -------
    atoms : Atoms
        At rest.
    measured : Measured
        No values; its positions, and notes.
    """
    # of a floppy molecule frequencies need smaller forces than those of crystals
    force_max = settings.relax_force_ev_per_angstrom / 5
    (rest,) = yield from all_relaxed([start], force_max=force_max, steps=settings.relax_steps)
    made = rest.copy()
    curves = {"numbers": made.numbers.tolist(), "positions_angstrom": made.positions.tolist(),
              "cell_angstrom": made.cell.array.tolist(), "energy_ev": energy_of(rest)}  # fmt: skip
    return made, Measured({}, notes=(f"{made.symbols} at rest",), curves=curves)


def vibrations(rest: Atoms, settings: Validation) -> Plan[Measured]:
    """Measure the vibrations of a molecule at rest, without the motions of the whole.

    Parameters
    ----------
    rest
        The molecule at rest.
    settings
        Displacement, and what counts as imaginary.

    Returns
    -------
    Measured
        ``mode_01``, ... rising, THz; negative for imaginary ones.
    """
    size = settings.phonon_displacement_angstrom
    frames = []
    for index in range(3 * len(rest)):
        for sign in (1, -1):
            atoms = rest.copy()
            atoms.positions[index // 3, index % 3] += sign * size
            frames.append(atoms)
    made = yield from asked(frames)
    forces = np.array([atoms.calc.results["forces"].ravel() for atoms in made])
    matrix = (forces[1::2] - forces[::2]) / (2 * size)
    found = frequencies_thz(rest, (matrix + matrix.T) / 2)
    values = {f"mode_{number + 1:02d}": float(value) for number, value in enumerate(found)}
    imaginary = [f"{-value:.2f}i" for value in found if value < -settings.imaginary_thz]
    failures = (f"imaginary modes: {', '.join(imaginary)} THz",) if imaginary else ()
    return Measured(values, failures, curves={"frequencies_thz": found.tolist()})


def frequencies_thz(atoms: Atoms, hessian: Floats) -> Floats:
    """Frequencies of a Hessian without translations and rotations, which are projected out.

    Parameters
    ----------
    atoms
        Molecule at rest.
    hessian
        Second derivatives of the energy, eV/Å^2, shape (3n, 3n).

    Returns
    -------
    ndarray
        Rising, THz, negative for imaginary ones; shape (3n - 6,), of linear molecules (3n - 5,).
    """
    roots = np.repeat(np.sqrt(atoms.get_masses()), 3)
    places = atoms.positions - atoms.get_center_of_mass()
    whole = [np.tile(axis, len(atoms)) for axis in np.eye(3)]
    whole += [np.cross(axis, places).ravel() for axis in np.eye(3)]
    vectors, sizes, _ = np.linalg.svd(np.array([roots * motion for motion in whole]).T)
    rigid = vectors[:, : 5 if linear(atoms) else 6]
    rest = np.eye(len(roots)) - rigid @ rigid.T
    values = np.linalg.eigvalsh(rest @ (hessian / np.outer(roots, roots)) @ rest)
    # what was projected out is zero, and stands among the others
    kept = values[np.sort(np.argsort(np.abs(values))[rigid.shape[1] :])]
    return np.asarray(np.sign(kept) * np.sqrt(np.abs(kept)) * _TO_THZ)
