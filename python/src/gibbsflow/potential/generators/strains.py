"""Strains: volumes around equilibrium, uniaxial and shear deformations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.data.formats.mesh_cells import mesh_of
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators.parents import parent_of

if TYPE_CHECKING:
    from ase import Atoms

_AXES = ((0, 0), (1, 1), (2, 2))
_PLANES = ((1, 2), (0, 2), (0, 1))


def make(parents: Sequence[Atoms], target: Target, settings: Generator) -> list[Atoms]:  # noqa: ARG001 - one call for all
    """Deform each periodic parent.

    Volumes V/V0 from 1 - `volume_strain_max` to 1 + `volume_strain_max` by equal scaling of all directions; uniaxial
    strains along x, y, z in turn; shears e_ij = e_ji in yz, xz, xy in turn; strains alternate in sign as they grow.

    Parameters
    ----------
    parents
        Tagged structures; those that are not periodic in all directions give nothing.
    target
        Not used.
    settings
        Sizes and numbers of the strains; the seed goes into the tag only, since nothing is drawn.

    Returns
    -------
    list of Atoms
        For each parent its volumes, smallest first, then uniaxial strains and shears in turn; `strain_kind` says which.
        Each keeps the mesh of k points of its parent.
    """
    made = []
    for parent in parents:
        if not parent.pbc.all():
            continue
        kinds = []
        for ratio in np.linspace(1 - settings.volume_strain_max, 1 + settings.volume_strain_max, settings.volume_steps):
            kinds.append(("volume", np.eye(3) * (ratio ** (1 / 3) - 1)))
        for number in range(settings.cell_strain_count):
            size = settings.cell_strain_max * (number + 1) / settings.cell_strain_count * (-1) ** number
            uniaxial, shear = np.zeros((3, 3)), np.zeros((3, 3))
            uniaxial[_AXES[number % 3]] = size
            i, j = _PLANES[number % 3]
            shear[i, j] = shear[j, i] = size / 2
            kinds += [("uniaxial", uniaxial), ("shear", shear)]
        for kind, strain in kinds:
            atoms = deformed(parent, strain)
            made.append(
                tag(
                    atoms,
                    "strain",
                    generator="strains",
                    seed=settings.generator_seed,
                    parent=parent_of(parent),
                    strain_kind=kind,
                    **mesh_of(parent, atoms),
                )  # fmt: skip
            )
    return made


def deformed(atoms: Atoms, strain: npt.ArrayLike) -> Atoms:
    """Deform the cell by 1 + strain; the atoms follow.

    Parameters
    ----------
    atoms
        The structure; it stays as it is.
    strain
        Strain tensor without dimension, shape (3, 3); row vectors of the cell are multiplied from the right.

    Returns
    -------
    Atoms
        The deformed copy.
    """
    copy: Atoms = atoms.copy()
    copy.set_cell(atoms.cell.array @ (np.eye(3) + np.asarray(strain)), scale_atoms=True)
    return copy
