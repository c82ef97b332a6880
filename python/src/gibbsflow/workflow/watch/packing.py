"""What is needed to look into a failure elsewhere, in one small file: records, logs and inputs of one item."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gibbsflow.errors import InputError, Problem
from gibbsflow.version import __version__
from gibbsflow.workflow.care.archive import check_free
from gibbsflow.workflow.care.contents import contents, human_bytes, kind_of
from gibbsflow.workflow.credentials import masked
from gibbsflow.workflow.files import atomic_open
from gibbsflow.workflow.state.killed import FOLDER as KILLED
from gibbsflow.workflow.state.killed import read_killed
from gibbsflow.workflow.watch.campaign_view import CampaignView

_MOST_BYTES = 1_000_000
_OF_RUN = ("settings.json", "campaign.json", "run.json", "versions.yml", "inputs")


@dataclass
class Packed:
    """What went into a file for a report of a fault.

    Attributes
    ----------
    file
        The file.
    names
        What is in it.
    left_out
        What is not, and why.
    size_bytes
        Its bytes.
    """

    file: Path
    names: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    size_bytes: int = 0


def pack_item(view: CampaignView, name: str, out: Path) -> Packed:
    """Pack what tells about one item.

    Parameters
    ----------
    view
        Its campaign.
    name
        The item.
    out
        File to write, ending in ``.tar.gz``; never over one that is there.

    Returns
    -------
    Packed
        Its content: records, sentinels, logs and inputs, as text, with passwords and tokens masked. Checkpoints,
        frames, samples, what is not text or larger than 1 MB is left out, and named in ``LEFT_OUT.txt``.

    Raises
    ------
    InputError
        For an item that there is not, another ending, or where the file is there already.
    """
    if not out.name.endswith(".tar.gz"):
        raise InputError(Problem("--out", f"{out} has another ending", "a name that ends in .tar.gz"))
    check_free(out)
    view.look()
    detail = view.detail(name)
    packed = Packed(out)
    with atomic_open(out) as file, tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        told = {"gibbsflow": __version__, "made": datetime.now(UTC).isoformat(timespec="seconds"), **detail.as_dict()}
        _add(tar, packed, "item.json", json.dumps(told, indent=2))
        for path, inside in _files(view, name):
            if (text := _text(path, packed)) is not None:
                _add(tar, packed, inside, text)
        _add(tar, packed, "LEFT_OUT.txt", "".join(f"{line}\n" for line in packed.left_out) or "nothing\n")
    packed.size_bytes = out.stat().st_size
    return packed


def _files(view: CampaignView, name: str) -> Iterator[tuple[Path, str]]:
    seen: set[Path] = set()
    for home in view.homes(name):
        for one in contents(home):
            inside = "/".join(("state", *one.path.relative_to(view.folder).parts))
            if one.path not in seen:
                seen.add(one.path)
                yield one.path, inside
    parts = [home.relative_to(view.folder).parts for home in view.homes(name)]
    for killed in read_killed(view.folder):
        mine = killed.item.split()[:1] == [name] or any(killed.is_of(path) for path in parts)
        if mine and killed.log_file is not None:
            task = re.sub(r"[^A-Za-z0-9._~-]", "_", f"{killed.process}.{killed.item}")
            yield killed.log_file, f"killed/{task}.command.log"
    whole_name = re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])")  # a1 is not a10
    for path in sorted((view.folder / KILLED).glob("*.json")):
        if whole_name.search(path.name):
            yield path, f"killed/{path.name}"
    for number, home in enumerate(view.results(name)):
        for one in contents(home):
            yield one.path, f"results_{number}/{one.path.relative_to(home.parents[1]).as_posix()}"
        for entry in _OF_RUN:
            place = home.parents[1] / "pipeline_info" / entry
            found = [one.path for one in contents(place)] if place.is_dir() else [place]
            for path in found:
                if path.is_file():
                    yield path, f"results_{number}/pipeline_info/{path.relative_to(place.parent).as_posix()}"


def _text(path: Path, packed: Packed) -> str | None:
    """A file's text, masked; None, with the reason noted, for what does not belong into a report."""
    kind = "a link, not followed" if path.is_symlink() else kind_of(Path(path.name))
    if kind != "records":
        packed.left_out.append(f"{path}: {kind}")
        return None
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                packed.left_out.append(f"{path}: no plain file")
                return None
            if found.st_size > _MOST_BYTES and not path.name.endswith(".log"):
                packed.left_out.append(f"{path}: {human_bytes(found.st_size)}, more than {human_bytes(_MOST_BYTES)}")
                return None
            if found.st_size > _MOST_BYTES:
                file.seek(found.st_size - _MOST_BYTES)
                packed.left_out.append(f"{path}: only its last {human_bytes(_MOST_BYTES)} are in")
            data = file.read(_MOST_BYTES)
    except OSError as error:
        packed.left_out.append(f"{path}: {error.strerror or error}")
        return None
    if b"\0" in data:
        packed.left_out.append(f"{path}: not text")
        return None
    return data.decode(errors="replace")


def _add(tar: tarfile.TarFile, packed: Packed, name: str, text: str) -> None:
    data = masked(text).encode(errors="surrogateescape")
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(data), int(datetime.now(UTC).timestamp())
    tar.addfile(info, io.BytesIO(data))
    packed.names.append(name)
