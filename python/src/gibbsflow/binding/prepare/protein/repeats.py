"""Atoms that a file has twice in one residue without labels of alternate locations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from gibbsflow.binding.prepare.protein.atom_records import AtomRecord
from gibbsflow.binding.prepare.protein.residue_names import AMINO_ACIDS, WATERS
from gibbsflow.workflow.account import Account

SAME_ATOM_ANGSTROM = 0.01


def without_repeats(atoms: Sequence[AtomRecord], account: Account) -> list[AtomRecord]:
    """Drop atoms that come twice at one place, and refuse those that come twice at two.

    A residue that comes again as a whole, one copy behind the other, is left to who tells chains apart.

    Parameters
    ----------
    atoms
        In the order of the file.
    account
        Takes a note of what was dropped, and the refusals.

    Returns
    -------
    list of AtomRecord
        In the same order; of atoms that come twice the first.
    """
    kept: list[AtomRecord] = []
    dropped: list[str] = []
    for _, together in groupby(atoms, lambda a: (a.run, a.chain, a.segment, a.number, a.residue, a.hetero)):
        group = list(together)
        names = [(a.altloc, a.name) for a in group]
        if len(set(names)) < len(names) and _named_by_element(group):
            kept += [replace(a, name=f"{a.name}{k}") for k, a in enumerate(group, 1)]
            continue
        period = names.index(names[0], 1) if names[0] in names[1:] else 0
        whole = period and names == names[:period] * (len(names) // period)
        if whole or len(set(names)) == len(names):
            kept += group
            continue
        first: dict[tuple[str, str], AtomRecord] = {}
        for a, name in zip(group, names, strict=True):
            other = first.setdefault(name, a)
            if other is a:
                kept.append(a)
                continue
            called = f"{a.name} of {a.residue} {a.chain}:{a.number}"
            apart = float(np.linalg.norm(np.subtract(a.xyz, other.xyz)))
            if apart <= SAME_ATOM_ANGSTROM:
                dropped.append(called)
            elif a.name == a.element == "H":  # of Open Babel, all of them: their places tell which they are
                kept.append(replace(a, name=f"H{len(kept)}"))
            elif a.element != "H":
                account.refuse(
                    f"{called} comes twice, {apart:.2f} Å apart, without labels of alternate locations",
                    "each atom once, or labels in column 17",
                    row=a.line,
                )
    if dropped:
        account.note(f"{len(dropped)} atoms come twice at the same place and are taken once: {', '.join(dropped[:8])}")
    return kept


def _named_by_element(group: Sequence[AtomRecord]) -> bool:
    """Whether a molecule's atoms are all called by their elements, as Open Babel calls those of a ligand."""
    known = group[0].residue in AMINO_ACIDS or group[0].residue in WATERS
    return not known and any(a.element == "C" for a in group) and all(a.name.upper() == a.element for a in group)
