"""Whether the energies of a part of the frames lie on another zero, where frames differ in make and composition.

Forces leave free what an atom's energy is by its elements and neighbours' elements, and energies must tell it. A
plain fit to few of them hides a shift of some, so the fit is a robust one: least trimmed squares (Rousseeuw, J. Am.
Stat. Assoc. 1984, 79, 871) of what forces leave free, and each frame is held against the fit to the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gibbsflow.errors import first_few
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train.checks.simple_model import Rows
from gibbsflow.units import DEVIATIONS_PER_MAD, Floats
from gibbsflow.workflow.account import Account

EXPLAINED = 0.95
"""Share of the squared forces that the model gives before energies are held against it (less in angular solids)."""
SHIFT_EV_PER_ATOM = 0.2
"""Frames that lie from the others by less are never called shifted."""
SHIFT_SPREADS = 8.0
"""Nor by less than so many standard deviations of their prediction by the others, scaled to the others' residuals."""
UNEXPLAINED_ANGSTROM = 2.0
"""Nor by less than the part of the forces that no model explains (root mean square) does along such a way."""
ALONE_EV_PER_ATOM = 0.5
"""Frames whose shifts differ lie apart by so much before they are warned of."""
COMMON_SHARE = 0.15
"""Shifts are one if their standard deviation is less than this part of their median."""
TRIMMED_SHARE = 0.6
"""Share of the frames that the first fit keeps."""
_NOISE_EV_PER_ATOM = 0.005
_ELEMENT_EV = 10.0
_COLUMN_EV = 100.0
_STARTS, _STEPS, _NAMED = 40, 4, 10

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Left:
    """What the fit to the frames of the main part leaves of energies.

    Attributes
    ----------
    main
        Frames that are fitted, shape (frames,).
    shift_ev
        Energy less the one that the other frames of the main part predict, eV an atom, shape (frames,).
    spread_ev
        Standard deviation of the prediction, eV an atom, shape (frames,).
    unexplained_ev_per_angstrom
        Root mean square of the forces that the model does not give: those of the frame, or those of all where they
        are larger, shape (frames,).
    """

    main: Mask
    shift_ev: Floats
    spread_ev: Floats
    unexplained_ev_per_angstrom: Floats

    @property
    def apart(self) -> Mask:
        """Frames that lie apart from what the others predict.

        Returns
        -------
        ndarray
            Shape (frames,).
        """
        least = np.maximum(SHIFT_EV_PER_ATOM, UNEXPLAINED_ANGSTROM * self.unexplained_ev_per_angstrom)
        limit = np.maximum(least, SHIFT_SPREADS * self.spread_ev)
        return np.asarray(np.abs(self.shift_ev) > limit) & ~self.main


def left_over(
    frames: Sequence[LabelledFrame], rows: Sequence[Rows], shares: Floats, energies: Floats, explained: float
) -> Left:
    """Predict the energy of each frame by forces and by the energies of the other frames that agree.

    Parameters
    ----------
    frames, rows
        In the same order.
    shares
        Share of each element in each frame, shape (frames, elements).
    energies
        Less those of the elements, to 10 eV, eV an atom, shape (frames,).
    explained
        Share of the squared forces that a fit of the rows accounts for.

    Returns
    -------
    Left
        Of each frame.
    """
    mean, kernel, unexplained = _free(frames, rows, shares, explained, len(frames))
    values = energies - mean
    weighted = np.flatnonzero([frame.weights.energy > 0 for frame in frames])
    main = np.zeros(len(frames), dtype=bool)
    main[weighted] = _trimmed(values[weighted], kernel[np.ix_(weighted, weighted)])
    noise = _NOISE_EV_PER_ATOM
    for _ in range(4):
        shift, spread, noise = _scaled(values, kernel, main, noise)
        found = Left(main, shift, spread, unexplained)
        near = np.abs(shift) <= np.maximum(SHIFT_EV_PER_ATOM / 2, SHIFT_SPREADS / 2 * found.spread_ev)
        wider = np.zeros(len(frames), dtype=bool)
        wider[weighted] = near[weighted]
        if wider.sum() <= len(weighted) / 2 or (wider == main).all():
            break
        main = wider
    return found


