"""One complex, or a ligand alone: read, completed, the pose found, written as the system of phase system_prep."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from rdkit import Chem

from gibbsflow.binding.burial import buriedness
from gibbsflow.binding.facts import PreparedFacts
from gibbsflow.binding.prepare import samplesheet
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.ligands import (
    CONFORMERS,
    given_pose,
    pose_ligand,
    read_ligand,
    write_charges,
    written_account,
)
from gibbsflow.binding.prepare.molecules import (
    Fault,
    Molecule,
    MoleculeError,
    rdkit_messages,
    read_noted,
    write_sdf,
)
from gibbsflow.binding.prepare.poses import PLACED_ANGSTROM, RAYS, nearest_contact
from gibbsflow.binding.prepare.protein.atom_records import is_metal
from gibbsflow.binding.prepare.protein.cofactors import warn_of_near
from gibbsflow.binding.prepare.protein.complex_ligand import TakenLigand, write_ligand
from gibbsflow.binding.prepare.proteins import altlocs_of, parameter_files
from gibbsflow.binding.prepare.receptor_file import RECEPTOR_RIGHT, kind_of, read_receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.binding.prepare.small_molecule.sdf_records import digest_of_record
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import inputs_hash

log = logging.getLogger(__name__)
PHYSICS = {"host": 1, "protein": 4}
"""Raised by hand when poses or protonation change for the same input; 2: names and hydrogens decide before pH; 3: an
atom without a label is an alternate location beside one with a label, members of a chain are put into its order; 4:
the places of hydrogens tell what they are, a ligand's bond lengths which of two like matches it is."""
SOLUTE_PHYSICS = 1
"""The same where another conformer is taken of a ligand without a receptor."""
CHARGES_READING = 1
"""The same for ligands whose file brings partial charges, which are kept beside them; of no others."""
LIGAND_READING = 3
"""The same for ligands whose stereochemistry, MOL2 file or pose file was once read otherwise; of no others."""


def row_from_options(
    name: str,
    structure: Path | None,
    smiles: str | None,
    charge: int | None,
    pose: str | None,
    symmetry_number: int | None = None,
    aligned_to: str | None = None,
) -> Row:
    """Make a row from options, under the rules of the samplesheet.

    Parameters
    ----------
    name
        Name of the ligand.
    structure, smiles
        SDF or MOL2 with 3-D coordinates, or a SMILES: exactly one of them.
    charge
        Net charge in e that the ligand must have; None to take what the structure has.
    pose
        ``given``, ``place`` or a file; None for the samplesheet's default.
    symmetry_number
        Equivalent poses of which a Boresch restraint holds one; None where the setting counts.
    aligned_to
        Ligand whose pose the file holds, on which this one is laid; None where the file holds its own.

    Returns
    -------
    Row
        As one that was read from a file; relative paths start from the current folder.

    Raises
    ------
    InputError
        With all problems, naming the options.
    """
    given: dict[str, Any] = {"ligand": name, "structure": structure, "smiles": smiles, "charge": charge, "pose": pose}
    given["symmetry_number"] = symmetry_number
    cells = {key: str(value) for key, value in given.items() if value is not None}
    row, problems = samplesheet.parse_row("command line", Path.cwd(), None, cells)
    if row is not None and (row.pose == "align" or (aligned_to and row.pose in ("given", "place"))):
        right = "pose FILE with aligned_to NAME, the pose of that ligand"
        problems.append(Problem("command line", "without a pose to be laid on", right, field="aligned_to"))
    if row is None or problems:
        raise InputError(problems)
    return replace(row, aligned_to=aligned_to)


def ligand_pose(
    receptor: Path, residue: str, smiles: str | None, pose: str | None, altloc: str | None, out: Path
) -> TakenLigand:
    """Take the pose of a ligand from the file of the complex.

    Parameters
    ----------
    receptor
        PDB or mmCIF file that holds both.
    residue
        NAME, or NAME:CHAIN:NUMBER.
    smiles
        The ligand, with its bond orders and charges.
    pose
        What was asked for besides, which must be nothing.
    altloc
        Alternate locations to take, as the settings have them.
    out
        Folder that takes the pose.

    Returns
    -------
    TakenLigand
        Where the ligand is, the file with its pose, and its isomer.

    Raises
    ------
    InputError
        Where options contradict, the receptor is no protein, or the residue is not that molecule.
    """
    if smiles is None or pose not in (None, "given"):
        what = "ligand_residue needs smiles, and takes the place of structure and pose"
        raise InputError(Problem("command line", what, "--ligand_residue with --smiles alone", field="ligand_residue"))
    if kind_of(receptor) != "protein" or not receptor.is_file():
        right = "the PDB or mmCIF file of the complex"
        raise InputError(Problem(str(receptor), "holds no ligand to take", right, field="ligand_residue"))
    path = (Path(out) / "ligand_residue.sdf").resolve()
    return write_ligand(receptor, residue, smiles, path, altlocs_of(altloc, Account(str(receptor))))


