"""Reduced energies of windows: one Parquet shape for every sampler, and the shape that estimators take.

A sample is one configuration with its reduced potential βU in every state of the leg. `write_window` and `read_windows`
are for samplers; `Energies` is for estimators and comes from Parquet (`read_leg`) or from GROMACS
(`gromacs_energies.read_leg`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gibbsflow.binding.sample.gradient.gradient_check import check_gradients
from gibbsflow.binding.sample.gradient.gradient_columns import PREFIX, from_columns, joined, to_columns
from gibbsflow.errors import InputError, NumericalError, Problem
from gibbsflow.units import Floats, Ints
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import atomic_open
from gibbsflow.workflow.input_files import DATA_BYTES, require_file
from gibbsflow.workflow.settings_file import parse_json

META_KEY = b"gibbsflow"
_WHOLE = ("window", "replica")
META_NEEDED = ("temperature_k", "leg", "transformation", "replicate", "states", "seed", "sampler")


def _is_number(value: Any) -> bool:
    return bool(type(value) in (int, float) and abs(value) < 1e300)


def _is_state(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


_META_HOLDS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "temperature_k": (lambda value: _is_number(value) and value > 0, "a temperature in K, above 0"),
    "leg": (lambda value: isinstance(value, str), "its name"),
    "transformation": (lambda value: isinstance(value, str), "its name"),
    "replicate": (lambda value: type(value) is int and value >= 0, "a whole number from 0"),
    "states": (
        lambda value: type(value) is list and value and all(map(_is_state, value)),
        "a list of states, each of numbers by name",
    ),
}
"""What the metadata of a window must hold, and what to call it."""


@dataclass(frozen=True)
class Window:
    """Samples drawn from one state.

    Attributes
    ----------
    path
        File they came from.
    window
        Index of the state they were drawn from.
    time_ps
        Time of each sample, shape (N,).
    replica
        Walker of each sample, shape (N,).
    u
        Reduced potentials βU, shape (N, K).
    meta
        What the sampler says of the leg (`META_NEEDED`).
    gradients
        Derivatives of the reduced potential along each λ of a state, shape (N, L), NaN along those that change on
        neither side of the window; None where they were not recorded.
    """

    path: Path
    window: int
    time_ps: Floats
    replica: Ints
    u: Floats
    meta: Mapping[str, Any]
    gradients: Floats | None = None


@dataclass(frozen=True)
class Energies:
    """All samples of one leg and replicate, in the shape that alchemlyb takes.

    Attributes
    ----------
    u_nk
        Reduced potentials; index (``time``, ``state``), one column a state that was sampled, both named by the
        index of the state within the leg, in the order of the leg.
    temperature_k
        Temperature that u is reduced with.
    states
        λ values of every state of the leg, also of those not sampled.
    missing
        Indices of the states without samples.
    u_missing
        Reduced potentials of the samples in the states without samples of their own: index as `u_nk`, one column a
        missing state; None where nothing is missing.
    dhdl
        Reduced gradients βdH/dλ by alchemlyb's index (``time``, λ...), None where not recorded.
    replica
        Walker of each row of `u_nk`, None where walkers were not recorded.
    meta
        What the files say of themselves.
    account
        What was read, and the doubts about it.
    """

    u_nk: pd.DataFrame
    temperature_k: float
    states: Sequence[Mapping[str, float]]
    missing: tuple[int, ...] = ()
    u_missing: pd.DataFrame | None = None
    dhdl: pd.DataFrame | None = None
    replica: Ints | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    account: Account = field(default_factory=lambda: Account("energies"))

    @property
    def sampled(self) -> list[int]:
        """The states that have samples.

        Returns
        -------
        list of int
            Indices, in order.
        """
        return [int(state) for state in self.u_nk.columns]

    @property
    def ends_sampled(self) -> bool:
        """Whether the first and the last state have samples.

        Returns
        -------
        bool
            False where either is missing.
        """
        return not {0, len(self.states) - 1} & set(self.missing)

    @property
    def u_all(self) -> pd.DataFrame:
        """Reduced potentials of all samples in all states.

        Returns
        -------
        DataFrame
            Index as `u_nk`, one column a state, in order.
        """
        if self.u_missing is None:
            return self.u_nk
        return pd.concat([self.u_nk, self.u_missing], axis=1)[list(range(len(self.states)))]


def write_window(
    path: Path,
    time_ps: npt.ArrayLike,
    window: int,
    replica: npt.ArrayLike,
    u: npt.ArrayLike,
    meta: Mapping[str, Any],
    gradients: Floats | None = None,
) -> None:
    """Write the samples of one window, atomically.

    Parameters
    ----------
    path
        File to write, by custom ``window_KK.parquet``.
    time_ps
        Time of each sample, shape (N,).
    window
        Index of the state they were drawn from.
    replica
        Walker of each sample, shape (N,), or one number for all.
    u
        Reduced potentials βU of each sample in all K states, shape (N, K), dimensionless.
    meta
        `temperature_k, leg, transformation, replicate, states, seed, sampler`; more is kept.
    gradients
        As in :class:`Window`.

    Raises
    ------
    ValueError
        For shapes that do not fit, or a missing key of `meta`: a defect of the sampler.
    """
    energies = np.atleast_2d(np.asarray(u, dtype=np.float64))
    times = np.asarray(time_ps, dtype=np.float64)
    absent = [key for key in META_NEEDED if key not in meta]
    if absent:
        raise ValueError(f"meta of {path} lacks {', '.join(absent)}")
    if energies.shape != (len(times), len(meta["states"])):
        raise ValueError(f"{path}: u is {energies.shape}, expected {(len(times), len(meta['states']))}")
    columns: dict[str, Any] = {
        "time_ps": times,
        "window": np.full(len(times), window, dtype=np.int32),
        "replica": np.broadcast_to(np.asarray(replica, dtype=np.int32), times.shape),
    }
    columns |= {_column(state): energies[:, state] for state in range(energies.shape[1])}
    columns |= to_columns(meta["states"], window, gradients)
    table = pa.table(columns).replace_schema_metadata({META_KEY: json.dumps(dict(meta), allow_nan=False).encode()})
    with atomic_open(Path(path)) as file:
        pq.write_table(table, file, write_page_checksum=True)


def read_window(path: Path) -> Window:
    """Read and check the samples of one window.

    Parameters
    ----------
    path
        The Parquet file.

    Returns
    -------
    Window
        With all its samples.

    Raises
    ------
    InputError
        For a file that is missing, truncated, empty, or not of the shape of docs/contracts.md, and for times that do
        not increase.
    NumericalError
        For NaN or infinite energies.
    """
    path = Path(path)
    meta = read_window_meta(path)
    try:
        table = pq.read_table(path, page_checksum_verification=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error
    columns = [_column(state) for state in range(len(meta["states"]))]
    if lacking := [name for name in ("time_ps", "window", "replica", *columns) if name not in table.column_names]:
        raise InputError(Problem(str(path), f"no column {', '.join(lacking)}", "one u_KK column a state"))
    if table.num_rows == 0:
        raise InputError(Problem(str(path), "no samples", "at least one row"))
    recorded = [name for name in table.column_names if name.startswith(PREFIX)]
    for name in ("time_ps", "window", "replica", *columns, *recorded):
        kind, empty = table.schema.field(name).type, table[name].null_count
        if empty or not (pa.types.is_integer(kind) or (pa.types.is_floating(kind) and name not in _WHOLE)):
            raise InputError(Problem(str(path), f"{kind}, {empty} of them empty", "a number each row", field=name))
    time_ps = table["time_ps"].to_numpy()
    if len(bad := np.flatnonzero(~(np.diff(time_ps, prepend=-np.inf) > 0) | ~np.isfinite(time_ps))):
        what, right = f"{time_ps[bad[0]]:g} ps is not after the sample before", "each sample once, in order"
        raise InputError(Problem(str(path), what, right, int(bad[0]) + 1, "time_ps"))
    windows = np.unique(table["window"].to_numpy())
    if len(windows) != 1 or not 0 <= windows[0] < len(columns):
        raise InputError(Problem(str(path), f"samples of windows {windows.tolist()}", "one window of the leg a file"))
    u = np.column_stack([table[name].to_numpy() for name in columns])
    _refuse_non_finite(u, str(path), columns)
    window = int(windows[0])
    gradients = from_columns({name: table[name].to_numpy() for name in recorded}, meta["states"], window)
    return Window(path, window, time_ps, table["replica"].to_numpy().astype(np.int32), u, meta, gradients)


def read_window_meta(path: Path) -> Mapping[str, Any]:
    """Read what a window file says of itself, without its samples.

    Parameters
    ----------
    path
        The Parquet file.

    Returns
    -------
    dict
        With `META_NEEDED`.

    Raises
    ------
    InputError
        For a file that is missing, truncated, empty, or not of the shape of docs/contracts.md.
    """
    path = Path(path)
    require_file(path, "the Parquet file of a window", DATA_BYTES)
    try:
        raw = (pq.read_schema(path).metadata or {}).get(META_KEY)
        meta = parse_json(raw.decode(), path) if raw is not None else {}
    except (pa.ArrowInvalid, OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(meta, dict):
        raise InputError(Problem(str(path), "its metadata is no mapping", "a file written by `fe run`"))
    if absent := [key for key in META_NEEDED if key not in meta]:
        raise InputError(Problem(str(path), f"metadata lacks {', '.join(absent)}", "a file written by `fe run`"))
    if problems := [
        Problem(str(path), f"{meta[key]!r:.80} in the metadata", right, field=key)
        for key, (holds, right) in _META_HOLDS.items()
        if not holds(meta[key])
    ]:
        raise InputError(problems)
    return meta


def read_windows(paths: Sequence[Path]) -> list[Window]:
    """Read windows of one leg and replicate.

    Parameters
    ----------
    paths
        One file a window, in any order.

    Returns
    -------
    list of Window
        In the order of their states.

    Raises
    ------
    InputError
        As `read_window`, and where the files do not belong together or a window comes twice.
    NumericalError
        For NaN or infinite energies.
    """
    if not paths:
        raise InputError(Problem("--input", "no files", "the window_KK.parquet files of one leg and replicate"))
    return in_order([read_window(path) for path in paths])


def in_order(read: Sequence[Window]) -> list[Window]:
    """Sort windows of one leg and replicate, and check that they are of one.

    Parameters
    ----------
    read
        In any order.

    Returns
    -------
    list of Window
        In the order of their states.

    Raises
    ------
    InputError
        Where they do not belong together or one comes twice.
    """
    windows = sorted(read, key=lambda window: window.window)
    first = windows[0]
    for before, window in zip(windows, windows[1:], strict=False):
        for key in ("states", "temperature_k", "leg", "transformation", "replicate"):
            if window.meta[key] != first.meta[key]:
                what = f"{key} differs from {first.path}"
                if key != "states":
                    what += f" ({window.meta[key]} and {first.meta[key]})"
                raise InputError(Problem(str(window.path), what, "windows of one leg and replicate"))
        if window.window == before.window:
            right = "each window once"
            raise InputError(Problem(str(window.path), f"window {window.window} is also in {before.path}", right))
    return windows


def read_leg(paths: Sequence[Path], *, temperature_k: float | None = None, allow_missing: bool = False) -> Energies:
    """Read the Parquet windows of one leg and replicate.

    Parameters
    ----------
    paths
        One file a window.
    temperature_k
        Temperature expected; the files must say the same.
    allow_missing
        Return what is there where windows are missing; the estimators decide whether it bridges the gap.

    Returns
    -------
    Energies
        Of all windows that are there.

    Raises
    ------
    InputError
        As `read_windows`, for another temperature, and for missing windows unless allowed.
    NumericalError
        For NaN or infinite energies.
    """
    return join_windows(read_windows(paths), temperature_k=temperature_k, allow_missing=allow_missing)


def join_windows(
    windows: Sequence[Window], *, temperature_k: float | None = None, allow_missing: bool = False
) -> Energies:
    """Join windows that are in order.

    Parameters
    ----------
    windows
        Of one leg and replicate, as `in_order` gives them.
    temperature_k
        Temperature expected, K; the files must say the same.
    allow_missing
        Return what is there where windows are missing; the estimators decide whether it bridges the gap.

    Returns
    -------
    Energies
        Of all windows that are there.

    Raises
    ------
    InputError
        For another temperature, and for missing windows unless allowed.
    """
    meta = windows[0].meta
    _check_temperature(windows[0].path, float(meta["temperature_k"]), temperature_k)
    sampled = [window.window for window in windows]
    missing = tuple(state for state in range(len(meta["states"])) if state not in sampled)
    if missing and not allow_missing:
        raise missing_windows(str(windows[0].path.parent), missing, len(meta["states"]))
    index = pd.MultiIndex.from_arrays(
        [
            np.concatenate([window.time_ps for window in windows]),
            np.concatenate([np.full(len(window.u), window.window) for window in windows]),
        ],
        names=["time", "state"],
    )
    u = np.concatenate([window.u for window in windows])
    u_nk = pd.DataFrame(u[:, sampled], index=index, columns=sampled)
    u_missing = pd.DataFrame(u[:, missing], index=index, columns=list(missing)) if missing else None
    u_nk.attrs = {"temperature": float(meta["temperature_k"]), "energy_unit": "kT"}
    replica = np.concatenate([window.replica for window in windows])
    account = Account(str(windows[0].path.parent))
    samples = {str(window.window): len(window.u) for window in windows}
    account.facts |= {"format": "parquet", "files": [str(window.path) for window in windows], "samples": samples}
    gradients = {window.window: window.gradients for window in windows}
    dhdl, no_ti = joined(gradients, {window.window: window.time_ps for window in windows}, meta["states"])
    if no_ti:
        account.note(f"{no_ti}: no thermodynamic integration")
        meta = {**meta, "no_ti": no_ti}
    temperature = float(meta["temperature_k"])
    energies = Energies(u_nk, temperature, meta["states"], missing, u_missing, dhdl, replica, meta, account)
    check_gradients(dhdl, energies.u_all, energies.states, temperature, account)
    return energies


def missing_windows(where: str, missing: Sequence[int], total: int) -> InputError:
    """Make the error for windows that are not there.

    Parameters
    ----------
    where
        Folder or file that they should be in.
    missing
        Their indices.
    total
        Windows of the leg.

    Returns
    -------
    InputError
        To be raised.
    """
    named = ", ".join(str(state) for state in missing)
    what = f"windows {named} of {total} are missing" if len(missing) > 1 else f"window {named} of {total} is missing"
    return InputError(
        Problem(where, what, "one file for each window of the leg"),
        what_to_do="Finish the missing windows, or give all files with --input.",
    )


def _check_temperature(where: Path, found_k: float, expected_k: float | None) -> None:
    if expected_k is not None and abs(found_k - expected_k) > 0.01:
        right = f"--temperature {found_k:g}"
        raise InputError(Problem(str(where), f"was run at {found_k:g} K, not {expected_k:g} K", right))


def _refuse_non_finite(values: Floats, where: str, columns: Sequence[str]) -> None:
    """Refuse NaN and infinity, naming row and column of the first."""
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        more = f" ({len(bad)} of them)" if len(bad) > 1 else ""
        place = f"{where}, row {row + 1}, {columns[column]}"
        raise NumericalError(f"{place}: {values[row, column]} is no energy{more}")


def _unreadable(path: Path, error: Exception) -> InputError:
    what = "empty file" if path.is_file() and path.stat().st_size == 0 else f"truncated or not Parquet: {error}"
    return InputError(Problem(str(path), what, "a whole file written by `fe run`"))


def _column(state: int) -> str:
    return f"u_{state:02d}"
