"""Dimers of each pair of elements over a range of distances, and isolated atoms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.data.structures import tag

if TYPE_CHECKING:
    from ase import Atoms

CORE_WEIGHT = 1e-5
"""Of squared errors: 50 eV/Å in a core count as 0.16 eV/Å elsewhere."""
CLOSEST = 0.5
"""Shortest distance in sums of covalent radii: nearer than this, cores overlap and pseudopotentials mean nothing."""


def make(parents: Sequence[Atoms], target: Target, settings: Generator) -> list[Atoms]:
    """Make dimers, denser at short distances, from the range's start or half the sum of covalent radii on.

    Parameters
    ----------
    parents
        Tagged structures, for their elements where the target names none.
    target
        What elements; each pair is taken, also of an element with itself.
    settings
        Range and number of distances; the box holds twice the longest.

    Returns
    -------
    list of Atoms
        Two atoms in a box without periodicity, pair by pair, by rising distance; in `info` `distance_angstrom`, and
        `config_weight`: pairs in free space tell of the core, which must be steep and no more; with the weight of
        others they take the basis that molecules need.
    """
    from ase import Atoms
    from ase.data import atomic_numbers, covalent_radii

    low, high = settings.dimer_range_angstrom
    made = []
    for one, other in combinations_with_replacement(_elements(parents, target), 2):
        touching = covalent_radii[atomic_numbers[one]] + covalent_radii[atomic_numbers[other]]
        for distance in np.geomspace(max(low, CLOSEST * touching), high, settings.dimer_count):
            side = max(settings.box_angstrom, 2 * high)
            atoms = Atoms([one, other], [[0, 0, 0], [0, 0, distance]], cell=[side] * 3)
            atoms.center()
            made.append(
                tag(
                    atoms,
                    "dimer",
                    generator="dimers",
                    seed=settings.generator_seed,
                    distance_angstrom=float(distance),
                    config_weight=CORE_WEIGHT,
                )  # fmt: skip
            )
    return made


def make_atoms(parents: Sequence[Atoms], target: Target, settings: Generator) -> list[Atoms]:
    """Make one isolated atom of each element, for reference energies.

    Parameters
    ----------
    parents
        Tagged structures, for their elements where the target names none.
    target
        What elements.
    settings
        Side of the box.

    Returns
    -------
    list of Atoms
        One atom each, in a box without periodicity.
    """
    from ase import Atoms

    made = []
    for element in _elements(parents, target):
        atoms = Atoms(element, cell=[settings.box_angstrom] * 3)
        atoms.center()
        made.append(tag(atoms, "isolated_atom", generator="dimers", seed=settings.generator_seed))
    return made


def _elements(parents: Sequence[Atoms], target: Target) -> tuple[str, ...]:
    return target.elements or tuple(dict.fromkeys(s for atoms in parents for s in atoms.get_chemical_symbols()))
