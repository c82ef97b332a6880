"""What may have happened to a file of gibbsflow's own, for tests of those who read it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _holds(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _other_encoding(path: Path) -> None:
    path.write_bytes(b"\xff\xfe" + path.read_bytes())


ANY: dict[str, Callable[[Path], None]] = {
    "missing": Path.unlink, "empty": _holds(b""), "cut short": _half, "no UTF-8": _other_encoding,
    "binary": _holds(b"\0\1" * 99), "a link to itself": _loop, "a folder": _folder,
}  # fmt: skip
JSON = {**ANY, **{f"JSON {text}": _holds(text.encode()) for text in ("[]", "null", "3", '"x"', "{}", "NaN")}}


def without_column(name: str) -> Callable[[Path], None]:
    """Take a column out of a table."""
    return lambda path: _with_cells(path, lambda row: {key: value for key, value in row.items() if key != name})


def with_cell(name: str, text: str) -> Callable[[Path], None]:
    """Put a text into all cells of a column."""
    return lambda path: _with_cells(path, lambda row: {**row, name: text})


def with_value(keys: str, value: object) -> Callable[[Path], None]:
    """Put something else under a key of JSON, given with those above it: ``fit.test``."""

    def change(path: Path) -> None:
        content = json.loads(path.read_text())
        *above, last = keys.split(".")
        place = content
        for key in above:
            place = place[int(key) if isinstance(place, list) else key]
        place[last] = value
        path.write_text(json.dumps(content))

    return change


@contextmanager
def damaged(path: Path, how: Callable[[Path], None]) -> Iterator[None]:
    """Damage a file, and mend it afterwards."""
    whole = path.read_bytes()
    how(path)
    try:
        yield
    finally:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.write_bytes(whole)


def _with_cells(path: Path, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    rows = [change(row) for row in csv.DictReader(io.StringIO(path.read_text()))]
    with path.open("w") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
