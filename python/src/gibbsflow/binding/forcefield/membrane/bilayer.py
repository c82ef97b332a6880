"""A bilayer in its box: where its middle is, which lipid is in which leaflet, its area and thickness, water inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from gibbsflow.binding.forcefield.membrane.lipids import Lipids
from gibbsflow.units import Floats, Ints

CORE_ANGSTROM = 6.0
"""Half the thickness of the core, in which a fluid bilayer has no water (Kučerka, Nieh, Katsaras, Biochim. Biophys.
Acta 1808, 2761 (2011): hydrocarbon of 26 to 30 Å)."""
OF_THE_SOLUTE_ANGSTROM = 6.0
"""Water as near as this to receptor or ligand may belong to a pore or a site."""
COVERED_ANGSTROM = 2.4
"""Half the distance of heavy atoms that touch: what lies as near as this to the receptor's is not the lipids' area."""
CELL_ANGSTROM = 1.0
REACH_ANGSTROM = 4.0
"""Atoms of a bilayer, seen along its normal, are nearer than twice this to the next ones; water is left where not."""
LEAST_ORDER = 0.2
"""Length of the mean vector on the circle that an edge makes: 0 where atoms are anywhere along it, of a bilayer with as
much water as lipid along z 0.4."""


@dataclass(frozen=True)
class BilayerFrame:
    """What one frame shows of a bilayer.

    Attributes
    ----------
    middle_angstrom
        Where its middle is along z.
    area_per_lipid_angstrom2
        Of the upper and the lower leaflet: the box's area without what the solute covers, by the lipids in it.
    thickness_angstrom
        Between the mean heights of the heads of both leaflets.
    waters_inside
        In the core, away from the solute.
    """

    middle_angstrom: float
    area_per_lipid_angstrom2: tuple[float, float]
    thickness_angstrom: float
    waters_inside: int


def order_along(positions_angstrom: Floats, vectors_angstrom: Floats) -> Floats:
    """Say how far atoms keep to one place along each edge of a box.

    Parameters
    ----------
    positions_angstrom
        Of the lipids' atoms, shape (M, 3), Å.
    vectors_angstrom
        Reduced vectors of the box as rows, shape (3, 3), Å.

    Returns
    -------
    ndarray
        Length of the mean vector on each edge's circle, shape (3,): near 0 for what is spread evenly.
    """
    fractions = positions_angstrom @ np.linalg.inv(vectors_angstrom)
    return np.asarray(np.abs(np.exp(2j * np.pi * fractions).mean(axis=0)))


def spans(positions_angstrom: Floats, vectors_angstrom: Floats) -> bool:
    """Tell whether atoms, seen along z, reach from each side of a box to its images across x and across y.

    A bilayer does, with a pore in it as well; a nanodisc, a micelle or a ribbon has water between it and its images.

    Parameters
    ----------
    positions_angstrom
        Of lipids and solute, shape (M, 3), Å.
    vectors_angstrom
        Reduced vectors of the box as rows, the third along z, shape (3, 3), Å.

    Returns
    -------
    bool
        By the cells that atoms are within `REACH_ANGSTROM` of.
    """
    flat = vectors_angstrom[:2, :2]
    counts = np.maximum(1, np.round(np.linalg.norm(flat, axis=1) / CELL_ANGSTROM).astype(int))
    cells = np.floor(positions_angstrom[:, :2] @ np.linalg.inv(flat) % 1 * counts).astype(int) % counts
    covered = np.zeros(counts, dtype=bool)
    covered[tuple(cells.T)] = True
    reach = round(REACH_ANGSTROM / CELL_ANGSTROM)
    x, y = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    tiled = ndimage.binary_dilation(np.tile(covered, (3, 3)), x**2 + y**2 <= reach**2)
    parts, _ = ndimage.label(tiled)
    nx, ny = counts
    middle = parts[nx : 2 * nx, ny : 2 * ny]
    beside = (parts[2 * nx :, ny : 2 * ny], parts[nx : 2 * nx, 2 * ny :])
    return all(bool(((middle == other) & (middle > 0)).any()) for other in beside)


def widest_hole_angstrom(positions_angstrom: Floats, vectors_angstrom: Floats) -> float:
    """Say how far from all atoms, seen along z, a place of the box can be.

    Parameters
    ----------
    positions_angstrom
        Of lipids and solute, shape (M, 3), Å.
    vectors_angstrom
        Reduced vectors of the box as rows, the third along z, shape (3, 3), Å.

    Returns
    -------
    float
        Radius of the widest hole, Å, within `CELL_ANGSTROM`: about 2 of a bilayer, that of the corners of a disc that
        touches its images.
    """
    grid, flat = _cells(vectors_angstrom), positions_angstrom * [1, 1, 0]
    # one atom for each cell of the grid does
    places = np.round(flat / CELL_ANGSTROM).astype(int)
    return float(_distances(grid, flat[np.unique(places, axis=0, return_index=True)[1]], vectors_angstrom).max())


def middle_of(positions: Floats, height: float) -> float:
    """Find the middle of a slab along z, by the mean on the circle that the box's height makes.

    Parameters
    ----------
    positions
        Of its atoms, shape (M, 3), in any image and unit.
    height
        Of the box along z, in the same unit.

    Returns
    -------
    float
        From 0 to the height.
    """
    turned = np.exp(2j * np.pi * positions[:, 2] / height).mean()
    return float(np.angle(turned) / (2 * np.pi) % 1) * height


def above_middle(z_angstrom: Floats, middle_angstrom: float, height_angstrom: float) -> Floats:
    """Heights over the middle of a bilayer, of the nearest images.

    Parameters
    ----------
    z_angstrom
        Any heights, shape (M,), Å.
    middle_angstrom
        Of the bilayer, Å.
    height_angstrom
        Of the box, Å.

    Returns
    -------
    ndarray
        Shape (M,), Å, within half the height.
    """
    away = z_angstrom - middle_angstrom
    return np.asarray(away - height_angstrom * np.round(away / height_angstrom))


def leaflets(lipids: Lipids, positions_angstrom: Floats, vectors_angstrom: Floats) -> tuple[Ints, Ints]:
    """Sort lipids into leaflets by the side of the middle that their heads are on.

    Parameters
    ----------
    lipids
        Of the box.
    positions_angstrom
        Of all atoms, shape (N, 3), Å.
    vectors_angstrom
        Reduced vectors of the box as rows, shape (3, 3), Å.

    Returns
    -------
    upper, lower
        Places among the lipids.
    """
    height = float(vectors_angstrom[2, 2])
    middle = middle_of(positions_angstrom[lipids.atoms], height)
    up = above_middle(positions_angstrom[list(lipids.heads), 2], middle, height) > 0
    return np.flatnonzero(up).astype(np.int32), np.flatnonzero(~up).astype(np.int32)


def measured(
    lipids: Lipids,
    positions_angstrom: Floats,
    vectors_angstrom: Floats,
    solute: Sequence[int],
    oxygens: Sequence[int] | Ints,
) -> BilayerFrame:
    """Measure a bilayer.

    Parameters
    ----------
    lipids
        Of the box.
    positions_angstrom
        Of all atoms, shape (N, 3), Å.
    vectors_angstrom
        Reduced vectors of the box as rows, the third along z, shape (3, 3), Å.
    solute
        Heavy atoms of receptor and ligand.
    oxygens
        Of the waters.

    Returns
    -------
    BilayerFrame
        NaN for a leaflet without lipids.
    """
    height = float(vectors_angstrom[2, 2])
    middle = middle_of(positions_angstrom[lipids.atoms], height)
    heads = above_middle(positions_angstrom[list(lipids.heads), 2], middle, height)
    sides = [heads[heads > 0], -heads[heads <= 0]]
    means = [float(side.mean()) if len(side) else float("nan") for side in sides]
    solid = positions_angstrom[list(solute)]
    over = above_middle(solid[:, 2], middle, height)
    between = [solid[(over > 0) & (over < means[0])], solid[(over <= 0) & (over > -means[1])]]
    areas = [
        _open_area(inside, vectors_angstrom) / len(side) if len(side) else float("nan")
        for side, inside in zip(sides, between, strict=True)
    ]
    water = positions_angstrom[list(oxygens)]
    inner = water[np.abs(above_middle(water[:, 2], middle, height)) < CORE_ANGSTROM]
    if len(inner) and len(solid):
        inner = inner[_distances(inner, solid, vectors_angstrom) > OF_THE_SOLUTE_ANGSTROM]
    return BilayerFrame(middle, (areas[0], areas[1]), sum(means), len(inner))


def _open_area(solid: Floats, vectors: Floats) -> float:
    """Area of the box in xy that is not under atoms, by cells, Å²."""
    area = abs(float(np.linalg.det(vectors[:2, :2])))
    if not len(solid):
        return area
    return area * float((_distances(_cells(vectors), solid * [1, 1, 0], vectors) > COVERED_ANGSTROM).mean())


def _cells(vectors: Floats) -> Floats:
    """Centres of cells that the box is cut into in xy, at z = 0, shape (C, 3)."""
    counts = np.maximum(1, np.round(np.linalg.norm(vectors[:2, :2], axis=1) / CELL_ANGSTROM).astype(int))
    grid = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) / n for n in counts], indexing="ij"), axis=-1).reshape(-1, 2)
    return np.hstack([grid @ vectors[:2, :2], np.zeros((len(grid), 1))])


def _distances(points: Floats, others: Floats, vectors: Floats) -> Floats:
    """Distance of each point to the nearest image of the others."""
    steps = np.array([[i, j, k] for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)]) @ vectors
    inverse = np.linalg.inv(vectors)
    wrap = lambda values: (values @ inverse % 1) @ vectors  # noqa: E731
    images = (wrap(others) + steps[:, None]).reshape(-1, 3)
    return np.asarray(cKDTree(images).query(wrap(points))[0])
