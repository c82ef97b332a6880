"""Several kinds of lipid round a protein, packed by packmol-memgen, which is run as a program where it is installed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
from openmm import app, unit

from gibbsflow.binding.forcefield.patch.choice import MembraneChoice
from gibbsflow.binding.forcefield.patch.prepared import Prepared, read_prepared
from gibbsflow.engines.process import Bounds, find_program, run_program
from gibbsflow.errors import InputError, MissingProgramError, ParametrisationError, Problem
from gibbsflow.units import Floats

PROGRAMS = ("packmol-memgen", "packmol")
HOURS = 12.0
SEAM_ANGSTROM = 2.0
"""Packmol packs into walls, not into a periodic box: its tolerance, which faces are kept apart by."""


def mix(
    topology: app.Topology,
    positions_angstrom: Floats,
    receptor: int,
    choice: MembraneChoice,
    folder: Path,
    logs: Path,
    *,
    where: str,
) -> Prepared:
    """Let packmol-memgen put lipids and water round a protein (Schott-Verdugo, Gohlke, JCIM 59, 2522 (2019)).

    Parameters
    ----------
    topology
        Of receptor and ligand.
    positions_angstrom
        In the frame of the membrane, shape (N, 3), Å.
    receptor
        Number of atoms of the receptor, which come first; the ligand is left out.
    choice
        Lipids, their ratio, and the padding.
    folder
        Where the programs run.
    logs
        Folder that takes what they say.
    where
        What messages call it.

    Returns
    -------
    Prepared
        What was packed, with the protein as the program has left it.

    Raises
    ------
    InputError
        Where the program is not installed.
    EngineError
        Where it fails.
    ParametrisationError
        Where it leaves no membrane.
    """
    try:
        for program in PROGRAMS:
            find_program(program)
    except MissingProgramError as error:
        what = f"{choice.asked} is a mixture, which packmol-memgen packs: {error}"
        right = "packmol-memgen and packmol on PATH, one kind of lipid, or a prepared bilayer in membrane_pdb"
        raise InputError(Problem(where, what, right, field="membrane_lipid")) from error
    modeller = app.Modeller(topology, positions_angstrom * unit.angstrom)
    modeller.delete([atom for atom in modeller.topology.atoms() if atom.index >= receptor])
    with (folder / "protein.pdb").open("w") as file:
        app.PDBFile.writeFile(modeller.topology, modeller.positions, file, keepIds=True)
    command = [
        "packmol-memgen", "--pdb", "protein.pdb", "--preoriented", "--notprotonate", "--nocounter",
        "--lipids", choice.lipid, "--ratio", str(choice.ratio), "--dist", f"{choice.padding_angstrom:g}",
        "--output", "mixture.pdb", "--log", "memgen.log", "--overwrite", "--noprogress",
    ]  # fmt: skip
    run_program(command, folder=folder, log=logs / "packmol-memgen.log", bounds=Bounds(time_s=HOURS * 3600))
    for name in ("memgen.log", "packmol.log"):
        if (folder / name).exists():
            shutil.copyfile(folder / name, logs / f"{Path(name).stem}-details.log")
    # lipids that pierce rings are taken out into a file of their own
    written = next((p for p in (folder / f"mixture{end}.pdb" for end in ("_noclash", "")) if p.exists()), None)
    if written is None:
        raise ParametrisationError(f"{where}: packmol-memgen left no membrane ({logs / 'packmol-memgen.log'})")
    return read_prepared(written, folder, _box(folder / "memgen.log", where))


def _box(log: Path, where: str) -> Floats:
    """Lengths of the box that was filled, of which the file itself says nothing."""
    found = dict(re.findall(r"^\s*([xyz])_len\s*=\s*([0-9.]+)", log.read_text(errors="replace"), re.MULTILINE))
    if set(found) != set("xyz"):
        raise ParametrisationError(f"{where}: packmol-memgen does not say how large its box is ({log.name})")
    return np.array([float(found[axis]) for axis in "xyz"]) + SEAM_ANGSTROM
