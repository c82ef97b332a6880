"""Files that are whole or absent: atomic writes, content hashes, JSON that fails loudly."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from gibbsflow.errors import StateError

_CHUNK = 1 << 20


@contextmanager
def atomic_open(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path` and rename it into place once it is whole and on disk.

    Parameters
    ----------
    path
        Where the file shall be. Its folder is made where absent.
    mode
        ``"wb"`` or ``"w"``.

    Yields
    ------
    file
        The open temporary file. On an exception nothing is left at `path` that was not there before.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        # mkstemp makes 0600; results are to be read by the user's group as any other file
        umask = os.umask(0)
        os.umask(umask)
        os.fchmod(fd, 0o666 & ~umask)
        with os.fdopen(fd, mode) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a write to an open file does not say which
        raise


def remove_temporaries(folder: Path) -> None:
    """Remove what writes that were killed have left in a folder; only for who holds its lock."""
    for path in Path(folder).glob(".*.tmp"):
        path.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any] | list[Any]) -> None:
    """Write JSON atomically; NaN and infinity are refused, since other readers cannot parse them."""
    text = json.dumps(content, indent=2, allow_nan=False, default=_plain) + "\n"
    with atomic_open(Path(path), "w") as file:
        file.write(text)


def read_json(path: Path) -> Any:
    """Read JSON written by gibbsflow.

    Raises
    ------
    StateError
        Where the file is missing or unreadable: state is never taken as empty in silence.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError as error:
        raise StateError(f"{path}: missing") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise StateError(f"{path}: not readable as JSON ({error})") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's content, as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_tree(folder: Path) -> str:
    """SHA-256 over the relative names and contents of all files below a folder, in sorted order."""
    digest = hashlib.sha256()
    for file in sorted(p for p in Path(folder).rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{sha256_file(file)}\n".encode())
    return digest.hexdigest()


def sha256_path(path: Path) -> str:
    """SHA-256 of a file or of a folder."""
    return sha256_tree(path) if Path(path).is_dir() else sha256_file(path)


def inputs_hash(*, files: Mapping[str, Path], settings: Mapping[str, Any], physics: int) -> str:
    """Hash of all that can change a result, and of nothing else.

    Parameters
    ----------
    files
        Input files by role; only their contents count, not where they lie.
    settings
        The settings that change results, JSON-serialisable.
    physics
        Version of the physics, raised by hand when results change; never the commit.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    content = {
        "files": {role: sha256_path(path) for role, path in sorted(files.items())},
        "settings": settings,
        "physics": physics,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_plain).encode()).hexdigest()
