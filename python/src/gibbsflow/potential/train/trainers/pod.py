"""Proper orthogonal descriptors (ML-POD of LAMMPS): bases, their files, their values, a potential's folder.

Nguyen and Rohskopf, J. Comput. Phys. 2023, 480, 112030; Nguyen, Phys. Rev. B 2023, 107, 144103. The energy is linear
in the descriptors, E = Σ_i c · B_i, so that one call of ``compute pod/global`` gives the rows of the regression for
energy and forces, and the same B_i give the extrapolation grade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from gibbsflow.engines.lammps import Lammps
from gibbsflow.engines.lammps_frame import to_frame
from gibbsflow.errors import StateError
from gibbsflow.units import Floats
from gibbsflow.workflow.files import atomic_open, read_json, write_json

_BODIES = ("three", "four", "five", "six", "seven")


@dataclass(frozen=True)
class PodBasis:
    """Size of a POD basis.

    Parameters
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
    """

    species: tuple[str, ...]
    rin_angstrom: float
    rcut_angstrom: float
    radial: tuple[int, int, int, int, int, int]
    angular: tuple[int, int, int, int, int]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> PodBasis:
        """Make it from the parsed JSON of its fields, where tuples have become lists."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
        return cls(**values)

    def text(self) -> str:
        """Content of LAMMPS' ``.pod`` parameter file."""
        lines = [
            f"species {' '.join(self.species)}", "pbc 1 1 1",
            f"rin {self.rin_angstrom:.6f}", f"rcut {self.rcut_angstrom:.6f}",
            "bessel_polynomial_degree 4", "inverse_polynomial_degree 8", "onebody 1",
            f"twobody_number_radial_basis_functions {self.radial[0]}",
        ]  # fmt: skip
        for body, radial, angular in zip(_BODIES, self.radial[1:], self.angular, strict=True):
            lines += [f"{body}body_number_radial_basis_functions {radial}", f"{body}body_angular_degree {angular}"]
        return "\n".join([*lines, "number_of_environment_clusters 1", "number_of_principal_components 1"]) + "\n"

    def with_cutoff(self, rcut_angstrom: float) -> PodBasis:
        """Return the same basis with another outer cutoff."""
        return replace(self, rcut_angstrom=rcut_angstrom)


# Each rung holds the ones before it; (radial 2..7, angular 3..7). Coefficients for one element: 23 to about 1,300.
LADDER: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((6, 4, 0, 0, 0, 0), (3, 0, 0, 0, 0)),
    ((8, 6, 4, 0, 0, 0), (4, 3, 0, 0, 0)),
    ((10, 8, 6, 0, 0, 0), (6, 4, 0, 0, 0)),
    ((10, 10, 8, 4, 0, 0), (6, 5, 3, 0, 0)),
    ((12, 10, 8, 5, 4, 0), (6, 5, 4, 2, 0)),
    ((12, 10, 8, 6, 5, 4), (7, 6, 5, 3, 3)),
    ((12, 12, 9, 7, 6, 5), (8, 6, 6, 4, 3)),
)


def rung(number: int, species: Sequence[str], rin_angstrom: float, rcut_angstrom: float) -> PodBasis:
    """Basis number `number` of :data:`LADDER`."""
    radial, angular = LADDER[number]
    return PodBasis(tuple(species), rin_angstrom, rcut_angstrom, radial, angular)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Zbl:
    """Ziegler-Biersack-Littmark core, switched off between two radii.

    Parameters
    ----------
    inner_angstrom, outer_angstrom
        Where the switch begins and ends.
    """

    inner_angstrom: float
    outer_angstrom: float


