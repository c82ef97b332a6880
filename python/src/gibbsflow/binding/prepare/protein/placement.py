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
    in_chain,
    is_chain_break,
)
from gibbsflow.workflow.account import Account

SAME_PLACE_ANGSTROM = 0.5
"""Heavy atoms nearer than this are two copies of one thing."""
ASTRAY_ANGSTROM = 5.0
"""A heavy atom farther than this from all others of its amino acid is at no place: 0, 0, 0 or 9999, mostly."""
OVERLAP_ANGSTROM = 1.3
"""Heavy atoms of two residues that are not joined are never as near as this."""
BONDED_ANGSTROM, BONDED_METAL_ANGSTROM = 2.0, 1.6
"""What is kept beside a protein is not bonded to it: nearer than this, for a metal the second, it would be."""


def in_sequence(residues: Sequence[Residue], account: Account) -> list[Residue]:
    """Put members of a chain that stand elsewhere in the file into their places.

    Parameters
    ----------
    residues
        In the order of the file, with modified residues and caps perhaps among the HETATM at its end.
    account
        Takes a note of what was moved.

    Returns
    -------
    list of Residue
        Each residue that was joined to no neighbour behind the one whose C its N is bonded to, or before the one
        whose N its C is bonded to; with the chain of that one.
    """
    made = list(residues)
    stray = [r for k, r in enumerate(residues) if r.hetero and {"N", "C"} & r.atoms.keys() and not in_chain(residues, k)]
    moved = []
    for r in stray:
        others = [other for other in made if other is not r]
        before = _bonded(r, "N", others, "C")
        after = _bonded(r, "C", others, "N")
        if before is None and after is None:
            continue
        neighbour = before or after
        assert neighbour is not None
        place = next(k for k, other in enumerate(others) if other is neighbour) + (before is not None)
        read_as = r.read_as or ("" if r.chain == neighbour.chain else r.label)
        made = [*others[:place], replace(r, chain=neighbour.chain, read_as=read_as), *others[place:]]
        moved.append(r.called)
    if moved:
        account.note(f"put into their chains, whose members they are bonded to: {', '.join(moved)}")
    return made


def _bonded(r: Residue, atom: str, others: Sequence[Residue], to: str) -> Residue | None:
    if atom not in r.atoms:
        return None
    places = [(other, other.atoms[to][1]) for other in others if to in other.atoms]
    if not places:
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
                f"C of {protein[k].called} is bonded to N of {bonded.called}, which does not follow it in the file",
                "residues in the order of the chain; chains that close to a ring are not built",
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
