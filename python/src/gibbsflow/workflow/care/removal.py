"""What can be removed of a campaign: what neither a resume nor the final table needs, and nothing of anybody else's."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gibbsflow.errors import GibbsflowError, LockedError, StateError, one_line
from gibbsflow.workflow.care.contents import human_bytes, is_set_aside
from gibbsflow.workflow.care.holding import whole_campaign
from gibbsflow.workflow.care.param_entries import param_entries
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.hours.pace import PROGRESS
from gibbsflow.workflow.state.checkpoints import checkpoint_fault
from gibbsflow.workflow.state.locks import folder_lock
from gibbsflow.workflow.state.sentinels import read_sentinel
from gibbsflow.workflow.state.state_folder import INPUTS, LOCK, is_aside

LOG = ".cleaned.json"
CURRENT, PREVIOUS = "checkpoint-current.bin", "checkpoint-previous.bin"
EXTENSION = "extension"
PRICES = {
    "superseded": "what earlier attempts and other inputs had computed is gone: to look at it, or to go back to it",
    "checkpoints": "finished windows cannot be sampled longer any more (`fe extend`, --target_error_kcal_per_mol); of "
    "other finished MD the spare checkpoint is gone, which stands in for a damaged one",
    "cache": "a ligand that has been given up is parametrised again, should it come back",
}
"""What can then not be done any more, by what is removed."""


@dataclass
class Removal:
    """What is, or would be, removed.

    Attributes
    ----------
    files
        Bytes by file and by what was asked for; sorted.
    left
        What stays though it was asked for, and why.
    """

    files: dict[str, dict[Path, int]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def bytes_of(self, kind: str) -> int:
        """Add up what one kind takes.

        Parameters
        ----------
        kind
            ``superseded``, ``checkpoints`` or ``cache``.

        Returns
        -------
        int
            Bytes.
        """
        return sum(self.files[kind].values())


@dataclass
class _Cleaning:
    """One pass over a campaign: by open folders, so that none can be exchanged for a link on the way."""

    campaign: Path
    dry_run: bool
    found: Removal

    def superseded(self) -> None:
        for home, below, names, fd in os.fwalk(self.campaign, follow_symlinks=False):
            aside = [name for name in below if is_set_aside(name)]
            below[:] = sorted(set(below) - set(aside))
            for name in sorted(aside):
                path = Path(home) / name
                if path.is_symlink() or not {LOCK, INPUTS} & set(names):
                    self.found.left.append(f"{_shown(path)}: not set aside by gibbsflow")
                    continue
                self._folder("superseded", path, name, fd)

    def checkpoints(self) -> None:
        for home, below, names, fd in os.fwalk(self.campaign, follow_symlinks=False):
            below[:] = sorted(name for name in below if not is_aside(Path(name)))
            for name in _spare(Path(home), set(names), self.found.left):
                self._file("checkpoints", Path(home) / name, name, fd)

    def cache(self, cache: Path) -> None:
        if not cache.is_dir():
            self.found.left.append(f"{_shown(cache)}: no cache of parameters")
            return
        entries = param_entries(cache, self.campaign.parent)
        if entries.unused is None:
            self.found.left.append(f"{_shown(cache)}: which entries are used is not known: {entries.why_unknown}")
        for entry in entries.unused or ():
            fd = os.open(entry.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if self.dry_run:
                    self._folder("cache", entry, entry.name, fd)
                else:
                    with folder_lock(entry.parent, f"{entry.name}.lock"):
                        self._folder("cache", entry, entry.name, fd)
            except LockedError as error:
                self.found.left.append(str(error))
            finally:
                os.close(fd)

    def _folder(self, kind: str, path: Path, name: str, above: int) -> None:
        """Remove the files of a folder and then itself; as it is where it holds what gibbsflow puts into none."""
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
        try:
            names = sorted(os.listdir(fd))
            modes = [os.stat(one, dir_fd=fd, follow_symlinks=False).st_mode for one in names]
            if not all(map(stat.S_ISREG, modes)):
                self.found.left.append(f"{_shown(path)}: holds a link or folder, which gibbsflow did not put there")
                return
            for one in names:
                self._file(kind, path / one, one, fd)
        finally:
            os.close(fd)
        if not self.dry_run:
            os.rmdir(name, dir_fd=above)

    def _file(self, kind: str, path: Path, name: str, fd: int) -> None:
        found = os.stat(name, dir_fd=fd, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            self.found.left.append(f"{_shown(path)}: no file of gibbsflow's")
            return
        if not self.dry_run:
            os.unlink(name, dir_fd=fd)
        self.found.files[kind][path] = found.st_size


def clean_campaign(
    campaign: Path, *, superseded: bool = False, checkpoints: bool = False, cache: Path | None = None, dry_run: bool
) -> Removal:
    """Remove what is asked for, under the campaign's lock, and write that down in its state.

    Parameters
    ----------
    campaign
        State folder of the campaign, from :func:`.check_campaign_folder`.
    superseded
        State that was set aside.
    checkpoints
        Checkpoints of what has finished: of λ windows both, for their samples are kept and are all that is read; of
        other MD the spare one, for its last positions are read from the current one.
    cache
        A cache of parameters, whose entries go that no campaign beside this one uses.
    dry_run
        Only say what would be removed.

    Returns
    -------
    Removal
        What was, or would be, removed.

    Raises
    ------
    LockedError
        Where a head or a task is at work.
    """
    asked = {"superseded": superseded, "checkpoints": checkpoints, "cache": cache is not None}
    found = Removal({kind: {} for kind, wanted in asked.items() if wanted})
    work = _Cleaning(campaign, dry_run, found)
    if dry_run:
        _carry_out(work, superseded, checkpoints, cache)
        return found
    with whole_campaign(campaign):
        try:
            _carry_out(work, superseded, checkpoints, cache)
        finally:  # also of what was removed before a disk failed
            if any(found.files.values()):
                _write_down(campaign, found)
    return found


def _carry_out(work: _Cleaning, superseded: bool, checkpoints: bool, cache: Path | None) -> None:
    if superseded:
        work.superseded()
    if checkpoints:
        work.checkpoints()
    if cache is not None:
        work.cache(cache)


def _spare(home: Path, names: set[str], left: list[str]) -> Iterator[str]:
    """Checkpoints of a folder that nothing needs any more."""
    there = sorted({CURRENT, PREVIOUS} & names)
    if not there or not {INPUTS, "FINISHED"} <= names:
        return
    try:
        inputs, sentinel = read_json(home / INPUTS), read_sentinel(home, "FINISHED")
        if sentinel is None or sentinel.inputs_hash != inputs["inputs_hash"]:
            left.append(f"{_shown(home)}: finished from other inputs, so its checkpoints stay")
            return
        window = "setting states" in inputs["described"]
        fault = _unread_samples(home) if window else checkpoint_fault(home / CURRENT)
    except (GibbsflowError, OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        fault = str(error)
    if fault:
        left.append(f"{_shown(home)}: its checkpoints stay ({one_line(fault, 300)})")
        return
    yield from there if window else [name for name in there if name == PREVIOUS]


def _unread_samples(home: Path) -> str | None:
    """What keeps a window's samples from being all there, in words; None where they are."""
    longer = home / EXTENSION
    if longer.is_dir() and (not (longer / "FINISHED").is_file() or _is_begun(longer)) or _is_begun(home):
        return "it is being sampled longer"
    with suppress(StateError):
        count = int(read_json(home / PROGRESS)["segments_done"])
        gone = [n for n in range(count) if not zipfile.is_zipfile(home / f"segment-{n:05d}.npz")]
        return f"segment {gone[0]} is missing or damaged" if gone else None
    return f"no {PROGRESS} says how many segments there are"


