"""Reference energies of our own DFT for a foundation model: what lies between its reference data and our labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.units import Floats

_SAME = 1e-6


@dataclass(frozen=True)
class Shift:
    """Energy of each element that is added to the model's.

    Attributes
    ----------
    energy_ev
        By chemical symbol, eV an atom.
    isolated_ev
        Labelled energies of isolated atoms, eV; of those elements that have one.
    rank
        Compositions that vary independently in training.
    """

    energy_ev: dict[str, float]
    isolated_ev: dict[str, float]
    rank: int

    def of(self, symbols: Sequence[str]) -> float:
        """Sum over atoms.

        Parameters
        ----------
        symbols
            Chemical symbols.

        Returns
        -------
        float
            In eV.
        """
        return sum(self.energy_ev[symbol] for symbol in symbols)


def fit_shift(frames: Sequence[LabelledFrame], model_ev: Sequence[float], species: Sequence[str]) -> Shift:
    """Fit the shift by least squares of energies an atom on composition: ``E - E_model = sum_s n_s Δ_s``.

    The model's own energies of the elements are the anchor: where compositions do not vary independently, the solution
    of least norm differs from them as little as the labels allow.

    Parameters
    ----------
    frames
        Training frames.
    model_ev
        Untuned energies of these, eV.
    species
        Chemical symbols.

    Returns
    -------
    Shift
        Of frames with weight, isolated atoms apart.
    """
    told = [k for k, frame in enumerate(frames) if not frame.isolated]
    told = [k for k in told if frames[k].weights.energy > 0] or told
    parts = _fractions([frames[k] for k in told], species)
    sizes = np.array([len(frames[k].atoms) for k in told])
    target = np.array([frames[k].energy_ev - model_ev[k] for k in told]) / sizes
    factor = np.sqrt([frames[k].weights.energy or 1.0 for k in told])
    solution, _, rank, _ = np.linalg.lstsq(parts * factor[:, None], target * factor, rcond=_SAME)
    isolated = {f.atoms.get_chemical_symbols()[0]: f.energy_ev for f in frames if f.isolated}
    return Shift({s: float(e) for s, e in zip(species, solution, strict=True)}, isolated, int(rank))


def refuse_undetermined(
    train: Sequence[LabelledFrame], test: Sequence[LabelledFrame], species: Sequence[str], where: str
) -> None:
    """Refuse test frames whose energies the training energies say nothing about.

    Parameters
    ----------
    train, test
        Frames of the fit.
    species
        Chemical symbols.
    where
        Test file, for the message.

    Raises
    ------
    InputError
        Where compositions of the test frames are no combination of those with energies in training: their reference
        energies would be a guess.
    """
    told = [frame for frame in train if not frame.isolated and frame.weights.energy > 0]
    alone = {frame.atoms.get_chemical_symbols()[0] for frame in train if frame.isolated}
    asked = [frame for frame in test if frame.weights.energy > 0
             and not (frame.isolated and frame.atoms.get_chemical_symbols()[0] in alone)]  # fmt: skip
    if not told or not asked:
        return
    _, sizes, rows = np.linalg.svd(_fractions(told, species), full_matrices=False)
    known = rows[sizes > _SAME * sizes[0]]
    parts = _fractions(asked, species)
    beyond = np.linalg.norm(parts - parts @ known.T @ known, axis=1)
    problems = [
        Problem(
            where, f"{frame.atoms.symbols} is no combination of the compositions with energies in training, which fix "
            f"{len(known)} of {len(species)} reference energies", "training frames of other compositions, too",
            row=frame.row, field="energy",
        )
        for frame, distance in zip(asked, beyond, strict=True) if distance > 1e3 * _SAME
    ]  # fmt: skip
    if problems:
        raise InputError(problems)


def _fractions(frames: Sequence[LabelledFrame], species: Sequence[str]) -> Floats:
    """Share of each element, shape (frames, elements)."""
    counts = np.array([[f.atoms.get_chemical_symbols().count(s) for s in species] for f in frames], dtype=float)
    return counts / counts.sum(axis=1, keepdims=True)
