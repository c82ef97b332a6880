"""Boxes of a liquid whose molecules are rigid: moved against each other, pressed together and drawn apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential import Generator
from gibbsflow.config.structures.molecules import Parts
from gibbsflow.potential.data.formats.mesh_cells import mesh_of
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators.parents import parent_of, seeded_rng
from gibbsflow.potential.generators.thermal import MOLECULES, RigidMoves

if TYPE_CHECKING:
    from ase import Atoms

_BOX_HOTTER = 3.0
_VOLUMES = 2.0
"""Times ``volume_strain_max``: rigid molecules bear more than bonds do."""


def packed(parent: Atoms, apart: Parts, settings: Generator) -> Iterator[Atoms]:
    """Shift and turn the molecules of a box as at three times the highest temperature, and scale their distances.

    Parameters
    ----------
    parent
        Tagged box of a liquid.
    apart
        Its molecules.
    settings
        ``molecule_count`` volumes from 1 - 2 ``volume_strain_max`` to 1 + 2 of it, temperatures, and the seed.

    Yields
    ------
    Atoms
        By rising volume; ``volume_ratio`` in ``info``.
    """
    moves = RigidMoves(parent, apart, MOLECULES)
    temperature = _BOX_HOTTER * max(settings.thermal_temperatures_k)
    largest = min(_VOLUMES * settings.volume_strain_max, 0.5)
    for number, ratio in enumerate(np.linspace(1 - largest, 1 + largest, max(settings.molecule_count, 2))):
        rng = seeded_rng(settings, "packings", parent.info["gibbsflow_id"], number)
        atoms = parent.copy()
        atoms.positions = moves.moved(atoms, temperature, rng)
        atoms = rigidly_scaled(atoms, apart, float(ratio))
        said = {"volume_ratio": float(ratio), **mesh_of(parent, atoms)}
        yield tag(
            atoms, "packing", generator="molecules", seed=settings.generator_seed, parent=parent_of(parent), **said
        )


def rigidly_scaled(atoms: Atoms, apart: Parts, ratio: float) -> Atoms:
    """Scale a box, whose molecules keep their shape and follow with their centres.

    Parameters
    ----------
    atoms
        The box; it stays as it is.
    apart
        Its molecules.
    ratio
        Of the volumes.

    Returns
    -------
    Atoms
        The scaled copy.
    """
    made: Atoms = atoms.copy()
    factor = ratio ** (1 / 3)
    lattice = apart.images @ atoms.cell.array
    whole, masses = atoms.positions + lattice, atoms.get_masses()
    for part in range(len(apart.finite)):
        own = apart.of_atom == part
        whole[own] += (factor - 1) * np.average(whole[own], axis=0, weights=masses[own])
    made.set_cell(atoms.cell.array * factor)
    made.positions = whole - factor * lattice
    return made
