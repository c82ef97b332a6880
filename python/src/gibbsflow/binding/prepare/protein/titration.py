"""What a reader asks of a prepared protein: each group that can take or lose a proton, its state, and what decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gibbsflow.binding.prepare.protein.protonation import by_ph
from gibbsflow.binding.prepare.protein.residue_names import PHOSPHORYLATED, STATES, parent_of
from gibbsflow.binding.prepare.protein.residues import Residue, chain_ends, is_cap

_DECIDED_BY = {
    "choice": "file of --protonation",
    "name": "name in the file",
    "hydrogens": "hydrogens in the file",
    "disulfide": "distance of the sulfurs",
    "pH": "pH",
}
_ONLY_FORM = "only form of the force field"
_OF_ONE_FORM = ("ARG", "TYR")


def titratable_groups(
    made: Sequence[Residue],
    protonated: Sequence[str | None],
    coordinated: Sequence[str | None],
    ways: Sequence[str],
    pairs: Sequence[tuple[int, int]],
    ph: float,
) -> list[dict[str, Any]]:
    """List the groups of a protein that can take or lose a proton.

    Parameters
    ----------
    made
        The polymer as it is written, named by the states.
    protonated
        States that choice, name, hydrogens or pH gave; None for a histidine that they leave open.
    coordinated
        The same after metals were looked at.
    ways
        What decided each of `protonated`, as :func:`~gibbsflow.binding.prepare.protein.protonation.protonate` has it.
    pairs
        Disulfides, as indices into `made`.
    ph
        The pH that was asked for.

    Returns
    -------
    list of dict
        In the order of the chains, side chains between the ends: ``chain``, ``number`` (with insertion code),
        ``residue``, ``group`` (side chain, N-terminus, C-terminus), ``state`` (AMBER's name, or the charged end),
        ``at_ph`` (the state that `ph` alone would give; empty where the force field has one form), ``decided_by``, and
        of a disulfide ``bonded_to`` as CHAIN:NUMBER.
    """
    partner = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    first, last = chain_ends(made)
    found: list[dict[str, Any]] = []
    for k, r in enumerate(made):
        parent = parent_of(r.name)
        of_residue = {"chain": r.chain, "number": r.number, "residue": parent}
        if k in first and not is_cap(r):
            state = "NH2+" if parent == "PRO" else "NH3+"
            found.append(of_residue | _one_form("N-terminus", state))
        if parent in STATES:
            way = _DECIDED_BY[ways[k]]
            if protonated[k] is None:
                way = "metal" if coordinated[k] is not None else "hydrogen bonds"
            one = {"group": "side chain", "state": r.name, "at_ph": by_ph(parent, ph) or "HID or HIE"}
            found.append(of_residue | one | {"decided_by": way})
            if k in partner:
                found[-1]["bonded_to"] = made[partner[k]].label
        elif parent in _OF_ONE_FORM:
            found.append(of_residue | _one_form("side chain", parent))
        elif parent in PHOSPHORYLATED:
            found.append(of_residue | _one_form("side chain", parent) | {"decided_by": _DECIDED_BY["name"]})
        if k in last and not is_cap(r):
            found.append(of_residue | _one_form("C-terminus", "COO-"))
    return found


def _one_form(group: str, state: str) -> dict[str, str]:
    return {"group": group, "state": state, "at_ph": "", "decided_by": _ONLY_FORM}
