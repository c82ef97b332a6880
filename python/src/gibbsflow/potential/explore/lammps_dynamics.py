"""LAMMPS commands of dynamics, and of runs that halt by a grade of ML-PACE."""

from __future__ import annotations

import re

import numpy as np

from gibbsflow.config.potential_training import Exploration
from gibbsflow.engines.lammps import FRICTION_PS, timestep_ps

_BAROSTAT_PS = 1.0


def dynamics(settings: Exploration, segment: int, steps: int, seed: int, *, inside: int = 0) -> list[str]:
    """Time step, thermostat, barostat and, in the first segment, velocities.

    The thermostat is Langevin's (Schneider and Stoll, Phys. Rev. B 1978, 17, 1302), with a friction time of 0.1 ps.

    Parameters
    ----------
    settings
        Section ``exploration``.
    segment
        Number of the segment; a ramp goes on from where the one before ended.
    steps
        Steps of this segment that are to be run.
    seed
        Seed of the trajectory.
    inside
        Steps of this segment that were run before, where a time budget cut it short.

    Returns
    -------
    list of str
        LAMMPS commands in metal units: ps, K, bar.
    """
    begin = segment * settings.segment_steps + inside
    start_k, end_k = _ramp(settings.temperature_k, settings.temperature_end_k, begin, steps, settings.steps)
    # LAMMPS takes seeds from 1 to 900 million
    own = (
        int(np.random.SeedSequence([seed, segment, *([inside] if inside else [])]).generate_state(1)[0] % 899_999_999)
        + 1
    )
    commands = [f"timestep {timestep_ps(settings.timestep_fs):.10g}"]
    if begin == 0:
        commands.append(f"velocity all create {start_k:.6f} {own} mom yes rot no dist gaussian")
    if settings.ensemble == "npt":
        low, high = _ramp(settings.pressure_bar, settings.pressure_end_bar, begin, steps, settings.steps)
        commands.append(f"fix move all nph iso {low:.6f} {high:.6f} {_BAROSTAT_PS}")
    else:
        commands.append("fix move all nve")
    return [*commands, f"fix heat all langevin {start_k:.6f} {end_k:.6f} {FRICTION_PS} {own} zero yes"]


def _ramp(start: float, end: float | None, begin: int, steps: int, total: int) -> tuple[float, float]:
    change = (end if end is not None else start) - start
    return start + change * begin / total, start + change * (begin + steps) / total


def pace_script(
    potential: str, active_set: str, species: tuple[str, ...], settings: Exploration, upper_grade: float
) -> str:
    """LAMMPS commands that watch the grade of an ACE potential, for a LAMMPS that has ML-PACE.

    Parameters
    ----------
    potential, active_set
        ``.yaml`` B-basis and its ``.asi``.
    species
        Symbols in the order of LAMMPS' types.
    settings
        Section ``exploration``.
    upper_grade
        MD stops above it: a soft halt, which is a normal outcome.

    Returns
    -------
    str
        An input for LAMMPS, without the atoms.
    """
    return "\n".join([
        "units metal",
        "pair_style pace/extrapolation",
        f"pair_coeff * * {potential} {active_set} {' '.join(species)}",
        f"fix grade all pair {settings.grade_interval} pace/extrapolation gamma 1",
        "compute grade_max all reduce max f_grade",
        "variable grade equal c_grade_max",
        f"fix watch all halt {settings.grade_interval} v_grade > {upper_grade:g} error soft",
        *dynamics(settings, 0, settings.steps, 1),
        f"run {settings.steps}",
    ]) + "\n"  # fmt: skip


def halted_at(log_text: str) -> tuple[int, float] | None:
    """Step and value at which ``fix halt`` ended a run.

    Parameters
    ----------
    log_text
        LAMMPS' log.

    Returns
    -------
    tuple or None
        Step and grade; None where the run was not halted.
    """
    match = re.search(r"Fix halt condition for fix-id \S+ met on step (\d+) with value (\S+)", log_text)
    return (int(match[1]), float(match[2])) if match else None
