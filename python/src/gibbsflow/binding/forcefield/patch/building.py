"""A patch of membrane round a protein with its ligand: packed by OpenMM, given lipid21's parameters by tleap."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from openmm import app, unit
from scipy.spatial import cKDTree

from gibbsflow.binding.facts import ParamFacts, PreparedFacts
from gibbsflow.binding.forcefield.given.solvated_box import BoxFiles
from gibbsflow.binding.forcefield.given.solvated_system import take_solvated
from gibbsflow.binding.forcefield.ions import ANION, CATION
from gibbsflow.binding.forcefield.parametrise import LIGAND_RESIDUE
from gibbsflow.binding.forcefield.patch.lipid_names import LIPIDS, AmberNames, amber_names, record
from gibbsflow.binding.forcefield.patch.orientation import Standing, stand
from gibbsflow.binding.forcefield.solvation import SALT_MOL_PER_L, WATER_MOL_PER_L, solvate, write_inpcrd
from gibbsflow.binding.forcefield.topology import leap_inputs
from gibbsflow.binding.forcefield.topology_file import Topology
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Md
from gibbsflow.engines import ambertools
from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.errors import InputError, ParametrisationError, Problem
from gibbsflow.units import Floats

PACKING = ("amber14/protein.ff14SB.xml", "amber19/lipid21.xml", "amber14/tip3p.xml")
"""What OpenMM packs lipids round the protein with; the topology gets its parameters of tleap."""
CLASH_ANGSTROM, WATER_CLASH_ANGSTROM = 1.8, 2.4
ION_DISTANCE_ANGSTROM = 5.0
BEYOND_HEADS_ANGSTROM = 3.0
"""Ions start farther out than this from the outermost atoms of the lipids."""


@dataclass(frozen=True)
class MembraneChoice:
    """What is asked for.

    Attributes
    ----------
    lipid
        A name in `LIPIDS`.
    padding_angstrom
        Between the protein and each face of the box, at the least.
    orientation
        ``given`` or ``search``.
    salt_mol_per_l
        NaCl beside the ions that neutralise.
    """

    lipid: str = "POPC"
    padding_angstrom: float = 10.0
    orientation: str = "given"
    salt_mol_per_l: float = SALT_MOL_PER_L[True]

    def problems(self) -> list[Problem]:
        """Say what cannot be had.

        Returns
        -------
        list of Problem
            Empty where all can.
        """
        where, found = "command line", []
        if self.lipid not in LIPIDS:
            mixed = any(mark in self.lipid for mark in ":/,+ ")
            what = f"{'a mixture' if mixed else 'a lipid'} that no patch is known of: {self.lipid}"
            right = f"one of {', '.join(LIPIDS)}"
            right += "; a system that packmol-memgen has built is given by --complex_topology" if mixed else ""
            found.append(Problem(where, what, right, field="membrane_lipid"))
        if self.orientation not in ("given", "search"):
            found.append(Problem(where, f"is {self.orientation}", "given or search", field="membrane_orientation"))
        if not 5 <= self.padding_angstrom <= 50:  # noqa: PLR2004
            what = f"{self.padding_angstrom:g} Å round the protein"
            found.append(Problem(where, what, "5 to 50 Å", field="membrane_padding_angstrom"))
        if not 0 <= self.salt_mol_per_l <= 5:  # noqa: PLR2004
            found.append(Problem(where, f"is {self.salt_mol_per_l:g}", "0 to 5 mol/L", field="salt_mol_per_l"))
        return found


@dataclass(frozen=True)
class Packed:
    """Lipids and water round a protein.

    Attributes
    ----------
    lipids
        Positions of each lipid in the order of the patch, shape (L, A, 3), Å.
    waters
        Oxygen and hydrogens of each, shape (W, 3, 3), Å.
    box_angstrom
        Lengths, shape (3,), Å.
    names
        Atoms of a lipid in the patch.
    """

    lipids: Floats
    waters: Floats
    box_angstrom: Floats
    names: tuple[str, ...]


def build_membrane(
    system: SimSystem, choice: MembraneChoice, out: Path, *, seed: int
) -> tuple[SimSystem, dict[str, Any]]:
    """Put a parametrised complex into a membrane with water and ions, and its ligand into water.

    Parameters
    ----------
    system
        As left by ``param ligand``: a protein with a ligand.
    choice
        What is asked for.
    out
        Folder that takes the system.
    seed
        Of the places of ions. OpenMM packs lipids by MD that takes no seed: two runs differ.

    Returns
    -------
    system
        As one that comes solvated; not yet written.
    facts
        Figures for ``result.json``.

    Raises
    ------
    InputError
        For a choice that cannot be had, a protein that is not embedded, or a ligand among the lipids.
    ParametrisationError
        Where tleap fails, or builds another membrane than was packed.
    """
    known = system.facts(PreparedFacts)
    if problems := choice.problems():
        raise InputError(problems)
    if known.receptor_kind != "protein":
        raise InputError(Problem(system.name, "has no protein to put into a membrane", "a protein", field="receptor"))
    out = Path(out)
    (out / "logs").mkdir(parents=True, exist_ok=True)
    log = (out / "logs" / "leap.log").resolve()
    md = Md(solvent="tip3p", salt_mol_per_l=choice.salt_mol_per_l)
    with tempfile.TemporaryDirectory(prefix="gibbsflow-membrane-") as scratch:
        folder = Path(scratch)
        loads, _ = leap_inputs(system, folder, md)
        saves = "saveamberparm complex dry.prmtop dry.inpcrd"
        alone = f"saveamberparm {LIGAND_RESIDUE} alone.prmtop alone.inpcrd"
        ambertools.tleap("\n".join([*loads, saves, alone, "quit", ""]), folder=folder, log=log, name=system.name)
        dry, ligand = (Topology.read(folder / f"{n}.prmtop", folder / f"{n}.inpcrd") for n in ("dry", "alone"))
        first = len(dry.elements) - len(ligand.elements)
        topology = load_topology(folder / "dry.prmtop").topology
        standing = _stand(topology, dry.positions_angstrom, first, choice.orientation, system.name)
        placed = standing.placed(dry.positions_angstrom)
        packed = pack(topology, placed, first, choice, where=system.name)
        packed = without_clashes(packed, placed[first:][dry.elements[first:] > 1], where=system.name)
        charge = round(float(dry.charges_e.sum()))
        ions, packed = with_ions(packed, placed, charge, choice.salt_mol_per_l, seed, where=system.name)
        names = amber_names(choice.lipid, packed.names, folder)
        _join(loads, dry.positions_angstrom, placed, packed, ions, names, folder, log, system.name)
        solvate(
            loads, LIGAND_RESIDUE, ligand, md, with_receptor=True, seed=seed, folder=folder,
            target=folder / "solvent", log=log, name=system.name,
        )  # fmt: skip
        boxes = [BoxFiles(n, folder / f"{n}.prmtop", folder / f"{n}.inpcrd") for n in ("complex", "solvent")]
        made, figures = take_solvated(system.name, boxes, LIGAND_RESIDUE, known.site, out)
    told = standing.as_dict() | {
        "lipid": choice.lipid,
        "lipids": len(packed.lipids),
        "lipid_ff": "lipid21",
        "protein_ff": system.facts(ParamFacts).protein_ff,
        "padding_angstrom": choice.padding_angstrom,
        "box_angstrom": np.round(packed.box_angstrom, 2).tolist(),
        "ions": {name: len(places) for name, places in ions.items()},
    }
    return made, figures | {"membrane": told}


def _stand(topology: app.Topology, positions: Floats, first: int, how: str, where: str) -> Standing:
    alpha = [atom for atom in topology.atoms() if atom.name == "CA" and atom.index < first]
    return stand([a.residue.name for a in alpha], positions[[a.index for a in alpha]], how, where=where)


def pack(
    topology: app.Topology, positions_angstrom: Floats, receptor: int, choice: MembraneChoice, *, where: str
) -> Packed:
    """Let OpenMM put lipids and water round a protein.

    Parameters
    ----------
    topology
        Of receptor and ligand.
    positions_angstrom
        In the frame of the membrane, shape (N, 3), Å.
    receptor
        Number of atoms of the receptor, which come first; the ligand is left out.
    choice
        Lipid and padding.
    where
        What messages call it.

    Returns
    -------
    Packed
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
            app.ForceField(*PACKING), lipidType=choice.lipid, neutralize=False,
            minimumPadding=choice.padding_angstrom / 10 * unit.nanometer,
            platform=openmm.Platform.getPlatformByName("CPU"),
        )  # fmt: skip
    except ValueError as error:
        what = f"OpenMM cannot pack lipids round it: {error}"
        raise InputError(Problem(where, what, "a protein of standard residues", field="receptor")) from error
    places = np.array(modeller.positions.value_in_unit(unit.angstrom))
    residues = [r for r in modeller.topology.residues() if next(r.atoms()).index >= receptor]
    lipids = [[a.index for a in r.atoms()] for r in residues if r.name != "HOH"]
    waters = [[a.index for a in r.atoms()] for r in residues if r.name == "HOH"]
    names = tuple(a.name for a in next(r for r in residues if r.name != "HOH").atoms())
    box = np.diag(modeller.topology.getPeriodicBoxVectors().value_in_unit(unit.angstrom))
    return Packed(places[lipids], places[waters], box, names)


