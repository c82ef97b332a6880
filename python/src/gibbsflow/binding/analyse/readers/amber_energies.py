"""Energies of a leg from outputs of AMBER's sander and pmemd, parsed by alchemlyb after a look at every block.

alchemlyb leaves out gradients it cannot read and takes asterisks for infinity; here each block of energies is counted
and read first, so that a damaged output is an error that names the line. A run that was killed may end in a block.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from alchemlyb.parsing import amber

from gibbsflow.binding.analyse.readers.runs import (
    Part,
    Tally,
    check_temperatures,
    join,
    lambdas,
    odd_ones,
    said,
    split,
    to_energies,
)
from gibbsflow.binding.sample.energies import Energies
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import read_lines

RIGHT = "an output (mdout) of sander or pmemd with icfe = 1"
NAME = "clambda"
_VALUE = re.compile(r"Energy at\s+([0-9.]+)\s*=\s*(\S+)\s*$")
_GRADIENT = re.compile(r"^\s*DV/DL\s*=\s*(\S+)")
_MASK = re.compile(r"\b(timask[12]|scmask[12])\s*=\s*(['\"])(.*?)\2", re.I)
_COMMENT = re.compile(r"('[^']*'|\"[^\"]*\")|!.*")
"""A mask may have a ! of its own: not these atoms."""
_STEPS = re.compile(r"nstlim\s*=\s*(\d+)")
_INTERVALS = re.compile(r"\b(ntpr|bar_intervall)\s*=\s*(\d+)")
_REACHED = re.compile(r"^ *NSTEP\s*=\s*(\d+)")


@dataclass(frozen=True)
class _Output:
    """What one output holds: `u` and `gradients` with its λ, `listed` the λ that energies were computed at."""

    path: Path
    temperature_k: float
    own: float
    listed: tuple[float, ...]
    u: Part | None
    gradients: Part | None
    damaged: str


def read_leg(paths: Sequence[Path], *, temperature_k: float | None = None, allow_missing: bool = False) -> Energies:
    """Read the windows of one leg.

    Parameters
    ----------
    paths
        Outputs of pmemd or sander, plain or compressed (.bz2, .gz); several may be parts of one run.
    temperature_k
        Temperature expected; `temp0` of the files must be the same.
    allow_missing
        Return what is there where windows are missing.

    Returns
    -------
    Energies
        Reduced potentials in kT, without the block that a killed run was writing, where all outputs have MBAR energies,
        else without rows and with dV/dλ alone.

    Raises
    ------
    InputError
        For an output that is missing, empty, damaged or of something else, for different λ or temperatures between
        files, for energies that are no numbers, outputs of which some lack MBAR energies, two runs of one window, and
        missing windows unless allowed.
    """
    if not paths:
        raise InputError(Problem("--input", "no files", RIGHT))
    account = Account(str(Path(paths[0]).parent))
    account.facts |= {"format": "amber", "files": [str(path) for path in paths]}
    heads = {Path(path): _head(Path(path)) for path in paths}
    temperatures = {path: kelvin for path, (kelvin, _) in heads.items()}
    temperature = check_temperatures(temperatures, temperature_k)
    account.facts["transformation"] = _transformation({path: masks for path, (_, masks) in heads.items()})
    outputs = [_read(path, temperature, account) for path in temperatures]
    if without := [o for o in outputs if o.u is None]:
        if len(without) < len(outputs):
            right = "ifmbar = 1 and the same mbar_lambda in every window"
            raise InputError(
                [Problem(str(o.path), "no MBAR energies, which other windows have", right) for o in without]
            )
        return _gradients_alone(outputs, temperature, account)
    if odd := odd_ones({o.path: o.listed for o in outputs}):
        other = next(o.path for o in outputs if o.path not in odd)
        raise InputError(
            [Problem(str(p), f"its mbar_lambda differ from those of {other}", "outputs of one leg") for p in odd]
        )
    listed = outputs[0].listed
    states = [{NAME: value} for value in listed]
    tally = Tally()
    windows = _joined([(o, o.u) for o in outputs if o.u], listed, tally)
    tally.enter(account)
    dhdl, no_ti = _gradients(outputs, listed, temperature, account)
    return to_energies(
        windows, states, temperature, account, dhdl=dhdl, no_ti=no_ti, sampler="amber", allow_missing=allow_missing
    )


def _gradients_alone(outputs: Sequence[_Output], temperature_k: float, account: Account) -> Energies:
    listed = tuple(sorted({o.own for o in outputs}))
    dhdl, no_ti = _gradients(outputs, listed, temperature_k, account)
    if dhdl is None:
        raise InputError(Problem(account.where, f"neither MBAR energies nor dV/dλ ({no_ti})", RIGHT))
    account.note(
        f"no MBAR energies (ifmbar = 0): thermodynamic integration alone, from {NAME} {listed[0]:g} to {listed[-1]:g}"
    )
    counts = dhdl.groupby(level=NAME).size()
    account.facts |= {"samples": {str(k): int(counts[value]) for k, value in enumerate(listed)}}
    empty = pd.MultiIndex.from_arrays([[], []], names=["time", "state"])
    u_nk = pd.DataFrame(np.empty((0, len(listed))), index=empty, columns=list(range(len(listed))))
    states = [{NAME: value} for value in listed]
    return Energies(u_nk, temperature_k, states, (), None, dhdl, None, {"sampler": "amber"}, account)


def _gradients(
    outputs: Sequence[_Output], listed: Sequence[float], temperature_k: float, account: Account
) -> tuple[pd.DataFrame | None, str]:
    if damaged := [o for o in outputs if o.damaged]:
        for output in damaged:
            account.take(said(output.path, "note", f"{output.damaged}: no thermodynamic integration"))
        return None, f"{damaged[0].path.name}: {damaged[0].damaged}"
    if lacking := [o.path.name for o in outputs if o.gradients is None]:
        return None, f"no dV/dλ in {', '.join(lacking)}"
    windows = _joined([(o, o.gradients) for o in outputs if o.gradients], listed, Tally())
    made = []
    for state in sorted(windows):
        own = np.full(len(windows[state]), listed[state])
        index = pd.MultiIndex.from_arrays([windows[state].time_ps, own], names=["time", NAME])
        made.append(pd.DataFrame({"dHdl": windows[state].values[:, 0]}, index=index))
        made[-1].attrs = {"temperature": temperature_k, "energy_unit": "kT"}
    return pd.concat(made), ""


def _joined(found: Sequence[tuple[_Output, Part]], listed: Sequence[float], tally: Tally) -> dict[int, Part]:
    parts: dict[int, list[Part]] = defaultdict(list)
    for output, part in found:
        parts[listed.index(output.own)] += split(part, tally)
    named = {state: f"state {state} ({lambdas({NAME: listed[state]})})" for state in parts}
    return {state: join(several, tally, window=named[state])[0] for state, several in parts.items()}


def _read(path: Path, temperature_k: float, account: Account) -> _Output:
    mbar_rows, gradient_rows, damaged, cut = _look_through(path, account)
    try:
        with _before(path, cut) as whole:
            head = amber.file_validation(str(whole))
            tables = amber.extract(str(whole), temperature_k)
    except (ValueError, TypeError, IndexError) as error:
        raise InputError(Problem(str(path), str(error).split("\n")[0], RIGHT)) from error
    given = np.array([float(value) for value in head.mbar_lambdas])
    rising = np.argsort(given, kind="stable")  # as dV/dλ is integrated: one listed from 1 to 0 would turn ΔG round
    listed = tuple(given[rising].tolist())
    own = round(float(head.clambda), 4)
    u_nk, dhdl = tables["u_nk"], tables["dHdl"]
    if listed and own not in listed:
        what = f"its own clambda {own:g} is not among its mbar_lambda"
        raise InputError(Problem(str(path), what, "mbar_lambda with every window's clambda"))
    if len(set(listed)) < len(listed):
        raise InputError(Problem(str(path), "one λ twice among its mbar_lambda, as printed", "λ 0.0001 apart or more"))
    if listed and (u_nk is None or u_nk.empty):
        raise InputError(Problem(str(path), "no MBAR energies although ifmbar = 1: no samples", "a run with samples"))
    u = gradients = None
    if u_nk is not None:
        values = u_nk.to_numpy(dtype=float)[:, rising]
        _refuse_not_finite(path, values, mbar_rows)
        time = u_nk.index.get_level_values("time").to_numpy(dtype=float)
        u = Part(path, np.resize(mbar_rows, len(time)), time, values)
    if dhdl is not None and not damaged:
        time = dhdl.index.get_level_values("time").to_numpy(dtype=float)
        gradients = Part(path, np.resize(gradient_rows, len(time)), time, dhdl[["dHdl"]].to_numpy(dtype=float))
    return _Output(path, temperature_k, own, listed, u, gradients, damaged)


def _refuse_not_finite(path: Path, u: np.ndarray, rows: Sequence[int]) -> None:
    bad = np.flatnonzero((~np.isfinite(u) & ~np.isposinf(u)).any(axis=1))
    if len(bad):
        what = "the energy of its own state is infinite (asterisks: it did not fit into its column)"
        right = "frames whose own energy is a number"
        raise InputError(Problem(str(path), what, right, row=int(np.resize(rows, len(u))[bad[0]])))


def _head(path: Path) -> tuple[float, dict[str, str]]:
    """Temperature of a run, and the masks of its regions as its input was typed."""
    control = False
    masks: dict[str, str] = {}
    for _, line in read_lines(path, RIGHT):
        control = control or "CONTROL  DATA" in line  # before it stands the input as it was typed
        if control and (match := re.search(r"temp0\s+=\s*([0-9.]+)", line)):
            return float(match[1]), masks
        if not control:
            masks |= {name.lower(): text for name, _, text in _MASK.findall(_COMMENT.sub(r"\1", line))}
        if line.startswith("   4.  RESULTS"):
            break
    empty = path.stat().st_size == 0
    raise InputError(Problem(str(path), "empty file" if empty else "no temp0: no output of AMBER's MD", RIGHT))


def _transformation(masks: Mapping[Path, Mapping[str, str]]) -> dict[str, str]:
    """What the outputs say of what changes from the first λ to the last; those of another change are refused."""
    first = next(iter(masks.values()))
    if odd := [path for path, own in masks.items() if own != first]:
        right = "outputs of one leg: the same timask1, timask2, scmask1 and scmask2"
        what = f"its regions are not those of {next(iter(masks))}"
        raise InputError([Problem(str(path), what, right, field="timask1") for path in odd])
    found = dict(first)
    regions = [found.get(f"timask{number}", "") for number in (1, 2)]
    if any(regions):
        there, comes = (region or "nothing" for region in regions)
        found["from_0_to_1"] = f"{there} is decoupled" if not regions[1] else f"{comes} takes the place of {there}"
    return found


@contextmanager
def _before(path: Path, row: int) -> Iterator[Path]:
    """An output as far as it was written whole: a copy without the row and what follows; 0 for all of it."""
    if not row:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "mdout"
        with whole.open("w", encoding="utf-8") as file:
            file.writelines(line for number, line in read_lines(path, RIGHT) if number < row)
        yield whole


def _look_through(path: Path, account: Account) -> tuple[list[int], list[int], str, int]:
    """Lines of the MBAR blocks and of dV/dλ, what is wrong with the latter, and where a killed run broke off.

    That is the line at which its last block begins, or its last one, where it ends in the middle of that; else 0.
    """
    mbar_rows: list[int] = []
    gradient_rows: list[int] = []
    expected, block, steps, finished, damaged = 0, -1, 0, False, ""
    averages, broken, heads, reached = False, 0, 0, 0
    every: dict[str, int] = {}
    for number, line in read_lines(path, RIGHT):
        if broken:
            what = f"a block of {block} MBAR energies instead of {expected or 'more'}, or a line that is none: damaged"
            raise InputError(Problem(str(path), what, "a whole output", row=broken))
        heads += "CONTROL  DATA" in line
        if heads > 1:  # what follows would be read as samples of the first one's λ
            what = "a second run begins here: outputs that were put together"
            raise InputError(Problem(str(path), what, "each output as a file of its own", row=number))
        if match := _STEPS.search(line):
            steps = steps or int(match[1])
        if heads:  # before it stands the input as it was typed
            every |= {name: int(value) for name, value in _INTERVALS.findall(line)}
        if line.startswith("MBAR Energy analysis"):
            mbar_rows.append(number)
            block = 0
        elif block >= 0 and line.endswith("\n") and (match := _VALUE.match(line)):
            _refuse_no_number(path, number, match[2])
            block += 1
        elif block >= 0:
            expected = expected or block
            if block != expected or not line.startswith(" ---"):
                broken = number  # damaged, unless it is the last line of a run that was killed as it wrote
            else:
                block = -1
        elif "A V E R A G E S" in line:
            averages = True
        elif line.startswith("|====="):
            averages = False
        elif not averages and (match := _REACHED.match(line)):
            reached = int(match[1])
        elif not averages and line.endswith("\n") and (match := _GRADIENT.match(line)):
            gradient_rows.append(number)
            if not _is_finite(match[1]):
                damaged = damaged or f"dV/dλ is no number ({match[1]}, row {number})"
        finished = finished or line.startswith("   5.  TIMINGS")
    cut = 0 if finished or line.endswith("\n") else number
    if block >= 0:
        what = f"it breaks off in a block of MBAR energies, after {block} of {expected or 'all'}"
        if finished or len(mbar_rows) == 1 or (broken and not cut):
            raise InputError(Problem(str(path), f"truncated: {what}", "a whole output", row=mbar_rows[-1]))
        cut = mbar_rows.pop()
        account.take(said(path, "note", f"row {cut}: {what}, which is left out"))
    if not finished:
        account.take(said(path, "note", f"the run did not end by itself (no timings; {steps} steps were asked for)"))
    # a block stands before the NSTEP of its step; some versions write blocks only where they print, too
    due = reached // max(every["ntpr"], every["bar_intervall"]) if len(every) == 2 and all(every.values()) else 0
    if 0 < len(mbar_rows) < due:
        what = f"{len(mbar_rows)} blocks of MBAR energies, where its {reached} steps make {due}: some were taken out"
        account.take(said(path, "warn", what))
    return mbar_rows, gradient_rows, damaged, cut


def _refuse_no_number(path: Path, number: int, text: str) -> None:
    if set(text) != {"*"} and not _is_finite(text):
        right = "numbers (asterisks in a foreign state alone)"
        raise InputError(Problem(str(path), f"{text} is no energy", right, row=number))


def _is_finite(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
