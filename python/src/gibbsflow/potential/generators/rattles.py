"""Rattles: random displacements that keep a minimum distance."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.data.formats.mesh_cells import mesh_of
from gibbsflow.potential.data.structures import closest_pair_angstrom, tag
from gibbsflow.potential.generators.parents import parent_of, seeded_rng
from gibbsflow.potential.generators.strains import deformed

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
_TRIES = 100


def make(parents: Sequence[Atoms], target: Target, settings: Generator) -> list[Atoms]:  # noqa: ARG001 - one call for all
    """Rattle each parent at each standard deviation, periodic ones with a small random strain as well.

    Parameters
    ----------
    parents
        Tagged structures.
    target
        Not used.
    settings
        Standard deviations, structures for each, least distance, largest strain, and the seed.

    Returns
    -------
    list of Atoms
        Parent by parent, in the order of the standard deviations; `sigma_angstrom` in `info`.
    """
    made = []
    for parent in parents:
        limit = settings.minimum_distance_ratio * closest_pair_angstrom(parent)
        for sigma in settings.rattle_sigma_angstrom:
            for number in range(settings.rattle_count):
                rng = seeded_rng(settings, "rattles", parent.info["gibbsflow_id"], sigma, number)
                start = parent
                if parent.pbc.all() and settings.rattle_strain_max:
                    strain = rng.uniform(-settings.rattle_strain_max, settings.rattle_strain_max, (3, 3))
                    start = deformed(parent, (strain + strain.T) / 2)
                atoms = rattled(start, sigma, limit, rng)
                made.append(
                    tag(
                        atoms,
                        "rattle",
                        generator="rattles",
                        seed=settings.generator_seed,
                        parent=parent_of(parent),
                        sigma_angstrom=sigma,
                        **mesh_of(parent, atoms),
                    )  # fmt: skip
                )
    return made


def displaced(frames: Sequence[Atoms], settings: Generator) -> list[Atoms]:
    """Rattle defects and slabs a little, one copy of each: where symmetry holds atoms, forces at rest say nothing.

    A fit to such structures at rest knows what a vacancy or a surface costs, and not that its neighbours keep their
    places.

    Parameters
    ----------
    frames
        Tagged structures.
    settings
        The smallest of its standard deviations is taken; least distance, and the seed.

    Returns
    -------
    list of Atoms
        In their order and in their cells, with the tags of the originals; `sigma_angstrom` in `info`.
    """
    made = []
    sigma = min(settings.rattle_sigma_angstrom)
    for frame in frames if settings.rattle_count else ():
        rng = seeded_rng(settings, "displaced", frame.info["gibbsflow_id"], sigma)
        limit = settings.minimum_distance_ratio * closest_pair_angstrom(frame)
        own = {key: frame.info[key] for key in ("generator", "seed", "miller") if key in frame.info}
        made.append(
            tag(
                rattled(frame, sigma, limit, rng),
                frame.info["config_type"],
                parent=parent_of(frame),
                sigma_angstrom=sigma,
                **own,
            )
        )
    return made


def rattled(atoms: Atoms, sigma_angstrom: float, limit_angstrom: float, rng: np.random.Generator) -> Atoms:
    """Displace atom after atom by a Gaussian, drawing again where it would come closer to another than the limit.

    As the Monte-Carlo rattle of hiPhive (Eriksson, Fransson, Erhart, Adv. Theory Simul. 2, 1800184 (2019)), with a
    sharp limit. An atom that finds no place in 100 draws stays where it is.

    Parameters
    ----------
    atoms
        The structure; it stays as it is.
    sigma_angstrom
        Standard deviation of each Cartesian displacement in Å.
    limit_angstrom
        Distance in Å that a moved atom keeps from all others, images included.
    rng
        Random numbers.

    Returns
    -------
    Atoms
        The rattled copy.
    """
    made: Atoms = atoms.copy()
    for index in rng.permutation(len(made)):
        old = made.positions[index].copy()
        for _ in range(_TRIES):
            made.positions[index] = old + rng.normal(0, sigma_angstrom, 3)
            if len(made) == 1 or _closest(made, int(index)) >= limit_angstrom:
                break
        else:
            made.positions[index] = old
    return made


def _closest(atoms: Atoms, index: int) -> float:
    others = [i for i in range(len(atoms)) if i != index]
    return float(atoms.get_distances(index, others, mic=bool(atoms.pbc.any())).min())
