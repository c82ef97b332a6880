"""States of a leg without samples: their free energies from the samples of the others, and whether these reach them.

Every sample carries its energy in every state, so a window that is missing can still be weighed. Between two sampled
neighbours it is not even needed; at an end of the leg the free energy rests on reweighting alone, which is as good as
the number of samples that carry the weight.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from alchemlyb.estimators import MBAR
from scipy.special import logsumexp

from gibbsflow.binding.sample.energies import Energies
from gibbsflow.units import Floats

MIN_EFFECTIVE = 50.0
"""Fewest effective samples from which a state without its own is weighed: an error of about 0.15 kT by itself."""
MIN_SHARE = 0.3
"""The same as a share of its neighbour's samples: below, few samples carry most of the weight, and the error formula,
which sees only what was sampled, is too small."""


def profile(mbar: MBAR, energies: Energies, rows: pd.Index | None = None) -> tuple[Floats, Floats]:
    """Free energy of every state relative to the first, with its error.

    Parameters
    ----------
    mbar
        Fit to the sampled states.
    energies
        The samples.
    rows
        Index of the samples that `mbar` was fitted to; None for all.

    Returns
    -------
    dg_kt, dg_error_kt
        Shape (K,), in kT, states without samples included.

    References
    ----------
    Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008), Eqs. 12 and 15: states with N_k = 0 enter the equations and
    the covariance like any others.
    """
    if not energies.missing:
        return mbar.delta_f_.iloc[0].to_numpy(), mbar.d_delta_f_.iloc[0].to_numpy()
    fitted = mbar._mbar.compute_perturbed_free_energies(_ordered(energies, rows))
    return np.asarray(fitted["Delta_f"][0]), np.asarray(fitted["dDelta_f"][0])


def effective_samples(mbar: MBAR, energies: Energies, rows: pd.Index | None = None) -> dict[int, float]:
    """Count the effective samples that carry the weight of each state without samples, 1/Σw².

    Parameters
    ----------
    mbar
        Fit to the sampled states.
    energies
        The samples.
    rows
        Index of the samples that `mbar` was fitted to; None for all.

    Returns
    -------
    dict
        By state without samples, from 1 to the number of samples; empty where none is missing.

    References
    ----------
    Kish, Survey Sampling (1965).
    """
    if not energies.missing:
        return {}
    u_kn = _ordered(energies, rows)
    solved = mbar._mbar
    sampled = u_kn[energies.sampled]
    log_mixture = logsumexp(solved.f_k[:, None] - sampled, axis=0, b=solved.N_k[:, None])
    effective = {}
    for state in energies.missing:
        log_weight = -u_kn[state] - log_mixture
        log_weight -= logsumexp(log_weight)
        effective[state] = float(np.exp(-logsumexp(2 * log_weight)))
    return effective


def _ordered(energies: Energies, rows: pd.Index | None) -> Floats:
    """Reduced potentials of the samples in all states, shape (K, N), in the order of alchemlyb's fit."""
    u_all = energies.u_all if rows is None else energies.u_all.loc[rows]
    return u_all.sort_index(level=u_all.index.names[1:]).to_numpy().T
