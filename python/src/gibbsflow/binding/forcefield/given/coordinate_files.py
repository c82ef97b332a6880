"""Coordinates and box of a system that comes solvated: AMBER's restart files, GROMACS' gro, PDB."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from openmm import app, unit
from scipy.io import netcdf_file
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.spatial import cKDTree

from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats, Ints
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, decode, read_input

RIGHT = "coordinates with their box: rst7 or inpcrd (AMBER), gro (GROMACS), or pdb"
_PER_LINE, _BOX_NUMBERS = 6, 6
_LONGEST_LINE = 10_000


@dataclass(frozen=True)
class BoxedCoordinates:
    """Positions and a periodic box.

    Attributes
    ----------
    positions_angstrom
        Shape (N, 3), Å.
    box_angstrom
        Three lengths in Å and three angles in degrees.
    names
        Of the atoms, where the file has them.
    velocities
        Whether the file has velocities, which nothing here needs.
    angled
        Whether the file has the angles of its box; where not, they are right unless its topology says otherwise.
    """

    positions_angstrom: Floats
    box_angstrom: tuple[float, ...]
    names: tuple[str, ...] = ()
    velocities: bool = False
    angled: bool = True

    @property
    def vectors_angstrom(self) -> Floats:
        """Reduced vectors of the box.

        Returns
        -------
        ndarray
            As rows, shape (3, 3), Å.
        """
        lengths, angles = self.box_angstrom[:3], [np.radians(angle) for angle in self.box_angstrom[3:]]
        vectors = app.internal.unitcell.computePeriodicBoxVectors(*lengths, *angles)
        return np.array(vectors.value_in_unit(unit.nanometer), dtype=float)


def read_coordinates(path: Path, *, field: str, where: str) -> BoxedCoordinates:
    """Read coordinates, by what is in the file.

    Parameters
    ----------
    path
        The file.
    field
        Column or option that names it.
    where
        What messages call it.

    Returns
    -------
    BoxedCoordinates
        With a box.

    Raises
    ------
    InputError
        Where it cannot be read, or has no box.
    """
    content, suffix = read_input(path, RIGHT, STRUCTURE_BYTES, field=field), path.suffix.lower()
    reader, kind = {".gro": (_gro, "gro"), ".pdb": (_pdb, "a PDB")}.get(suffix, (_restart, "AMBER's rst7"))
    try:
        if content[:3] == b"CDF":
            found = _netcdf(content)
        else:
            text = decode(content, path, RIGHT, field=field, errors="replace")
            found = reader(text)
        if not np.isfinite(found.positions_angstrom).all():
            raise ValueError("a coordinate is no number")
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise InputError(Problem(where, f"not readable as {kind} ({error})", RIGHT, field=field)) from error
    if len(found.box_angstrom) != _BOX_NUMBERS or min(found.box_angstrom, default=0) <= 0:
        raise InputError(Problem(where, "has no periodic box", RIGHT, field=field))
    return found


def count_atoms(path: Path) -> int | None:
    """Count the atoms of coordinates without reading them, as far as the file says at its head how many there are.

    Parameters
    ----------
    path
        Of any kind that :func:`read_coordinates` reads.

    Returns
    -------
    int or None
        None where it does not tell; what is wrong with a file is told by who reads it.
    """
    try:
        with open(path, "rb") as file:
            if file.read(3) == b"CDF":
                with netcdf_file(path, "r", mmap=True) as held:
                    return int(held.dimensions["atom"])
            file.seek(0)
            if path.suffix.lower() == ".pdb":
                return sum(line.startswith((b"ATOM  ", b"HETATM")) for line in file) or None
            file.readline(_LONGEST_LINE)
            count = int(file.readline(_LONGEST_LINE).split()[0])
            return count if count > 0 else None
    except (OSError, ValueError, IndexError, KeyError, TypeError):
        return None


def _restart(text: str) -> BoxedCoordinates:
    """AMBER's text: title, number of atoms, then positions, velocities and box in columns of twelve."""
    lines = text.split("\n")
    count = int(lines[1].split()[0])
    rows = [line for line in lines[2:] if line.strip()]
    need = -(-3 * count // _PER_LINE)
    if len(rows) < need:
        raise ValueError(f"{len(rows)} lines for {count} atoms")
    numbers = _columns(rows[:need])
    if len(numbers) != 3 * count:
        raise ValueError(f"{len(numbers)} numbers for {count} atoms")
    rest = rows[need:]
    if len(rest) not in (0, 1, need, need + 1):
        raise ValueError(f"{len(rest)} lines behind the coordinates of {count} atoms")
    box = _columns(rest[-1:]) if len(rest) in (1, need + 1) else np.empty(0)
    angles = [90.0] * 3 if len(box) == 3 else []  # noqa: PLR2004
    found = numbers.reshape(-1, 3), (*box.tolist(), *angles)
    return BoxedCoordinates(*found, velocities=len(rest) >= need, angled=not angles)


def _columns(lines: Sequence[str]) -> Floats:
    return np.array([float(line[i : i + 12]) for line in lines for i in range(0, len(line.rstrip()), 12)])


def _netcdf(content: bytes) -> BoxedCoordinates:
    with netcdf_file(io.BytesIO(content), "r", mmap=False) as file:
        held = file.variables
        positions = np.array(held["coordinates"][:], dtype=float)
        box = [float(v) for key in ("cell_lengths", "cell_angles") if key in held for v in np.ravel(held[key][:])]
    if positions.ndim != 2:  # noqa: PLR2004
        raise ValueError("a trajectory, not one frame")
    return BoxedCoordinates(positions, tuple(box), velocities="velocities" in held)


def _gro(text: str) -> BoxedCoordinates:
    """GROMACS' columns, whose width is the distance between two points."""
    lines = text.rstrip("\n").split("\n")
    count = int(lines[1])
    rows = lines[2 : 2 + count]
    if len(lines) < 3 + count:
        raise ValueError(f"{len(lines) - 2} lines for {count} atoms and a box")
    if any(line.strip() for line in lines[3 + count :]):
        raise ValueError(f"lines behind the box of {count} atoms: more than one frame, or another number of atoms")
    points = [i for i, letter in enumerate(rows[0]) if letter == "." and i >= 20]  # noqa: PLR2004  # names before
    width = points[1] - points[0]
    positions = np.array([[float(row[20 + k * width : 20 + (k + 1) * width]) for k in range(3)] for row in rows]) * 10
    box = [float(value) * 10 for value in lines[2 + count].split()]
    if len(box) not in (3, 9):
        raise ValueError(f"a box of {len(box)} numbers")
    x, y, z, *rest = [*box, *([0.0] * (9 - len(box)))]
    vectors = np.array([[x, rest[0], rest[1]], [rest[2], y, rest[3]], [rest[4], rest[5], z]])
    names = tuple(row[10:15].strip() for row in rows)
    moves = len(rows[0].rstrip()) > 20 + 3 * width
    return BoxedCoordinates(positions, lengths_and_angles(vectors), names, moves)


def _pdb(text: str) -> BoxedCoordinates:
    file = app.PDBFile(io.StringIO(text))
    if file.getNumFrames() > 1:
        raise ValueError(f"{file.getNumFrames()} models, not one")
    vectors = file.topology.getPeriodicBoxVectors()
    box = () if vectors is None else lengths_and_angles(np.array(vectors.value_in_unit(unit.angstrom)))
    names = tuple(atom.name for atom in file.topology.atoms())
    return BoxedCoordinates(np.array(file.getPositions(asNumpy=True).value_in_unit(unit.angstrom)), box, names)


def lengths_and_angles(vectors: Floats) -> tuple[float, ...]:
    """Give the edges of a box and the angles between them.

    Parameters
    ----------
    vectors
        As rows, shape (3, 3), Å.

    Returns
    -------
    tuple of float
        Three lengths in Å and three angles in degrees, to seven digits; empty where a vector has no length.
    """
    lengths = np.linalg.norm(vectors, axis=1)
    if lengths.min() <= 0:
        return ()
    pairs = ((1, 2), (0, 2), (0, 1))
    cosines = [float(vectors[i] @ vectors[j] / lengths[i] / lengths[j]) for i, j in pairs]
    return (*lengths.tolist(), *np.degrees(np.arccos(cosines)).round(7).tolist())


def nearest_image(differences: Floats, vectors: Floats) -> Floats:
    """Take the nearest image of each difference, as far as reduced vectors tell.

    Parameters
    ----------
    differences
        Shape (..., 3).
    vectors
        Reduced vectors of the box as rows.

    Returns
    -------
    ndarray
        Shape (..., 3).
    """
    moved = np.array(differences, dtype=float)
    for axis in (2, 1, 0):  # c first, then b, then a
        moved -= np.round(moved[..., axis] / vectors[axis, axis])[..., None] * vectors[axis]
    return moved


def made_whole(positions: Floats, vectors: Floats, bonds: Ints) -> Floats:
    """Put the atoms of each molecule beside each other, whatever face of the box they were cut at.

    Parameters
    ----------
    positions
        Shape (N, 3), Å.
    vectors
        Reduced vectors of the box as rows, Å.
    bonds
        Pairs of atoms, shape (M, 2).

    Returns
    -------
    ndarray
        Shape (N, 3); the first atom of a molecule stays.
    """
    if not len(bonds) or np.abs(np.subtract(*positions[bonds.T])).max() < np.diag(vectors).min() / 2:
        return positions
    count = len(positions)
    pairs = coo_array((np.ones(len(bonds)), (bonds[:, 0], bonds[:, 1])), shape=(count, count))
    _, molecule = connected_components(pairs, directed=False)
    _, firsts = np.unique(molecule, return_index=True)
    rows, columns = np.append(bonds[:, 0], np.full(len(firsts), count)), np.append(bonds[:, 1], firsts)
    rooted = coo_array((np.ones(len(rows)), (rows, columns)), shape=(count + 1, count + 1)).tocsr()
    order, before = breadth_first_order(rooted, count, directed=False)  # from a root that holds all molecules
    steps = nearest_image(positions - positions[np.minimum(before[:count], count - 1)], vectors)
    whole = np.array(positions)
    for atom in order[1 + len(firsts) :].tolist():
        whole[atom] = whole[before[atom]] + steps[atom]
    return whole


def beside(positions: Floats, vectors: Floats, moving: Sequence[Sequence[int]], still: Sequence[int]) -> Floats:
    """Bring molecules to the images that come nearest to others, atom to atom.

    Parameters
    ----------
    positions
        Shape (N, 3), Å; molecules whole.
    vectors
        Reduced vectors of the box as rows, Å.
    moving
        Atoms of each molecule that is moved, one after the other; each counts as still for the next.
    still
        Atoms that stay.

    Returns
    -------
    ndarray
        Shape (N, 3).
    """
    moved, fixed = np.array(positions), list(still)
    steps = np.array([[i, j, k] for i in (0, 1, -1) for j in (0, 1, -1) for k in (0, 1, -1)]) @ vectors
    for atoms in moving:
        inside = list(atoms)
        centre = moved[inside].mean(axis=0) - moved[fixed].mean(axis=0)
        base = moved[inside] + (nearest_image(centre, vectors) - centre)
        tree = cKDTree(moved[fixed])
        nearest = [float(tree.query(base + step)[0].min()) for step in steps]
        moved[inside] = base + steps[int(np.argmin(np.round(nearest, 6)))]
        fixed += inside
    return moved
