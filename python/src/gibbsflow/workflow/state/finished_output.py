"""The finished output of a verb without checkpoints, kept in its state folder so that it is never computed twice."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from gibbsflow.errors import StateError
from gibbsflow.workflow.files import atomic_open, read_json, write_json
from gibbsflow.workflow.state import sentinels
from gibbsflow.workflow.state.state_folder import StateFolder

_OUTPUT, _FIGURES = "output.tar.gz", "figures.json"


def keep(home: StateFolder, out: Path, names: Iterable[str], figures: Mapping[str, Any]) -> None:
    """Keep what a verb wrote, and mark its state folder as finished.

    Parameters
    ----------
    home
        State folder, held.
    out
        Output folder of the verb.
    names
        Files and folders in `out`; absent ones are left out.
    figures
        Figures of ``result.json``.
    """
    with atomic_open(home.folder / _OUTPUT) as file, _archive(file) as tar:
        for name in sorted(names):
            if (out / name).exists():
                tar.add(out / name, arcname=name)
    write_json(home.folder / _FIGURES, figures)
    sentinels.Sentinel("FINISHED", home.inputs_hash, settings=home.settings).write(home.folder)


def _archive(file: IO[bytes]) -> tarfile.TarFile:
    # links are kept as what they lead to, for that may be gone when the archive is read
    return tarfile.open(fileobj=file, mode="w:gz", compresslevel=1, dereference=True)


def restore(home: StateFolder, out: Path) -> dict[str, Any]:
    """Write what was kept to an output folder.

    Parameters
    ----------
    home
        State folder, held.
    out
        Output folder of the verb.

    Returns
    -------
    dict
        Figures of ``result.json``.

    Raises
    ------
    StateError
        Where what was kept is absent, truncated or altered.
    """
    archive = home.folder / _OUTPUT
    try:
        # as a whole first: tarfile does not read as far as gzip's checksum
        content = gzip.decompress(archive.read_bytes())
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            if odd := [member.name for member in tar if not (member.isreg() or member.isdir())]:
                raise tarfile.TarError(f"{odd[0]} is neither a file nor a folder")
            # by hand what `filter="data"` does, which the Python of Debian 12 has not
            for member in tar.getmembers():
                if PurePosixPath(member.name).is_absolute() or ".." in PurePosixPath(member.name).parts:
                    raise tarfile.TarError(f"{member.name} leads out of the folder")
                member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
            tar.extractall(out)  # noqa: S202 - looked at above
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, FileNotFoundError) as error:
        raise StateError(f"{archive}: cannot be read ({error})") from error
    figures: dict[str, Any] = read_json(home.folder / _FIGURES)
    return figures
