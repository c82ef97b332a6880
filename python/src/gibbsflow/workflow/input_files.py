"""Files from outside, read within bounds: regular files alone, of a stated size, opened so that none can hang.

A pipe, a device or a socket under the name of an input would be waited for, or read, without end. So what it is is
looked at when it is open and before it is read; the size is held to while reading, since a file may grow.
"""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import lzma
import math
import os
import stat
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal

from gibbsflow.errors import InputError, Problem, shown

MB = 1_000_000
SETTINGS_BYTES = MB // 5
"""Of a file of settings, a λ schedule, or a table of protonation states."""
SHEET_BYTES = 10 * MB
"""Of a samplesheet."""
STRUCTURE_BYTES = 200 * MB
"""Of a molecule's, receptor's or crystal's structure, of parameters, of a pseudopotential; unpacked, where packed."""
DATA_BYTES = 8000 * MB
"""Of a file of frames or of energies, and of a database."""
_LINE_BYTES = 10 * MB
_MARKS = {
    "UTF-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "UTF-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}


def open_input(path: Path, right: str, most_bytes: int, *, field: str | None = None) -> IO[bytes]:
    """Open a file from outside.

    Parameters
    ----------
    path
        The file, as the user named it.
    right
        What it should be, for messages.
    most_bytes
        Largest size.
    field
        Setting or column that names it.

    Returns
    -------
    IO
        The open file.

    Raises
    ------
    InputError
        Where it is missing, too large, not to be read, or no regular file.
    """
    path = Path(path)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(Problem(str(path), "no such file", right, field=field)) from error
    except (OSError, ValueError) as error:  # of ValueError: a name with a NUL
        what = _no_file(path) or f"not readable: {getattr(error, 'strerror', None) or error}"
        raise InputError(Problem(str(path), what, right, field=field)) from error
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise InputError(Problem(str(path), f"is no regular file but {_kind(found.st_mode)}", right, field=field))
        if found.st_size > most_bytes:
            raise InputError(_too_large(path, right, most_bytes, field))
        return os.fdopen(fd, "rb")
    except BaseException:
        os.close(fd)
        raise


def require_file(path: Path, right: str, most_bytes: int, *, field: str | None = None) -> Path:
    """See that a library may be given a file from outside by its name.

    Parameters
    ----------
    path, right, most_bytes, field
        As in :func:`open_input`.

    Returns
    -------
    Path
        The same path.

    Raises
    ------
    InputError
        As in :func:`open_input`.
    """
    open_input(path, right, most_bytes, field=field).close()
    return Path(path)


def read_input(path: Path, right: str, most_bytes: int, *, field: str | None = None) -> bytes:
    """Read a file from outside.

    Parameters
    ----------
    path, right, most_bytes, field
        As in :func:`open_input`.

    Returns
    -------
    bytes
        Its content.

    Raises
    ------
    InputError
        As in :func:`open_input`.
    """
    with open_input(path, right, most_bytes, field=field) as file:
        try:
            content = _read(file, most_bytes)
        except OSError as error:
            raise InputError(Problem(str(path), f"not readable: {error.strerror}", right, field=field)) from error
    if len(content) > most_bytes:
        raise InputError(_too_large(path, right, most_bytes, field))
    return content


def read_text(
    path: Path,
    right: str,
    most_bytes: int,
    *,
    field: str | None = None,
    errors: Literal["strict", "replace"] = "strict",
) -> str:
    """Read a text from outside.

    Parameters
    ----------
    path, right, most_bytes, field
        As in :func:`open_input`.
    errors
        What becomes of bytes that are no UTF-8: ``replace`` is for formats whose remarks may hold anything.

    Returns
    -------
    str
        Its content, without a mark of the encoding; lines end with a line feed alone.

    Raises
    ------
    InputError
        As in :func:`open_input`, and for what is no text or has another encoding.
    """
    return decode(read_input(path, right, most_bytes, field=field), path, right, field=field, errors=errors)


