"""A system that comes solvated, as ``system_prep system`` reads and checks it, and leaves it in its folder."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding.facts import PreparedFacts
from gibbsflow.binding.forcefield.given.box_differences import (
    improper_differences,
    ion_differences,
    ligand_differences,
    water_difference,
)
from gibbsflow.binding.forcefield.given.canonical import without_others
from gibbsflow.binding.forcefield.given.smiles import smiles_of
from gibbsflow.binding.forcefield.given.solvated_box import BoxFiles, SolvatedBox, read_box
from gibbsflow.binding.forcefield.solvation import write_inpcrd
from gibbsflow.binding.prepare.solvated.includes import flattened
from gibbsflow.binding.solvated_facts import GivenBox, SolvatedFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.errors import InputError, Problem, first_few
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import inputs_hash

PHYSICS = 2
"""Raised by hand when the same files would be taken for another system."""


def read_boxes(
    files: Sequence[BoxFiles], residue: str | None, scratch: Path, name: str
) -> tuple[dict[str, SolvatedBox], Account]:
    """Read the boxes of a system and hold the ligand of one against that of the other.

    Parameters
    ----------
    files
        Of the complex, of the ligand alone, or of both.
    residue
        Name of the ligand's residue; None to find it.
    scratch
        Folder that takes the topologies in AMBER's form.
    name
        Of the system.

    Returns
    -------
    boxes
        By ``complex`` and ``solvent``.
    account
        With notes and doubts.

    Raises
    ------
    InputError
        With all that is wrong with a box, or where the ligands differ.
    """
    boxes: dict[str, SolvatedBox] = {}
    account = Account(name)
    for given in sorted(files, key=lambda box: box.role != "solvent"):
        own = residue if given.role == "complex" or residue is None else residue.split(":")[0]  # its place is another
        boxes[given.role] = read_box(given, own, boxes.get("solvent"), scratch, seen=account)
    if len(boxes) == 2:  # noqa: PLR2004
        bound, free = boxes["complex"], boxes["solvent"]
        both = bound.terms, bound.components, free.terms, free.components
        ligands = bound.terms, bound.components.ligand, free.terms, free.components.ligand
        if told := ligand_differences(*ligands):
            what = f"its ligand is not that of {free.files.topology.name}: {'; '.join(told[:4])}"
            right = "the same ligand with the same parameters in both boxes"
            raise InputError(Problem(str(bound.files.topology), what, right, field="complex_topology"))
        if waters := water_difference(*both):
            what = f"water of {bound.files.topology.name} is {waters[0]}, of {free.files.topology.name} {waters[1]}"
            raise InputError(
                Problem(str(bound.files.topology), what, "one water model in both", field="complex_topology")
            )
        names = f"{bound.files.topology.name} and {free.files.topology.name}"
        if turned := improper_differences(*ligands):
            what = f"improper torsions of the ligand have their outer atoms in another order in {names}"
            account.warn(f"{what}: round {first_few(turned)}", "both boxes from one run of one program")
        for ion in ion_differences(*both):
            account.warn(f"ions of {names} differ: {ion}", "one set of ion parameters in both boxes")
    return boxes, account


def solvated_hash(files: Sequence[BoxFiles], residue: str | None, site: str | None) -> str:
    """Hash of all that decides a system that comes solvated: the files' content, not their names.

    Parameters
    ----------
    files
        Of its boxes.
    residue
        Name of the ligand's residue.
    site
        Residues of the binding site.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    content: dict[str, Any] = {"ligand_residue": residue, "site": site}
    held = {f"{box.role}_coordinates": box.coordinates for box in files}
    for box in files:
        if box.topology.suffix.lower() == ".top":
            content[f"{box.role}_topology"] = flattened(box.topology, box.includes, field=f"{box.role}_topology")[0]
        else:
            held[f"{box.role}_topology"] = box.topology
    return inputs_hash(files=held, settings=content, physics=PHYSICS)


