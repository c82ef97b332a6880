"""What AMBER needs on this machine, and what it is refused for."""

from __future__ import annotations

from gibbsflow.config.binding import Md
from gibbsflow.engines.amber.sander import sander_fault
from gibbsflow.errors import Problem


def amber_problems(md: Md, where: str) -> list[Problem]:
    """Say what ``sander`` lacks on this machine.

    Parameters
    ----------
    md
        Settings; the platform counts.
    where
        What messages call them.

    Returns
    -------
    list of Problem
        Empty where it can be used.
    """
    found = []
    if md.platform != "CPU":
        what = f"amber with platform {md.platform}: sander runs on the CPU"
        found.append(Problem(where, what, "platform CPU, or engine openmm", field="platform"))
    if fault := sander_fault():
        found.append(Problem(where, f"amber, and {fault}", "AmberTools (sander), or engine openmm", field="engine"))
    return found


def no_windows(where: str) -> Problem:
    """Say that AMBER equilibrates and does not run windows.

    Parameters
    ----------
    where
        What messages call the settings.

    Returns
    -------
    Problem
        With what can be done.
    """
    what = "amber, and free energies: sander has no soft core, and windows are not run by pmemd here"
    right = "openmm or gromacs; mode md for an equilibration by sander alone, which `equil prepare` and `run` do too"
    return Problem(where, what, right, field="engine")
