"""Atoms in LAMMPS' conventions: boxes, data files, and the way back for forces and stresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.geometry import minkowski_reduce
from ase.neighborlist import neighbor_list

from gibbsflow.units import EV_PER_ANGSTROM3_PER_BAR, Floats

_PAD_ANGSTROM = 1.0
_LOOSE_ANGSTROM3 = 150.0  # volume an atom: no crystal has more
_SKIN_ANGSTROM = 1.0  # of our neighbour lists; LAMMPS has 2 Å where nothing is said
_FEW_ATOMS = 100  # of more that are not loose none is without neighbours
_FEWEST_LISTED, _MOST_LISTED = 12, 500  # in lists of all atoms; LAMMPS has room for 2000 in each


@dataclass(frozen=True)
class Frame:
    """Atoms in LAMMPS' conventions: lower-triangular cell, periodic in all directions.

    Attributes
    ----------
    cell
        Cell vectors as rows, lower triangular, Å; shape (3, 3).
    positions
        Å; shape (n, 3).
    rotation
        Orthogonal matrix R with ``original = frame @ R.T``; shape (3, 3).
    types
        LAMMPS type of each atom, from 1; shape (n,).
    species
        Chemical symbol of each type.
    velocities
        Å/ps, or None; shape (n, 3).
    """

    cell: Floats
    positions: Floats
    rotation: Floats
    types: npt.NDArray[np.int64]
    species: tuple[str, ...]
    velocities: Floats | None = None

    def data_file(self) -> str:
        """Text of a ``read_data`` file (``atom_style atomic``).

        Returns
        -------
        str
            With 17 digits, so that LAMMPS has the same numbers; masses in g/mol from ASE.
        """
        from ase.data import atomic_masses, atomic_numbers

        low = self.cell
        lines = ["atoms", "", f"{len(self.types)} atoms", f"{len(self.species)} atom types"]
        lines += [f"0 {low[i, i]:.17g} {axis}lo {axis}hi" for i, axis in enumerate("xyz")]
        lines += [f"{low[1, 0]:.17g} {low[2, 0]:.17g} {low[2, 1]:.17g} xy xz yz", "", "Masses", ""]
        lines += [f"{i} {atomic_masses[atomic_numbers[s]]:.8g}" for i, s in enumerate(self.species, 1)]
        lines += ["", "Atoms # atomic", ""]
        for i, (kind, r) in enumerate(zip(self.types, self.positions, strict=True), 1):
            lines.append(f"{i} {kind} {r[0]:.17g} {r[1]:.17g} {r[2]:.17g}")
        if self.velocities is not None:
            lines += ["", "Velocities", ""]
            lines += [f"{i} {v[0]:.17g} {v[1]:.17g} {v[2]:.17g}" for i, v in enumerate(self.velocities, 1)]
        return "\n".join(lines) + "\n"


def to_frame(atoms: Atoms, species: Sequence[str], cutoff_angstrom: float) -> Frame:
    """Turn atoms into LAMMPS' conventions.

    Directions that are not periodic get a cell vector so long that no image is within reach, so that a molecule, a slab
    and a crystal go the same way. A fully periodic cell is Minkowski-reduced, which keeps LAMMPS' tilts small.

    Parameters
    ----------
    atoms
        Atoms, any cell and boundary conditions.
    species
        Symbols in the order of LAMMPS' types.
    cutoff_angstrom
        Longest cutoff of the potential, Å.

    Returns
    -------
    Frame
        The same atoms in the same order, turned; no velocities.
    """
    periodic = np.array(atoms.pbc, dtype=bool)
    cell = np.array(atoms.cell[:], dtype=float)
    positions = atoms.get_positions()
    if periodic.all():
        cell = np.array(minkowski_reduce(cell)[0])
    else:
        cell, positions = _pad(cell, positions, periodic, cutoff_angstrom)
    if np.linalg.det(cell) < 0:
        cell = -cell
    q, r = np.linalg.qr(cell.T)
    signs = np.sign(np.diag(r))
    rotation, lower = q * signs, (r * signs[:, None]).T
    index = {symbol: i for i, symbol in enumerate(species, 1)}
    types = np.array([index[s] for s in atoms.get_chemical_symbols()])
    return Frame(np.tril(lower), positions @ rotation, rotation, types, tuple(species))


def _all_have_enough(frame: Frame, reach_angstrom: float) -> bool:
    """Say whether lists are long enough by near images alone: of 64 atoms in 0.2 ms of CPU, where a list takes 60."""
    apart = (frame.positions[None] - frame.positions[:, None]) @ np.linalg.inv(frame.cell)
    vectors = (apart - np.round(apart)) @ frame.cell
    for near in ([0], [-1, 0, 1]):
        shifts = np.array(np.meshgrid(near, near, near)).reshape(3, -1).T @ frame.cell
        squares = ((vectors[:, :, None] + shifts) ** 2).sum(axis=-1)
        if (squares < reach_angstrom**2).sum(axis=(1, 2)).min() > _FEWEST_LISTED:  # itself is among them
            return True
    return False


def lists_with_images(frame: Frame, cutoff_angstrom: float) -> list[str]:
    """Widen the neighbour lists of few atoms, or of atoms far from each other, until they hold more: also images.

    ``pair_style pod`` of LAMMPS 22 Jul 2025 sizes its memory by the list of the first atom, before what is beyond the
    cutoff is left out, and writes over the end of it where that is short (lammps/lammps, issue 5114): of one atom for
    some bases of one element, of two for some of two elements. Energies and forces stay as they are: what is added is
    beyond the cutoff.

    Parameters
    ----------
    frame
        Atoms and box, Å.
    cutoff_angstrom
        Of the potential, Å.

    Returns
    -------
    list of str
        LAMMPS commands to follow those that load the frame; none where there are atoms enough.
    """
    many = len(frame.types) > _FEW_ATOMS
    if many and abs(np.linalg.det(frame.cell)) <= _LOOSE_ANGSTROM3 * len(frame.types):
        return []
    usual = reach = cutoff_angstrom + _SKIN_ANGSTROM
    if not many and _all_have_enough(frame, usual):
        return []
    atoms = Atoms(len(frame.types) * ["X"], frame.positions, cell=frame.cell, pbc=True)
    while True:
        listed = np.bincount(neighbor_list("i", atoms, reach), minlength=len(atoms))
        if listed.min() >= _FEWEST_LISTED or listed.max() >= _MOST_LISTED:
            break
        reach *= 1.25
    return [f"neighbor {reach - cutoff_angstrom:.6f} bin"] if reach > usual else []


def cell_of(box: Floats) -> Floats:
    """Cell vectors of LAMMPS' box.

    Parameters
    ----------
    box
        As :func:`gibbsflow.engines.lammps_worker.extract` gives it: lo, hi, xy, xz, yz, Å; shape (9,).

    Returns
    -------
    ndarray
        Vectors as rows, lower triangular, Å; shape (3, 3). Positions count from ``box[:3]``.
    """
    (xlo, ylo, zlo), (xhi, yhi, zhi), (xy, xz, yz) = box.reshape(3, 3)
    return np.array([[xhi - xlo, 0.0, 0.0], [xy, yhi - ylo, 0.0], [xz, yz, zhi - zlo]])


def _pad(cell: Floats, positions: Floats, periodic: npt.NDArray[np.bool_], cutoff: float) -> tuple[Floats, Floats]:
    """Replace the vectors of directions that are not periodic by long ones, orthogonal to all others."""
    basis = list(cell[periodic])
    vectors = cell.copy()
    for i in np.flatnonzero(~periodic):
        projector = np.eye(3)
        if basis:
            spanned = np.array(basis).T
            projector -= spanned @ np.linalg.pinv(spanned)
        _, _, v = np.linalg.svd(projector)
        direction = v[0]
        along = positions @ direction
        extent = float(np.ptp(along)) if len(along) else 0.0
        vectors[i] = direction * (extent + 2 * cutoff + 2 * _PAD_ANGSTROM)
        positions = positions + direction * (cutoff + _PAD_ANGSTROM - along.min())
        basis.append(vectors[i])
    return vectors, positions


def stress_from_virial(virial_bar: Floats, rotation: Floats) -> Floats:
    """Stress in ASE's convention from LAMMPS' pressure.

    Parameters
    ----------
    virial_bar
        Virial part of the pressure in LAMMPS' orientation, bar, xx yy zz yz xz xy; shape (6,).
    rotation
        Of the frame, shape (3, 3).

    Returns
    -------
    ndarray
        Stress in eV/Å^3, Voigt xx yy zz yz xz xy, positive under tension, in the original orientation; shape (6,).
    """
    xx, yy, zz, yz, xz, xy = virial_bar
    tensor = -np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) * EV_PER_ANGSTROM3_PER_BAR
    tensor = rotation @ tensor @ rotation.T
    voigt: Floats = tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    return voigt