def take_solvated(
    name: str, files: Sequence[BoxFiles], residue: str | None, site: str | None, out: Path
) -> tuple[SimSystem, dict[str, Any]]:
    """Read a system that comes solvated, and write it into a folder.

    Parameters
    ----------
    name
        Of the ligand.
    files
        Of its boxes.
    residue
        Name of the ligand's residue; None to find it.
    site
        Residues of the binding site, by name or number in the topology; None for those near the ligand.
    out
        Folder that takes its files.

    Returns
    -------
    system
        Not yet written, with ``given_complex_prmtop``, ``given_complex_inpcrd``, the same of ``solvent``, and
        ``given_ligand_prmtop``, ``given_ligand_inpcrd``.
    facts
        Figures for ``result.json``.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    artifacts: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="gibbsflow-given-") as scratch:
        boxes, account = read_boxes(files, residue, Path(scratch), name)
        for role, box in boxes.items():
            prmtop, inpcrd = out / f"given_{role}.prmtop", out / f"given_{role}.inpcrd"
            prmtop.write_text(box.text)
            write_inpcrd(inpcrd, box.positions_angstrom, box.coordinates.box_angstrom)
            _check_runs(prmtop, box)
            artifacts |= {f"given_{role}_prmtop": prmtop.name, f"given_{role}_inpcrd": inpcrd.name}
        role = "solvent" if "solvent" in boxes else "complex"
        own = boxes[role]
        atoms = list(own.components.ligand)
        without_others(out / f"given_{role}.prmtop", atoms, out / "given_ligand.prmtop")
        write_inpcrd(out / "given_ligand.inpcrd", own.positions_angstrom[atoms], ())
        artifacts |= {"given_ligand_prmtop": "given_ligand.prmtop", "given_ligand_inpcrd": "given_ligand.inpcrd"}
    facts = {role: box.facts(site if role == "complex" else None) for role, box in boxes.items()}
    bound = facts.get("complex")
    account.note("taken solvated as given, with its own force field")
    account.facts["solvated"] = {role: _told(box, facts[role]) for role, box in boxes.items()}
    known = PreparedFacts(
        receptor_kind=boxes["complex"].components.receptor_kind if bound else None,  # type: ignore[arg-type]
        receptor_charge=bound.receptor_charge_e if bound else None,
        receptor_name=_receptor_name(boxes["complex"]) if bound else "",
        ligand_charge=facts[role].ligand_charge_e,
        ligand_smiles=smiles_of(own.terms, atoms, own.positions_angstrom[atoms], facts[role].ligand_charge_e),
        site=site,
        pose="given",
    )
    account.settle()
    system = SimSystem(name, out).with_artifacts(**artifacts).with_facts(known, SolvatedFacts(solvated=facts))
    told = account.as_dict()
    figures = {"notes": [*told["notes"], *told["warnings"]], "warnings": told["warnings"], "account": account.facts}
    return system.with_account(account), figures


def _told(box: SolvatedBox, facts: GivenBox) -> dict[str, Any]:
    counts = {key: getattr(facts, key) for key in ("water_model", "waters", "ions", "cosolvent", "ligand_charge_e")}
    atoms = {"ligand_atoms": len(facts.ligand_atoms), "receptor_atoms": len(facts.receptor_atoms)}
    ligand = box.terms.labels[int(box.terms.residue_of[box.components.ligand[0]])]
    return {"atoms": len(box.terms.elements), **atoms, "ligand_residue": ligand, **counts}


def _receptor_name(box: SolvatedBox) -> str:
    if box.components.receptor_kind == "host":
        return box.terms.labels[int(box.terms.residue_of[box.components.receptor[0]])]
    return box.files.topology.stem


def _check_runs(prmtop: Path, box: SolvatedBox) -> None:
    """Let the engine make its System of it, and see that it has the forces, constraints and sites that are meant."""
    where, column = str(box.files.topology), f"{box.files.role}_topology"
    width = float(np.diag(box.coordinates.vectors_angstrom).min())
    try:
        system = create_system(prmtop, Md(solvent="tip3p", cutoff_angstrom=max(7.0, min(9.0, width / 2 - 0.1))))
    except (ValueError, TypeError, KeyError, IndexError, RuntimeError) as error:
        right = "a prmtop that OpenMM reads"
        raise InputError(Problem(where, f"OpenMM makes no System of it ({error})", right, field=column)) from error
    strange = [force.getName() for force in system.getForces() if force.getName().startswith("Custom")]
    if strange:
        raise InputError(Problem(where, f"has a {', '.join(strange)}", "a force field of pairs, in PME", field=column))
    sites = sum(system.isVirtualSite(atom) for atom in range(system.getNumParticles()))
    if sites != (wanted := int((box.terms.elements <= 0).sum())):
        what = f"{wanted} virtual sites, of which OpenMM knows {sites}"
        raise InputError(Problem(where, what, "sites of water called EP or EPW", field=column))
    light = [
        i
        for i in range(system.getNumParticles())
        if box.terms.elements[i] > 0 and system.getParticleMass(i)._value < 0.5
    ]
    if light:
        what = f"{box.terms.called(light[0])} would have too little mass left"
        raise InputError(Problem(where, what, "masses of the elements, or repartitioned once", field=column))
