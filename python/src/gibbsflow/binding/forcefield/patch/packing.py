"""One kind of lipid round a protein, packed by OpenMM from its equilibrated patches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openmm
from openmm import app, unit

from gibbsflow.binding.forcefield.patch.lipid_names import amber_names
from gibbsflow.binding.forcefield.patch.surroundings import Surroundings, named_lipid
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats

PACKING = ("amber14/protein.ff14SB.xml", "amber19/lipid21.xml", "amber14/tip3p.xml")
"""What OpenMM packs lipids round the protein with; the topology gets its parameters of tleap."""


def pack(
    topology: app.Topology,
    positions_angstrom: Floats,
    receptor: int,
    lipid: str,
    padding_angstrom: float,
    folder: Path,
    *,
    where: str,
) -> Surroundings:
    """Let OpenMM put lipids and water round a protein.

    Parameters
    ----------
    topology
        Of receptor and ligand.
    positions_angstrom
        In the frame of the membrane, shape (N, 3), Å.
    receptor
        Number of atoms of the receptor, which come first; the ligand is left out.
    lipid
        One that OpenMM has a patch of.
    padding_angstrom
        Between the protein and each face of the box, at the least.
    folder
        Where the program that names lipids runs.
    where
        What messages call it.

    Returns
    -------
    Surroundings
        Lipids and water.

    Raises
    ------
    InputError
        For parts of the receptor that the packing has no parameters for.
    """
    modeller = app.Modeller(topology, positions_angstrom * unit.angstrom)
    modeller.delete([atom for atom in modeller.topology.atoms() if atom.index >= receptor])
    try:
        modeller.addMembrane(
            app.ForceField(*PACKING), lipidType=lipid, neutralize=False,
            minimumPadding=padding_angstrom / 10 * unit.nanometer,
            platform=openmm.Platform.getPlatformByName("CPU"),
        )  # fmt: skip
    except ValueError as error:
        what = f"OpenMM cannot pack lipids round it: {error}"
        raise InputError(Problem(where, what, "a protein of standard residues", field="receptor")) from error
    places = np.array(modeller.positions.value_in_unit(unit.angstrom))
    residues = [r for r in modeller.topology.residues() if next(r.atoms()).index >= receptor]
    waters = [[a.index for a in r.atoms()] for r in residues if r.name == "HOH"]
    others = [r for r in residues if r.name != "HOH"]
    names = amber_names(lipid, [a.name for a in others[0].atoms()], folder)
    lipids = tuple(named_lipid(names, places[[a.index for a in r.atoms()]]) for r in others)
    box = np.diag(modeller.topology.getPeriodicBoxVectors().value_in_unit(unit.angstrom))
    return Surroundings(lipids, places[waters], box)
