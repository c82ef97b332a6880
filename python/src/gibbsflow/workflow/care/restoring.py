"""An archive unpacked: looked at as a whole before anything is written, and never over anything."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Set
from pathlib import Path, PurePosixPath
from typing import Any

from gibbsflow.errors import InputError, Problem, StateError, StorageError, one_line, shown
from gibbsflow.workflow.care.archive import STATE, check_free, ending_of, opened
from gibbsflow.workflow.care.campaign_note import CampaignNote
from gibbsflow.workflow.folders.published import name_new_state


def restore(archive: Path, into: Path, *, dry_run: bool) -> dict[str, Path]:
    """Put a campaign back.

    Parameters
    ----------
    archive
        Archive of a campaign.
    into
        Launch folder: state goes to ``state/CAMPAIGN`` in it, results to where they lay below their old launch folder,
        or else into a folder of their old name. Each knows then where the other lies.
    dry_run
        Only look at it, as a whole.

    Returns
    -------
    dict
        Where each of its folders is, or would be, put.

    Raises
    ------
    InputError
        Where it is not there, damaged, or would write over something or out of its folders. Nothing was written then.
    StorageError
        Where the disk has no room for it. Nothing was written.
    """
    if not archive.is_file():
        raise InputError(Problem(str(archive), "no such file", "an archive that `gibbsflow archive` has written"))
    ending = ending_of(archive)
    try:
        with opened(archive, ending) as (manifest, members):
            places = _places(manifest, into.absolute())
            _check_no_file_is_a_folder(manifest)
            for place in places.values():
                check_free(place)
            _check_lengths(manifest, places)
            _check_room(manifest, into)
            for _ in members:
                pass
    except StateError as error:
        raise InputError(
            Problem(str(archive), str(error), "an archive as it was written"), what_to_do=_WHOLE
        ) from error
    if not dry_run:
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".gibbsflow-restore-", dir=into) as folder:
            _unpack(archive, ending, Path(folder))
            _rebase(Path(folder), manifest["folders"], places)
            for name in sorted(places, reverse=True):  # the state last: with it the campaign is there
                places[name].parent.mkdir(parents=True, exist_ok=True)
                check_free(places[name])
                (Path(folder) / name).rename(places[name])
    return places


_LONGEST_PATH = 4096 - len("/.gibbsflow-restore-12345678/results-0")
"""Bytes, of Linux, with the folder that it is unpacked in."""
_WHOLE = "Fetch the archive again from where it was kept; nothing was written."


def _places(manifest: Mapping[str, Any], into: Path) -> dict[str, Path]:
    """Where each folder goes; results to where they lay below their launch folder, or by their own name."""
    state = into / "state" / str(manifest["campaign"])
    places, taken = {STATE: state}, {state}
    for name in sorted(manifest["folders"].keys() - {STATE}):
        before = str(manifest["folders"][name])
        ways = [
            into / way for way in (_below_launch(before, str(manifest["folders"][STATE])), Path(before).name) if way
        ]
        found = next((way for way in ways if _fits(way, into, taken)), into / name)
        places[name] = found
        taken.add(found)
    return places


def _below_launch(results: str, state: str) -> str:
    """The path that results had below the folder whose ``state`` held theirs, as runs lay them by default."""
    launch = Path(state).parents[1:2]
    if Path(state).parent.name != "state" or not launch or not Path(results).is_relative_to(launch[0]):
        return ""
    return str(Path(results).relative_to(launch[0]))


def _fits(place: Path, into: Path, taken: Set[Path]) -> bool:
    """Whether results may go there: below the launch folder, by names that can be shown, in no other folder's way."""
    parts = place.relative_to(into).parts
    if not parts or parts[0] == "state" or any(not part.isprintable() or part in (".", "..") for part in parts):
        return False
    above = [into.joinpath(*parts[:number]) for number in range(1, len(parts))]
    if any(os.path.lexists(way) and (way.is_symlink() or not way.is_dir()) for way in above):
        return False
    return not any(place.is_relative_to(other) or other.is_relative_to(place) for other in taken)


def _check_no_file_is_a_folder(manifest: Mapping[str, Any]) -> None:
    folders = {str(above) for name in manifest["files"] for above in PurePosixPath(name).parents}
    folders |= {
        str(above) for name in manifest["empty"] for above in (PurePosixPath(name), *PurePosixPath(name).parents)
    }
    if both := folders & manifest["files"].keys():
        raise StateError(f"{shown(min(both))} is listed as a file and as a folder")


def _check_lengths(manifest: Mapping[str, Any], places: Mapping[str, Path]) -> None:
    for name in [*manifest["files"], *manifest["empty"]]:
        top, _, below = name.partition("/")
        if len(os.fsencode(places[top] / below)) >= _LONGEST_PATH:
            raise StateError(f"{shown(name)} would have a path of {_LONGEST_PATH} bytes or more there")


def _check_room(manifest: Mapping[str, Any], into: Path) -> None:
    needed = sum(size for _, size in manifest["files"].values())
    there = next(place for place in (into.absolute(), *into.absolute().parents) if place.is_dir())
    if needed > (free := shutil.disk_usage(there).free):
        raise StorageError(f"{into}: {needed} bytes are to be restored, and {free} are free")


def _unpack(archive: Path, ending: str, folder: Path) -> None:
    with opened(archive, ending) as (manifest, members):
        for name in [*manifest["folders"], *manifest["empty"]]:
            (folder / name).mkdir(parents=True, exist_ok=True)
        file = None
        try:
            for item, chunk in members:
                place = folder / item.name
                if file is None:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    file = open(place, "xb")  # noqa: SIM115 - closed where its last part has come
                if chunk is not None:
                    file.write(chunk)
                    continue
                file.flush()
                os.fsync(file.fileno())
                file.close()
                file = None
                os.utime(place, ns=(item.modified_ns, item.modified_ns))
        except OSError as error:
            error.filename = error.filename or str(folder)  # a write to an open file does not say which
            raise
        finally:
            if file is not None:
                file.close()


def _rebase(folder: Path, before: Mapping[str, str], places: Mapping[str, Path]) -> None:
    """Have the note say where the results will lie, and them where their state will."""
    note = CampaignNote.read(folder / STATE)
    if note is not None:
        note.rebased({before[name]: place for name, place in places.items() if name != STATE}).write(folder / STATE)
    for name in places.keys() - {STATE}:
        name_new_state(folder / name, places[STATE])


def restored_text(places: Mapping[str, Path], *, dry_run: bool) -> str:
    """Say where an archive's folders went.

    Parameters
    ----------
    places
        From :func:`restore`.
    dry_run
        Whether they only would.

    Returns
    -------
    str
        A line each.
    """
    verb = "would go to" if dry_run else "restored to"
    return "\n".join(f"{name}: {verb} {one_line(str(place), 400)}" for name, place in places.items())
