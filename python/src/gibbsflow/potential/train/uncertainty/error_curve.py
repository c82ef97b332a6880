"""True force errors of a hold-out against what predicts them, and thresholds from that.

What predicts an error without a label is the extrapolation grade of an atom, or the spread of a committee's forces on
it. On frames with labels the error is known: the length of the difference of predicted and labelled force, eV/Å. In
bins of the predictor its mean is the expected error, made to rise by isotonic regression (Barlow et al., Statistical
Inference under Order Restrictions, 1972); rank correlation (Spearman, Am. J. Psychol. 1904, 15, 72) says how well the
one orders the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression
from scipy.stats import spearmanr

from gibbsflow.errors import StateError
from gibbsflow.units import Floats
from gibbsflow.workflow.files import read_json, write_json

CURVE = "error_curve.json"
"""The curve of the grade in a potential's folder."""
HALT = 4.0
"""MD ends where the expected error is this many times the target."""
_BINS, _FEWEST = 12, 10
# a grade up to here is inside of the training set: no threshold is below
_INSIDE = 1.0


@dataclass(frozen=True)
class ErrorCurve:
    """Expected force error of an atom by what predicts it.

    Attributes
    ----------
    values
        Mean of the predictor in each bin, rising, shape (bins,).
    low, high
        Its least and largest in each bin.
    errors
        Mean force error in each bin, eV/Å.
    upper_errors
        90 % quantile in each bin, eV/Å.
    counts
        Atoms in each bin.
    atoms, frames
        How many there were.
    rank_correlation_atoms
        Spearman's, of predictor and error over atoms; None where either does not differ.
    rank_correlation_frames
        The same of their largest values over frames.
    atoms_outside
        Atoms whose predictor is above 1, for a grade those outside of the training set.
    rank_correlation_outside
        The same over them: inside, a grade need not order errors, since it tells extrapolation alone.
    """

    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    errors: tuple[float, ...]
    upper_errors: tuple[float, ...]
    counts: tuple[int, ...]
    atoms: int
    frames: int
    rank_correlation_atoms: float | None
    rank_correlation_frames: float | None
    atoms_outside: int = 0
    rank_correlation_outside: float | None = None

    @property
    def rising(self) -> float:
        """Share of the bins whose mean error is larger than that of the bin before.

        Returns
        -------
        float
            1 for a curve that rises throughout, or has one bin.
        """
        steps = np.diff(self.errors)
        return float((steps > 0).mean()) if len(steps) else 1.0

    @property
    def expected_errors(self) -> Floats:
        """Errors of the bins, made to rise.

        Returns
        -------
        ndarray
            In eV/Å, shape (bins,).
        """
        return np.asarray(isotonic_regression(self.errors, weights=self.counts).x)

    def expected(self, values: npt.ArrayLike) -> Floats:
        """Expect the force errors of atoms.

        Parameters
        ----------
        values
            Predictor of each, shape (n,).

        Returns
        -------
        ndarray
            In eV/Å, shape (n,): between bins by the logarithm of the predictor, beyond the last its own, which is then
            a lower bound; infinite where the predictor is.
        """
        given = np.asarray(values, dtype=float)
        found = np.interp(np.log(np.maximum(given, 1e-12)), np.log(np.maximum(self.values, 1e-12)),
                          self.expected_errors)  # fmt: skip
        return np.where(np.isfinite(given), found, np.inf)

    def reaches(self, error: float) -> float | None:
        """Find where the expected error reaches a value.

        Parameters
        ----------
        error
            In eV/Å.

        Returns
        -------
        float or None
            Value of the predictor; None where no bin's error is as large.
        """
        rising = self.expected_errors
        over = np.flatnonzero(rising >= error)
        if not len(over):
            return None
        k = int(over[0])
        if k == 0:
            return float(self.values[0])
        share = (error - rising[k - 1]) / (rising[k] - rising[k - 1])
        low, high = np.log(np.maximum(self.values[k - 1 : k + 1], 1e-12))
        return float(np.exp(low + share * (high - low)))

    def figures(self) -> dict[str, Any]:
        """What a result says of the curve.

        Returns
        -------
        dict
            JSON-serialisable.
        """
        return {
            "atoms": self.atoms, "frames": self.frames, "rank_correlation_atoms": self.rank_correlation_atoms,
            "rank_correlation_frames": self.rank_correlation_frames, "rising_bins": self.rising,
            "atoms_outside": self.atoms_outside, "rank_correlation_outside": self.rank_correlation_outside,
            "bins": [
                {"from": low, "to": high, "mean": value, "atoms": count, "error_ev_per_angstrom": error,
                 "error_q90_ev_per_angstrom": upper}
                for low, high, value, count, error, upper in zip(
                    self.low, self.high, self.values, self.counts, self.errors, self.upper_errors, strict=True)
            ],
        }  # fmt: skip

    def write(self, folder: Path) -> None:
        """Write the curve into a potential's folder.

        Parameters
        ----------
        folder
            The folder.
        """
        write_json(Path(folder) / CURVE, {key: value for key, value in vars(self).items()})

    @classmethod
    def read(cls, folder: Path) -> ErrorCurve | None:
        """Read the curve of a potential.

        Parameters
        ----------
        folder
            Its folder.

        Returns
        -------
        ErrorCurve or None
            None where it has none, as of earlier versions.

        Raises
        ------
        StateError
            Where it is not readable.
        """
        path = Path(folder) / CURVE
        if not path.exists():
            return None
        try:
            content: Mapping[str, Any] = read_json(path)
            values: dict[str, Any] = {k: tuple(own) if isinstance(own, list) else own for k, own in content.items()}
            return cls(**values)
        except TypeError as error:
            raise StateError(f"{path}: not a curve of errors ({error})") from error


