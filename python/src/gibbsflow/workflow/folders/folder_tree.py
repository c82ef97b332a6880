"""Folders below a folder, of which only those that have changed are read again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

_RACY_NS = 2_000_000_000
"""A folder written so short a time before it was read may have been written again in the same tick of its clock."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A folder as it was found.

    Attributes
    ----------
    path
        The folder.
    names
        Files in it that were asked for.
    changed
        Whether it may hold other files, or another content of them, than at the last look.
    """

    path: str
    names: frozenset[str]
    changed: bool


@dataclass(frozen=True, slots=True)
class _Listing:
    modified_ns: int
    settled: bool
    names: frozenset[str]
    below: tuple[str, ...]


class FolderTree:
    """All folders below one, looked at again and again.

    A file that is written whole, by renaming, changes the time of its folder: those of unchanged time are not listed
    again. Links are not followed.

    Parameters
    ----------
    root
        The folder.
    names
        Files that are of interest.
    enter
        Says of a folder's path below the root, and its name, whether what is in it is looked at.
    """

    def __init__(self, root: str, names: Collection[str], enter: Callable[[str, str], bool]) -> None:
        self._root, self._names, self._enter = root, frozenset(names), enter
        self._known: dict[str, _Listing] = {}

    def look(self) -> Iterator[Seen]:
        """Go through all folders.

        Yields
        ------
        Seen
            One a folder that is there; what vanishes meanwhile, or may not be read, is left out.
        """
        found: dict[str, _Listing] = {}
        left = [self._root]
        while left:
            path = left.pop()
            before = self._known.get(path)
            try:
                modified = os.stat(path, follow_symlinks=False).st_mtime_ns
                same = before is not None and before.settled and before.modified_ns == modified
                listing = before if before is not None and same else self._list(path, modified)
            except OSError:
                continue
            found[path] = listing
            yield Seen(path, listing.names, not same)
            left += [f"{path}/{name}" for name in reversed(listing.below)]
        self._known = found

    def _list(self, path: str, modified_ns: int) -> _Listing:
        settled = time.time_ns() - modified_ns > _RACY_NS
        names, below = set(), []
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name in self._names:
                    names.add(entry.name)
                elif entry.is_dir(follow_symlinks=False) and self._enter(path[len(self._root) + 1 :], entry.name):
                    below.append(entry.name)
        return _Listing(modified_ns, settled, frozenset(names), tuple(sorted(below)))
