"""How much of a box is the crystal it started from: its structure factor, slice by slice."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from ase import Atoms

from gibbsflow.engines.lammps_frame import Frame
from gibbsflow.errors import ScienceError
from gibbsflow.units import Floats

_INDICES = range(-4, 5)
_STRONG = 0.2
_LEAST_ATOMS = 16
_EDGE = 1e-6


@dataclass(frozen=True)
class CrystallineOrder:
    """Order of a box that was cut from a crystal.

    Attributes
    ----------
    waves_per_angstrom
        Reciprocal lattice vectors of least length that scatter, in the orientation of the box; shape (k, 3).
    cell_angstrom
        Cell of the box that they belong to: of another one, positions are scaled back first; shape (3, 3).
    slices
        Number of slices along the box's third vector.
    perfect
        Order of the crystal at rest.
    """

    waves_per_angstrom: Floats
    cell_angstrom: Floats
    slices: int
    perfect: float

    @classmethod
    def of(cls, unit: Atoms, frame: Frame, *, slices: int = 1) -> CrystallineOrder:
        """Choose the waves of a crystal.

        Parameters
        ----------
        unit
            Its conventional cell; all atoms scatter alike.
        frame
            A box of whole cells of it, at rest.
        slices
            Number of slices at most: each has 16 atoms at least.

        Returns
        -------
        CrystallineOrder
            For boxes that started as `frame`.

        Raises
        ------
        ScienceError
            Where no short wave is scattered by all of it.
        """
        indices = np.array([one for one in product(_INDICES, repeat=3) if one > (0, 0, 0)])
        waves = 2 * np.pi * indices @ unit.cell.reciprocal().array
        strength = np.abs(np.exp(1j * unit.positions @ waves.T).mean(axis=0)) ** 2
        lengths = np.linalg.norm(waves, axis=1)
        strong = strength > _STRONG
        if not strong.any():
            raise ScienceError("no short wave tells this crystal from a liquid")
        shell = strong & (lengths < 1.02 * lengths[strong].min())
        count = max(1, min(slices, len(frame.positions) // _LEAST_ATOMS))
        return cls(waves[shell] @ frame.rotation, frame.cell, count, float(strength[shell].mean()))

    def of_slices(self, frame: Frame) -> Floats:
        """Measure the order of each slice: 1 where atoms are in their places, 0 in a liquid.

        |Σ exp(iGr)|²/n², less the 1/n that atoms without order give, over the same of the crystal at rest. The phase of
        a slice does not count, so that a crystal that has moved is one, too.

        Parameters
        ----------
        frame
            The box.

        Returns
        -------
        ndarray
            Shape (slices,); 0 for an empty slice.
        """
        fractions = frame.positions @ np.linalg.inv(frame.cell)
        phases = np.exp(1j * fractions @ self.cell_angstrom @ self.waves_per_angstrom.T)
        # planes that lie on the edge of a slice all go to one side of it
        places = np.floor(((fractions[:, 2] + _EDGE) % 1.0) * self.slices).astype(int).clip(0, self.slices - 1)
        found = np.zeros(self.slices)
        for number in range(self.slices):
            inside = phases[places == number]
            if len(inside) > 1:
                noise = 1 / len(inside)
                strength = float((np.abs(inside.mean(axis=0)) ** 2).mean())
                found[number] = (strength - noise) / max(self.perfect - noise, noise)
        return found
