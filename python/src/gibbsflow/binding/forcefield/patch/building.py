"""A membrane round a protein with its ligand: packed or prepared, given lipid21's parameters by tleap."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from openmm import app
from scipy.spatial import cKDTree

from gibbsflow.binding.facts import MembranePlanes, ParamFacts, PreparedFacts
from gibbsflow.binding.forcefield.given.given_topologies import is_solvated
from gibbsflow.binding.forcefield.given.solvated_box import SITE_ANGSTROM, BoxFiles
from gibbsflow.binding.forcefield.given.solvated_system import take_solvated
from gibbsflow.binding.forcefield.parametrise import LIGAND_RESIDUE
from gibbsflow.binding.forcefield.patch.choice import MembraneChoice
from gibbsflow.binding.forcefield.patch.mixing import mix
from gibbsflow.binding.forcefield.patch.orientation import Standing, laid_on, stand
from gibbsflow.binding.forcefield.patch.packing import pack
from gibbsflow.binding.forcefield.patch.prepared import FIELD, ION_CHARGES, Prepared, read_prepared
from gibbsflow.binding.forcefield.patch.surroundings import (
    Surroundings,
    with_ions,
    without_clashes,
    write_surroundings,
)
from gibbsflow.binding.forcefield.solvation import solvate, write_inpcrd
from gibbsflow.binding.forcefield.topology import leap_inputs
from gibbsflow.binding.forcefield.topology_file import Topology
from gibbsflow.binding.prepare.protein.residue_names import parent_of
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Md
from gibbsflow.engines import ambertools
from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.errors import InputError, ParametrisationError, Problem
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account

SAME_ANGSTROM = 1.5
"""A residue of a prepared bilayer is one of the system's where its heavy atoms are as near as this to the system's."""
FITS_ANGSTROM = 1.0
"""Root mean square distance of α carbons, above which a prepared bilayer holds the protein in another conformation."""


@dataclass(frozen=True)
class _Solute:
    """Receptor and ligand as tleap has them.

    `first` is the first atom of the ligand; `alpha` are the receptor's α carbons and `residues` what they belong to.
    """

    topology: app.Topology
    dry: Topology
    first: int
    alpha: list[int]
    residues: list[str]

    @property
    def positions(self) -> Floats:
        return self.dry.positions_angstrom

    def heavy(self) -> tuple[Floats, Floats]:
        """Places of heavy atoms of receptor and ligand."""
        heavy = self.dry.elements > 1
        parts = (slice(None, self.first), slice(self.first, None))
        return self.positions[parts[0]][heavy[parts[0]]], self.positions[parts[1]][heavy[parts[1]]]


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
        For a system that comes solvated, a choice that cannot be had, a protein that is not embedded, or a ligand among
        the lipids.
    ParametrisationError
        Where tleap fails, or builds another membrane than was packed.
    """
    if is_solvated(system):
        what = "comes solvated, in a box of its own, into which no membrane is put"
        right = "its protein and ligand alone (`system_prep system`, `param ligand`), or solvated with its membrane"
        raise InputError(Problem(system.name, what, right, field="--system"))
    known = system.facts(PreparedFacts)
    if problems := choice.problems():
        raise InputError(problems)
    if known.receptor_kind != "protein":
        raise InputError(Problem(system.name, "has no protein to put into a membrane", "a protein", field="receptor"))
    out = Path(out)
    (out / "logs").mkdir(parents=True, exist_ok=True)
    log = (out / "logs" / "leap.log").resolve()
    md = Md(solvent="tip3p", salt_mol_per_l=choice.salt_mol_per_l)
    account = Account(system.name)
    with tempfile.TemporaryDirectory(prefix="gibbsflow-membrane-") as scratch:
        folder = Path(scratch)
        loads, _ = leap_inputs(system, folder, md)
        saves = "saveamberparm complex dry.prmtop dry.inpcrd"
        alone = f"saveamberparm {LIGAND_RESIDUE} alone.prmtop alone.inpcrd"
        ambertools.tleap("\n".join([*loads, saves, alone, "quit", ""]), folder=folder, log=log, name=system.name)
        dry, ligand = (Topology.read(folder / f"{n}.prmtop", folder / f"{n}.inpcrd") for n in ("dry", "alone"))
        solute = _solute(folder, dry, len(dry.elements) - len(ligand.elements))
        if known.site is None:
            refuse_far(*solute.heavy(), where=system.name)
        standing, packed = _surrounded(
            solute, choice, known.membrane_planes, folder, out / "logs", system.name, account
        )
        placed = standing.placed(dry.positions_angstrom)
        packed = without_clashes(packed, placed[solute.first :][dry.elements[solute.first :] > 1], where=system.name)
        packed = _neutral(packed, placed, dry, choice, seed, system.name, account)
        _join(loads, dry.positions_angstrom, placed, packed, folder, log, system.name)
        solvate(
            loads, LIGAND_RESIDUE, ligand, md, with_receptor=True, seed=seed, folder=folder,
            target=folder / "solvent", log=log, name=system.name,
        )  # fmt: skip
        boxes = [BoxFiles(n, folder / f"{n}.prmtop", folder / f"{n}.inpcrd") for n in ("complex", "solvent")]
        try:
            made, figures = take_solvated(system.name, boxes, LIGAND_RESIDUE, known.site, out)
        except InputError as error:
            raise _of_the_given(error, folder, str(choice.pdb or system.name)) from error
    told = standing.as_dict() | {
        "lipid": choice.asked,
        "lipids": len(packed.lipids),
        "composition": packed.composition(),
        "lipid_ff": "lipid21",
        "protein_ff": system.facts(ParamFacts).protein_ff,
        "box_angstrom": np.round(packed.box_angstrom, 2).tolist(),
        "ions": {name: len(places) for name, places in packed.ions.items()},
    }
    if choice.pdb is None:
        told["padding_angstrom"] = choice.padding_angstrom
    for doubt in standing.doubts():
        account.warn(doubt, "membrane_orientation search, or the protein in the frame of the membrane as OPM has it")
    account.facts["membrane_built"] = told
    account.settle()
    doubts = account.as_dict()
    figures["notes"] = [*figures["notes"], *doubts["notes"], *doubts["warnings"]]
    figures["warnings"] = [*figures["warnings"], *doubts["warnings"]]
    return made.with_account(system.account()).with_account(account), figures | {"membrane": told}


