"""Surfaces: slabs cut from the parents, with vacuum along z."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential import Generator, Target
from gibbsflow.config.structures.molecules import NON_METALS, molecular_ions, of_molecules, parts
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators.parents import parent_of

if TYPE_CHECKING:
    from ase import Atoms


def make(parents: Sequence[Atoms], target: Target, settings: Generator) -> list[Atoms]:  # noqa: ARG001 - one call for all
    """Cut each periodic parent along each set of Miller indices; the slab stays periodic along z, with vacuum.

    Parameters
    ----------
    parents
        Tagged structures; those that are not periodic in all directions give nothing.
    target
        Not used.
    settings
        Miller indices, layers and vacuum.

    Returns
    -------
    list of Atoms
        Parent by parent, in the order of the indices; `miller` in `info`.
    """
    made = []
    for parent in parents:
        if not parent.pbc.all():
            continue
        for indices in settings.surface_indices:
            slab = cut(parent, indices, settings.surface_layers, settings.surface_vacuum_angstrom)
            made.append(
                tag(
                    slab,
                    "surface",
                    generator="surfaces",
                    seed=settings.generator_seed,
                    parent=parent_of(parent),
                    miller="".join(f"({i})" for i in indices),
                )  # fmt: skip
            )
    return made


def cut(parent: Atoms, indices: Sequence[int], layers: int, vacuum_angstrom: float) -> Atoms:
    """Cut a crystal along a plane, between its molecules and molecular ions where it has some.

    Such a slab begins where the centres of its parts are farthest apart along the normal, and has each part whole.

    Parameters
    ----------
    parent
        A crystal, periodic along all vectors.
    indices
        Miller indices of its cell.
    layers
        Lattice planes.
    vacuum_angstrom
        Between the slab and its next image, in Å.

    Returns
    -------
    Atoms
        Periodic along all vectors, with the composition of the crystal, its third vector normal to the faces.
    """
    from ase.build import surface

    plane = tuple(int(i) for i in indices)
    elements = None if of_molecules(parent) else NON_METALS
    if elements is None or molecular_ions(parent) is not None:
        made = _between_parts(parent, plane, layers, elements)
        made.center(vacuum=vacuum_angstrom / 2, axis=2)
    else:
        made = surface(parent, plane, layers, vacuum=vacuum_angstrom / 2)
    made.pbc = True
    return made


def _between_parts(parent: Atoms, plane: tuple[int, ...], layers: int, elements: frozenset[str] | None) -> Atoms:
    """Take the whole parts whose centres lie in so many planes, out of a stack with more on either side."""
    from ase.build import surface

    whole = parts(parent, elements)
    largest = int(whole.sizes[whole.finite].max())
    unfolded = parent.positions + whole.images @ parent.cell.array
    across = max(float(np.ptp(unfolded[part], axis=0).max()) * math.sqrt(3) for part in whole.several())
    height = float(surface(parent, plane, 1, periodic=True).cell.array[2, 2])
    more = math.ceil(across / height) + 1
    # one plane more than is kept: the cut is at the widest gap, anywhere in the first
    stack = surface(parent, plane, layers + 2 * more + 1, periodic=True)
    stack.pbc = (True, True, False)
    found = parts(stack, elements)
    stack.positions += found.images @ stack.cell.array
    # what goes on through the crystal is cut between its atoms
    ending = (found.finite & (found.sizes <= largest))[found.of_atom]
    group = np.where(ending, found.of_atom, len(found.finite) + np.arange(len(stack)))
    _, group = np.unique(group, return_inverse=True)
    centre = (np.bincount(group, weights=stack.positions[:, 2]) / np.bincount(group))[group]
    inside = np.unique(np.round(centre[(centre >= more * height) & (centre <= (more + 1) * height)], 6))
    levels = np.append(inside, inside[0] + height)
    widest = int(np.argmax(np.diff(levels)))
    first = 0.5 * (levels[widest] + levels[widest + 1])
    made = stack[(centre > first) & (centre < first + layers * height)]
    made.cell[2] = 0.0
    return made
