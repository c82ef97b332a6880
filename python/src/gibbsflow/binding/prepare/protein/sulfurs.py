"""Disulfides: which cysteines are bonded, by the distance that OpenMM uses, and what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gibbsflow.binding.prepare.protein.residue_names import parent_of
from gibbsflow.binding.prepare.protein.residues import Residue
from gibbsflow.workflow.account import Account

DISULFIDE_ANGSTROM = 3.0
"""Sulfurs without hydrogen nearer than this are bonded: the 0.3 nm of OpenMM's createDisulfideBonds."""
CERTAIN_DISULFIDE_ANGSTROM = 2.3
"""Up to here nobody doubts it; a disulfide has 2.05 Å."""


def disulfides(residues: Sequence[Residue]) -> list[tuple[int, int]]:
    """Find the pairs of cysteines that are bonded: nearest first, each once, none with a hydrogen on its sulfur.

    Parameters
    ----------
    residues
        All residues; those that are no CYS or CYX are passed over.

    Returns
    -------
    list of (int, int)
        Indices into `residues`, the lower first, in their order.
    """
    sulfurs = [
        (k, np.array(r.atoms["SG"][1]))
        for k, r in enumerate(residues)
        if r.name in ("CYS", "CYX") and "SG" in r.atoms and "HG" not in r.atoms
    ]
    near = sorted(
        (float(np.linalg.norm(first - second)), a, b)
        for i, (a, first) in enumerate(sulfurs)
        for b, second in sulfurs[i + 1 :]
    )
    taken: set[int] = set()
    pairs = []
    for distance, a, b in near:
        if distance < DISULFIDE_ANGSTROM and not taken & {a, b}:
            taken |= {a, b}
            pairs.append((a, b))
    return sorted(pairs)


def account_disulfides(
    residues: Sequence[Residue], listed: Sequence[tuple[str, str]], account: Account
) -> list[tuple[int, int]]:
    """Find the disulfides, and enter those in doubt.

    Parameters
    ----------
    residues
        The polymer, with the hydrogens that it came with.
    listed
        Pairs that the file lists as bonded, as CHAIN:NUMBER.
    account
        Takes long bonds, and refuses contradictions.

    Returns
    -------
    list of (int, int)
        Indices into `residues`.
    """
    pairs = disulfides(residues)
    bonded = {k for pair in pairs for k in pair}
    for a, b in pairs:
        one, two = residues[a], residues[b]
        distance = _distance(one, two)
        if distance > CERTAIN_DISULFIDE_ANGSTROM:
            account.note(
                f"CYS {one.label} and CYS {two.label} are taken as a disulfide though their sulfurs are "
                f"{distance:.2f} Å apart (a disulfide has 2.05 Å); hydrogens HG would make them thiols"
            )
    cysteines = [k for k, r in enumerate(residues) if parent_of(r.name) == "CYS" and "SG" in r.atoms]
    for i, a in enumerate(cysteines):
        for b in cysteines[i + 1 :]:
            distance = _distance(residues[a], residues[b])
            if (a, b) in pairs or distance >= DISULFIDE_ANGSTROM:
                continue
            called = f"{residues[a].called} and {residues[b].called}"
            if distance < CERTAIN_DISULFIDE_ANGSTROM:
                account.refuse(
                    f"the sulfurs of {called} are {distance:.2f} Å apart, but a hydrogen, a name or another sulfur "
                    "says that they are not bonded",
                    "CYX without HG for a disulfide, or coordinates of thiols",
                    row=residues[a].line or None,
                )
            elif not {a, b} <= bonded:
                account.note(
                    f"the sulfurs of {called} are {distance:.2f} Å apart: not a disulfide, as hydrogen or name says"
                )
    for k, r in enumerate(residues):
        if r.name == "CYX" and k not in bonded:
            account.refuse(
                f"{r.called} is named as half of a disulfide, and no free sulfur is within {DISULFIDE_ANGSTROM:g} Å",
                "CYS for a thiol, CYM for a thiolate, or the other half",
                row=r.line or None,
            )
    place = {r.read_as or r.label: k for k, r in reversed(list(enumerate(residues)))}
    for first, second in listed:
        if first in place and second in place:
            pair = tuple(sorted((place[first], place[second])))
            if pair not in pairs:
                account.warn(
                    f"the file lists a disulfide {first} to {second}, which is not built",
                    f"sulfurs nearer than {DISULFIDE_ANGSTROM:g} Å, without hydrogen",
                )
    account.facts["disulfides"] = [[residues[a].label, residues[b].label] for a, b in pairs]
    return pairs


def _distance(one: Residue, two: Residue) -> float:
    return float(np.linalg.norm(np.subtract(one.atoms["SG"][1], two.atoms["SG"][1])))
