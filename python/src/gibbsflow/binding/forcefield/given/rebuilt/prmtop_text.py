"""Text of an AMBER topology by its sections, taken apart and written again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from gibbsflow.units import Floats, Ints

_HEAD = ""
_FORMS = {"a": ("(20a4)", 20, "{:<4}"), "I": ("(10I8)", 10, "{:8d}"), "E": ("(5E16.8)", 5, "{:16.8E}")}


def split(text: str) -> dict[str, str]:
    """Take a topology apart.

    Parameters
    ----------
    text
        Of the file.

    Returns
    -------
    dict
        What stands behind each flag, its format included, by flag; the head by an empty one.
    """
    head, *parts = text.split("%FLAG ")
    return {_HEAD: head} | {part.split(None, 1)[0]: part.split("\n", 1)[1] for part in parts}


def joined(found: Mapping[str, str]) -> str:
    """Write a topology of its sections.

    Parameters
    ----------
    found
        As from :func:`split`.

    Returns
    -------
    str
        Text of the file.
    """
    return "".join([found[_HEAD], *(f"%FLAG {flag:<74}\n{body}" for flag, body in found.items() if flag)])


def words(body: str) -> list[str]:
    """Read names of four letters each.

    Parameters
    ----------
    body
        Of a section.

    Returns
    -------
    list of str
        Without blanks around them.
    """
    lines = _data(body)
    return [line[i : i + 4].strip() for line in lines for i in range(0, len(line.rstrip()), 4)]


def ints(body: str) -> Ints:
    """Read whole numbers.

    Parameters
    ----------
    body
        Of a section.

    Returns
    -------
    ndarray
        Shape (n,).
    """
    return np.array(" ".join(_data(body)).split(), dtype=np.int32)


def floats(body: str) -> Floats:
    """Read numbers.

    Parameters
    ----------
    body
        Of a section.

    Returns
    -------
    ndarray
        Shape (n,).
    """
    return np.array(" ".join(_data(body)).split(), dtype=float)


def section(kind: str, values: Iterable[object] | Sequence[object]) -> str:
    """Write a section.

    Parameters
    ----------
    kind
        ``a`` for names, ``I`` for whole numbers, ``E`` for others.
    values
        Its content.

    Returns
    -------
    str
        With its format.
    """
    form, per_line, pattern = _FORMS[kind]
    cells = [pattern.format(value) for value in values]
    lines = ["".join(cells[i : i + per_line]) for i in range(0, len(cells), per_line)]
    return "\n".join([f"%FORMAT{form}".ljust(80), *(lines or [""]), ""])


def _data(body: str) -> list[str]:
    return body[body.index("%FORMAT") :].split("\n")[1:]
