"""Angles, dihedrals and Boresch coordinates, of one structure or many frames at once; rotations and middles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gibbsflow.units import Floats


def angle_deg(a: Floats, b: Floats, c: Floats) -> Floats:
    """Angle a–b–c.

    Parameters
    ----------
    a, b, c
        Points, shape (..., 3), in any one unit.

    Returns
    -------
    ndarray
        Degrees, 0 to 180, shape (...).
    """
    u, v = a - b, c - b
    cross = np.linalg.norm(np.cross(u, v), axis=-1)
    angle: Floats = np.degrees(np.arctan2(cross, (u * v).sum(axis=-1)))
    return angle


def dihedral_deg(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Dihedral a–b–c–d.

    Parameters
    ----------
    a, b, c, d
        Points, shape (..., 3), in any one unit.

    Returns
    -------
    ndarray
        Degrees, −180 to 180 with IUPAC's sign, shape (...).
    """
    b1, b2, b3 = b - a, c - b, d - c
    n1, n2 = np.cross(b1, b2), np.cross(b2, b3)
    x = (n1 * n2).sum(axis=-1)
    y = np.linalg.norm(b2, axis=-1) * (b1 * n2).sum(axis=-1)
    dihedral: Floats = np.degrees(np.arctan2(y, x))
    return dihedral


def boresch_geometry(positions: Floats, receptor: tuple[int, int, int], ligand: tuple[int, int, int]) -> Floats:
    """Boresch coordinates of frames (Boresch et al., J. Phys. Chem. B 107, 9535 (2003), figure 1).

    Parameters
    ----------
    positions
        Shape (F, N, 3); the distance comes out in their unit.
    receptor, ligand
        Anchors (P1, P2, P3) and (L1, L2, L3).

    Returns
    -------
    ndarray
        Shape (F, 6): r, θA, θB, φA, φB, φC; angles in degrees, dihedrals in −180..180 (IUPAC sign).
    """
    p1, p2, p3 = (positions[:, i] for i in receptor)
    l1, l2, l3 = (positions[:, i] for i in ligand)
    return np.stack(
        [
            np.linalg.norm(l1 - p1, axis=-1),
            angle_deg(p2, p1, l1),
            angle_deg(p1, l1, l2),
            dihedral_deg(p3, p2, p1, l1),
            dihedral_deg(p2, p1, l1, l2),
            dihedral_deg(p1, l1, l2, l3),
        ],
        axis=-1,
    )


def best_rotation(source: Floats, target: Floats) -> Floats:
    """Rotation that brings points about the origin onto others best.

    Parameters
    ----------
    source, target
        The same points in two places, shape (N, 3), in any one unit, each about the origin.

    Returns
    -------
    ndarray
        R, shape (3, 3): ``source @ R`` is nearest to `target`, and ``R @ target.T`` to ``source.T``.

    References
    ----------
    Kabsch, Acta Cryst. A 32, 922 (1976).
    """
    u, _, vt = np.linalg.svd(source.T @ target)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation: Floats = u @ flip @ vt
    return rotation


def circular_mean_deg(angles_deg: Floats) -> float:
    """Mean direction of angles.

    Parameters
    ----------
    angles_deg
        Degrees, shape (F,).

    Returns
    -------
    float
        Degrees, −180 to 180.
    """
    return float(np.degrees(np.angle(np.exp(1j * np.radians(angles_deg)).mean())))


def circular_std_deg(angles_deg: Floats) -> float:
    """Root mean square deviation of angles from their mean direction.

    Parameters
    ----------
    angles_deg
        Degrees, shape (F,).

    Returns
    -------
    float
        Degrees.
    """
    off = (angles_deg - circular_mean_deg(angles_deg) + 180) % 360 - 180
    return float(np.sqrt((off**2).mean()))


def superposed(frames: Floats, atoms: Sequence[int]) -> Floats:
    """Lay frames on the first one by the given atoms.

    Parameters
    ----------
    frames
        Shape (F, N, 3), in any one unit.
    atoms
        Indices of the atoms to lay on each other.

    Returns
    -------
    ndarray
        Shape (F, N, 3).
    """
    chosen = list(atoms)
    target = frames[0, chosen] - frames[0, chosen].mean(axis=0)
    laid = np.empty_like(frames)
    for number, frame in enumerate(frames):
        centre = frame[chosen].mean(axis=0)
        laid[number] = (frame - centre) @ best_rotation(frame[chosen] - centre, target) + frames[0, chosen].mean(axis=0)
    return laid


def middle_atom(atoms: Sequence[int], positions: Floats) -> int:
    """Find the atom that is nearest to the middle of a group.

    Parameters
    ----------
    atoms
        The group, 0-based.
    positions
        Of all atoms, shape (N, 3), in any unit of length.

    Returns
    -------
    int
        One of the group.
    """
    inside = positions[list(atoms)]
    return int(atoms[int(np.argmin(np.linalg.norm(inside - inside.mean(axis=0), axis=1)))])
