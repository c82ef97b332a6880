"""Topologies of GROMACS with the files that they include, as one text: from their own folder alone, and bounded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from gibbsflow.errors import InputError, Problem, shown
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text

RIGHT = "a GROMACS topology (top) with its includes in its folder; `gmx grompp -pp` writes one without includes"
MOST_FILES, DEEPEST = 200, 16
_INCLUDE = re.compile(r'#include\s+["<]([^">]+)[">]')


class _Reader:
    """Goes through the files as a preprocessor does, conditions included; macros are left to who reads the text."""

    def __init__(self, top: Path, beside: Mapping[str, Path], field: str) -> None:
        self.home, self.field, self.beside = top.parent.resolve(), field, beside
        self.defined: set[str] = set()
        self.files: list[Path] = []
        self.lines: list[str] = []
        self.size = 0

    def take(self, path: Path, within: PurePosixPath, depth: int) -> None:
        if depth > DEEPEST or len(self.files) > MOST_FILES:
            what = f"includes nested deeper than {DEEPEST}, or more than {MOST_FILES} of them"
            raise InputError(Problem(str(path), what, RIGHT, field=self.field))
        text = read_text(path, RIGHT, STRUCTURE_BYTES, field=self.field, errors="replace")
        self.size += len(text)
        if self.size > STRUCTURE_BYTES:
            raise InputError(Problem(str(path), "too large with its includes", RIGHT, field=self.field))
        taken: list[bool] = []
        for number, line in enumerate(text.split("\n"), start=1):
            words = line.split(";", 1)[0].split()
            command = words[0] if words and words[0].startswith("#") else ""
            if command in ("#ifdef", "#ifndef") and len(words) > 1:
                taken.append((words[1] in self.defined) == (command == "#ifdef"))
            elif command in ("#else", "#endif"):
                if not taken:
                    raise InputError(Problem(str(path), f"{command} without #ifdef", RIGHT, number, self.field))
                was = taken.pop()
                taken += [not was] if command == "#else" else []
            elif all(taken):
                self._line(path, within, depth, number, line, command, words)
        if taken:
            raise InputError(Problem(str(path), "#ifdef without #endif", RIGHT, field=self.field))

    def _line(
        self, path: Path, within: PurePosixPath, depth: int, number: int, line: str, command: str, words: list[str]
    ) -> None:
        if command == "#include":
            found = _INCLUDE.match(line.strip())
            if found is None:
                raise InputError(Problem(str(path), f"{shown(line)} names no file", RIGHT, number, self.field))
            inner, place = self._find(path, within, found[1], number)
            self.files.append(inner)
            self.take(inner, place, depth + 1)
            return
        if command == "#define" and len(words) > 1:
            self.defined.add(words[1])
        elif command == "#undef" and len(words) > 1:
            self.defined.discard(words[1])
        elif command:
            raise InputError(Problem(str(path), f"{shown(command)} is not known", RIGHT, number, self.field))
        self.lines.append(line)

    def _find(self, path: Path, within: PurePosixPath, name: str, number: int) -> tuple[Path, PurePosixPath]:
        place = PurePosixPath(name)
        if place.name in self.beside:
            return self.beside[place.name], PurePosixPath(place.name)
        parts: list[str] = []
        for part in (within.parent / place).parts:
            if part == ".." and parts:
                parts.pop()
            else:
                parts.append(part)
        inner = self.home.joinpath(*parts)
        if place.is_absolute() or ".." in parts or not inner.resolve().is_relative_to(self.home):
            what = f"includes {shown(name)}, which is outside its folder"
            raise InputError(Problem(str(path), what, RIGHT, number, self.field))
        if not inner.is_file():
            what = f"includes {shown(name)}, which is not in its folder"
            raise InputError(Problem(str(path), what, RIGHT, number, self.field))
        return inner, PurePosixPath(*parts)


def flattened(top: Path, beside: Sequence[Path] = (), *, field: str = "complex_topology") -> tuple[str, list[Path]]:
    """Read a topology and all that it includes.

    Parameters
    ----------
    top
        The topology.
    beside
        Included files that lie elsewhere, known by their names, such as those that a task was given.
    field
        Column or option that names it.

    Returns
    -------
    text
        Without includes and conditions; macros are still to be replaced.
    files
        What was included, in order.

    Raises
    ------
    InputError
        For what is missing or outside the topology's folder, and beyond the bounds.
    """
    reader = _Reader(Path(top), {path.name: path for path in beside}, field)
    reader.take(Path(top), PurePosixPath(Path(top).name), 0)
    files = list(dict.fromkeys(reader.files))
    names = [path.name for path in files]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        what = f"includes two files of the name {twice[0]}"
        raise InputError(Problem(str(top), what, "names that differ, or one file by `gmx grompp -pp`", field=field))
    return "\n".join(reader.lines) + "\n", files
