"""Residues of a protein's file: chains told apart, one alternate location each, every choice entered in the account."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gibbsflow.binding.prepare.protein.atom_records import AtomRecord, StructureFile, read_structure
from gibbsflow.binding.prepare.protein.repeats import without_repeats
from gibbsflow.binding.prepare.protein.residue_names import (
    AMINO_ACIDS,
    CAPS,
    PHOSPHORYLATED,
    WATERS,
    hydrogens_of,
    parent_of,
    standard_atom,
)
from gibbsflow.errors import InputError, Problem, first_few
from gibbsflow.workflow.account import Account

LONGEST_PEPTIDE_BOND_ANGSTROM = 2.0
"""C and N farther apart than this are not bonded; a peptide bond has 1.33 Å."""
JOINED_ALPHA_CARBONS_ANGSTROM = 4.3
"""CA of neighbours, 3.8 Å apart or 2.9 Å across a cis bond: it decides where C or N is missing and will be built."""
HYDROGEN_AT_ANGSTROM = 1.5
"""A hydrogen is at the nearest heavy atom of its residue within this; S-H has 1.34 Å."""
BLANK = "_"
"""What an alternate location is called that has no label beside one that has."""
_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class Residue:
    """One residue of a protein's file.

    Attributes
    ----------
    chain, number, name
        As in the file where it tells chains apart; the number carries its insertion code.
    hetero
        Whether it stands in HETATM records.
    atoms
        Names with element and coordinates in Å.
    line
        Where it begins in the file; 0 where that is not known.
    read_as
        Its label in the file, where its chain was given another name.
    """

    chain: str
    number: str
    name: str
    hetero: bool
    atoms: dict[str, tuple[str, tuple[float, float, float]]]
    line: int = 0
    read_as: str = ""

    @property
    def label(self) -> str:
        """What ``site`` calls it.

        Returns
        -------
        str
            CHAIN:NUMBER.
        """
        return f"{self.chain}:{self.number}"

    @property
    def called(self) -> str:
        """What messages call it.

        Returns
        -------
        str
            NAME CHAIN:NUMBER.
        """
        return f"{self.name} {self.label}"

    def is_named(self, entry: str) -> bool:
        """Tell whether one entry of a site means this residue.

        Parameters
        ----------
        entry
            CHAIN:NUMBER or a residue name, that of the amino acid or of its protonation state.

        Returns
        -------
        bool
            True where it does.
        """
        return entry in (self.label, self.name, parent_of(self.name))

    def heavy(self) -> list[tuple[float, float, float]]:
        """Give the coordinates of all atoms but hydrogen.

        Returns
        -------
        list of (float, float, float)
            In Å.
        """
        return [xyz for element, xyz in self.atoms.values() if element != "H"]


def read_residues(path: Path) -> list[Residue]:
    """Read the residues of the first model of a protein's file, without a word on what was chosen.

    Parameters
    ----------
    path
        PDB or mmCIF.

    Returns
    -------
    list of Residue
        In the order of the file, waters and ligands included.

    Raises
    ------
    InputError
        Where a coordinate record cannot be read, naming its line.
    """
    return residues_of(read_structure(path), Account(str(path)), {})


def residues_of(structure: StructureFile, account: Account, altlocs: Mapping[str, str]) -> list[Residue]:
    """Make residues of records: tell chains apart and take one alternate location of each residue.

    Parameters
    ----------
    structure
        The records.
    account
        Takes models, chains and alternate locations.
    altlocs
        Label to take, by CHAIN:NUMBER; for the others the highest mean occupancy counts, at a tie the first label.

    Returns
    -------
    list of Residue
        In the order of the file.
    """
    if structure.models > 1:
        account.note(f"{structure.models} models: the first is taken")
    if structure.beside:
        account.warn(
            f"{structure.beside} of the further models lie beside the first or have other atoms, and are left out",
            "chains of an assembly in one model, each with its identifier, if they belong to it",
        )
    if structure.deuterium:
        account.note(f"{structure.deuterium} atoms of deuterium are taken as hydrogen")
    empty = sum(atom.occupancy == 0 and atom.element != "H" for atom in structure.atoms)
    if 0 < empty < sum(atom.element != "H" for atom in structure.atoms):
        account.note(f"{empty} heavy atoms have occupancy 0: their places are a guess of the file's, and are taken")
    named = _chains(without_repeats(structure.atoms, account), account)
    residues: list[Residue] = []
    told: list[str] = []
    wanted = dict(altlocs)
    for (chain, number), atoms in named.items():
        label = f"{chain}:{number}"
        asked, chosen = wanted.pop(label, None), list[AtomRecord]()
        groups = _by_place(atoms)
        for group in groups:
            own_asked = asked if len(groups) == 1 or any(a.altloc == asked for a in group) else None
            taken, said = _one_location(label, group, own_asked, account)
            chosen += taken
            if said:
                told.append(said)
        for name in dict.fromkeys(a.residue for a in chosen):
            own = [a for a in chosen if a.residue == name]
            if name in WATERS:  # without the sites of TIP4P and its like, which are no atoms
                own = [a for a in own if a.element in ("O", "H")] or own
            polymer = name in AMINO_ACIDS or name in PHOSPHORYLATED
            atoms_named = [standard_atom(name, a.name, a.element) if polymer else a.name for a in own]
            if name in AMINO_ACIDS - CAPS:
                atoms_named = _named_by_place(own, atoms_named)
            kept: dict[str, tuple[str, tuple[float, float, float]]] = {}
            for a, atom in zip(own, atoms_named, strict=True):
                if atom in kept and a.element != "H":
                    what = f"two atoms of {name} {label} mean {atom}, the second by the name {a.name}"
                    account.refuse(what, "each atom once", row=a.line)
                kept.setdefault(atom, (a.element, a.xyz))
            read_as = f"{own[0].chain}:{number}"
            residues.append(
                Residue(chain, number, name, own[0].hetero, kept, own[0].line, "" if read_as == label else read_as)
            )
    if told:
        account.facts["alternate_locations"] = told
        account.note(f"alternate locations: {first_few(told, between='; ')}")
    for label in wanted:
        account.refuse(f"altloc names {label}, which is no residue of it", "CHAIN:NUMBER of a residue", field="altloc")
    account.facts["residues_read"] = len(residues)
    account.facts["atoms_read"] = len(structure.atoms)
    account.facts["chains"] = list(dict.fromkeys(r.chain for r in residues))
    return residues


def _named_by_place(atoms: Sequence[AtomRecord], names: Sequence[str]) -> list[str]:
    """Names of the atoms of one amino acid; hydrogens whose names do not tell it by the heavy atom that they are at."""
    hydrogens = [k for k, a in enumerate(atoms) if a.element == "H"]
    heavy = [k for k, a in enumerate(atoms) if a.element != "H"]
    named = list(names)
    if not hydrogens or not heavy:
        return named
    places = np.array([a.xyz for a in atoms])
    away = np.linalg.norm(places[hydrogens][:, None] - places[heavy][None], axis=2)
    held: dict[int, list[int]] = {}
    for k, distances in zip(hydrogens, away, strict=True):
        if distances.min() < HYDROGEN_AT_ANGSTROM:
            held.setdefault(heavy[int(distances.argmin())], []).append(k)
    for parent, own in held.items():
        for k, name in zip(own, hydrogens_of(names[parent], [names[k] for k in own]), strict=True):
            named[k] = name
    return named


def _chains(atoms: Sequence[AtomRecord], account: Account) -> dict[tuple[str, str], list[AtomRecord]]:
    """Atoms by chain and number; stretches that repeat a number are chains of their own."""
    used = {a.chain for a in atoms if len(a.chain) == 1}
    free = [letter for letter in _LETTERS if letter not in used]
    longer = dict.fromkeys(a.chain for a in atoms if len(a.chain) > 1)
    own_name: dict[str, str] = {}
    for chain in ["", *longer]:
        if any(a.chain == chain for a in atoms):
            own_name[chain] = _next(free, account)
            if chain:
                account.note(f"chain {chain} is called {own_name[chain]}: PDB files have one letter for it")
    found: dict[tuple[str, str], list[AtomRecord]] = {}
    seen: set[tuple[str, str, str, str]] = set()
    names: dict[tuple[str, str], set[str]] = {}
    for stretch in _stretches(atoms):
        first = stretch[0]
        base = own_name.get(first.chain, first.chain)
        polymer = [a for a in stretch if a.residue in AMINO_ACIDS or not a.hetero]

        def clashes(name: str, stretch: list[AtomRecord] = stretch) -> bool:
            return any((name, a.number, a.altloc, a.name) in seen for a in stretch)

        name = next((n for n in [base, *sorted(names.get((first.chain, ""), ()))] if not clashes(n)), "")
        if not name:
            name = _next(free, account)
            names.setdefault((first.chain, ""), set()).add(name)
            if polymer:
                same = f"has the identifier {first.chain} and" if first.chain else "has no identifier and"
                account.note(
                    f"the chain that begins at {first.residue} {first.number} (line {first.line}) {same} repeats "
                    f"residue numbers: it is called {name}"
                )
        for a in stretch:
            seen.add((name, a.number, a.altloc, a.name))
            found.setdefault((name, a.number), []).append(a)
    return found


def _stretches(atoms: Sequence[AtomRecord]) -> Iterable[list[AtomRecord]]:
    """Cut where a chain may end: at TER, another identifier, a number that goes back, an atom that comes again."""
    stretch: list[AtomRecord] = []
    here: set[tuple[str, str, str]] = set()
    for a in atoms:
        key = (a.number, a.altloc, a.name)
        if stretch:
            last = stretch[-1]
            other = (a.run, a.chain, a.segment) != (last.run, last.chain, last.segment)
            if other or _integer(a.number) < _integer(last.number) or key in here:
                yield stretch
                stretch, here = [], set()
        stretch.append(a)
        here.add(key)
    if stretch:
        yield stretch


def _integer(number: str) -> int:
    match = re.match(r"-?\d+", number)
    return int(match[0]) if match else 0


def _next(free: list[str], account: Account) -> str:
    if not free:
        right = "a file with the chains that line the site"
        raise InputError(Problem(account.where, f"more than {len(_LETTERS)} chains", right, field="receptor"))
    return free.pop(0)


def _by_place(atoms: list[AtomRecord]) -> list[list[AtomRecord]]:
    """Atoms of one number, apart where residues of two names lie apart: a ligand that has an amino acid's number."""
    groups: list[list[AtomRecord]] = []
    for name in dict.fromkeys(a.residue for a in atoms):
        own = [a for a in atoms if a.residue == name]
        places = np.array([a.xyz for a in own])
        for group in groups:
            away = np.linalg.norm(places[:, None] - np.array([a.xyz for a in group])[None], axis=2)
            if away.min() < LONGEST_PEPTIDE_BOND_ANGSTROM:
                group += own
                break
        else:
            groups.append(own)
    return groups


