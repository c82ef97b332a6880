"""What each sample adds to the free energy of a leg: the influence function of MBAR.

To first order MBAR's free energy is a sum over samples. The error of a sum is that of its parts, whatever their
correlation: over time, between windows that exchange walkers, in blocks.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from gibbsflow.binding.sample.energies import Energies
from gibbsflow.units import Floats


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
    u_nk = energies.u_all.to_numpy()
    drawn_from = energies.u_nk.index.get_level_values("state").to_numpy(dtype=int)
    states = u_nk.shape[1]
    counts = np.bincount(drawn_from, minlength=states).astype(float)
    log_w = f_kt - u_nk
    log_w -= logsumexp(log_w, axis=1, b=counts, keepdims=True)
    weights = np.exp(log_w)
    shared = weights.T @ weights
    # the free energies have no zero: a row of the pseudo-inverse for the difference of the ends knows none either
    inverse = np.linalg.pinv(np.eye(states) - shared * counts)
    response = inverse[-1] - inverse[0]
    found: Floats = -(weights @ response) + (shared @ response)[drawn_from]
    return found