def held_by(
    frames: Sequence[LabelledFrame], rows: Sequence[Rows], shares: Floats, energies: Floats, explained: float,
    main: Mask, fitted: int,
) -> Left:  # fmt: skip
    """Predict the energy of each frame by forces and by the energies of frames that are known to agree.

    Parameters
    ----------
    frames, rows
        In the same order.
    shares
        Share of each element in each frame, shape (frames, elements).
    energies
        Less those of the elements, to 10 eV, eV an atom, shape (frames,).
    explained
        Share of the squared forces that a fit of the rows accounts for.
    main
        Frames that agree, shape (frames,).
    fitted
        So many of the first frames give forces.

    Returns
    -------
    Left
        Of each frame.
    """
    mean, kernel, unexplained = _free(frames, rows, shares, explained, fitted)
    noise = _NOISE_EV_PER_ATOM
    for _ in range(4):
        shift, spread, noise = _scaled(energies - mean, kernel, main, noise)
    return Left(main, shift, spread, unexplained)


def judge_shifts(frames: Sequence[LabelledFrame], left: Left, trusted: Mask, account: Account) -> Mask:
    """Warn of frames whose energies lie apart from what forces and the other frames predict.

    Parameters
    ----------
    frames
        As they were fitted.
    left
        What the fit leaves.
    trusted
        Frames whose surroundings are known and whose energies say so without a model too, shape (frames,).
    account
        Of the file; gets the warning.

    Returns
    -------
    ndarray
        Frames that are warned of, shape (frames,).
    """
    sizes = np.array([len(frame.atoms) for frame in frames], dtype=float)
    sure = left.apart & trusted
    off, what = sure & (np.abs(left.shift_ev) >= ALONE_EV_PER_ATOM), "from where forces and the other frames have them"
    for shift in (left.shift_ev, left.shift_ev * sizes):
        if sure.sum() > 1 and np.std(shift[sure]) <= COMMON_SHARE * abs(np.median(shift[sure])):
            middle = float(np.median(shift[sure]))
            off = left.apart & (np.abs(shift - middle) <= 2 * COMMON_SHARE * abs(middle))
            what += ", by one shift: another zero or reference of energy"
            break
    if off.any():
        rows = sorted((f.row, float(own)) for f, own, is_off in zip(frames, left.shift_ev, off, strict=True) if is_off)
        named = first_few([f"{row}: {shift:+.2f}" for row, shift in rows], _NAMED)
        what = f"energies of {len(rows)} of {len(frames)} frames ({named}; eV/atom) lie apart {what}"
        account.warn(what, "energies on one zero, of one level of theory", row=rows[0][0], field="energy")
    return np.asarray(off)


def _free(
    frames: Sequence[LabelledFrame], rows: Sequence[Rows], shares: Floats, explained: float, fitted: int
) -> tuple[Floats, Floats, Floats]:
    """Energies an atom by the forces of the first frames, the covariance left to them, and unexplained forces."""
    masks = [np.repeat(frame.force_mask, 3) for frame in frames]
    forces = [f.forces_ev_per_angstrom.ravel()[own] for f, own in zip(frames, masks, strict=True)]
    columns = [row.forces[own] for row, own in zip(rows, masks, strict=True)]
    size = max(float(np.sqrt(np.mean(np.concatenate(forces[:fitted]) ** 2))), 1e-3)
    deviation = max(size * float(np.sqrt(max(1 - explained, 0.0))), 1e-3)
    energy = np.array([row.energy / len(frame.atoms) for row, frame in zip(rows, frames, strict=True)])
    coefficients, free = _prior(energy, columns[:fitted], forces[:fitted], deviation)
    missed = [y - x @ coefficients for x, y in zip(columns, forces, strict=True)]
    unexplained = np.array([np.sqrt(np.mean(own**2)) if len(own) else 0.0 for own in missed])
    kernel = free @ free.T + _ELEMENT_EV**2 * shares @ shares.T
    return energy @ coefficients, kernel, np.maximum(unexplained, deviation)


