"""A ligand without a receptor: read, completed, given one conformer, and written as the system of phase system_prep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

from rdkit import Chem

from gibbsflow.binding.facts import PreparedFacts
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.ligands import CONFORMERS, given_pose, read_ligand, written_account
from gibbsflow.binding.prepare.molecules import Fault, Molecule, MoleculeError, rdkit_messages, write_sdf
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import inputs_hash

PHYSICS = 1
"""Raised by hand when another conformer is taken for the same input."""


def solute_hash(row: Row, settings: BindingConfig) -> str:
    """Hash of all that decides the prepared solute.

    Parameters
    ----------
    row
        The ligand.
    settings
        The seed counts.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    files = {"structure": Path(row.structure)} if row.structure else {}
    pose = row.pose
    if pose not in ("given", "place"):
        files["pose"], pose = Path(pose), "file"
    content = {"smiles": row.smiles, "charge": row.charge, "pose": pose, "seed": settings.run.seed}
    return inputs_hash(files=files, settings=content, physics=PHYSICS)


def solute_faults(row: Row, ligand: Molecule) -> list[Fault]:
    """Say what is wrong with the conformer that a row gives.

    Parameters
    ----------
    row
        Which one is asked for.
    ligand
        As `read_ligand` has it.

    Returns
    -------
    list of Fault
        Empty where it is usable, or has yet to be built.
    """
    try:
        if row.pose != "place":
            given_pose(row, ligand)
    except MoleculeError as error:
        return error.faults
    return []


def prepare_solute(row: Row, settings: BindingConfig, out: Path) -> tuple[SimSystem, dict[str, Any]]:
    """Read a ligand that has no receptor, and write it into a folder.

    Parameters
    ----------
    row
        The ligand, as the samplesheet has it; its pose is taken for its conformer, and ``place`` builds one.
    settings
        The seed counts.
    out
        Folder that takes its file.

    Returns
    -------
    system
        Not yet written; artifact ``ligand`` and meta of phase system_prep (docs/contracts.md).
    facts
        Figures for ``result.json``.

    Raises
    ------
    InputError
        With all that is wrong with it.
    """
    out = Path(out)
    try:
        with rdkit_messages():
            read = read_ligand(row)
            if row.pose == "place":
                posed = _lowest(embed(read, count=CONFORMERS, seed=settings.run.seed))
            else:
                posed = given_pose(row, read)
    except MoleculeError as error:
        raise InputError([Problem(row.ligand, f.what, f.right, field=f.field) for f in error.faults]) from error
    written = write_sdf(posed, out / "ligand.sdf", row.ligand)
    account = Account(row.ligand)
    account.take(written_account(read, posed, written, row.ligand), "ligand")
    account.settle()
    pose: Literal["given", "file", "place"] = "file"
    if row.pose in ("given", "place"):
        pose = cast(Literal["given", "place"], row.pose)
    told = account.as_dict()
    facts = {
        "notes": [*told["notes"], *told["warnings"]],
        "warnings": told["warnings"],
        "account": account.facts,
        "pose": pose,
    }
    known = PreparedFacts(
        receptor_kind=None,
        receptor_charge=None,
        receptor_name="",
        ligand_charge=posed.charge,
        ligand_smiles=posed.smiles,
        site=None,
        pose=pose,
    )
    return SimSystem(row.ligand, out).with_artifacts(ligand=written.name).with_facts(known).with_account(account), facts


def _lowest(molecule: Molecule) -> Molecule:
    """Keep the first conformer, which is the lowest."""
    mol = Chem.Mol(molecule.mol)
    for conformer in [c.GetId() for c in mol.GetConformers()][1:]:
        mol.RemoveConformer(conformer)
    return replace(molecule, mol=mol)