def without_clashes(packed: Packed, ligand_angstrom: Floats, *, where: str) -> Packed:
    """Take water away from where the ligand is.

    Parameters
    ----------
    packed
        Lipids and water.
    ligand_angstrom
        Its heavy atoms, shape (M, 3), Å.
    where
        What messages call it.

    Returns
    -------
    Packed
        Without those waters.

    Raises
    ------
    InputError
        For a ligand that lipids overlap.
    """
    tree = cKDTree(ligand_angstrom)
    heavy = [k for k, name in enumerate(packed.names) if not name.lstrip("0123456789").startswith("H")]
    nearest = tree.query(packed.lipids[:, heavy])[0].min(axis=1)
    if (nearest < CLASH_ANGSTROM).any():
        what = f"the ligand is in the lipid: {int((nearest < CLASH_ANGSTROM).sum())} lipids lie where it is"
        right = "a ligand in a site of the protein; for one among lipids a system that is given, equilibrated"
        raise InputError(Problem(where, what, right, field="pose"))
    kept = tree.query(packed.waters[:, 0])[0] > WATER_CLASH_ANGSTROM
    return Packed(packed.lipids, packed.waters[kept], packed.box_angstrom, packed.names)


def with_ions(
    packed: Packed, solute_angstrom: Floats, charge_e: int, salt_mol_per_l: float, seed: int, *, where: str
) -> tuple[dict[str, Floats], Packed]:
    """Put ions in place of waters outside the membrane.

    Parameters
    ----------
    packed
        Lipids and water.
    solute_angstrom
        Receptor and ligand, shape (N, 3), Å.
    charge_e
        Of both.
    salt_mol_per_l
        Pairs beside those that neutralise.
    seed
        Of their places.
    where
        What messages call it.

    Returns
    -------
    ions
        Places of each kind, shape (K, 3), Å.
    packed
        Without the waters that gave way.

    Raises
    ------
    InputError
        Where they do not fit.
    """
    pairs = round(salt_mol_per_l * len(packed.waters) / WATER_MOL_PER_L)
    counts = {CATION: pairs + max(0, -charge_e), ANION: pairs + max(0, charge_e)}
    heights, oxygens = packed.lipids[..., 2], packed.waters[:, 0]
    beyond = (oxygens[:, 2] > heights.max() + BEYOND_HEADS_ANGSTROM) | (
        oxygens[:, 2] < heights.min() - BEYOND_HEADS_ANGSTROM
    )
    free = beyond & (cKDTree(solute_angstrom).query(oxygens)[0] > ION_DISTANCE_ANGSTROM)
    chosen: list[int] = []
    for place in np.random.default_rng(seed).permutation(np.flatnonzero(free)).tolist():
        if len(chosen) == sum(counts.values()):
            break
        if not chosen or np.linalg.norm(oxygens[chosen] - oxygens[place], axis=1).min() > ION_DISTANCE_ANGSTROM:
            chosen.append(place)
    if len(chosen) < sum(counts.values()):
        what = f"{sum(counts.values())} ions do not fit outside the membrane, {len(chosen)} do"
        right = "more membrane_padding_angstrom, or less salt_mol_per_l"
        raise InputError(Problem(where, what, right, field="salt_mol_per_l"))
    places = {CATION: oxygens[chosen[: counts[CATION]]], ANION: oxygens[chosen[counts[CATION] :]]}
    kept = np.delete(packed.waters, chosen, axis=0)
    return places, Packed(packed.lipids, kept, packed.box_angstrom, packed.names)