def _of_the_given(error: InputError, folder: Path, where: str) -> InputError:
    """What is wrong with a box in a scratch folder is said of what it was made from."""
    ours = [replace(x, where=where) if x.where.startswith(str(folder)) else x for x in error.problems]
    return InputError(ours) if ours else error


def _solute(folder: Path, dry: Topology, first: int) -> _Solute:
    topology = load_topology(folder / "dry.prmtop").topology
    alpha = [atom for atom in topology.atoms() if atom.name == "CA" and atom.index < first]
    return _Solute(topology, dry, first, [a.index for a in alpha], [a.residue.name for a in alpha])


def refuse_far(receptor_angstrom: Floats, ligand_angstrom: Floats, *, where: str) -> None:
    """Say before lipids are packed, which takes long, what reading the box would say after it.

    Parameters
    ----------
    receptor_angstrom, ligand_angstrom
        Heavy atoms of each, shapes (N, 3) and (M, 3), Å.
    where
        What messages call it.

    Raises
    ------
    InputError
        For a ligand that has no residue near it, which would be its site.
    """
    nearest = float(cKDTree(receptor_angstrom).query(ligand_angstrom)[0].min())
    if nearest >= SITE_ANGSTROM:
        what = f"the ligand is {nearest:.1f} Å from the receptor, of which no residue is then its site"
        raise InputError(Problem(where, what, f"a ligand within {SITE_ANGSTROM:g} Å of it, or a site", field="pose"))


def _surrounded(
    solute: _Solute,
    choice: MembraneChoice,
    planes: MembranePlanes | None,
    folder: Path,
    logs: Path,
    where: str,
    account: Account,
) -> tuple[Standing, Surroundings]:
    """How the protein stands, and what is round it then."""
    centres = solute.positions[solute.alpha]
    if choice.pdb is not None:
        standing, packed, rms = _in_place(solute, read_prepared(choice.pdb, folder), str(choice.pdb))
        account.note(
            f"membrane taken from {choice.pdb.name}: lipids, water (as TIP3P) and ions; its protein is {rms:.2f} Å (α "
            "carbons) from that of the system, which is laid on it"
        )
        return standing, packed
    standing = stand(solute.residues, centres, choice.orientation, planes, where=where)
    placed, padding = standing.placed(solute.positions), choice.padding_angstrom
    if choice.is_mixture:
        mixed = mix(solute.topology, placed, solute.first, choice, folder, logs, where=where)
        moved, packed, _ = _in_place(solute, mixed, "packmol-memgen")
        return replace(standing, rotation=moved.rotation, shift_angstrom=moved.shift_angstrom), packed
    return standing, pack(solute.topology, placed, solute.first, choice.lipid, padding, folder, where=where)


