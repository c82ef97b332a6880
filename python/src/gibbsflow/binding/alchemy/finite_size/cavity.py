"""The potential of a uniform background of charge in and round a cavity of low permittivity, by finite differences.

A solute's integrated potential, ∫ φ d³r, is by Green's reciprocity the sum of its charges times the potential w that a
uniform unit density of charge makes at each: one solution for all charges of a solute, and a smooth one, without the
singularities of point charges. In a medium without cavity w = −(4πk/6ε) r²; what the cavity adds has its source in the
cavity alone and fades outside, so that a small grid, with nothing at its faces, stands for an endless solvent.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import LinearOperator, cg
from scipy.spatial import cKDTree

from gibbsflow.errors import NumericalError
from gibbsflow.units import COULOMB_KCAL_ANGSTROM_PER_E2, Floats

SOLVER = "finite differences of Poisson's equation, 7 points, permittivity by the part of an edge in the cavity"
PROBE_ANGSTROM = 1.4
"""Radius of the sphere that rolls over the solute: its surface is the one that excludes solvent (Richards)."""
MARGIN_ANGSTROM = 6.0
SPACING_ANGSTROM = 0.5
MOST_NODES = 200_000
"""A larger grid is made coarser."""
_TOLERANCE = 1e-7


def background_potential(
    centres_angstrom: Floats,
    radii_angstrom: Floats,
    at_angstrom: Floats,
    *,
    permittivity: float,
    origin_angstrom: Floats,
    spacing_angstrom: float = SPACING_ANGSTROM,
    probe_angstrom: float = PROBE_ANGSTROM,
) -> Floats:
    """Potential of a uniform unit density of charge at points in a cavity.

    Parameters
    ----------
    centres_angstrom
        Atoms of the solute, shape (N, 3), Å; in the cavity the permittivity is 1.
    radii_angstrom
        Their radii, shape (N,), Å; the cavity is what the probe cannot enter.
    at_angstrom
        Where it is asked for, shape (M, 3), Å; inside the cavity.
    permittivity
        Relative, of the solvent.
    origin_angstrom
        Point where the potential would be zero without cavity, shape (3,), Å.
    spacing_angstrom
        Of the grid; larger where it would have too many nodes.
    probe_angstrom
        Radius of the probe that rolls over the solute.

    Returns
    -------
    ndarray
        Shape (M,), kcal/mol Å³/e². For the centre of a sphere of radius R: (4πk/6)(1 − 1/ε) R².

    Raises
    ------
    NumericalError
        Where the equations are not solved.
    """
    low = centres_angstrom.min(axis=0) - radii_angstrom.max() - MARGIN_ANGSTROM
    size = centres_angstrom.max(axis=0) + radii_angstrom.max() + MARGIN_ANGSTROM - low
    step = max(spacing_angstrom, float((np.prod(size) / MOST_NODES) ** (1 / 3)))
    shape = tuple(int(n) for n in np.ceil(size / step).astype(int) + 1)
    surface = _surface(centres_angstrom, radii_angstrom, probe_angstrom, low, step, shape)
    axes = [low[k] + step * np.arange(shape[k]) - origin_angstrom[k] for k in range(3)]
    squared = axes[0][:, None, None] ** 2 + axes[1][None, :, None] ** 2 + axes[2][None, None, :] ** 2
    unit = 4 * math.pi * COULOMB_KCAL_ANGSTROM_PER_E2 / 6
    added = _solve(surface, squared / -permittivity, permittivity)
    # less its curvature in the cavity, which is known, the potential is harmonic there: this can be interpolated
    smooth = added + squared * (1 - 1 / permittivity)
    found = map_coordinates(smooth, ((at_angstrom - low) / step).T, order=1, mode="nearest")
    return np.asarray(unit * (found - np.sum((at_angstrom - origin_angstrom) ** 2, axis=1)))


def _surface(centres: Floats, radii: Floats, probe: float, low: Floats, step: float, shape: tuple[int, ...]) -> Floats:
    """Signed distance to the surface that excludes solvent, Å; negative inside, and right only near it.

    The probe's centre stays on or outside the spheres of `radii` and its own; the surface is its radius inside of what
    it can reach, and every node near outside is projected onto that to say what it can reach.
    """
    distance, nearest = np.full(shape, 1e3), np.zeros(shape, dtype=np.int32)
    wide = radii + probe
    for number, (centre, radius) in enumerate(zip(centres, wide, strict=True)):
        first = np.maximum(np.floor((centre - radius - low) / step).astype(int) - 2, 0)
        last = np.minimum(np.ceil((centre + radius - low) / step).astype(int) + 3, shape)
        x, y, z = (low[k] + step * np.arange(first[k], last[k]) - centre[k] for k in range(3))
        place = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
        here = np.sqrt(x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None, :] ** 2) - radius
        nearer = here < distance[place]
        distance[place][nearer] = here[nearer]
        nearest[place][nearer] = number
    outside = np.argwhere((distance > 0) & (distance <= 2 * step))
    atoms = nearest[tuple(outside.T)]
    away = low + step * outside - centres[atoms]
    reached = centres[atoms] + away * (wide[atoms] / np.linalg.norm(away, axis=1))[:, None]
    unsure = np.argwhere((distance <= 0) & (distance > -probe - step))
    depth, _ = cKDTree(reached).query(low + step * unsure)
    surface = probe + distance
    surface[tuple(unsure.T)] = probe - depth
    return surface


def _solve(surface: Floats, outer: Floats, permittivity: float) -> Floats:
    """What the cavity adds to the potential `outer` of a medium without it; nothing at the faces of the grid.

    ∇·(ε ∇u) = −∇·((ε − ε_S) ∇outer), with 1/ε of an edge between two nodes the mean of 1/ε along it.
    """
    shape = surface.shape
    index = np.arange(surface.size).reshape(shape)
    diagonal, source = np.zeros(surface.size), np.zeros(surface.size)
    rows, columns, values = [], [], []
    for axis in range(3):
        one, two = (_part(axis, slice(None, -1)), _part(axis, slice(1, None)))
        a, b = surface[one], surface[two]
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = np.where(a < 0, a, b) / np.where(a < 0, a - b, b - a)
        within = np.where((a < 0) == (b < 0), (a < 0).astype(float), crossing)
        edge = 1 / (within + (1 - within) / permittivity)
        flux = ((edge - permittivity) * (outer[two] - outer[one])).ravel()
        i, j, edge = index[one].ravel(), index[two].ravel(), edge.ravel()
        np.add.at(source, i, flux)
        np.add.at(source, j, -flux)
        np.add.at(diagonal, i, edge)
        np.add.at(diagonal, j, edge)
        rows += [i, j]
        columns += [j, i]
        values += [-edge, -edge]
    free = np.zeros(shape, dtype=bool)
    free[1:-1, 1:-1, 1:-1] = True
    kept = free.ravel()
    matrix = csr_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(kept.size,) * 2
    )
    matrix = (matrix + diags_array(diagonal)).tocsr()[kept][:, kept]
    inverse = 1 / diagonal[kept]
    precondition = LinearOperator(matrix.shape, matvec=lambda v: inverse * v.ravel())
    solved, failed = cg(matrix, source[kept], rtol=_TOLERANCE, maxiter=20 * max(shape), M=precondition)
    if failed:
        raise NumericalError(f"Poisson's equation is not solved after {20 * max(shape)} steps")
    potential = np.zeros(kept.size)
    potential[kept] = solved
    return potential.reshape(shape)


def _part(axis: int, which: slice) -> tuple[slice, ...]:
    return tuple(which if k == axis else slice(None) for k in range(3))