def preparation_hash(row: Row, receptor: Path, settings: BindingConfig) -> str:
    """Hash of all that decides the prepared system.

    Parameters
    ----------
    row
        The ligand.
    receptor
        File of the receptor; its content counts, not its name.
    settings
        Sections ``run`` (seed) and ``system`` count.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    InputError
        Where the receptor is missing.
    """
    if not receptor.is_file():
        raise InputError(Problem(str(receptor), "no such file", RECEPTOR_RIGHT, field="receptor"))
    files, content = _ligand_inputs(row, settings)
    files["receptor"] = receptor
    if _read_anew(row):
        content["ligand_reading"] = LIGAND_READING
    chosen = settings.system.model_dump(exclude={"align_poses"})  # which the row tells by now
    # hashed by content, or only where they are set: a state folder from before they were there stays valid
    for key in ("protonation", "altloc", "keep", "parameters"):
        value = chosen.pop(key)
        if key == "protonation" and value is not None:
            files[key] = Path(value)
        elif key == "parameters":
            files |= {f"parameters_{k}": path for k, path in enumerate(parameter_files(settings.system))}
        elif value is not None:
            content[key] = value
    return inputs_hash(files=files, settings=content | chosen, physics=PHYSICS[kind_of(receptor) or "host"])


def _ligand_inputs(row: Row, settings: BindingConfig) -> tuple[dict[str, Path], dict[str, Any]]:
    """Files and values of a row that decide the ligand: of an SDF with several records, its own alone."""
    files: dict[str, Path] = {}
    content: dict[str, Any] = {"smiles": row.smiles, "charge": row.charge, "pose": row.pose, "seed": settings.run.seed}
    given = {"structure": row.structure, "pose": None if row.pose in ("given", "place") else row.pose}
    for key, path in given.items():
        if path is None:
            continue
        if key == "pose":
            content["pose"] = "aligned" if row.aligned_to else "file"
        record = row.aligned_to if key == "pose" and row.aligned_to else row.ligand
        digest, charges = digest_of_record(Path(path), record)
        if digest is None:
            files[key] = Path(path)
        else:
            content[f"{key}_record"] = digest
        if key == "structure" and charges:
            content["sdf_charges"] = CHARGES_READING
    return files, content


def _read_anew(row: Row) -> bool:
    """Whether a ligand may come out otherwise than it did before its reading was numbered."""
    if row.pose not in ("given", "place") or any(mark in (row.smiles or "") for mark in "/\\@"):
        return True
    if row.structure is None:
        return False
    try:
        return bool(read_noted(Path(row.structure), "structure", row.charge, row.ligand)[1])
    except MoleculeError:
        return True


