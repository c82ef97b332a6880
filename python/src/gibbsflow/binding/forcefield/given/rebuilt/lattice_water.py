"""Water for a larger box, out of the water of a given one: its periodic images, and what fills the gaps they leave."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from gibbsflow.binding.forcefield.given.rebuilt.box_parts import BoxParts
from gibbsflow.units import Floats, Ints

SHELL_ANGSTROM = 5.0
"""So near to the solute there is the given water alone: what is empty there was so."""
SHIFTS = (0.5, 0.25, 0.75, 0.375, 0.625)
"""Parts of the given box's diagonal: gaps, where images of its solute would be, get the water of elsewhere in it."""


@dataclass(frozen=True)
class Closeness:
    """Distances below which a water gives way, Å.

    Attributes
    ----------
    heavy
        Of its oxygen from other atoms that are no hydrogen.
    any
        Of any of its atoms from any other.
    """

    heavy: float
    any: float


WITHIN_LATTICE, AT_GAPS, AT_COPY = Closeness(2.4, 1.6), Closeness(2.6, 1.7), Closeness(2.8, 2.0)
"""In liquid water oxygens come as near as 2.5 Å, hydrogen bonds are 1.7 Å long; minimisation does the rest."""


@dataclass(frozen=True)
class Water:
    """Waters of a larger box.

    Attributes
    ----------
    molecules
        Which water of the given box each is an image of, by its number in ``BoxParts.waters``.
    positions_angstrom
        Of all their atoms, shape (waters, sites, 3), Å.
    """

    molecules: Ints
    positions_angstrom: Floats


def lattice_water(
    parts: BoxParts, corner_angstrom: Floats, edges_angstrom: Floats, copy_angstrom: Floats, ions_angstrom: Floats
) -> Water:
    """Fill a box of right angles about a solute.

    Parameters
    ----------
    parts
        The given box: its solute stays where it is.
    corner_angstrom, edges_angstrom
        The new box, shape (3,), Å.
    copy_angstrom
        Heavy atoms of a copy of the ligand, shape (n, 3), Å.
    ions_angstrom
        Shape (i, 3), Å.

    Returns
    -------
    Water
        Those of the given box nearest to the solute first; the same for the same input.
    """
    solute = np.array([*parts.receptor, *parts.ligand])
    heavy = parts.positions_angstrom[solute[parts.elements[solute] > 1]]
    fixed = [
        (parts.positions_angstrom[solute], WITHIN_LATTICE.any),
        (heavy, WITHIN_LATTICE.heavy),
        (copy_angstrom, AT_COPY.heavy),
        (ions_angstrom, WITHIN_LATTICE.heavy - 0.2),  # sodium is held at 2.4 Å, lithium at 2
    ]
    cell = _Cell(corner_angstrom, edges_angstrom)
    kept = _Kept(parts, cell)
    kept.add(*_images(parts, cell, np.zeros(3)), fixed, WITHIN_LATTICE, first=heavy)
    far = [*fixed, (heavy, SHELL_ANGSTROM)]
    for shift in SHIFTS:
        kept.add(*_images(parts, cell, shift * parts.vectors_angstrom.sum(axis=0)), far, AT_GAPS)
    return kept.water()


@dataclass(frozen=True)
class _Cell:
    corner: Floats
    edges: Floats

    def wrapped(self, positions: Floats) -> Floats:
        """Positions from the corner, within the cell."""
        inside = np.mod(positions - self.corner, self.edges)
        return np.where(inside >= self.edges, 0.0, inside)  # what rounding has put onto the far face

    def tree(self, positions: Floats) -> cKDTree:
        return cKDTree(self.wrapped(positions), boxsize=self.edges)


