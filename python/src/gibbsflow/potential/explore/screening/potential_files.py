"""Files of classical potentials: which elements they know, told before LAMMPS reads them.

Formats: pair styles ``sw``, ``tersoff`` and ``eam/alloy`` (``eam/fs``) of LAMMPS' manual. The first two have an entry
for each ordered triple of elements, the last names its elements in line 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

from ase.data import atomic_numbers

from gibbsflow.errors import InputError, Problem

_WORDS = {"sw": 14, "tersoff": 17}
"""Words of an entry: three elements and the parameters."""
_HEADER = 3
"""Lines of comment before the elements of an ``eam`` file."""
_FIELD = "surrogate.pair_file"


def require_elements(path: Path, style: str, elements: Sequence[str]) -> None:
    """Refuse a file that is not of a style, or does not know all elements.

    Parameters
    ----------
    path
        File of the potential.
    style
        ``sw``, ``tersoff``, ``eam/alloy`` or ``eam/fs``.
    elements
        All elements of the structures.

    Raises
    ------
    InputError
        Naming the file, what it lacks and what it has.
    """
    if not path.is_file():
        right = "a file of a potential, beside the settings"
        raise InputError(Problem(str(path), "no such file", right, field=_FIELD))
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if style in _WORDS:
        _require_triples(path, style, lines, elements)
    else:
        _require_header(path, style, lines, elements)


def _require_triples(path: Path, style: str, lines: Sequence[str], elements: Sequence[str]) -> None:
    words, size = " ".join(line.partition("#")[0] for line in lines).split(), _WORDS[style]
    entries = [words[start : start + size] for start in range(0, len(words), size)]
    right = f"a file of pair_style {style}: three elements and {size - 3} numbers an entry"
    for number, entry in enumerate(entries, 1):
        if len(entry) < size or not all(_is_number(word) for word in entry[3:]) or any(map(_is_number, entry[:3])):
            what = f"entry {number} begins with {' '.join(entry[:4])!r} and has {len(entry)} words"
            raise InputError(Problem(str(path), what, right, field=_FIELD))
    known = {tuple(entry[:3]) for entry in entries}
    if alien := sorted(set(elements) - {triple[0] for triple in known if len(set(triple)) == 1}):
        raise InputError(_alien(path, style, alien, sorted({word for triple in known for word in triple})))
    if missing := [triple for triple in product(sorted(elements), repeat=3) if triple not in known]:
        what = f"has no entry for {', '.join(' '.join(triple) for triple in missing[:4])}"
        raise InputError(Problem(str(path), what, "an entry for every three of the elements", field=_FIELD))


def _require_header(path: Path, style: str, lines: Sequence[str], elements: Sequence[str]) -> None:
    header = lines[_HEADER].split() if len(lines) > _HEADER else []
    known = header[1:]
    if not known or header[0] != str(len(known)) or not all(symbol in atomic_numbers for symbol in known):
        what = f"line {_HEADER + 1} is {' '.join(header)[:60]!r}"
        right = f"a file of pair_style {style}, whose line {_HEADER + 1} is a number and as many elements: 2 Cu Ni"
        raise InputError(Problem(str(path), what, right, field=_FIELD))
    if alien := sorted(set(elements) - set(known)):
        raise InputError(_alien(path, style, alien, known))


def _alien(path: Path, style: str, alien: Sequence[str], known: Sequence[str]) -> Problem:
    what = f"knows {', '.join(known) or 'no element'} and not {', '.join(alien)}"
    return Problem(str(path), what, f"a file of pair_style {style} that knows {', '.join(alien)} too", field=_FIELD)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
