"""Facts of systems that come solvated, and of stages that were chosen; see `binding.facts`."""

from __future__ import annotations

from typing import Any, ClassVar

from gibbsflow.binding.facts import Facts
from gibbsflow.config.equil_stages import StageSettings


class GivenBox(Facts):
    """A box that came solvated, with what was found in it.

    Attributes
    ----------
    water_model
        As settings name it; None for one that is not known.
    water
        Its parameters.
    waters
        How many.
    ions, cosolvent
        How many of each, by the names of their residues.
    lipids
        How many of each kind, of a membrane.
    box_angstrom
        Lengths in Å and angles in degrees.
    ligand_atoms, receptor_atoms
        0-based indices into this box's topology.
    site_atoms
        Heavy atoms of the receptor that line the binding site.
    receptor_charge_e, ligand_charge_e
        Net charges in e.
    hydrogen_mass_amu
        Of the solutes' hydrogens, as the file has it.
    """

    water_model: str | None
    water: dict[str, Any]
    waters: int
    ions: dict[str, int]
    cosolvent: dict[str, int]
    box_angstrom: tuple[float, ...]
    ligand_atoms: tuple[int, ...]
    receptor_atoms: tuple[int, ...]
    site_atoms: tuple[int, ...]
    receptor_charge_e: int
    ligand_charge_e: int
    hydrogen_mass_amu: float
    lipids: dict[str, int] = {}


class SolvatedFacts(Facts):
    """A system that came solvated, with its own force field.

    Attributes
    ----------
    solvated
        Its boxes, by ``complex`` and ``solvent`` (the ligand in a box of its own).
    """

    written_by: ClassVar[str] = "system_prep system"
    solvated: dict[str, GivenBox]


class StageFacts(Facts):
    """Stages of the equilibration, where they were chosen.

    Attributes
    ----------
    stages
        In their order, as the file has them.
    """

    written_by: ClassVar[str] = "equil prepare"
    stages: tuple[StageSettings, ...]