def _one_location(
    label: str, atoms: list[AtomRecord], wanted: str | None, account: Account
) -> tuple[list[AtomRecord], str]:
    """Atoms of one alternate location, those without one included, and what was chosen, in words."""
    by_label: dict[str, list[float]] = {}
    labelled = {a.name for a in atoms if a.altloc}
    # one without a label whose name comes again with one is a location as well
    atoms = [replace(a, altloc=BLANK) if not a.altloc and a.name in labelled else a for a in atoms]
    for a in atoms:
        if a.altloc:
            by_label.setdefault(a.altloc, []).append(a.occupancy)
    if wanted is not None and wanted not in by_label:
        there = ", ".join(sorted(by_label)) or "none"
        account.refuse(f"altloc asks for {wanted} of {label}, which has {there}", "one that is there", field="altloc")
    if not by_label:
        return atoms, ""
    mean = {location: sum(values) / len(values) for location, values in by_label.items()}
    best = wanted if wanted in by_label else min(mean, key=lambda location: (-round(mean[location], 4), location))
    chosen = [a for a in atoms if a.altloc in ("", best)]
    residue = next(a.residue for a in atoms if a.altloc == best)
    chosen = [a for a in chosen if a.residue == residue]
    taken = {a.name for a in chosen}
    rest: dict[str, AtomRecord] = {}
    for a in atoms:  # an atom that has other locations alone
        if a.residue == residue and a.name not in taken and a.occupancy > getattr(rest.get(a.name), "occupancy", -1.0):
            rest[a.name] = a
    rest = {name: a for name, a in rest.items() if a.element != "H"}
    chosen = sorted([*chosen, *rest.values()], key=lambda a: atoms.index(a))
    if len(by_label) == 1:
        return chosen, ""
    others = ", ".join(
        f"{location} {next(a.residue for a in atoms if a.altloc == location)} {mean[location]:.2f}"
        for location in sorted(by_label)
        if location != best
    )
    why = "as asked" if wanted else "highest occupancy" if mean[best] > sorted(mean.values())[-2] else "first of equals"
    return chosen, f"{best} of {residue} {label} ({mean[best]:.2f}, {why}; left out {others})"


