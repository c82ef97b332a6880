"""A campaign in one file: state, results and a list of hashes; done only when it has been read back."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from gibbsflow.errors import InputError, Problem, StateError, StorageError, shown
from gibbsflow.version import __version__
from gibbsflow.workflow.care.campaign_note import CampaignNote
from gibbsflow.workflow.care.holding import HEAD
from gibbsflow.workflow.care.inventory import Inventory, Item, inventory
from gibbsflow.workflow.files import atomic_open
from gibbsflow.workflow.folders.places import folder_fault, place_problems
from gibbsflow.workflow.folders.published import IDENTITY, MadeFrom

FORMAT = "gibbsflow-archive-1"
MANIFEST, STATE, RESULTS = "manifest.json", "state", "results-{}"
ENDINGS = {".tar.gz": gzip, ".tar.xz": lzma}
_CHUNK, _LARGEST_MANIFEST, _LATEST_NS = 1 << 20, 1 << 28, 1 << 63
_LONGEST_NAME, _LARGEST_END = 255, 1 << 20
_DAMAGED = (
    tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, ValueError, KeyError, TypeError,
    AttributeError, OverflowError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """What goes into an archive.

    Attributes
    ----------
    campaign
        Name of the campaign.
    folders
        Inventories by their names in the archive: ``state``, ``results-0``, ...
    remarks
        What is not in it, in words.
    """

    campaign: str
    folders: Mapping[str, Inventory]
    remarks: Sequence[str]

    @property
    def size(self) -> int:
        """Bytes before they are packed.

        Returns
        -------
        int
            Of all files.
        """
        return sum(one.size for one in self.folders.values())

    @property
    def count(self) -> int:
        """Number of files.

        Returns
        -------
        int
            Of all folders.
        """
        return sum(len(one.items) for one in self.folders.values())


def ending_of(path: Path) -> str:
    """Say how an archive is packed, by its name.

    Parameters
    ----------
    path
        The archive.

    Returns
    -------
    str
        ``.tar.gz`` or ``.tar.xz``.

    Raises
    ------
    InputError
        For another name.
    """
    found = next((ending for ending in ENDINGS if path.name.endswith(ending)), None)
    if found is None:
        raise InputError(Problem(str(path), "no archive by its name", "a name that ends with .tar.gz or .tar.xz"))
    return found


def parts_of(campaign: Path, results: Sequence[Path] = (), *, remove: bool = False) -> Parts:
    """Find and hash what belongs to a campaign.

    Parameters
    ----------
    campaign
        Its state folder, held by the caller.
    results
        Folders of its results; default: those that its heads have noted.
    remove
        Whether they shall be removed then: they have to say themselves whose they are.

    Returns
    -------
    Parts
        State first.

    Raises
    ------
    InputError
        For results of another campaign, or that are not there where they were named; for a folder that no run would
        take for its results, such as the home folder; for links among the files.
    """
    remarks = []
    note = CampaignNote.read(campaign)
    places = [Path(os.path.normpath(path.absolute())) for path in results]
    if not results and note is None:
        remarks.append("no results: no head has noted where they are (--results names them)")
    elif not results and note is not None:
        places = [
            Path(os.path.normpath(Path(one.outdir).absolute())) for one in note.results if Path(one.outdir).is_dir()
        ]
        remarks += [f"no results of {one.outdir}: not there" for one in note.results if not Path(one.outdir).is_dir()]
    folders = {STATE: inventory(campaign, leave=frozenset(HEAD))}
    for number, place in enumerate(dict.fromkeys(places)):
        made = MadeFrom.read(place)
        if problems := place_problems(place, state=campaign):
            raise InputError(*problems)
        if made is None and remove:
            right = f"results that say they are of {campaign.name}; without --remove they are archived all the same"
            raise InputError(Problem(str(place), f"no {IDENTITY} says whose these are", right))
        known = made.campaign == campaign.name if made is not None else (place / IDENTITY.parent).is_dir()
        if not known or place.is_symlink():
            what = f"results of campaign {made.campaign}" if made is not None else "no folder of results"
            raise InputError(Problem(str(place), what, f"results of {campaign.name}"))
        folders[RESULTS.format(number)] = inventory(place, apart=[campaign, campaign.parent])
    return Parts(campaign.name, folders, remarks)


def write_archive(parts: Parts, out: Path) -> Path:
    """Write an archive, read it back, and only then give it its name.

    Parameters
    ----------
    parts
        What goes into it.
    out
        Where it shall be; never overwritten.

    Returns
    -------
    Path
        The archive.

    Raises
    ------
    InputError
        Where something is there already.
    StorageError
        Where it does not read back as it was written, or a file changed meanwhile. Nothing is left at `out`.
    """
    ending = ending_of(out)
    check_free(out)
    for one in parts.folders.values():
        if out.absolute().is_relative_to(one.folder):
            raise InputError(Problem("--out", f"{out} lies in {one.folder}, which goes into it", "a place beside it"))
    manifest = _manifest(parts)
    with atomic_open(out) as file:
        how: dict[str, Any] = {"compresslevel": 1} if ending == ".tar.gz" else {"preset": 1}
        mode: Any = f"w:{ending.removeprefix('.tar.')}"
        with tarfile.open(fileobj=file, mode=mode, format=tarfile.PAX_FORMAT, errors="surrogateescape", **how) as tar:
            text = json.dumps(manifest).encode()
            head = tarfile.TarInfo(MANIFEST)
            head.size = len(text)
            tar.addfile(head, io.BytesIO(text))
            for name, one in parts.folders.items():
                for folder in one.empty:
                    tar.add(one.folder / folder, arcname=f"{name}/{folder}", recursive=False)
                for item in one.items:
                    _add(tar, one.folder / item.name, f"{name}/{item.name}")
        file.flush()
        try:
            with opened(Path(f"/proc/self/fd/{file.fileno()}"), ending) as (found, members):
                if found != manifest:
                    raise StateError("another manifest")
                for _ in members:
                    pass
        except StateError as error:
            raise StorageError(f"{out}: does not read back as it was written ({error}); nothing was removed") from error
        check_free(out)  # nobody has put one there meanwhile
    return out


def check_free(path: Path) -> None:
    """Refuse to write over anything.

    Parameters
    ----------
    path
        Where something shall be.

    Raises
    ------
    InputError
        Where something is there, be it a link to nowhere.
    """
    if os.path.lexists(path):
        raise InputError(Problem(str(path), "is there already", "a new name: nothing is written over"))


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    # not by `tar.add`, which makes a link of a file's second name
    with open(path, "rb") as content:
        info = tar.gettarinfo(arcname=name, fileobj=content)
        info.type, info.linkname, info.size = tarfile.REGTYPE, "", os.fstat(content.fileno()).st_size
        tar.addfile(info, content)


def _manifest(parts: Parts) -> dict[str, Any]:
    folders = {name: str(one.folder) for name, one in parts.folders.items()}
    files = {
        f"{name}/{item.name}": [item.sha256, item.size] for name, one in parts.folders.items() for item in one.items
    }
    empty = [f"{name}/{folder}" for name, one in parts.folders.items() for folder in one.empty]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    told = {"format": FORMAT, "gibbsflow": __version__, "made": now, "campaign": parts.campaign}
    return told | {"folders": folders, "files": files, "empty": empty}


@contextmanager
def opened(path: Path, ending: str) -> Iterator[tuple[dict[str, Any], Iterator[tuple[Item, bytes | None]]]]:
    """Read an archive from its beginning; each of its members has to be as the manifest lists it.

    Parameters
    ----------
    path
        The archive.
    ending
        How it is packed.

    Yields
    ------
    manifest : dict
        Its list, whose names and campaign are fit for folders.
    members : iterator
        Each part of each file in order: the file, and the next of its bytes; None where it has ended and was as listed.

    Raises
    ------
    StateError
        While it is read: for what is damaged, not listed, listed and not there, no file or folder, or leads out.
    """
    try:
        with (
            ENDINGS[ending].open(path, "rb") as stream,
            tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape") as tar,
        ):
            head = tar.next()
            if head is None or head.name != MANIFEST or not head.isreg() or head.size > _LARGEST_MANIFEST:
                raise StateError(f"{path}: no archive of gibbsflow's")
            manifest = json.loads(_content(tar, head).read())
            _check_manifest(manifest, path)
            yield manifest, _members(tar, stream, manifest, path)
    except _DAMAGED as error:
        raise StateError(f"{path}: damaged, or no archive of gibbsflow's ({error})") from error


def _check_manifest(manifest: Any, path: Path) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise StateError(f"{path}: not of format {FORMAT}")
    if fault := folder_fault(manifest["campaign"]):
        raise StateError(f"{path}: the campaign's name {shown(manifest['campaign'])} {fault}")
    known = {STATE, *(RESULTS.format(number) for number in range(len(manifest["folders"]) - 1))}
    if manifest["folders"].keys() != known:
        raise StateError(f"{path}: holds other folders than state and results")
    for name in [*manifest["files"], *manifest["empty"]]:
        _check_name(name, known, path)


def _check_name(name: str, known: set[str], path: Path) -> None:
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\0" in name or len(parts) < 2 or parts[0] not in known:
        raise StateError(f"{path}: {shown(name)} leads out of the archive's folders")
    if "/".join(parts) != name:
        raise StateError(f"{path}: {shown(name)} is no plain path")
    if max(len(os.fsencode(part)) for part in parts) > _LONGEST_NAME:
        raise StateError(f"{path}: {shown(name)} has a name of more than {_LONGEST_NAME} bytes, which no disk takes")


def _members(
    tar: tarfile.TarFile, stream: IO[bytes], manifest: Mapping[str, Any], path: Path
) -> Iterator[tuple[Item, bytes | None]]:
    left, folders = dict(manifest["files"]), set(manifest["empty"])
    while (member := tar.next()) is not None:
        if member.isdir() and member.name in folders:
            continue
        if not member.isreg() or member.issparse():
            raise StateError(f"{path}: {shown(member.name)} is neither a plain file nor a listed folder")
        if member.name not in left:
            raise StateError(f"{path}: {shown(member.name)} is not in its list, or there twice")
        sha256, size = left.pop(member.name)
        item = Item(member.name, size, int(float(member.mtime) * 1e9), sha256)
        if member.size != size or not abs(item.modified_ns) < _LATEST_NS:
            raise StateError(f"{path}: {shown(member.name)} is not what its list says")
        content, digest = _content(tar, member), hashlib.sha256()
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            yield item, chunk
        if digest.hexdigest() != sha256:
            raise StateError(f"{path}: {shown(member.name)} is not what its list says")
        yield item, None
    if left:
        raise StateError(f"{path}: {shown(next(iter(left)))} is in its list and not there")
    after = 0
    while chunk := stream.read(_CHUNK):  # as far as the checksum at its end
        after += len(chunk)
        if after > _LARGEST_END:
            raise StateError(f"{path}: goes on after its last file")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    if content is None:
        raise tarfile.TarError(f"{member.name} has no content")
    return content
