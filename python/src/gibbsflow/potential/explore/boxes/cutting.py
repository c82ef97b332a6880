"""A truly periodic box around one atom, cut from a cell that is too large.

Its edges run along those of the cell and are about twice core and buffer apart. How far is decided by the seams: of
nine tenths up to half as much again, the distances are taken at which the atoms of the box are surrounded as in the
cell, unless that makes it much larger, with the faces where few atoms are. Of a crystal that is a multiple of its
period, with faces between its planes, so that nothing is left to mend. Where atoms still meet too near, the one farther
from the centre goes; ions of the buffer go until formal charges sum to zero. The forces of the core count, those of the
buffer do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list

from gibbsflow.config.potential_training import Embedding
from gibbsflow.potential.explore.boxes.formal_charges import surplus
from gibbsflow.units import Floats

if TYPE_CHECKING:
    from ase import Atoms

_BOND, _REACH = 1.3, 1.6
_STEP_ANGSTROM, _SHORTEST, _LONGEST = 0.3, 0.9, 1.5
_OVERLAP = 10.0
# surroundings that are foreign by a tenth throughout are as bad as twice the volume
_PRICE = 0.1
_PASSES = 2
# a face may lie this far from where it would be with the centre in the middle, and shuns atoms this near
_SHIFT_ANGSTROM, _WIDTH_ANGSTROM = 1.2, 0.25
# up to here all pairs are looked at, which is quicker than lists
_FEW = 700
_WHOLE = (-0.5, 0.5)
# a box of nearly all atoms of its cell saves nothing
_WORTH = 0.9


class CannotCutError(Exception):
    """No box can be cut around an atom; the message says why. Never leaves the room."""


@dataclass(frozen=True)
class Box:
    """A box with what was done to it.

    Attributes
    ----------
    atoms
        Periodic as the cell, with the array ``force_mask``: 1 in the core, 0 in the buffer.
    centre
        Index of the atom that it was cut around.
    source
        Index in the cell of each of its atoms.
    removed
        Atoms left out at seams.
    left_out
        Atoms left out for formal charges.
    mismatch
        Atoms whose number of neighbours is not that of the cell.
    """

    atoms: Atoms
    centre: int
    source: npt.NDArray[np.int64]
    removed: int
    left_out: int
    mismatch: int


def cut_box(atoms: Atoms, centre: int, settings: Embedding, charges: Mapping[str, float] | None) -> Box:
    """Cut a periodic box around an atom.

    Parameters
    ----------
    atoms
        The cell; directions that are not periodic are kept whole.
    centre
        Index of the atom.
    settings
        Section ``embedding``.
    charges
        Formal charges in e by element, which shall sum to zero; None where they do not matter.

    Returns
    -------
    Box
        Smaller than the cell.

    Raises
    ------
    CannotCutError
        Where the cell is no larger than the box would be, core atoms meet at a seam, or the buffer has not the ions
        that must go.
    """
    side = 2 * (settings.core_radius_angstrom + settings.buffer_angstrom)
    offsets = _fractions(atoms, centre)
    heights = _heights(atoms)
    faces = [_faces(offsets[:, axis], heights[axis], side) if atoms.pbc[axis] else [_WHOLE] for axis in range(3)]
    usual = _surroundings(atoms)
    chosen = [own[0] for own in faces]
    volume = float(np.prod(np.minimum(side / heights, 1.0)))
    for _ in range(_PASSES):
        for axis in range(3):
            if len(faces[axis]) > 1:
                trials = [[*chosen[:axis], trial, *chosen[axis + 1 :]] for trial in faces[axis]]
                scores = [_score(_piece(atoms, offsets, trial), usual, settings)
                          + _PRICE * np.prod([high - low for low, high in trial]) / volume
                          for trial in trials]  # fmt: skip
                chosen[axis] = faces[axis][int(np.argmin(scores))]
    piece = _piece(atoms, offsets, chosen)
    if len(piece.source) > _WORTH * len(atoms):
        raise CannotCutError(f"the cell of {len(atoms)} atoms is no larger than a box of {side:g} Å")
    mended, removed = _mended(piece, settings)
    kept, left_out = _neutral(mended, settings, charges)
    box = kept.atoms
    box.arrays["force_mask"] = (kept.distances <= settings.core_radius_angstrom).astype(int)
    mismatch = int((_neighbours(box) != _neighbours(atoms)[kept.source]).sum())
    where = int(np.flatnonzero(kept.source == centre)[0])
    return Box(box, where, kept.source, removed, left_out, mismatch)


@dataclass(frozen=True)
class _Piece:
    """Atoms of a box on the way: with their indices in the cell, places there as fractions, and distances."""

    atoms: Atoms
    source: npt.NDArray[np.int64]
    offsets: Floats
    distances: Floats
    cell: Floats

    def without(self, gone: list[int]) -> _Piece:
        keep = np.setdiff1d(np.arange(len(self.source)), gone)
        return replace(self, atoms=self.atoms[keep], source=self.source[keep], offsets=self.offsets[keep],
                       distances=self.distances[keep])  # fmt: skip


def _fractions(atoms: Atoms, centre: int) -> Floats:
    """Places of all atoms from the centre in fractions of the cell, of periodic directions the nearest image."""
    away = atoms.positions - atoms.positions[centre]
    found = np.linalg.solve(atoms.cell.complete().array.T, away.T).T
    periodic = np.asarray(atoms.pbc)
    # a step of rounding decides nothing: what lies on the face of a box belongs to its lower one
    found[:, periodic] -= np.floor(np.round(found[:, periodic], 9) + 0.5)
    return np.asarray(found)


def _heights(atoms: Atoms) -> Floats:
    """Distances of opposite faces of the cell, Å."""
    return np.asarray(1.0 / np.linalg.norm(np.linalg.inv(atoms.cell.complete().array), axis=0))


def _faces(offsets: Floats, height: float, side: float) -> list[tuple[float, float]]:
    """Pairs of faces to try, as fractions of the cell from the centre; the whole cell where it is no larger."""
    low, high = _SHORTEST * side / height, min(_LONGEST * side / height, 1.0)
    if low >= 1.0:
        return [_WHOLE]
    steps = np.arange(low, high, _STEP_ANGSTROM / height)
    # the period of a supercell divides it
    parts = [n / k for k in range(2, 17) for n in range(1, k) if low <= n / k <= high]
    steps = steps[[not parts or abs(np.array(parts) - step).min() > 0.5 * _STEP_ANGSTROM / height for step in steps]]
    shifts = np.linspace(-_SHIFT_ANGSTROM, _SHIFT_ANGSTROM, 25) / height
    found = []
    for length in sorted({round(float(x), 9) for x in (*steps, *parts, high)}):
        if length >= 1.0:
            found.append(_WHOLE)
            continue
        near = [np.exp(-0.5 * (_wrapped(offsets - face - shifts[:, None]) * height / _WIDTH_ANGSTROM) ** 2).sum(axis=1)
                for face in (-length / 2, length / 2)]  # fmt: skip
        shift = float(shifts[np.argmin(near[0] + near[1] + 0.01 * np.abs(shifts) * height)])
        found.append((shift - length / 2, shift + length / 2))
    return found


def _wrapped(fractions: Floats) -> Floats:
    return np.asarray(fractions - np.round(fractions))


def _piece(atoms: Atoms, offsets: Floats, faces: Sequence[tuple[float, float]]) -> _Piece:
    low, high = np.array(faces).T
    size = high - low
    # the image that lies in the box, of a face that is not in the middle
    places = offsets + np.ceil(low - offsets) * (np.asarray(atoms.pbc) & (size < 1.0))
    inside = ((places >= low) & (places < high)) | (size >= 1.0)
    source = np.flatnonzero(inside.all(axis=1))
    cell = atoms.cell.complete().array
    box = atoms[source]
    box.calc = None
    box.set_cell(atoms.cell.array * size[:, None])
    away = places[source] @ cell
    box.positions = away + 0.5 * box.cell.array.sum(axis=0)
    return _Piece(box, source, places[source], np.linalg.norm(away, axis=1), cell)


def _apart(fractions: Floats, cell: Floats, periodic: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Vectors to the nearest images of all atoms, Å, shape (n, n, 3), and their lengths; infinite to an atom itself."""
    apart = fractions[None] - fractions[:, None]
    apart -= np.round(apart) * periodic
    apart = apart @ cell
    lengths = np.linalg.norm(apart, axis=2)
    np.fill_diagonal(lengths, np.inf)
    return apart, lengths


