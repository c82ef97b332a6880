"""Charges in a cavity of a periodic dielectric, solved in the box itself: what the correction must take away."""

import itertools
import math

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import erfc

from gibbsflow.binding.alchemy.finite_size.lattice import lattice_potential
from gibbsflow.units import COULOMB_KCAL_ANGSTROM_PER_E2


def energy_in_box(
    places: np.ndarray, charges: np.ndarray, radii: np.ndarray, edge: float, permittivity: float, step: float = 0.5
) -> float:
    """Energy of charges at the centres of spheres that have a permittivity of 1, in a cubic box, in its own lattice.

    The energy that lattice sums with a neutralising background have, of which the mean potential is zero; without the
    Coulomb energy of the charges among themselves. kcal/mol, Å, e.
    """
    count = round(edge / step)
    axis = step * np.arange(count)
    # the middle of the edges between neighbours, along each axis
    inside = []
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    nodes = np.min([np.linalg.norm(grid - p, axis=-1) - r for p, r in zip(places, radii, strict=True)], axis=0)
    for k in range(3):
        a, b = nodes, np.roll(nodes, -1, axis=k)
        part = np.where(a < 0, a, b) / np.where(a < 0, np.minimum(a - b, -1e-9), np.minimum(b - a, -1e-9))
        within = np.where((a < 0) == (b < 0), (a < 0).astype(float), part)
        inside.append(1 / (within + (1 - within) / permittivity))
    vacuum = sum(q * _ewald(grid - p, edge) for p, q in zip(places, charges, strict=True))

    def divergence(potential: np.ndarray, minus: float = 0.0) -> np.ndarray:
        total = np.zeros(potential.shape)
        for k in range(3):
            flux = (inside[k] - minus) * (np.roll(potential, -1, axis=k) - potential)
            total += flux - np.roll(flux, 1, axis=k)
        return total

    size = vacuum.size
    matrix = LinearOperator((size, size), matvec=lambda v: -divergence(v.reshape(vacuum.shape)).ravel())
    diagonal = sum(e + np.roll(e, 1, axis=k) for k, e in enumerate(inside)).ravel()
    inverse = LinearOperator((size, size), matvec=lambda v: v / diagonal)
    found, failed = cg(matrix, divergence(vacuum, 1.0).ravel(), rtol=1e-7, maxiter=5000, M=inverse)
    assert not failed
    found = found.reshape(vacuum.shape) - found.mean()
    energy = sum(q * _between(found, p / step) for p, q in zip(places, charges, strict=True)) / 2
    energy += sum(charges**2) / 2 * lattice_potential(np.eye(3) * edge)
    for (p, q), (r, s) in itertools.combinations(zip(places, charges, strict=True), 2):
        energy += q * s * (float(_ewald((p - r)[None], edge)[0]) - 1 / np.linalg.norm(p - r))
    return float(COULOMB_KCAL_ANGSTROM_PER_E2 * energy)


def _ewald(away: np.ndarray, edge: float) -> np.ndarray:
    """Potential of a unit charge and its background, of mean zero."""
    alpha = 4.0 / edge * 1.5
    near = np.zeros(away.shape[:-1])
    for image in itertools.product((-1, 0, 1), repeat=3):
        distance = np.maximum(np.linalg.norm(away + edge * np.array(image), axis=-1), 1e-9)
        near += erfc(alpha * distance) / distance
    turns = [np.exp(2j * math.pi / edge * away[..., k][..., None] * np.arange(-13, 14)) for k in range(3)]
    numbers = np.arange(-13, 14)
    squares = (2 * math.pi / edge) ** 2 * (
        numbers[:, None, None] ** 2 + numbers[None, :, None] ** 2 + numbers[None, None, :] ** 2
    )
    with np.errstate(divide="ignore"):
        weights = np.where(squares > 0, np.exp(-squares / (4 * alpha**2)) / squares, 0.0)
    if away.ndim == 4:  # a grid: the waves are products
        x, y, z = turns[0][:, 0, 0], turns[1][0, :, 0], turns[2][0, 0, :]
        waves = np.einsum("ia,jb,kc,abc->ijk", x, y, z, weights, optimize=True).real
    else:
        waves = np.einsum("na,nb,nc,abc->n", *turns, weights, optimize=True).real
    return near + 4 * math.pi / edge**3 * waves - math.pi / (edge**3 * alpha**2)


def _between(grid: np.ndarray, place: np.ndarray) -> float:
    first = np.floor(place).astype(int)
    part = place - first
    value = 0.0
    for corner in itertools.product((0, 1), repeat=3):
        weight = np.prod(np.where(corner, part, 1 - part))
        value += weight * grid[tuple(first + corner)]
    return value
