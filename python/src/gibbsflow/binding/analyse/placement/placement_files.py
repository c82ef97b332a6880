"""Energies of a leg in, a placed schedule out: a YAML file that `fe prepare` reads, tables, and all of it as JSON."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gibbsflow.binding.alchemy.schedules import NAMES, OF_COPY, OF_EDGE, PLACEMENT, LambdaState, check_schedule
from gibbsflow.binding.analyse.placement.distances import By, Distances, mean_distances, neighbour_distances
from gibbsflow.binding.analyse.placement.even_states import (
    MOST_WINDOWS,
    SPACING,
    Placement,
    least_windows,
    place_states,
)
from gibbsflow.binding.sample.energies import in_order, join_windows, read_window
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.files import atomic_open, write_json

SCHEDULE = "schedule.yaml"
TABLE = "distances.csv"
LEAST_SAMPLES = 20
"""Fewest samples of a window that a distance is taken from without a doubt."""
_OWN = (set(NAMES), {*NAMES, OF_COPY}, set(OF_EDGE))


def place_from_runs(
    runs: Sequence[Path], *, by: By = "length", spacing: float = SPACING, windows: int | None = None
) -> Placement:
    """Place the states of a leg by the energies of its runs.

    Parameters
    ----------
    runs
        Folders of `fe run` of one leg, one or more a replicate; windows may be missing.
    by, spacing, windows
        As :func:`.even_states.place_states` takes them.

    Returns
    -------
    Placement
        By the mean of the replicates.

    Raises
    ------
    InputError
        For runs of several legs, folders without windows, and files that cannot be read.
    NumericalError
        For NaN or infinite energies.
    UnconvergedError
        As :func:`.distances.neighbour_distances`.
    """
    given, distances, doubts = read_distances(runs)
    least = least_windows(given)
    if windows is not None and not least <= windows <= MOST_WINDOWS:
        what = f"{windows} windows for a schedule of {least - 1} components"
        raise InputError(Problem("--windows", what, f"{least} to {MOST_WINDOWS}: the ends of components stay"))
    placed = place_states(given, distances, by=by, spacing=spacing, windows=windows)
    if windows is not None and len(placed.states) < windows:
        doubts = (*doubts, f"{len(placed.states)} windows and not {windows}: four digits of λ tell no more apart")
    for doubt in doubts:
        placed.account.warn(doubt, "place windows again from longer runs of all windows")
    return placed


def read_distances(runs: Sequence[Path]) -> tuple[tuple[LambdaState, ...], Distances, tuple[str, ...]]:
    """Read the energies of a leg, and measure how far its states are from each other.

    Parameters
    ----------
    runs
        Folders of `fe run`, as for :func:`place_from_runs`.

    Returns
    -------
    states
        Of the leg.
    distances
        Of its neighbours, the mean of the replicates.
    doubts
        Windows of few samples, or of none, by replicate.

    Raises
    ------
    InputError
        As :func:`place_from_runs`.
    """
    paths = {path for run in runs for path in Path(run).glob("window_*.parquet")}
    if empty := [run for run in runs if not any(Path(run).glob("window_*.parquet"))]:
        right = "a folder of `fe run`, with window_KK.parquet"
        raise InputError([Problem(str(run), "holds no energies", right, field="--run") for run in empty])
    read = [read_window(path) for path in sorted(paths)]
    first = read[0]
    for window in read:
        for key in ("states", "temperature_k", "leg", "transformation"):
            if window.meta[key] != first.meta[key]:
                what = f"{key} differs from {first.path}"
                raise InputError(Problem(str(window.path), what, "runs of one leg and schedule", field="--run"))
    states = first.meta["states"]
    if not states or any(set(state) not in _OWN for state in states):
        right = f"those of gibbsflow: {', '.join(NAMES)}"
        raise InputError(Problem(str(first.path), f"states of λ {', '.join(states[0]) if states else ''}", right))
    given = check_schedule(states, where=str(first.path))
    replicates = sorted({str(window.meta["replicate"]) for window in read})
    every, doubts = [], list[str]()
    for replicate in replicates:
        mine = in_order([window for window in read if str(window.meta["replicate"]) == replicate])
        if len(mine) < 2:
            what = f"one window of replicate {replicate} alone: there is nothing to measure it against"
            raise InputError(Problem(str(mine[0].path.parent), what, "two windows or more", field="--run"))
        energies = join_windows(mine, allow_missing=True)
        every.append(neighbour_distances(energies))
        if energies.missing:
            what = f"replicate {replicate} has no samples of {_windows(energies.missing)}: the others' weights in them"
            doubts.append(what + " are all that their distances rest on")
        if few := [window.window for window in mine if len(window.u) < LEAST_SAMPLES]:
            what = f"replicate {replicate} has fewer than {LEAST_SAMPLES} samples of {_windows(few)}"
            doubts.append(what + ": their distances are little more than guesses")
    return given, mean_distances(every), tuple(doubts)


def clear_placement(out: Path) -> None:
    """Remove what :func:`write_placement` has left at an earlier time.

    Parameters
    ----------
    out
        Folder.
    """
    for name in (SCHEDULE, TABLE, PLACEMENT):
        (out / name).unlink(missing_ok=True)


def _windows(numbers: Sequence[int]) -> str:
    return f"window{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


def write_placement(placement: Placement, out: Path, about: str) -> dict[str, Any]:
    """Write a placement as schedule, table and JSON.

    Parameters
    ----------
    placement
        The placement.
    out
        Folder to write into.
    about
        What it was measured on, for the schedule.

    Returns
    -------
    dict
        Figures for ``result.json``.
    """
    content = placement.as_dict()
    with atomic_open(out / SCHEDULE, "w") as file:
        columns = ", ".join(name.removeprefix("lambda_") for name in content["states"][0])
        file.write(f"# placed by gibbsflow at equal {placement.by}; each row: {columns}\n# {' '.join(about.split())}\n")
        file.write("states:\n")
        file.writelines(f"  - [{', '.join(f'{v:.4g}' for v in state.values())}]\n" for state in content["states"])
    with atomic_open(out / TABLE, "w") as file:
        table = csv.writer(file, lineterminator="\n")
        names = list(content["states_before"][0])
        ends = [f"{name}_{end}" for end in ("from", "to") for name in names]
        table.writerow(["component", "window", "next_window", *ends, "length", "overlap", "disjoint"])
        for part in content["components"]:
            first, last = part["windows_before"]
            for state in range(first, last):
                a, b = content["states_before"][state : state + 2]
                figures = [content[f"{what}_before"][state] for what in ("length", "overlap", "disjoint")]
                table.writerow([part["component"], state, state + 1, *a.values(), *b.values(), *figures])
    write_json(out / PLACEMENT, content)
    told = ("by", "spacing", "windows_before", "windows", "expected_error_ratio", "components")
    return {key: content[key] for key in told}
