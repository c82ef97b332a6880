"""Whether a ligand will get a box of water that is wide enough for the cutoff, before anything is computed for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gibbsflow.binding.alchemy.protocols import LegSpec
from gibbsflow.binding.forcefield.solvation import box_problems, edge_at_most, edge_round
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.ligands import CONFORMERS
from gibbsflow.binding.prepare.molecules import Molecule, longest_angstrom
from gibbsflow.binding.prepare.receptors import Receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig, Md
from gibbsflow.errors import Problem


def expected_box(
    row: Row,
    ligand: Molecule,
    geometry: Molecule | None,
    receptor: Receptor | None,
    protocol: Sequence[LegSpec],
    settings: BindingConfig,
    where: str,
) -> tuple[list[Problem], list[Problem]]:
    """Foretell the smallest box of a row, in explicit solvent.

    Parameters
    ----------
    row
        Says where its pose comes from.
    ligand
        As it was read.
    geometry
        In its own pose, or one of its conformers; None where it will be laid on another ligand.
    receptor
        None where there is none.
    protocol
        Legs of the cycle.
    settings
        All of it.
    where
        What messages call the samplesheet.

    Returns
    -------
    sure
        At most one: the box will be too small, in whichever of its conformers the ligand is placed.
    likely
        At most one: it may be too small.
    """
    md = settings.md
    if any("copy" in leg.parts for leg in protocol):  # that box has right angles whatever the settings say
        md = md.model_copy(update={"box_shape": "box"})
    beside_receptor = all("receptor" in leg.parts for leg in protocol if leg.medium == "solvent")
    if beside_receptor or geometry is None:
        span = longest_angstrom(ligand.mol)
        if beside_receptor and receptor is not None:
            span += float(np.linalg.norm(np.ptp(receptor.heavy_angstrom, axis=0)))
        return box_problems(edge_at_most(span, md), md, where), []
    edges = _edges(geometry, md)
    if not row.in_its_pose and box_problems(edges[0], md, where, likely=True):
        edges = _edges(embed(ligand, count=CONFORMERS, seed=settings.run.seed), md)  # one of these will be placed
    sure = box_problems(max(edges), md, where)
    return sure, [] if sure else box_problems(min(edges), md, where, likely=True)


def _edges(molecule: Molecule, md: Md) -> list[float]:
    """Edges of the box round each conformer, in their order."""
    elements = [atom.GetAtomicNum() for atom in molecule.mol.GetAtoms()]
    return [edge_round(np.asarray(c.GetPositions()), elements, md) for c in molecule.mol.GetConformers()]