def write_surroundings(packed: Packed, names: AmberNames, folder: Path) -> None:
    """Write lipids and waters as tleap reads them: ``lipids.pdb`` and ``water.pdb``.

    Parameters
    ----------
    packed
        Lipids and water.
    names
        Of the lipids' atoms.
    folder
        Where tleap runs.
    """
    lines: list[str] = []
    number = 0
    for lipid in packed.lipids:
        for k, (atom, label) in enumerate(zip(names.names, names.residues, strict=True)):
            place = number + names.residue_of[k] + 1
            lines.append(record(k + 1, atom, label, place, lipid[names.source[k]]))
        number += names.residue_of[-1] + 1
        lines.append("TER")
    _pdb(folder / "lipids.pdb", lines)
    rows: list[str] = []
    for k, water in enumerate(packed.waters, 1):
        rows += [record(k, atom, "WAT", k, xyz) for atom, xyz in zip(("O", "H1", "H2"), water, strict=True)] + ["TER"]
    _pdb(folder / "water.pdb", rows)


def _join(
    loads: Sequence[str],
    given: Floats,
    placed: Floats,
    packed: Packed,
    ions: dict[str, Floats],
    names: AmberNames,
    folder: Path,
    log: Path,
    name: str,
) -> None:
    """Write complex.prmtop and complex.inpcrd: receptor, ligand, lipids, ions, water."""
    write_surroundings(packed, names, folder)
    ionic = [(kind, place) for kind, places in ions.items() for place in places]
    _pdb(folder / "ions.pdb", [record(k, kind, kind, k, place) + "\nTER" for k, (kind, place) in enumerate(ionic, 1)])
    units = ["lipids", *(["ions"] if ionic else []), "water"]
    x, y, z = packed.box_angstrom
    script = [
        *loads, "source leaprc.lipid21", *[f"{unit_} = loadpdb {unit_}.pdb" for unit_ in units],
        f"whole = combine {{ complex {' '.join(units)} }}", f"set whole box {{ {x:.3f} {y:.3f} {z:.3f} }}",
        "saveamberparm whole complex.prmtop complex.inpcrd", "quit", "",
    ]  # fmt: skip
    ambertools.tleap("\n".join(script), folder=folder, log=log, name=name)
    built = Topology.read(folder / "complex.prmtop", folder / "complex.inpcrd")
    others = packed.lipids.shape[0] * packed.lipids.shape[1] + 3 * len(packed.waters) + len(ionic)
    if len(built.elements) != len(placed) + others:
        wanted = len(placed) + others
        raise ParametrisationError(f"{name}: tleap built {len(built.elements)} atoms, and {wanted} were packed")
    # tleap moves a unit with a box, all of it alike; and it has the solute where the file has it
    shift = (built.positions_angstrom[: len(placed)] - given).mean(axis=0)
    moved = np.concatenate([placed + shift, built.positions_angstrom[len(placed) :]])
    write_inpcrd(folder / "complex.inpcrd", moved, (x, y, z, 90.0, 90.0, 90.0))


def _pdb(path: Path, lines: Sequence[str]) -> None:
    path.write_text("\n".join([*lines, "END", ""]))
