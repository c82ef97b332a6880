"""Extended XYZ, read strictly: every line of the file belongs to a frame, or the file is refused by line.

ASE's reader drops what follows a frame that it does not understand, and cuts atom lines to the columns that it expects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.input_files import DATA_BYTES, open_input, read_lines

SUFFIXES = (".xyz", ".extxyz", ".exyz")
"""Endings of files that are read here, and those of any name whose first two lines are of that kind."""
_PACKED = (".gz", ".bz2", ".xz")
_PLAIN = "species:S:1:pos:R:3"
_CLOSING = {"'": "'", '"': '"', "{": "}", "[": "]"}
_TRUE = {"T": True, "True": True, "true": True, "TRUE": True, "1": True}
_BOOLEANS = {**_TRUE, "F": False, "False": False, "false": False, "FALSE": False, "0": False}
_EXPONENT = re.compile(r"(?<=[0-9.])[dD](?=[+-]?[0-9])")
_ELEMENT_COLUMNS = ("species", "symbols", "Z", "numbers")


@dataclass(frozen=True)
class _Column:
    name: str
    kind: str
    first: int
    count: int


class _LineError(Exception):
    """A line is not what it should be: what was found, what would be right, which column or key."""

    def __init__(self, line: int, what: str, right: str = "", field: str | None = None) -> None:
        super().__init__(what)
        self.line, self.what, self.right, self.field = line, what, right, field


def read_extended_xyz(path: Path) -> list[Atoms]:
    """Read all frames, or refuse the file.

    Parameters
    ----------
    path
        The file, in UTF-8; blank lines may end it, and stand nowhere else.

    Returns
    -------
    list of Atoms
        One a frame. ``info`` holds what its comment line says, each value as the text that was written; ``arrays``
        holds all columns under the names of ``Properties``.

    Raises
    ------
    InputError
        At the first line that cannot be read, with its number, the frame and the column or key.
    """
    return list(_each(path, _frame))


def is_extended_xyz(path: Path) -> bool:
    """Say whether a file is of this format, by its name or by its first lines.

    Parameters
    ----------
    path
        Any file; it may be packed by gzip, bzip2 or xz.

    Returns
    -------
    bool
        Whether :func:`read_extended_xyz` is the reader for it.
    """
    names = [suffix.lower() for suffix in path.suffixes]
    if names and names[-1] in _PACKED:
        names.pop()
    if names and names[-1] in SUFFIXES:
        return True
    if not path.is_file():
        return False
    with open_input(path, "a file of frames", DATA_BYTES) as file:
        first, second = (file.readline(most).decode(errors="replace") for most in (200, 100_000))
    return first.removeprefix("\ufeff").strip().isdecimal() and ("Properties=" in second or "Lattice=" in second)


def _each(path: Path, make: Callable[[Sequence[str], int], Any]) -> Iterator[Any]:
    lines = lines_of(path)
    start, row = 0, 0
    while start < len(lines):
        row += 1
        try:
            count = _count(lines, start, row)
            made = make(lines[start + 1 : start + 2 + count], start + 2)
        except _LineError as fault:
            what = f"line {fault.line}: {fault.what}"
            raise InputError(Problem(str(path), what, fault.right, row=row, field=fault.field)) from fault
        yield made
        start += 2 + count
    if not row:
        raise InputError(Problem(str(path), "holds no structure", "at least one"))


def lines_of(path: Path) -> list[str]:
    """Read the lines of a file, unpacked, without the blank ones at its end.

    Parameters
    ----------
    path
        Text in UTF-8; it may be packed by gzip, bzip2 or xz.

    Returns
    -------
    list of str
        Without their ends.

    Raises
    ------
    InputError
        Where it cannot be read as such.
    """
    lines = [line.rstrip("\r\n") for _, line in read_lines(path, "frames in extended XYZ")]
    if lines:
        lines[0] = lines[0].removeprefix("\ufeff")
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def number(text: str) -> float:
    """Read a number; a Fortran exponent (``1.0D+01``) is one.

    Parameters
    ----------
    text
        One word.

    Returns
    -------
    float
        Its value.

    Raises
    ------
    ValueError
        For any other word.
    """
    if "_" in text:  # Python's separator of digits is none in a data file
        raise ValueError(text)
    try:
        return float(text)
    except ValueError:
        return float(_EXPONENT.sub("e", text))


def _count(lines: Sequence[str], start: int, row: int) -> int:
    text = lines[start].strip()
    if not text.isdecimal() or int(text) == 0:
        found = f"{text[:40]!r}" if text else "blank"
        before = f"; frame {row - 1} ended on the line before" if row > 1 else ""
        raise _LineError(start + 1, f"{found} where a frame begins{before}", "the number of atoms of the next frame")
    left = len(lines) - start - 2
    if left < int(text):
        raise _LineError(start + 1, f"{text} atoms, and {max(left, 0)} lines up to the end", "a file that is whole")
    return int(text)


def _frame(lines: Sequence[str], first_line: int) -> Atoms:
    """Make a frame of its comment line and its atoms' lines."""
    info = _comment(lines[0], first_line)
    columns = _columns(info.pop("Properties", _PLAIN), first_line)
    width = columns[-1].first + columns[-1].count
    words = [line.split() for line in lines[1:]]
    for offset, found in enumerate(words, 1):
        if len(found) != width:
            what = f"{len(found)} columns, and Properties names {width}"
            raise _LineError(first_line + offset, what, "one column for each, on every line", "Properties")
    arrays = {column.name: _values(column, words, first_line) for column in columns}
    cell, pbc = _cell(info, first_line)
    numbers = _numbers(arrays, first_line)
    if "pos" not in arrays or arrays["pos"].shape != (len(words), 3):
        raise _LineError(first_line, "no column pos:R:3", "positions in Å", "Properties")
    atoms = Atoms(numbers, positions=arrays.pop("pos"), cell=cell, pbc=pbc, info=dict(info))
    for name, values in arrays.items():
        if name not in atoms.arrays:
            atoms.new_array(name, values)
    return atoms


