"""Extrapolation grade: how far an environment lies outside of what was trained on, by D-optimality.

The active set A of an element is the square submatrix of largest volume of its local descriptors (rows: atoms, columns:
descriptors). A descriptor b has the grade γ = max |b A⁻¹|: up to 1 inside, more outside (Podryabinkin and Shapeev,
Comput. Mater. Sci. 2017, 140, 171; MaxVol: Goreinov et al., in Matrix Methods: Theory, Algorithms and Applications,
2010, p. 247). Descriptors may be strongly correlated, as POD's are, so they are first turned to their principal axes,
and axes that the data do not span are cut off.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

from gibbsflow.errors import InputError, StateError
from gibbsflow.units import Floats
from gibbsflow.workflow.files import atomic_open
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, require_file

ACTIVE_SET = "active_set.npz"
# singular values below this share of the largest carry rounding, not structure
_RANK_TOLERANCE = 1e-5
# up to here an environment counts as known, however well the training set spans itself
_KNOWN = 2.0
_ABOVE = 1.0 + 1e-6
# MaxVol ends where no training atom has a larger grade
_INSIDE = 1.05


def maxvol(rows: Floats, tolerance: float = _INSIDE, max_swaps: int = 10_000) -> npt.NDArray[np.int64]:
    """Find rows whose square submatrix has (nearly) the largest volume.

    Parameters
    ----------
    rows
        Matrix of full column rank, shape (n, r) with n >= r.
    tolerance
        Ends when no entry of ``rows @ inv(rows[chosen])`` is larger than this.
    max_swaps
        Bound on the number of exchanges.

    Returns
    -------
    ndarray
        Indices of the chosen rows, shape (r,).

    Raises
    ------
    ValueError
        For fewer rows than columns, or too low a rank.
    """
    n, r = rows.shape
    if n < r:
        raise ValueError(f"{n} rows cannot span {r} columns")
    # rows chosen by pivoting in QR are a good start
    triangle, pivots = scipy.linalg.qr(rows.T, mode="r", pivoting=True)
    if abs(triangle[r - 1, r - 1]) <= 1e-13 * abs(triangle[0, 0]):
        raise ValueError("the columns are not independent")
    chosen = np.array(pivots[:r])
    products = scipy.linalg.solve(rows[chosen].T, rows.T).T
    for _ in range(max_swaps):
        i, j = np.unravel_index(int(np.abs(products).argmax()), products.shape)
        if abs(products[i, j]) <= tolerance:
            break
        # exchange of row j of the submatrix for row i: a rank-one update of all products
        pivot = products[i].copy()
        pivot[j] -= 1.0
        products -= np.outer(products[:, j] / products[i, j], pivot)
        chosen[j] = i
    return chosen


@dataclass(frozen=True)
class ActiveSet:
    """Active set of one element.

    Attributes
    ----------
    mean, scale
        Of each descriptor over the training atoms, shape (d,).
    axes
        Principal axes that are kept, shape (d, r - 1): with the constant, a row has r entries.
    inverse
        Inverse of the active submatrix, shape (r, r).
    floor
        No grade is below; above 0 for an element of so few atoms that its active set holds nearly everything.
    """

    mean: Floats
    scale: Floats
    axes: Floats
    inverse: Floats
    floor: float = 0.0

    def project(self, descriptors: Floats) -> Floats:
        """Bring descriptors into the space of the active set.

        Parameters
        ----------
        descriptors
            Of atoms of the element, shape (n, d).

        Returns
        -------
        ndarray
            Coordinates on the principal axes that are kept, after a leading 1; shape (n, r).
        """
        coordinates = ((descriptors - self.mean) / self.scale) @ self.axes
        return np.column_stack([np.ones(len(coordinates)), coordinates])

    def grades(self, descriptors: Floats) -> Floats:
        """Grade environments.

        Parameters
        ----------
        descriptors
            Of atoms of the element, shape (n, d).

        Returns
        -------
        ndarray
            γ = max |b A⁻¹| of each, and at least the floor, shape (n,).
        """
        own = np.abs(self.project(descriptors) @ self.inverse).max(axis=1)
        return np.asarray(np.maximum(own, self.floor))


def active_set(descriptors: Floats, rank_tolerance: float = _RANK_TOLERANCE) -> ActiveSet:
    """Build the active set of one element.

    Parameters
    ----------
    descriptors
        Of all training atoms of the element, shape (n, d).
    rank_tolerance
        Principal axes with a smaller share of the largest singular value are cut off.

    Returns
    -------
    ActiveSet
        On at most half as many axes as there are atoms.
    """
    mean, scale = descriptors.mean(axis=0), descriptors.std(axis=0)
    scale = np.where(scale > 1e-12 * np.maximum(np.abs(mean), 1.0), scale, 1.0)
    scaled = (descriptors - mean) / scale
    # eigenvalues of the covariance are squares of singular values, and cost little for many atoms
    squares, vectors = np.linalg.eigh(scaled.T @ scaled)
    order = np.argsort(squares)[::-1]
    rank = int((squares > rank_tolerance**2 * max(squares.max(), 1e-300)).sum())
    # an active set of as many rows as there are atoms would call everything new: keep at most half as many axes
    axes = vectors[:, order[: min(rank, len(descriptors) // 2)]]
    partial = ActiveSet(mean, scale, axes, np.eye(axes.shape[1] + 1))
    rows = partial.project(descriptors)
    chosen = _independent(rows)
    if chosen is None:  # equal atoms, as in perfect crystals: as many axes as there are different ones
        axes = axes[:, : max(int(np.linalg.matrix_rank(rows - rows[:1], tol=1e-6)), 0)]
        rows = ActiveSet(mean, scale, axes, np.eye(axes.shape[1] + 1)).project(descriptors)
        chosen = maxvol(rows)
    inverse = np.asarray(np.linalg.inv(rows[chosen]), dtype=np.float64)
    return ActiveSet(mean, scale, axes, inverse)


def _independent(rows: Floats) -> npt.NDArray[np.int64] | None:
    try:
        return maxvol(rows)
    except ValueError:
        return None


@dataclass(frozen=True)
class Grader:
    """Active sets of all elements, with thresholds calibrated from the training set.

    Attributes
    ----------
    basis
        What the potential needs to compute the descriptors, as JSON holds it, with the symbols under ``species``; it
        may be smaller than the potential's own basis.
    sets
        Active set by symbol.
    lower, upper
        Frames with a largest grade between them are worth a label; at the upper one MD stops.
    calibration
        Where the thresholds come from, by name of the quantile.
    """

    basis: Mapping[str, Any]
    sets: Mapping[str, ActiveSet]
    lower: float
    upper: float
    calibration: Mapping[str, float]

    @property
    def species(self) -> tuple[str, ...]:
        """Chemical symbols in the order of the basis.

        Returns
        -------
        tuple of str
            One an active set.
        """
        return tuple(self.sets)

    @property
    def basis_descriptors(self) -> int:
        """Number of descriptors of an atom.

        Returns
        -------
        int
            The same for all elements.
        """
        return len(next(iter(self.sets.values())).mean)

    def grades(self, symbols: Sequence[str], descriptors: Floats) -> Floats:
        """Grade atoms in the active sets of their elements.

        Parameters
        ----------
        symbols
            Chemical symbol of each atom.
        descriptors
            Of each, shape (n, d).

        Returns
        -------
        ndarray
            γ of each atom, shape (n,); infinite for unknown elements and where descriptors are not finite.
        """
        result = np.full(len(symbols), np.inf)
        names = np.array(symbols)
        for symbol, own in self.sets.items():
            index = np.flatnonzero((names == symbol) & np.isfinite(descriptors).all(axis=1))
            if len(index):
                result[index] = own.grades(descriptors[index])
        return result

    @property
    def unknown_elements(self) -> tuple[str, ...]:
        """Elements of which no environment is known.

        Returns
        -------
        tuple of str
            Those of :meth:`without`.
        """
        return tuple(symbol for symbol, own in self.sets.items() if own.floor > 0)

    def without(self, elements: Collection[str]) -> Grader:
        """Have every environment of some elements count as unknown.

        Of n atoms an active set has at most n/2 axes, and of one atom none: what differs along no axis has a grade of
        1, and an element of few atoms would be known everywhere. Its neighbours are graded in their own sets.

        Parameters
        ----------
        elements
            Chemical symbols.

        Returns
        -------
        Grader
            Grades of their atoms lie above the lower threshold.
        """
        # by more than LAMMPS rounds
        floor = _ABOVE * self.lower
        sets = {s: replace(own, floor=floor if s in elements else 0.0) for s, own in self.sets.items()}
        return replace(self, sets=sets)

    def with_lower(self, lower: float) -> Grader:
        """Set another lower threshold, which unknown elements stay above.

        Parameters
        ----------
        lower
            From where on an environment counts as unknown.

        Returns
        -------
        Grader
            With the same active sets.
        """
        return replace(self, lower=lower).without(self.unknown_elements)

    def write(self, path: Path) -> None:
        """Write ``active_set.npz``.

        Parameters
        ----------
        path
            File to write, atomically.
        """
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "basis": np.array(json.dumps(self.basis)),
            "thresholds": np.array([self.lower, self.upper]),
            "calibration_names": np.array(list(self.calibration)),
            "calibration_values": np.array(list(self.calibration.values())),
        }
        for symbol, own in self.sets.items():
            arrays |= {f"{symbol}_{k}": np.asarray(v) for k, v in vars(own).items()}
        with atomic_open(Path(path)) as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

    @classmethod
    def read(cls, path: Path) -> Grader:
        """Read ``active_set.npz``.

        Parameters
        ----------
        path
            File that :meth:`write` wrote.

        Returns
        -------
        Grader
            As it was, where the basis has lists in place of tuples.

        Raises
        ------
        StateError
            Where it is missing or not readable.
        """
        try:
            with np.load(require_file(path, "an active set", STRUCTURE_BYTES), allow_pickle=False) as content:
                basis = json.loads(str(content["basis"]))
                names = ("mean", "scale", "axes", "inverse")
                sets = {s: ActiveSet(*(content[f"{s}_{k}"] for k in names)) for s in basis["species"]}
                # as earlier versions wrote it, a set has no floor
                floors = {s: float(content[f"{s}_floor"]) for s in sets if f"{s}_floor" in content}
                sets |= {s: replace(sets[s], floor=floor) for s, floor in floors.items()}
                calibration = dict(
                    zip(content["calibration_names"].tolist(), content["calibration_values"].tolist(), strict=True)
                )
                lower, upper = content["thresholds"].tolist()
        except (InputError, OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise StateError(f"{path}: not an active set ({error})") from error
        return cls(basis, sets, lower, upper, calibration)


def calibrate(
    symbols: Sequence[Sequence[str]],
    descriptors: Sequence[Floats],
    fold: npt.NDArray[np.int64],
    basis: Mapping[str, Any],
    counted: npt.NDArray[np.bool_] | None = None,
) -> Grader:
    """Build the active sets and set the thresholds by what training itself looks like when it is left out.

    Each fold's frames are graded by active sets of the other folds. The largest grade of a frame that is known to be
    of the same kind has a distribution. Its median is the lower threshold: a frame newer than the typical one that was
    left out is worth a label. A small set that does not yet span its own frames has a long tail (the largest strains,
    left out, may reach a hundred), which the median, unlike a high quantile, does not follow. The upper threshold is
    the 95 % quantile. Neither falls below the customary 2 and 10 (Podryabinkin and Shapeev).

    Parameters
    ----------
    symbols, descriptors
        Of each training frame; descriptors of shape (atoms, d).
    fold
        Fold of each frame, shape (frames,).
    basis
        What the potential needs to compute these descriptors; see :class:`Grader`.
    counted
        Of each frame, whether its grade counts for the thresholds; default: all do. Active sets are of all frames.

    Returns
    -------
    Grader
        With active sets of all frames together.
    """
    species = basis["species"]
    held_out = []
    for left_out in range(int(fold.max()) + 1):
        kept = [i for i in range(len(symbols)) if fold[i] != left_out]
        present = {s for i in kept for s in symbols[i]}
        sets = {s: active_set(_of(s, symbols, descriptors, kept)) for s in species if s in present}
        grader = Grader(basis, sets, 1.0, 1.0, {})
        judged = [i for i in range(len(symbols)) if fold[i] == left_out and (counted is None or counted[i])]
        largest = [grader.grades(symbols[i], descriptors[i]).max() for i in judged]
        held_out += [g for g in largest if np.isfinite(g)]
    everything = list(range(len(symbols)))
    sets = {s: active_set(_of(s, symbols, descriptors, everything)) for s in species}
    values = np.array(held_out) if held_out else np.ones(1)
    quantile, largest_value = float(np.quantile(values, 0.95)), float(values.max())
    median = float(np.median(values))
    lower = max(median, _KNOWN)
    upper = max(5.0 * lower, quantile)
    calibration = {
        "held_out_median": median, "held_out_q95": quantile, "held_out_largest": largest_value,
        "held_out_frames": float(len(held_out)),
    }  # fmt: skip
    return Grader(basis, sets, lower, upper, calibration)


def _of(symbol: str, symbols: Sequence[Sequence[str]], descriptors: Sequence[Floats], frames: Sequence[int]) -> Floats:
    return np.concatenate([descriptors[i][np.array(symbols[i]) == symbol] for i in frames])
