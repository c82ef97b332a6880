"""Files that are whole or absent: atomic writes, content hashes, JSON that fails loudly."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import math
import os
import stat
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from gibbsflow.errors import InputError, Problem, StateError, StoppedEarly, StorageError, one_line, shown

_CHUNK = 1 << 20
_TEMPORARY, _LATELY_S = ".tmp", 10
_LARGEST_JSON = 1 << 30
_PROBE_BYTES = 1 << 20
_DISK = ("ENOSPC", "EDQUOT", "EROFS", "EIO", "ESTALE")
"""A disk that is full, read-only or gone."""
_STORAGE = (*_DISK, "EFBIG", "EACCES", "EPERM", "EEXIST", "ENOTDIR", "ELOOP")
"""What else may go wrong with files and folders, of which none is a defect of ours."""


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
    IO
        The open temporary file. On an exception nothing is left at `path` that was not there before. Where the process
        is killed its temporary file stays, until `path` is written by another one, ten seconds later or more: never one
        that a live process holds.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    fd, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(fd, mode) as file:
            try:
                with suppress(OSError):  # of a file system without locks, where nothing is swept either
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # mkstemp makes 0600; results are to be read by the user's group as any other file
                umask = os.umask(0)
                os.umask(umask)
                os.fchmod(fd, 0o666 & ~umask)
                yield file
                file.flush()
                os.fsync(fd)
                os.replace(name, path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        error.filename = error.filename or str(path)  # a write to an open file does not say which
        raise


@lru_cache(maxsize=4096)  # once a process and file
def _sweep(path: Path) -> None:
    """Remove what killed writes of a file have left beside it: nobody holds it, nor has touched it of late."""
    head = f".{path.name}."
    for name in os.listdir(path.parent):
        if not (name.startswith(head) and name.endswith(_TEMPORARY) and len(name) == len(head) + 8 + len(_TEMPORARY)):
            continue
        with suppress(OSError):  # it is a live write's, another user's, or gone: whoever writes next looks again
            fd = os.open(path.with_name(name), os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - os.fstat(fd).st_mtime > _LATELY_S:
                    os.unlink(path.with_name(name))
            finally:
                os.close(fd)


def link_name(target: str) -> str:
    """Name a link to a folder for a program that cannot take the folder's own path.

    Parameters
    ----------
    target
        What the link says.

    Returns
    -------
    str
        By a hash of it, so that the link tells by itself whose it is.
    """
    return f"folder-{hashlib.sha256(os.fsencode(target)).hexdigest()[:12]}"


def is_own_link(path: Path) -> bool:
    """Tell a link that was made for a program, and is made again where it is missed, from anybody else's.

    Parameters
    ----------
    path
        The link, whether or not what it names is there.

    Returns
    -------
    bool
        Whether its name is that of :func:`link_name`.
    """
    return path.is_symlink() and path.name == link_name(os.readlink(path))


def remove_temporaries(folder: Path) -> None:
    """Remove what writes that were killed have left in a folder.

    Parameters
    ----------
    folder
        Folder whose lock the caller holds: of another's, a write may be under way.
    """
    for path in Path(folder).glob(".*.tmp"):
        path.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any] | list[Any]) -> None:
    """Write JSON atomically.

    Parameters
    ----------
    path
        Where the file shall be.
    content
        What it shall hold; paths are written as text, NumPy's scalars and arrays as numbers and lists.

    Raises
    ------
    ValueError
        For NaN and infinity, which other readers cannot parse.
    TypeError
        For what JSON has no form for.
    """
    text = json.dumps(content, indent=2, allow_nan=False, default=_plain) + "\n"
    with atomic_open(Path(path), "w") as file:
        file.write(text)


def read_json(path: Path) -> Any:
    """Read JSON written by gibbsflow.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Any
        Its content.

    Raises
    ------
    StateError
        Where the file is missing or unreadable, or gives a key twice: state is never taken as empty in silence.
    """
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST_JSON:
            raise StateError(f"{path}: no file of JSON, or one of over {_LARGEST_JSON} bytes")
        with open(path) as file:
            return json.loads(file.read(), parse_float=_finite, parse_constant=_finite, object_pairs_hook=_once)
    except FileNotFoundError as error:
        raise StateError(f"{path}: missing") from error
    except OSError as error:
        if _code(error) not in ("ELOOP", "ENOTDIR", "ENAMETOOLONG"):  # else a disk or a right, which is told as such
            raise
        raise StateError(f"{path}: not readable ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # among them those of the encoding
        raise StateError(f"{path}: not readable as JSON ({one_line(str(error), 200)})") from error


@contextmanager
def as_written(path: Path, by: str) -> Iterator[None]:
    """Take what a file of gibbsflow's own holds for granted: where it is something else, the file is at fault.

    Parameters
    ----------
    path
        The file.
    by
        What writes it, for messages, such as "`infer decide`".

    Yields
    ------
    None
        Once; within, nothing is done but to interpret the content of the file.

    Raises
    ------
    StateError
        For a key, type or value that is not as it was written, with the first that was met.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        told = str(error)
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False, include_context=False)[0]
            told = f"{'.'.join(map(str, first['loc']))}: {first['msg']}, not {shown(first['input'])}"
        what = f"{type(error).__name__}: {one_line(told, 200)}"
        raise StateError(f"{path}: damaged, not as {by} writes it ({what})") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose every key is there once: of two, either may be what was meant."""
    held = dict(pairs)
    if len(held) < len(pairs):
        twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise ValueError(f"{shown(twice, 40)} is given twice")
    return held


def _finite(text: str) -> float:
    """A number as JSON has them: what is none, or too large for one, was not written by gibbsflow."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{one_line(text, 40)} is no finite number")
    return value