def _comment(text: str, line: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in _pairs(text):
        if key in found and found[key] != value:
            raise _LineError(line, f"given twice, as {found[key][:30]!r} and {value[:30]!r}", "one value", key)
        found[key] = value
    for right, others in (
        ("Lattice", ("lattice", "cell", "box", "unit_cell")),
        ("Properties", ("properties",)),
        ("pbc", ("pbc", "periodic")),
    ):
        named = [key for key in found if key.lower() in others and not (right == "pbc" and found[key] in _TRUE)]
        if right not in found and named:
            raise _LineError(line, f"{right} is missing", f"{right}=... in place of {named[0]}=...", named[0])
    return found


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Keys and values of a comment line: words, or quoted, or in brackets; a key alone is true."""
    parts, closing, escaped, inside = [""], "", False, False
    text = text.strip() + " "
    for place, char in enumerate(text):
        if escaped or (closing and char not in (closing, "\\")):
            parts[-1] += char
            escaped = False
        elif char == "\\":
            escaped = True
        elif closing:
            closing = ""
        elif char in _CLOSING:
            closing, inside = _CLOSING[char], True
        elif char == "=" and len(parts) == 1:
            parts.append("")
        elif not char.isspace():
            parts[-1] += char
        elif len(parts) == 1 and text[place:].lstrip()[:1] == "=":
            continue  # KEY = VALUE, as CP2K writes it
        elif parts != [""] and (len(parts) == 1 or parts[1] or inside):
            yield parts[0], parts[1] if len(parts) == 2 else "T"
            parts, inside = [""], False


def _columns(text: str, line: int) -> list[_Column]:
    fields = text.split(":")
    columns: list[_Column] = []
    first = 0
    for i in range(0, len(fields), 3):
        name, kind, count = (*fields[i : i + 3], "", "")[:3]
        if kind not in ("R", "I", "S", "L") or not count.isdecimal() or int(count) < 1:
            what = f"{':'.join(fields[i : i + 3])!r} is no column"
            raise _LineError(line, what, "NAME:TYPE:COLUMNS, where TYPE is R, I, S or L", "Properties")
        if name in {column.name for column in columns}:
            raise _LineError(line, f"two columns are named {name}", "one name a column", "Properties")
        columns.append(_Column(name, kind, first, int(count)))
        first += int(count)
    return columns


def _values(column: _Column, words: Sequence[Sequence[str]], first_line: int) -> Any:
    converters: dict[str, Callable[[str], Any]] = {"R": number, "I": int, "S": str, "L": _BOOLEANS.__getitem__}
    convert = converters[column.kind]
    last = column.first + column.count
    flat: list[Any] = []
    for offset, found in enumerate(words, 1):
        try:
            flat += [convert(word) for word in found[column.first : last]]
        except (ValueError, KeyError) as error:
            kind = {"R": "numbers", "I": "whole numbers", "L": "T or F"}[column.kind]
            what = f"{' '.join(found[column.first : last])[:60]!r}"
            raise _LineError(first_line + offset, what, kind, column.name) from error
    types: dict[str, Any] = {"R": float, "I": int, "S": object, "L": bool}
    values: Any = np.array(flat, dtype=types[column.kind])
    return values if column.count == 1 else values.reshape(len(words), column.count)


def _cell(info: dict[str, str], line: int) -> tuple[Any, Any]:
    cell, pbc = None, False
    if "Lattice" in info:
        text = info.pop("Lattice")
        try:
            cell = np.array([number(word) for word in re.split(r"[\s,]+", text.strip())]).reshape(3, 3)
        except ValueError as error:
            raise _LineError(line, f"{text[:60]!r}", "nine numbers in Å", "Lattice") from error
        pbc = True
        if not np.isfinite(cell).all():
            raise _LineError(line, f"{text[:60]!r}", "nine finite numbers in Å", "Lattice")
    if "pbc" not in info:
        return cell, pbc
    text = info.pop("pbc")
    flags = [_BOOLEANS.get(word) for word in re.split(r"[\s,]+", text.strip())]
    if len(flags) not in (1, 3) or None in flags:
        raise _LineError(line, f"{text[:30]!r}", "three of T and F", "pbc")
    return cell, flags if len(flags) == 3 else flags[0]


def _numbers(arrays: dict[str, Any], line: int) -> list[int]:
    named = [name for name in _ELEMENT_COLUMNS if name in arrays]
    if not named:
        what = f"no column of elements among {', '.join(arrays)}"
        raise _LineError(line, what, "species:S:1 (symbols), or Z:I:1", "Properties")
    read = []
    for name in named:
        numbers = []
        for offset, value in enumerate(arrays.pop(name), 1):
            known = atomic_numbers.get(value.capitalize(), 0) if isinstance(value, str) else int(value)
            if not 0 < known < len(atomic_numbers):
                what = f"{value if isinstance(value, str) else int(value)!r} is no element"
                raise _LineError(line + offset, what, "a symbol such as Cu, or an atomic number in Z", name)
            numbers.append(known)
        read.append(numbers)
    for offset, values in enumerate(zip(*read, strict=True), 1):
        if len(set(values)) > 1:
            raise _LineError(line + offset, f"{' and '.join(named)} name two elements", "one element an atom", named[1])
    return read[0]
