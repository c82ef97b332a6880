"""In how many of its equivalent orientations a ligand of an edge was seen in its site, and what ΔΔG lacks without them.

A ligand whose atoms can be renumbered in σ ways has σ orientations in a site that differ in these numbers alone. In
water it comes to all of them as it tumbles; in a site it may stay in one. Where both ligands of an edge stay, and their
σ differ, ΔΔG lacks -kT ln(σ_b / σ_a): 1.06 kcal/mol for toluene to benzene (Mobley, Chodera and Dill, J. Chem. Phys.
2006, 125, 084902, of absolute free energies).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding.analyse.frames.bound_ligands import kept_atoms
from gibbsflow.binding.analyse.frames.edge_ends import EdgeEnds
from gibbsflow.binding.analyse.frames.pose_geometry import MOST_MAPPINGS, LigandGraph
from gibbsflow.binding.equilibrate.frame_files import read_frames_nm
from gibbsflow.binding.geometry import superposed
from gibbsflow.binding.sample.kept_frames import ABOUT, trajectory_file
from gibbsflow.units import Floats, Ints, kt_kcal_per_mol

LEAST_FRAMES = 10
"""Frames of each end that anything is said of."""
SITE_ANGSTROM = 8.0
"""Heavy atoms of the receptor within this of the first ligand, as the leg starts, are laid on each other."""

_FLAT_CUBIC_ANGSTROM = 1.0
"""Three bonds of an atom that span less lie in a plane, but for heat; those of carbon with four span 2.6."""
_AS_GOOD_AS_ALL = 0.75
"""Of what frames at random would have come to: a ligand that was seen in so many turns freely."""


@dataclass(frozen=True)
class Orientations:
    """Equivalent orientations of a ligand.

    Attributes
    ----------
    seen
        In how many it was.
    ways
        How many there are, the mirror images of its parts left out.
    frames
        That were looked at.
    """

    seen: int
    ways: int
    frames: int

    @property
    def missing(self) -> float:
        """How many orientations there are to each that was seen.

        Returns
        -------
        float
            At least 1; 1 where frames that were drawn at random from all would hardly have come to more.
        """
        drawn = self.ways * (1 - (1 - 1 / self.ways) ** self.frames)
        return 1.0 if self.seen >= _AS_GOOD_AS_ALL * drawn else self.ways / self.seen


def orientations(frames: Floats, graph: LigandGraph) -> Orientations | None:
    """Count the orientations of a ligand.

    Parameters
    ----------
    frames
        Heavy atoms, their site laid on that of the first frame, from which all is seen, shape (F, n, 3), Å.
    graph
        Bonds of these atoms.

    Returns
    -------
    Orientations or None
        None for a ligand with too many ways to be looked at.
    """
    ways = graph.mappings(graph)
    if len(ways) >= MOST_MAPPINGS:
        return None
    turned = ways[[_turns(way, frames[0], graph) for way in ways]]
    apart = np.array([((frames - frames[0][way]) ** 2).sum(axis=(1, 2)) for way in turned])
    return Orientations(len(np.unique(apart.argmin(axis=0))), len(turned), len(frames))


def _turns(way: Ints, where: Floats, graph: LigandGraph) -> bool:
    """Whether parts of a molecule turn as atoms are renumbered: the mirror image of a methyl group is out of reach."""
    beside: dict[int, list[int]] = {}
    for one, other in graph.bonds:
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    for atom, three in ((atom, near[:3]) for atom, near in beside.items() if len(near) > 2):  # noqa: PLR2004
        before = np.linalg.det(where[three] - where[atom])
        after = np.linalg.det(where[way[three]] - where[way[atom]])
        if min(abs(before), abs(after)) > _FLAT_CUBIC_ANGSTROM and before * after < 0:
            return False
    return True


def edge_orientations(
    leg: Mapping[str, Any], run: Path, folder: Path, ends: EdgeEnds | None = None
) -> dict[str, Orientations] | None:
    """Count those of both ligands of an edge in the frames of a leg, each where it is whole.

    Parameters
    ----------
    leg
        Content of the run's ``leg.json``.
    run
        Output of ``fe run``.
    folder
        Of the leg that it ran, with its topologies.
    ends
        What is in them, where they were read before.

    Returns
    -------
    dict or None
        By the ligand's name, the first one first; None of other legs, without a receptor, and of fewer than
        `LEAST_FRAMES` frames at either end.

    Raises
    ------
    InputError, StateError
        For a trajectory, or a file of the leg, that cannot be read.
    """
    if "hybrid" not in leg or not leg["receptor_atoms"]:
        return None
    files = [run / trajectory_file(window) for window in (0, len(leg["states"]) - 1)]
    if not all(file.is_file() for file in (*files, run / ABOUT)):
        return None
    first, last = (read_frames_nm(file)[0] * 10 for file in files)
    if min(len(first), len(last)) < LEAST_FRAMES:
        return None
    ends = ends or EdgeEnds.read(leg, folder)
    start, receptor = np.asarray(ends.starts_nm[0], dtype=np.float64) * 10, ends.receptor
    (one, two), (of_one, of_two) = ends.ligands, ends.graphs
    apart = np.linalg.norm(start[receptor][:, None] - start[one][None], axis=-1).min(axis=1)
    site = receptor[apart <= SITE_ANGSTROM]
    if len(site) < 3:  # noqa: PLR2004
        return None
    kept, _ = kept_atoms(run)
    at = (lambda atoms: atoms) if kept is None else (lambda atoms: np.searchsorted(kept, atoms))
    begun = np.concatenate([start[None, [*site, *one]], first[:, at(np.array([*site, *one]))]])
    found = [
        orientations(superposed(frames, range(len(site)))[:, len(site) :], graph)
        for frames, graph in ((begun, of_one), (last[:, at(np.array([*site, *two]))], of_two))
    ]
    seen = {name: one for name, one in zip(leg["hybrid"]["ligands"], found, strict=True) if one}
    return seen if len(seen) == len(found) else None


def missing_kcal_per_mol(seen: Mapping[str, Orientations], temperature_k: float) -> float:
    """Give what ΔΔG lacks where the ligands come to no more orientations than they were seen in.

    Parameters
    ----------
    seen
        From :func:`edge_orientations`.
    temperature_k
        K.

    Returns
    -------
    float
        -kT ln of the orientations of the second ligand that are missing to each one seen, over those of the first.
    """
    one, two = seen.values()
    return kt_kcal_per_mol(temperature_k) * math.log(one.missing / two.missing)
