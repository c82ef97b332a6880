"""Networks of ligands whose answer is known."""

from __future__ import annotations

import numpy as np

from gibbsflow.binding.network.design.links import Candidates, candidates_from
from gibbsflow.binding.network.maximum_likelihood import Link

PAIRS = ((0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (3, 4), (4, 5), (5, 0), (5, 1))
"""Six ligands in nine edges: four independent cycles, no edge without one."""


def ligand_names(count: int) -> list[str]:
    return [f"L{number:02d}" for number in range(count)]


def true_dg(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(-8, 1.5, count)


def links_of(dg, errors, noise=None, pairs=PAIRS) -> list[Link]:
    """Edges with the differences of given free energies, and noise in units of their errors."""
    names = ligand_names(len(dg))
    shift = np.zeros(len(pairs)) if noise is None else np.asarray(noise) * errors
    return [
        Link(names[a], names[b], float(dg[b] - dg[a] + d), float(e))
        for (a, b), d, e in zip(pairs, shift, np.broadcast_to(errors, len(pairs)), strict=True)
    ]


def scattered(count: int, seed: int, hardest: float = 0.8) -> Candidates:
    """Ligands as points in a cube; how far two lie apart is how hard they are to transform."""
    points = dict(zip(ligand_names(count), np.random.default_rng(seed).random((count, 3)), strict=True))
    return candidates_from(points, lambda a, b: min(1.0, float(np.linalg.norm(points[a] - points[b]))), hardest)
