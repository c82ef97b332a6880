"""Rows of a GROMACS topology that ParmEd passes over or counts otherwise than GROMACS: mended, told of or refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

_SECTIONS = frozenset(
    "defaults atomtypes bondtypes constrainttypes angletypes dihedraltypes cmaptypes pairtypes nonbond_params "
    "implicit_genborn_params moleculetype atoms bonds pairs angles dihedrals cmap settles virtual_sites3 dummies3 "
    "exclusions position_restraints system molecules".split()
)
"""What ParmEd reads of a GROMACS topology, and what moves nothing here."""
_ATOM, _TORSION, _TYPES, _BARE_ATOM = 8, 8, 8, 6
"""Words of a row with all numbers: of an atom in one state, of a torsion, of a torsion's types; and of an atom without
charge and mass."""
_FUNCTIONS = {
    "bonds": (2, "1"), "pairs": (2, "1"), "angles": (3, "15"), "dihedrals": (4, "12349"), "cmap": (5, "1"),
    "settles": (1, "1"), "virtual_sites3": (4, "1"), "dummies3": (4, "1"),
}  # fmt: skip
"""Word of a row that is its function, and those that ParmEd has a form for."""
_PAIR, _OWN_PAIR = 3, 5
"""Words of a row of a pair, and of one with numbers of its own."""
_ROUNDED_NM = 8e-6
"""What a length of a pair may differ by from that of its types: it is computed as theirs."""


@dataclass
class GromacsRows:
    """A topology without macros, row by row.

    Attributes
    ----------
    lines
        As ParmEd is to read them.
    problems
        What GROMACS computes and ParmEd would not.
    restrained, second_states
        Atoms by molecule that are held to their places, and that have a state B; neither is computed here.
    unnumbered
        Types of atoms without an atomic number, as acpype writes them.
    """

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    restrained: dict[str, int] = field(default_factory=dict)
    second_states: dict[str, int] = field(default_factory=dict)
    unnumbered: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        """Text of the topology.

        Returns
        -------
        str
            With a line a row.
        """
        return "\n".join(self.lines) + "\n"


def gromacs_rows(lines: Iterable[str]) -> GromacsRows:
    """Go through a topology.

    Parameters
    ----------
    lines
        Of the whole topology, without comments, conditions and macros.

    Returns
    -------
    GromacsRows
        In which torsions that give their own numbers are of function 1, which is 9 term by term: of equal rows ParmEd
        would take one, and refuse two of one periodicity. Atoms without a charge have that of their type, which ParmEd
        takes for none.
    """
    found, sections, molecule = GromacsRows(), [""], ""
    held: dict[str, set[str]] = {}
    second: dict[str, set[str]] = {}
    pairs: dict[str, list[frozenset[str]]] = {}
    types: dict[tuple[str, ...], set[tuple[float, ...]]] = {}
    present: set[str] = set()
    lengths = _Lengths()
    strange_rows: dict[str, list[str]] = {}
    charges: dict[str, str] = {}
    torsions: set[tuple[str, ...]] = set()
    for line in lines:
        words, section = line.split(), sections[-1]
        if words and words[0].startswith("["):
            sections.append(line.split("]")[0].strip("[ \t"))
        elif words and section == "moleculetype":
            molecule = words[0]
        elif words and section == "molecules":
            if words[1:2] == ["0"]:
                continue  # none of them, which ParmEd refuses
            present.add(words[0])
        elif words and (told := _strange_function(section, words)):
            strange_rows.setdefault(f"[ {section} ] of {molecule}", []).append(told)
        elif section == "position_restraints" and words and not _idle(words):
            held.setdefault(molecule, set()).add(words[0])
        elif section == "atoms" and len(words) > 1:
            lengths.types[molecule, words[0]] = words[1]
            if len(words) > _ATOM:
                second.setdefault(molecule, set()).add(words[0])
            elif len(words) == _BARE_ATOM and words[1] in charges:
                words.append(charges[words[1]])
        elif section == "atomtypes" and len(words) > _particle(words):
            charges[words[0]] = words[_particle(words) - 1]
            lengths.nm[words[0]] = words[-2]
            if not _numbered(words):
                found.unnumbered.add(words[0])
        elif section == "pairtypes" and len(words) >= _OWN_PAIR:
            lengths.pairs[frozenset(words[:2])] = words[3:5]
        elif section == "pairs" and len(words) > 1:
            pairs.setdefault(molecule, []).append(frozenset(words[:2]))
            words = lengths.with_numbers(molecule, words)
            lengths.check(molecule, words)
        elif section == "dihedraltypes" and len(words) >= _TYPES and words[4] in ("1", "4", "9"):
            row = min(tuple(words[:4]), tuple(words[3::-1]))
            types.setdefault((*row, words[4], words[7]), set()).add((float(words[5]), float(words[6])))
            torsions |= {row} if words[4] != "4" else set()
        elif section == "dihedrals" and len(words) >= _TORSION and words[4] == "9":
            words[4] = "1"
        elif section == "defaults" and len(words) > 2:  # noqa: PLR2004
            words[2] = "yes" if words[2][:1] in "yY" else "no"
            lengths.mean = words[1] == "2"
        found.lines.append(" ".join(words))
    strange = [f"[ {one} ]" for one in dict.fromkeys(sections[1:]) if one not in _SECTIONS]
    found.problems += [f"has {', '.join(strange)}"] if strange else []
    strange_rows |= {f"[ pairs ] of {name}": rows for name, rows in lengths.strange.items() if name in present}
    for place, rows in strange_rows.items():
        found.problems.append(f"{place}: {rows[0]}" + (f", and {len(rows) - 1} more" if rows[1:] else ""))
    for name in [name for name in pairs if name in present]:
        if twice := next((pair for pair, times in Counter(pairs[name]).items() if times > 1), None):
            found.problems.append(f"counts the pair {' '.join(sorted(twice))} of {name} twice")
    for kind, numbers in types.items():
        if len(numbers) > 1:
            found.problems.append(f"has several torsions of periodicity {kind[5]} for the types {' '.join(kind[:4])}")
    if fitted := _matched_twice(torsions):
        found.problems.append(f"has two rows of types with one X each for torsions {fitted}")
    found.restrained = {name: len(atoms) for name, atoms in held.items() if name in present}
    found.second_states = {name: len(atoms) for name, atoms in second.items() if name in present}
    return found


@dataclass
class _Lengths:
    """What says how long the σ of a pair is: of types, the type of each atom by molecule, and pairs of types.

    `mean` says whether σ of two types is their mean; `strange` are by molecule the rows of pairs with another one,
    which AMBER's form does not hold.
    """

    nm: dict[str, str] = field(default_factory=dict)
    types: dict[tuple[str, str], str] = field(default_factory=dict)
    pairs: dict[frozenset[str], list[str]] = field(default_factory=dict)
    mean: bool = False
    strange: dict[str, list[str]] = field(default_factory=dict)

    def _types(self, molecule: str, words: Sequence[str]) -> list[str]:
        return [self.types.get((molecule, atom), "") for atom in words[:2]]

    def with_numbers(self, molecule: str, words: list[str]) -> list[str]:
        """Give a row of a pair what [ pairtypes ] has for its types, as GROMACS does by their own names."""
        own = self.pairs.get(frozenset(self._types(molecule, words)))
        return [*words, *own] if own is not None and len(words) == _PAIR else words

    def check(self, molecule: str, words: Sequence[str]) -> None:
        if len(words) < _OWN_PAIR or not self.mean:
            return
        try:
            own, depth = float(words[3]), float(words[4])
            theirs = sum(float(self.nm[kind]) for kind in self._types(molecule, words)) / 2
        except (ValueError, KeyError):  # ParmEd tells of a word that is no number, and of a type that is not there
            return
        if depth and abs(own - theirs) > _ROUNDED_NM:
            told = f"the row {' '.join(words)} has a σ of its own, where that of its types is {theirs:.6g} nm"
            self.strange.setdefault(molecule, []).append(told)


def _strange_function(section: str, words: Sequence[str]) -> str:
    """Say of which function a row is that is not computed here; empty for others."""
    place, known = _FUNCTIONS.get(section, (0, ""))
    function = words[place] if place and len(words) > place else ""
    return f"the row {' '.join(words)} is of function {function}" if function and function not in known else ""


def _matched_twice(rows: Collection[tuple[str, ...]]) -> str:
    """Types of a torsion that two rows fit, X at other ends: GROMACS takes the first of them, ParmEd always one."""
    ways = {way for row in rows for way in (row, row[::-1])}
    lasts: dict[tuple[str, ...], list[str]] = {}
    for way in sorted(ways):
        if way[0] == "X" and "X" not in way[1:]:
            lasts.setdefault(way[1:3], []).append(way[3])
    for way in sorted(ways):
        if way[3] == "X" and way[0] != "X":
            for last in lasts.get(way[1:3], ()):
                if (*way[:3], last) not in ways:
                    return " ".join((*way[:3], last))
    return ""


def _numbered(words: Sequence[str]) -> bool:
    """Whether a type of atoms has an atomic number."""
    particle = _particle(words)
    return particle == 5 or (particle == 4 and words[1].isdigit())  # noqa: PLR2004


def _particle(words: Sequence[str]) -> int:
    """Place of the kind of particle in a type of atoms: name, [bonded type], [number], mass, charge, particle, σ, ε."""
    return next((place for place in (3, 4, 5) if words[place : place + 1] and words[place].isalpha()), 3)


def _idle(words: Sequence[str]) -> bool:
    """Whether a row of position restraints has no force: of type 2, a flat bottom, the last number is the constant."""
    constants = words[-1:] if words[1:2] == ["2"] else words[2:]
    return bool(constants) and all(re.fullmatch(r"[+-]?0*\.?0*(e[+-]?\d+)?", one, re.IGNORECASE) for one in constants)