def _within(atoms: Atoms) -> tuple[Floats, Floats]:
    cell = atoms.cell.complete().array
    return _apart(np.linalg.solve(cell.T, atoms.positions.T).T, cell, np.asarray(atoms.pbc))


def _neighbours(atoms: Atoms) -> npt.NDArray[np.int64]:
    radii = covalent_radii[atoms.numbers]
    reach = 2 * _BOND * float(radii.max())
    if len(atoms) > _FEW or (_heights(atoms)[np.asarray(atoms.pbc)] < 2 * reach).any():
        return np.bincount(neighbor_list("i", atoms, list(_BOND * radii)), minlength=len(atoms))
    return np.asarray((_within(atoms)[1] < _BOND * (radii[:, None] + radii)).sum(axis=1))


def _close(piece: _Piece, factor: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs that are too near, and not as near in the cell: they meet at a seam."""
    radii = covalent_radii[piece.atoms.numbers]
    here = _within(piece.atoms)[1]
    first, second = np.nonzero(np.triu(here < factor * (radii[:, None] + radii), 1))
    if not len(first):
        return first, second
    there = _apart(piece.offsets, piece.cell, np.asarray(piece.atoms.pbc))[1][first, second]
    new = there > here[first, second] + 1e-3
    return first[new], second[new]


def _surroundings(atoms: Atoms) -> Floats:
    """What is around each atom, as far as a seam may change it: Σ w, Σ w r and Σ w r rᵀ over its neighbours.

    With w = (1 − d / reach)² and r of length 1; shape (n, 10).
    """
    radii = covalent_radii[atoms.numbers]
    longest = 2 * _REACH * float(radii.max())
    if len(atoms) > _FEW or (_heights(atoms)[np.asarray(atoms.pbc)] < 2 * longest).any():
        first, second, distance, vector = neighbor_list("ijdD", atoms, list(_REACH * radii))
    else:
        vectors, lengths = _within(atoms)
        first, second = np.nonzero(lengths < _REACH * (radii[:, None] + radii))
        distance, vector = lengths[first, second], vectors[first, second]
    weight = (1.0 - distance / (_REACH * (radii[first] + radii[second]))) ** 2
    unit = vector / distance[:, None]
    products = np.einsum("ni,nj->nij", unit, unit).reshape(-1, 9)[:, [0, 1, 2, 4, 5, 8]]
    rows = np.column_stack([np.ones(len(unit)), unit, products]) * weight[:, None]
    return np.column_stack([np.bincount(first, weights=column, minlength=len(atoms)) for column in rows.T])


def _score(piece: _Piece, usual: Floats, settings: Embedding) -> float:
    """How badly a box is joined: how foreign the surroundings of its atoms are, and how many are too near."""
    own = usual[piece.source]
    foreign = np.sqrt(((_surroundings(piece.atoms) - own) ** 2).sum(axis=1).mean()) / max(
        float(own[:, 0].mean()), 1e-12
    )
    return float(foreign + _OVERLAP * len(_close(piece, settings.seam_distance_factor)[0]) / len(piece.source))


def _mended(piece: _Piece, settings: Embedding) -> tuple[_Piece, int]:
    """Leave out the outer one of atoms that meet too near."""
    before = len(piece.source)
    while True:
        first, second = _close(piece, settings.seam_distance_factor)
        if not len(first):
            return piece, before - len(piece.source)
        outer = np.where(piece.distances[first] > piece.distances[second], first, second)
        worst = int(outer[np.argmax(piece.distances[outer])])
        if piece.distances[worst] <= settings.core_radius_angstrom:
            pair = f"{piece.atoms.symbols[int(first[0])]} and {piece.atoms.symbols[int(second[0])]}"
            raise CannotCutError(f"{pair} of the core are too near to each other")
        piece = piece.without([worst])


def _neutral(piece: _Piece, settings: Embedding, charges: Mapping[str, float] | None) -> tuple[_Piece, int]:
    if charges is None:
        return piece, 0
    core = piece.distances <= settings.core_radius_angstrom
    gone = surplus(piece.atoms.get_chemical_symbols(), piece.distances.tolist(), core.tolist(), charges)
    if gone is None:
        raise CannotCutError("the buffer has not the ions that must go to make the box neutral")
    return piece.without(gone), len(gone)
