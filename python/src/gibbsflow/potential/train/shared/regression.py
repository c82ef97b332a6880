"""Ridge regression on energies, forces and virials by normal equations, one block a fold.

The design matrix is never held whole: each frame's rows are added to the Gram matrices of its fold, from which any fold
can be left out, any weight changed and any penalty tried without looking at the data again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gibbsflow.units import Floats

KINDS = ("energy", "force", "stress")
ENERGY_WEIGHTS = (1.0, 2.0, 4.0, 8.0)
RIDGES = (1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4)
# among settings this close to the best the smoothest potential is taken: it extrapolates more gently
_CLOSE = 1.01


@dataclass
class NormalEquations:
    """Sums over rows x with target y, enough for any least squares over them.

    Attributes
    ----------
    columns
        Number of coefficients.
    gram
        Σ x xᵀ, shape (columns, columns).
    moment
        Σ x y, shape (columns,).
    square
        Σ y².
    rows
        Number of rows, each times its weight.
    """

    columns: int
    gram: Floats = field(init=False)
    moment: Floats = field(init=False)
    square: float = 0.0
    rows: float = 0

    def __post_init__(self) -> None:
        self.gram = np.zeros((self.columns, self.columns))
        self.moment = np.zeros(self.columns)

    def add(self, x: Floats, y: Floats, weight: float = 1.0) -> None:
        """Add rows.

        Parameters
        ----------
        x
            Shape (rows, columns).
        y
            Targets, shape (rows,).
        weight
            Factor on their squared errors; rows of weight 0 are left out.
        """
        if weight == 0:
            return
        if weight != 1:
            x, y = x * np.sqrt(weight), y * np.sqrt(weight)
        self.gram += x.T @ x
        self.moment += x.T @ y
        self.square += float(y @ y)
        self.rows += weight * len(y)

    def rmse(self, coefficients: Floats) -> float:
        """Root mean square residual of these rows, weighted.

        Parameters
        ----------
        coefficients
            Shape (columns,).

        Returns
        -------
        float
            √(Σ (y − c·x)² / rows), in the unit of the targets.
        """
        squares = self.square - 2 * coefficients @ self.moment + coefficients @ self.gram @ coefficients
        return float(np.sqrt(max(float(squares), 0.0) / (self.rows or 1)))


@dataclass(frozen=True)
class Weights:
    """How rows count against each other.

    Attributes
    ----------
    energy
        Of energies an atom: 1 gives all energies together the weight of all forces together, in eV and eV/Å.
    stress
        Of virials an atom, against energies an atom.
    ridge
        Penalty on coefficients scaled to unit columns.
    """

    energy: float
    stress: float
    ridge: float


@dataclass(frozen=True)
class Choice:
    """Weights with what validation said of them.

    Attributes
    ----------
    weights
        The weights.
    energy_rmse_ev_per_atom, force_rmse_ev_per_angstrom
        Root mean square errors over the frames left out.
    """

    weights: Weights
    energy_rmse_ev_per_atom: float
    force_rmse_ev_per_angstrom: float

    @property
    def score(self) -> float:
        """Geometric mean of both errors: halving either counts the same, whatever the units.

        Returns
        -------
        float
            √(energy error × force error), of which smaller is better.
        """
        return float(np.sqrt(max(self.energy_rmse_ev_per_atom, 1e-9) * max(self.force_rmse_ev_per_angstrom, 1e-9)))


Blocks = Sequence[dict[str, NormalEquations]]


def new_blocks(folds: int, columns: int) -> list[dict[str, NormalEquations]]:
    """Empty normal equations for each fold and kind of row.

    Parameters
    ----------
    folds
        Number of folds.
    columns
        Number of coefficients.

    Returns
    -------
    list of dict
        One a fold; in each, one a kind of :data:`KINDS`.
    """
    return [{kind: NormalEquations(columns) for kind in KINDS} for _ in range(folds)]


def least_squares(blocks: Blocks, weights: Weights) -> Floats:
    """Coefficients of least weighted squares over all blocks, with a ridge (Hoerl and Kennard, Technometrics 1970).

    Parameters
    ----------
    blocks
        One a fold.
    weights
        Of kinds of rows, and the penalty on coefficients that are scaled to unit columns.

    Returns
    -------
    ndarray
        Shape (columns,); zero where a column is zero in all rows.
    """
    values, vectors, moment, scale = _decompose(blocks, weights)
    coefficients: Floats = scale * (vectors @ (moment / (values + weights.ridge)))
    return coefficients


def cross_validate(
    blocks: Blocks, *, energies: Sequence[float] = ENERGY_WEIGHTS, ridges: Sequence[float] = RIDGES, stress: float = 0.0
) -> Choice:
    """Choose weight and penalty by leaving each block out in turn.

    Parameters
    ----------
    blocks
        One a fold.
    energies, ridges
        Values to try.
    stress
        Weight of virials, not tuned.

    Returns
    -------
    Choice
        Of all settings within 1 % of the best score, the one with the largest penalty.

    Raises
    ------
    ValueError
        Where there are no coefficients, or no values to try.
    """
    columns = blocks[0]["energy"].columns
    choices = []
    for energy in energies:
        squares = np.zeros((len(ridges), 2))
        rows = np.zeros(2)
        for left_out in range(len(blocks)):
            kept = [block for i, block in enumerate(blocks) if i != left_out] or list(blocks)
            values, vectors, moment, scale = _decompose(kept, Weights(energy, stress, 0.0))
            solutions = scale[:, None] * (vectors @ (moment[:, None] / (values[:, None] + np.array(ridges))))
            for column, kind in enumerate(("energy", "force")):
                block = blocks[left_out][kind]
                squares[:, column] += [block.rows * block.rmse(solutions[:, i]) ** 2 for i in range(len(ridges))]
                rows[column] += block.rows
        errors = np.sqrt(squares / np.where(rows > 0, rows, 1))
        choices += [
            Choice(Weights(energy, stress, ridge), float(errors[i, 0]), float(errors[i, 1]))
            for i, ridge in enumerate(ridges)
        ]
    if columns == 0 or not choices:
        raise ValueError("nothing to choose from")
    best = min(choice.score for choice in choices)
    close = [choice for choice in choices if choice.score <= _CLOSE * best]
    return max(close, key=lambda choice: (choice.weights.ridge, -choice.score))


def _decompose(blocks: Blocks, weights: Weights) -> tuple[Floats, Floats, Floats, Floats]:
    """Eigenvalues and vectors of the scaled, weighted Gram matrix, its moment in them, and the scale of each column."""
    rows = {kind: sum(block[kind].rows for block in blocks) for kind in KINDS}
    per_energy = weights.energy**2 * (rows["force"] or 1) / (rows["energy"] or 1)
    factor = {"energy": per_energy, "force": 1.0, "stress": weights.stress**2 * per_energy}
    columns = blocks[0]["energy"].columns
    gram, moment = np.zeros((columns, columns)), np.zeros(columns)
    for block in blocks:
        for kind in KINDS:
            if block[kind].rows:
                gram += factor[kind] * block[kind].gram
                moment += factor[kind] * block[kind].moment
    scale = np.diag(gram).copy()
    # a descriptor that never differs from zero in training gets no say
    scale = np.where(scale > 1e-14 * max(scale.max(initial=0.0), 1e-300), 1 / np.sqrt(np.maximum(scale, 1e-300)), 0.0)
    values, vectors = np.linalg.eigh(gram * scale * scale[:, None])
    return np.maximum(values, 0.0), vectors, vectors.T @ (moment * scale), scale
