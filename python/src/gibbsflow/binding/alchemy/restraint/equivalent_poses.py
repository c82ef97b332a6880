"""Equivalent poses: which of the images that symmetry makes of a held pose the free ligand came to by itself.

A symmetry of the ligand or of its host that moves an anchor makes of the held pose another one, which differs in the
numbers of atoms alone and is bound as well. An unrestrained simulation that comes to it counts it; one that does not
leaves out −kT ln of those that are missing (Mobley, Chodera, Dill, J. Chem. Phys. 125, 084902 (2006)).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint
from gibbsflow.binding.geometry import boresch_geometry, superposed
from gibbsflow.units import Floats

RIGID_ANGSTROM = 1.0
"""A host that lies on itself within this after its atoms are renumbered is turned; otherwise it would be mirrored."""
MOST_IMAGES = 2000
"""Images that are looked at."""


@dataclass(frozen=True)
class EquivalentPoses:
    """Images of a held pose.

    Attributes
    ----------
    there
        How many there are, the held one among them; at most: an image may be out of reach of any motion.
    seen
        How many of them the frames came to.
    """

    there: int
    seen: int

    @property
    def missing(self) -> int:
        """Give the symmetry number that would make up for what was not seen.

        Returns
        -------
        int
            1 where all poses were seen.
        """
        return max(1, round(self.there / self.seen))


def equivalent_poses(
    restraint: BoreschRestraint,
    frames_angstrom: Floats,
    kt_kcal_per_mol: float,
    ligand_maps: Sequence[Mapping[int, int]],
    host_maps: Sequence[Mapping[int, int]] = (),
) -> EquivalentPoses:
    """Count the images of a pose, and those that an unrestrained simulation came to.

    An image counts as seen where the restraint, put on it, has in some frame no more energy than the best image has in
    the worst frame.

    Parameters
    ----------
    restraint
        Holds one pose.
    frames_angstrom
        Unrestrained frames of the complex, shape (F, N, 3), Å.
    kt_kcal_per_mol
        Thermal energy.
    ligand_maps, host_maps
        Ways in which each maps onto itself: atom by atom of the complex, the identity among them.

    Returns
    -------
    EquivalentPoses
        Of images that differ in an anchor.
    """
    turned = [one for one in host_maps if _turns(frames_angstrom[0], one)]
    sites = _images(restraint.receptor, turned)
    guests = _images(restraint.ligand, ligand_maps)
    pairs = list(itertools.islice(itertools.product(sites, guests), MOST_IMAGES))
    energies = np.array([_energy(restraint, frames_angstrom, *pair) for pair in pairs]) / kt_kcal_per_mol
    seen = energies.min(axis=1) <= energies.min(axis=0).max()
    return EquivalentPoses(len(pairs), int(seen.sum()))


def _images(anchors: tuple[int, int, int], maps: Sequence[Mapping[int, int]]) -> list[tuple[int, int, int]]:
    """Where mappings take anchors, each place once."""
    found = [(one[anchors[0]], one[anchors[1]], one[anchors[2]]) for one in maps]
    return list(dict.fromkeys([anchors, *found]))


def _turns(frame: Floats, one: Mapping[int, int]) -> bool:
    """Whether a rotation carries out a mapping."""
    here, there = list(one), list(one.values())
    both = np.stack([frame[here], frame[there]])
    laid = superposed(both, range(len(here)))
    return float(np.sqrt(((laid[1] - laid[0]) ** 2).sum(axis=-1).mean())) <= RIGID_ANGSTROM


def _energy(
    restraint: BoreschRestraint, frames: Floats, receptor: tuple[int, int, int], ligand: tuple[int, int, int]
) -> Floats:
    """Energy of the restraint on other anchors, kcal/mol, shape (F,)."""
    x = boresch_geometry(frames, receptor, ligand) - [
        restraint.r0_angstrom, restraint.theta_a_deg, restraint.theta_b_deg,
        restraint.phi_a_deg, restraint.phi_b_deg, restraint.phi_c_deg,
    ]  # fmt: skip
    x[:, 3:] = (x[:, 3:] + 180) % 360 - 180
    angles = np.radians(x[:, 1:])
    k_r, k_angle = restraint.k_r_kcal_per_mol_angstrom2, restraint.k_angle_kcal_per_mol_rad2
    energy: Floats = 0.5 * k_r * x[:, 0] ** 2 + 0.5 * k_angle * (angles**2).sum(axis=1)
    return energy
