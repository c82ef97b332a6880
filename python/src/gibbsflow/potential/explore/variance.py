"""Picks that lower the mean variance of a linear model's predictions the most: I-optimality, greedily.

A model that is linear in the descriptors b of an atom and knows the atoms of information M = Σ b bᵀ predicts b with a
variance proportional to bᵀ M⁻¹ b. Over atoms of mean T = ⟨b bᵀ⟩ that is tr(T M⁻¹) on average, and a structure with the
atoms B lowers it by tr[(1 + B M⁻¹ Bᵀ)⁻¹ B M⁻¹ T M⁻¹ Bᵀ] (Cohn, Ghahramani and Jordan, J. Artif. Intell. Res. 1996, 4,
129; the identity is Woodbury's). Unlike the worst atom's grade it counts all atoms of a structure, and how usual they
are among what is known and offered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.linalg

from gibbsflow.units import Floats

Atoms = Mapping[str, Floats]
"""Descriptors of a structure's atoms by element, each of shape (n, d)."""
# information before any label, in atoms one standard deviation from the mean: keeps M invertible and decides nothing
_PRIOR = 1e-4


class MeanVariance:
    """Mean variance of predictions, and what each structure that is offered would lower it by.

    Parameters
    ----------
    known
        Structures that are labelled.
    offered
        Structures that may be.
    species
        Chemical symbols.
    """

    def __init__(self, known: Sequence[Atoms], offered: Sequence[Atoms], species: Sequence[str]) -> None:
        self._rows: list[dict[str, Floats]] = [{} for _ in offered]
        self._inverse: dict[str, Floats] = {}
        self._target: dict[str, Floats] = {}
        every = sum(len(own) for atoms in (*known, *offered) for own in atoms.values())
        for symbol in species:
            labelled, new = ([atoms[symbol] for atoms in part if symbol in atoms] for part in (known, offered))
            if not (labelled or new):
                continue
            together = np.concatenate([*labelled, *new])
            mean, scale = together.mean(axis=0), together.std(axis=0)
            # directions without spread hold rounding only
            scale = np.where(scale > 1e-9 * np.maximum(np.abs(mean), 1.0), scale, np.inf)
            squares = _squares(together, mean, scale)
            self._target[symbol] = np.asarray(squares / every, dtype=np.float64)
            information: Floats = _PRIOR * np.eye(len(squares), dtype=np.float64)
            if labelled:
                information = information + _squares(np.concatenate(labelled), mean, scale)
            self._inverse[symbol] = np.asarray(np.linalg.inv(information), dtype=np.float64)
            for rows, atoms in zip(self._rows, offered, strict=True):
                if symbol in atoms:
                    rows[symbol] = _short(_standard(atoms[symbol], mean, scale))

    @property
    def value(self) -> float:
        """Mean variance over the atoms of all structures, known and offered.

        Returns
        -------
        float
            In units of the variance of a label.
        """
        return float(sum(np.sum(self._target[s] * self._inverse[s]) for s in self._inverse))

    def fall(self, number: int) -> float:
        """By how much a structure would lower it.

        Parameters
        ----------
        number
            Of the structure among those offered.

        Returns
        -------
        float
            At least 0.
        """
        found = 0.0
        for symbol, rows in self._rows[number].items():
            spread = rows @ self._inverse[symbol]
            sums = np.eye(len(rows)) + spread @ rows.T
            found += float(np.trace(np.linalg.solve(sums, spread @ self._target[symbol] @ spread.T)))
        return found

    def take(self, number: int) -> None:
        """Count a structure as labelled.

        Parameters
        ----------
        number
            Of the structure among those offered.
        """
        for symbol, rows in self._rows[number].items():
            spread = rows @ self._inverse[symbol]
            sums = np.eye(len(rows)) + spread @ rows.T
            lower = self._inverse[symbol] - spread.T @ np.linalg.solve(sums, spread)
            self._inverse[symbol] = (lower + lower.T) / 2


def _standard(descriptors: Floats, mean: Floats, scale: Floats) -> Floats:
    return np.column_stack([np.ones(len(descriptors)), (descriptors - mean) / scale])


def _squares(descriptors: Floats, mean: Floats, scale: Floats) -> Floats:
    rows = _standard(descriptors, mean, scale)
    return np.asarray(rows.T @ rows)


def _short(rows: Floats) -> Floats:
    """Rows of the same Σ b bᵀ, no more than there are columns."""
    if len(rows) <= rows.shape[1]:
        return rows
    return np.asarray(scipy.linalg.qr(rows, mode="r")[0][: rows.shape[1]])
