"""Ligands of a network as molecules: rows of a samplesheet, or records of one SDF."""

from __future__ import annotations

from pathlib import Path

from rdkit import Chem

from gibbsflow.binding.network.design.difficulty import common_difficulty
from gibbsflow.binding.network.design.links import HARDEST, Candidates, candidates_from
from gibbsflow.binding.network.design.sheet import LONGEST_NAME, alike
from gibbsflow.binding.prepare.ligands import read_ligand
from gibbsflow.binding.prepare.molecules import MoleculeError, rdkit_messages, rdkit_reason
from gibbsflow.binding.prepare.samplesheet import check_samplesheet
from gibbsflow.errors import shown
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text


def read_molecules(path: Path, account: Account) -> dict[str, Chem.Mol]:
    """Read all ligands.

    Parameters
    ----------
    path
        Samplesheet (CSV), or SDF with a record a ligand, named by its first line.
    account
        Takes all that is wrong.

    Returns
    -------
    dict
        Molecule by name; of no use before the account is settled.

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


def compared(path: Path, account: Account, hardest: float = HARDEST) -> Candidates:
    """Judge every pair of ligands of a file by what they have in common.

    Parameters
    ----------
    path, account
        As in :func:`read_molecules`, which is settled here.
    hardest
        As in :class:`~.links.Candidates`.

    Returns
    -------
    Candidates
        Of all ligands.

    Raises
    ------
    InputError
        For all that is wrong with the ligands.
    """
    molecules = read_molecules(path, account)
    account.settle()
    return candidates_from(molecules, lambda a, b: common_difficulty(molecules[a], molecules[b]), hardest)


def _from_samplesheet(path: Path, account: Account) -> dict[str, Chem.Mol]:
    rows, problems = check_samplesheet(path)
    for problem in problems:
        account.refuse(problem.what, problem.right, row=problem.row, field=problem.field)
    found = {}
    for row in rows:
        if row.structure is None and row.smiles is None:
            account.refuse(f"{row.ligand} comes solvated", "structure or smiles", row=row.line, field="ligand")
            continue
        try:
            found[row.ligand] = read_ligand(row).mol
        except MoleculeError as error:
            for fault in error.faults:
                account.refuse(fault.what, fault.right, row=row.line, field=fault.field)
    return found


def _from_sdf(path: Path, account: Account) -> dict[str, Chem.Mol]:
    text = read_text(path, "SDF with a record a ligand", STRUCTURE_BYTES, errors="replace")
    found: dict[str, Chem.Mol] = {}
    line = 1
    for block in text.split("$$$$\n"):
        start, line = line, line + block.count("\n") + 1
        if not block.strip():
            continue
        name = block.partition("\n")[0].strip()
        with rdkit_messages() as messages:
            mol = Chem.MolFromMolBlock(block, removeHs=False)
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            account.refuse("a record without a usable name", "the ligand's name as its first line", row=start)
        elif mol is None or not mol.GetNumAtoms():
            account.refuse(f"{shown(name)} is not readable: {rdkit_reason(messages)}", "a molecule", row=start)
        elif name in found:
            account.refuse(f"{shown(name)} is there already", "each name once", row=start)
        else:
            found[name] = mol
    if not found and not account.of_weight("refuse"):
        account.refuse("no ligand", "SDF with a record a ligand")
    return found
