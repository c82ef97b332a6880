"""Which atoms of a solvated topology are ligand, receptor, water and ions: by residue and by molecule, or refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gibbsflow.binding.forcefield.given.prmtop_terms import PrmtopTerms
from gibbsflow.binding.forcefield.membrane.lipids import NO_LIPIDS, Lipids, find_lipids
from gibbsflow.errors import InputError, Problem, first_few
from gibbsflow.units import Ints

MOST_COPIES = 4
"""A small molecule that is there more often than this is solvent."""
MOST_SAID = 6
_BACKBONE, _SUGAR = {"N", "CA", "C"}, {"C1'", "C3'", "C4'"}


@dataclass(frozen=True)
class Components:
    """Parts of a box, by 0-based indices of atoms.

    Attributes
    ----------
    ligand, receptor
        All atoms of each, in the order of the topology; `receptor` is empty in a box of the ligand alone.
    receptor_kind
        ``protein`` where it has amino acids or nucleotides; None without a receptor.
    first_water
        Atoms of one water.
    waters
        How many.
    ions
        How many of each, by the names of their residues.
    cosolvent
        How many of each other molecule of the solvent, by residues.
    lipids
        Of a membrane; of no molecules where there is none.
    notes
        What was taken for what.
    """

    ligand: tuple[int, ...]
    receptor: tuple[int, ...]
    receptor_kind: str | None
    first_water: tuple[int, ...]
    waters: int
    ions: dict[str, int]
    cosolvent: dict[str, int]
    notes: tuple[str, ...]
    lipids: Lipids = NO_LIPIDS


class _Sorted:
    """The molecules of a topology, by what they can only be."""

    def __init__(self, terms: PrmtopTerms) -> None:
        self.terms = terms
        order = np.argsort(terms.molecule_of, kind="stable")
        ends = np.cumsum(np.bincount(terms.molecule_of))
        self.molecules: list[Ints] = np.split(order, ends[:-1])
        self.waters = [m for m in self.molecules if _is_water(terms.elements[m])]
        others = [m for m in self.molecules if not _is_water(terms.elements[m])]
        self.ions = [m for m in others if len(m) == 1 and abs(round(float(terms.charges_e[m[0]]))) > 0]
        self.solutes = [m for m in others if not (len(m) == 1 and abs(round(float(terms.charges_e[m[0]]))) > 0)]

    def called(self, molecule: Ints) -> str:
        residues = list(dict.fromkeys(self.terms.residue_of[molecule].tolist()))
        labels = [f"{self.terms.labels[r]} {r + 1}" for r in residues[:3]]
        return "-".join(labels) + ("-…" if len(residues) > len(labels) else "") + f" ({len(molecule)} atoms)"

    def key(self, molecule: Ints) -> tuple[object, ...]:
        terms = self.terms
        charges = tuple(np.round(terms.charges_e[molecule], 4).tolist())
        return tuple(terms.elements[molecule].tolist()), charges

    def is_polymer(self, molecule: Ints) -> bool:
        names: dict[int, set[str]] = {}
        for atom in molecule.tolist():
            names.setdefault(int(self.terms.residue_of[atom]), set()).add(self.terms.names[atom])
        return any(inside >= _BACKBONE or inside >= _SUGAR for inside in names.values())


def _is_water(elements: Ints) -> bool:
    """One oxygen, two hydrogens, and virtual sites at most."""
    real = sorted(elements[elements > 0].tolist())
    return real == [1, 1, 8] and len(elements) <= 6  # noqa: PLR2004  # six: TIP5P and one more


def named_residue(text: str) -> tuple[str, int | None]:
    """Read NAME, NAME:NUMBER or NAME:CHAIN:NUMBER; topologies know no chains, so that there it counts for nothing.

    Parameters
    ----------
    text
        As given.

    Returns
    -------
    name
        Of the residue.
    number
        Its place among the residues of the topology, from 1; None where it is not said.
    """
    name, *rest = text.split(":")
    return name, int(rest[-1]) if rest else None


def ligand_alone(terms: PrmtopTerms, residue: str | None, *, where: str) -> Components:
    """Find the ligand in a box of its own.

    Parameters
    ----------
    terms
        The topology.
    residue
        Name of the ligand's residue; None for the only molecule that is neither water nor ion.
    where
        What messages call it.

    Returns
    -------
    Components
        Without a receptor.

    Raises
    ------
    InputError
        Where there is none, or more than one could be meant.
    """
    found = _Sorted(terms)
    once, cosolvent = _few(found, found.solutes)
    ligand = _named(found, residue, where) if residue else _only(found, once, "the ligand", where)
    others = [m for m in once if not np.array_equal(m, ligand)]
    if others:
        what = f"beside the ligand {found.called(ligand)} there are {_list(found, others)}"
        raise InputError(Problem(where, what, "water, ions and the ligand alone"))
    return _made(found, ligand, [], cosolvent, where, ())


def complex_with(
    terms: PrmtopTerms, residue: str | None, like: tuple[PrmtopTerms, Sequence[int]] | None, *, where: str
) -> Components:
    """Find ligand and receptor in their box.

    Parameters
    ----------
    terms
        The topology.
    residue
        Name of the ligand's residue; None for the molecule that is that of `like`.
    like
        The ligand in a box of its own: topology and atoms; None where there is no such box.
    where
        What messages call it.

    Returns
    -------
    Components
        With a receptor.

    Raises
    ------
    InputError
        Where either is not there, or more than one could be meant.
    """
    found = _Sorted(terms)
    if residue:
        ligand = _named(found, residue, where)
    elif like is not None:
        key = _Sorted(like[0]).key(np.asarray(like[1]))
        same = [m for m in [*found.solutes, *found.ions] if found.key(m) == key]
        if not same:
            alike = [m for m in found.solutes if len(m) == len(like[1])]
            hint = f"; {_list(found, alike)} has as many atoms, of other elements or charges" if alike else ""
            what = f"no molecule is the ligand of the solvent's box{hint}"
            raise InputError(
                Problem(where, what, "the same ligand with the same charges in both", field="ligand_residue")
            )
        ligand = _only(found, same, "the ligand", where)
    else:
        once, _ = _few(found, found.solutes)
        ligand = _only(found, [m for m in once if not found.is_polymer(m)], "the ligand", where)
    lipids = find_lipids(
        terms.elements, terms.names, terms.labels, terms.residue_of, terms.molecule_of, ligand.tolist()
    )
    if not lipids.are_a_membrane:
        lipids = NO_LIPIDS
    of_membrane = {int(m[0]) for m in lipids.molecules}
    rest = [m for m in found.solutes if not np.array_equal(m, ligand) and int(m[0]) not in of_membrane]
    polymers = [m for m in rest if found.is_polymer(m)]
    few, cosolvent = _few(found, [m for m in rest if not any(np.array_equal(m, p) for p in polymers)])
    notes: tuple[str, ...] = ()
    if polymers:
        receptor, kind = [*polymers, *few], "protein"
        if few:
            notes = (f"taken for a part of the receptor: {_list(found, few)}",)
    else:
        receptor, kind = [_only(found, few, "the receptor", where)], "host"
    return _made(found, ligand, receptor, cosolvent, where, notes, kind, lipids)


def _made(
    found: _Sorted,
    ligand: Ints,
    receptor: list[Ints],
    cosolvent: list[Ints],
    where: str,
    notes: tuple[str, ...],
    kind: str | None = None,
    lipids: Lipids = NO_LIPIDS,
) -> Components:
    if not found.waters:
        raise InputError(Problem(where, "has no water", "a solvated system"))
    if len({found.key(m) for m in found.waters}) > 1:
        kinds = Counter(len(m) for m in found.waters)
        what = f"has waters of more than one kind (sites: {', '.join(map(str, kinds))})"
        raise InputError(Problem(where, what, "one water model, its atoms in one order"))
    label = _labels(found)
    others = Counter(label(m) for m in cosolvent)
    if others:
        notes += (f"taken for solvent: {', '.join(f'{count} {name}' for name, count in others.items())}",)
    if lipids.molecules:
        notes += (f"taken for a membrane: {', '.join(f'{n} {kind}' for kind, n in lipids.counts().items())}",)
    ions = Counter(label(m) for m in found.ions if not np.array_equal(m, ligand))
    return Components(
        ligand=tuple(ligand.tolist()),
        receptor=tuple(sorted(atom for m in receptor for atom in m.tolist())),
        receptor_kind=kind,
        first_water=tuple(found.waters[0].tolist()),
        waters=len(found.waters),
        ions=dict(ions),
        cosolvent=dict(others),
        notes=notes,
        lipids=lipids,
    )


def _labels(found: _Sorted):  # type: ignore[no-untyped-def]
    return lambda molecule: found.terms.labels[int(found.terms.residue_of[molecule[0]])]


def _few(found: _Sorted, molecules: Sequence[Ints]) -> tuple[list[Ints], list[Ints]]:
    """Molecules that are there a few times, and those of a solvent."""
    keys = [found.key(m) for m in molecules]
    copies = Counter(keys)
    few = [m for m, key in zip(molecules, keys, strict=True) if copies[key] <= MOST_COPIES]
    return few, [m for m, key in zip(molecules, keys, strict=True) if copies[key] > MOST_COPIES]


def _named(found: _Sorted, residue: str, where: str) -> Ints:
    name, number = named_residue(residue)
    terms, field = found.terms, "ligand_residue"
    hits = [i for i, label in enumerate(terms.labels) if label == name and number in (None, i + 1)]
    if not hits:
        others = ", ".join(dict.fromkeys(found.called(m) for m in found.solutes[:MOST_SAID]))
        raise InputError(Problem(where, f"has no residue {residue}", f"one of its molecules: {others}", field=field))
    if len(hits) > 1:
        numbers = ", ".join(f"{name}:{i + 1}" for i in hits[:MOST_SAID])
        raise InputError(Problem(where, f"has {len(hits)} residues {name}", f"one of {numbers}", field=field))
    atoms = np.flatnonzero(terms.residue_of == hits[0])
    molecules = set(terms.molecule_of[atoms].tolist())
    if len(molecules) > 1:
        raise InputError(Problem(where, f"{residue} is {len(molecules)} molecules", "one molecule", field=field))
    whole = found.molecules[molecules.pop()]
    if len(whole) != len(atoms):
        inside = set(atoms.tolist())
        a, b = next((a, b) for a, b in terms.bonds.tolist() if (a in inside) != (b in inside))
        what = f"{terms.called(a)} and {terms.called(b)} are bonded: the ligand is no molecule of its own"
        raise InputError(Problem(where, what, "a ligand that nothing is bonded to", field=field))
    return whole


def _only(found: _Sorted, molecules: Sequence[Ints], what: str, where: str) -> Ints:
    if len(molecules) == 1:
        return molecules[0]
    field = "ligand_residue" if what == "the ligand" else None
    if not molecules:
        said = "every molecule is water, an ion or there many times"
        raise InputError(Problem(where, f"nothing in it can be {what}: {said}", f"a topology with {what}", field=field))
    right = "the name of its residue" if field else "one molecule, or a protein"
    raise InputError(Problem(where, f"{what} could be any of {_list(found, molecules)}", right, field=field))


def _list(found: _Sorted, molecules: Sequence[Ints]) -> str:
    return first_few([found.called(m) for m in molecules], MOST_SAID)
