"""What generators share: their seeds, distances, and the call that all have."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gibbsflow.config.potential import Generator, Target

if TYPE_CHECKING:
    from ase import Atoms

Make = Callable[["Sequence[Atoms]", Target, Generator], "list[Atoms]"]
"""Takes the tagged parents, the target and the settings; returns tagged structures."""


def random(settings: Generator, *words: object) -> np.random.Generator:
    """Random numbers of one purpose: the same for the same seed and words, whatever else was drawn."""
    text = "/".join(str(word) for word in (settings.generator_seed, *words))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little"))


def shortest_distance(atoms: Atoms, reach_angstrom: float = 8.0) -> float:
    """Distance of the two closest atoms in Å, images included; infinite where none is within reach."""
    from ase.neighborlist import neighbor_list

    distances = neighbor_list("d", atoms, reach_angstrom)
    return float(distances.min()) if len(distances) else float("inf")


def deformed(atoms: Atoms, strain: npt.ArrayLike) -> Atoms:
    """Return a copy under the deformation 1 + strain (3 × 3), atoms following."""
    copy: Atoms = atoms.copy()
    copy.set_cell(atoms.cell.array @ (np.eye(3) + np.asarray(strain)), scale_atoms=True)
    return copy


def parent_of(atoms: Atoms) -> str:
    """Id of the structure that all descendants of `atoms` are grouped by."""
    return str(atoms.info["parent"])
