"""Reference energies of the elements: of isolated atoms where given, fitted otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gibbsflow.potential.data.labelled_frames import LabelledFrame


@dataclass(frozen=True)
class AtomicEnergies:
    """Energy of each element that is taken off before the fit and added again after.

    Attributes
    ----------
    energy_ev
        By chemical symbol, eV an atom.
    source
        ``isolated atoms`` or ``least squares``.
    """

    energy_ev: dict[str, float]
    source: str

    def of(self, frame: LabelledFrame) -> float:
        """Sum the reference energies of a frame.

        Parameters
        ----------
        frame
            With atoms of the known elements.

        Returns
        -------
        float
            Sum over its atoms, eV.
        """
        return sum(self.energy_ev[s] for s in frame.atoms.get_chemical_symbols())


def reference_energies(frames: Sequence[LabelledFrame], species: Sequence[str]) -> AtomicEnergies:
    """Find the reference energies.

    With an isolated atom of every element the potential is right for separated atoms by construction. Otherwise the
    least-squares solution of least norm of ``E = sum_s n_s E_s``, which only sets the zero: where compositions do not
    vary independently, single values mean nothing and their sums do.

    Parameters
    ----------
    frames
        Training frames.
    species
        Symbols in the order of the potential.

    Returns
    -------
    AtomicEnergies
        In eV an atom, with where they come from.
    """
    isolated = {f.atoms.get_chemical_symbols()[0]: f.energy_ev for f in frames if f.isolated}
    if all(s in isolated for s in species):
        return AtomicEnergies({s: isolated[s] for s in species}, "isolated atoms")
    bulk = [f for f in frames if not f.isolated and f.weights.energy > 0] or list(frames)
    counts = np.array([[f.atoms.get_chemical_symbols().count(s) for s in species] for f in bulk], dtype=float)
    sizes = counts.sum(axis=1)
    energies = np.array([f.energy_ev for f in bulk])
    solution = np.linalg.lstsq(counts / sizes[:, None], energies / sizes, rcond=1e-8)[0]
    return AtomicEnergies({s: float(e) for s, e in zip(species, solution, strict=True)}, "least squares")
