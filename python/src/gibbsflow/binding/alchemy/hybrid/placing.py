"""Where the atoms of an edge start: A and its surroundings as they are, and beside them the atoms that only B has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np

from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import SharedAtoms
from gibbsflow.binding.equilibrate.periodic_box import to_nearest_image
from gibbsflow.binding.geometry import best_rotation
from gibbsflow.binding.prepare.atom_map.map_score import SAME_SITE_ANGSTROM
from gibbsflow.units import Floats

CLASH_ANGSTROM = 1.5
"""Heavy atoms nearer than this are a clash: no minimisation without a soft core parts them."""
_WATERS = ("HOH", "WAT", "TIP3", "SOL")
_NEAR_BONDS = 2


@dataclass(frozen=True)
class Clash:
    """An atom that only B has, on top of one of the surroundings.

    Attributes
    ----------
    atom
        Its name.
    other, residue
        Name of the other, and the residue that it is in.
    distance_angstrom
        Between them, Å.
    solvent
        Whether the other is of a water, which gives way.
    """

    atom: str
    other: str
    residue: str
    distance_angstrom: float
    solvent: bool

    def __str__(self) -> str:
        """Say it.

        Returns
        -------
        str
            Such as ``C9 is 1.3 Å from CB of LEU 84``.
        """
        return f"{self.atom} is {self.distance_angstrom:.1f} Å from {self.other} of {self.residue}"


@dataclass(frozen=True)
class Pose:
    """Where a whole ligand B stands, and what else is known to stand there.

    Attributes
    ----------
    ligand_nm
        B's atoms, shape (n, 3), nm.
    atoms
        Indices in A's System: of A's ligand, or of the site.
    places_nm
        Where these are when B is there, shape (len(atoms), 3), nm.
    """

    ligand_nm: Floats
    atoms: tuple[int, ...]
    places_nm: Floats


def hybrid_positions(
    shared: SharedAtoms, positions_a_nm: Floats, ligand_b_nm: Floats, pose: Pose | None = None
) -> Floats:
    """Place the atoms of an edge.

    The atoms that only B has are moved with the shared atoms about their anchor, from B's own geometry onto A's, so
    that bonds and angles at the anchor are B's. Where none is shared B is moved as a whole with what its pose is told
    against, and to A's centroid where the two are not in one place.

    Parameters
    ----------
    shared
        The atoms.
    positions_a_nm
        Of A's System, one structure or frames, shape (..., N, 3), nm; the ligand whole.
    ligand_b_nm
        B's ligand in any place: its pose, or a conformer, shape (n, 3), nm.
    pose
        Of B, where no atom is shared.

    Returns
    -------
    ndarray
        Shape (..., size, 3), nm.
    """
    if shared.dual:
        assert pose is not None
        return _as_a_whole(shared, positions_a_nm, pose)
    frames = positions_a_nm.reshape(-1, *positions_a_nm.shape[-2:])
    added = np.empty((len(frames), len(shared.unique_b), 3))
    row = {atom: number for number, atom in enumerate(shared.unique_b)}
    partner = {j: shared.place_a[i] for i, j in shared.pairs}
    bonds = shared.b.bonds
    for group in nx.connected_components(bonds.subgraph(shared.unique_b)):
        (anchor,) = {n for atom in group for n in bonds.neighbors(atom)} - group
        known = _near(bonds, anchor, partner)
        for number, frame in enumerate(frames):
            target = frame[[partner[j] for j in known]] - frame[partner[anchor]]
            turn = best_rotation(ligand_b_nm[known] - ligand_b_nm[anchor], target)
            for atom in group:
                added[number, row[atom]] = (ligand_b_nm[atom] - ligand_b_nm[anchor]) @ turn + frame[partner[anchor]]
    placed = np.concatenate([frames, added], axis=1)
    return placed.reshape(*positions_a_nm.shape[:-2], shared.size, 3)


def clashes(
    shared: SharedAtoms, positions_nm: Floats, box_nm: Floats | None = None, least_angstrom: float = CLASH_ANGSTROM
) -> list[Clash]:
    """Find atoms that only B has on top of the surroundings.

    Parameters
    ----------
    shared
        The atoms.
    positions_nm
        Of one structure, from :func:`hybrid_positions`, shape (size, 3), nm.
    box_nm
        Its periodic box, vectors as rows, reduced, shape (3, 3), nm; None without one.
    least_angstrom
        Heavy atoms nearer than this clash.

    Returns
    -------
    list of Clash
        Of heavy atoms; the nearest first.
    """
    inside = set(shared.a.ligand)
    atoms = [
        atom
        for atom in shared.a.topology.atoms()
        if atom.index not in inside and atom.element is not None and atom.element.symbol != "H"
    ]
    around = positions_nm[[atom.index for atom in atoms]].reshape(-1, 3)
    found = []
    for j in (j for j in shared.unique_b if shared.b.heavy(j)):
        away = around - positions_nm[shared.place_b[j]]
        if box_nm is not None:
            away = away + to_nearest_image(away, box_nm)
        distances = 10 * np.linalg.norm(away, axis=1)
        for number in np.flatnonzero(distances < least_angstrom):
            residue = atoms[number].residue
            name = f"{residue.name} {residue.id}"
            found.append(
                Clash(shared.b.labels[j], atoms[number].name, name, float(distances[number]), residue.name in _WATERS)
            )
    return sorted(found, key=lambda clash: clash.distance_angstrom)


def _as_a_whole(shared: SharedAtoms, positions_a_nm: Floats, pose: Pose) -> Floats:
    frames = positions_a_nm.reshape(-1, *positions_a_nm.shape[-2:])
    centre = pose.places_nm.mean(axis=0)
    added = np.empty((len(frames), shared.b.size, 3))
    for number, frame in enumerate(frames):
        there = frame[list(pose.atoms)]
        turn = best_rotation(pose.places_nm - centre, there - there.mean(axis=0))
        added[number] = (pose.ligand_nm - centre) @ turn + there.mean(axis=0)
        apart = added[number].mean(axis=0) - frame[list(shared.place_a)].mean(axis=0)
        if np.linalg.norm(apart) * 10 > SAME_SITE_ANGSTROM:
            added[number] -= apart
    placed = np.concatenate([frames, added], axis=1)
    return placed.reshape(*positions_a_nm.shape[:-2], shared.size, 3)


def turns_deg(atoms: Sequence[int], beside: Sequence[int], frames_nm: Floats) -> Floats:
    """Say how far a ligand has turned in its site since the first frame.

    Parameters
    ----------
    atoms
        Of the ligand.
    beside
        Of the site.
    frames_nm
        Shape (F, N, 3), nm.

    Returns
    -------
    ndarray
        Angle of the rotation that is left when the site is laid on itself, shape (F,), degrees.
    """

    def _since(part: Sequence[int], frame: Floats) -> Floats:
        first, now = frames_nm[0][list(part)], frame[list(part)]
        return best_rotation(first - first.mean(axis=0), now - now.mean(axis=0))

    cosines = [(np.trace(_since(beside, frame).T @ _since(atoms, frame)) - 1) / 2 for frame in frames_nm]
    return np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def _near(bonds: nx.Graph, anchor: int, partner: dict[int, int]) -> list[int]:
    """Shared atoms round an anchor: those within two bonds, or all where these are too few to turn by."""
    away = nx.single_source_shortest_path_length(bonds, anchor)
    near = sorted(atom for atom, count in away.items() if atom in partner and count <= _NEAR_BONDS)
    return near if len(near) > 3 else sorted(partner)