@dataclass(frozen=True)
class PodPotential:
    """A fitted potential.

    Parameters
    ----------
    basis
        Its basis.
    coefficients
        In LAMMPS' order: for each element its one-body energy, then its descriptors; shape (elements × per element,).
    zbl
        The core added to it, or None.
    meta
        JSON-serialisable remainder: where it comes from, its errors.
    """

    basis: PodBasis
    coefficients: Floats
    zbl: Zbl | None
    meta: Mapping[str, Any]

    @property
    def species(self) -> tuple[str, ...]:
        """Chemical symbols in the order of LAMMPS' types."""
        return self.basis.species

    def write(self, folder: Path) -> None:
        """Write a folder that LAMMPS (``include in.potential``) and ASE (``PodCalculator``) can use."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        files = {
            "potential.pod": self.basis.text(),
            "coefficients.pod": coefficient_text(self.coefficients),
            "in.potential": "# LAMMPS: units metal; atom types in the order " + " ".join(self.species) + "\n"
            + "\n".join(pair_commands(self.species, self.zbl)) + "\n",
        }  # fmt: skip
        for name, text in files.items():
            with atomic_open(folder / name, "w") as file:
                file.write(text)
        zbl = asdict(self.zbl) if self.zbl else None
        write_json(folder / "potential.json", {"backend": "pod", "basis": asdict(self.basis), "zbl": zbl, **self.meta})

    @classmethod
    def read(cls, folder: Path) -> PodPotential:
        """Read what :meth:`write` wrote.

        Raises
        ------
        StateError
            Where it is missing or not readable.
        """
        meta = read_json(Path(folder) / "potential.json")
        try:
            if meta.pop("backend") != "pod":
                raise StateError(f"{folder}: not a POD potential")
            basis = PodBasis.from_json(meta.pop("basis"))
            zbl = meta.pop("zbl")
            text = (Path(folder) / "coefficients.pod").read_text().split()
            coefficients = np.array([float(word) for word in text[4:]])
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise StateError(f"{folder}: not a potential written by gibbsflow ({error})") from error
        return cls(basis, coefficients, Zbl(**zbl) if zbl else None, meta)


def coefficient_text(coefficients: Floats) -> str:
    """Content of LAMMPS' coefficient file: no projections and no centroids, then one number a line."""
    return f"model_coefficients: {len(coefficients)} 0 0\n" + "".join(f"{c:.17g}\n" for c in coefficients)


def pair_commands(species: Sequence[str], zbl: Zbl | None, folder: str = "") -> list[str]:
    """Pair style and coefficients of POD with or without its core: the same text for training, MD and ASE."""
    files = f"{folder}potential.pod {folder}coefficients.pod {' '.join(species)}"
    if zbl is None:
        return ["pair_style pod", f"pair_coeff * * {files}"]
    return [
        f"pair_style hybrid/overlay {_zbl_style(zbl)} pod",
        f"pair_coeff * * pod {files}",
        *_zbl_pairs(species, "zbl "),
    ]


def baseline_commands(species: Sequence[str], zbl: Zbl) -> list[str]:
    """Pair style and coefficients of the core alone."""
    return [f"pair_style {_zbl_style(zbl)}", *_zbl_pairs(species, "")]


def _zbl_style(zbl: Zbl) -> str:
    return f"zbl {zbl.inner_angstrom:.6f} {zbl.outer_angstrom:.6f}"


def _zbl_pairs(species: Sequence[str], style: str) -> list[str]:
    numbers = [atomic_numbers[s] for s in species]
    return [
        f"pair_coeff {i} {j} {style}{numbers[i - 1]} {numbers[j - 1]}"
        for i in range(1, len(numbers) + 1)
        for j in range(i, len(numbers) + 1)
    ]


def _with_basis(lammps: Lammps, atoms: Atoms, basis: PodBasis, compute: str) -> list[str]:
    (lammps.folder / f"{lammps.name}.pod").write_text(basis.text())
    frame = to_frame(atoms, basis.species, basis.rcut_angstrom)
    return [
        *lammps.load(frame),
        f"pair_style zero {basis.rcut_angstrom + 0.01:.6f}",
        "pair_coeff * *",
        f'compute pod all {compute} {lammps.name}.pod "" {" ".join(basis.species)}',
        "run 0 post no",
    ]


def descriptor_sums(lammps: Lammps, atoms: Atoms, basis: PodBasis) -> tuple[Floats, Floats, Floats]:
    """Descriptors summed over the atoms, and minus their derivatives.

    Returns
    -------
    sums, derivatives, rotation
        Shapes (columns,), (3n, columns) and (3, 3): the derivatives are in LAMMPS' orientation, so a force to be fitted
        is turned by ``forces @ rotation``.
    """
    array = lammps.run(_with_basis(lammps, atoms, basis, "pod/global"), ["array:pod"])["array:pod"]
    # the compute leaves out atoms without neighbours, whose one-body energy the pair style counts
    symbols = atoms.get_chemical_symbols()
    array[0, :: array.shape[1] // len(basis.species)] = [symbols.count(s) for s in basis.species]
    return array[0], array[1:], to_frame(atoms, basis.species, basis.rcut_angstrom).rotation


def local_descriptors(lammps: Lammps, atoms: Atoms, basis: PodBasis) -> Floats:
    """Descriptors of each atom without the one-body term, shape (n, descriptors of an element)."""
    values: Floats = lammps.run(_with_basis(lammps, atoms, basis, "pod/atom"), ["atoms:pod"])["atoms:pod"]
    return values


def virial_rows(lammps: Lammps, atoms: Atoms, basis: PodBasis, strain: float = 5e-4) -> Floats:
    """Derivatives of the summed descriptors with strain, in the original orientation.

    Central differences over six symmetric strains; the error is of second order in `strain`, 1e-6 of the value.

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
            sums.append(descriptor_sums(lammps, strained, basis)[0])
        rows.append((sums[0] - sums[1]) / (2 * strain))
    return np.array(rows)
