"""``dhdl.xvg`` of GROMACS, read line by line: a truncated or damaged file is an error that names the line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats, Ints
from gibbsflow.workflow.input_files import read_lines

_SUBTITLE = re.compile(r'@ subtitle "T = ([0-9.eE+-]+) \(K\)(.*)"\s*$')
_STATE = re.compile(r"state (\d+): (.+) = (\(?[0-9., eE+-]+\)?)$")
_LEGEND = re.compile(r'@ s(\d+) legend "(.*)"\s*$')
_FOREIGN = re.compile(r"H .*to (\(?[0-9., eE+-]+\)?)$")
_GRADIENT = re.compile(r"^dH/d.* (\S+-lambda) = ([0-9.eE+-]+)$")
RIGHT = "a dhdl.xvg(.bz2) of GROMACS with foreign energies (calc-lambda-neighbors = -1)"


@dataclass(frozen=True)
class Header:
    """What a file says of itself.

    Attributes
    ----------
    temperature_k
        Of the run.
    names, listed
        Kinds of λ, and their values in each foreign state.
    legends
        Of all columns but the time.
    state, numbered
        Its own state among those listed, None where each row names it; whether the header gives it by number.
    """

    temperature_k: float
    names: tuple[str, ...]
    listed: tuple[tuple[float, ...], ...]
    legends: tuple[str, ...]
    state: int | None
    numbered: bool

    def columns(self, *words: str) -> list[int]:
        """Find columns by their legends.

        Parameters
        ----------
        *words
            One of them must be in the legend.

        Returns
        -------
        list of int
            The time column counted.
        """
        return [k + 1 for k, legend in enumerate(self.legends) if any(word in legend for word in words)]

    @property
    def foreign(self) -> list[int]:
        """Columns of energies in other states.

        Returns
        -------
        list of int
            One for each state that is listed.
        """
        return [k + 1 for k, legend in enumerate(self.legends) if "H " in legend and _FOREIGN.search(legend)]

    @property
    def gradients(self) -> list[int]:
        """Columns of dH/dλ.

        Returns
        -------
        list of int
            One for each kind of λ; empty unless all are there.
        """
        found = {m[1]: k + 1 for k, legend in enumerate(self.legends) if (m := _GRADIENT.match(legend))}
        return [found[name] for name in self.names] if set(self.names) <= found.keys() else []


@dataclass(frozen=True)
class DhdlFile:
    """A file's numbers.

    Attributes
    ----------
    path, header
        The file, and what it says of itself.
    rows
        Line of each row.
    table
        All columns, the time first, ps and kJ/mol.
    """

    path: Path
    header: Header
    rows: Ints
    table: Floats


def read_dhdl(path: Path) -> DhdlFile:
    """Read a file.

    Parameters
    ----------
    path
        Plain or compressed (.bz2, .gz).

    Returns
    -------
    DhdlFile
        All its rows.

    Raises
    ------
    InputError
        For one that is missing, empty, truncated or of another kind.
    """
    header: Header | None = None
    heads: list[str] = []
    rows: list[int] = []
    table: list[list[float]] = []
    for number, line in read_lines(path, RIGHT):
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("@"):
            if table and (_SUBTITLE.match(line) or _LEGEND.match(line)) and line.strip() not in heads:
                what = "a second header that differs from the first: files put together"
                raise InputError(Problem(str(path), what, "one run a file", row=number))
            heads.append(line.strip())
            continue
        if header is None:
            header = _header(path, heads, number)
        table.append(_row(path, number, line, len(header.legends) + 1))
        rows.append(number)
    if not path.stat().st_size:
        raise InputError(Problem(str(path), "empty file", RIGHT))
    if header is None:
        _header(path, heads, None)
        raise InputError(Problem(str(path), "no samples", "at least one row"))
    return DhdlFile(path, header, np.array(rows), np.array(table))


def _header(path: Path, lines: Sequence[str], row: int | None) -> Header:
    found = [match for line in lines if (match := _LEGEND.match(line))]
    legends = tuple(text for _, text in sorted((int(match[1]), match[2]) for match in found))
    subtitle = next((match for line in lines if (match := _SUBTITLE.match(line))), None)
    if subtitle is None or not legends:
        raise InputError(Problem(str(path), "no dhdl.xvg header", RIGHT, row=row))
    listed = tuple(_numbers(m[1]) for legend in legends if "H " in legend and (m := _FOREIGN.search(legend)))
    if not listed:
        raise InputError(Problem(str(path), "no energies in foreign states", RIGHT))
    gradients = [match for legend in legends if (match := _GRADIENT.match(legend))]
    numbered = _STATE.search(subtitle[2].strip())
    if numbered:
        names = tuple(name.strip() for name in numbered[2].strip(" ()").split(","))
        own = _numbers(numbered[3])
    elif gradients:
        names, own = tuple(match[1] for match in gradients), tuple(float(match[2]) for match in gradients)
    else:
        raise InputError(Problem(str(path), "its header names no λ state", f"init-lambda-state in the run; {RIGHT}"))
    if any(len(values) != len(names) for values in listed):
        raise InputError(Problem(str(path), "its legends have other λ than its subtitle", RIGHT))
    if not numbered and any("Thermodynamic state" in legend for legend in legends):
        return Header(float(subtitle[1]), names, listed, legends, None, False)
    number = int(numbered[1]) if numbered else -1
    if not 0 <= number < len(listed) or listed[number] != own:  # not all states are listed, or none is named
        same = [k for k, values in enumerate(listed) if values == own]
        if not same:
            raise InputError(Problem(str(path), f"no energies in its own state {number if numbered else own}", RIGHT))
        return Header(float(subtitle[1]), names, listed, legends, same[0], False)
    return Header(float(subtitle[1]), names, listed, legends, number, True)


def _row(path: Path, number: int, line: str, expected: int) -> list[float]:
    fields = line.split()
    if len(fields) != expected:
        what = f"{len(fields)} numbers instead of {expected}: truncated or damaged"
        raise InputError(Problem(str(path), what, "a whole file", row=number))
    if not line.endswith("\n"):
        what = "the last line has no end: its last number may be truncated"
        raise InputError(Problem(str(path), what, "a whole file (the line complete, or left out)", row=number))
    try:
        return [float(text) for text in fields]
    except ValueError as error:
        raise InputError(Problem(str(path), f"not a number ({error})", "a whole file", row=number)) from error


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.strip(" ()").split(","))
