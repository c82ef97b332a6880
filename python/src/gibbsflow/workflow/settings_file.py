"""Files of settings: YAML or JSON whose every key counts once, and whose values are read as people mean them.

YAML 1.1 reads ``0100`` as 64, ``1:30`` as 90 and ``1_0`` as 10, and PyYAML takes the last of two equal keys; here a
number is written in decimal digits or it is text, a key given twice is refused, and so is what has no place among
settings: keys that are no words, values that hold themselves, tags, sections in sections without end, large files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from gibbsflow.errors import InputError, Problem, one_line
from gibbsflow.workflow.input_files import SETTINGS_BYTES, read_text

MOST_VALUES = 100_000
"""Values of a file, those of an alias counted each time that it is used."""
MOST_NESTED = 32
_FORM = "a YAML or JSON file of settings"
_NULL, _TRUTH, _INT, _FLOAT = (f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float"))
_MERGE, _TEXT = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:str"
_MAP, _LIST = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"


class _Loader(yaml.SafeLoader):
    """Of YAML 1.1 the part that means the same to a reader: decimal numbers, no dates, no infinity, no tags."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    nested = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node, within so many others at most."""
        self.nested += 1
        if self.nested > MOST_NESTED:
            raise ConstructorError("", None, _too_deep(), self.get_mark())
        node = super().compose_node(parent, index)
        self.nested -= 1
        return node


for _tag, _pattern, _first in (
    (_TRUTH, r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", [*"yYnNtTfFoO"]),
    (_INT, r"[-+]?(?:0|[1-9][0-9]*)", [*"-+0123456789"]),
    (_FLOAT, r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+", [*"-+0123456789."]),
    (_MERGE, r"<<", ["<"]),
    (_NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})\\Z"), _first)


def read_mapping(path: Path, right: str = _FORM, *, field: str | None = None) -> dict[str, Any]:
    """Read a YAML or JSON file that holds a mapping.

    Parameters
    ----------
    path
        The file, of at most 0.2 MB; ``.json`` is read as JSON, all else as YAML.
    right
        What it should be, for messages.
    field
        Setting that names it.

    Returns
    -------
    dict
        Its content; empty for an empty file.

    Raises
    ------
    InputError
        Where it is missing, unreadable, or holds something else, and for every key that is given twice or is no word.
    """
    path = Path(path)
    text = read_text(path, right, SETTINGS_BYTES, field=field)
    try:
        content = parse_json(text, path) if path.suffix.lower() == ".json" else _yaml(path, text)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise InputError(_unreadable(path, error, right, field)) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(Problem(str(path), f"holds a {type(content).__name__}", "keys with values", field=field))
    return content


def parse_json(text: str, path: Path, *, number: Callable[[str], Any] = float) -> Any:
    """Read JSON whose every key counts once.

    Parameters
    ----------
    text
        The JSON; None comes of an empty one.
    path
        Where it is from, for messages.
    number
        What a number with a point or an exponent becomes.

    Returns
    -------
    Any
        Its content.

    Raises
    ------
    InputError
        For every key that is given twice.
    ValueError
        For what is no JSON, NaN and infinity, which are none, among it.
    RecursionError
        For what is nested too deeply.
    """
    problems: list[Problem] = []

    def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        held: dict[str, Any] = {}
        for key, value in pairs:
            if key in held:
                problems.append(_twice(path, key, None))
            held[key] = value
        return held

    def _never(word: str) -> Any:
        raise ValueError(f"{word} is no number of JSON")

    content = None
    if text.strip():
        content = json.loads(text, object_pairs_hook=_once, parse_constant=_never, parse_float=number)
    if problems:
        raise InputError(problems)
    _hold_to_depth(content, 0)
    return content


def _hold_to_depth(content: Any, nested: int) -> None:
    if nested >= MOST_NESTED:
        raise RecursionError
    if isinstance(content, dict | list):
        for item in content.values() if isinstance(content, dict) else content:
            _hold_to_depth(item, nested + 1)


def _too_deep() -> str:
    return f"nested too deeply (at most {MOST_NESTED} levels)"


def _unreadable(path: Path, error: Exception, right: str, field: str | None) -> Problem:
    mark = getattr(error, "problem_mark", None)
    row = mark.line + 1 if mark is not None else getattr(error, "lineno", None)
    words = [str(part) for part in (getattr(error, "problem", None), getattr(error, "context", None)) if part]
    said = ", ".join(words) or getattr(error, "msg", "") or str(error)
    if isinstance(error, RecursionError):
        said = _too_deep()
    return Problem(str(path), f"not readable: {one_line(said, 200)}", right, row=row, field=field)


def _yaml(path: Path, text: str) -> Any:
    loader = _Loader(text)
    try:
        if (node := loader.get_single_node()) is None:
            return None
        problems: list[Problem] = []
        _look(loader, node, "", str(path), problems, {}, ())
        if problems:
            raise InputError(problems)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _look(
    loader: _Loader,
    node: yaml.Node,
    name: str,
    where: str,
    problems: list[Problem],
    seen: dict[int, tuple[int, int]],
    above: tuple[int, ...],
) -> tuple[int, int]:
    """Count values and levels of a node, those of an alias each time that it is used, and enter keys that are wrong."""
    if id(node) in above:
        raise ConstructorError("", None, f"{one_line(name) or 'the file'} holds itself", node.start_mark)
    if id(node) in seen:
        return seen[id(node)]
    parts: list[tuple[yaml.Node, str]] = []
    if isinstance(node, yaml.MappingNode):
        words: set[Hashable] = set()
        for key, value in node.value:
            word = str(key.value) if isinstance(key, yaml.ScalarNode) else "a key"
            own = f"{name}.{word}" if name else word
            row = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.tag not in (_TEXT, _MERGE):
                problems.append(Problem(where, "is no word", "a name, in quotes where need be", row=row, field=own))
            elif word in words:
                problems.append(_twice(Path(where), own, row))
            words.add(word)
            parts.append((value, own if key.tag != _MERGE else name))
    elif isinstance(node, yaml.SequenceNode):
        parts = [(item, name) for item in node.value]
    plain = (_MAP, _LIST, _TEXT)
    if node.tag not in plain and node.tag != _plain_tag(loader, node):
        raise ConstructorError("", None, f"the tag {one_line(node.tag)} has no place here", node.start_mark)
    found = [_look(loader, part, own, where, problems, seen, (*above, id(node))) for part, own in parts]
    count, levels = 1 + sum(size for size, _ in found), 1 + max((depth for _, depth in found), default=0)
    if count > MOST_VALUES:
        raise ConstructorError("", None, f"more than {MOST_VALUES} values, with aliases", node.start_mark)
    if levels > MOST_NESTED:
        raise ConstructorError("", None, _too_deep(), node.start_mark)
    seen[id(node)] = count, levels
    return count, levels


def _plain_tag(loader: _Loader, node: yaml.Node) -> str:
    """Tag of a node's value where it stands without quotes and without a tag."""
    return str(loader.resolve(type(node), node.value, (True, False)))  # type: ignore[no-untyped-call]


def _twice(path: Path, field: str, row: int | None) -> Problem:
    return Problem(str(path), "given twice", "once: all of a section below one key", row=row, field=field)
