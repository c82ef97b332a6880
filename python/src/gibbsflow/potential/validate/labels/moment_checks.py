"""Moments of labels against those of others: which have lost theirs, and may lie on another branch of the energy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gibbsflow.potential.validate.labels.audited import Audited

_FEWEST = 4
_LEAST_UB_PER_ATOM, _LOST_SHARE = 0.2, 0.2


def lost_moments(labels: Sequence[Audited]) -> dict[str, str]:
    """Find labels whose SCF ended without the moment that others of their composition have.

    It may be right, for a moment goes with the volume, or a state that the SCF fell into: no label is held for it.

    Parameters
    ----------
    labels
        Whole labels.

    Returns
    -------
    dict
        Words by id, of labels with less than a fifth of the median absolute moment of the four or more labels of their
        composition, where that is 0.2 μB an atom at least.
    """
    groups: dict[str, list[tuple[Audited, float]]] = {}
    for label in labels:
        moment = label.known.result.get("absolute_moment_ub")
        if moment is not None and label.frame is not None and not label.frame.isolated:
            atoms = label.frame.atoms
            kind = atoms.get_chemical_formula(empirical=True)
            groups.setdefault(kind, []).append((label, float(moment) / len(atoms)))
    found = {}
    for kind, members in groups.items():
        usual = float(np.median([moment for _, moment in members]))
        if len(members) < _FEWEST or usual < _LEAST_UB_PER_ATOM:
            continue
        for label, moment in members:
            if moment < _LOST_SHARE * usual:
                found[label.name] = (
                    f"an absolute moment of {moment:.2f} μB an atom, {usual:.2f} in the median of {len(members)} "
                    f"labels of {kind}: another branch, or a moment that its volume takes away"
                )
    return found
