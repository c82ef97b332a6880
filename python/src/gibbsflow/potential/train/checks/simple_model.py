"""A potential for suspicion: pairs and an embedding, fitted in a blink, against which labels are held.

It is good to some per cent of a metal's forces and to a third of silicon's, which tells units, signs and zeros of
energy apart and nothing finer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from ase import Atoms

from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.data.neighbours import pairs_within
from gibbsflow.units import Floats

REACH_ANGSTROM = 5.5
"""Distance at which atoms of the simple model cease to feel each other."""
_POWERS = (2, 3, 4, 6, 9, 14)
_RIDGE = 1e-7


@dataclass(frozen=True)
class Rows:
    """What one frame adds to a fit.

    Attributes
    ----------
    energy
        Its energy by unit coefficient, shape (columns,).
    forces
        Forces, shape (3n, columns).
    virial
        Derivative of the energy with strain, Voigt xx yy zz yz xz xy, shape (6, columns).
    """

    energy: Floats
    forces: Floats
    virial: Floats


@dataclass
class SimpleModel:
    """E = Σ pairs of powers of (1 − r/R), and √ρ and ρ² of each atom's density ρ = Σ (1 − r/R)³, by element.

    After Finnis and Sinclair, Philos. Mag. A 1984, 50, 45: pairs, and an embedding in a density of neighbours.

    Attributes
    ----------
    species
        Atomic numbers.
    coefficients
        As fitted, shape (columns,).
    explained
        Share of the squared forces (of energies an atom where forces are zero) that the fit accounts for.
    """

    species: tuple[int, ...]
    coefficients: Floats = field(default_factory=lambda: np.zeros(0))
    explained: float = 0.0

    def rows(self, atoms: Atoms) -> Rows:
        """Compute what a frame adds to a fit.

        Parameters
        ----------
        atoms
            Structure of the model's elements; any periodicity.

        Returns
        -------
        Rows
            Energies in units of the coefficients, lengths in Å.
        """
        i, j, distance, vector = pairs_within(atoms, REACH_ANGSTROM)
        place = {number: k for k, number in enumerate(self.species)}
        kind = np.array([place[number] for number in atoms.numbers])
        count, n = len(self.species), len(atoms)
        low, high = np.minimum(kind[i], kind[j]), np.maximum(kind[i], kind[j])
        pair = low * count + high
        gap = 1 - distance / REACH_ANGSTROM
        unit = vector / np.maximum(distance, 1e-9)[:, None]
        energies, slopes = [], []
        for low_kind in range(count):
            for high_kind in range(low_kind, count):
                own = pair == low_kind * count + high_kind
                for power in _POWERS:
                    energies.append(0.5 * float((gap[own] ** power).sum()))
                    slopes.append(np.where(own, -0.5 * power * gap ** (power - 1) / REACH_ANGSTROM, 0.0))
        density = np.bincount(i, gap**3, minlength=n)
        growth = -3 * gap**2 / REACH_ANGSTROM
        for element in range(count):
            own = kind == element
            root = np.sqrt(density + 1e-6)
            energies += [float((root[own] - 1e-3).sum()), float((density[own] ** 2).sum())]
            slopes += [
                np.where(own[i], 0.5 / root[i] * growth, 0.0), np.where(own[i], 2 * density[i] * growth, 0.0),
            ]  # fmt: skip
        slope = np.array(slopes)
        forces = np.empty((n, 3, len(slope)))
        virial = np.empty((6, len(slope)))
        for axis in range(3):
            along = slope * unit[:, axis]
            forces[:, axis] = _sums(along, i, n) - _sums(along, j, n)
        for k, (a, b) in enumerate(((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))):
            virial[k] = slope @ (unit[:, a] * vector[:, b])
        return Rows(np.array(energies), forces.reshape(3 * n, -1), virial)

    def fit(self, frames: Sequence[LabelledFrame], rows: Sequence[Rows], *, energies: Floats | None = None) -> None:
        """Fit to forces, and to energies where they are given.

        Parameters
        ----------
        frames, rows
            In the same order.
        energies
            Energies without those of the elements, eV a frame, shape (frames,); None to leave energies out.
        """
        gram = np.zeros((len(rows[0].energy),) * 2)
        moment = np.zeros(len(gram))
        forces = [frame.forces_ev_per_angstrom for frame in frames]
        size = float(np.sqrt(np.mean(np.concatenate([own.ravel() for own in forces]) ** 2)))
        total = 0
        for own, row in zip(forces, rows, strict=True):
            largest = max(np.abs(own).max(initial=0.0) / max(5 * size, 1e-9), 1.0)  # no frame rules the fit
            x, y = row.forces / largest, own.ravel() / largest
            gram += x.T @ x / max(size, 1e-3) ** 2
            moment += x.T @ y / max(size, 1e-3) ** 2
            total += len(y)
        if energies is not None:
            sizes = np.array([len(frame.atoms) for frame in frames], dtype=float)
            x, y = np.array([row.energy for row in rows]) / sizes[:, None], energies / sizes
            width = max(float(np.std(y)), 1e-3)
            weight = max(total, 1) / len(frames) / width**2
            centred = x - x.mean(axis=0), y - y.mean()
            gram += weight * centred[0].T @ centred[0]
            moment += weight * centred[0].T @ centred[1]
        scale = 1 / np.sqrt(np.maximum(np.diag(gram), 1e-30))
        values, vectors = np.linalg.eigh(gram * scale * scale[:, None])
        values = np.maximum(values, 0) + _RIDGE * max(values.max(), 1e-30)
        self.coefficients = scale * (vectors @ ((vectors.T @ (moment * scale)) / values))
        if size > 1e-6:
            left = sum(
                float(((row.forces @ self.coefficients - own.ravel()) ** 2).sum())
                for own, row in zip(forces, rows, strict=True)
            )
            self.explained = 1 - left / max(sum(float((own**2).sum()) for own in forces), 1e-30)
        elif energies is not None and len(frames) > 2:
            self.explained = 1 - float(np.sum((centred[1] - centred[0] @ self.coefficients) ** 2)) / max(
                float(np.sum(centred[1] ** 2)), 1e-30
            )


def _sums(values: Floats, index: npt.NDArray[np.int64], count: int) -> Floats:
    """Sum columns of pairs over atoms: shape (columns, pairs) to (count, columns)."""
    offset = np.arange(len(values))[:, None] * count + index
    totals: Floats = np.asarray(np.bincount(offset.ravel(), values.ravel(), minlength=count * len(values)), dtype=float)
    return totals.reshape(len(values), count).T