class _Kept:
    """Waters that have been accepted, and the test of further ones against them."""

    def __init__(self, parts: BoxParts, cell: _Cell) -> None:
        self.parts, self.cell = parts, cell
        sites = parts.elements[parts.atoms_of(int(parts.waters[0]))]
        self.real, self.oxygen = np.flatnonzero(sites > 0), int(np.flatnonzero(sites == 8)[0])  # noqa: PLR2004
        self.molecules: Ints = np.empty(0, dtype=np.int32)
        self.positions: Floats = np.empty((0, len(sites), 3))

    def add(
        self,
        molecules: Ints,
        positions: Floats,
        fixed: Sequence[tuple[Floats, float]],
        close: Closeness,
        first: Floats | None = None,
    ) -> None:
        free = np.ones(len(molecules), dtype=bool)
        held = [*fixed, (self.positions[:, self.oxygen], close.heavy)]
        for atoms, least in held:
            free &= self._away(positions[:, [self.oxygen]], atoms, least)
        for atoms in (self.positions[:, self.real].reshape(-1, 3), *(atoms for atoms, _ in fixed[:1])):
            free &= self._away(positions[:, self.real], atoms, close.any)
        molecules, positions = molecules[free], positions[free]
        if first is not None:
            order = np.argsort(
                self.cell.tree(first).query(self.cell.wrapped(positions[:, self.oxygen]))[0], kind="stable"
            )
            molecules, positions = molecules[order], positions[order]
        alone = self._without_clashes(positions, close)
        self.molecules = np.concatenate([self.molecules, molecules[alone]])
        self.positions = np.concatenate([self.positions, positions[alone]])

    def _away(self, positions: Floats, atoms: Floats, least: float) -> np.ndarray:
        """Which waters have all of these sites so far from some atoms."""
        if not len(atoms) or not len(positions):
            return np.ones(len(positions), dtype=bool)
        points = self.cell.wrapped(positions.reshape(-1, 3))
        away, _ = self.cell.tree(atoms).query(points, distance_upper_bound=least)
        return np.asarray((away.reshape(len(positions), -1) >= least).all(axis=1))

    def _without_clashes(self, positions: Floats, close: Closeness) -> np.ndarray:
        """Drop waters that are too near to an earlier one that stays."""
        stays = np.ones(len(positions), dtype=bool)
        if not len(positions):
            return stays
        sites = len(self.real)
        near = self.cell.tree(positions[:, self.real].reshape(-1, 3)).query_pairs(close.any, output_type="ndarray")
        oxygens = self.cell.tree(positions[:, self.oxygen]).query_pairs(close.heavy, output_type="ndarray")
        pairs = np.concatenate([near // sites, oxygens])
        pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
        for a, b in pairs.tolist():  # sorted: the fate of a is settled before b's
            stays[b] &= not stays[a]
        return stays

    def water(self) -> Water:
        return Water(self.molecules, self.positions)


def _images(parts: BoxParts, cell: _Cell, shift: Floats) -> tuple[Ints, Floats]:
    """All images of the given waters, moved by a shift, whose oxygens are in the cell."""
    atoms = np.stack([parts.atoms_of(int(water)) for water in parts.waters])
    oxygens = parts.positions_angstrom[parts.oxygens] + shift
    molecules, positions = [], []
    for step in _steps(parts.vectors_angstrom, cell, oxygens):
        inside = oxygens + step - cell.corner
        within = np.flatnonzero(((inside >= 0) & (inside < cell.edges)).all(axis=1))
        molecules.append(within)
        positions.append(parts.positions_angstrom[atoms[within]] + shift + step)
    return np.concatenate(molecules).astype(np.int32), np.concatenate(positions)


def _steps(vectors: Floats, cell: _Cell, places: Floats) -> Iterator[Floats]:
    """Lattice vectors that can bring a place into the cell."""
    corners = np.array(list(itertools.product((0, 1), repeat=3))) * cell.edges + cell.corner
    inverse = np.linalg.inv(vectors)
    low, high = (corners @ inverse).min(axis=0), (corners @ inverse).max(axis=0)
    own = places @ inverse
    ranges = [
        range(int(np.floor(lo - most)), int(np.ceil(hi - least)) + 1)
        for lo, hi, least, most in zip(low, high, own.min(axis=0), own.max(axis=0), strict=True)
    ]
    for counts in itertools.product(*ranges):
        yield np.array(counts) @ vectors
