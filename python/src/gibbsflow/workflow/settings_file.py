"""Files of settings: YAML or JSON whose every key counts once, and whose values are read as people mean them.

YAML 1.1 reads ``0100`` as 64, ``1:30`` as 90, and PyYAML takes the last of two equal keys; here a leading zero and a
colon make no number of another base, a key given twice is refused, and so is what has no place among settings: keys
that are no words, values that hold themselves, files of many megabytes.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from gibbsflow.errors import InputError, Problem

LARGEST_BYTES = 1_000_000
_LARGEST_VALUES = 100_000
_FORM = "a YAML or JSON file of settings"
_NULL, _TRUTH, _INT, _FLOAT = (f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float"))
_MERGE, _TEXT = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:str"


class _Loader(yaml.SafeLoader):
    """Of YAML 1.1 the part that means the same to a reader: no base 60, no base 8 by a leading zero, no dates."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _tag, _pattern, _first in (
    (_TRUTH, r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", [*"yYnNtTfFoO"]),
    (_INT, r"[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F]+|0b[01]+)", [*"-+0123456789"]),
    (_FLOAT, r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)[eE][-+]?[0-9]+", [*"-+0123456789."]),
    (_FLOAT, r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
     [*"-+0123456789."]),
    (_MERGE, r"<<", ["<"]),
    (_NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):  # fmt: skip
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), _first)


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML or JSON file that holds a mapping.

    Parameters
    ----------
    path
        The file, of at most 1 MB; ``.json`` is read as JSON, all else as YAML.

    Returns
    -------
    dict
        Its content; empty for an empty file.

    Raises
    ------
    InputError
        Where it is missing, unreadable, or holds something else, and for every key that is given twice or is no word.
    """
    text = _text(Path(path))
    try:
        content = _json(path, text) if Path(path).suffix == ".json" else _yaml(path, text)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise InputError(_unreadable(path, error)) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(Problem(str(path), f"holds a {type(content).__name__}", "keys with values"))
    return content


def _text(path: Path) -> str:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InputError(Problem(str(path), "is no regular file", _FORM))
        if found.st_size > LARGEST_BYTES:
            what = f"{found.st_size / 1e6:.1f} MB are more than settings can need"
            raise InputError(Problem(str(path), what, f"{_FORM}, of at most {LARGEST_BYTES / 1e6:g} MB"))
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(Problem(str(path), "no such file", _FORM)) from error
    except UnicodeDecodeError as error:
        raise InputError(Problem(str(path), f"not readable: {error}", "YAML or JSON, in UTF-8")) from error
    except OSError as error:
        raise InputError(Problem(str(path), f"not readable: {error.strerror}", _FORM)) from error


def _unreadable(path: Path, error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    row = mark.line + 1 if mark is not None else getattr(error, "lineno", None)
    words = [str(part) for part in (getattr(error, "problem", None), getattr(error, "context", None)) if part]
    said = ", ".join(words) or getattr(error, "msg", "") or str(error)
    if isinstance(error, RecursionError):
        said = "nested too deeply"
    return Problem(str(path), f"not readable: {said}", "YAML or JSON", row=row)


def _json(path: Path, text: str) -> Any:
    problems: list[Problem] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        held: dict[str, Any] = {}
        for key, value in pairs:
            if key in held:
                problems.append(_twice(path, key, None))
            held[key] = value
        return held

    content = json.loads(text, object_pairs_hook=once) if text.strip() else None
    if problems:
        raise InputError(problems)
    return content


def _yaml(path: Path, text: str) -> Any:
    loader = _Loader(text)
    try:
        if (node := loader.get_single_node()) is None:
            return None
        problems: list[Problem] = []
        sizes: dict[int, int] = {}
        _look(node, "", str(path), problems, sizes, ())
        if problems:
            raise InputError(problems)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _look(
    node: yaml.Node, name: str, where: str, problems: list[Problem], sizes: dict[int, int], above: tuple[int, ...]
) -> int:
    """Count the values of a node, those of an alias each time that it is used, and enter keys that are wrong."""
    if id(node) in above:
        raise ConstructorError("", None, f"{name or 'the file'} holds itself", node.start_mark)
    if id(node) in sizes:
        return sizes[id(node)]
    count = 1
    if isinstance(node, yaml.MappingNode):
        seen: set[Hashable] = set()
        for key, value in node.value:
            word = str(key.value) if isinstance(key, yaml.ScalarNode) else "a key"
            own = f"{name}.{word}" if name else word
            row = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.tag not in (_TEXT, _MERGE):
                problems.append(Problem(where, "is no word", "a name, in quotes where need be", row=row, field=own))
            elif word in seen:
                problems.append(_twice(Path(where), own, row))
            seen.add(word)
            count += _look(value, own if key.tag != _MERGE else name, where, problems, sizes, (*above, id(node)))
    elif isinstance(node, yaml.SequenceNode):
        count += sum(_look(item, name, where, problems, sizes, (*above, id(node))) for item in node.value)
    if count > _LARGEST_VALUES:
        raise ConstructorError("", None, f"more than {_LARGEST_VALUES} values, with aliases", node.start_mark)
    sizes[id(node)] = count
    return count


def _twice(path: Path, field: str, row: int | None) -> Problem:
    return Problem(str(path), "given twice", "once: all of a section below one key", row=row, field=field)
