"""What changes with a ligand far away from it, in the water of the same box: a copy of it, or ions.

Both are kept from the solute by a wall between centroids (:class:`.Apart`), from its images too. The solute is taken
for the sphere about the centroid of its heavy atoms in which it can turn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gibbsflow.binding.facts import RemoteFacts
from gibbsflow.binding.forcefield.topology_file import Topology
from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_systems import box_vectors_nm
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats, Ints

LEAST_GAP_ANGSTROM = 5.0
"""Ions must be able to keep so far from the sphere of a solute."""
MOST_GAP_ANGSTROM = 15.0
"""Where a box has room, they are kept no farther from it than this."""
SLACK_ANGSTROM = 2.0
"""What is kept away is put so much farther than its wall."""
AT_DENSITY = 0.96
"""What is left of the edges of a box of water as tleap fills it, of some 40 Å and more."""
OF_AN_EDGE = "ligands of one net charge"
"""What an edge does without ions by: it has no sdr."""
_PER_LINE = 5


@dataclass(frozen=True)
class CopyPlace:
    """Where a copy of the ligand goes.

    Attributes
    ----------
    shift_angstrom
        From the ligand in its site, shape (3,), Å.
    padding_angstrom
        Water at the faces of the rectangular box, for each of its edges, Å.
    facts
        Its atoms, after those of the complex, and its wall.
    """

    shift_angstrom: Floats
    padding_angstrom: Floats
    facts: RemoteFacts


def place_copy(complex_: Topology, ligand_atoms: Sequence[int], md: Md, shrinks_to: float) -> CopyPlace:
    """Find a place for a copy of the ligand, beside the complex along its longest edge.

    Parameters
    ----------
    complex_
        Receptor and ligand, the ligand last.
    ligand_atoms
        Of the ligand.
    md
        With the padding: so far are the spheres of complex and copy from each other, at the least.
    shrinks_to
        What share of its edges a box may shrink to.

    Returns
    -------
    CopyPlace
        In a box in which its nearest image is as far, also after it has shrunk.
    """
    positions, ligand = complex_.positions_angstrom, list(ligand_atoms)
    centre, reach = _sphere(complex_, range(len(complex_.elements)))
    own_centre, own_reach = positions[ligand].mean(axis=0), 0.0
    own_reach = float(np.linalg.norm(positions[ligand] - own_centre, axis=1).max())
    distance = reach + own_reach + md.padding_angstrom + SLACK_ANGSTROM
    extent = np.ptp(positions, axis=0)
    axis = int(extent.argmax())
    target = centre + distance * np.eye(3)[axis]
    shift = target - own_centre
    with_copy = np.ptp(np.concatenate([positions, positions[ligand] + shift]), axis=0)
    padding = np.full(3, md.padding_angstrom)
    padding[axis] = max(md.padding_angstrom, (2 * distance / shrinks_to - with_copy[axis]) / 2)
    first = len(complex_.elements)
    facts = RemoteFacts(
        copy_atoms=tuple(range(first, first + len(ligand))),
        centre_atoms=_heavy(complex_, range(first)),
        least_angstrom=round(distance - SLACK_ANGSTROM, 3),
        gap_angstrom=md.padding_angstrom,
    )
    return CopyPlace(shift, padding, facts)


def wall_for_ions(
    solute: Topology,
    box_nm: Floats,
    md: Md,
    shrinks_to: float,
    name: str,
    *,
    coming_angstrom: Floats | None = None,
    instead: str = "abfe_protocol sdr",
) -> RemoteFacts:
    """Find how far ions can be kept from a solute in its box.

    Parameters
    ----------
    solute
        What is in the box beside water and ions.
    box_nm
        Reduced vectors as rows, shape (3, 3), nm.
    md
        With the padding, for the message.
    shrinks_to
        What share of its edges a box may shrink to.
    name
        What messages call the system.
    coming_angstrom
        Where atoms that the solute gets on its way stand, shape (M, 3), Å; None for none.
    instead
        What does without ions, for the message.

    Returns
    -------
    RemoteFacts
        Without ions yet.

    Raises
    ------
    InputError
        For a box without room.
    """
    atoms = range(len(solute.elements))
    centre, reach = _sphere(solute, atoms)
    if coming_angstrom is not None and len(coming_angstrom):
        reach = max(reach, float(np.linalg.norm(coming_angstrom - centre, axis=1).max()))
    width = float(np.diag(box_nm).min()) * 10 * shrinks_to
    if problems := ion_problems(reach, width, md, name, instead=instead):
        raise InputError(problems)
    least = min(_farthest(width), reach + MOST_GAP_ANGSTROM)
    return RemoteFacts(
        centre_atoms=_heavy(solute, atoms), least_angstrom=round(least, 3), gap_angstrom=round(least - reach, 3)
    )


def ion_problems(
    reach_angstrom: float,
    width_angstrom: float,
    md: Md,
    name: str,
    *,
    instead: str = "abfe_protocol sdr",
    verb: str = "has",
) -> list[Problem]:
    """Say whether a box has no room for ions that are kept from its solute.

    Parameters
    ----------
    reach_angstrom
        Of the solute, from the centroid of its heavy atoms, Å.
    width_angstrom
        Least width of the box when it has shrunk, Å.
    md
        With the padding, for the message.
    name
        What messages call the system.
    instead
        What does without ions, for the message.
    verb
        ``has``, or ``may have`` where it is likely.

    Returns
    -------
    list of Problem
        At most one.
    """
    lacking = reach_angstrom + LEAST_GAP_ANGSTROM - _farthest(width_angstrom)
    if lacking <= 0:
        return []
    what = f"the box {verb} no room for a counter-ion {LEAST_GAP_ANGSTROM:g} Å from the solute and from its images"
    other = "or box_shape box, " if md.box_shape == "octahedron" else ""
    right = f"padding_angstrom of {md.padding_angstrom + math.ceil(lacking / 0.75):g}, {other}or {instead}"
    return [Problem(name, what, right, field="padding_angstrom")]


def _farthest(width_angstrom: float) -> float:
    """How far from a solute an ion can be kept: nearest images are found by rounding, right to half the least edge."""
    return width_angstrom / 2 - SLACK_ANGSTROM


def reach_angstrom(elements: Sequence[int] | Ints, positions_angstrom: Floats) -> float:
    """Say how far atoms reach from the centroid of those that are no hydrogen.

    Parameters
    ----------
    elements
        Atomic numbers.
    positions_angstrom
        Shape (N, 3), Å.

    Returns
    -------
    float
        Å.
    """
    centre = positions_angstrom[np.asarray(elements) > 1].mean(axis=0)
    return float(np.linalg.norm(positions_angstrom - centre, axis=1).max())


def lacking_room(prmtop: Path, inpcrd: Path, solute: Sequence[int], md: Md, name: str) -> Problem | None:
    """Foretell whether ions of an edge can be kept from a solute in a box that has yet to find its density.

    Parameters
    ----------
    prmtop, inpcrd
        Of the box.
    solute
        What is in it beside water and ions.
    md
        With the padding, for the message.
    name
        What messages call the system.

    Returns
    -------
    Problem or None
        None where there is room.
    """
    box, atoms = Topology.read(prmtop, inpcrd), list(solute)
    inside = Topology(box.elements[atoms], box.residue_of[atoms], box.charges_e[atoms], box.positions_angstrom[atoms])
    try:
        wall_for_ions(inside, box_vectors_nm(inpcrd), md, AT_DENSITY, name, instead=OF_AN_EDGE)
    except InputError as error:
        return error.problems[0]
    return None


def beyond_wall(wall: RemoteFacts, solute_angstrom: Floats, box_nm: Floats, places_angstrom: Floats) -> Ints:
    """Say which places are beyond a wall.

    Parameters
    ----------
    wall
        The wall.
    solute_angstrom
        Positions of the solute, shape (N, 3), Å.
    box_nm
        Reduced vectors as rows, shape (3, 3), nm.
    places_angstrom
        Shape (M, 3), Å.

    Returns
    -------
    ndarray
        Indices of those that are, with some slack.
    """
    away = places_angstrom - solute_angstrom[list(wall.centre_atoms)].mean(axis=0)
    for axis in (2, 1, 0):
        away = away - np.round(away[:, axis] / (box_nm[axis, axis] * 10))[:, None] * box_nm[axis] * 10
    far = np.linalg.norm(away, axis=1) >= wall.least_angstrom + SLACK_ANGSTROM / 2
    return np.flatnonzero(far).astype(np.int32)


def uncharged(prmtop: str, atoms: Sequence[int]) -> str:
    """Take the charges of some atoms out of a topology.

    Parameters
    ----------
    prmtop
        Text of an AMBER topology.
    atoms
        Their indices.

    Returns
    -------
    str
        The same topology with zeros there.
    """
    head, rest = prmtop.split("%FLAG CHARGE", 1)
    flag, form, rest = rest.split("\n", 2)
    data, tail = rest.split("%FLAG", 1)
    values = data.split()
    for atom in atoms:
        values[atom] = f"{0:.8E}"
    lines = ["".join(f"{v:>16}" for v in values[i : i + _PER_LINE]) for i in range(0, len(values), _PER_LINE)]
    return "\n".join([f"{head}%FLAG CHARGE{flag}", form, *lines, f"%FLAG{tail}"])


def _heavy(topology: Topology, atoms: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(atom) for atom in atoms if topology.elements[atom] > 1)


def _sphere(topology: Topology, atoms: Sequence[int]) -> tuple[Floats, float]:
    """Centroid of the heavy atoms, and how far from it the atoms reach, Å."""
    centre = topology.positions_angstrom[list(_heavy(topology, atoms))].mean(axis=0)
    reach = np.linalg.norm(topology.positions_angstrom[list(atoms)] - centre, axis=1).max()
    return centre, float(reach)
