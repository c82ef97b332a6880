"""Dummy atoms of the OPM database: two planes of DUM, N below and O above, where the tails of a membrane end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gibbsflow.binding.facts import MembranePlanes
from gibbsflow.binding.prepare.protein.atom_records import AtomRecord, StructureFile
from gibbsflow.workflow.account import Account

DUMMY = "DUM"
FEWEST = 3
FLAT_ANGSTROM = 0.5
"""Root mean square distance from its plane, above which dummy atoms lie in none: OPM's curved membranes."""


def without_dummies(structure: StructureFile, account: Account) -> tuple[StructureFile, MembranePlanes | None]:
    """Take dummy atoms out of a structure, and read from them where the membrane is.

    Parameters
    ----------
    structure
        As read.
    account
        Takes a note of what they say, or a warning that they say nothing.

    Returns
    -------
    structure
        Without them.
    planes
        None where there are none, or they are no two planes.
    """
    dummies = [atom for atom in structure.atoms if atom.residue == DUMMY]
    if not dummies:
        return structure, None
    planes = _planes(dummies)
    told = f"{len(dummies)} dummy atoms (DUM, as OPM has them) are left out"
    if planes is None:
        account.warn(f"{told}; they are not one plane of N and one of O beside each other", "DUM as in files of OPM")
    else:
        tilt = np.degrees(np.arccos(np.clip(planes.normal[2], -1, 1)))
        account.note(
            f"{told}: the membrane's tails are {planes.thickness_angstrom:.1f} Å thick, its normal {tilt:.1f}° from z"
        )
    return replace(structure, atoms=[atom for atom in structure.atoms if atom.residue != DUMMY]), planes


def _planes(dummies: Sequence[AtomRecord]) -> MembranePlanes | None:
    sides = [np.array([atom.xyz for atom in dummies if atom.name[:1] == name]) for name in ("N", "O")]
    if min(map(len, sides)) < FEWEST:
        return None
    centres = [side.mean(axis=0) for side in sides]
    flat = np.concatenate([side - centre for side, centre in zip(sides, centres, strict=True)])
    _, spread, axes = np.linalg.svd(flat, full_matrices=False)
    normal = axes[2] if axes[2, 2] >= 0 else -axes[2]
    apart = abs(float((centres[1] - centres[0]) @ normal))
    if spread[2] / len(flat) ** 0.5 > FLAT_ANGSTROM or spread[1] / len(flat) ** 0.5 < FLAT_ANGSTROM or apart < 1:
        return None
    x, y, z = (sum(centres) / 2).tolist()
    a, b, c = normal.tolist()
    return MembranePlanes(middle_angstrom=(x, y, z), normal=(a, b, c), thickness_angstrom=round(apart, 3))