def chain_breaks(residues: Sequence[Residue]) -> list[str]:
    """Say where a chain has a gap: C and N of neighbours farther apart than a peptide bond.

    Parameters
    ----------
    residues
        In the order of the chains.

    Returns
    -------
    list of str
        A sentence for each gap, for the notes; how many residues are missing by the numbers, where these tell.
    """
    told = []
    for a, b in zip(residues, residues[1:], strict=False):
        if a.chain == b.chain and is_chain_break(a, b) and a.name not in ("NME", "NHE") and b.name != "ACE":
            lost = _integer(b.number) - _integer(a.number) - 1
            count = f" ({lost} residue{'s' * (lost > 1)} missing by the numbers)" if lost > 0 else ""
            told.append(f"chain break between {a.label} and {b.label}{count}: both ends become termini")
    return told


def is_chain_break(before: Residue, after: Residue) -> bool:
    """Tell whether two residues that follow each other are not joined.

    Parameters
    ----------
    before, after
        Neighbours in the file.

    Returns
    -------
    bool
        True for two chains, or a distance that no peptide bond has; where C or N is missing, one of CA to CA.
    """
    if before.chain != after.chain:
        return True
    if "C" in before.atoms and "N" in after.atoms:
        return _gap(before, "C", after, "N") > LONGEST_PEPTIDE_BOND_ANGSTROM
    if "CA" in before.atoms and "CA" in after.atoms:
        return _gap(before, "CA", after, "CA") > JOINED_ALPHA_CARBONS_ANGSTROM
    return True


