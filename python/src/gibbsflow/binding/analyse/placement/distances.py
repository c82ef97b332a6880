"""How far neighbouring states of a leg are from each other: thermodynamic lengths, from the energies of its samples.

The length of a path is ∫ √g dλ, with the metric g = var(∂u/∂λ) (Fisher–Rao). Between two states at some distance it is
taken from what their distributions p and q share, by the weights that MBAR gives each sample in each state:

* ``length``: √(−8 ln Σ√(p q)), from the Bhattacharyya coefficient;
* ``overlap``: the distance at which two Gaussians of one width share as much of Σ 2pq/(p + q), the overlap on which the
  error of BAR and the acceptance of exchange rest.

Both are exact for Gaussians that shift, and equal √g dλ for states that are near each other.

References
----------
Shenfeld, Xu, Eastwood, Dror and Shaw, Phys. Rev. E 80, 046705 (2009); Crooks, Phys. Rev. Lett. 99, 100602 (2007);
Bhattacharyya, Bull. Calcutta Math. Soc. 35, 99 (1943); Bennett, J. Comput. Phys. 22, 245 (1976).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from gibbsflow.binding.analyse.estimators import DISJOINT_KT, fit_mbar
from gibbsflow.binding.sample.energies import Energies
from gibbsflow.errors import UnconvergedError
from gibbsflow.units import Floats, Ints

Mask = npt.NDArray[np.bool_]
By = Literal["length", "overlap"]
"""What is made equal between neighbours."""
MOST_LENGTH = 12.0
"""Longest distance that is believed of one interval: beyond, samples do not tell how much farther it is."""


@dataclass(frozen=True)
class Distances:
    """How far neighbouring states are from each other.

    Attributes
    ----------
    length
        From the Bhattacharyya coefficient, shape (K − 1,), dimensionless.
    overlap
        Σ 2pq/(p + q), 1 for the same distribution, shape (K − 1,).
    disjoint
        Whether samples on both sides share no energies, so that `length` is a lower bound, shape (K − 1,).
    """

    length: Floats
    overlap: Floats
    disjoint: tuple[bool, ...]

    def by(self, what: By) -> Floats:
        """Give the distances that are to be made equal.

        Parameters
        ----------
        what
            ``length`` or ``overlap``.

        Returns
        -------
        ndarray
            Shape (K − 1,), both in the unit of a thermodynamic length.
        """
        if what == "length":
            return self.length
        return np.where(self.disjoint, self.length, distance_of_overlap(self.overlap))


def neighbour_distances(energies: Energies) -> Distances:
    """Measure all neighbours of a leg, those without samples of their own by reweighting.

    Parameters
    ----------
    energies
        Of one leg and replicate; windows may be missing.

    Returns
    -------
    Distances
        Of each pair of neighbouring states.

    Raises
    ------
    UnconvergedError
        Where the MBAR equations have no solution, or fewer than two states have samples.
    """
    if len(energies.sampled) < 2:
        raise UnconvergedError(f"samples of {len(energies.sampled)} state, and distances need two")
    u = energies.u_all.to_numpy()
    drawn_from = energies.u_nk.index.get_level_values("state").to_numpy()
    blocks = _blocks(energies, u, drawn_from)
    log_weight = np.full((len(u), len(energies.states)), -np.inf)
    for first, last, sampled in blocks:
        rows = np.isin(drawn_from, sampled)
        f_kt = np.zeros(1)
        if len(sampled) > 1:
            f_kt = fit_mbar(energies.u_nk.loc[rows, sampled]).delta_f_.iloc[0].to_numpy()
        counts = np.array([np.sum(drawn_from == state) for state in sampled])
        mixture = logsumexp(f_kt - u[rows][:, sampled], axis=1, b=counts)
        inside = -u[rows, first : last + 1] - mixture[:, None]
        log_weight[rows, first : last + 1] = inside - logsumexp(inside, axis=0)
    ends = {last for _, last, _ in blocks[:-1]}
    length, overlap = [], []
    for state in range(len(energies.states) - 1):
        p, q = log_weight[:, state], log_weight[:, state + 1]
        if state in ends:
            length.append(_across(u, drawn_from, state, next(b for b in blocks if b[1] == state)[2], blocks))
            overlap.append(0.0)
            continue
        shared = min(0.0, float(logsumexp(0.5 * (p + q))))
        length.append(min(MOST_LENGTH, float(np.sqrt(-8 * shared))))
        here = np.isfinite(p) & np.isfinite(q)
        both = np.logaddexp(p[here], q[here])
        overlap.append(min(1.0, float(np.exp(logsumexp(np.log(2) + p[here] + q[here] - both)))))
    return Distances(np.array(length), np.array(overlap), tuple(state in ends for state in range(len(length))))


def mean_distances(every: Sequence[Distances]) -> Distances:
    """Put the distances of several replicates together.

    Parameters
    ----------
    every
        Of the same states, one or more.

    Returns
    -------
    Distances
        Their means; disjoint where any is.
    """
    return Distances(
        np.mean([one.length for one in every], axis=0),
        np.mean([one.overlap for one in every], axis=0),
        tuple(any(pair) for pair in zip(*(one.disjoint for one in every), strict=True)),
    )


def distance_of_overlap(overlap: Floats) -> Floats:
    """Say how far apart two Gaussians of one width are that overlap so much.

    Parameters
    ----------
    overlap
        ∫ 2pq/(p + q), from 0 to 1.

    Returns
    -------
    ndarray
        In units of their width, at most `MOST_LENGTH`.
    """
    distance, of_distance = _gaussians()
    return np.interp(overlap, of_distance[::-1], distance[::-1])


def overlap_of_distance(distance: Floats) -> Floats:
    """Say how much two Gaussians of one width overlap.

    Parameters
    ----------
    distance
        Of their centres, in units of their width.

    Returns
    -------
    ndarray
        ∫ 2pq/(p + q), from 0 to 1.
    """
    return np.interp(distance, *_gaussians())


@cache
def _gaussians() -> tuple[Floats, Floats]:
    """Distances from 0 to `MOST_LENGTH`, and the overlap at each; the integrand is smooth, so that sums are exact."""
    distance, x = np.linspace(0.0, MOST_LENGTH, 601), np.linspace(-10.0, MOST_LENGTH + 10.0, 1601)
    p = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    q = np.exp(-0.5 * (x - distance[:, None]) ** 2) / np.sqrt(2 * np.pi)
    both = p + q
    shared = np.divide(2 * p * q, both, out=np.zeros_like(both), where=both > 0)
    return distance, np.minimum(1.0, shared.sum(axis=1) * (x[1] - x[0]))


_Block = tuple[int, int, list[int]]
"""First and last state of a stretch that samples connect, and its states with samples."""


def _blocks(energies: Energies, u: Floats, drawn_from: Ints) -> list[_Block]:
    """Cut the states where samples of two neighbours share no energies, for there MBAR has nothing to say."""
    parts = [[energies.sampled[0]]]
    for left, right in zip(energies.sampled, energies.sampled[1:], strict=False):
        if _gap_kt(u, drawn_from == left, drawn_from == right, left, right) > DISJOINT_KT:
            parts.append([])
        parts[-1].append(right)
    firsts = [0, *(part[0] for part in parts[1:])]
    return [(a, b - 1, part) for a, b, part in zip(firsts, [*firsts[1:], len(energies.states)], parts, strict=True)]


def _gap_kt(u: Floats, of_left: Mask, of_right: Mask, left: int, right: int) -> float:
    """Gap between the energy differences seen on both sides; negative where they share some."""
    difference = u[:, right] - u[:, left]
    return float(difference[of_left].min() - difference[of_right].max())


def _across(u: Floats, drawn_from: Ints, state: int, left: Sequence[int], blocks: Sequence[_Block]) -> float:
    """Shortest distance that fits what was seen where nothing connects two states: √(2 gap), from −8 ln Σ√(p q)."""
    right = next(sampled for first, _, sampled in blocks if first == state + 1)
    of_left, of_right = np.isin(drawn_from, left[-1:]), np.isin(drawn_from, right[:1])
    gap = max(DISJOINT_KT, _gap_kt(u, of_left, of_right, state, state + 1))
    return min(MOST_LENGTH, float(np.sqrt(2 * gap)))