def _in_place(solute: _Solute, held: Prepared, where: str) -> tuple[Standing, Surroundings, float]:
    """Lay the system's protein on that of a bilayer that is there, whose rest is then round it; how well it fits, Å."""
    ours, theirs = ([parent_of(name) for name in names] for names in (solute.residues, held.alpha_names))
    right = "the protein of the system, residue by residue, whole in one image of the box"
    if ours != theirs:
        differ = next((k for k, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
        what = f"{len(theirs)} residues of a protein, and {len(ours)} in the system"
        if differ is not None:
            what += f"; residue {differ + 1} is {theirs[differ]} there and {ours[differ]} here"
        raise InputError(Problem(where, what, right, field=FIELD))
    centres = solute.positions[solute.alpha]
    standing = laid_on(solute.residues, centres, held.alpha_angstrom, held.middle_angstrom)
    middle = np.array([0, 0, held.middle_angstrom])
    away = standing.placed(centres) - (held.alpha_angstrom - middle)
    rms = float(np.sqrt((away**2).sum(axis=1).mean()))
    if rms > FITS_ANGSTROM:
        what = f"its protein is another conformation than the system's: α carbons {rms:.1f} Å apart"
        raise InputError(Problem(where, what, right, field=FIELD))
    tree = cKDTree(standing.placed(solute.positions)[solute.dry.elements > 1])
    for called, places in held.others:
        if not len(places) or tree.query(places - middle)[0].max() > SAME_ANGSTROM:
            what = f"{called} is neither lipid, water nor ion, and the system has nothing there"
            raise InputError(Problem(where, what, "lipids, water, ions and what the system has", field=FIELD))
    ions = {k: v[tree.query(v)[0] > SAME_ANGSTROM] for k, v in held.surroundings.ions.items()}
    return standing, replace(held.surroundings, ions=ions), rms


def _neutral(
    packed: Surroundings, placed: Floats, dry: Topology, choice: MembraneChoice, seed: int, where: str, account: Account
) -> Surroundings:
    charge = round(float(dry.charges_e.sum())) + sum(lipid.charge_e for lipid in packed.lipids)
    if choice.pdb is None:
        return with_ions(packed, placed, charge, choice.salt_mol_per_l, seed, where=where)
    charge += sum(ION_CHARGES[kind] * len(places) for kind, places in packed.ions.items())
    if charge:
        account.note(f"the bilayer as it came has {charge:+d} e with this system: {abs(charge)} waters become ions")
    return with_ions(packed, placed, charge, 0.0, seed, where=where)


def _join(
    loads: Sequence[str], given: Floats, placed: Floats, packed: Surroundings, folder: Path, log: Path, name: str
) -> None:
    """Write complex.prmtop and complex.inpcrd: receptor, ligand, lipids, ions, water."""
    units = write_surroundings(packed, folder)
    x, y, z = packed.box_angstrom
    script = [
        *loads, "source leaprc.lipid21", *[f"{unit_} = loadpdb {unit_}.pdb" for unit_ in units],
        f"whole = combine {{ complex {' '.join(units)} }}", f"set whole box {{ {x:.3f} {y:.3f} {z:.3f} }}",
        "saveamberparm whole complex.prmtop complex.inpcrd", "quit", "",
    ]  # fmt: skip
    ambertools.tleap("\n".join(script), folder=folder, log=log, name=name)
    built = Topology.read(folder / "complex.prmtop", folder / "complex.inpcrd")
    if len(built.elements) != (wanted := len(placed) + packed.atoms):
        raise ParametrisationError(f"{name}: tleap built {len(built.elements)} atoms, and {wanted} were packed")
    # tleap moves a unit with a box, all of it alike; and it has the solute where the file has it
    shift = (built.positions_angstrom[: len(placed)] - given).mean(axis=0)
    moved = np.concatenate([placed + shift, built.positions_angstrom[len(placed) :]])
    write_inpcrd(folder / "complex.inpcrd", moved, (x, y, z, 90.0, 90.0, 90.0))
