"""Energies of a leg from GROMACS ``dhdl.xvg`` files, read line by line; the values are those of alchemlyb's parser.

alchemlyb drops lines it cannot read, evaluates the legends as Python and takes states with the same printed λ for one;
here a truncated or damaged file is an error that names the line, and states are told apart by their number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from alchemlyb.postprocessors.units import R_kJmol

from gibbsflow.binding.analyse.readers.runs import (
    Part,
    Tally,
    check_temperatures,
    join,
    lambdas,
    odd_ones,
    one_after_another,
    said,
    split,
    to_energies,
)
from gibbsflow.binding.sample.energies import Energies
from gibbsflow.engines.gromacs.dhdl_file import RIGHT, DhdlFile, read_dhdl
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats, Ints
from gibbsflow.workflow.account import Account

SAME_KJ_PER_MOL = 1e-3
_WHOLE = ("Total Energy", "Potential Energy")
"""Two states with one printed λ whose energies never differ by more are one state that is listed twice."""
OTHER_STATE_KJ_PER_MOL = 0.1
"""Samples are this far from their own state where their header names another than the one they were drawn from."""


def read_leg(paths: Sequence[Path], *, temperature_k: float | None = None, allow_missing: bool = False) -> Energies:
    """Read the windows of one leg.

    Parameters
    ----------
    paths
        ``dhdl.xvg``, plain or compressed (.bz2, .gz), of windows or of expanded ensembles; several files may be parts
        of one run, or hold the same frames.
    temperature_k
        Temperature expected; the files must say the same.
    allow_missing
        Return what is there where windows are missing.

    Returns
    -------
    Energies
        Reduced potentials in kT, dH/dλ where all files have it and it is finite, and the account of what was read.

    Raises
    ------
    InputError
        For a file that is missing, empty, truncated or no dhdl.xvg, for different states or temperatures between
        files, two runs of one window, energies that are no numbers, and missing windows unless allowed.
    """
    if not paths:
        raise InputError(Problem("--input", "no files", RIGHT))
    account = Account(str(Path(paths[0]).parent))
    account.facts |= {"format": "gromacs", "files": [str(path) for path in paths]}
    files = [read_dhdl(Path(path)) for path in paths]
    temperature = check_temperatures({f.path: f.header.temperature_k for f in files}, temperature_k)
    _refuse_other_states(files)
    first = files[0].header
    state_of, states = _states(files)
    beta = 1 / (R_kJmol * temperature)
    with_gradients = all(file.header.gradients for file in files)
    tally = Tally()
    parts: dict[tuple[int, int], list[Part]] = defaultdict(list)
    walkers: list[Part] = []
    for file in files:
        values = _values(file, state_of, len(states), beta, with_gradients)
        frames = Part(file.path, file.rows, file.table[:, 0], values)
        if file.header.state is None:
            walkers += split(frames, tally)
        else:
            parts[state_of[file.header.state], file.header.state if file.header.numbered else -1] += split(
                frames, tally
            )
    runs: dict[int, list[Part]] = defaultdict(list)
    for (state, number), of_run in parts.items():
        listed = 1 if number >= 0 else sum(to == state for to in state_of)
        window = f"state {state} ({lambdas(states[state])})"
        runs[state] += join(of_run, tally, window=window, most=listed)
    if walkers:
        _visits(join(walkers, tally, window="this walker", most=len(walkers)), runs, len(states))
        account.note(
            "expanded ensemble: each frame counts for the state that its row names; "
            "frames from before the weights were settled should not be among them"
        )
    for state, several in runs.items():
        if len(several) > 1:
            account.note(f"state {state} ({lambdas(states[state])}): {len(several)} runs, put one after another")
    windows = {state: one_after_another(several) for state, several in runs.items()}
    tally.enter(account)
    gradients, no_ti = _gradients(windows, states, first.names, files, account) if with_gradients else (None, "")
    return to_energies(
        windows,
        states,
        temperature,
        account,
        dhdl=gradients,
        no_ti=no_ti,
        sampler="gromacs",
        allow_missing=allow_missing,
        whole=_of_one_kind(files),
    )


def _of_one_kind(files: Sequence[DhdlFile]) -> bool:
    """Whether all files hold whole energies of one kind: the total one has kinetic energy, the potential one none."""
    return any(all(file.header.columns(kind) for file in files) for kind in _WHOLE)


def _values(file: DhdlFile, state_of: Sequence[int], count: int, beta: float, with_gradients: bool) -> Floats:
    """Reduced potentials, state of the row, reduced gradients: shape (N, K + 1 + L)."""
    header, table = file.header, file.table
    first_of = [state_of.index(state) for state in range(count)]
    u = beta * table[:, header.foreign][:, first_of]
    for words in (("pV",), _WHOLE):
        if columns := header.columns(*words):
            u += beta * table[:, columns[:1]]
    own = np.array(state_of)[_own(file)]
    _refuse_not_finite(file, u, own)
    gradients = beta * table[:, header.gradients] if with_gradients else np.empty((len(u), 0))
    return np.column_stack([u, own.astype(float), gradients])


def _own(file: DhdlFile) -> Ints:
    """Column of the state that each row was drawn from."""
    if file.header.state is not None:
        return np.full(len(file.table), file.header.state)
    (column,) = file.header.columns("Thermodynamic state")
    own = file.table[:, column]
    wrong = np.flatnonzero(~((own >= 0) & (own < len(file.header.listed)) & (own == np.round(own))))
    if len(wrong):
        what = f"thermodynamic state {own[wrong[0]]:g}"
        right = f"a whole number from 0 to {len(file.header.listed) - 1}"
        raise InputError(Problem(str(file.path), what, right, row=int(file.rows[wrong[0]])))
    return own.astype(int)


def _refuse_not_finite(file: DhdlFile, u: Floats, own: Ints) -> None:
    """Refuse NaN, energies of minus infinity, and samples that are infinite in their own state."""
    impossible = ~np.isfinite(u) & ~np.isposinf(u)
    impossible[np.arange(len(u)), own] |= ~np.isfinite(u[np.arange(len(u)), own])
    impossible |= ~np.isfinite(file.table[:, :1])
    if impossible.any():
        row = int(np.flatnonzero(impossible.any(axis=1))[0])
        bad = np.flatnonzero(~np.isfinite(file.table[row]))
        names = ["time", *file.header.legends]
        what = (
            f"{file.table[row, bad[0]]} in the column {plain(names[bad[0]])!r}, {impossible.any(axis=1).sum()} rows so"
        )
        right = "numbers (infinity in a foreign state alone); leave out the frames of a run that went wrong"
        raise InputError(Problem(str(file.path), what, right, row=int(file.rows[row])))
    foreign = file.table[:, file.header.foreign]
    if file.header.state is not None and len(foreign) > 1:
        away = np.median(np.abs(foreign), axis=0)
        nearest = int(np.argmin(away))
        if away[file.header.state] > OTHER_STATE_KJ_PER_MOL and away[nearest] < SAME_KJ_PER_MOL:
            what = f"its header says state {file.header.state}, and its energies are zero in state {nearest}"
            raise InputError(Problem(str(file.path), what, "the header of the run that the rows are from"))


def plain(legend: str) -> str:
    """Write a legend of xmgrace without its fonts.

    Parameters
    ----------
    legend
        As in the file.

    Returns
    -------
    str
        Such as ``ΔH λ to 0.5000``.
    """
    return legend.replace(r"\xD\f{}", "Δ").replace(r"\xl\f{}", "λ")


def _states(files: Sequence[DhdlFile]) -> tuple[list[int], list[Mapping[str, float]]]:
    """State of each listed λ, those that are listed twice and have the same energies in all files being one."""
    listed, names = files[0].header.listed, files[0].header.names
    first_of: list[int] = []
    for k, values in enumerate(listed):
        alike = (j for j in sorted(set(first_of)) if listed[j] == values and all(_equal(f, j, k) for f in files))
        first_of.append(next(alike, k))
    places = {first: state for state, first in enumerate(sorted(set(first_of)))}
    ambiguous = [f for f in files if f.header.state is not None and not f.header.numbered]
    for file in ambiguous:
        assert file.header.state is not None
        own = listed[file.header.state]
        if len({first_of[k] for k, values in enumerate(listed) if values == own}) > 1:
            what = f"several states are printed as λ = {own} and have different energies; the file names none by number"
            raise InputError(Problem(str(file.path), what, "states that differ in the digits that are printed"))
    return [places[first] for first in first_of], [dict(zip(names, listed[first], strict=True)) for first in places]


def _equal(file: DhdlFile, j: int, k: int) -> bool:
    foreign = file.header.foreign
    left, right = file.table[:, foreign[j]], file.table[:, foreign[k]]
    return bool(np.isclose(left, right, rtol=1e-6, atol=SAME_KJ_PER_MOL, equal_nan=True).all())


def _visits(walkers: Sequence[Part], runs: dict[int, list[Part]], count: int) -> None:
    for walker in walkers:
        own = walker.values[:, count].astype(int)
        for state in np.unique(own):
            runs[int(state)].append(walker.of(own == state))


def _gradients(
    windows: Mapping[int, Part],
    states: Sequence[Mapping[str, float]],
    names: Sequence[str],
    files: Sequence[DhdlFile],
    account: Account,
) -> tuple[pd.DataFrame | None, str]:
    """dH/dλ as alchemlyb has it; where it is not finite there is none, and why."""
    for file in files:
        wrong = np.flatnonzero(~np.isfinite(file.table[:, file.header.gradients]).all(axis=1))
        if len(wrong):
            what = f"dH/dλ is no number in {len(wrong)} rows (first: row {file.rows[wrong[0]]})"
            account.take(said(file.path, "note", f"{what}: no thermodynamic integration"))
            return None, f"{file.path.name}: {what}"
    made = []
    for state in sorted(windows):
        window = windows[state]
        own = [np.full(len(window), states[state][name]) for name in names]
        index = pd.MultiIndex.from_arrays([window.time_ps, *own], names=["time", *names])
        values = window.values[:, len(states) + 1 :]
        made.append(pd.DataFrame(values, index=index, columns=[name.split("-")[0] for name in names]))
        made[-1].attrs = {"temperature": files[0].header.temperature_k, "energy_unit": "kT"}
    return pd.concat(made), ""


def _refuse_other_states(files: Sequence[DhdlFile]) -> None:
    kinds = {file.path: (file.header.names, file.header.listed) for file in files}
    if odd := odd_ones(kinds):
        other = next(path for path in kinds if path not in odd)
        raise InputError(
            [Problem(str(p), f"its states differ from those of {other}", f"files of one leg; {RIGHT}") for p in odd]
        )
