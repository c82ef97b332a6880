"""How hard it is to transform one ligand into another: from a table, or from what the two have in common."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path

from rdkit import Chem, rdBase
from rdkit.Chem import rdFMCS

from gibbsflow.binding.network.design.links import HARDEST, Candidates, Pair, pair_of
from gibbsflow.binding.network.design.sheet import alike, name_of, number, read_sheet
from gibbsflow.errors import shown
from gibbsflow.workflow.account import Account

_COLUMNS = ("ligand_a", "ligand_b", "difficulty")
_RIGHT = "a number from 0 (nothing changes) to 1"
FEWEST_COMMON = 4
"""Heavy atoms that two ligands must have in common."""
_BETA = 0.1
_SECONDS = 20
_WAYS = 1000


def read_difficulties(
    path: Path, account: Account, ligands: Collection[str] | None = None, hardest: float = HARDEST
) -> Candidates:
    """Read the difficulty of pairs: ``ligand_a, ligand_b, difficulty``.

    Parameters
    ----------
    path
        CSV; a pair that it does not name, or whose difficulty is empty, cannot be transformed.
    account
        Takes all that is wrong.
    ligands
        All ligands; None for those that the table names.
    hardest
        As in :class:`~.links.Candidates`.

    Returns
    -------
    Candidates
        What could be read; of no use before the account is settled.

    Raises
    ------
    InputError
        For a file that is no table.
    """
    found: dict[Pair, float] = {}
    first: dict[Pair, int] = {}
    named: set[str] = set()
    for row in read_sheet(path, account, _COLUMNS, needed=_COLUMNS):
        ends = [name_of(row, "ligand_a", account), name_of(row, "ligand_b", account)]
        value = number(row, "difficulty", account, _RIGHT)
        if ends[0] is None or ends[1] is None:
            continue
        pair = pair_of(ends[0], ends[1])
        named |= set(pair)
        for name in sorted(set(pair) - set(ligands if ligands is not None else pair)):
            account.refuse(f"{shown(name)} is none of the ligands", "one of them", row=row.line)
        if pair[0] == pair[1]:
            account.refuse(f"{shown(pair[0])} with itself", "two ligands", row=row.line)
        elif (line := first.setdefault(pair, row.line)) != row.line:
            account.refuse(f"{'~'.join(pair)} is already in row {line}", "each pair once", row=row.line)
        elif value is not None and not 0 <= value <= 1:
            what = f"{shown(row.cells['difficulty'])} is no difficulty"
            account.refuse(what, _RIGHT, row=row.line, field="difficulty")
        elif value is not None and (ligands is None or set(pair) <= set(ligands)):
            found[pair] = value
    for one, other in alike(named):
        account.refuse(f"{shown(one)} and {shown(other)} differ in case alone", "one spelling for each ligand")
    return Candidates(tuple(sorted(named if ligands is None else ligands)), found, hardest)


def common_difficulty(mol_a: Chem.Mol, mol_b: Chem.Mol) -> float | None:
    """Judge by what two molecules have in common, rings whole or not at all.

    ``1 - exp(-0.1 n)``, n heavy atoms of both that are not common: one minus LOMAP's score of the common substructure
    (Liu et al., J. Comput.-Aided Mol. Des. 2013, 27, 755). Where this is too little, elements may change, and an atom
    that changes its own counts as one of each that is not common. Net charges count as in the score of an atom map.

    Parameters
    ----------
    mol_a, mol_b
        The molecules.

    Returns
    -------
    float or None
        Between 0 and 1; None where fewer than four heavy atoms are common.
    """
    heavy = [Chem.RemoveHs(mol) for mol in (mol_a, mol_b)]
    common, changed = _common(heavy, rdFMCS.AtomCompare.CompareElements)
    if common < FEWEST_COMMON:
        common, changed = _common(heavy, rdFMCS.AtomCompare.CompareAny)
    if common < FEWEST_COMMON:
        return None
    left = sum(mol.GetNumAtoms() for mol in heavy) - 2 * (common - changed)
    return 1 - math.exp(-_BETA * left) * 0.3 ** abs(Chem.GetFormalCharge(mol_a) - Chem.GetFormalCharge(mol_b))


def _common(heavy: list[Chem.Mol], compare: rdFMCS.AtomCompare) -> tuple[int, int]:
    """Heavy atoms that two molecules have in common, and how many of them are of another element in the other."""
    with rdBase.BlockLogs():
        found = rdFMCS.FindMCS(
            heavy,
            timeout=_SECONDS,
            ringMatchesRingOnly=True,
            completeRingsOnly=True,
            atomCompare=compare,
            bondCompare=rdFMCS.BondCompare.CompareOrderExact,
        )
    if found.numAtoms < FEWEST_COMMON or compare == rdFMCS.AtomCompare.CompareElements:
        return found.numAtoms, 0
    one, other = (mol.GetSubstructMatches(found.queryMol, uniquify=False, maxMatches=_WAYS) for mol in heavy)
    numbers = [[atom.GetAtomicNum() for atom in mol.GetAtoms()] for mol in heavy]
    changed = min(sum(numbers[0][i] != numbers[1][j] for i, j in zip(one[0], match, strict=True)) for match in other)
    return found.numAtoms, changed
