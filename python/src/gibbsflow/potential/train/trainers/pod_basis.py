"""Proper orthogonal descriptors (ML-POD of LAMMPS): bases, their files, and their values as LAMMPS computes them.

Nguyen and Rohskopf, J. Comput. Phys. 2023, 480, 112030; Nguyen, Phys. Rev. B 2023, 107, 144103. The energy is linear
in the descriptors, E = Σ_i c · B_i, so that one call of ``compute pod/global`` gives the rows of the regression for
energy and forces, and the same B_i give the extrapolation grade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from ase import Atoms

from gibbsflow.engines.lammps import Lammps
from gibbsflow.engines.lammps_frame import to_frame
from gibbsflow.potential.train.trainers.pod_environments import Environments
from gibbsflow.units import Floats

_BODIES = ("three", "four", "five", "six", "seven")


@dataclass(frozen=True)
class PodBasis:
    """Size of a POD basis.

    Attributes
    ----------
    species
        Chemical symbols in the order of LAMMPS' types.
    rin_angstrom, rcut_angstrom
        Inner and outer cutoff.
    radial
        Number of radial functions of the two- to seven-body terms; none may be larger than the one before it, from four
        bodies on.
    angular
        Angular degree of the three- to seven-body terms.
    environments
        Kinds of surroundings that have coefficients of their own, or None: all atoms of an element share theirs.
    bessel, inverse
        Degrees of the Bessel functions and of the inverse powers of the distance that radial functions are made of.
    """

    species: tuple[str, ...]
    rin_angstrom: float
    rcut_angstrom: float
    radial: tuple[int, int, int, int, int, int]
    angular: tuple[int, int, int, int, int]
    environments: Environments | None = None
    bessel: int = 4
    inverse: int = 8

    @classmethod
    def from_json(cls, content: Mapping[str, Any], environments: Environments | None = None) -> PodBasis:
        """Make it from the parsed JSON of its fields, where tuples have become lists.

        Parameters
        ----------
        content
            Fields by name, as :meth:`to_json` gives them or as they come back from JSON.
        environments
            Kinds of surroundings, which the JSON only counts.

        Returns
        -------
        PodBasis
            With tuples again.
        """
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
        return cls(**{**values, "environments": environments})

    def to_json(self) -> dict[str, Any]:
        """Fields by name; kinds of surroundings as their number and that of the principal components.

        Returns
        -------
        dict
            JSON-serialisable.
        """
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        found = told.pop("environments")
        return told if found is None else {**told, "environments": [found.count, found.components]}

    @property
    def plain(self) -> PodBasis:
        """The same basis with one kind of surroundings.

        Returns
        -------
        PodBasis
            Itself where it has no others.
        """
        return self if self.environments is None else replace(self, environments=None)

    @property
    def kinds(self) -> int:
        """How many kinds of surroundings have coefficients of their own.

        Returns
        -------
        int
            At least 1.
        """
        return self.environments.count if self.environments else 1

    def text(self) -> str:
        """Content of LAMMPS' ``.pod`` parameter file.

        Returns
        -------
        str
            As the manual page of ``pair_style pod`` describes it; cutoffs in Å.
        """
        lines = [
            f"species {' '.join(self.species)}", "pbc 1 1 1",
            f"rin {self.rin_angstrom:.6f}", f"rcut {self.rcut_angstrom:.6f}",
            f"bessel_polynomial_degree {self.bessel}", f"inverse_polynomial_degree {self.inverse}", "onebody 1",
            f"twobody_number_radial_basis_functions {self.radial[0]}",
        ]  # fmt: skip
        for body, radial, angular in zip(_BODIES, self.radial[1:], self.angular, strict=True):
            lines += [f"{body}body_number_radial_basis_functions {radial}", f"{body}body_angular_degree {angular}"]
        components = self.environments.components if self.environments else 1
        lines += [f"number_of_environment_clusters {self.kinds}", f"number_of_principal_components {components}"]
        return "\n".join(lines) + "\n"

    def coefficient_text(self, coefficients: Floats | None = None) -> str:
        """Content of LAMMPS' coefficient file: numbers one a line, then the projection and centroids of environments.

        Parameters
        ----------
        coefficients
            In LAMMPS' order, eV; shape (elements × per element,). None: zeros, for a file of environments alone.

        Returns
        -------
        str
            With 17 digits, so that reading gives the same numbers.
        """
        found = self.environments
        projection, centroids = (found.projection, found.centroids) if found else ((), ())
        if coefficients is None:
            count = len(self.species) + (len(projection) // found.components * found.count if found else 0)
            coefficients = np.zeros(count)
        numbers = [*coefficients, *projection, *centroids]
        head = f"model_coefficients: {len(coefficients)} {len(projection)} {len(centroids)}\n"
        return head + "".join(f"{c:.17g}\n" for c in numbers)

    def with_cutoff(self, rcut_angstrom: float) -> PodBasis:
        """Return the same basis with another outer cutoff.

        Parameters
        ----------
        rcut_angstrom
            Outer cutoff, Å.

        Returns
        -------
        PodBasis
            A copy.
        """
        return replace(self, rcut_angstrom=rcut_angstrom)


# (radial 2..7, angular 3..7). Coefficients for one element: 23 to about 1,300.
LADDER: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((6, 4, 0, 0, 0, 0), (3, 0, 0, 0, 0)),
    # angles alone: of several elements the next has over three times as many coefficients as the first
    ((8, 4, 0, 0, 0, 0), (6, 0, 0, 0, 0)),
    ((8, 6, 4, 0, 0, 0), (4, 3, 0, 0, 0)),
    ((10, 8, 6, 0, 0, 0), (6, 4, 0, 0, 0)),
    ((10, 10, 8, 4, 0, 0), (6, 5, 3, 0, 0)),
    ((12, 10, 8, 5, 4, 0), (6, 5, 4, 2, 0)),
    ((12, 10, 8, 6, 5, 4), (7, 6, 5, 3, 3)),
    ((12, 12, 9, 7, 6, 5), (8, 6, 6, 4, 3)),
)


# of the Bessel functions and inverse powers that radial functions are made of: the first are those of the FastPOD fits
DEGREES = ((4, 8), (3, 6))

# below the ladder, the largest first: for so many elements that its first step is too large
SMALL: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((6, 3, 0, 0, 0, 0), (2, 0, 0, 0, 0)),
    ((6, 2, 0, 0, 0, 0), (1, 0, 0, 0, 0)),
    ((6, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0)),
    ((3, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0)),
)


def ladder_basis(number: int, species: Sequence[str], rin_angstrom: float, rcut_angstrom: float) -> PodBasis:
    """Basis of a size on :data:`LADDER`.

    Parameters
    ----------
    number
        Place on the ladder, from 0, the smallest; below it -1, -2, ... of :data:`SMALL`.
    species
        Chemical symbols in the order of LAMMPS' types.
    rin_angstrom, rcut_angstrom
        Inner and outer cutoff, Å.

    Returns
    -------
    PodBasis
        With the same numbers of functions for all elements.
    """
    radial, angular = LADDER[number] if number >= 0 else SMALL[-1 - number]
    return PodBasis(tuple(species), rin_angstrom, rcut_angstrom, radial, angular)  # type: ignore[arg-type]


def _with_basis(lammps: Lammps, atoms: Atoms, basis: PodBasis, compute: str) -> list[str]:
    (lammps.folder / f"{lammps.name}.pod").write_text(basis.text())
    environments = '""'
    if basis.environments is not None:
        environments = f"{lammps.name}.environments"
        (lammps.folder / environments).write_text(basis.coefficient_text())
    frame = to_frame(atoms, basis.species, basis.rcut_angstrom)
    return [
        *lammps.load(frame),
        f"pair_style zero {basis.rcut_angstrom + 0.01:.6f}",
        "pair_coeff * *",
        f"compute pod all {compute} {lammps.name}.pod {environments} {' '.join(basis.species)}",
        "run 0 post no",
    ]


def descriptor_sums(lammps: Lammps, atoms: Atoms, basis: PodBasis) -> tuple[Floats, Floats, Floats]:
    """Descriptors summed over the atoms, and minus their derivatives: the rows of the regression.

    Parameters
    ----------
    lammps
        The process; its folder gets the basis' file.
    atoms
        Structure; any periodicity.
    basis
        Basis of the descriptors.

    Returns
    -------
    sums : ndarray
        Shape (columns,); for each element its number of atoms, then its descriptors.
    derivatives : ndarray
        With the positions, 1/Å, shape (3n, columns), in LAMMPS' orientation.
    rotation : ndarray
        Shape (3, 3): a force to be fitted is turned by ``forces @ rotation``.
    """
    array = lammps.run(_with_basis(lammps, atoms, basis, "pod/global"), ["array:pod"])["array:pod"]
    # the compute leaves out atoms without neighbours, whose one-body energy the pair style counts
    symbols = atoms.get_chemical_symbols()
    array[0, :: array.shape[1] // len(basis.species)] = [symbols.count(s) for s in basis.species]
    return array[0], array[1:], to_frame(atoms, basis.species, basis.rcut_angstrom).rotation


def local_descriptors(lammps: Lammps, atoms: Atoms, basis: PodBasis) -> Floats:
    """Descriptors of each atom, without the one-body term and whatever the kinds of surroundings.

    Parameters
    ----------
    lammps
        The process; its folder gets the basis' file.
    atoms
        Structure; any periodicity.
    basis
        Basis of the descriptors.

    Returns
    -------
    ndarray
        Shape (n, descriptors of an element).
    """
    values: Floats = lammps.run(_with_basis(lammps, atoms, basis.plain, "pod/atom"), ["atoms:pod"])["atoms:pod"]
    return values


def _sums(lammps: Lammps, atoms: Atoms, basis: PodBasis) -> Floats:
    """Descriptors summed over the atoms, without the derivatives that take most of the time."""
    local = local_descriptors(lammps, atoms, basis)
    symbols = np.asarray(atoms.get_chemical_symbols())
    parts = []
    for number, name in enumerate(basis.species):
        own = local[symbols == name]
        found = basis.environments
        shares = found.shares(number, len(basis.species), own) if found else np.ones((len(own), 1))
        parts += [[len(own)], (shares.T @ own).ravel()]
    return np.concatenate(parts)


def virial_rows(lammps: Lammps, atoms: Atoms, basis: PodBasis, strain: float = 5e-4) -> Floats:
    """Derivatives of the summed descriptors with strain, in the original orientation.

    Central differences over six symmetric strains; the error is of second order in `strain`, 1e-6 of the value.

    Parameters
    ----------
    lammps
        The process; its folder gets the basis' file.
    atoms
        Structure, periodic in all directions.
    basis
        Basis of the descriptors.
    strain
        Size of the strains, without unit.

    Returns
    -------
    ndarray
        Shape (6, columns), Voigt xx yy zz yz xz xy, for a stress times the volume with ASE's sign.
    """
    rows = []
    for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):
        sums = []
        for sign in (1, -1):
            deformation = np.eye(3)
            deformation[i, j] += sign * strain / 2
            deformation[j, i] += sign * strain / 2
            strained = atoms.copy()
            strained.set_cell(atoms.cell[:] @ deformation, scale_atoms=True)
            sums.append(_sums(lammps, strained, basis))
        rows.append((sums[0] - sums[1]) / (2 * strain))
    return np.array(rows)