def _scaled(values: Floats, kernel: Floats, main: Mask, noise: float) -> tuple[Floats, Floats, float]:
    """Residuals, standard deviations at least as large as those of the main part are, and the noise of that."""
    shift, spread = _predicted(values, kernel, main, noise)
    ratio = max(DEVIATIONS_PER_MAD * float(np.median(np.abs(shift[main] / spread[main]))), 1.0)
    return shift, spread * ratio, max(_NOISE_EV_PER_ATOM, min(noise * ratio, 1.0))


def _prior(
    energy: Floats, columns: Sequence[Floats], forces: Sequence[Floats], deviation: float
) -> tuple[Floats, Floats]:
    """Coefficients by a fit to forces, and a root of the covariance that it leaves to energies an atom."""
    size = float(np.sqrt(np.mean(np.concatenate(list(forces)) ** 2)))
    scale = _COLUMN_EV / np.maximum(np.sqrt(np.mean(energy**2, axis=0)), 1e-6)
    gram, moment = np.zeros((len(scale),) * 2), np.zeros(len(scale))
    for own, values in zip(columns, forces, strict=True):
        cut = max(np.abs(values).max(initial=0.0) / max(5 * size, 1e-9), 1.0)  # no frame rules the fit
        x, y = own * scale / cut, values / cut
        gram += x.T @ x
        moment += x.T @ y
    found, vectors = np.linalg.eigh(gram)
    precision = np.maximum(found, 0.0) + deviation**2
    free = deviation * (energy * scale @ vectors) / np.sqrt(precision)
    return scale * (vectors @ (vectors.T @ moment / precision)), free


def _predicted(values: Floats, kernel: Floats, main: Mask, noise: float) -> tuple[Floats, Floats]:
    """Residuals against the frames of the main part but the frame itself, and their standard deviations.

    Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, equations 2.25, 2.26 and 5.12.
    """
    inverse = np.linalg.inv(kernel[np.ix_(main, main)] + noise**2 * np.eye(int(main.sum())))
    weights = inverse @ values[main]
    cross = kernel[:, main]
    shift = values - cross @ weights
    variance = np.diag(kernel) + noise**2 - np.einsum("ij,jk,ik->i", cross, inverse, cross, optimize=True)
    own = np.diag(inverse)
    shift[main] = weights / own
    variance[main] = 1 / own
    return shift, np.asarray(np.sqrt(np.maximum(variance, noise**2)))


def _trimmed(values: Floats, kernel: Floats) -> Mask:
    """Find the share of the frames that predict each other best, from many small beginnings."""
    count = len(values)
    keep = min(count, int(np.ceil(TRIMMED_SHARE * count)))
    rng = np.random.default_rng(0)
    best, least = np.ones(count, dtype=bool), np.inf
    for start in range(_STARTS):
        main = np.ones(count, dtype=bool)
        if start:
            main[:] = False
            main[rng.permutation(count)[: max(4, count // 4)]] = True
        for _ in range(_STEPS):
            shift, _ = _predicted(values, kernel, main, 4 * _NOISE_EV_PER_ATOM)
            main = np.zeros(count, dtype=bool)
            main[np.argsort(np.abs(shift), kind="stable")[:keep]] = True
        shift, _ = _predicted(values, kernel, main, 4 * _NOISE_EV_PER_ATOM)
        size = float(np.sum(shift[main] ** 2))
        if size < least:
            best, least = main, size
    return best