def _is_begun(home: Path) -> bool:
    """Whether more was asked for than is done: FINISHED still stands for what had been asked for before."""
    with suppress(StateError):
        told = read_json(home / PROGRESS)
        return int(told["segments_done"]) < int(told["segments"])
    return False  # without the file nothing tells, and the segments are looked at


def _write_down(campaign: Path, found: Removal) -> None:
    path = campaign / LOG
    before: list[Any] = read_json(path) if path.is_file() and not path.is_symlink() else []
    now = datetime.now(UTC).isoformat(timespec="seconds")
    rows = [
        {"at": now, "what": kind, "bytes": sum(files.values()), "files": [_within(campaign, path) for path in files]}
        for kind, files in found.files.items()
        if files
    ]
    write_json(path, [*before, *rows])


def _within(campaign: Path, path: Path) -> str:
    """A path as it stays true when the campaign is moved."""
    return _shown(path.relative_to(campaign) if path.is_relative_to(campaign) else path)


def _shown(path: Path) -> str:
    return one_line(str(path), 400)


def removal_text(found: Removal, *, dry_run: bool) -> str:
    """Say what is removed, and its price.

    Parameters
    ----------
    found
        What was, or would be, removed.
    dry_run
        Whether it still is there.

    Returns
    -------
    str
        A line for each file, then sums and prices.
    """
    lines = [f"{found_size:>12} {_shown(path)}" for files in found.files.values() for path, found_size in files.items()]
    for kind, files in found.files.items():
        verb = "would be removed" if dry_run else "removed"
        lines.append(f"{kind}: {len(files)} files, {human_bytes(found.bytes_of(kind))} {verb}")
        if files:
            lines.append(f"  the price: {PRICES[kind]}")
    lines += [f"stays: {text}" for text in found.left]
    return "\n".join(lines)
