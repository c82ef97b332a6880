"""Pairs of atoms nearer than any that is labelled: a curve of labels goes on as the repulsion of nuclei rises.

Labels end where forces are too large to count; the repulsion that is added in MD is switched off within the shortest
bond of all elements. Between the two nothing tells a basis of what is nearer, and it may fall without end.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import covalent_radii

from gibbsflow.potential.data.frame_weights import FrameWeights
from gibbsflow.potential.data.labelled_frames import LabelledFrame

_NEAREST = 0.38
"""In sums of covalent radii."""
_CLOSER = 0.93
_GOOD_EV_PER_ANGSTROM, _MOST_WEIGHT = 0.1, 1e-5
"""A force weighs as if it had this size: a core is to be steep, and no better than a part of itself."""
_COULOMB_EV_ANGSTROM = 14.399645
_SHARES = np.array([0.18175, 0.50986, 0.28022, 0.02817])
_RATES = np.array([3.19980, 0.94229, 0.40290, 0.20162])


def zbl_pair(first: int, second: int, distance_angstrom: float) -> tuple[float, float]:
    """Repulsion of two atoms by Ziegler, Biersack and Littmark, not switched off.

    Parameters
    ----------
    first, second
        Atomic numbers.
    distance_angstrom
        Their distance.

    Returns
    -------
    energy_ev
        Energy (The Stopping and Range of Ions in Solids, Pergamon 1985), eV.
    force_ev_per_angstrom
        What drives them apart, eV/Å.
    """
    rates = _RATES * (first**0.23 + second**0.23) / 0.46850
    terms = _COULOMB_EV_ANGSTROM * first * second / distance_angstrom * _SHARES * np.exp(-rates * distance_angstrom)
    return float(terms.sum()), float((terms * (rates + 1 / distance_angstrom)).sum())


def core_pairs(frames: Sequence[LabelledFrame]) -> list[LabelledFrame]:
    """Continue the nearest labelled pair in free space of each two elements towards the core.

    Parameters
    ----------
    frames
        Training frames.

    Returns
    -------
    list of LabelledFrame
        Pairs from 0.93 of the nearest labelled distance down to 0.38 of the sum of covalent radii, each 0.93 of the one
        before: the labelled energy and what ZBL rises from there. `row` 0; none where no pair is labelled, or where
        the nearest is not driven apart by 0.1 eV/Å: its bond lies nearer, and is not to be taken for a core.
    """
    nearest: dict[tuple[int, int], tuple[float, LabelledFrame]] = {}
    for frame in frames:
        if len(frame.atoms) == 2 and not frame.atoms.pbc.any() and frame.weights.energy > 0:
            distance = float(frame.atoms.get_distance(0, 1))
            kind = int(frame.atoms.numbers.min()), int(frame.atoms.numbers.max())
            if kind not in nearest or distance < nearest[kind][0]:
                nearest[kind] = distance, frame
    made = []
    walls = {kind: found for kind, found in nearest.items() if _driven_apart(found[1]) > _GOOD_EV_PER_ANGSTROM}
    for kind, (begin, frame) in sorted(walls.items(), key=lambda item: item[0]):
        known, end = zbl_pair(*kind, begin)[0], _NEAREST * float(covalent_radii[list(kind)].sum())
        distance = _CLOSER * begin
        while distance > end:
            energy, force = zbl_pair(*kind, distance)
            weight = min(_MOST_WEIGHT, (_GOOD_EV_PER_ANGSTROM / force) ** 2)
            atoms = Atoms(list(kind), [[0, 0, 0], [0, 0, distance]], cell=frame.atoms.cell)
            made.append(
                LabelledFrame(
                    atoms,
                    frame.energy_ev + energy - known,
                    np.array([[0, 0, -force], [0, 0, force]]),
                    None,
                    np.ones(2, bool),
                    "core",
                    "",
                    "",
                    "",
                    0,
                    FrameWeights(weight, weight, 0.0),
                )  # fmt: skip
            )
            distance *= _CLOSER
    return made


def _driven_apart(pair: LabelledFrame) -> float:
    """Labelled force along the way from each other, eV/Å; zero for atoms in one place."""
    way = np.subtract(*pair.atoms.positions[::-1])
    force = np.subtract(*pair.forces_ev_per_angstrom[::-1]) / 2
    return float(force @ way / max(np.linalg.norm(way), 1e-9))
