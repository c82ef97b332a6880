"""Systems along λ whose free energies are known by quadrature, sampled by Metropolis Monte Carlo, many at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad

TEMPERATURE_K = 300.0
LAMBDAS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Toy:
    """One system.

    Attributes
    ----------
    potential
        Reduced energy of positions, shape (..., d), in the state λ: shape (...); infinite where it must not go.
    dimensions
        d: 1, or 3 for a potential of the distance from the origin alone.
    reach
        Distance from the origin that the quadrature ends at.
    step
        Width of a trial move.
    moves
        Trial moves between two samples.
    start
        Where every walker begins, on the first axis.
    """

    potential: Callable[[np.ndarray, float], np.ndarray]
    dimensions: int
    reach: float
    step: float
    moves: int
    start: float

    @property
    def truth_kt(self) -> float:
        """G(λ = 1) − G(λ = 0) by quadrature, kT."""

        def _log_z(lam: float) -> float:
            def _weight(x: float) -> float:
                place = np.zeros(self.dimensions)
                place[0] = x
                measure = x * x if self.dimensions == 3 else 1.0
                return measure * float(np.exp(-self.potential(place, lam)))

            low = 0.0 if self.dimensions == 3 else -self.reach
            return float(np.log(quad(_weight, low, self.reach, limit=500, points=[self.start])[0]))

        return _log_z(0.0) - _log_z(1.0)

    def sample(self, seeds: int, samples: int, rng: np.random.Generator, *, exchange: bool) -> tuple[np.ndarray, ...]:
        """Run `seeds` ladders of windows side by side; a tenth as many samples before is thrown away.

        Returns
        -------
        u
            Reduced energies, shape (samples, seeds, windows, states).
        walker
            Walker in each window, shape (samples, seeds, windows).
        """
        lams = np.array(LAMBDAS)
        x = np.zeros((seeds, len(lams), self.dimensions))
        x[..., 0] = self.start
        walker = np.broadcast_to(np.arange(len(lams)), (seeds, len(lams))).copy()
        equilibration = samples // 10
        energies, walkers = [], []
        for n in range(-equilibration, samples):
            own = self.potential(x, lams)
            for _ in range(self.moves):
                trial = x + self.step * rng.standard_normal(x.shape)
                there = self.potential(trial, lams)
                taken = np.log(rng.random(own.shape)) < own - there
                x[taken], own[taken] = trial[taken], there[taken]
            u = np.stack([self.potential(x, lam) for lam in lams], axis=-1)
            if n >= 0:  # before the swap, with which samples and walkers stay with their windows
                energies.append(u)
                walkers.append(walker.copy())
            if exchange:
                _swap(x, walker, u, n % 2, rng)
        return np.array(energies), np.array(walkers)


def _swap(x: np.ndarray, walker: np.ndarray, u: np.ndarray, first: int, rng: np.random.Generator) -> None:
    for i in range(first, len(LAMBDAS) - 1, 2):
        gain = u[:, i, i] + u[:, i + 1, i + 1] - u[:, i, i + 1] - u[:, i + 1, i]
        taken = np.flatnonzero(np.log(rng.random(len(gain))) < gain)
        for array in (x, walker):
            array[taken, i], array[taken, i + 1] = array[taken, i + 1].copy(), array[taken, i].copy()


def _distance(x: np.ndarray) -> np.ndarray:
    return np.sqrt((x**2).sum(axis=-1))


def _harmonic(x: np.ndarray, lam: float) -> np.ndarray:
    return 0.5 * 20.0**lam * (x**2).sum(axis=-1)


def _lennard_jones(x: np.ndarray, lam: float) -> np.ndarray:
    """Soft-core pair, ε = 1.5 kT, σ = 1, in a hard sphere of 2.5 σ; λ = 1 is decoupled."""
    r = _distance(x)
    sixth = 1.0 / (0.5 * np.asarray(lam) + r**6)
    return np.where(r < 2.5, 4 * 1.5 * (1 - np.asarray(lam)) * (sixth**2 - sixth), np.inf)


def _double_well(x: np.ndarray, lam: float) -> np.ndarray:
    """Two wells at ±1, equal at λ = 0 with 7 kT between them; at λ = 1 two kT apart with 1 kT between."""
    x = x[..., 0]
    return (7.0 - 6.0 * np.asarray(lam)) * (x**2 - 1) ** 2 + np.asarray(lam) * x


def _host_guest(x: np.ndarray, lam: float) -> np.ndarray:
    """Particle in a Gaussian host of 8 kT and width 0.7 in a hard sphere of 2.5; λ = 1 is decoupled."""
    r = _distance(x)
    return np.where(r < 2.5, -8.0 * (1 - np.asarray(lam)) * np.exp(-(r**2) / (2 * 0.7**2)), np.inf)


TOYS = {
    "harmonic": Toy(_harmonic, 3, 12.0, 0.6, 5, 0.5),
    "lennard_jones": Toy(_lennard_jones, 3, 2.5, 0.7, 5, 1.15),
    "double_well": Toy(_double_well, 1, 4.0, 0.35, 8, -1.0),
    "host_guest": Toy(_host_guest, 3, 2.5, 0.6, 5, 0.5),
}
"""By name. The double well is the slow one: at λ = 0 a walker by itself crosses about once in a hundred samples."""
