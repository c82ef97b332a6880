"""Structures as they travel: content hashes, tags, reading with clear errors, and duplicates under symmetry."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gibbsflow.potential.data.formats.electrons import kept_info, said_token
from gibbsflow.potential.data.formats.file_formats import read_any
from gibbsflow.potential.data.formats.mesh_cells import MESH_HEIGHTS, mesh_fault
from gibbsflow.workflow.account import Account

if TYPE_CHECKING:
    from ase import Atoms

_DECIMALS = 6
_FILE_DECIMALS = 8
"""What extxyz holds: rounding to it first, a structure has one name before and after it was in a file."""
_REACH_ANGSTROM = 6.0


def content_hash(atoms: Atoms) -> str:
    """Name a structure by its content: elements, cell, positions and periodicity, rounded to 1e-6 Å, charge and spin.

    Parameters
    ----------
    atoms
        The structure; other tags and labels do not count, the order of its atoms does.

    Returns
    -------
    str
        ``gf-`` and 20 hexadecimal digits.
    """
    return _named(atoms, [np.round(np.asarray(x, dtype="<f8"), _FILE_DECIMALS) for x in _lengths(atoms)])


def earlier_hash(atoms: Atoms) -> str:
    """Name a structure as versions up to 0.1 did, which rounded once: what they left is found by it.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    str
        The same as `content_hash` unless a file that holds 1e-8 Å would change the sixth digit.
    """
    return _named(atoms, [np.asarray(x, dtype="<f8") for x in _lengths(atoms)])


def _lengths(atoms: Atoms) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    return atoms.cell.array, atoms.positions


def _named(atoms: Atoms, lengths: Sequence[npt.NDArray[np.float64]]) -> str:
    digest = hashlib.sha256()
    digest.update(np.asarray(atoms.numbers, dtype="<i4").tobytes())
    digest.update(np.asarray(atoms.pbc, dtype="u1").tobytes())
    for array in lengths:
        # adding zero makes -0.0 and 0.0 one
        digest.update((np.round(array, _DECIMALS) + 0.0).tobytes())
    digest.update(said_token(atoms))
    return f"gf-{digest.hexdigest()[:20]}"


def structure_id(atoms: Atoms) -> str:
    """Give the `gibbsflow_id` of a structure: that of its content, whatever a tag in `info` says.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    str
        Its id.
    """
    return content_hash(atoms)


def tag(
    atoms: Atoms,
    config_type: str,
    *,
    generator: str,
    seed: int,
    parent: str | None = None,
    generation: int = 0,
    **more: Any,
) -> Atoms:
    """Return a copy that says what it is and where it comes from (docs/contracts.md, "Structures and labels").

    The last digits that a file could not hold are rounded away first, so that reading it back gives the same hash.

    Parameters
    ----------
    atoms
        The structure; its label, constraints and other tags but charge and spin are left behind.
    config_type
        What it is: ``bulk``, ``rattle``, ``md``, ...
    generator
        Module that made it.
    seed
        Seed it was made with.
    parent
        `gibbsflow_id` of the structure it was made from; default: its own.
    generation
        Generation of the learning loop.
    **more
        Further entries of `info`.

    Returns
    -------
    Atoms
        Tagged copy, positions and cell rounded to 1e-8 Å.
    """
    made = atoms.copy()
    made.calc = None
    made.positions = np.round(made.positions, 8)
    made.set_cell(np.round(made.cell.array, 8))
    made.set_constraint()
    name, said = content_hash(made), kept_info(made)
    made.info = {
        "gibbsflow_id": name,
        "config_type": config_type,
        "parent": parent or name,
        "generation": generation,
        "generator": generator,
        "seed": seed,
        **said,
        **more,
    }
    return made


def read_frames(path: Path, account: Account | None = None) -> list[Atoms]:
    """Read all frames of a structure file, each with its `gibbsflow_id`.

    An id in the file that is not that of the content is replaced, and noted: a frame that was moved is another.

    Parameters
    ----------
    path
        A file of any format that ASE knows.
    account
        Gets notes and refusals, and is settled by the caller; default: they are settled here.

    Returns
    -------
    list of Atoms
        One or more, in the order of the file, without constraints.

    Raises
    ------
    InputError
        Where the file is missing, unreadable or empty; without an account also for sites that are not fully occupied,
        atoms of no element, and heights of a mesh (`mesh_cells.py`) that are of another cell.
    """
    own = account if account is not None else Account(str(path))
    frames = read_any(path, own)
    stale = []
    for number, frame in enumerate(frames):
        name = content_hash(frame)
        if frame.info.get("gibbsflow_id", name) not in (name, earlier_hash(frame)):
            stale.append(number)
        frame.info["gibbsflow_id"] = name
        if fault := mesh_fault(frame):
            right = "heights of the undeformed cell in Å, or no such entry"
            own.refuse(f"frame {number}: {fault}", right, field=MESH_HEIGHTS)
    if stale:
        others = f" (and of {len(stale) - 1} others)" if len(stale) > 1 else ""
        own.note(f"the gibbsflow_id of frame {stale[0]}{others} is not that of its content: it was replaced")
    if account is None:
        own.settle()
    return frames


def write_frames(path: Path, frames: Sequence[Atoms]) -> None:
    """Write frames as extxyz, atomically.

    Parameters
    ----------
    path
        The file; replaced where it is there.
    frames
        Structures, with their labels where they have them; none make an empty file.
    """
    from ase.io import write

    from gibbsflow.workflow.files import atomic_open

    with atomic_open(path, "w") as file:
        if frames:
            write(file, list(frames), format="extxyz")


def closest_pair_angstrom(atoms: Atoms, reach_angstrom: float = 8.0) -> float:
    """Measure the distance of the two closest atoms.

    Parameters
    ----------
    atoms
        The structure; images count, also an atom's own.
    reach_angstrom
        How far to look, in Å.

    Returns
    -------
    float
        Distance in Å; infinite where no two atoms are within reach.
    """
    from ase.neighborlist import neighbor_list

    distances = neighbor_list("d", atoms, reach_angstrom)
    return float(distances.min()) if len(distances) else float("inf")


def sorted_distances(atoms: Atoms) -> dict[tuple[int, int], npt.NDArray[np.float64]]:
    """List interatomic distances up to 6 Å (all of them where nothing is periodic), by pair of elements.

    Invariant under rotation, reflection, translation, permutation and the choice of cell vectors.

    Parameters
    ----------
    atoms
        The structure.

    Returns
    -------
    dict
        By pair of atomic numbers, the lower first: distances in Å, rising, shape (pairs,).
    """
    from ase.neighborlist import neighbor_list

    if atoms.pbc.any():
        first, second, distance = neighbor_list("ijd", atoms, _REACH_ANGSTROM)
    else:
        first, second = np.triu_indices(len(atoms), k=1)
        distance = np.linalg.norm(atoms.positions[first] - atoms.positions[second], axis=1)
    low = np.minimum(atoms.numbers[first], atoms.numbers[second])
    high = np.maximum(atoms.numbers[first], atoms.numbers[second])
    return {
        (int(a), int(b)): np.sort(distance[(low == a) & (high == b)])
        for a, b in {(int(a), int(b)) for a, b in zip(low, high, strict=True)}
    }


class Duplicates:
    """Structures seen so far, to tell whether another is one of them under symmetry and tolerance.

    Parameters
    ----------
    tolerance_angstrom
        Largest difference in Å of corresponding distances.
    """

    def __init__(self, tolerance_angstrom: float = 0.01) -> None:
        self.tolerance = tolerance_angstrom
        self._seen: dict[tuple[Any, ...], list[tuple[Atoms, dict[tuple[int, int], npt.NDArray[np.float64]]]]] = {}

    def add(self, atoms: Atoms) -> bool:
        """Remember a structure, unless an equal one was there.

        Parameters
        ----------
        atoms
            The structure.

        Returns
        -------
        bool
            Whether it is new.
        """
        # with a charge or moments, two that differ in the order of their atoms may be two states
        said = said_token(atoms) and content_hash(atoms)
        key = (tuple(sorted(atoms.numbers.tolist())), tuple(bool(p) for p in atoms.pbc), said)
        prints = sorted_distances(atoms)
        others = self._seen.setdefault(key, [])
        if any(self._equal(atoms, prints, *other) for other in others):
            return False
        others.append((atoms, prints))
        return True

    def _equal(self, atoms: Atoms, prints: Any, other: Atoms, other_prints: Any) -> bool:
        if atoms.pbc.all() and abs(atoms.get_volume() - other.get_volume()) > self._volume_tolerance(atoms):
            return False
        if prints.keys() != other_prints.keys():
            return False
        reach = _REACH_ANGSTROM if atoms.pbc.any() else np.inf
        if not all(_same(prints[pair], other_prints[pair], self.tolerance, reach) for pair in prints):
            return False
        if not atoms.pbc.all() or len(atoms) == 1:
            return True
        # distances alone cannot tell homometric crystals apart: ask for an operation that maps one onto the other
        from ase.utils.structure_comparator import SymmetryEquivalenceCheck

        spacing = (atoms.get_volume() / len(atoms)) ** (1 / 3)
        # the comparator measures in mean spacings; its own search needs some room beyond the wanted tolerance
        check = SymmetryEquivalenceCheck(stol=max(2 * self.tolerance / spacing, 1e-3), ltol=0.02, angle_tol=0.5)
        return bool(check.compare(other.copy(), atoms.copy()))

    def _volume_tolerance(self, atoms: Atoms) -> float:
        volume: float = atoms.get_volume()
        return float(3 * volume ** (2 / 3) * self.tolerance)


def _same(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], tolerance: float, reach: float) -> bool:
    """Whether two sorted lists agree, leaving aside distances so near the reach that either list may miss them."""
    count = max(int(np.searchsorted(a, reach - tolerance)), int(np.searchsorted(b, reach - tolerance)))
    return len(a) >= count <= len(b) and bool(np.all(np.abs(a[:count] - b[:count]) <= tolerance))
