"""Whether boxes that are built will have room for ions that change with a charged ligand, before they are built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from gibbsflow.binding.alchemy.protocols import LegSpec
from gibbsflow.binding.forcefield.remote import ion_problems, reach_angstrom
from gibbsflow.binding.forcefield.solvation import edge_at_most, edge_round, width_foretold
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.ligands import CONFORMERS
from gibbsflow.binding.prepare.molecules import Molecule, longest_angstrom
from gibbsflow.binding.prepare.receptors import Receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig, Md
from gibbsflow.errors import Problem
from gibbsflow.units import Floats

_COMPLETED_ANGSTROM = 10.0
"""What a protein may grow by: hydrogens, and heavy atoms that its file lacks."""
_CENTRE_ANGSTROM = 1.0
"""How far these may move its centroid."""
_CARBON, _MOST_PAIRED = 6, 3000


def expected_ions(
    row: Row,
    ligand: Molecule,
    geometry: Molecule | None,
    receptor: Receptor | None,
    protocol: Sequence[LegSpec],
    settings: BindingConfig,
    where: str,
) -> tuple[list[Problem], list[Problem]]:
    """Foretell whether the boxes of a row have room for counter-ions.

    Parameters
    ----------
    row, ligand, geometry, receptor, protocol, settings, where
        As for :func:`.expected_box`.

    Returns
    -------
    sure
        At most one: there will be no room, in whichever of its conformers and wherever in the receptor the ligand is.
    likely
        At most one: there may be none.
    """
    if not ligand.charge or not any("ions" in leg.parts for leg in protocol):
        return [], []
    sure: list[Problem] = []
    likely: list[Problem] = []
    for name, sizes in _boxes(row, ligand, geometry, receptor, settings):
        told = [
            (_foretold(*size, settings.md, where), _foretold(*size, settings.md, where, likely=True)) for size in sizes
        ]
        never, maybe = zip(*told, strict=True)
        likely += [_in_box(name, problem) for problem in maybe[0]]
        if all(never):  # what is said to be right is enough for most boxes, not for the largest alone
            sure.append(replace(_in_box(name, never[0][0]), right=maybe[0][0].right))
    return sure[:1], [] if sure else likely[:1]


def _foretold(reach: float, edge: float, md: Md, where: str = "", *, likely: bool = False) -> list[Problem]:
    width = width_foretold(edge, md, likely=likely)
    return ion_problems(reach, width, md, where, verb="may have" if likely else "has")


def _in_box(name: str, problem: Problem) -> Problem:
    return replace(problem, what=f"{name}: {problem.what}")


Sizes = list[tuple[float, float]]
"""Reach of a solute and edge of its box, Å: as it is expected, then of other conformers, or the least reach and the
longest edge that can be."""


def _boxes(
    row: Row, ligand: Molecule, geometry: Molecule | None, receptor: Receptor | None, settings: BindingConfig
) -> list[tuple[str, Sizes]]:
    boxes = []
    if receptor is not None:
        boxes.append(("complex", _of_complex(row, ligand, geometry, receptor, settings.md)))
    if geometry is not None:
        sizes = _alone(geometry, settings.md)
        if not row.in_its_pose and _foretold(*sizes[0], settings.md, likely=True):  # one of these will be placed
            sizes = _alone(embed(ligand, count=CONFORMERS, seed=settings.run.seed), settings.md)
        boxes.append(("solvent", sizes))
    return boxes


def _alone(molecule: Molecule, md: Md) -> Sizes:
    elements = [atom.GetAtomicNum() for atom in molecule.mol.GetAtoms()]
    shapes = [np.asarray(one.GetPositions()) for one in molecule.mol.GetConformers()]
    return [(reach_angstrom(elements, positions), edge_round(positions, elements, md)) for positions in shapes]


def _of_complex(row: Row, ligand: Molecule, geometry: Molecule | None, receptor: Receptor, md: Md) -> Sizes:
    host = receptor.molecule
    elements, positions = [_CARBON] * len(receptor.heavy_angstrom), receptor.heavy_angstrom
    if host is not None:
        elements, positions = [atom.GetAtomicNum() for atom in host.mol.GetAtoms()], host.positions_angstrom
    if geometry is None or not row.in_its_pose:
        span = _longest(positions)
        alone = reach_angstrom(elements, positions), edge_round(positions, elements, md)
        return [alone, (span / 2, edge_at_most(span + longest_angstrom(ligand.mol), md))]
    elements = [*elements, *(atom.GetAtomicNum() for atom in geometry.mol.GetAtoms())]
    positions = np.concatenate([positions, geometry.positions_angstrom])
    reach = reach_angstrom(elements, positions)
    as_read = reach, edge_round(positions, elements, md)
    longest = _longest(positions) + _COMPLETED_ANGSTROM
    return [as_read] if host is not None else [as_read, (reach - _CENTRE_ANGSTROM, edge_at_most(longest, md))]


def _longest(positions: Floats) -> float:
    """Longest distance of two atoms: of many, of those that the others lie between."""
    many = len(positions) > _MOST_PAIRED
    return float(pdist(positions[ConvexHull(positions).vertices] if many else positions).max())
