"""Small systems that come solvated, made by tleap alone: methanol beside alanine dipeptide, and methanol by itself."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import openmm

from gibbsflow.binding.forcefield.given.rebuilt.box_parts import BoxParts
from gibbsflow.binding.forcefield.given.solvated_box import BoxFiles
from gibbsflow.binding.forcefield.given.solvated_system import read_boxes
from gibbsflow.config.binding import Md
from gibbsflow.engines import ambertools
from gibbsflow.engines.openmm_systems import create_system

BOXES = {"tip3p": "TIP3PBOX", "spce": "SPCBOX", "opc": "OPCBOX", "tip4pew": "TIP4PEWBOX"}
LIGAND = "MOH"
METHANOL = """@<TRIPOS>MOLECULE
MOH
 6 5 1 0 0
SMALL
USER_CHARGES

@<TRIPOS>ATOM
 1 C1 -0.0465  0.6631 0.0000 c3 1 MOH  0.1167
 2 H1 -1.0870  0.9764 0.0000 h1 1 MOH  0.0287
 3 H2  0.4370  1.0696 0.8891 h1 1 MOH  0.0287
 4 H3  0.4370  1.0696 -0.8891 h1 1 MOH  0.0287
 5 O1 -0.0465 -0.7581 0.0000 oh 1 MOH -0.5988
 6 HO  0.8615 -1.0566 0.0000 ho 1 MOH  0.3960
@<TRIPOS>BOND
 1 1 2 1
 2 1 3 1
 3 1 4 1
 4 1 5 1
 5 5 6 1
@<TRIPOS>SUBSTRUCTURE
     1 MOH 1 TEMP 0 **** **** 0 ROOT
"""


@cache
def boxes(water: str = "tip3p", ions: str = "", padding: float = 8, fill: str = "solvatebox") -> Path:
    """Folder with complex and solvent as prmtop and inpcrd; not to be changed."""
    folder = Path(tempfile.mkdtemp(prefix="gibbsflow-solvated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "ligand.mol2").write_text(METHANOL)
    lines = [
        "source leaprc.protein.ff14SB",
        f"source leaprc.water.{water}",
        "source leaprc.gaff",
        "receptor = sequence { ACE ALA NME }",
        "ligand = loadmol2 ligand.mol2",
        "translate ligand { 3 0 4 }",
        "complex = combine { receptor ligand }",
    ]
    for unit, role in (("complex", "complex"), ("ligand", "solvent")):
        lines.append(f"{fill} {unit} {BOXES[water]} {padding:g}")
        lines += [f"addIonsRand {unit} {ions}"] if ions else []
        lines.append(f"saveamberparm {unit} {role}.prmtop {role}.inpcrd")
    ambertools.tleap("\n".join([*lines, "quit", ""]), folder=folder, log=folder / "leap.log", name="boxes")
    return folder


def files(folder: Path, *roles: str) -> list[BoxFiles]:
    """Files of the boxes of a folder."""
    found = roles or ("complex", "solvent")
    return [BoxFiles(role, folder / f"{role}.prmtop", folder / f"{role}.inpcrd") for role in found]


def copied(folder: Path, target: Path) -> Path:
    """The same files where they may be changed."""
    target.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.*"):
        shutil.copyfile(path, target / path.name)
    return target


def replaced(path: Path, flag: str, change) -> None:
    """Change the values of one section of a topology."""
    head, _, rest = path.read_text().partition(f"%FLAG {flag:<74}\n")
    form, _, rest = rest.partition("\n")
    body, mark, tail = rest.partition("%FLAG")
    width, per_line, kind = {"E": (16, 5, "{:16.8E}"), "I": (8, 10, "{:8d}"), "a": (4, 20, "{:<4}")}[
        next(letter for letter in form if letter in "EIa")
    ]
    lines = [line for line in body.split("\n") if line]
    cells = [line[i : i + width] for line in lines for i in range(0, len(line.rstrip()), width)]
    read = {"E": float, "I": int, "a": str.strip}[next(letter for letter in form if letter in "EIa")]
    values = [kind.format(value) for value in change([read(cell) for cell in cells])]
    fresh = "\n".join("".join(values[i : i + per_line]) for i in range(0, len(values), per_line))
    path.write_text(f"{head}%FLAG {flag:<74}\n{form}\n{fresh}\n{mark}{tail}")


def anion(folder: Path, target: Path) -> Path:
    """Copy of boxes with Na+ in them, whose ligand has taken an electron of the first one."""
    found = copied(folder, target)
    for role, first in (("complex", 22), ("solvent", 0)):
        shift = {first: -18.2223, first + 6: 18.2223}  # the first ion behind the ligand takes what it gives
        replaced(found / f"{role}.prmtop", "CHARGE", lambda q, s=shift: [v + s.get(k, 0) for k, v in enumerate(q)])
    return found


def parts(folder: Path, role: str) -> BoxParts:
    """A box by its molecules."""
    found, _ = read_boxes(files(folder, role), None, Path(tempfile.mkdtemp(dir=folder)), role)
    return found[role].parts


def energies(text: str, positions_angstrom: np.ndarray, vectors_angstrom: np.ndarray) -> dict[str, float]:
    """Energy of each kind of force in PME on the Reference platform, kJ/mol."""
    with tempfile.NamedTemporaryFile("w", suffix=".prmtop") as file:
        file.write(text)
        file.flush()
        system = create_system(Path(file.name), Md(solvent="tip3p", cutoff_angstrom=7))
    return energies_of(system, positions_angstrom, vectors_angstrom)


def energies_of(system, positions_angstrom: np.ndarray, vectors_angstrom: np.ndarray) -> dict[str, float]:
    """The same of a System, its constrained bonds counted as they are, on one grid."""
    for group, force in enumerate(system.getForces()):
        force.setForceGroup(group)
        if isinstance(force, openmm.NonbondedForce):
            force.setPMEParameters(4.0, 32, 32, 32)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    context.setPeriodicBoxVectors(*(vectors_angstrom / 10))
    context.setPositions(positions_angstrom / 10)
    told: dict[str, float] = {}
    for group, force in enumerate(system.getForces()):
        value = context.getState(getEnergy=True, groups={group}).getPotentialEnergy()._value
        told[force.getName()] = told.get(force.getName(), 0.0) + value
    return told