def error_curve(values: Sequence[Floats], errors: Sequence[Floats]) -> ErrorCurve | None:
    """Bring together what predicts errors, and errors.

    Parameters
    ----------
    values
        Predictor of each atom, an array a frame; atoms where it is not finite are left out.
    errors
        Length of the force error of each in eV/Å, in the same order.

    Returns
    -------
    ErrorCurve or None
        In bins of equal numbers of atoms, of which the last is halved on, since large values are rare; None for fewer
        than ten atoms.
    """
    finite = [np.isfinite(own) & np.isfinite(error) for own, error in zip(values, errors, strict=True)]
    kept = [(own[ok], error[ok]) for own, error, ok in zip(values, errors, finite, strict=True) if ok.any()]
    if sum(len(own) for own, _ in kept) < _FEWEST:
        return None
    every = np.concatenate([own for own, _ in kept])
    wrong = np.concatenate([error for _, error in kept])
    outside = every > _INSIDE
    order = np.argsort(every, kind="stable")
    parts = _parts(len(order))
    chosen = [order[begin:end] for begin, end in parts]
    return ErrorCurve(
        values=tuple(float(every[own].mean()) for own in chosen),
        low=tuple(float(every[own[0]]) for own in chosen),
        high=tuple(float(every[own[-1]]) for own in chosen),
        errors=tuple(float(wrong[own].mean()) for own in chosen),
        upper_errors=tuple(float(np.quantile(wrong[own], 0.9)) for own in chosen),
        counts=tuple(map(len, chosen)),
        atoms=len(every),
        frames=len(kept),
        rank_correlation_atoms=_rank(every, wrong),
        rank_correlation_frames=_rank(
            np.array([own.max() for own, _ in kept]), np.array([error.max() for _, error in kept])
        ),
        atoms_outside=int(outside.sum()),
        rank_correlation_outside=_rank(every[outside], wrong[outside]) if outside.sum() >= _FEWEST else None,
    )