def decode(
    content: bytes, path: Path, right: str, *, field: str | None = None, errors: Literal["strict", "replace"] = "strict"
) -> str:
    """Take bytes for UTF-8 text.

    Parameters
    ----------
    content
        The bytes.
    path, right, field, errors
        As in :func:`read_text`.

    Returns
    -------
    str
        The text, without a mark of the encoding; lines end with a line feed alone.

    Raises
    ------
    InputError
        For what is no text or has another encoding.
    """
    what = next((f"is {name}, not UTF-8 text" for name, marks in _MARKS.items() if content.startswith(marks)), "")
    if not what and (place := content.find(b"\0")) >= 0:
        what = f"no text: a NUL byte at byte {place}"
    try:
        text = "" if what else content.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        what = f"not UTF-8 text ({error.reason} at byte {error.start})"
    if what:
        raise InputError(Problem(str(path), what, f"{right}, saved as UTF-8", field=field))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def csv_records(text: str, path: Path, right: str, *, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Split a text into the cells of its records.

    Parameters
    ----------
    text
        Comma-separated values.
    path, right
        Where it is from, and what it should be, for messages.
    delimiter
        What stands between cells.

    Yields
    ------
    tuple of int and list of str
        The line that a record starts on, from 1 (a quoted cell may span lines), and its cells.

    Raises
    ------
    InputError
        For a quote that is not closed or stands within a cell, and a cell larger than 131072 characters.
    """
    reader = csv.reader(io.StringIO(text), strict=True, delimiter=delimiter)
    start = 1
    try:
        for cells in reader:
            yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise InputError(Problem(str(path), f"not readable as CSV: {error}", right, row=start)) from error


def read_table(
    path: Path, right: str, columns: Mapping[str, Callable[[str], Any]], most_bytes: int = DATA_BYTES
) -> list[dict[str, Any]]:
    """Read a table of gibbsflow's own, whose columns are known.

    Parameters
    ----------
    path
        Comma-separated values.
    right
        What it should be, for messages.
    columns
        What reads the cells of each column that must be there, by its name: it raises ValueError for what is none of
        its values, with what would be right. Other columns are read as text.
    most_bytes
        As in :func:`open_input`.

    Returns
    -------
    list of dict
        Values by column, row by row; empty lines hold none.

    Raises
    ------
    InputError
        As in :func:`read_text` and :func:`csv_records`; for a column that is missing or there twice, a row that is
        shorter or longer than the header, a table that breaks off or has no row, and for a cell that is not what its
        column holds.
    """
    text = read_text(path, right, most_bytes)
    records = [(line, cells) for line, cells in csv_records(text, path, right) if cells]
    header = records[0][1] if records else []
    if lacking := [name for name in columns if header.count(name) != 1]:
        what = "is empty" if not records else f"has no column, or two, of the name {', '.join(lacking)}"
        raise InputError(Problem(str(path), what, f"{right}, with the columns {', '.join(columns)}", row=1))
    found = []
    for line, cells in records[1:]:
        if len(cells) != len(header):
            what = f"{len(cells)} cells, not {len(header)}"
            raise InputError(Problem(str(path), what, "one for each column; a file that is whole", row=line))
        row: dict[str, Any] = dict(zip(header, cells, strict=True))
        for name, read in columns.items():
            try:
                row[name] = read(row[name])
            except ValueError as error:
                raise InputError(
                    Problem(str(path), f"is {shown(row[name])}", str(error), row=line, field=name)
                ) from error
        found.append(row)
    if not found or not text.endswith("\n"):
        what = "breaks off within its last row" if found else "has a header and no row"
        raise InputError(Problem(str(path), what, f"{right}, as it was written"))
    return found


def number_or_none(cell: str) -> float | None:
    """Read a cell that holds a number or nothing.

    Parameters
    ----------
    cell
        The cell.

    Returns
    -------
    float or None
        None for an empty cell.

    Raises
    ------
    ValueError
        For what is no finite number.
    """
    right = "a finite number, or empty"
    if not cell.strip():
        return None
    try:
        value = float(cell)
    except ValueError as error:
        raise ValueError(right) from error
    if not math.isfinite(value):
        raise ValueError(right)
    return value


def unpack(content: bytes, path: Path, right: str, most_bytes: int, *, field: str | None = None) -> bytes:
    """Unpack what gzip has packed.

    Parameters
    ----------
    content
        The packed bytes.
    path, right, most_bytes, field
        As in :func:`open_input`; the size is that of what comes out.

    Returns
    -------
    bytes
        What comes out.

    Raises
    ------
    InputError
        For what is damaged, cut off, or too large.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = _read(file, most_bytes)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(Problem(str(path), f"not readable as gzip: {error}", "a whole file", field=field)) from error
    if len(unpacked) > most_bytes:
        raise InputError(_too_large(path, right, most_bytes, field))
    return unpacked


def unpacked_stream(path: Path, file: IO[bytes]) -> IO[bytes]:
    """Unpack an open file on the way, by the ending of its name.

    Parameters
    ----------
    path
        Its name: ``.bz2``, ``.gz`` and ``.xz`` are packed.
    file
        The file, open.

    Returns
    -------
    IO
        Its content.
    """
    packed = Path(path).suffix.lower()
    if packed == ".bz2":
        return bz2.BZ2File(file)
    if packed == ".xz":
        return lzma.LZMAFile(file)
    return gzip.GzipFile(fileobj=file) if packed == ".gz" else file  # type: ignore[return-value]


def read_lines(path: Path, right: str, most_bytes: int = DATA_BYTES) -> Iterator[tuple[int, str]]:
    """Read a text from outside line by line, plain or packed (.bz2, .gz, .xz).

    Parameters
    ----------
    path, right, most_bytes
        As in :func:`open_input`; the size holds for what is unpacked, too.

    Yields
    ------
    tuple of int and str
        Number of the line, from 1, and the line with its end.

    Raises
    ------
    InputError
        As in :func:`open_input`, for what is no UTF-8 text, is packed and breaks off, or has a line of over 10 MB.
    """
    number = size = 0
    with open_input(path, right, most_bytes) as file:
        try:
            text = io.TextIOWrapper(unpacked_stream(path, file), encoding="utf-8", errors="surrogateescape")
            while line := text.readline(_LINE_BYTES):
                number, size = number + 1, size + len(line)
                if len(line) == _LINE_BYTES:
                    what = f"a line of over {_LINE_BYTES / MB:g} MB"
                    raise InputError(Problem(str(path), what, right, row=number))
                if size > most_bytes:
                    raise InputError(_too_large(path, right, most_bytes, None))
                if not line.isascii():
                    line.encode()  # refuses what was no UTF-8, on its own line: text is decoded ahead of its lines
                yield number, line
        except EOFError as error:
            what = "truncated: the compressed file breaks off"
            raise InputError(Problem(str(path), what, "a whole file")) from error
        except UnicodeEncodeError as error:
            what = f"not UTF-8 text: byte {ord(line[error.start]) - 0xDC00:#04x} in column {error.start + 1}"
            raise InputError(Problem(str(path), what, right, row=number)) from error
        except (OSError, zlib.error, lzma.LZMAError) as error:
            raise InputError(Problem(str(path), f"not readable: {error}", right)) from error


def _read(file: IO[bytes] | gzip.GzipFile, most_bytes: int) -> bytes:
    """Read a file, a byte more than it may have at most; in parts, for room is made for all that is asked for."""
    parts, left = [], most_bytes + 1
    while left > 0 and (part := file.read(min(MB, left))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _too_large(path: Path, right: str, most_bytes: int, field: str | None) -> Problem:
    return Problem(str(path), "is too large", f"{right}, of at most {most_bytes / MB:g} MB", field=field)


def _no_file(path: Path) -> str:
    """What a path is that cannot be opened because it is no file; empty for a file."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return ""
    return "" if stat.S_ISREG(mode) else f"is no regular file but {_kind(mode)}"


def _kind(mode: int) -> str:
    kinds = {
        stat.S_ISDIR: "a folder",
        stat.S_ISFIFO: "a pipe",
        stat.S_ISSOCK: "a socket",
        stat.S_ISCHR: "a device",
        stat.S_ISBLK: "a device",
    }
    return next((name for test, name in kinds.items() if test(mode)), "something else")
