"""Elastic constants of any crystal by stress and strain, as its symmetry allows them, and its stability (Born)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gibbsflow.config.potential_validation import Validation
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import Measured, Plan, all_relaxed
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3, Floats

if TYPE_CHECKING:
    from ase import Atoms

_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
_PAIRS = tuple((i, j) for i in range(6) for j in range(i, 6))
_Criterion = tuple[str, Callable[[Floats], float]]
_CUBIC: tuple[_Criterion, ...] = (
    ("C11 - C12 > 0", lambda c: c[0, 0] - c[0, 1]),
    ("C11 + 2 C12 > 0", lambda c: c[0, 0] + 2 * c[0, 1]),
    ("C44 > 0", lambda c: c[3, 3]),
)
_UNIAXIAL: tuple[_Criterion, ...] = (
    ("C11 > |C12|", lambda c: c[0, 0] - abs(c[0, 1])),
    ("C33 (C11 + C12) > 2 C13^2", lambda c: c[2, 2] * (c[0, 0] + c[0, 1]) - 2 * c[0, 2] ** 2),
    ("C44 > 0", lambda c: c[3, 3]),
)
BORN: Mapping[str, tuple[_Criterion, ...]] = {
    "cubic": _CUBIC,
    "hexagonal": _UNIAXIAL,
    "tetragonal": (
        *_UNIAXIAL, ("C66 (C11 - C12) > 2 C16^2", lambda c: c[5, 5] * (c[0, 0] - c[0, 1]) - 2 * c[0, 5] ** 2),
    ),
    "trigonal": (
        *_UNIAXIAL,
        ("C44 (C11 - C12) > 2 (C14^2 + C15^2)",
         lambda c: c[3, 3] * (c[0, 0] - c[0, 1]) - 2 * (c[0, 3] ** 2 + c[0, 4] ** 2)),
    ),
    "orthorhombic": (
        *((f"C{k + 1}{k + 1} > 0", lambda c, k=k: c[k, k]) for k in range(6)),
        ("C11 C22 > C12^2", lambda c: c[0, 0] * c[1, 1] - c[0, 1] ** 2),
        ("det(C11 ... C33) > 0", lambda c: float(np.linalg.det(c[:3, :3]))),
    ),
}  # fmt: skip
"""Necessary and sufficient criteria by crystal system: Mouhat and Coudert, Phys. Rev. B 90, 224104 (2014). Of the
lower ones, as of all, the criterion is that no eigenvalue of the matrix is below zero."""


_FORCE_OF_STRAIN = 0.05
"""eV/Å that a unit of strain may leave: ions respond in proportion, and half a response would be half of C44."""


@dataclass(frozen=True)
class ElasticConstants:
    """Elastic constants of a crystal at zero pressure.

    Attributes
    ----------
    matrix_gpa
        In Voigt's notation, shape (6, 6), symmetric, and as the crystal is.
    independent
        Names and places of those that symmetry leaves free, such as ``("c11", (0, 0))``.
    residual_gpa
        Root mean square of what they leave of the stresses.
    by_size_gpa
        Matrices by the strains of one size alone.
    """

    matrix_gpa: Floats
    independent: tuple[tuple[str, tuple[int, int]], ...]
    residual_gpa: float
    by_size_gpa: Mapping[float, Floats] = field(default_factory=dict)

    @property
    def values_gpa(self) -> dict[str, float]:
        """The free constants.

        Returns
        -------
        dict
            By name, GPa.
        """
        return {name: float(self.matrix_gpa[place]) for name, place in self.independent}

    def hill_gpa(self) -> tuple[float, float]:
        """Bulk and shear modulus of a polycrystal (Hill, Proc. Phys. Soc. A 65, 349 (1952)).

        Returns
        -------
        bulk, shear : float
            Means of Voigt's and Reuss's, GPa; not a number where the matrix has no inverse.
        """
        c = self.matrix_gpa
        try:
            s = np.linalg.inv(c)
        except np.linalg.LinAlgError:
            return float("nan"), float("nan")
        bulk = (c[:3, :3].sum() / 9, 1 / s[:3, :3].sum())
        across = c[0, 1] + c[0, 2] + c[1, 2]
        voigt = (np.trace(c[:3, :3]) - across + 3 * np.trace(c[3:, 3:])) / 15
        reuss = 15 / (4 * np.trace(s[:3, :3]) - 4 * (s[0, 1] + s[0, 2] + s[1, 2]) + 3 * np.trace(s[3:, 3:]))
        return float(np.mean(bulk)), float((voigt + reuss) / 2)

    def bent(self, tolerance: float, floor_gpa: float) -> list[str]:
        """Say which constants strains of one size tell otherwise than those of another: stresses that are no lines.

        Parameters
        ----------
        tolerance
            Relative difference that is borne.
        floor_gpa
            Difference that is borne in any case.

        Returns
        -------
        list of str
            In words, with the numbers; empty where all sizes agree.
        """
        found = []
        for name, place in self.independent:
            told = {size: float(matrix[place]) for size, matrix in sorted(self.by_size_gpa.items())}
            apart = max(told.values(), default=0.0) - min(told.values(), default=0.0)
            if apart > max(floor_gpa, tolerance * abs(float(self.matrix_gpa[place]))):
                found.append(f"{name} is " + ", ".join(f"{one:.1f} GPa at ±{size:.2%}" for size, one in told.items()))
        return found

    def unstable(self, system: str) -> list[str]:
        """Say which criteria of Born's are violated.

        Parameters
        ----------
        system
            Crystal system, whose criteria are named.

        Returns
        -------
        list of str
            Those violated, with numbers; empty for a stable crystal.
        """
        least = float(np.linalg.eigvalsh(self.matrix_gpa).min())
        named = [f"{text} is violated" for text, value in BORN.get(system, ()) if value(self.matrix_gpa) <= 0]
        return [] if least > 0 else [*named, f"the stiffness matrix has an eigenvalue of {least:.2f} GPa"]


def invariant_tensors(rotations: Floats) -> Floats:
    """Find the stiffness matrices that rotations leave as they are.

    Parameters
    ----------
    rotations
        Of the crystal's point group, Cartesian, shape (n, 3, 3).

    Returns
    -------
    ndarray
        A basis of them, shape (k, 6, 6).
    """
    units = np.zeros((len(_PAIRS), 3, 3, 3, 3))
    for number, (i, j) in enumerate(_PAIRS):
        for a, b in {(i, j), (j, i)}:
            for p, q in {_VOIGT[a], _VOIGT[a][::-1]}:
                for r, s in {_VOIGT[b], _VOIGT[b][::-1]}:
                    units[number, p, q, r, s] = 1.0
    mean = np.mean([np.einsum("ai,bj,ck,dl,nijkl->nabcd", r, r, r, r, units, optimize=True) for r in rotations], axis=0)
    flat = np.array([[tensor[(*_VOIGT[i], *_VOIGT[j])] for i, j in _PAIRS] for tensor in mean])
    _, sizes, rows = np.linalg.svd(flat)
    kept = rows[: int((sizes > 1e-8).sum())]
    basis = np.zeros((len(kept), 6, 6))
    for number, (i, j) in enumerate(_PAIRS):
        basis[:, i, j] = basis[:, j, i] = kept[:, number]
    return basis


def independent_places(basis: Floats) -> tuple[tuple[int, int], ...]:
    """Choose the matrix elements that all others follow from: the first ones, row by row.

    Parameters
    ----------
    basis
        As :func:`invariant_tensors` gives it.

    Returns
    -------
    tuple
        Places, as many as the basis is long.
    """
    chosen: list[tuple[int, int]] = []
    for place in _PAIRS:
        rows = np.array([[tensor[p] for tensor in basis] for p in (*chosen, place)])
        if np.linalg.matrix_rank(rows, tol=1e-6) > len(chosen):
            chosen.append(place)
    return tuple(chosen)


def strains_needed(basis: Floats) -> tuple[int, ...]:
    """Choose the components of strain whose stresses tell all constants: each one adds to what those before it tell.

    Parameters
    ----------
    basis
        As :func:`invariant_tensors` gives it.

    Returns
    -------
    tuple of int
        Of Voigt's six.
    """
    chosen: list[int] = []
    rank = 0
    for k in range(6):
        found = int(np.linalg.matrix_rank(basis[:, :, [*chosen, k]].reshape(len(basis), -1), tol=1e-6))
        if found > rank:
            chosen.append(k)
            rank = found
    return tuple(chosen)


def strained(atoms: Atoms, voigt: Floats) -> Atoms:
    """Strain a cell, atoms with it.

    Parameters
    ----------
    atoms
        The cell.
    voigt
        Strain, xx yy zz yz xz xy, the last three as engineers count them; shape (6,).

    Returns
    -------
    Atoms
        A strained copy.
    """
    xx, yy, zz, yz, xz, xy = voigt
    deformation = np.eye(3) + np.array([[xx, xy / 2, xz / 2], [xy / 2, yy, yz / 2], [xz / 2, yz / 2, zz]])
    made = atoms.copy()
    made.set_constraint()
    made.set_cell(made.cell.array @ deformation, scale_atoms=True)
    return made


def constants(rest: Crystal, settings: Validation) -> Plan[ElasticConstants]:
    """Measure the elastic constants: slopes of stresses by least squares over strains of both signs, ions relaxed.

    Stresses are differences to the unstrained cell; only matrices of the crystal's symmetry are fitted (Nye, Physical
    Properties of Crystals, chapter VIII). Axes are those of the standard conventional cell.

    Parameters
    ----------
    rest
        The crystal at zero pressure.
    settings
        Strains, and where a relaxation ends.

    Returns
    -------
    ElasticConstants
        In GPa.

    Raises
    ------
    UnconvergedError
        Where ions do not relax under a strain.
    """
    basis = invariant_tensors(_rotations(rest, settings.symmetry_angstrom))
    sizes = [sign * size for size in settings.elastic_strains for sign in (-1, 1)]
    strains = [size * np.eye(6)[k] for k in strains_needed(basis) for size in sizes]
    frames = yield from all_relaxed(
        [strained(rest.unit, strain) for strain in (np.zeros(6), *strains)],
        force_max=min(settings.relax_force_ev_per_angstrom, _FORCE_OF_STRAIN * min(settings.elastic_strains)),
        steps=settings.relax_steps,
    )  # fmt: skip
    stresses = [np.asarray(frame.calc.results["stress"]) * GPA_PER_EV_PER_ANGSTROM3 for frame in frames]
    applied, changes = np.array(strains), np.array(stresses[1:]) - stresses[0]
    matrix = _fitted(basis, applied, changes)
    left = changes - applied @ matrix
    largest = np.abs(applied).max(axis=1)
    alone = {
        size: _fitted(basis, applied[largest == size], changes[largest == size]) for size in settings.elastic_strains
    }
    places = independent_places(basis)
    names = tuple((f"c{i + 1}{j + 1}", (i, j)) for i, j in places)
    return ElasticConstants(matrix, names, float(np.sqrt(np.mean(left**2))), alone)


def elastic(rest: Crystal, settings: Validation) -> Plan[Measured]:
    """Measure the elastic constants and hold Born's criteria against them.

    Parameters
    ----------
    rest
        The crystal at zero pressure.
    settings
        Strains, and where a relaxation ends.

    Returns
    -------
    Measured
        The free constants (``c11``, ...), ``elastic_bulk_modulus`` and ``shear_modulus`` (Hill), GPa.
    """
    found = yield from constants(rest, settings)
    bulk, shear = found.hill_gpa()
    unstable = found.unstable(rest.system)
    failures = (f"Born: the {rest.system} crystal is unstable: {'; '.join(unstable)}",) if unstable else ()
    curves: dict[str, Any] = {"matrix_gpa": found.matrix_gpa.tolist(), "residual_gpa": found.residual_gpa}
    bent = found.bent(settings.modulus_tolerance[0], settings.modulus_floor_gpa)
    coarse = "stresses do not follow strains on a line, as by coarse cutoffs or k points"
    warnings = (f"{'; '.join(bent)}: {coarse}",) if bent else ()
    notes = (f"{len(found.independent)} free constants; straight lines leave {found.residual_gpa:.2f} GPa of stresses",)
    values = {**found.values_gpa, "elastic_bulk_modulus": bulk, "shear_modulus": shear}
    return Measured(values, failures, warnings, notes, curves)


def _fitted(basis: Floats, strains: Floats, stresses_gpa: Floats) -> Floats:
    """Matrix of the crystal's symmetry that comes closest to some stresses."""
    design = np.array([(strains @ tensor).ravel() for tensor in basis]).T
    weights, *_ = np.linalg.lstsq(design, stresses_gpa.ravel(), rcond=None)
    return np.asarray(np.einsum("k,kij->ij", weights, basis))


def _rotations(crystal: Crystal, precision: float) -> Floats:
    """Point group of the crystal in Cartesian axes."""
    import spglib

    atoms = crystal.conventional
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    data = spglib.get_symmetry_dataset(cell, symprec=precision)
    rotations = data.rotations if data is not None else np.eye(3)[None]
    found = np.unique(np.asarray(rotations), axis=0)
    lattice = atoms.cell.array.T
    return np.array([lattice @ rotation @ np.linalg.inv(lattice) for rotation in found])
