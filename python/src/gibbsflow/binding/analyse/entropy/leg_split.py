"""Enthalpy and entropy of a leg: its free energy split by the mean energies of its end states.

ΔH = ⟨U⟩ of the last state less that of the first, each reweighted from all samples by MBAR, and −TΔS = ΔG − ΔH. Kinetic
energies are the same in both, pV is left out. The mean of a whole energy scatters far more than its differences
between states, which ΔG is made of: the errors of a split are its own.
"""

from __future__ import annotations

import math

import numpy as np
from pymbar import timeseries

from gibbsflow.binding.analyse.entropy.split import Split
from gibbsflow.binding.analyse.uncertainty.blocks import FEWEST_BLOCKS, FEWEST_IN_BLOCK, MOST_BLOCKS, block_sums
from gibbsflow.binding.analyse.uncertainty.influence import MbarWeights
from gibbsflow.binding.sample.energies import Energies
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats, Ints

_DOF_WITHOUT_BLOCKS = 10.0


def refuse_differences(energies: Energies) -> None:
    """Refuse samples whose energies are differences from the state that they were drawn from.

    Parameters
    ----------
    energies
        Of a leg.

    Raises
    ------
    InputError
        With what would be right for the program that wrote them.
    """
    own = energies.u_nk.to_numpy()[np.arange(len(energies.u_nk)), _places(energies)]
    if len(own) and np.ptp(own) > 0 and not energies.meta.get("differences"):
        return
    right = {
        "gromacs": "dhdl-print-energy = potential in the mdp of all windows, or `fe run`",
        "amber": "windows that OpenMM or GROMACS has run: of outputs of pmemd and sander differences alone are read",
    }.get(str(energies.meta.get("sampler")), "u_KK with the whole potential energy of each state, as `fe run` writes")
    what = "energies are differences from each frame's own state: ΔG alone, no enthalpy"
    raise InputError(Problem(energies.account.where, what, right, field="--entropy"))


def split_leg(energies: Energies, f_kt: Floats, dg_kt: float | None = None) -> Split:
    """Split the free energy of one leg and replicate.

    Parameters
    ----------
    energies
        All its samples.
    f_kt
        Free energies of all states that solve MBAR's equations for all samples, shape (K,), kT.
    dg_kt
        ΔG that is split, kT; None for that of `f_kt`.

    Returns
    -------
    Split
        In kT. Errors are the larger of two: from each window by its statistical inefficiency, and from up to 20 blocks
        of time over all windows together, whose walkers may be exchanged.

    Raises
    ------
    InputError
        As :func:`refuse_differences`.

    Notes
    -----
    To first order all are sums over samples (:mod:`.influence`). With samples weighed 1 + ε_m in MBAR's
    equations, A_k = Σ_n W_nk u_nk changes by Σ_m ε_m (W_mk u_mk − B_kj(m)) + A_k δf_k − Σ_j N_j B_kj δf_j,
    B_kj = Σ_n u_nk W_nk W_nj. The variance of a block bootstrap of a sum is that of the sums over blocks, in closed
    form. The values are those of pymbar's ``compute_entropy_and_enthalpy``.

    References
    ----------
    Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008); Künsch, Ann. Stat. 17, 1217 (1989).
    """
    refuse_differences(energies)
    dh, of_h, of_g = _enthalpy(energies, f_kt)
    errors, dof = zip(*(_error(energies, series) for series in (of_h, of_g - of_h)), strict=True)
    dg_kt = float(f_kt[-1] - f_kt[0]) if dg_kt is None else dg_kt
    return Split(dh, errors[0], dg_kt - dh, errors[1], min(dof))


def _enthalpy(energies: Energies, f_kt: Floats) -> tuple[float, Floats, Floats]:
    """⟨u⟩ of the last state less that of the first, and what each sample adds to it and to the free energy."""
    mbar = MbarWeights.of(energies, f_kt)
    u_nk, weights, drawn_from = energies.u_all.to_numpy(), mbar.weights, mbar.drawn_from
    ends = [0, u_nk.shape[1] - 1]
    zero = u_nk[0, drawn_from[0]]
    energy = np.where(weights[:, ends] > 0, u_nk[:, ends] - zero, 0.0)  # infinite where there is no weight
    means = (weights[:, ends] * energy).sum(axis=0)
    of_f = -(weights - mbar.shared[drawn_from]) @ mbar.inverse.T
    mixed = (weights[:, ends] * energy).T @ weights
    of_h = weights[:, ends] * energy - mixed[:, drawn_from].T
    of_h += means * of_f[:, ends] - of_f @ (mbar.counts[:, None] * mixed.T)
    return float(means[1] - means[0]), of_h[:, 1] - of_h[:, 0], of_f[:, -1] - of_f[:, 0]


def _error(energies: Energies, added: Floats) -> tuple[float, float]:
    """Standard error of a sum over samples, and its degrees of freedom."""
    index = energies.u_nk.index
    state = index.get_level_values("state").to_numpy(dtype=int)
    order = np.lexsort((index.get_level_values("time").to_numpy(dtype=float), state))
    state, added = state[order], added[order]
    windows = [added[state == window] for window in energies.sampled]
    alone = sum(_variance(w) for w in windows)
    count = min(MOST_BLOCKS, min(len(w) for w in windows) // FEWEST_IN_BLOCK)
    if count < FEWEST_BLOCKS:
        return math.sqrt(alone), _DOF_WITHOUT_BLOCKS
    sums = np.array([block_sums(w, count) for w in windows]).sum(axis=0)
    return math.sqrt(max(alone, count * float(sums.var(ddof=1)))), count - 1.0


def _variance(series: Floats) -> float:
    """Variance of the sum of one window; a single sample is as far from zero, which is its mean, as they scatter."""
    if len(series) == 1:
        return float(series[0] ** 2)
    inefficiency = float(timeseries.statistical_inefficiency(series)) if np.ptp(series) > 0 else 1.0
    return len(series) * float(series.var(ddof=1)) * inefficiency


def _places(energies: Energies) -> Ints:
    """Column of the state that each row was drawn from."""
    drawn_from = energies.u_nk.index.get_level_values("state").to_numpy(dtype=int)
    return np.searchsorted(energies.sampled, drawn_from)
