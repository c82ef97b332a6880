"""Tables about ligands and pairs of ligands, ours and those of other programs: columns by name, cells as text."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.config.section import nearest_name
from gibbsflow.errors import InputError, Problem, first_few, shown
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import SHEET_BYTES, csv_records, read_text

_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOTHING = frozenset({"", "nan", "none", "na", "n/a", "null", "<na>"})
LONGEST_NAME = 100
_MOST_COLUMNS = 8
_PLAIN = str.maketrans({",": ".", "\u2212": "-", "\u2013": "-"})


@dataclass(frozen=True)
class SheetRow:
    """One row of a table.

    Attributes
    ----------
    line
        Where it starts in the file, the header being line 1.
    cells
        What is not empty, by column.
    unread
        Columns of the table that are not known.
    """

    line: int
    cells: Mapping[str, str]
    unread: tuple[str, ...] = ()


def read_sheet(
    path: Path,
    account: Account,
    columns: Sequence[str],
    *,
    needed: Sequence[str],
    others: Mapping[str, str] | None = None,
    ignored: Collection[str] = (),
    unlike: Mapping[str, tuple[str, str]] | None = None,
) -> list[SheetRow]:
    """Read a table.

    Columns are separated by commas, or by tabs where the header has tabs and no comma; case does not matter in their
    names. A column that is not known is
    left out, with a note, unless it may be a known one that is misspelt.

    Parameters
    ----------
    path
        The file.
    account
        Takes what is noted and what is wrong; nothing is raised for that here.
    columns
        Names that are known.
    needed
        Columns without which the table cannot be used.
    others
        Names that other programs give to known columns.
    ignored
        Names that are known and of no use here, so that nothing is said of them.
    unlike
        How files begin (in small letters, as a pattern) that are something else: what they are, and what is right.

    Returns
    -------
    list of SheetRow
        Empty where the header is wrong; cells stripped, those that hold no value left out.

    Raises
    ------
    InputError
        For a file that is missing, no table, or something else that is known.
    """
    right = "a table with the columns " + ", ".join(needed)
    text = read_text(Path(path), right, SHEET_BYTES)
    head = text.lstrip().partition("\n")[0]
    for begins, (what, instead) in (unlike or {}).items():
        if re.match(begins, head.lower()):
            raise InputError(Problem(str(path), what, instead, row=1))
    delimiter = "\t" if "\t" in head and "," not in head else ","
    records = [(n, [c.strip() for c in cells]) for n, cells in csv_records(text, path, right, delimiter=delimiter)]
    records = [(line, cells) for line, cells in records if any(cells)]
    if not records:
        raise InputError(Problem(str(path), "empty", right))
    line, header = records[0]
    known = {name.lower(): name for name in (*columns, *ignored)} | {k.lower(): v for k, v in (others or {}).items()}
    names = [name if name in columns else known.get(name.lower(), name) for name in header]
    if not _header(account, line, header, names, (*columns, *ignored), needed):
        return []
    if len(records) == 1:
        account.refuse("a header and no row", "one row below the header", row=line)
    rows, unread = [], tuple(name for name in names if name and name not in (*columns, *ignored))
    for line, cells in records[1:]:
        if len(cells) != len(names):
            account.refuse(f"{len(cells)} cells", f"{len(names)}, as the header has; quotes around commas", row=line)
            continue
        told = {name: unmarked(cell) for name, cell in zip(names, cells, strict=True) if name in columns}
        rows.append(SheetRow(line, {name: cell for name, cell in told.items() if cell.lower() not in _NOTHING}, unread))
    return rows


def _header(
    account: Account,
    line: int,
    header: Sequence[str],
    names: Sequence[str],
    known: Sequence[str],
    needed: Sequence[str],
) -> bool:
    sound = True
    if len(header) == 1 and ";" in header[0]:
        account.refuse("columns are separated by semicolons", "commas (in Excel: save as CSV UTF-8)", row=line)
        return False
    for name in sorted({name for name in names if names.count(name) > 1}):
        sound = False
        account.refuse(f"column {shown(name)} is there {names.count(name)} times", "each once", row=line)
    strange = [name for name in names if name not in known]
    missing = [name for name in needed if name not in names]
    for name in missing:
        sound = False
        meant = nearest_name(name, strange)
        account.refuse(f"column {name!r} is missing" + (f"; is {shown(meant)} meant?" if meant else ""), name, row=line)
    if strange and sound:
        told = [shown(name) if name else "one without a name" for name in strange]
        account.note(f"columns not read: {first_few(told, _MOST_COLUMNS)}")
    return sound


def unmarked(text: str) -> str:
    """Take off the mark that keeps a spreadsheet from executing a text.

    Parameters
    ----------
    text
        A cell, perhaps with a ``'`` before what would begin a formula.

    Returns
    -------
    str
        As it was before it was written.
    """
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in "=+-@\uff1d\uff0b\uff0d\uff20" else text


def number(row: SheetRow, column: str, account: Account, right: str = "a number") -> float | None:
    """Read a number.

    Parameters
    ----------
    row, column
        Which cell.
    account
        Takes what is wrong.
    right
        What would be right.

    Returns
    -------
    float or None
        None where there is none, or where it is wrong.
    """
    text = row.cells.get(column)
    if text is None:
        return None
    value = float(text) if _DECIMAL.fullmatch(text) else math.nan
    if not math.isfinite(value):
        if _DECIMAL.fullmatch(plain := text.translate(_PLAIN)):
            right = f"{right} with a point and a plain minus, as {plain}"
        account.refuse(f"{shown(text)} is no number", right, row=row.line, field=column)
        return None
    return value


def name_of(row: SheetRow, column: str, account: Account) -> str | None:
    """Read the name of a ligand.

    Parameters
    ----------
    row, column
        Which cell.
    account
        Takes what is wrong.

    Returns
    -------
    str or None
        None where it is wrong.
    """
    text = row.cells.get(column, "")
    if not text or len(text) > LONGEST_NAME or not text.isprintable():
        right = f"1 to {LONGEST_NAME} characters on one line"
        account.refuse(f"{shown(text)} is no name" if text else "no name", right, row=row.line, field=column)
        return None
    return text


def alike(names: Collection[str]) -> list[tuple[str, str]]:
    """Find names that differ in case alone, which is a slip rather than two ligands.

    Parameters
    ----------
    names
        Of ligands.

    Returns
    -------
    list of tuple of str
        Each pair of them once.
    """
    first: dict[str, str] = {}
    found = []
    for name in sorted(set(names)):
        if (other := first.setdefault(name.casefold(), name)) != name:
            found.append((other, name))
    return found
