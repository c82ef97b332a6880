"""Volume moves: constant pressure for walkers, by Monte Carlo between their stretches of MD.

OpenMM's barostat keeps its random numbers out of its checkpoints, so that a walker that is restored would go elsewhere.
Here they come from the segment's seed. Molecules are moved as wholes (Åqvist et al., Chem. Phys. Lett. 384, 288
(2004)). The box of a membrane changes its area and its height by turns, each against the same pressure: a surface
tension of 0 (Zhang, Feller, Brooks, Pastor, J. Chem. Phys. 103, 10252 (1995)), as OpenMM's membrane barostat does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gibbsflow.engines.md_engine import Walker
from gibbsflow.units import KJ_PER_BAR_NM3, KJ_PER_KCAL, Floats, Ints, kt_kcal_per_mol

WATER_COMPRESSIBILITY_PER_BAR = 4.6e-5
WATER_NM3 = 0.03
MOVE_IN_SIGMA = 1.5
"""Largest change of volume, in standard deviations of the volume of as much water."""


class Barostat:
    """Attempts at another volume, accepted by Metropolis's criterion.

    Parameters
    ----------
    molecules
        Which molecule each atom is in, counted from 0 in the order of the atoms, shape (N,).
    temperature_k, pressure_bar
        Of the ensemble.
    largest_move_nm3
        Largest change of volume; it must not depend on the volume, or a move and its way back were not equally likely.
        Default: `MOVE_IN_SIGMA` for a box of as many waters as there are molecules.
    membrane
        Whether one move changes the area in xy alone and another the height alone, drawn at random.
    """

    def __init__(
        self,
        molecules: Ints,
        temperature_k: float,
        pressure_bar: float,
        largest_move_nm3: float | None = None,
        *,
        membrane: bool = False,
    ) -> None:
        self.draws = 3 if membrane else 2
        self._molecules = molecules
        self._sizes = np.bincount(molecules).astype(float)
        self._kt_kj_per_mol = kt_kcal_per_mol(temperature_k) * KJ_PER_KCAL
        self._pressure_kj_per_mol_nm3 = pressure_bar * KJ_PER_BAR_NM3
        water = len(self._sizes) * WATER_NM3
        spread = math.sqrt(self._kt_kj_per_mol / KJ_PER_BAR_NM3 * water * WATER_COMPRESSIBILITY_PER_BAR)
        self._largest_move_nm3 = largest_move_nm3 or MOVE_IN_SIGMA * spread

    def attempt(self, walker: Walker, draws: Sequence[float] | Floats) -> bool:
        """Try one other volume, in the walker's state.

        Parameters
        ----------
        walker
            Its atoms are moved where the attempt is accepted.
        draws
            Uniform random numbers in 0..1: of the volume, of the decision, and for a membrane of what is changed.

        Returns
        -------
        bool
            Whether it was accepted.
        """
        positions, box = walker.positions_nm(), walker.box_nm()
        volume = float(np.linalg.det(box))
        other = volume + (2 * draws[0] - 1) * self._largest_move_nm3
        if other <= 0:
            return False
        scale = self._scale(other / volume, draws)
        before = walker.potential_kj_per_mol()
        walker.place(positions + self._centres(positions) * (scale - 1), box * scale)
        after = walker.potential_kj_per_mol()
        work = after - before + self._pressure_kj_per_mol_nm3 * (other - volume)
        exponent = -work / self._kt_kj_per_mol + len(self._sizes) * math.log(other / volume)
        if math.isfinite(after) and (exponent >= 0 or draws[1] < math.exp(exponent)):
            return True
        walker.place(positions, box)
        return False

    def _scale(self, ratio: float, draws: Sequence[float] | Floats) -> Floats:
        """By what each axis grows, shape (3,)."""
        if self.draws == 2:  # noqa: PLR2004
            return np.full(3, ratio ** (1 / 3))
        return np.array([1.0, 1.0, ratio] if draws[2] < 0.5 else [ratio**0.5, ratio**0.5, 1.0])  # noqa: PLR2004

    def _centres(self, positions: Floats) -> Floats:
        """Centre of each atom's molecule, shape (N, 3)."""
        sums = [np.bincount(self._molecules, weights=positions[:, axis]) / self._sizes for axis in range(3)]
        return np.stack(sums, axis=1)[self._molecules]
