#!/usr/bin/env python3
r"""The same question by Metropolis Monte Carlo, many seeds at once: other systems, at a fraction of the cost.

    python benchmarks/coverage/metropolis.py --out benchmarks/coverage/seeds_metropolis.csv

Writes batches of 200 seeds of each cell (``--batches``) to a file as that of `run.py`, whose ``table`` reads it. A seed
is one replicate of one leg: 200 samples in each of five windows. Blocks and their error are the product's; MBAR's
equations are solved here, and its own error is that of the influence of uncorrelated samples. The verdict is that of
blocks and of the number of uncorrelated samples alone.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from run import COLUMNS, written
from scipy.integrate import quad
from scipy.special import logsumexp

from gibbsflow.binding.analyse.estimators import MIN_UNCORRELATED, decorrelated
from gibbsflow.binding.analyse.uncertainty.blocks import block_error
from gibbsflow.binding.analyse.uncertainty.influence import influence
from gibbsflow.binding.analyse.uncertainty.intervals import combine_replicates
from gibbsflow.binding.analyse.verdict import Thresholds
from gibbsflow.binding.sample.energies import Energies, Window, join_windows
from gibbsflow.units import Floats

SAMPLES = 200
BATCH = 200
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


def leg_of(u: np.ndarray, walker: np.ndarray) -> Energies:
    """Energies of one leg from u, shape (samples, windows, states), and walkers, shape (samples, windows)."""
    meta = {
        "temperature_k": TEMPERATURE_K,
        "leg": "complex",
        "transformation": "toy",
        "replicate": 0,
        "states": [{"lambda_sterics": 1 - lam} for lam in LAMBDAS],
    }
    times = np.arange(1.0, len(u) + 1)
    windows = [Window(Path(f"window_{k:02d}"), k, times, walker[:, k], u[:, k], meta) for k in range(len(LAMBDAS))]
    return join_windows(windows, temperature_k=TEMPERATURE_K)


def solved_kt(energies: Energies) -> Floats:
    """MBAR's free energies: ten rounds of its equations, then Newton's method."""
    u, state = energies.u_nk.to_numpy(), energies.u_nk.index.get_level_values("state").to_numpy(dtype=int)
    counts = np.bincount(state, minlength=u.shape[1]).astype(float)
    f = np.zeros(u.shape[1])
    for number in range(50):
        weights = np.exp(f - u - logsumexp(f - u, axis=1, b=counts, keepdims=True))
        if number < 10:
            f = f - np.log(weights.sum(axis=0))
            f -= f[0]
            continue
        pairs = weights * counts
        slope = np.diag(pairs.sum(axis=0)) - pairs.T @ pairs
        step = np.linalg.solve(slope[1:, 1:], (counts * (1 - weights.sum(axis=0)))[1:])
        f[1:] += step
        if np.abs(step).max() < 1e-9:
            break
    return f


def own_error_kt(energies: Energies) -> tuple[float, int]:
    """MBAR's error from uncorrelated samples, or √g times that of all, and the fewest of a window."""
    correlation, uncorrelated = decorrelated(energies)
    fewest = min(correlation.uncorrelated)
    used = replace(energies, u_nk=uncorrelated, replica=None) if fewest >= MIN_UNCORRELATED else energies
    added = influence(used, solved_kt(used))
    state = used.u_nk.index.get_level_values("state").to_numpy(dtype=int)
    variance = sum(((part := added[state == k]) - part.mean()) @ (part - part.mean()) for k in energies.sampled)
    longest = 1.0 if used is not energies else SAMPLES / fewest
    return float(np.sqrt(variance * longest)), fewest


def row_of(energies: Energies, truth: float) -> list[float | str]:
    """Figures of one replicate, in the order of COLUMNS from the truth on."""
    limits, f = Thresholds(), solved_kt(energies)
    blocks, (mbar, fewest) = block_error(energies, f), own_error_kt(energies)
    error = blocks.error_kt if blocks.independent else max(blocks.error_kt, mbar)
    half = combine_replicates([f[-1]], [error], [blocks.dof]).half_width(0.95)
    doubted = (
        blocks.contradiction > limits.contradiction_sigma
        or blocks.correlation > limits.block_correlation_warn
        or fewest < limits.samples_warn
    )
    figures = [
        truth, f[-1], f[-1] - half, f[-1] + half, error, blocks.dof, mbar, blocks.error_kt, blocks.correlation,
        blocks.contradiction, fewest,
    ]  # fmt: skip
    return [*map(float, figures), "WARN" if doubted else "PASS"]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=1)
    parser.add_argument("--system", choices=list(TOYS), action="append", help="only this one; repeatable")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with given.out.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for name in given.system or TOYS:
            for exchange in (False, True):
                for batch in range(given.batches):
                    rng = np.random.default_rng([77 + batch, list(TOYS).index(name), exchange])
                    u, walker = TOYS[name].sample(BATCH, SAMPLES, rng, exchange=exchange)
                    for one in range(BATCH):
                        row = row_of(leg_of(u[:, one], walker[:, one]), TOYS[name].truth_kt)
                        writer.writerow([name, int(exchange), batch * BATCH + one, *written(row)])
                file.flush()


if __name__ == "__main__":
    main()
