"""Where atoms and residues lie: order along a chain, copies, atoms astray, mirror images, what is kept too near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from gibbsflow.binding.prepare.protein.atom_records import is_metal
from gibbsflow.binding.prepare.protein.residues import (
    LONGEST_PEPTIDE_BOND_ANGSTROM,
    Residue,
    chain_ends,
    is_chain_break,
)
from gibbsflow.workflow.account import Account

SAME_PLACE_ANGSTROM = 0.5
"""Heavy atoms nearer than this are two copies of one thing."""
ASTRAY_ANGSTROM = 5.0
"""A heavy atom farther than this from all others of its amino acid is at no place: 0, 0, 0 or 9999, mostly."""
OVERLAP_ANGSTROM = 1.3
"""Heavy atoms of two residues that are not joined are never as near as this."""
COORDINATED_ANGSTROM = 2.8
"""Up to here an atom of a side chain coordinates a metal, and has no hydrogen towards it."""
BONDED_ANGSTROM, BONDED_METAL_ANGSTROM = 2.0, 1.6
"""What is kept beside a protein is not bonded to it: nearer than this, for a metal the second, it would be."""


def in_sequence(residues: Sequence[Residue], account: Account) -> list[Residue]:
    """Put the pieces of a chain in its order where the file has them apart, as peptide bonds join them.

    Parameters
    ----------
    residues
        In the order of the file, with modified residues and caps perhaps among the HETATM at its end, or one chain
        under two identifiers.
    account
        Takes a note of what was joined, and refuses numbers that a chain would then have twice.

    Returns
    -------
    list of Residue
        Each piece behind the one that its N is bonded to the C of, all in the chain of the longest.
    """
    if not residues:
        return []
    first, last = (sorted(ends) for ends in chain_ends(residues))
    pieces = [list(residues[a : b + 1]) for a, b in zip(first, last, strict=True)]
    following: dict[int, int] = {}
    starts = [m for m, piece in enumerate(pieces) if "N" in piece[0].atoms]
    for k, piece in enumerate(pieces):
        free = [m for m in starts if m != k and m not in following.values()] if "C" in piece[-1].atoms else []
        bonded = _bonded(piece[-1], "C", [pieces[m][0] for m in free], "N")
        if bonded is not None:
            following[k] = next(m for m in free if pieces[m][0] is bonded)
    if not following:
        return list(residues)
    walks: list[list[int]] = []
    done: set[int] = set()
    heads = [k for k in range(len(pieces)) if k not in following.values()]
    for start in (*heads, *range(len(pieces))):  # the latter for rings, which have no head
        walk: list[int] = []
        at: int | None = start
        while at is not None and at not in done:
            done.add(at)
            walk.append(at)
            at = following.get(at)
        if walk:
            walks.append(walk)
    labels = {r.label for r in residues}
    made: list[Residue] = []
    told: list[str] = []
    for walk in sorted(walks, key=min):
        chain = max((pieces[k] for k in walk), key=len)[0].chain
        for r in (r for k in walk for r in pieces[k]):
            moved = replace(r, chain=chain, read_as=r.read_as or r.label) if r.chain != chain else r
            if moved is not r and moved.label in labels:
                what = f"{r.called} is bonded into chain {chain}, which has another residue {r.number}"
                account.refuse(what, "each number once in a chain", row=r.line or None)
            made.append(moved)
        told += [f"{pieces[m][0].called} behind {pieces[k][-1].called}" for k, m in zip(walk, walk[1:], strict=False)]
    account.note(f"joined to one chain, as peptide bonds say: {', '.join(told[:12])}")
    return made


def _bonded(r: Residue, atom: str, others: Sequence[Residue], to: str) -> Residue | None:
    if r.name in ("NME", "NHE"):  # their C, where there is one, is a methyl group
        return None
    places = [(other, other.atoms[to][1]) for other in others if to in other.atoms]
    if atom not in r.atoms or not places:
        return None
    apart = np.linalg.norm(np.array([xyz for _, xyz in places]) - r.atoms[atom][1], axis=1)
    return places[int(apart.argmin())][0] if apart.min() < LONGEST_PEPTIDE_BOND_ANGSTROM else None


def refuse_misplaced(protein: Sequence[Residue], kept: Sequence[Residue], account: Account) -> None:
    """Refuse atoms that lie on one another, astray, or too near to what is kept, and chains that close to a ring.

    Parameters
    ----------
    protein
        The polymer.
    kept
        What is kept beside it.
    account
        Takes the first refusal of each kind, and a warning of residues that overlap.
    """
    first, last = chain_ends(protein)
    for k in sorted(last):
        bonded = _bonded(protein[k], "C", [protein[m] for m in sorted(first)], "N")
        if bonded is not None:
            account.refuse(
                f"C of {protein[k].called} is bonded to N of {bonded.called}, the other end of its chain",
                "a chain that is no ring; rings are not built",
                row=protein[k].line or None,
            )
            break
    for r in protein:
        names = [a for a, (element, _) in r.atoms.items() if element != "H"]
        if len(names) < 2:  # noqa: PLR2004
            continue
        nearest = cKDTree(r.heavy()).query(r.heavy(), k=2)[0][:, 1]
        if nearest.max() > ASTRAY_ANGSTROM:
            astray = names[int(nearest.argmax())]
            account.refuse(
                f"{astray} of {r.called} lies {nearest.max():.1f} Å from all other atoms of its residue",
                "coordinates of that residue, or the file without the atom, which is then built",
                row=r.line or None,
            )
            break
    everything = [*protein, *kept]
    owner = [(k, a) for k, r in enumerate(everything) for a, (element, _) in r.atoms.items() if element != "H"]
    tree = cKDTree([everything[k].atoms[a][1] for k, a in owner])
    for i, j in sorted(tree.query_pairs(SAME_PLACE_ANGSTROM)):
        (one, name), (two, other) = ((everything[owner[k][0]], owner[k][1]) for k in (i, j))
        if one is two:
            what, right = f"{name} and {other} of {one.called} lie at the same place", "coordinates of each atom"
        else:
            what = f"{one.called} and {two.called} lie at the same place"
            right = "one copy of each chain: models in MODEL and ENDMDL, alternate locations with their labels"
        account.refuse(what, right, row=two.line or None)
        return
    overlaps = []
    for i, j in sorted(tree.query_pairs(BONDED_ANGSTROM)):
        (k, name), (m, other) = owner[i], owner[j]
        one, two = everything[k], everything[m]
        if k == m or (m == k + 1 and m < len(protein) and not is_chain_break(one, two)):
            continue
        apart = float(np.linalg.norm(np.subtract(one.atoms[name][1], two.atoms[other][1])))
        if m < len(protein):
            if apart < OVERLAP_ANGSTROM:
                overlaps.append(f"{name} of {one.called} and {other} of {two.called} ({apart:.2f} Å)")
            continue
        if apart < BONDED_METAL_ANGSTROM or not any(is_metal(r.atoms[a][0]) for r, a in ((one, name), (two, other))):
            account.refuse(
                f"{other} of {two.called}, which is kept, is {apart:.2f} Å from {name} of {one.called}, where a bond "
                "would be",
                "keep without it, or its place mended: what is kept is not bonded",
                row=two.line or None,
                field="keep",
            )
            break
    if overlaps:
        account.warn(
            f"{len(overlaps)} pairs of heavy atoms overlap: {', '.join(overlaps[:4])}",
            "one model, one copy of each chain, or a structure without clashes",
        )


def coordinate(
    protein: Sequence[Residue], states: Sequence[str | None], kept: Sequence[Residue], account: Account
) -> list[str | None]:
    """Turn histidines that coordinate a metal, and warn of hydrogens that point at one.

    Parameters
    ----------
    protein
        The polymer.
    states
        AMBER's name of the state of each; None for a histidine whose hydrogen bonds decide.
    kept
        What is kept beside it.
    account
        Takes a note of histidines that the metal decides, and the warnings.

    Returns
    -------
    list of str or None
        The states; of histidines that were open the one without a hydrogen at the metal.
    """
    made = list(states)
    metals = [(r, xyz) for r in kept for element, xyz in r.atoms.values() if is_metal(element)]
    with_hydrogen = {"SG": ("CYS",), "ND1": ("HID", "HIP"), "NE2": ("HIE", "HIP")}
    for k, r in enumerate(protein):
        apart = [
            (float(np.linalg.norm(np.subtract(r.atoms[atom][1], xyz))), atom, m.called)
            for atom in with_hydrogen.keys() & r.atoms.keys()
            for m, xyz in metals
        ]
        nearest, atom, metal = min(apart, default=(np.inf, "", ""))
        if nearest > COORDINATED_ANGSTROM:
            continue
        if states[k] is None:
            made[k] = "HIE" if atom == "ND1" else "HID"
            account.note(f"{r.called} coordinates {metal} by {atom}: it is {made[k]}")
        elif states[k] in with_hydrogen[atom]:
            account.warn(
                f"{atom} of {r.called} coordinates {metal} ({nearest:.2f} Å), but as {states[k]} it has a hydrogen",
                "CYM, or the other tautomer, in --protonation",
            )
    return made


def warn_of_mirror_images(protein: Sequence[Residue], account: Account) -> None:
    """Warn of amino acids whose coordinates are those of the D form, under the name of the L form.

    Parameters
    ----------
    protein
        The polymer.
    account
        Takes the warning.
    """
    found = []
    for r in protein:
        if all(atom in r.atoms for atom in ("N", "CA", "C", "CB")):
            n, ca, c, cb = (np.array(r.atoms[atom][1]) for atom in ("N", "CA", "C", "CB"))
            if np.dot(np.cross(n - ca, c - ca), cb - ca) < 0:
                found.append(r.called)
    if found:
        account.warn(
            f"{len(found)} amino acids are D by their coordinates, and are computed so: {', '.join(found[:8])}",
            "L-amino acids, unless D is meant",
        )
