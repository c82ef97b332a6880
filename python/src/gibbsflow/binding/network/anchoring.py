"""The zero of a scale of relative free energies: its mean, the mean of experiment, or one ligand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gibbsflow.binding.network.maximum_likelihood import Estimate
from gibbsflow.errors import InputError, Problem, shown
from gibbsflow.units import Floats

PLAIN = ("none", "mean")


@dataclass(frozen=True)
class Scale:
    """One part of a network with its zero.

    Attributes
    ----------
    ligands
        In alphabetical order.
    dg_kcal_per_mol, covariance
        On this scale, shapes (ligands,) and (ligands, ligands).
    offset_kcal_per_mol
        What was added to values whose mean is zero.
    anchored
        Whether values are those of binding, rather than relative.
    why
        Where the zero comes from, in words.
    """

    ligands: tuple[str, ...]
    dg_kcal_per_mol: Floats
    covariance: Floats
    offset_kcal_per_mol: float
    anchored: bool
    why: str


def check_anchor(anchor: str, ligands: tuple[str, ...], measured: Mapping[str, float]) -> None:
    """Refuse an anchor that holds nothing.

    Parameters
    ----------
    anchor
        ``none``, ``mean`` or the name of a ligand.
    ligands
        That have a free energy.
    measured
        ΔG by ligand, kcal/mol.

    Raises
    ------
    InputError
        For a name that is no ligand with a computed and a measured value, or where nothing was measured.
    """
    if anchor == "none":
        return
    if anchor == "mean" and not set(ligands) & set(measured):
        raise InputError(Problem("--anchor", "no ligand has a measured ΔG", "a table with --experiment, or no anchor"))
    if anchor not in PLAIN and (anchor not in ligands or anchor not in measured):
        lacks = "a computed" if anchor not in ligands else "a measured"
        right = "none, mean, or a ligand that has both"
        raise InputError(Problem("--anchor", f"{shown(anchor)} has not {lacks} ΔG", right))


def scales(estimate: Estimate, anchor: str, measured: Mapping[str, float]) -> list[Scale]:
    """Put each part of a network on its scale.

    Errors are those of a difference: from the mean of the part, from the mean of the ligands that were measured, or
    from the ligand that is the reference, whose own is zero. Those of experiment are not in them.

    Parameters
    ----------
    estimate
        Of all ligands.
    anchor
        ``none``, ``mean`` or the name of a ligand.
    measured
        ΔG by ligand, kcal/mol.

    Returns
    -------
    list of Scale
        One for each part, in the same order.
    """
    place = {name: number for number, name in enumerate(estimate.ligands)}
    found = []
    for part in estimate.parts:
        own = [place[name] for name in part]
        dg, covariance = estimate.dg_kcal_per_mol[own], estimate.covariance[np.ix_(own, own)]
        held = [name for name in part if name in measured and anchor in ("mean", name)]
        if not held:
            lone = "" if anchor == "none" else f"no ligand of this part anchors it ({anchor}), so "
            found.append(Scale(part, dg, covariance, 0.0, False, f"{lone}relative: the mean of its ligands is zero"))
            continue
        weight = np.array([name in held for name in part], dtype=float) / len(held)
        offset = float(np.mean([measured[name] for name in held]) - weight @ dg)
        move = np.eye(len(part)) - weight
        why = f"{offset:+.3f} kcal/mol on values whose mean is zero, so that "
        why += (
            f"{held[0]} has its measured ΔG"
            if anchor != "mean"
            else f"the mean of {len(held)} measured ligands is theirs"
        )
        found.append(Scale(part, dg + offset, move @ covariance @ move.T, offset, True, why))
    return found
