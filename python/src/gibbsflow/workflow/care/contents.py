"""What the files of a campaign are, by their names, and how many bytes they take up."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from gibbsflow.workflow.folders.places import ASIDE
from gibbsflow.workflow.state.state_folder import is_aside

SET_ASIDE, LINKS = "set aside", "links"
_KINDS = {
    "checkpoints": ("checkpoint-*.bin", ".checkpoint-*.tmp", "*.cpt"),
    "frames": ("frames-*.npz", "frames_*.extxyz", "*.xtc", "*.dcd", "*_frames.npz"),
    "energies and labels": ("segment-*.npz", "label.json", "window_*.parquet"),
    "kept outputs": ("*.tar.gz",),
}
KINDS = (*_KINDS, SET_ASIDE, "records", LINKS)


@dataclass(frozen=True)
class Content:
    """A file below a folder.

    Attributes
    ----------
    path
        Where it lies.
    kind
        One of :data:`KINDS`.
    size
        Bytes of its content; 0 for a link, and for a file that is there under another name already.
    modified_s
        When it was last written, seconds since the epoch.
    """

    path: Path
    kind: str
    size: int
    modified_s: float


def contents(
    folder: Path, *, seen: set[tuple[int, int]] | None = None, apart: Set[Path] = frozenset()
) -> Iterator[Content]:
    """Go through all files below a folder; links are named, not followed.

    Parameters
    ----------
    folder
        The folder.
    seen
        Device and number of files of several names that were counted already; they are added to.
    apart
        Folders that are left out.

    Yields
    ------
    Content
        One a file.
    """
    seen = set() if seen is None else seen
    for home, below, names, fd in os.fwalk(folder, follow_symlinks=False):
        here = Path(home)
        links = [name for name in below if (here / name).is_symlink()]
        below[:] = sorted(name for name in below if name not in links and here / name not in apart)
        for name in sorted([*names, *links]):
            try:
                found = os.stat(name, dir_fd=fd, follow_symlinks=False)
            except FileNotFoundError:
                continue  # of a run that goes on
            size = found.st_size if stat.S_ISREG(found.st_mode) else 0
            if found.st_nlink > 1:
                size = 0 if (found.st_dev, found.st_ino) in seen else size
                seen.add((found.st_dev, found.st_ino))
            path = here / name
            kind = LINKS if stat.S_ISLNK(found.st_mode) else kind_of(path.relative_to(folder))
            yield Content(path, kind, size, found.st_mtime)


def kind_of(relative: Path) -> str:
    """Say what a file is.

    Parameters
    ----------
    relative
        Its path below the campaign.

    Returns
    -------
    str
        One of :data:`KINDS`.
    """
    if is_aside(relative):
        return SET_ASIDE
    fits = (kind for kind, names in _KINDS.items() if any(fnmatchcase(relative.name, name) for name in names))
    return next(fits, "records")


def bytes_by_kind(found: Iterable[Content]) -> dict[str, int]:
    """Add sizes up.

    Parameters
    ----------
    found
        The files.

    Returns
    -------
    dict
        Bytes by kind; none of kinds without bytes.
    """
    sums: dict[str, int] = {}
    for one in found:
        if one.size:
            sums[one.kind] = sums.get(one.kind, 0) + one.size
    return {kind: sums[kind] for kind in KINDS if kind in sums}


def human_bytes(size: int) -> str:
    """Write a number of bytes for people.

    Parameters
    ----------
    size
        Bytes.

    Returns
    -------
    str
        Three digits, in powers of 1000.
    """
    value, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.3g} {unit}"


def is_set_aside(name: str) -> bool:
    """Say whether a folder's name is one that state set aside is given.

    Parameters
    ----------
    name
        The name.

    Returns
    -------
    bool
        True for ``superseded-`` with a number.
    """
    return name.startswith(ASIDE) and name.removeprefix(ASIDE).isdecimal()