@dataclass(frozen=True)
class Thresholds:
    """From where on something is collected, and where MD ends.

    Attributes
    ----------
    lower, upper
        In the unit of the predictor.
    how
        Where they come from, in words.
    """

    lower: float
    upper: float
    how: str


def thresholds(curve: ErrorCurve | None, target_ev_per_angstrom: float | None, usual: Thresholds) -> Thresholds:
    """Put the thresholds of the grade where a hold-out's expected error reaches a target, and four times it.

    Parameters
    ----------
    curve
        Of the grade, on a hold-out.
    target_ev_per_angstrom
        Force error of an atom that MD may have; None leaves the usual thresholds.
    usual
        Thresholds that stand where the curve does not tell.

    Returns
    -------
    Thresholds
        The lower one at least 1, where the training set ends, and the upper one above it.
    """
    if target_ev_per_angstrom is None or curve is None:
        return usual
    target = f"{target_ev_per_angstrom:g} eV/Å"
    last = curve.values[-1]
    if not curve.atoms_outside:
        how = f"{usual.how}: the hold-out lies inside of the training set, and tells nothing of errors outside"
        return Thresholds(usual.lower, usual.upper, how)
    lower = curve.reaches(target_ev_per_angstrom)
    if lower is None:
        lower = max(usual.lower, last)
        how = f"expected errors of the hold-out stay below {target} up to grade {last:.3g}"
    elif lower <= _INSIDE:
        lower, how = _INSIDE, f"expected errors of the hold-out are {target} or more inside of the training set already"
    else:
        how = f"the expected error of the hold-out reaches {target} at grade {lower:.3g}"
    upper = curve.reaches(HALT * target_ev_per_angstrom)
    if upper is not None and upper > 1.2 * lower:
        return Thresholds(lower, upper, f"{how}, and {HALT:g} times that at {upper:.3g}")
    ratio = usual.upper / usual.lower
    upper = ratio * lower
    return Thresholds(lower, upper, f"{how}; {HALT:g} times that is not reached above it: {ratio:.3g} times the lower")


def no_higher(curve: ErrorCurve | None, wanted_ev_per_angstrom: float | None, usual: Thresholds) -> Thresholds:
    """Lower a threshold to where a hold-out is no longer as good as is wanted.

    What frames left out of training say of a grade is how usual it is, not how wrong: of few frames that do not span
    their own kind, a grade of ten is usual, and so are large errors. The mean length of an error is twice the mean of
    its components (2σ√(2/π) and σ√(2/π) of a normal distribution).

    Parameters
    ----------
    curve
        Of the grade, on a hold-out.
    wanted_ev_per_angstrom
        Mean force error over components that is good enough; None leaves the usual thresholds.
    usual
        By frames left out of training.

    Returns
    -------
    Thresholds
        The lower one at least 1, where the training set ends, and at most the usual one; the upper one as it was.
    """
    if curve is None or wanted_ev_per_angstrom is None:
        return usual
    reached = curve.reaches(2 * wanted_ev_per_angstrom)
    lower = max(reached, _INSIDE) if reached is not None else usual.lower
    if lower >= usual.lower:
        return usual
    how = (
        f"the expected error of the hold-out reaches {2 * wanted_ev_per_angstrom:g} eV/Å, twice the wanted mean of "
        f"its components, at grade {lower:.3g}, below {usual.lower:.3g} by {usual.how}"
    )
    return Thresholds(lower, usual.upper, how)


def _parts(count: int) -> list[tuple[int, int]]:
    number = max(1, min(_BINS, count // _FEWEST))
    edges = np.linspace(0, count, number + 1).astype(int).tolist()
    while edges[-1] - edges[-2] >= 2 * _FEWEST:
        edges.insert(-1, (edges[-2] + edges[-1]) // 2)
    return list(zip(edges, edges[1:], strict=False))


def _rank(values: Floats, errors: Floats) -> float | None:
    if len(values) < 3 or np.ptp(values) == 0 or np.ptp(errors) == 0:
        return None
    return float(spearmanr(values, errors).statistic)
