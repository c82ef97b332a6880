"""A box that came solvated, made longer so that it holds a copy of the ligand in bulk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gibbsflow.binding.facts import RemoteFacts
from gibbsflow.binding.forcefield.given.rebuilt.box_parts import BoxParts
from gibbsflow.binding.forcefield.given.rebuilt.gathered import gathered
from gibbsflow.binding.forcefield.given.rebuilt.lattice_water import Water, lattice_water
from gibbsflow.binding.forcefield.given.rebuilt.places import free_places
from gibbsflow.binding.forcefield.remote import place_copy
from gibbsflow.binding.forcefield.topology_file import Topology
from gibbsflow.config.binding import Md
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats

FIELD = "abfe_protocol"
RIGHT_ANGLES_DEGREES = 1e-3
TO_COPY_ANGSTROM = 5.0
"""Ions start no nearer to the copy than this."""


@dataclass(frozen=True)
class LongerBox:
    """A box with a copy of the ligand.

    Attributes
    ----------
    parts
        Receptor, ligand, copy, ions, water, in this order; the copy's charges are on.
    remote
        The copy and its wall.
    pairs
        Of ions that were added, so that their concentration stays.
    """

    parts: BoxParts
    remote: RemoteFacts
    pairs: int


def longer_box(parts: BoxParts, md: Md, seed: int, *, where: str) -> LongerBox:
    """Put a copy of the ligand beside a complex, in a box of right angles that is long enough for both.

    Receptor, ligand, the water round them and ions stay where they are; the rest is water of the given box again, by
    its own periodic images. A box of right angles keeps its edges but the longest of the complex.

    Parameters
    ----------
    parts
        The complex as it came.
    md
        With the padding: what the spheres of complex and copy are apart.
    seed
        Of the places of ions that are moved or added.
    where
        What messages call the system.

    Returns
    -------
    LongerBox
        Neutral without the charges of the copy, as the given one was.

    Raises
    ------
    InputError
        For a box with other molecules than the solute, water and single ions.
    """
    if problems := strange_molecules(parts, where=where):
        raise InputError(problems)
    solute = np.array([*parts.receptor, *parts.ligand])
    ligand = parts.positions_angstrom[list(parts.ligand)]
    alone = Topology(
        parts.elements[solute], np.zeros(len(solute)), parts.charges_e[solute], parts.positions_angstrom[solute]
    )
    first = len(parts.receptor)
    placed = place_copy(alone, range(first, len(solute)), md, parts.filled)
    its_copy = ligand + placed.shift_angstrom
    corner, edges = _cell(parts, alone.positions_angstrom, its_copy, placed.padding_angstrom)
    heavy = its_copy[parts.elements[list(parts.ligand)] > 1]
    ions, homes, homeless = _ions(parts, corner, edges, alone.positions_angstrom, its_copy)
    water = lattice_water(parts, corner, edges, heavy if len(heavy) else its_copy, homes)
    pairs, more = _more_ions(parts, len(water.molecules))
    moved = [*homeless, *more]
    water, places = _for_ions(
        parts, water, np.concatenate([alone.positions_angstrom, its_copy]), homes, edges, len(moved), seed, where
    )
    molecules = list(dict.fromkeys(parts.molecule_of(solute.tolist()).tolist()))
    own = list(dict.fromkeys(parts.molecule_of(parts.ligand).tolist()))
    order = [*molecules, *own, *ions, *moved, *parts.waters[water.molecules].tolist()]
    positions = np.concatenate(
        [alone.positions_angstrom, its_copy, homes, places, water.positions_angstrom.reshape(-1, 3)]
    )
    made = BoxParts(
        text=gathered(parts, order, len(molecules) + len(own), edges.tolist()),
        positions_angstrom=positions - corner,
        box_angstrom=(*edges.tolist(), 90.0, 90.0, 90.0),
        vectors_angstrom=np.diag(edges),
        receptor=tuple(range(first)),
        ligand=tuple(range(first, len(solute))),
    )
    return LongerBox(made, placed.facts, pairs)


def strange_molecules(parts: BoxParts, *, where: str) -> list[Problem]:
    """Name what is in a box and cannot be in a longer one.

    Parameters
    ----------
    parts
        The box.
    where
        What messages call it.

    Returns
    -------
    list of Problem
        One at the most.
    """
    strange = [int(molecule) for molecule in parts.others if parts.sizes[molecule] > 1]
    if not strange:
        return []
    label = parts.label_of(int(parts.starts[strange[0]]))
    what = (
        f"sdr makes the box longer by water and ions, and it holds {len(strange)} molecules of others, such as {label}"
    )
    return [Problem(where, what, "double_decoupling", field=FIELD)]


def _cell(parts: BoxParts, solute: Floats, its_copy: Floats, padding: Floats) -> tuple[Floats, Floats]:
    """Corner and edges of the new box; edges across are the given ones where those had right angles."""
    both = np.concatenate([solute, its_copy])
    axis = int(np.ptp(solute, axis=0).argmax())
    edges = np.ptp(both, axis=0) + 2 * padding
    centre = (both.min(axis=0) + both.max(axis=0)) / 2
    if np.allclose(parts.box_angstrom[3:], 90.0, atol=RIGHT_ANGLES_DEGREES):
        given = np.diag(parts.vectors_angstrom)
        across = np.arange(3) != axis
        edges = np.where(across, given, np.maximum(edges, given))
        centre = np.where(across, (solute.min(axis=0) + solute.max(axis=0)) / 2, centre)
    return centre - edges / 2, edges


def _ions(
    parts: BoxParts, corner: Floats, edges: Floats, solute: Floats, its_copy: Floats
) -> tuple[list[int], Floats, list[int]]:
    """Ions that stay, where, and those that have no place in the new box or are too near to the copy."""
    steps = np.array([[i, j, k] for i in (0, 1, -1) for j in (0, 1, -1) for k in (0, 1, -1)]) @ parts.vectors_angstrom
    centre = solute.mean(axis=0)
    stay: list[int] = []
    homes: list[Floats] = []
    leave: list[int] = []
    for molecule in parts.others.tolist():
        images = parts.positions_angstrom[int(parts.starts[molecule])] + steps
        place = images[int(np.argmin(np.linalg.norm(images - centre, axis=1)))]
        inside = bool(((place >= corner) & (place < corner + edges)).all())
        gap = np.linalg.norm(its_copy - place, axis=1).min()
        if inside and gap >= TO_COPY_ANGSTROM:
            stay.append(molecule)
            homes.append(place)
        else:
            leave.append(molecule)
    return stay, np.array(homes).reshape(-1, 3), leave


def _more_ions(parts: BoxParts, waters: int) -> tuple[int, list[int]]:
    """Pairs of the commonest monovalent ions, as many as keep the concentration of the rarer sign."""
    by_sign = {sign: [m for kind, m in parts.ions.items() if kind.charge_e == sign] for sign in (1, -1)}
    counts = [sum(map(len, found)) for found in by_sign.values()]
    pairs = max(0, round(min(counts) * (waters / len(parts.waters) - 1)))
    if not pairs:
        return 0, []
    commonest = [max(found, key=len)[0] for found in by_sign.values()]
    return pairs, [molecule for molecule in commonest for _ in range(pairs)]


def _for_ions(
    parts: BoxParts, water: Water, solutes: Floats, homes: Floats, edges: Floats, count: int, seed: int, where: str
) -> tuple[Water, Floats]:
    """Give ions the places of waters."""
    if not count:
        return water, np.empty((0, 3))
    sites = parts.elements[parts.atoms_of(int(parts.waters[0]))]
    oxygens = water.positions_angstrom[:, int(np.flatnonzero(sites == 8)[0])]  # noqa: PLR2004
    order = np.random.default_rng(seed).permutation(len(oxygens)).tolist()
    chosen = free_places(oxygens, solutes, homes, np.diag(edges), count, order)
    if len(chosen) < count:
        what = f"{count} ions find no places far from the solute and from each other"
        raise InputError(Problem(where, what, "a larger padding_angstrom", field="padding_angstrom"))
    kept = np.setdiff1d(np.arange(len(oxygens)), chosen)
    return Water(water.molecules[kept], water.positions_angstrom[kept]), oxygens[chosen]
