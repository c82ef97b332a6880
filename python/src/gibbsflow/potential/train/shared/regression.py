"""Ridge regression on energies, forces and virials by normal equations, one block a fold.

The design matrix is never held whole: each frame's rows are added to the Gram matrices of its fold, from which any fold
can be left out, any weight changed and any penalty tried without looking at the data again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from gibbsflow.units import Floats

KINDS = ("energy", "force", "stress")
ENERGY_WEIGHTS = (1.0, 4.0, 8.0, 12.0)
RIDGES = (1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4)
SIZE_POWERS = (0.0, 1.0, 2.0)
"""Energies an atom count alike, or by the number of atoms, as errors of atoms that are independent average out in it,
or by its square, as energies of whole frames do: small cells that are like no other, as slabs, then count least."""
# among settings this close to the best the smoothest potential is taken: it extrapolates more gently
_CLOSE = 1.0025
# of the score: with it errors of energies, forces and stresses count the same
_STRESS_POWER = 0.5
# of the forces' size: errors below come of rounding, since they are differences of sums of squares
_ROUNDING = 1e-7
# of the forces' size: a fold whose own are below has none that symmetry leaves, and its error says nothing of forces
_SILENT = 1e-3


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
    kept
        Rows, targets, weights and numbers of atoms as they were added; None where only the sums are kept.
    """

    columns: int
    gram: Floats = field(init=False)
    moment: Floats = field(init=False)
    square: float = 0.0
    rows: float = 0
    kept: list[tuple[Floats, Floats, float, float]] | None = None
    _scaled: dict[float, NormalEquations] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.gram = np.zeros((self.columns, self.columns))
        self.moment = np.zeros(self.columns)

    def add(self, x: Floats, y: Floats, weight: float = 1.0, size: float = 1.0) -> None:
        """Add rows.

        Parameters
        ----------
        x
            Shape (rows, columns).
        y
            Targets, shape (rows,).
        weight
            Factor on their squared errors; rows of weight 0 are left out.
        size
            Number of atoms that they are of, for :meth:`by_size`.
        """
        if weight == 0:
            return
        if self.kept is not None:
            self.kept.append((x, y, weight, size))
            self._scaled.clear()
        if weight != 1:
            x, y = x * np.sqrt(weight), y * np.sqrt(weight)
        self.gram += x.T @ x
        self.moment += x.T @ y
        self.square += float(y @ y)
        self.rows += weight * len(y)

    def by_size(self, power: float) -> NormalEquations:
        """Weigh the rows by a power of their number of atoms.

        Parameters
        ----------
        power
            0 leaves them as they are.

        Returns
        -------
        NormalEquations
            The same rows; itself where none are kept.
        """
        if power == 0 or self.kept is None:
            return self
        if power not in self._scaled:
            made = NormalEquations(self.columns)
            for x, y, weight, size in self.kept:
                made.add(x, y, weight * size**power)
            self._scaled[power] = made
        return self._scaled[power]

    def mae(self, coefficients: Floats) -> float:
        """Mean absolute residual of the rows that are kept, weighted.

        Parameters
        ----------
        coefficients
            Shape (columns,).

        Returns
        -------
        float
            In the unit of the targets.

        Raises
        ------
        ValueError
            Where only the sums are kept.
        """
        if self.kept is None:
            raise ValueError("rows that were not kept have no absolute residuals")
        total = sum(weight * float(np.abs(y - x @ coefficients).sum()) for x, y, weight, _ in self.kept)
        return total / (self.rows or 1)

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
        Of virials an atom: 1 gives each the weight that an energy an atom has at `energy` 1, whatever `energy` is.
    ridge
        Penalty on coefficients scaled to unit columns.
    size_power
        Energies an atom count by this power of their number of atoms.
    """

    energy: float
    stress: float
    ridge: float
    size_power: float = 0.0


@dataclass(frozen=True)
class Choice:
    """Weights with what validation said of them.

    Attributes
    ----------
    weights
        The weights.
    energy_rmse_ev_per_atom, force_rmse_ev_per_angstrom
        Root mean square errors over the frames left out.
    energy_mae_ev_per_atom
        Mean absolute error over them: a few frames that are like no other say little of how to weigh all the rest.
    force_middle_ev_per_angstrom
        Geometric mean over the folds of the root mean square force error of each, by their rows: a few frames with
        large forces would decide alone by their squares, of all folds, how all the rest is weighed. Folds whose forces
        symmetry leaves out, as those of strained crystals, are none of them.
    stress_relative_rmse
        Root mean square error of their virials an atom by the root mean square of these; None where none are fitted.
    """

    weights: Weights
    energy_rmse_ev_per_atom: float
    force_rmse_ev_per_angstrom: float
    energy_mae_ev_per_atom: float
    force_middle_ev_per_angstrom: float
    stress_relative_rmse: float | None = None

    @property
    def score(self) -> float:
        """Geometric mean of the errors: halving any of them counts the same, whatever the units.

        Returns
        -------
        float
            √(mean absolute energy error × geometric mean of the folds' force errors), times the root of the relative
            error of stress where it is fitted; smaller is better.
        """
        both = float(np.sqrt(max(self.energy_mae_ev_per_atom, 1e-9) * max(self.force_middle_ev_per_angstrom, 1e-9)))
        return (
            both if self.stress_relative_rmse is None else both * max(self.stress_relative_rmse, 1e-9) ** _STRESS_POWER
        )


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
        One a fold; in each, one a kind of :data:`KINDS`; of energies, which are few, the rows are kept too.
    """
    return [
        {kind: NormalEquations(columns, kept=[] if kind == "energy" else None) for kind in KINDS} for _ in range(folds)
    ]


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
    gram, moment, scale = _scaled_sums(blocks, weights)
    return scale * _by_eigenvalues(gram, moment, weights.ridge)


def cross_validate(
    blocks: Blocks, *, energies: Sequence[float] = ENERGY_WEIGHTS, ridges: Sequence[float] = RIDGES, stress: float = 0.0
) -> Choice:
    """Choose weights and penalty by leaving each block out in turn.

    First the weight of energies and the penalty; then, with that weight, whether energies count by their atoms.

    Parameters
    ----------
    blocks
        One a fold.
    energies, ridges
        Values to try.
    stress
        Weight of virials, not tuned; where it is not 0 and there are any, their errors count in the score.

    Returns
    -------
    Choice
        Of all settings within 0.25 % of the best score, the one with the largest penalty.

    Raises
    ------
    ValueError
        Where there are no coefficients, or no values to try.
    """
    if blocks[0]["energy"].columns == 0 or not energies or not ridges:
        raise ValueError("nothing to choose from")
    choices = [choice for energy in energies for choice in _left_out(blocks, energy, SIZE_POWERS[0], ridges, stress)]
    sizes = {size for block in blocks for *_, size in block["energy"].kept or ()}
    if len(sizes) > 1:
        weight = min(choices, key=lambda choice: choice.score).weights.energy
        for power in SIZE_POWERS[1:]:
            choices += _left_out(blocks, weight, power, ridges, stress)
    best = min(choice.score for choice in choices)
    close = [choice for choice in choices if choice.score <= _CLOSE * best]
    return max(close, key=lambda choice: (choice.weights.ridge, -choice.score))


def _left_out(blocks: Blocks, energy: float, power: float, ridges: Sequence[float], stress: float) -> list[Choice]:
    """Errors of the blocks, each by a fit to the others, with each penalty."""
    kinds = KINDS if stress and any(block["stress"].rows for block in blocks) else KINDS[:2]
    sums, rows = np.zeros((len(ridges), len(kinds) + 1)), np.zeros(len(kinds))
    size, telling = _size(blocks, "force"), 0.0
    logarithms, least = np.zeros(len(ridges)), max(_ROUNDING * size, 1e-9)
    for left_out, block in enumerate(blocks):
        kept = [own for i, own in enumerate(blocks) if i != left_out] or list(blocks)
        gram, moment, scale = _scaled_sums(kept, Weights(energy, stress, 0.0, power))
        told = _size([block], "force") > _SILENT * size
        for number, ridge in enumerate(ridges):
            solution = scale * _solve(gram, moment, ridge)
            for column, kind in enumerate(kinds, start=1):
                sums[number, column] += block[kind].rows * block[kind].rmse(solution) ** 2
            sums[number, 0] += block["energy"].rows * block["energy"].mae(solution)
            if told:
                logarithms[number] += block["force"].rows * np.log(max(block["force"].rmse(solution), least))
        telling += block["force"].rows * told
        rows += [block[kind].rows for kind in kinds]
    errors = sums / np.where(rows > 0, rows, 1)[[0, *range(len(kinds))]]
    middles = np.exp(logarithms / telling) if telling else np.zeros(len(ridges))
    choices = []
    for ridge, (mae, *squares), middle in zip(ridges, errors, middles, strict=True):
        e, f, *virials = (float(root) for root in np.sqrt(squares))
        relative = virials[0] / max(_size(blocks, "stress"), 1e-9) if virials else None
        choices.append(Choice(Weights(energy, stress, ridge, power), e, f, float(mae), float(middle), relative))
    return choices


def _size(blocks: Blocks, kind: str) -> float:
    """Root mean square of the targets of one kind."""
    squares, rows = (sum(getattr(block[kind], name) for block in blocks) for name in ("square", "rows"))
    return float(np.sqrt(squares / (rows or 1)))


def _solve(gram: Floats, moment: Floats, ridge: float) -> Floats:
    """Solve with a penalty; by eigenvalues where rounding has left the matrix without its sign."""
    penalised = gram.copy()
    penalised[np.diag_indices_from(penalised)] += ridge
    try:
        found: Floats = cho_solve(cho_factor(penalised, overwrite_a=True, check_finite=False), moment)
    except LinAlgError:
        found = _by_eigenvalues(gram, moment, ridge)
    return found


def _by_eigenvalues(gram: Floats, moment: Floats, ridge: float) -> Floats:
    values, vectors = np.linalg.eigh(gram)
    found: Floats = vectors @ (vectors.T @ moment / (np.maximum(values, 0.0) + ridge))
    return found


def _scaled_sums(blocks: Blocks, weights: Weights) -> tuple[Floats, Floats, Floats]:
    """Weighted Gram matrix and moment of columns that are scaled to unit length, and the scale of each."""
    power = weights.size_power
    rows = {kind: sum(block[kind].by_size(power).rows for block in blocks) for kind in KINDS}
    alike = sum(block["energy"].rows for block in blocks)
    forces = rows["force"] or 1
    # not of the energies' weight, which validation chooses: what stresses count for is the setting's to say
    factor = {
        "energy": weights.energy**2 * forces / (rows["energy"] or 1),
        "force": 1.0,
        "stress": weights.stress**2 * forces / (alike or 1),
    }
    columns = blocks[0]["energy"].columns
    gram, moment = np.zeros((columns, columns)), np.zeros(columns)
    for block in blocks:
        for kind in KINDS:
            own = block[kind].by_size(power)
            if own.rows:
                gram += factor[kind] * own.gram
                moment += factor[kind] * own.moment
    scale = np.diag(gram).copy()
    # a descriptor that never differs from zero in training gets no say
    scale = np.where(scale > 1e-14 * max(scale.max(initial=0.0), 1e-300), 1 / np.sqrt(np.maximum(scale, 1e-300)), 0.0)
    return gram * scale * scale[:, None], moment * scale, scale
