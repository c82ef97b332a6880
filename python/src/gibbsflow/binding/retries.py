"""The ladder of safer settings: what MD that failed is tried again with.

Each failure of the science takes the next rung: half the time step (4 → 2 → 1 fs), other random numbers, and
minimisation again from the prepared pose, twice as long. An attempt begins anew and what the failed one left is set
aside, so that no window mixes samples of two time steps. Windows of one leg may stand on different rungs: Hamiltonian
and temperature are the same, which is all that MBAR asks for; what a time step changes is the discretisation error of
the integrator, and a smaller one only lessens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gibbsflow.config.binding import Equil, Md

MOST_ATTEMPTS = 3
"""After so many failures there is no safer rung left, and the failure stands until it is cleared."""
SHORTEST_FS = 1.0


def safer_md(md: Md, attempt: int) -> Md:
    """Settings of MD for an attempt: the time step is halved for each after the first, to 1 fs at the least.

    Parameters
    ----------
    md
        Settings asked for.
    attempt
        Counted from 1.

    Returns
    -------
    Md
        Those asked for, but for the time step.
    """
    timestep_fs = md.timestep_fs
    for _ in range(attempt - 1):
        if timestep_fs / 2 < SHORTEST_FS - 1e-9:
            break
        timestep_fs /= 2  # halving keeps a sample interval a whole number of steps
    return md if timestep_fs == md.timestep_fs else md.model_copy(update={"timestep_fs": timestep_fs})


def safer_equil(equil: Equil, attempt: int) -> Equil:
    """Settings of equilibration for an attempt: minimisation twice as long for each after the first.

    Parameters
    ----------
    equil
        Settings asked for.
    attempt
        Counted from 1.

    Returns
    -------
    Equil
        Those asked for, but for the steps of minimisation.
    """
    return equil.model_copy(update={"minimise_steps": equil.minimise_steps * 2 ** (attempt - 1)})


def used_in_leg(md: Md, attempt: int) -> Mapping[str, Any]:
    """Tell what an attempt at a leg's windows uses in place of the settings asked for.

    Parameters
    ----------
    md
        Settings asked for.
    attempt
        Counted from 1.

    Returns
    -------
    dict
        For the record: ``timestep_fs``, and whether the start was minimised again.
    """
    return {"timestep_fs": safer_md(md, attempt).timestep_fs, "minimised_again": attempt > 1}


def used_in_equil(md: Md, equil: Equil, attempt: int) -> Mapping[str, Any]:
    """Tell what an attempt at an equilibration uses in place of the settings asked for.

    Parameters
    ----------
    md, equil
        Settings asked for.
    attempt
        Counted from 1.

    Returns
    -------
    dict
        For the record: ``timestep_fs`` and ``minimise_steps``.
    """
    steps = safer_equil(equil, attempt).minimise_steps
    return {"timestep_fs": safer_md(md, attempt).timestep_fs, "minimise_steps": steps}