def prepare_system(
    row: Row, receptor_path: Path, settings: BindingConfig, out: Path, *, taken: TakenLigand | None = None
) -> tuple[SimSystem, dict[str, Any]]:
    """Read receptor and ligand, complete them, find the pose, and write both into a folder.

    Parameters
    ----------
    row
        The ligand, as the samplesheet has it.
    receptor_path
        A host (SDF, MOL2) or a protein (PDB, mmCIF).
    settings
        Sections ``run`` (seed) and ``system`` count, and whether ``md`` has a box.
    out
        Folder that takes both files.
    taken
        The ligand in the protein's file; None where it is not in there.

    Returns
    -------
    system
        Not yet written; artifacts and meta of phase system_prep (docs/contracts.md).
    facts
        Figures for ``result.json``.

    Raises
    ------
    InputError
        With all that is wrong with either.
    """
    out = Path(out)
    where = None if taken is None else taken.residue.called
    receptor = read_receptor(receptor_path, settings.system, ligand_residue=where, explicit=settings.md.explicit)
    try:
        with rdkit_messages():
            read = read_ligand(row)
            ligand = pose_ligand(row, read, receptor, settings.system, seed=settings.run.seed)
    except MoleculeError as error:
        raise InputError([Problem(row.ligand, f.what, f.right, field=f.field) for f in error.faults]) from error
    receptor_file = receptor.write(out)
    ligand_file = write_sdf(ligand, out / "ligand.sdf", row.ligand)
    account = Account(row.ligand)
    if taken is not None:
        account.note(taken.note)
    if receptor.kind == "host":
        for note in receptor.notes:
            account.note(note)
    warn_of_near(receptor.left_out, ligand.heavy_angstrom, receptor.account)
    metals = [is_metal(element) for _, element in receptor.heavy_atoms] or [False] * len(receptor.heavy_angstrom)
    contact = nearest_contact(ligand, receptor.heavy_angstrom[~np.array(metals)])
    if contact < PLACED_ANGSTROM:
        account.warn(
            f"heavy atoms of ligand and receptor are {contact:.2f} Å apart: the pose is squeezed",
            f"a pose without contacts below {PLACED_ANGSTROM:g} Å",
        )
    account.take(receptor.account, "receptor")
    account.take(written_account(read, ligand, ligand_file, row.ligand), "ligand")
    charges = write_charges(ligand, out, account)
    account.settle()
    centre = ligand.heavy_angstrom.mean(axis=0)
    facts = {
        "notes": [*account.as_dict()["notes"], *account.as_dict()["warnings"]],
        "warnings": account.as_dict()["warnings"],
        "account": account.facts,
        "pose": "aligned" if row.aligned_to else row.pose if row.pose in ("given", "place") else "file",
        "ligand_centre_offset_angstrom": round(float(np.linalg.norm(centre - receptor.heavy_angstrom.mean(axis=0))), 3),
        "ligand_buried_share": round(float(buriedness(centre[None], receptor.heavy_angstrom, RAYS)[0]), 3),
    }
    system = SimSystem(row.ligand, out).with_artifacts(receptor=receptor_file.name, ligand=ligand_file.name, **charges)
    for k, path in enumerate(receptor.parameters, 1):
        (out / "parameters").mkdir(exist_ok=True)
        # numbered: files of one name in two folders, or of a name that tleap's folder has, stay apart
        copied = shutil.copyfile(path, out / "parameters" / f"{k:02d}_{path.name}")
        system = system.with_artifacts(**{f"receptor_parameters_{k:02d}": copied.relative_to(out)})
    known = PreparedFacts(
        receptor_kind=receptor.kind,
        receptor_charge=receptor.charge,
        receptor_name=receptor.name,
        ligand_charge=ligand.charge,
        ligand_smiles=ligand.smiles,
        site=receptor.site,
        pose=facts["pose"],
        symmetry_number=row.symmetry_number,
        membrane_planes=receptor.membrane_planes,
    )
    return system.with_facts(known).with_account(account), facts


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
    files, content = _ligand_inputs(row, settings)
    return inputs_hash(files=files, settings=content, physics=SOLUTE_PHYSICS)


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
        if not row.in_its_pose and row.pose != "place":
            return [Fault("pose", "'align' without a receptor", "'place', which builds a conformer, or 'given'")]
        if row.in_its_pose:
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
            if row.aligned_to:
                raise MoleculeError(
                    [Fault("pose", "laid on another ligand, and there is no receptor", "given or place")]
                )
            if row.pose == "place":
                posed = _lowest(embed(read, count=CONFORMERS, seed=settings.run.seed))
            else:
                posed = given_pose(row, read)
    except MoleculeError as error:
        raise InputError([Problem(row.ligand, f.what, f.right, field=f.field) for f in error.faults]) from error
    written = write_sdf(posed, out / "ligand.sdf", row.ligand)
    account = Account(row.ligand)
    account.take(written_account(read, posed, written, row.ligand), "ligand")
    charges = write_charges(posed, out, account)
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
    system = SimSystem(row.ligand, out).with_artifacts(ligand=written.name, **charges)
    return system.with_facts(known).with_account(account), facts


def _lowest(molecule: Molecule) -> Molecule:
    """Keep the first conformer, which is the lowest."""
    mol = Chem.Mol(molecule.mol)
    for conformer in [c.GetId() for c in mol.GetConformers()][1:]:
        mol.RemoveConformer(conformer)
    return replace(molecule, mol=mol)
