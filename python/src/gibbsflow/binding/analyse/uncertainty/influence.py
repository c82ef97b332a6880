"""What each sample adds to the free energy of a leg: the influence function of MBAR.

To first order MBAR's free energy is a sum over samples. The error of a sum is that of its parts, whatever their
correlation: over time, between windows that exchange walkers, in blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from gibbsflow.binding.sample.energies import Energies
from gibbsflow.units import Floats, Ints

_ZERO = 1e-10
"""Singular values below this part of the largest are zero: rounding leaves some 1e-15 of the one that is."""


@dataclass(frozen=True)
class MbarWeights:
    """MBAR's equations at their solution, and how they answer to other weights of the samples.

    Attributes
    ----------
    weights
        W of each sample in each state, shape (N, K).
    drawn_from
        State of each sample, shape (N,).
    counts
        Samples of each state, shape (K,).
    shared
        WᵀW, shape (K, K).
    inverse
        Pseudo-inverse of 1 − WᵀWN, shape (K, K): the free energies have no zero, and differences of its rows know none
        either.
    """

    weights: Floats
    drawn_from: Ints
    counts: Floats
    shared: Floats
    inverse: Floats

    @classmethod
    def of(cls, energies: Energies, f_kt: Floats) -> MbarWeights:
        """Weigh all samples.

        Parameters
        ----------
        energies
            All samples.
        f_kt
            Free energies of all states that solve MBAR's equations, shape (K,), kT.

        Returns
        -------
        MbarWeights
            In the order of ``energies.u_nk``.
        """
        u_nk = energies.u_all.to_numpy()
        drawn_from = energies.u_nk.index.get_level_values("state").to_numpy(dtype=int)
        states = u_nk.shape[1]
        counts = np.bincount(drawn_from, minlength=states).astype(float)
        log_w = f_kt - u_nk
        log_w -= logsumexp(log_w, axis=1, b=counts, keepdims=True)
        weights = np.exp(log_w)
        shared = weights.T @ weights
        return cls(weights, drawn_from, counts, shared, np.linalg.pinv(np.eye(states) - shared * counts, rcond=_ZERO))


def influence(energies: Energies, f_kt: Floats) -> Floats:
    """Change of G(last) − G(first) for a unit more weight on each sample.

    Parameters
    ----------
    energies
        All samples.
    f_kt
        Free energies of all states that solve MBAR's equations, shape (K,), kT.

    Returns
    -------
    Floats
        Shape (N,), kT, in the order of ``energies.u_nk``; the sum over all samples is zero.

    Notes
    -----
    Samples m of state j weigh 1 + ε_m in the equations Σ_n W_nk = 1, W_nk = e^(f_k − u_nk) / Σ_j N_j e^(f_j − u_nj), of
    Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008). Their derivative gives
    (1 − WᵀWN) δf = −Σ_m ε_m h_m with h_mk = W_mk − (WᵀW)_kj. States without samples (N_k = 0) take part.
    """
    mbar = MbarWeights.of(energies, f_kt)
    response = mbar.inverse[-1] - mbar.inverse[0]
    found: Floats = -(mbar.weights @ response) + (mbar.shared @ response)[mbar.drawn_from]
    return found