def within(root: Path, relative: str) -> Path:
    """Find a file by the path that a record gives, which must lie below the record's folder.

    Parameters
    ----------
    root
        The folder.
    relative
        Path below it.

    Returns
    -------
    Path
        The file, whether it is there or not.

    Raises
    ------
    StateError
        For a path that leads out of the folder, be it by a link.
    """
    path = Path(root) / relative
    if not path.resolve().is_relative_to(Path(root).resolve()):
        raise StateError(f"{root}: {shown(relative)} leads out of it")
    return path


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def read_arrays(path: Path, *names: str, optional: tuple[str, ...] = ()) -> dict[str, npt.NDArray[Any]]:
    """Read arrays that an earlier step has written.

    Parameters
    ----------
    path
        File of arrays (npz).
    *names
        Arrays that must be in it.
    optional
        Arrays that may be in it.

    Returns
    -------
    dict
        Arrays by name.

    Raises
    ------
    InputError
        Where the file is missing, cut short or damaged, or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in (*names, *(name for name in optional if name in file))}
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        what = f"missing or damaged ({error})"
        raise InputError(
            Problem(str(path), what, f"arrays {', '.join(names)}, as the step before wrote them")
        ) from error


def sha256_file(path: Path) -> str:
    """Hash a file's content.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.

    Raises
    ------
    StateError
        For what is no regular file.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would be waited for
        raise StateError(f"{path}: no regular file")
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_tree(folder: Path) -> str:
    """Hash the relative names and contents of all files below a folder, in sorted order.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for file in sorted(p for p in Path(folder).rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{sha256_file(file)}\n".encode())
    return digest.hexdigest()


def sha256_path(path: Path) -> str:
    """Hash a file or a folder.

    Parameters
    ----------
    path
        Either.

    Returns
    -------
    str
        That of :func:`sha256_tree` or of :func:`sha256_file`.
    """
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


def make_writable(folder: Path) -> None:
    """Make a folder where absent, and see that it can be written into, before anything is computed for it.

    Parameters
    ----------
    folder
        The folder.

    Raises
    ------
    InputError
        Where it is not one to write into.
    OSError
        Where its disk is full, read-only or gone, which is no mistake of the user's.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        probe = Path(folder) / ".gibbsflow-write-test"
        probe.touch()
        probe.unlink()
    except OSError as error:
        if _code(error) in _DISK:
            raise
        what, right = f"not writable: {error.strerror}", "a folder you may write to"
        raise InputError(Problem(str(folder), what, right)) from error


def storage_fault(error: Exception) -> StorageError | None:
    """Tell a disk that is full, read-only or not there from a defect of ours.

    Parameters
    ----------
    error
        What was raised.

    Returns
    -------
    StorageError or None
        The fault, with the file's name; None for what has another reason.
    """
    if isinstance(error, OSError) and _code(error) in _STORAGE:
        return StorageError(f"{error.filename or 'a file'}: {error.strerror}")
    return None


@contextmanager
def disk_blamed_first(folder: Path) -> Iterator[None]:
    """Tell a full disk from what a foreign program says of it, which may be nothing, or that all went well.

    Parameters
    ----------
    folder
        Where the program writes.

    Yields
    ------
    None
        To the lines that run it, or read what it has left.

    Raises
    ------
    StorageError
        In place of any other failure of theirs, where the folder does not take a megabyte more.
    """
    try:
        yield
    except (OSError, StoppedEarly):
        raise
    except Exception as error:
        try:
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(bytes(_PROBE_BYTES))
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as full:
            if storage_fault(full):
                raise StorageError(f"{folder}: {full.strerror}") from error
        raise


def _code(error: OSError) -> str | None:
    return errno.errorcode.get(error.errno or 0)
