"""Ligands of a network as molecules: rows of a samplesheet, or records of one SDF; and how hard each pair is."""

from __future__ import annotations

import logging
from pathlib import Path

from rdkit import Chem

from gibbsflow.binding.network.design.comparison import Posed, Ways, compare, foretell, given_maps, without_isotopes
from gibbsflow.binding.network.design.links import HARDEST, Candidates
from gibbsflow.binding.network.design.sheet import alike
from gibbsflow.binding.prepare.ligands import given_pose, read_ligand
from gibbsflow.binding.prepare.molecules import MoleculeError, rdkit_messages, rdkit_reason
from gibbsflow.binding.prepare.samplesheet import check_samplesheet
from gibbsflow.binding.prepare.small_molecule.sdf_records import END_RIGHT, ligand_name, molecules_in, records_of
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.launch.samplesheet_columns import LONGEST_NAME
from gibbsflow.errors import shown
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text

log = logging.getLogger(__name__)


def read_molecules(path: Path, account: Account) -> dict[str, Posed]:
    """Read all ligands.

    Parameters
    ----------
    path
        Samplesheet (CSV), or SDF with a record a ligand, named by its title.
    account
        Takes all that is wrong.

    Returns
    -------
    dict
        Ligand by name, in its pose where that is known; of no use before the account is settled.

    Raises
    ------
    InputError
        For a file that cannot be read.
    """
    read = _from_sdf if Path(path).suffix.lower() == ".sdf" else _from_samplesheet
    found = read(Path(path), account)
    for one, other in alike(found):
        account.refuse(f"{shown(one)} and {shown(other)} differ in case alone", "each name once")
    return found


def compared(
    path: Path, account: Account, hardest: float = HARDEST, settings: BindingConfig | None = None
) -> Candidates:
    """Judge every pair of ligands of a file, as a campaign does: by the map of their atoms where they lie.

    Ligands whose poses are not known, all of them, are judged by what they have in common, which is said.

    Parameters
    ----------
    path, account
        As in :func:`read_molecules`, which is settled here.
    hardest
        As in :class:`~.links.Candidates`.
    settings
        Of the campaign: maps of its own, and how ligands may be turned into each other.

    Returns
    -------
    Candidates
        Of all ligands.

    Raises
    ------
    InputError
        For all that is wrong with the ligands, one molecule given twice among it, which no campaign runs.
    """
    ligands = read_molecules(path, account)
    first: dict[str, str] = {}
    for name, ligand in ligands.items():
        if (known := first.setdefault(without_isotopes(ligand.mol), name)) != name:
            account.refuse(f"{name} is the molecule of {known}", "each molecule once")
    account.settle()
    settings = settings or BindingConfig()
    ways = Ways.of(settings)
    charges = ", ".join(f"{charge:+d}" for charge in sorted({ligand.charge for ligand in ligands.values()}))
    if "," in charges and not ways.charge_changes:
        said = "net charges %s e: an edge between two of them needs fe.charge_correction counter_ion (--config)"
        log.warning(said, charges)
    if ligands and all(ligand.given for ligand in ligands.values()):
        maps = given_maps(settings.relative, ligands, ligands, ways)
        for pair, why in maps.replaced.items():
            log.warning("%s and %s: %s", *pair, why)
        return compare(ligands, maps, seed=settings.run.seed, ways=ways).candidates(hardest)
    unposed = [name for name, ligand in ligands.items() if not ligand.given]
    log.info("no poses of %s: pairs are judged by what their molecules have in common", ", ".join(unposed[:5]))
    return foretell(ligands, ways, hardest)


def _from_samplesheet(path: Path, account: Account) -> dict[str, Posed]:
    rows, problems = check_samplesheet(path)
    for problem in problems:
        account.refuse(problem.what, problem.right, row=problem.row, field=problem.field)
    found = {}
    for row in rows:
        if row.structure is None and row.smiles is None:
            account.refuse(f"{row.ligand} comes solvated", "structure or smiles", row=row.line, field="ligand")
            continue
        try:
            ligand, given = read_ligand(row), row.in_its_pose  # in its own: others are judged by what is in common
            ligand = given_pose(row, ligand) if given else ligand
            found[row.ligand] = Posed(ligand.mol, ligand.charge, given=given)
        except MoleculeError as error:
            for fault in error.faults:
                account.refuse(fault.what, fault.right, row=row.line, field=fault.field)
    return found


def _from_sdf(path: Path, account: Account) -> dict[str, Posed]:
    records = records_of(read_text(path, "SDF with a record a ligand", STRUCTURE_BYTES, errors="replace"))
    found: dict[str, Posed] = {}
    places: dict[str, int] = {}
    for place, record in enumerate(records, 1):
        title = record.partition("\n")[0].strip()
        with rdkit_messages() as messages:
            mol = Chem.MolFromMolBlock(record, removeHs=False)
        if not title or len(title) > LONGEST_NAME or not title.isprintable():
            account.refuse(f"record {place}: without a usable name", "the ligand's name as its first line")
        elif (count := molecules_in(record)) > 1:
            account.refuse(f"record {place}: {shown(title)}: {count} molecules in one record", END_RIGHT)
        elif mol is None or not mol.GetNumAtoms():
            account.refuse(f"record {place}: {shown(title)} is not readable: {rdkit_reason(messages)}", "a molecule")
        elif known := places.get(ligand_name(title)):
            as_name = "" if ligand_name(title) == title else f", as a name {ligand_name(title)},"
            what = f"record {place}: {shown(title)}{as_name} is there already (record {known})"
            account.refuse(what, "each name once; of other characters than letters, digits, '.', '_', '-' each is '_'")
        else:
            places[ligand_name(title)] = place
            flat = not mol.GetConformer().Is3D() or not mol.GetConformer().GetPositions().any()
            full = Chem.AddHs(mol, addCoords=not flat)
            found[ligand_name(title)] = Posed(full, Chem.GetFormalCharge(full), given=not flat)
    if not records:
        account.refuse("no ligand", "SDF with a record a ligand")
    return found
