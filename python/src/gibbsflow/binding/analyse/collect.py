"""Files of energies: of which program each is, which leg and replicate it belongs to, and which cannot be read."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from gibbsflow.binding.analyse.readers import amber_energies, gromacs_energies
from gibbsflow.binding.sample import energies
from gibbsflow.binding.sample.energies import Energies, Window, read_window, read_window_meta
from gibbsflow.errors import InputError, NumericalError, Problem, StateError
from gibbsflow.workflow.input_files import DATA_BYTES, open_input, unpacked_stream
from gibbsflow.workflow.result import read_result

LegReplicate = tuple[str, int]
"""Leg and replicate."""
Format = Literal["auto", "gibbsflow", "parquet", "gromacs", "amber"]
"""Who wrote the energies of a leg; ``parquet`` is another word for ``gibbsflow``."""
_READERS: dict[str, Callable[..., Energies]] = {
    "gibbsflow": energies.read_leg,
    "gromacs": gromacs_energies.read_leg,
    "amber": amber_energies.read_leg,
}
_HEAD_BYTES = 4096


def read_leg(paths: Sequence[Path], format: Format = "auto", *, temperature_k: float | None = None) -> Energies:
    """Read the energies of one leg and replicate, whoever wrote them; windows may be missing.

    Parameters
    ----------
    paths
        Files of one program.
    format
        Which; ``auto`` looks into them.
    temperature_k
        Temperature expected, K; the files must say the same.

    Returns
    -------
    Energies
        With the account of what was read.

    Raises
    ------
    InputError
        For files of several programs or of none that is known, and as the reader of each format.
    NumericalError
        For NaN or infinite energies in window files of gibbsflow.
    """
    if format == "auto":
        found = {path: format_of(Path(path)) for path in paths}
        if len(kinds := set(found.values())) > 1:
            told = "; ".join(f"{path}: {kind}" for path, kind in found.items())
            raise InputError(Problem("--input", f"files of several programs ({told})", "files of one leg"))
        format = kinds.pop() if kinds else "gibbsflow"
    read = _READERS["gibbsflow" if format == "parquet" else format]
    return read(paths, temperature_k=temperature_k, allow_missing=True)


def format_of(path: Path) -> Format:
    """Say which program wrote a file of energies, by its first lines.

    Parameters
    ----------
    path
        The file, plain or compressed (.bz2, .gz).

    Returns
    -------
    str
        ``gibbsflow`` also for a file that is missing or empty, by its suffix or for want of anything else.

    Raises
    ------
    InputError
        For a file of another kind.
    """
    head = b""
    right = "window_KK.parquet of `fe run`, dhdl.xvg of GROMACS, an output of AMBER; or say --format"
    if path.exists():
        with open_input(path, right, DATA_BYTES) as file, suppress(OSError, EOFError, zlib.error):
            head = unpacked_stream(path, file).read(_HEAD_BYTES)
    if head.startswith(b"PAR1") or path.suffix == ".parquet" or not head:
        return "gromacs" if ".xvg" in path.suffixes else "gibbsflow"
    text = head.decode(errors="replace")
    if path.suffix == ".xvg" or any(line.startswith("@") for line in text.splitlines()):
        return "gromacs"
    if "Amber" in text or "AMBER" in text or "PMEMD" in text:
        return "amber"
    raise InputError(Problem(str(path), "energies of no program that is known", right))


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
