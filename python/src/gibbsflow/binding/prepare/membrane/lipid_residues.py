"""Names of residues that are lipids, or parts of them, in files of bilayers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from gibbsflow.binding.prepare.protein.atom_records import AtomRecord, StructureFile
from gibbsflow.workflow.account import Account

HEADS = {"PC": 0, "PE": 0, "PS": -1, "PGR": -1, "PGS": -1, "PH-": -1, "SPM": 0}
"""Heads of lipid21, and the charge of a lipid that has them, in e."""
TAILS = frozenset({"AR", "DHA", "LAL", "MY", "OL", "PA", "SA", "ST"})
STEROL = "CHL"
_WHOLE = re.compile(r"[DPS][ADLMOPS]P[ACEGS]|CHL1|[PS]SM")
"""Whole lipids as CHARMM calls them."""
_CUT = re.compile(r"[DPS][ADLMOPS]P")
"""Those as files with names of three letters cut them."""
CARBONS_OF_CUT = 20
"""So many carbons at the least; what else has such a name is smaller: pyridoxal phosphate (PLP) has eight."""
MOST_BOUND = 8
"""So many are a bilayer; fewer among HETATM are bound to the protein, and treated as what stands beside it."""


def is_lipid(name: str, carbons: int) -> bool:
    """Tell whether a residue is a lipid, or head or tail of one, by its name.

    Parameters
    ----------
    name
        Of the residue: lipid21's (``PA``, ``PC``, ``OL``), CHARMM's (``POPC``) or that cut to three letters.
    carbons
        How many the residue has.

    Returns
    -------
    bool
        True where it is.
    """
    if _CUT.fullmatch(name):
        return carbons >= CARBONS_OF_CUT
    return name in HEADS or name in TAILS or name == STEROL or _WHOLE.fullmatch(name) is not None


def without_lipids(structure: StructureFile, account: Account) -> StructureFile:
    """Leave out the lipids of a prepared bilayer, and those that stand among the atoms of chains.

    Parameters
    ----------
    structure
        As read.
    account
        Takes a note of them.

    Returns
    -------
    StructureFile
        Without them.
    """
    carbons = Counter(_residue(a) for a in structure.atoms if a.element == "C")
    lipids = [a for a in structure.atoms if is_lipid(a.residue, carbons[_residue(a)])]
    few = len({_residue(a) for a in lipids}) < MOST_BOUND
    out = {id(a) for a in lipids if not (few and a.hetero)}
    if not out:
        return structure
    names = ", ".join(dict.fromkeys(a.residue for a in lipids))
    account.note(f"{len(out)} atoms of lipids ({names}) are left out; system_prep membrane can take them from the file")
    return replace(structure, atoms=[a for a in structure.atoms if id(a) not in out])


def _residue(atom: AtomRecord) -> tuple[str, str, str]:
    return atom.chain, atom.number, atom.residue
