"""Window files of a transformation: which leg and replicate each belongs to, and which cannot be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from gibbsflow.binding.sample.energies import Window, read_window, read_window_meta
from gibbsflow.errors import InputError, NumericalError, Problem, StateError
from gibbsflow.workflow.result import read_result

LegReplicate = tuple[str, int]
"""Leg and replicate."""


def group_windows(paths: Sequence[Path], transformation: str) -> dict[LegReplicate, list[Path]]:
    """Sort window files by leg and replicate.

    A file that cannot be read goes with the files beside it, or where the ``result.json`` of its folder says: its
    window is missing, and the others are not lost for it.

    Parameters
    ----------
    paths
        Parquet files of ``fe run``, in any order.
    transformation
        Name that all of them must carry.

    Returns
    -------
    dict
        Files of each leg and replicate, sorted by name.

    Raises
    ------
    InputError
        For a file that belongs to another transformation, or that cannot be read and of which nothing says what it is.
    """
    groups: dict[LegReplicate, list[Path]] = defaultdict(list)
    homes: dict[Path, LegReplicate] = {}
    damaged: list[tuple[Path, InputError]] = []
    for path in sorted(paths):
        try:
            meta = read_window_meta(path)
        except InputError as error:
            damaged.append((path, error))
            continue
        if meta["transformation"] != transformation:
            raise InputError(Problem(str(path), f"belongs to transformation {meta['transformation']}", transformation))
        homes[path.parent] = (str(meta["leg"]), int(meta["replicate"]))
        groups[homes[path.parent]].append(path)
    for path, fault in damaged:
        home = homes.get(path.parent) or _leg_in_result(path.parent)
        if home is None:
            raise fault
        groups[home].append(path)
    return dict(groups)


def read_undamaged(paths: Sequence[Path]) -> tuple[list[Window], tuple[str, ...]]:
    """Read the window files that can be read.

    Parameters
    ----------
    paths
        Parquet files of one leg and replicate.

    Returns
    -------
    windows
        Those that can be read, in the order of `paths`.
    damaged
        What is wrong with each of the others.
    """
    good, damaged = [], []
    for path in paths:
        try:
            good.append(read_window(path))
        except (InputError, NumericalError) as error:
            damaged.append(str(error))
    return good, tuple(damaged)


def _leg_in_result(folder: Path) -> LegReplicate | None:
    try:
        content = read_result(folder)
        return str(content["leg"]), int(content["replicate"])
    except (StateError, KeyError, TypeError, ValueError):
        return None
