"""Picks that lower the mean variance of predicted forces the most: V-optimality, greedily.

Forces that are linear in coefficients, f = X c, and were fitted to rows of information M = Σ x xᵀ have a variance
proportional to x M⁻¹ xᵀ. Over the rows of all structures that are known or offered, of mean T = ⟨xᵀ x⟩, that is
tr(T M⁻¹) on average, and a structure with the rows X lowers it by tr[(1 + X M⁻¹ Xᵀ)⁻¹ X M⁻¹ T M⁻¹ Xᵀ] (Cohn, Ghahramani
and Jordan, J. Artif. Intell. Res. 1996, 4, 129; Yu, Bi and Tresp, ICML 2006, 1081, as transductive design; the identity
is Woodbury's). The rows are those that the fit of forces has, so that no label is looked at. Unlike the worst atom's
grade it counts all atoms of a structure, and how usual they are among what is known and offered.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.linalg

from gibbsflow.units import Floats

# information before any label, in rows of a mean square of 1: keeps M invertible and decides nothing
_PRIOR = 1e-3
# directions of coefficient space that are followed: those in which the forces of all structures spread the most
_DIRECTIONS = 300
_ROUNDING = 1e-12
# what lowers the mean by less than this share of it is not worth a label
_LITTLE = 1e-3


class MeanVariance:
    """Mean variance of predicted forces, and what each structure that is offered would lower it by.

    Parameters
    ----------
    known
        Rows of the structures that are labelled: derivatives of the descriptors, each of shape (forces, columns).
    offered
        Rows of those that may be.
    """

    NAME = "the mean variance"

    def __init__(self, known: Sequence[Floats], offered: Sequence[Floats]) -> None:
        axes, self._spread = principal_axes(known, offered)
        labelled = _squares(known, len(axes))
        information = _PRIOR * np.eye(len(self._spread)) + axes.T @ labelled @ axes
        self._inverse = np.asarray(np.linalg.inv(information))
        self._rows = [_short(rows @ axes) for rows in offered]

    @property
    def value(self) -> float:
        """Mean variance over the forces of all structures, known and offered.

        Returns
        -------
        float
            In units of the variance of a label.
        """
        return float(self._spread @ np.diag(self._inverse))

    @property
    def least(self) -> float:
        """Fall from which on a structure is worth a label.

        Returns
        -------
        float
            0.1 % of the mean.
        """
        return _LITTLE * self.value

    def best(self, numbers: Sequence[int]) -> int:
        """Find the structure that lowers it the most.

        Parameters
        ----------
        numbers
            Those to choose among, at least one; of equals the first is taken.

        Returns
        -------
        int
            One of them.
        """
        return max(numbers, key=self.fall)

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
        gain, sums = self._gain(number)
        return float(np.sum(scipy.linalg.solve(sums, gain * self._spread, assume_a="pos") * gain))

    def take(self, number: int) -> None:
        """Count a structure as labelled.

        Parameters
        ----------
        number
            Of the structure among those offered.
        """
        gain, sums = self._gain(number)
        lower = self._inverse - gain.T @ scipy.linalg.solve(sums, gain, assume_a="pos")
        self._inverse = (lower + lower.T) / 2

    def _gain(self, number: int) -> tuple[Floats, Floats]:
        rows = self._rows[number]
        gain = rows @ self._inverse
        return gain, np.eye(len(rows)) + gain @ rows.T


def principal_axes(known: Sequence[Floats], offered: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Directions of coefficient space in which the forces of all structures spread the most.

    Parameters
    ----------
    known, offered
        Rows of structures, each of shape (forces, columns).

    Returns
    -------
    axes : ndarray
        Of columns scaled to unit mean square, the widest first, shape (columns, axes).
    spread : ndarray
        Mean square of all rows along each, shape (axes,).
    """
    columns = next((rows.shape[1] for rows in (*known, *offered)), 0)
    every = _squares(known, columns) + _squares(offered, columns)
    target = every / max(sum(len(rows) for rows in (*known, *offered)), 1)
    scale = np.sqrt(np.diag(target))
    # columns that never differ from zero hold rounding only
    scale = np.where(scale > _ROUNDING**0.5 * scale.max(initial=1e-300), scale, np.inf)
    values, vectors = np.linalg.eigh(target / scale / scale[:, None])
    kept = np.flatnonzero(values > _ROUNDING * values.max(initial=1e-300))[::-1][:_DIRECTIONS]
    return vectors[:, kept] / scale[:, None], np.asarray(values[kept])


def _squares(structures: Sequence[Floats], columns: int) -> Floats:
    found = np.zeros((columns, columns))
    for rows in structures:
        found += rows.T @ rows
    return found


def _short(rows: Floats) -> Floats:
    """Rows of the same Σ x xᵀ, no more than there are columns."""
    if len(rows) <= rows.shape[1]:
        return rows
    return np.asarray(scipy.linalg.qr(rows, mode="r")[0][: rows.shape[1]])
