"""Surfaces: slabs cut from the parents, with vacuum along z."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gibbsflow.config.potential import Generator, Target
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
    from ase.build import surface

    made = []
    for parent in parents:
        if not parent.pbc.all():
            continue
        for indices in settings.surface_indices:
            slab = surface(parent, indices, settings.surface_layers, vacuum=settings.surface_vacuum_angstrom / 2)
            slab.pbc = True
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
