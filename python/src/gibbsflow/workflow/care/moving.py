"""A campaign's state put elsewhere: copied, proved, renamed, and only then removed; a second call ends what was killed.

Where it was killed, and what the next call finds there:

=====================================================  ================================================================
found                                                  done
=====================================================  ================================================================
``.NAME.moving`` at the new place                      what is whole in it stays, the rest is copied
both whole: the copy has its name, and its mark        compared once more, then the old one goes
``.NAME.moved`` at the old place                       its rest is removed: the copy had been proved
the copy alone, with its mark                          the mark is removed
=====================================================  ================================================================
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gibbsflow.errors import InputError, Problem, StateError, StorageError, one_line
from gibbsflow.workflow.care.campaign_note import CampaignNote
from gibbsflow.workflow.care.holding import HEAD, check_campaign_folder, has_head, whole_campaign
from gibbsflow.workflow.care.inventory import Inventory, file_names, inventory, remove_copied
from gibbsflow.workflow.files import read_json, sha256_file, write_json
from gibbsflow.workflow.folders.places import CACHE
from gibbsflow.workflow.folders.published import name_new_state

MARK, PROVED = ".moving.json", "proved"
_LEFT = frozenset({*HEAD, MARK})
_LARGEST_RECORD = 1 << 20
_BOTH = "Look which of the two is the one to keep, and move the other away; nothing was removed."


@dataclass(frozen=True)
class Move:
    """Where a campaign goes from and to.

    Attributes
    ----------
    source
        Its state folder, absolute.
    target
        The new one, absolute.
    """

    source: Path
    target: Path

    @classmethod
    def of(cls, campaign: Path, new_root: Path) -> Move:
        """Find both places.

        Parameters
        ----------
        campaign
            State folder of the campaign.
        new_root
            Folder of state that it shall lie in.

        Returns
        -------
        Move
            Of which nothing is done yet.
        """
        source = Path(os.path.normpath(campaign.absolute()))
        return cls(source, Path(os.path.normpath(new_root.absolute())) / source.name)

    @property
    def partial(self) -> Path:
        """Where the copy grows.

        Returns
        -------
        Path
            Beside the new place.
        """
        return self.target.with_name(f".{self.target.name}.moving")

    @property
    def going(self) -> Path:
        """What is left of the old one while it is removed.

        Returns
        -------
        Path
            Beside the old place.
        """
        return self.source.with_name(f".{self.source.name}.moved")

    @property
    def mark(self) -> dict[str, Any]:
        """What says whose copy it is.

        Returns
        -------
        dict
            With hashes of its files by name under :data:`PROVED` once all are proved.
        """
        return {"from": str(self.source)}

    def marks(self, folder: Path) -> bool:
        """Say whether a folder is this move's copy.

        Parameters
        ----------
        folder
            The folder.

        Returns
        -------
        bool
            By the mark in it.
        """
        mark = folder / MARK
        if not mark.is_file():
            return False
        told = read_json(mark)
        return isinstance(told, dict) and told.get("from") == str(self.source)


def move_campaign(campaign: Path, new_root: Path, *, dry_run: bool) -> list[str]:
    """Move a campaign's state; results and cache of parameters stay where they are, and results name the new place.

    Parameters
    ----------
    campaign
        State folder of the campaign.
    new_root
        Folder of state that it shall lie in, on whichever disk; made where absent.
    dry_run
        Only say what would be done.

    Returns
    -------
    list of str
        What was, or would be, done, and what is to be known of it.

    Raises
    ------
    InputError
        For what is no campaign, or a new place that is taken.
    LockedError
        Where a head or a task is at work.
    StateError
        Where old and new place hold different state. Nothing was removed.
    StorageError
        Where the new disk has no room.
    """
    move = Move.of(campaign, new_root)
    if not os.path.lexists(move.source) and move.marks(move.target):
        if dry_run:
            return [f"would end the move to {_shown(move.target)}: the copy is whole"]
        return [*_end(move), _goes_on(move)]
    check_campaign_folder(campaign)
    _check_target(move, campaign, new_root)
    if dry_run:
        files, _ = file_names(move.source, leave=_LEFT)
        size = sum((move.source / name).stat().st_size for name in files)
        return [f"would move {len(files)} files, {size} bytes, to {_shown(move.target)}", _goes_on(move)]
    told = _records(move)
    move.target.parent.mkdir(parents=True, exist_ok=True)
    with whole_campaign(move.source):
        if one_disk(move.source, move.target.parent) and not os.path.lexists(move.target):
            told += _tell_results(move)
            move.source.rename(move.target)
            (move.target / HEAD[1]).unlink(missing_ok=True)
            return [f"moved to {_shown(move.target)}", *told, _goes_on(move)]
        if not os.path.lexists(move.target):
            _copy(move)
            _sync(move.target.parent)
            move.partial.rename(move.target)
            _sync(move.target.parent)
        original = inventory(move.source, leave=_LEFT)
        _prove(original, move.target)
        write_json(move.target / MARK, move.mark | {PROVED: {item.name: item.sha256 for item in original.items}})
        told += _tell_results(move)
        move.source.rename(move.going)
        told = [*_end(move), *told]
    return [f"moved to {_shown(move.target)}", *told, _goes_on(move)]


def one_disk(*folders: Path) -> bool:
    """Say whether folders are of one file system, within which a rename is all.

    Parameters
    ----------
    *folders
        The folders.

    Returns
    -------
    bool
        Whether they are.
    """
    return len({folder.stat().st_dev for folder in folders}) == 1


def _check_target(move: Move, campaign: Path, new_root: Path) -> None:
    if move.target == move.source:
        raise InputError(Problem(str(new_root), f"{campaign} lies there already", "another folder of state"))
    if move.target.is_relative_to(move.source) or move.target.resolve().is_relative_to(move.source.resolve()):
        raise InputError(Problem(str(new_root), f"lies in {campaign}", "a folder beside it"))
    for above in move.target.resolve().parents:
        if has_head(above):
            raise InputError(Problem(str(new_root), f"is a campaign, or lies in one: {above}", "a folder of state"))
    for place in (move.target, move.partial):
        begun = place == move.partial and place.is_dir() and not any(place.iterdir())  # killed before its mark
        if os.path.lexists(place) and (place.is_symlink() or not (begun or move.marks(place))):
            raise InputError(Problem(str(place), "is there already", "a place that is free: nothing is written over"))


def _copy(move: Move) -> None:
    """Copy what is not whole at the new place yet; a file counts once its content was read back."""
    files, empty = file_names(move.source, leave=_LEFT)
    move.partial.mkdir(exist_ok=True)
    if not move.marks(move.partial):
        write_json(move.partial / MARK, move.mark)
    there, _ = file_names(move.partial, leave=_LEFT)
    for name in set(there) - set(files):
        (move.partial / name).unlink()  # of a copy that was killed, and gone at the old place since
    sizes = {name: (move.source / name).stat().st_size for name in files}
    needed = sum(size for name, size in sizes.items() if name not in there)
    if needed > (free := shutil.disk_usage(move.partial).free):
        raise StorageError(f"{move.target.parent}: {needed} bytes are to be copied, and {free} are free")
    for name in empty:
        (move.partial / name).mkdir(parents=True, exist_ok=True)
    for name in files:
        old, new = move.source / name, move.partial / name
        digest = sha256_file(old)
        if new.is_file() and sha256_file(new) == digest:
            continue
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(old, new)
        with open(new, "rb") as file:
            os.fsync(file.fileno())
        if sha256_file(new) != digest:
            raise StorageError(f"{new}: does not read back as it was written; nothing was removed")


def _prove(original: Inventory, target: Path) -> None:
    for item in original.items:
        copy = target / item.name
        if not copy.is_file() or copy.is_symlink() or sha256_file(copy) != item.sha256:
            what = f"{original.folder} and {target} differ: {item.name} is not the same"
            raise StateError(one_line(what, 800), what_to_do=_BOTH)


def _end(move: Move) -> list[str]:
    """Remove what is left at the old place of what was proved, and the mark at the new one."""
    stay: list[str] = []
    if move.going.is_dir() and not move.going.is_symlink():
        left = inventory(move.going, leave=frozenset(HEAD))
        proved = read_json(move.target / MARK).get(PROVED)
        if not isinstance(proved, dict):  # of a version that did not write them down
            proved = {item.name: item.sha256 for item in inventory(move.target, leave=_LEFT).items}
        copied = tuple(item for item in left.items if proved.get(item.name) == item.sha256)
        stay = remove_copied(replace(left, items=copied), also=HEAD)
    if not stay:
        (move.target / MARK).unlink(missing_ok=True)
    return [f"stays: {_shown(Path(path))}" for path in stay]


def _records(move: Move) -> list[str]:
    """Say which records name the old place."""
    old = json.dumps(str(move.source)).strip('"').encode()
    naming = []
    for name in file_names(move.source, leave=_LEFT)[0]:
        path = move.source / name
        record = path.suffix == ".json" or path.name in ("FINISHED", "FAILED")
        if record and path.stat().st_size <= _LARGEST_RECORD and old in path.read_bytes():
            naming.append(name)
    told = [f"{len(naming)} records name the old place, such as {one_line(naming[0], 200)}"] if naming else []
    if (move.source.parent / CACHE).is_dir():
        cache = _shown(move.source.parent / CACHE)
        told.append(f"parameters stay in {cache}: --param_cache names it, or ligands are parametrised again")
    return told


def _tell_results(move: Move) -> list[str]:
    """Have the results name the new place, right before the old one loses its name: a kill in between loses nothing."""
    told = []
    try:
        note = CampaignNote.read(move.source)
    except StateError as error:
        return [f"which results are its is not known ({one_line(str(error), 300)}): they name the old place"]
    for outdir in (Path(one.outdir) for one in (note.results if note is not None else ())):
        try:
            if name_new_state(outdir, move.target, before=move.source):
                told.append(f"{_shown(outdir)} names the new place")
        except OSError as error:  # of the results: the state is moved all the same
            told.append(f"{_shown(outdir)} names the old place, and cannot be written: {error.strerror}")
    return told


def _goes_on(move: Move) -> str:
    return f"goes on with --state_dir {_shown(move.target.parent)} --campaign {one_line(move.target.name)}"


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _shown(path: Path) -> str:
    return one_line(str(path), 400)
