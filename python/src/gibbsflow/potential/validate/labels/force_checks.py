"""Checks of forces that no run can give: all zero where nothing holds the atoms, or those of another structure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import pdist

from gibbsflow.config.structures.molecules import parts
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.data.twins import DISTANCE_ANGSTROM, VOLUME_SHARE, same_distances, sorted_distances
from gibbsflow.potential.validate.labels.audited import Audited

if TYPE_CHECKING:
    from ase import Atoms

_NONE_EV_PER_ANGSTROM = 1e-9
_SOME_EV_PER_ANGSTROM = 1e-3
_DIGITS = 9
_TOUCH = 1.5
"""Sums of covalent radii within which atoms feel each other, whatever made the label."""
_SYMMETRY_ANGSTROM = 1e-3


def check_zero_forces(labels: Sequence[Audited]) -> None:
    """Enter the reason ``no_force`` where no atom has any force, and symmetry does not say so.

    Parameters
    ----------
    labels
        Whole labels; of those that are periodic in all directions, with atoms that touch.
    """
    for label in labels:
        if label.frame is None or label.frame.isolated or not label.frame.atoms.pbc.all():
            continue
        if np.abs(label.frame.forces_ev_per_angstrom).max() <= _NONE_EV_PER_ANGSTROM and _free(label.frame.atoms):
            label.reasons["no_force"] = "every force is exactly zero, though symmetry holds not every atom"


def check_copied_forces(labels: Sequence[Audited]) -> None:
    """Enter the reason ``copied`` where two structures have the same forces in every digit: one of both has another's.

    Shifted, turned or mirrored copies of one structure may have them, and one molecule in two boxes, which an engine of
    short range does not feel. Which of two has lost its own is not known, so that both are held.

    Parameters
    ----------
    labels
        Whole labels.
    """
    groups: dict[Hashable, list[tuple[Audited, LabelledFrame]]] = {}
    for label in labels:
        if label.frame is not None and len(label.frame.atoms) > 1:
            forces = label.frame.forces_ev_per_angstrom
            if np.abs(forces).max() > _SOME_EV_PER_ANGSTROM:
                # adding zero: there is no -0.0 then
                groups.setdefault((forces.round(_DIGITS) + 0.0).tobytes(), []).append((label, label.frame))
    for members in groups.values():
        for (one, a), (other, b) in combinations(members, 2):
            if not (_one_structure(a, b) or _one_molecule(a.atoms, b.atoms)):
                for label, twin in ((one, other), (other, one)):
                    label.reasons["copied"] = f"its forces are those of {twin.name}, another structure, in every digit"


def _one_structure(one: LabelledFrame, other: LabelledFrame) -> bool:
    if sorted(one.atoms.numbers) != sorted(other.atoms.numbers):
        return False
    # plane waves repeat what is periodic nowhere, too: one box, said to be periodic or not, has one set of forces
    if one.atoms.pbc.all() and other.atoms.pbc.all():
        volumes = one.atoms.get_volume(), other.atoms.get_volume()
        if abs(volumes[0] - volumes[1]) > VOLUME_SHARE * max(volumes):
            return False
    return same_distances(sorted_distances(one), sorted_distances(other))


def _one_molecule(one: Atoms, other: Atoms) -> bool:
    """Whether both hold one molecule, the same, in whatever box."""
    if one.numbers.tolist() != other.numbers.tolist():
        return False
    whole = []
    for atoms in (one, other):
        found = parts(atoms)
        if len(found.finite) > 1 or not found.finite[0]:
            return False
        whole.append(atoms.positions + found.images @ atoms.cell.array)
    apart = pdist(whole[0]) - pdist(whole[1])
    return bool(np.abs(apart).max() <= DISTANCE_ANGSTROM)


def _free(atoms: Atoms) -> bool:
    """Whether symmetry leaves any force: of a vector for each atom, drawn at random, what it makes of it."""
    from ase.data import covalent_radii
    from ase.neighborlist import neighbor_list
    from ase.spacegroup.symmetrize import prep_symmetry, symmetrize_rank1
    from spglib import get_symmetry_dataset

    reach = _TOUCH * 2 * float(covalent_radii[atoms.numbers].max())
    first, second, distance = neighbor_list("ijd", atoms, reach)
    if not (distance < _TOUCH * (covalent_radii[atoms.numbers[first]] + covalent_radii[atoms.numbers[second]])).any():
        return False
    if (
        get_symmetry_dataset((atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers), _SYMMETRY_ANGSTROM)
        is None
    ):
        return False  # nothing is known of it
    rotations, translations, mapping = prep_symmetry(atoms, symprec=_SYMMETRY_ANGSTROM)
    drawn = np.random.default_rng(1).normal(size=(len(atoms), 3))
    left = symmetrize_rank1(atoms.cell.array, atoms.cell.reciprocal().array.T, drawn, rotations, translations, mapping)
    return bool(np.abs(left - left.mean(axis=0)).max() > _SYMMETRY_ANGSTROM)
