"""Tables of edges that other programs export: their columns, what else they hold, and what to give instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gibbsflow.binding.network.design.sheet import SheetRow
from gibbsflow.errors import InputError, Problem, first_few, shown

_HEADER = "ligand_a,ligand_b,ddg_kcal_per_mol,ddg_error_kcal_per_mol"
_MOST_NAMED = 3
_VALUE = re.compile(r"ddg|delta|δ", re.IGNORECASE)
_ERROR = re.compile(r"err|unc|std|sd|sigma|±", re.IGNORECASE)
SYSTEM = ("system_group", "system")
"""Columns that tell the sets of a table of several apart."""
OTHERS = {
    "ligand_i": "ligand_a",
    "ligand_j": "ligand_b",
    "DDG(i->j) (kcal/mol)": "ddg_kcal_per_mol",
    "uncertainty (kcal/mol)": "ddg_sd_kcal_per_mol",
    "smallest_overlap": "overlap",
    "DDG_bind (kcal/mol)": "ddg_kcal_per_mol",
    "stdev DDG_bind (kcal/mol)": "ddg_sd_kcal_per_mol",
    "exp DDG (kcal/mol)": "experimental_ddg_kcal_per_mol",
    "system group": "system_group",
    "system name": "system",
    "Ligand1": "ligand_a",
    "Ligand2": "ligand_b",
    "Ligand 1": "ligand_a",
    "Ligand 2": "ligand_b",
    "Lig 1": "ligand_a",
    "Lig 2": "ligand_b",
    "Bennett ddG (kcal/mol)": "ddg_kcal_per_mol",
    "Bennett std. error (kcal/mol)": "ddg_error_kcal_per_mol",
    "Exp. ddG (kcal/mol)": "experimental_ddg_kcal_per_mol",
}
"""Columns of `openfe gather`, of OpenFE's benchmark (combined_pymbar3_edge_data.csv), and of FEP+ (ligand 2 less 1).

FEP+'s "CCC ddG" is left out: cycles were closed in it, so that its edges are not independent.
"""
_INDEX = r"(index|unnamed: 0|#)?[,\t]?"
UNLIKE = {
    r"[\[{]": ("is JSON", "a table of edges (a network that is to be planned: gibbsflow network plan --network)"),
    rf"# ?(experimental|calculated|ligand1?,)|{_INDEX}label[ab]?[,\t]|ligand ?1,.*calc_ddg": (
        "is a table of cinnabar",
        f"its calculated edges under {_HEADER}",
    ),
    r".*ligand ?1 ?-> ?ligand ?2": (
        "is FEP+'s report of a map",
        "its edges under Ligand 1,Ligand 2,Bennett ddG (kcal/mol),Bennett std. error (kcal/mol)",
    ),
    r"edge(,|_[^,]*$)": ("is a table of pmx", f"its edges under {_HEADER}"),
    rf"{_INDEX}leg[,\t]": ("is a table of single legs", "that of openfe gather --report ddg"),
    rf"{_INDEX}ligand( name)?[,\t] *dg": (
        "is a table of ligands, not of edges",
        "that of openfe gather --report ddg",
    ),
    r"#": ("is a comment", f"the names of the columns in the first row: {_HEADER}"),
    r"ligand_?[ai] +ligand_?[bj]\b": ("has columns that blanks separate", "commas or tabs"),
}
"""How tables begin that hold no edge as it is read here: what they are, and what to give instead."""


def check_one_system(rows: Sequence[SheetRow], path: Path) -> None:
    """Refuse a table of several sets, whose ligands may have the same names.

    Parameters
    ----------
    rows
        As they were read, with the columns :data:`SYSTEM` where there are any.
    path
        Of the table.

    Raises
    ------
    InputError
        Where rows are of more than one.
    """
    found = dict.fromkeys(" ".join(row.cells.get(name, "") for name in SYSTEM).strip() for row in rows)
    if len(found) > 1:
        named = first_few([shown(name) for name in found], _MOST_NAMED)
        raise InputError(
            Problem(str(path), f"edges of {len(found)} systems: {named}", "one system in a table", field="system")
        )


def meant(rows: Sequence[SheetRow], *, error: bool = False) -> str:
    """Name the columns that may hold what is missing, as the end of a sentence.

    Parameters
    ----------
    rows
        As they were read.
    error
        Whether errors are missing rather than values.

    Returns
    -------
    str
        Empty where no column that is not read is called like one.
    """
    unread = rows[0].unread if rows else ()
    likely = [name for name in unread if bool(_ERROR.search(name)) == error and (error or _VALUE.search(name))]
    named = " or ".join(shown(name) for name in likely[:_MOST_NAMED])
    return f"; is {named} meant?" if likely else ""
