"""Spread of a committee: how far potentials that were each fitted without one group of frames disagree on a force.

The members are the fits that leave out one fold of related frames each (delete-a-group jackknife, Kott, J. Off. Stat.
2001, 17, 521), of which the sums of the fit are there already. Their spread is too small by far, since their data
overlap; on a hold-out it is scaled so that its root mean square is that of the true errors (Musil et al., J. Chem.
Theory Comput. 2019, 15, 906), for each element of which the hold-out has atoms enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.errors import StateError
from gibbsflow.potential.train.uncertainty.error_curve import HALT, ErrorCurve
from gibbsflow.units import Floats
from gibbsflow.workflow.files import read_json, write_json

COMMITTEE = "committee"
"""Folder of the members in a potential's folder, each a potential by its number, with ``committee.json``."""
_RECORD = "committee.json"
_COMMON = 0.95
_FEWEST = 10


@dataclass(frozen=True)
class CommitteeScale:
    """What turns the spread of a committee into an expected error.

    Attributes
    ----------
    members
        How many there are.
    scale
        Factor on the spread, of all atoms together.
    lower_ev_per_angstrom, upper_ev_per_angstrom
        Thresholds of the scaled spread for MD.
    how
        Where they come from, in words.
    by_element
        The factor for atoms of an element, where the hold-out tells it.
    """

    members: int
    scale: float
    lower_ev_per_angstrom: float
    upper_ev_per_angstrom: float
    how: str
    by_element: dict[str, float] = field(default_factory=dict)

    def expected(self, spread: Floats, symbols: Sequence[str]) -> Floats:
        """Expect the force errors of atoms.

        Parameters
        ----------
        spread
            Of the members' forces on each, eV/Å, shape (n,).
        symbols
            Chemical symbol of each.

        Returns
        -------
        ndarray
            In eV/Å, shape (n,).
        """
        return spread * np.array([self.by_element.get(symbol, self.scale) for symbol in symbols])

    def write(self, folder: Path) -> None:
        """Write ``committee/committee.json`` into a potential's folder.

        Parameters
        ----------
        folder
            The potential's.
        """
        write_json(Path(folder) / COMMITTEE / _RECORD, dict(vars(self)))

    @classmethod
    def read(cls, folder: Path) -> CommitteeScale | None:
        """Read what :meth:`write` wrote.

        Parameters
        ----------
        folder
            The potential's.

        Returns
        -------
        CommitteeScale or None
            None where the potential has no committee.

        Raises
        ------
        StateError
            Where it is not readable.
        """
        path = Path(folder) / COMMITTEE / _RECORD
        if not path.exists():
            return None
        try:
            content: dict[str, Any] = dict(read_json(path))
            return cls(**content)
        except TypeError as error:
            raise StateError(f"{path}: not the record of a committee ({error})") from error


def force_spread(forces_ev_per_angstrom: Sequence[Floats]) -> Floats:
    """Spread of the members' forces on each atom.

    Parameters
    ----------
    forces_ev_per_angstrom
        Of each member, eV/Å, shape (n, 3).

    Returns
    -------
    ndarray
        Root mean square distance from their mean, eV/Å, shape (n,).
    """
    every = np.array(forces_ev_per_angstrom)
    return np.asarray(np.sqrt(((every - every.mean(axis=0)) ** 2).sum(axis=2).mean(axis=0)))


def calibrated(
    spreads: Sequence[Floats], errors: Sequence[Floats], symbols: Sequence[Sequence[str]], members: int,
    target_ev_per_angstrom: float | None,
) -> CommitteeScale:  # fmt: skip
    """Scale a spread by true errors, and set its thresholds.

    Parameters
    ----------
    spreads
        Spread on each atom of a hold-out, an array a frame, eV/Å.
    errors
        Length of the true force error of each, eV/Å.
    symbols
        Chemical symbol of each.
    members
        How many there are.
    target_ev_per_angstrom
        Force error of an atom that MD may have; default: what 95 % of the hold-out's atoms stay below.

    Returns
    -------
    CommitteeScale
        With the lower threshold at the target and the upper one at four times it; an element of fewer than ten atoms
        has the factor of all.
    """
    spread, error = np.concatenate([*spreads, []]), np.concatenate([*errors, []])
    kinds = [symbol for frame in symbols for symbol in frame]
    own = {symbol: np.array(kinds) == symbol for symbol in sorted(set(kinds))}
    by_element = {
        symbol: _factor(spread[mask], error[mask])
        for symbol, mask in own.items() if mask.sum() >= _FEWEST and spread[mask].any()
    }  # fmt: skip
    made = CommitteeScale(members, _factor(spread, error), 0.0, 0.0, "", by_element)
    if target_ev_per_angstrom is not None:
        lower, how = target_ev_per_angstrom, f"the target error, and {HALT:g} times it"
    else:
        scaled = made.expected(spread, kinds)
        lower = max(float(np.quantile(scaled, _COMMON)), 1e-6) if len(spread) else 0.1
        how = f"what {_COMMON:.0%} of the hold-out's atoms stay below, and {HALT:g} times it"
    return replace(made, lower_ev_per_angstrom=lower, upper_ev_per_angstrom=HALT * lower, how=how)


def _factor(spread: Floats, error: Floats) -> float:
    """What makes the root mean square of spreads that of errors; 1 where there are none."""
    squares = float((spread**2).mean()) if len(spread) else 0.0
    return float(np.sqrt((error**2).mean() / squares)) if squares > 0 else 1.0


def spread_figures(own: CommitteeScale, curve: ErrorCurve | None) -> dict[str, Any]:
    """What a result says of a committee.

    Parameters
    ----------
    own
        Its scale and thresholds.
    curve
        True errors against its scaled spread.

    Returns
    -------
    dict
        JSON-serialisable.
    """
    told = curve.figures() if curve is not None else {}
    # what lies outside of the training set is the grade's to say
    kept = {key: value for key, value in told.items() if not key.endswith("_outside")}
    return {**vars(own), "curve": kept or None}
