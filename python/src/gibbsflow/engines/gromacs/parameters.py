"""Run parameters of GROMACS (``.mdp``) that make its forces those of the other engine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import erfc

from gibbsflow.config.binding import Md
from gibbsflow.units import Floats

PME_TOLERANCE = 5e-4
"""OpenMM's default relative error of PME, by which both engines choose α and grid."""
PRESSURE_TAU_PS = 2.0
"""Windows start from boxes of a short equilibration, whose volume should not outlast what is discarded."""
COMPRESSIBILITY_PER_BAR = 4.5e-5
SC_ALPHA, SC_SIGMA_NM = 0.5, 1e-3
"""Soft core of Lennard-Jones, and its least σ: pairs keep their own, as small as it is."""
SC_ALPHA_CHARGES, SC_SIGMA_CHARGES_NM = 0.3, 0.25
"""The same where it softens charges as well, with this σ for pairs without Lennard-Jones: those of pmx (Gapsys,
Michielssens, Seeliger, de Groot, J. Comput. Chem. 36, 348 (2015)). A pair loses α/6 (σ/r)⁶ of its charges' energy per
unit of λ where it begins to go: of a hydrogen bond of 0.18 nm a third, and with the values above twice as much as all
of it."""


@dataclass(frozen=True)
class Pull:
    """A coordinate of the pull code, held at rest by U = 1/2 K x² with K from 0, or full, in state A to full in B.

    Attributes
    ----------
    geometry
        ``distance`` of two groups, ``angle`` between the vectors of two pairs of groups, ``dihedral`` of three vectors.
    groups
        Atoms of each group, counted from 0.
    rest
        In nm or degrees.
    k
        K, kJ/mol/nm² or kJ/mol/rad².
    weights
        Of the atoms of each group, beside their masses; empty for none.
    middles
        Atom of each group by which it is made whole; empty for groups of one atom.
    type
        ``umbrella``, or ``flat-bottom``, where x is 0 below the rest.
    wide
        Whether a group is made whole by its own centre a step before, from the second step on: one atom of a ring is
        too far from those across it.
    always
        Whether K is full in state A as well.
    """

    geometry: str
    groups: tuple[tuple[int, ...], ...]
    rest: float
    k: float
    weights: tuple[tuple[float, ...], ...] = ()
    middles: tuple[int, ...] = ()
    type: Literal["umbrella", "flat-bottom"] = "umbrella"
    wide: bool = False
    always: bool = False


def pulling(coordinates: Sequence[Pull], atoms: int) -> tuple[dict[str, str], str]:
    """Write coordinates of the pull code.

    Parameters
    ----------
    coordinates
        At least one.
    atoms
        Of the system.

    Returns
    -------
    parameters
        By name.
    groups
        An index file (``.ndx``).
    """
    numbers: dict[tuple[int, ...], int] = {}
    found = {"pull": "yes", "pull-nstxout": "0", "pull-nstfout": "0", "pull-ncoords": str(len(coordinates))}
    for index, one in enumerate(coordinates, start=1):
        for place, group in enumerate(one.groups):
            if group in numbers:
                continue
            numbers[group] = number = len(numbers) + 1
            found[f"pull-group{number}-name"] = f"pull{number}"
            if one.weights:
                found[f"pull-group{number}-weights"] = " ".join(f"{weight:.9g}" for weight in one.weights[place])
            if one.middles:
                found[f"pull-group{number}-pbcatom"] = str(one.middles[place] + 1)
        coordinate = f"pull-coord{index}"
        found |= {
            f"{coordinate}-type": one.type,
            f"{coordinate}-geometry": one.geometry,
            f"{coordinate}-groups": " ".join(str(numbers[group]) for group in one.groups),
            f"{coordinate}-dim": "Y Y Y",
            f"{coordinate}-init": f"{one.rest:.9g}",
            f"{coordinate}-k": f"{one.k:.9g}" if one.always else "0",
            f"{coordinate}-kB": f"{one.k:.9g}",
        }
    found["pull-ngroups"] = str(len(numbers))
    if any(one.wide for one in coordinates):
        found["pull-pbc-ref-prev-step-com"] = "yes"
    everything = ("System", tuple(range(atoms)))
    named = [everything, *((f"pull{number}", group) for group, number in numbers.items())]
    lines = [f"[ {name} ]\n" + "\n".join(str(atom + 1) for atom in group) for name, group in named]
    return found, "\n".join(lines) + "\n"


def pme(cutoff_nm: float, box_nm: Floats, tolerance: float = PME_TOLERANCE) -> tuple[float, tuple[int, int, int]]:
    """Choose the Ewald parameter and the grid as OpenMM does.

    α = √(−ln 2δ)/r_c and 2αd/3δ^(1/5) points along a vector whose extent along its axis is d, rounded up to a number
    that FFTs are fast with (OpenMM's User Guide, section on PME).

    Parameters
    ----------
    cutoff_nm
        Direct-space cutoff, nm.
    box_nm
        Reduced vectors as rows, shape (3, 3), nm.
    tolerance
        δ.

    Returns
    -------
    alpha_per_nm
        Ewald parameter, 1/nm.
    grid
        Points along each vector.
    """
    alpha = math.sqrt(-math.log(2 * tolerance)) / cutoff_nm
    points = [math.ceil(2 * alpha * d / (3 * tolerance**0.2)) for d in np.diag(box_nm)]
    nx, ny, nz = (_smooth(max(6, count)) for count in points)
    return alpha, (nx, ny, nz)


