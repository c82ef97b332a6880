"""A topology of the molecules of another: some left out, some there again, with the force field to the last digit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gibbsflow.binding.forcefield.given.rebuilt import prmtop_text as text_of
from gibbsflow.binding.forcefield.given.rebuilt.box_parts import BoxParts
from gibbsflow.units import Ints

_OF_ATOMS = {
    "ATOM_NAME": "a", "CHARGE": "E", "ATOMIC_NUMBER": "I", "MASS": "E", "ATOM_TYPE_INDEX": "I",
    "AMBER_ATOM_TYPE": "a", "TREE_CHAIN_CLASSIFICATION": "a", "JOIN_ARRAY": "I", "IROTAT": "I", "RADII": "E",
    "SCREEN": "E",
}  # fmt: skip
_TERMS = {"BONDS": 2, "ANGLES": 3, "DIHEDRALS": 4}
_WHICH = ("INC_HYDROGEN", "WITHOUT_HYDROGEN")
_CMAP = ("CMAP_INDEX", "CHARMM_CMAP_INDEX")
_POINTERS = {
    "BONDS_INC_HYDROGEN": (2,), "BONDS_WITHOUT_HYDROGEN": (3, 12), "ANGLES_INC_HYDROGEN": (4,),
    "ANGLES_WITHOUT_HYDROGEN": (5, 13), "DIHEDRALS_INC_HYDROGEN": (6,), "DIHEDRALS_WITHOUT_HYDROGEN": (7, 14),
}  # fmt: skip
"""Where POINTERS counts the terms of each list (ambermd.org/FileFormats.php)."""
_ATOMS, _TYPES, _EXCLUSIONS, _RESIDUES, _LARGEST = 0, 1, 10, 11, 28
_NONE: dict[str, object] = {"a": "", "I": 0, "E": 0.0}


def atoms_of(parts: BoxParts, chosen: Sequence[int]) -> Ints:
    """Atoms of some molecules.

    Parameters
    ----------
    parts
        The box that they are from.
    chosen
        Molecules in their new order; one may be there more than once.

    Returns
    -------
    ndarray
        For each atom of the new topology that which it is in the old one.
    """
    return _spans(parts.starts[list(chosen)], parts.sizes[list(chosen)])


def gathered(
    parts: BoxParts, chosen: Sequence[int], solutes: int, edges_angstrom: Sequence[float] | None = None
) -> str:
    """Write the topology of some molecules of a box.

    Parameters
    ----------
    parts
        The box.
    chosen
        Molecules in their new order; one may be there more than once.
    solutes
        How many of `chosen`, at its front, are no solvent.
    edges_angstrom
        Lengths of a new box of right angles, Å; None for the old one.

    Returns
    -------
    str
        AMBER's text; parameters, types and charges are those of the old one.
    """
    found, picked = dict(parts.found), np.asarray(chosen)
    old = atoms_of(parts, chosen)
    sizes = parts.sizes[picked]
    starts = np.cumsum(sizes) - sizes
    pointers = text_of.ints(found["POINTERS"]).tolist()
    for flag, kind in _OF_ATOMS.items():
        if flag in found:
            found[flag] = text_of.section(kind, _picked(found[flag], kind, old))
    molecule_of = np.repeat(np.arange(len(parts.sizes)), parts.sizes)

    def _repeated(table: Ints, first: Ints) -> tuple[Ints, Ints]:
        # rows by molecules, and how far each is moved; `first` is an atom of each row
        owner = molecule_of[first]
        order = np.argsort(owner, kind="stable")
        counts = np.bincount(owner, minlength=len(parts.sizes))
        begins = np.cumsum(counts) - counts
        rows = order[_spans(begins[picked], counts[picked])]
        return table[rows], np.repeat(starts - parts.starts[picked], counts[picked])

    for kind, width in _TERMS.items():
        for which in _WHICH:
            flag = f"{kind}_{which}"
            table = text_of.ints(found[flag]).reshape(-1, width + 1)
            rows, moved = _repeated(table, np.abs(table[:, 0]) // 3)
            signs = np.where(rows[:, :width] < 0, -1, 1)
            fresh = np.abs(rows[:, :width]) + 3 * moved[:, None]
            fresh, signs = _without_minus_zero(fresh, signs)
            found[flag] = text_of.section("I", np.concatenate([fresh * signs, rows[:, width:]], axis=1).ravel())
            for place in _POINTERS[flag]:
                pointers[place] = len(rows)
    for flag in _CMAP:
        if flag in found:
            table = text_of.ints(found[flag]).reshape(-1, 6)
            rows, moved = _repeated(table, table[:, 0] - 1)
            found[flag] = text_of.section("I", np.concatenate([rows[:, :5] + moved[:, None], rows[:, 5:]], 1).ravel())
            count = flag.replace("INDEX", "COUNT")
            numbers = text_of.ints(found[count]).tolist()
            found[count] = text_of.section("I", [len(rows), *numbers[1:]])
    counts = text_of.ints(found["NUMBER_EXCLUDED_ATOMS"])
    listed = text_of.ints(found["EXCLUDED_ATOMS_LIST"])
    entries = listed[_spans(np.cumsum(counts)[old] - counts[old], counts[old])]
    moved = np.repeat(np.arange(len(old)) - old, counts[old])
    found["NUMBER_EXCLUDED_ATOMS"] = text_of.section("I", counts[old])
    found["EXCLUDED_ATOMS_LIST"] = text_of.section("I", np.where(entries > 0, entries + moved, 0))
    _types(found, pointers)
    _residues(found, old, np.repeat(np.arange(len(picked)), sizes), pointers)
    pointers[_ATOMS], pointers[_EXCLUSIONS] = len(old), len(entries)
    found["POINTERS"] = text_of.section("I", pointers)
    found["ATOMS_PER_MOLECULE"] = text_of.section("I", sizes)
    if edges_angstrom is not None:
        found["BOX_DIMENSIONS"] = text_of.section("E", (90.0, *edges_angstrom))
    first = int(np.searchsorted(text_of.ints(found["RESIDUE_POINTER"]) - 1, int(sizes[:solutes].sum())))
    found["SOLVENT_POINTERS"] = text_of.section("I", (first, len(picked), solutes + 1))
    return text_of.joined(found)


def with_foreign(parts: BoxParts, other: BoxParts, atom: int) -> BoxParts:
    """Add a single atom of another box behind the last molecule, with a type of its own.

    Parameters
    ----------
    parts
        The box.
    other, atom
        Where the atom is from, and its index there.

    Returns
    -------
    BoxParts
        With one molecule more; its pairs with the others by Lorentz and Berthelot's rules.
    """
    found = dict(parts.found)
    for flag, kind in _OF_ATOMS.items():
        if flag in found:
            own = _picked(found[flag], kind, np.arange(len(parts.elements), dtype=np.int32))
            theirs = _picked(other.found[flag], kind, np.array([atom])) if flag in other.found else [_NONE[kind]]
            found[flag] = text_of.section(kind, [*own, *theirs])
    pointers = text_of.ints(found["POINTERS"]).tolist()
    types, count = pointers[_TYPES], len(parts.elements)
    kinds = text_of.ints(parts.found["ATOM_TYPE_INDEX"])
    found["ATOM_TYPE_INDEX"] = text_of.section("I", [*kinds.tolist(), types + 1])
    first = np.unique(kinds, return_index=True)[1].tolist()
    known = dict.fromkeys(range(types), (0.0, 0.0)) | {int(kinds[a]) - 1: parts.lennard_jones(a) for a in first}
    sigma, epsilon = other.lennard_jones(atom)
    every = [*(known[k] for k in range(types)), (sigma, epsilon)]
    pairs = [(0.5 * (s + sigma), (e * epsilon) ** 0.5) for s, e in every]
    index = text_of.ints(found["NONBONDED_PARM_INDEX"]).reshape(types, types)
    have = len(text_of.floats(found["LENNARD_JONES_ACOEF"]))
    fresh = np.arange(have + 1, have + types + 2)
    wider = np.block([[index, fresh[:-1, None]], [fresh[None, :]]])
    found["NONBONDED_PARM_INDEX"] = text_of.section("I", wider.ravel())
    for name, power in (("A", 12), ("B", 6)):
        flag = f"LENNARD_JONES_{name}COEF"
        more = [4 * e * s**power for s, e in pairs]
        found[flag] = text_of.section("E", [*text_of.floats(found[flag]).tolist(), *more])
    for flag, value in (("NUMBER_EXCLUDED_ATOMS", 1), ("EXCLUDED_ATOMS_LIST", 0), ("ATOMS_PER_MOLECULE", 1)):
        found[flag] = text_of.section("I", [*text_of.ints(found[flag]).tolist(), value])
    found["RESIDUE_POINTER"] = text_of.section("I", [*text_of.ints(found["RESIDUE_POINTER"]).tolist(), count + 1])
    label = other.label_of(atom)
    found["RESIDUE_LABEL"] = text_of.section("a", [*text_of.words(found["RESIDUE_LABEL"]), label])
    pointers[_ATOMS] += 1
    pointers[_TYPES] += 1
    pointers[_EXCLUSIONS] += 1
    pointers[_RESIDUES] += 1
    if "SOLVENT_POINTERS" in found:
        last, molecules, first_solvent = text_of.ints(found["SOLVENT_POINTERS"]).tolist()
        found["SOLVENT_POINTERS"] = text_of.section("I", (last, molecules + 1, first_solvent))
    found["POINTERS"] = text_of.section("I", pointers)
    positions = np.concatenate([parts.positions_angstrom, np.zeros((1, 3))])
    return replace(parts, text=text_of.joined(found), positions_angstrom=positions)


def _spans(begins: Ints, counts: Ints) -> Ints:
    """Whole numbers from each begin on, as many as each count says, one after the other."""
    ends = np.cumsum(counts)
    return (np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(begins - (ends - counts), counts)).astype(np.int32)


def _picked(body: str, kind: str, old: Ints) -> Sequence[object]:
    if kind == "a":
        names = text_of.words(body)
        names += [""] * (int(old.max()) + 1 - len(names))  # blank ones at the end of a line are not read
        return [names[atom] for atom in old]
    return list((text_of.ints(body) if kind == "I" else text_of.floats(body))[old])


def _without_minus_zero(rows: Ints, signs: Ints) -> tuple[Ints, Ints]:
    """Turn torsions round whose third or fourth atom would be number 0, which has no sign to carry meaning."""
    if rows.shape[1] == 4:  # noqa: PLR2004
        turned = (rows[:, 2:] == 0).any(axis=1)
        rows[turned] = rows[turned, ::-1]
    return rows, signs


def _types(found: dict[str, str], pointers: list[int]) -> None:
    """Leave out types that no atom has any more: readers take their pairs for terms of their own."""
    kinds, count = text_of.ints(found["ATOM_TYPE_INDEX"]), pointers[_TYPES]
    used, fresh = np.unique(kinds, return_inverse=True)
    if len(used) == count:
        return
    index = text_of.ints(found["NONBONDED_PARM_INDEX"]).reshape(count, count)[np.ix_(used - 1, used - 1)]
    low = np.tril_indices(len(used))
    wanted = index[low]
    for flag in ("LENNARD_JONES_ACOEF", "LENNARD_JONES_BCOEF"):
        found[flag] = text_of.section("E", np.where(wanted > 0, text_of.floats(found[flag])[wanted - 1], 0.0))
    numbered = np.zeros((len(used), len(used)), dtype=np.int32)
    numbered[low] = np.arange(1, len(wanted) + 1)
    numbered = np.maximum(numbered, numbered.T)
    found["NONBONDED_PARM_INDEX"] = text_of.section("I", numbered.ravel())
    found["ATOM_TYPE_INDEX"] = text_of.section("I", fresh + 1)
    pointers[_TYPES] = len(used)


def _residues(found: dict[str, str], old: Ints, occurrence: Ints, pointers: list[int]) -> None:
    """Residues by where one ends, or a molecule does."""
    first = text_of.ints(found["RESIDUE_POINTER"]) - 1
    labels = text_of.words(found["RESIDUE_LABEL"])
    residue = np.searchsorted(first, old, side="right") - 1
    begins = np.flatnonzero(
        np.concatenate([[True], (np.diff(residue) != 0) | (np.diff(occurrence) != 0)]) if len(old) else np.zeros(0)
    )
    found["RESIDUE_LABEL"] = text_of.section("a", [labels[residue[atom]] for atom in begins])
    found["RESIDUE_POINTER"] = text_of.section("I", begins + 1)
    pointers[_RESIDUES] = len(begins)
    pointers[_LARGEST] = int(np.diff(np.append(begins, len(old))).max())
