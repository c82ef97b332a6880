"""What an engine differs from itself by, between the cell that labels were made in and the cell of a validation.

Both hold the same crystal, each on its own mesh of k points. Where these are coarse the two energies differ, and so do
stresses: no potential can follow both, and what is held against it below may be the engine's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.potential.label.plane_waves import k_mesh
from gibbsflow.potential.validate.engine_labels import EngineLabels
from gibbsflow.potential.validate.subjects import Subject
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3

if TYPE_CHECKING:
    from ase import Atoms

_MEV_PER_EV = 1e3


@dataclass(frozen=True)
class BesideLabelCell:
    """An engine in two cells of one crystal.

    Attributes
    ----------
    energy_mev_per_atom
        Energy in the validation's cell minus that in the cell of labels.
    pressure_gpa
        The same difference of the pressure.
    cells
        Both cells in words: atoms and k points.
    """

    energy_mev_per_atom: float
    pressure_gpa: float
    cells: str

    def in_words(self) -> str:
        """Say it, of an engine that is named before.

        Returns
        -------
        str
            A sentence without its subject.
        """
        energy, pressure = f"{self.energy_mev_per_atom:+.2f} meV/atom", f"{self.pressure_gpa:+.2f} GPa"
        return f"differs from itself by {energy} and a pressure of {pressure} between {self.cells}"


def cells_to_compare(subject: Subject, engine: EngineLabels) -> list[Atoms]:
    """Choose what the engine is asked for.

    Parameters
    ----------
    subject
        What is validated.
    engine
        The engine.

    Returns
    -------
    list of Atoms
        The cell of volumes and strains and the cell of labels, both before any relaxation; none where the latter is not
        known, or is the same cell, and for engines that repeat nothing in space.
    """
    if subject.crystal is None or subject.labelled is None or not engine.engine.periodic:
        return []
    pair = [subject.crystal.unit, subject.labelled]
    meshes = [k_mesh(atoms, engine.dft.kspacing_per_angstrom) for atoms in pair]
    alike = len(pair[0]) == len(pair[1]) and meshes[0] == meshes[1]
    return [] if alike and np.allclose(pair[0].cell.cellpar(), pair[1].cell.cellpar(), atol=1e-3) else pair


def beside_label_cell(subject: Subject, engine: EngineLabels) -> BesideLabelCell | None:
    """Ask an engine for one crystal in two cells.

    Parameters
    ----------
    subject, engine
        As in :func:`cells_to_compare`.

    Returns
    -------
    BesideLabelCell or None
        None where there is nothing to compare.

    Raises
    ------
    ScienceError
        Where a label fails.
    StoppedEarly
        After a signal: finished labels are kept.
    """
    pair = cells_to_compare(subject, engine)
    if not pair:
        return None
    own, labelled = engine(pair)
    energies = [answer.energy_ev / len(atoms) for answer, atoms in zip((own, labelled), pair, strict=True)]
    stresses = [answer.stress_ev_per_angstrom3 for answer in (own, labelled)]
    pressures = [-float(np.mean(stress[:3])) * GPA_PER_EV_PER_ANGSTROM3 for stress in stresses if stress is not None]
    meshes = ["×".join(map(str, k_mesh(atoms, engine.dft.kspacing_per_angstrom))) for atoms in pair]
    cells = (
        f"this validation's cell of {len(pair[0])} ({meshes[0]} k points) and the labels' cell of {len(pair[1])} atoms "
        f"({meshes[1]})"
    )
    return BesideLabelCell(_MEV_PER_EV * (energies[0] - energies[1]), pressures[0] - pressures[1], cells)
