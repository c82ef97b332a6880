"""Energies of a leg from GROMACS ``dhdl.xvg`` files, checked line by line before alchemlyb parses them.

alchemlyb drops lines it cannot read and evaluates the legends as Python; here a truncated or damaged file is an
error that names the line, and nothing but numbers reaches the parser.
"""

from __future__ import annotations

import bz2
import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
from alchemlyb.parsing import gmx

from gibbsflow.binding.sample.energies import Energies, check_temperature, missing_windows
from gibbsflow.errors import InputError, NumericalError, Problem

_SUBTITLE = re.compile(r'@ subtitle "T = ([0-9.eE+-]+) \(K\) .*state (\d+): (.+) = (\(?[0-9., eE+-]+\)?)"\s*$')
_LEGEND = re.compile(r'@ s(\d+) legend "(.*)"\s*$')
_FOREIGN = re.compile(r"H .*to (\(?[0-9., eE+-]+\)?)$")
RIGHT = "a dhdl.xvg(.bz2) of GROMACS with foreign energies (calc-lambda-neighbors = -1)"


@dataclass(frozen=True)
class _Header:
    temperature_k: float
    state: int
    names: tuple[str, ...]
    states: tuple[tuple[float, ...], ...]
    columns: int
    has_dhdl: bool


def read_leg(paths: Sequence[Path], *, temperature_k: float | None = None, allow_missing: bool = False) -> Energies:
    """Read the windows of one leg.

    Parameters
    ----------
    paths
        ``dhdl.xvg``, plain or compressed (.bz2, .gz); several files may continue one window.
    temperature_k
        Temperature expected; the files must say the same.
    allow_missing
        Return what is there where windows are missing.

    Returns
    -------
    Energies
        Reduced potentials in kT, and dH/dλ where all files have it.

    Raises
    ------
    InputError
        For a file that is missing, empty, truncated or no dhdl.xvg, for different states or temperatures between
        files, samples that come twice, and missing windows unless allowed.
    NumericalError
        For NaN or infinite energies.
    """
    if not paths:
        raise InputError(Problem("--input", "no files", RIGHT))
    heads = [_check_file(Path(path)) for path in paths]
    first = heads[0]
    for path, head in zip(paths, heads, strict=True):
        check_temperature(path, head.temperature_k, temperature_k)
        check_temperature(path, head.temperature_k, first.temperature_k)
        if (head.names, head.states) != (first.names, first.states):
            raise InputError(Problem(str(path), f"its states differ from those of {paths[0]}", "files of one leg"))
    u_parts: list[pd.DataFrame] = []
    dhdl_parts: list[pd.DataFrame] = []
    seen: dict[int, Path] = {}
    for path, head in zip(paths, heads, strict=True):
        u_nk = gmx.extract_u_nk(str(path), T=first.temperature_k, filter=False)
        time = u_nk.index.get_level_values("time").to_numpy(dtype=float)
        u_nk.index = pd.MultiIndex.from_arrays([time, np.full(len(u_nk), head.state)], names=["time", "state"])
        u_nk.columns = pd.RangeIndex(len(u_nk.columns))
        before = [part for part in u_parts if part.index[0][1] == head.state]
        if any(np.intersect1d(part.index.get_level_values("time"), time).size for part in before):
            what = f"samples of state {head.state} at the same times as in {seen[head.state]}"
            raise InputError(Problem(str(path), what, "each window once"))
        seen[head.state] = path
        u_parts.append(u_nk)
        if head.has_dhdl:
            dhdl_parts.append(gmx.extract_dHdl(str(path), T=first.temperature_k, filter=False))
    u_all = pd.concat(u_parts).sort_index(level=["state", "time"])
    missing = tuple(state for state in range(len(first.states)) if state not in seen)
    if missing and not allow_missing:
        raise missing_windows(str(Path(paths[0]).parent), missing, len(first.states))
    states = [dict(zip(first.names, values, strict=True)) for values in first.states]
    u_missing = u_all[list(missing)] if missing else None
    u_all = u_all[[state for state in u_all.columns if state not in missing]]
    dhdl = pd.concat(dhdl_parts) if len(dhdl_parts) == len(paths) else None
    return Energies(u_all, first.temperature_k, states, missing, u_missing, dhdl, None, {"sampler": "gromacs"})


def _check_file(path: Path) -> _Header:
    legends: dict[int, str] = {}
    subtitle: re.Match[str] | None = None
    expected, rows = 0, 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                if line.startswith("#"):
                    continue
                if line.startswith("@"):
                    subtitle = subtitle or _SUBTITLE.match(line)
                    if match := _LEGEND.match(line):
                        legends[int(match[1])] = match[2]
                    continue
                expected = expected or len(legends) + 1
                _check_row(path, number, line, expected)
                rows += 1
    except FileNotFoundError as error:
        raise InputError(Problem(str(path), "no such file", RIGHT)) from error
    except EOFError as error:
        raise InputError(Problem(str(path), "truncated: the compressed file breaks off", "a whole file")) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Problem(str(path), f"not readable: {error}", RIGHT)) from error
    if subtitle is None or not legends:
        raise InputError(Problem(str(path), "empty file" if not path.stat().st_size else "no dhdl.xvg header", RIGHT))
    if not rows:
        raise InputError(Problem(str(path), "no samples", "at least one row"))
    foreign = [match for legend in legends.values() if "H " in legend and (match := _FOREIGN.search(legend))]
    if not foreign:
        raise InputError(Problem(str(path), "no energies in foreign states", RIGHT))
    names = tuple(name.strip() for name in subtitle[3].strip(" ()").split(","))
    # GROMACS may list one state twice; it is one state all the same
    states = tuple(dict.fromkeys(_numbers(match[1]) for match in foreign))
    if any(len(values) != len(names) for values in states):
        raise InputError(Problem(str(path), "its legends have other λ than its subtitle", RIGHT))
    own = [number for number, values in enumerate(states) if np.allclose(values, _numbers(subtitle[4]), atol=1e-4)]
    if not own:
        raise InputError(Problem(str(path), f"no energies in its own state {subtitle[2]}", RIGHT))
    has_dhdl = any(legend.startswith("dH/d") for legend in legends.values())
    return _Header(float(subtitle[1]), own[0], names, states, expected, has_dhdl)


def _check_row(path: Path, number: int, line: str, expected: int) -> None:
    fields = line.split()
    if len(fields) != expected:
        what = f"{len(fields)} numbers instead of {expected}: truncated or damaged"
        raise InputError(Problem(str(path), what, "a whole file", row=number))
    try:
        finite = np.isfinite([float(text) for text in fields]).all()
    except ValueError as error:
        raise InputError(Problem(str(path), f"not a number ({error})", "a whole file", row=number)) from error
    if not finite:
        raise NumericalError(f"{path}, row {number}: NaN or infinite energy")


def _open(path: Path) -> IO[str]:
    opener = {".bz2": bz2.open, ".gz": gzip.open}.get(path.suffix)
    return opener(path, "rt") if opener else open(path)  # type: ignore[return-value]


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.strip(" ()").split(","))