def _gap(before: Residue, one: str, after: Residue, two: str) -> float:
    return float(np.linalg.norm(np.subtract(before.atoms[one][1], after.atoms[two][1])))


def chain_ends(residues: Sequence[Residue]) -> tuple[set[int], set[int]]:
    """Find the residues that begin and end a chain.

    Parameters
    ----------
    residues
        The polymer, in order.

    Returns
    -------
    first, last
        Indices of the residues behind and before a break.
    """
    breaks = [k for k, (a, b) in enumerate(zip(residues, residues[1:], strict=False)) if is_chain_break(a, b)]
    return {0, *(k + 1 for k in breaks)}, {*breaks, len(residues) - 1}


def in_chain(residues: Sequence[Residue], k: int) -> bool:
    """Tell whether a residue is joined to a neighbour by a peptide bond.

    Parameters
    ----------
    residues
        In the order of the file.
    k
        Which.

    Returns
    -------
    bool
        True for members of a chain, whatever their names.
    """
    before = k > 0 and not is_chain_break(residues[k - 1], residues[k])
    return before or (k + 1 < len(residues) and not is_chain_break(residues[k], residues[k + 1]))


def pdb_text(residues: Sequence[Residue]) -> str:
    """Write residues as PDB.

    Parameters
    ----------
    residues
        In order; those marked as hetero become HETATM.

    Returns
    -------
    str
        With TER behind each chain and END.
    """
    lines, serial = [], 0
    for k, residue in enumerate(residues):
        kind = "HETATM" if residue.hetero else "ATOM  "
        number, code = re.fullmatch(r"(-?\d*)(\D*)", residue.number).groups()  # type: ignore[union-attr]
        for atom, (element, xyz) in residue.atoms.items():
            serial += 1
            padded = atom if len(atom) >= 4 or len(element) == 2 else f" {atom}"
            place = "".join(f"{x:8.3f}" for x in xyz)
            head = f"{kind}{serial % 100000:5d} {padded:<4s} {residue.name:<4s}{residue.chain}{number:>4s}{code or ' '}"
            lines.append(f"{head[:27]}   {place}  1.00  0.00          {element:>2s}  ")
        following = residues[k + 1] if k + 1 < len(residues) else None
        if following is None or following.chain != residue.chain or following.hetero != residue.hetero:
            lines.append("TER")
    return "\n".join([*lines, "END", ""])


def renamed(residue: Residue, name: str) -> Residue:
    """Give a residue another name, and its atoms theirs.

    Parameters
    ----------
    residue
        The residue.
    name
        The new name.

    Returns
    -------
    Residue
        A copy.
    """
    atoms = {standard_atom(name, a, element): (element, xyz) for a, (element, xyz) in residue.atoms.items()}
    return replace(residue, name=name, atoms=atoms)


def is_cap(residue: Residue) -> bool:
    """Tell whether a residue is a cap.

    Parameters
    ----------
    residue
        The residue.

    Returns
    -------
    bool
        True for ACE, NME and NHE.
    """
    return residue.name in CAPS
