"""All files of a folder with their hashes: what is copied, proved whole by them, and only then removed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.files import is_own_link, sha256_file


@dataclass(frozen=True)
class Item:
    """A file.

    Attributes
    ----------
    name
        Path below the folder, with ``/``.
    size
        Bytes.
    modified_ns
        When it was written, ns since the epoch.
    sha256
        Hash of its content.
    """

    name: str
    size: int
    modified_ns: int
    sha256: str


@dataclass(frozen=True)
class Inventory:
    """What a folder holds.

    Attributes
    ----------
    folder
        The folder.
    items
        Its files, sorted.
    empty
        Folders without content, by their paths below it.
    """

    folder: Path
    items: tuple[Item, ...]
    empty: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all files.

        Returns
        -------
        int
            Their sum.
        """
        return sum(item.size for item in self.items)


def file_names(
    folder: Path, *, leave: Set[str] = frozenset(), apart: Iterable[Path] = ()
) -> tuple[list[str], list[str]]:
    """Name all files below a folder, each once whatever it is called for.

    Parameters
    ----------
    folder
        The folder.
    leave
        Names of files right in it that are left out.
    apart
        Folders that are left out.

    Returns
    -------
    files, empty : list of str
        Paths below it of files, and of folders without content; sorted.

    Raises
    ------
    InputError
        Where a link, pipe or device is among them: a copy of it would not be whole. Links of :func:`.link_name` are
        left out.
    """
    files, empty, out = [], [], set(apart)
    for home, below, names in os.walk(folder, onerror=_raise):
        here = Path(home)
        below[:] = sorted(name for name in below if here / name not in out)
        for name in [*names, *(name for name in below if (here / name).is_symlink())]:
            if (here == folder and name in leave) or is_own_link(here / name):
                continue
            if not stat.S_ISREG((here / name).lstat().st_mode):
                what = "a link" if (here / name).is_symlink() else "neither file nor folder"
                raise InputError(Problem(str(here / name), what, "files and folders alone, so that a copy is whole"))
            files.append((here / name).relative_to(folder).as_posix())
        if not names and not below and here != folder:
            empty.append(here.relative_to(folder).as_posix())
    return sorted(files), sorted(empty)


def _raise(error: OSError) -> None:
    raise error


def inventory(folder: Path, *, leave: Set[str] = frozenset(), apart: Iterable[Path] = ()) -> Inventory:
    """Hash all files of a folder.

    Parameters
    ----------
    folder
        The folder.
    leave
        Names of files right in it that are left out.
    apart
        Folders that are left out.

    Returns
    -------
    Inventory
        Of its files as they are now.

    Raises
    ------
    InputError
        As of :func:`file_names`.
    """
    files, empty = file_names(folder, leave=leave, apart=apart)
    items = []
    for name in files:
        found = (folder / name).stat()
        items.append(Item(name, found.st_size, found.st_mtime_ns, sha256_file(folder / name)))
    return Inventory(folder, tuple(items), tuple(empty))


def remove_copied(original: Inventory, *, also: Iterable[str] = ()) -> list[str]:
    """Remove files of which a proved copy exists, then the folders that are empty by that.

    Parameters
    ----------
    original
        What was copied.
    also
        Names right in the folder that are removed without a copy.

    Returns
    -------
    list of str
        What stays: what is new there since, or has changed.
    """
    stay = []
    for item in original.items:
        path = original.folder / item.name
        with suppress(FileNotFoundError):
            found = path.lstat()
            if (found.st_size, found.st_mtime_ns) != (item.size, item.modified_ns):
                stay.append(str(path))
                continue
            path.unlink()
    if not stay:
        for name in also:
            (original.folder / name).unlink(missing_ok=True)
    for home, below, names in os.walk(original.folder, topdown=False):
        here = Path(home)
        links = [here / name for name in [*names, *below] if (here / name).is_symlink()]
        for own in filter(is_own_link, links):
            own.unlink()
        left = dict.fromkeys(path for path in [*(here / name for name in names), *links] if os.path.lexists(path))
        stay += [str(path) for path in left if str(path) not in stay]
        with suppress(OSError):  # not empty, and said above
            here.rmdir()
    return stay
