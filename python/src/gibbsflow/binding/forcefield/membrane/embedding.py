"""Is it a bilayer, does it lie in xy, and is the receptor in it: asked of a box before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gibbsflow.binding.forcefield.membrane.bilayer import (
    LEAST_ORDER,
    above_middle,
    leaflets,
    middle_of,
    order_along,
    spans,
    widest_hole_angstrom,
)
from gibbsflow.binding.forcefield.membrane.lipids import Lipids
from gibbsflow.errors import Problem
from gibbsflow.units import Floats

INSIDE_ANGSTROM = 10.0
"""From the middle: within it there are tails alone."""
UPRIGHT_ANGSTROM = 1e-3
HOLE_ANGSTROM = 5.0
"""Radius of a hole that tails of a bilayer do not leave; the corners between discs of radius R that touch have 0.15 R
(hexagonal) or 0.41 R (square)."""
FEWEST_IN_LEAFLET = 3
LEAST_OUTWARDS = 0.75
"""Of lipids whose head is farther from the middle than their tails; of a vesicle or two bilayers near half of them."""
_AXES, _Z = "xyz", 2


def bilayer_doubts(
    lipids: Lipids,
    positions_angstrom: Floats,
    vectors_angstrom: Floats,
    solids: tuple[Sequence[int], Sequence[int]],
    *,
    where: str,
) -> tuple[list[Problem], list[str]]:
    """Look at the membrane of a box.

    Parameters
    ----------
    lipids
        Enough for a membrane.
    positions_angstrom
        Shape (N, 3), Å; molecules whole.
    vectors_angstrom
        Reduced vectors of the box as rows, shape (3, 3), Å.
    solids
        Heavy atoms of receptor and of ligand.
    where
        What messages call the file.

    Returns
    -------
    problems
        Why it cannot be run as a membrane.
    notes
        What is unusual.
    """
    right = "a bilayer in the plane xy, its normal along z, in a box whose third vector is along z"
    leans = max(np.abs(vectors_angstrom[2, :2]).max(), np.abs(vectors_angstrom[:2, 2]).max())
    if leans > UPRIGHT_ANGSTROM:
        what = f"{len(lipids.molecules)} lipids in a box whose third vector is not upright"
        return [Problem(where, what, right)], []
    order = order_along(positions_angstrom[lipids.atoms], vectors_angstrom)
    best = int(np.argmax(order))
    if order[_Z] < LEAST_ORDER:  # round a large protein lipids keep to the faces in xy as well
        what = f"the {len(lipids.molecules)} lipids are "
        what += "spread over the whole box" if order[best] < LEAST_ORDER else f"a layer across {_AXES[best]}"
        return [Problem(where, what, right)], []
    solid = np.concatenate([lipids.atoms, *[np.asarray(atoms, dtype=int) for atoms in solids]])
    if not spans(positions_angstrom[solid], vectors_angstrom):
        what = f"the {len(lipids.molecules)} lipids do not reach across the box in xy: a disc, a micelle or a ribbon"
        return [Problem(where, what, f"{right}, its lipids on all sides beside their images")], []
    upper, lower = leaflets(lipids, positions_angstrom, vectors_angstrom)
    if min(len(upper), len(lower)) < FEWEST_IN_LEAFLET:
        what = f"{len(upper)} lipids above the middle of the membrane and {len(lower)} below it"
        return [Problem(where, what, right)], []
    rises = [positions_angstrom[head, _Z] - positions_angstrom[atoms, _Z].mean()
             for head, atoms in zip(lipids.heads, lipids.molecules, strict=True)]  # fmt: skip
    outwards = int((np.array(rises)[upper] > 0).sum() + (np.array(rises)[lower] < 0).sum())
    if outwards < LEAST_OUTWARDS * len(rises):
        what = f"of {len(rises)} lipids {outwards} have their head away from the middle: a vesicle, a stack of bilayers"
        return [Problem(where, what, f"{right}, one alone")], []
    notes = []
    if (hole := widest_hole_angstrom(positions_angstrom[solid], vectors_angstrom)) > HOLE_ANGSTROM:
        what = (
            f"membrane: seen along z it has a hole of {hole:.0f} Å radius without lipids or receptor: a pore, a start "
        )
        what += "that is not closed yet, or the corner of a disc that touches its images, which is no bilayer"
        notes.append(what)
    if len(upper) != len(lower):
        notes.append(f"membrane: {len(upper)} lipids in the upper and {len(lower)} in the lower leaflet")
    height = float(vectors_angstrom[2, 2])
    middle = middle_of(positions_angstrom[lipids.atoms], height)
    receptor, ligand = (np.abs(above_middle(positions_angstrom[list(atoms), 2], middle, height)) for atoms in solids)
    if len(receptor) and receptor.min() > INSIDE_ANGSTROM:
        notes.append(f"membrane: the receptor is beside it, {receptor.min():.1f} Å from its middle")
    if len(ligand) and np.median(ligand) < INSIDE_ANGSTROM:
        notes.append("membrane: the ligand is between the tails of the lipids")
    return [], notes