def _smooth(least: int) -> int:
    """Find the next number without prime factors above 7."""
    number = least
    while True:
        rest = number
        for factor in (2, 3, 5, 7):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return number
        number += 1


def common(md: Md, alpha_per_nm: float, grid: Sequence[int]) -> dict[str, str]:
    """Give what decides the forces of every state.

    Parameters
    ----------
    md
        Cutoff.
    alpha_per_nm
        Ewald parameter, 1/nm.
    grid
        Points of PME along each vector.

    Returns
    -------
    dict
        Parameters by name.
    """
    cutoff = md.cutoff_angstrom / 10
    nx, ny, nz = grid
    return {
        "cutoff-scheme": "Verlet",
        "coulombtype": "PME",
        "coulomb-modifier": "None",
        "rcoulomb": f"{cutoff:.6g}",
        "vdwtype": "Cut-off",
        "vdw-modifier": "None",
        "rvdw": f"{cutoff:.6g}",
        "DispCorr": "AllEnerPres",
        "ewald-rtol": f"{erfc(alpha_per_nm * cutoff):.12g}",
        "pme-order": "5",
        "fourier-nx": str(nx),
        "fourier-ny": str(ny),
        "fourier-nz": str(nz),
        "constraints": "none",  # those that there are stand in the topology
        "lincs-order": "6",
        "lincs-iter": "2",
    }


def dynamics(md: Md, seed: int, steps_per_sample: int, *, membrane: bool = False) -> dict[str, str]:
    """Give integrator, thermostat, barostat and how often energies are written.

    A decoupled ligand meets nothing that would share its heat: each atom has its own noise (``sd``).

    Parameters
    ----------
    md
        Time step, temperature, friction, pressure.
    seed
        Of the noise.
    steps_per_sample
        Interval of the energies in all states.
    membrane
        Whether the box changes along z and in xy by itself, at no surface tension.

    Returns
    -------
    dict
        Parameters by name.
    """
    often = max(n for n in range(1, 101) if steps_per_sample % n == 0)
    couple = max(n for n in range(1, 11) if often % n == 0)
    each = 2 if membrane else 1  # of xy, and of z
    return {
        "integrator": "sd",
        "dt": f"{md.timestep_fs / 1000:.9g}",
        "nsteps": "-1",
        "comm-mode": "None",
        "tc-grps": "System",
        "ref-t": f"{md.temperature_k:.9g}",
        "tau-t": f"{1 / md.friction_per_ps:.9g}",
        "ld-seed": str(seed),
        "pcoupl": "C-rescale",
        **({"pcoupltype": "semiisotropic"} if membrane else {}),
        "nstpcouple": str(couple),
        "ref-p": " ".join([f"{md.pressure_bar:.9g}"] * each),
        "tau-p": f"{PRESSURE_TAU_PS:g}",
        "compressibility": " ".join([f"{COMPRESSIBILITY_PER_BAR:g}"] * each),
        "nstcalcenergy": str(often),
        "nstenergy": str(steps_per_sample),
        "nstdhdl": str(steps_per_sample),
        "nstlog": "0",
        "nstxout": "0",
        "continuation": "no",
        "gen-vel": "no",
    }


def lambdas(states: Mapping[str, Sequence[float]], own: int, *, soft_charges: bool = False) -> dict[str, str]:
    """Give the λ of all states, and that of the run.

    Parameters
    ----------
    states
        λ of each kind (``coul``, ``vdw``, ...) by state.
    own
        The state that is sampled.
    soft_charges
        Whether the soft core is on for charges as well.

    Returns
    -------
    dict
        Parameters by name.
    """
    return {
        "free-energy": "yes",
        "init-lambda-state": str(own),
        "calc-lambda-neighbors": "-1",
        "dhdl-print-energy": "potential",
        **{f"{kind}-lambdas": " ".join(f"{value:.10g}" for value in values) for kind, values in states.items()},
        "sc-alpha": f"{SC_ALPHA_CHARGES if soft_charges else SC_ALPHA:g}",
        "sc-power": "1",
        "sc-r-power": "6",
        "sc-coul": "yes" if soft_charges else "no",
        "sc-sigma": f"{SC_SIGMA_CHARGES_NM if soft_charges else SC_SIGMA_NM:g}",
    }


def mdp_text(parameters: Mapping[str, str]) -> str:
    """Write run parameters.

    Parameters
    ----------
    parameters
        By name.

    Returns
    -------
    str
        A ``.mdp``.
    """
    return "".join(f"{name:24} = {value}\n" for name, value in parameters.items())
