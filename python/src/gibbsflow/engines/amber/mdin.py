"""Inputs of ``sander`` (AMBER manual, chapter on sander): what OpenMM is told of a system, in AMBER's words.

AMBER's harmonic terms have no ½, so that a force constant is half of the K in U = ½ K x².
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from types import MappingProxyType

import numpy as np

from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engine import Hold
from gibbsflow.errors import NumericalError
from gibbsflow.units import KJ_PER_KCAL, Floats

MINIMISED_KCAL_PER_MOL_ANGSTROM = 10.0 / KJ_PER_KCAL / 10
"""Root mean square gradient to stop at: the 10 kJ/mol/nm of OpenMM's minimiser."""
STEPS_PER_VOLUME_MOVE = 25
"""As OpenMM's Monte Carlo barostat."""
NO_CUTOFF_ANGSTROM = 999.0
LEAST_SKIN_ANGSTROM, ROOM_USED = 0.05, 0.8
"""Skin of the neighbour list: least, and share of what the box leaves beyond the cutoff; a box may shrink."""
_RANGES_PER_CARD = 7


def solvent_words(md: Md, *, periodic: bool, constant_pressure: bool = False) -> dict[str, str]:
    """Say how energies are reckoned.

    Parameters
    ----------
    md
        Solvent, cutoff, pressure.
    periodic
        Whether there is a box: PME with a long-range correction of dispersion (sander's ``vdwmeth=1``).
    constant_pressure
        Whether a Monte Carlo barostat changes the volume.

    Returns
    -------
    dict
        Words of ``&cntrl`` and their values.
    """
    if not periodic:
        # igb=5 is OBC2; igb=6 is vacuum. Radii are summed over all atoms, as OpenMM does
        model = {"igb": "5", "gbsa": "0", "rgbmax": f"{NO_CUTOFF_ANGSTROM:g}"} if md.solvent == "obc2" else {"igb": "6"}
        return {"ntb": "0", "cut": f"{NO_CUTOFF_ANGSTROM:g}", **model}
    common = {"cut": f"{md.cutoff_angstrom:g}", "iwrap": "0"}
    if not constant_pressure:
        return {"ntb": "1", **common}
    barostat = {"ntp": "1", "barostat": "2", "pres0": f"{md.pressure_bar:g}"}
    return {"ntb": "2", **barostat, **common}


def dynamics_words(md: Md, steps: int, temperature_k: float, seed: int) -> dict[str, str]:
    """Say how the atoms move: Langevin, bonds to hydrogen constrained.

    Parameters
    ----------
    md
        Time step and friction.
    steps
        MD steps.
    temperature_k
        Of the thermostat, K.
    seed
        Of its noise.

    Returns
    -------
    dict
        Words of ``&cntrl`` and their values; velocities are read from the restart file.
    """
    return {
        "imin": "0", "irest": "1", "ntx": "5", "nstlim": str(steps), "dt": f"{md.timestep_fs / 1000:.6g}",
        "ntt": "3", "gamma_ln": f"{md.friction_per_ps:g}", "temp0": f"{temperature_k:.6g}", "ig": str(seed),
        "ntc": "2", "ntf": "2", "nscm": "0", "ntpr": str(steps), "ntwr": str(steps), "ntxo": "2",
        "mcbarint": steps_per_volume_move(steps),
    }  # fmt: skip


def steps_per_volume_move(steps: int) -> str:
    """Say how often the volume is moved: as OpenMM does, and in a short run once at least.

    Parameters
    ----------
    steps
        Of the run.

    Returns
    -------
    str
        ``mcbarint``, less than `steps`: pmemd ends, and sander warns, where it is not (100 if nothing is written).
    """
    return str(min(max(1, steps - 1), STEPS_PER_VOLUME_MOVE))


def minimisation_words(steps: int) -> dict[str, str]:
    """Say how the energy is minimised: steepest descent for a fifth of the steps, then conjugate gradients.

    Parameters
    ----------
    steps
        At most; 1 evaluates the energy where the atoms are.

    Returns
    -------
    dict
        Words of ``&cntrl``; bonds to hydrogen have their energy here and no constraint.
    """
    return {
        "imin": "1", "maxcyc": str(steps), "ncyc": str(max(1, steps // 5)), "ntc": "1", "ntf": "1",
        "drms": f"{MINIMISED_KCAL_PER_MOL_ANGSTROM:.6g}", "ntpr": str(steps), "ntxo": "2",
    }  # fmt: skip


def evaluation_words() -> dict[str, str]:
    """Say that the energy is evaluated once, without the bonds that MD constrains.

    Returns
    -------
    dict
        Words of ``&cntrl``. Without SHAKE, which would move the atoms before it is evaluated.
    """
    return minimisation_words(1) | {"ntf": "2"}


def skin_angstrom(md: Md, box_nm: Floats) -> float:
    """Say how far beyond the cutoff neighbours are listed: sander's 2 Å, or less where the box is small.

    Parameters
    ----------
    md
        Cutoff.
    box_nm
        Vectors as rows, shape (3, 3), nm.

    Returns
    -------
    float
        Å.

    Raises
    ------
    NumericalError
        Where the box is not as wide as two cutoffs.
    """
    areas = [np.linalg.norm(np.cross(box_nm[(k + 1) % 3], box_nm[(k + 2) % 3])) for k in range(3)]
    room = float(np.linalg.det(box_nm) / max(areas)) * 10 / 2 - md.cutoff_angstrom
    if room <= LEAST_SKIN_ANGSTROM:
        raise NumericalError(f"a box less than twice the cutoff of {md.cutoff_angstrom:g} Å wide")
    return min(2.0, ROOM_USED * room)


def headed(title: str, steps: int) -> str:
    """Write the first line of an input that a script runs.

    Parameters
    ----------
    title
        What it is.
    steps
        MD steps of the stage or window that it belongs to, in all its segments; 0 for a minimisation.

    Returns
    -------
    str
        With the mark ``! total_steps=`` after it.
    """
    return f"{title} ! total_steps={steps}" if steps else title


def mdin(
    title: str,
    words: dict[str, str],
    hold: Hold | None = None,
    ewald: Mapping[str, str] = MappingProxyType({}),
    ramp_k: tuple[float, float] | None = None,
) -> str:
    """Write an input of ``sander``.

    Parameters
    ----------
    title
        First line.
    words
        Of ``&cntrl``.
    hold
        Atoms held in place, as groups of atoms after the namelists; None for none.
    ewald
        Words of ``&ewald``; none without a box.
    ramp_k
        Temperature of the thermostat at the first and at the last step, K, between which it changes evenly; None for
        that of `words`.

    Returns
    -------
    str
        The file.
    """
    held = {} if hold is None else {"ntr": "1"}
    changing = [] if ramp_k is None else _ramp(int(words["nstlim"]), *ramp_k)
    held |= {"nmropt": "1"} if changing else {}
    lines = [f"  {name} = {value}," for name, value in (words | held).items()]
    pme = ["&ewald", *(f"  {name} = {value}," for name, value in ewald.items()), "/"] if ewald else []
    text = "\n".join([title, "&cntrl", *lines, "/", *pme, *changing, ""])
    return text if hold is None else text + _group_cards(hold)


def _ramp(steps: int, from_k: float, to_k: float) -> list[str]:
    """The thermostat's temperature over a run, as ``nmropt`` changes it."""
    ends = f"value1={from_k:.6g}, value2={to_k:.6g}"
    return [f"&wt type='TEMP0', istep1=0, istep2={steps}, {ends} /", "&wt type='END' /"]


def _group_cards(hold: Hold) -> str:
    """Groups of atoms with one force constant each; AMBER counts atoms from 1."""
    weights = hold.weights or (1.0,) * len(hold.atoms)
    cards = []
    for weight in sorted(set(weights)):
        atoms = [atom + 1 for atom, its in zip(hold.atoms, weights, strict=True) if its == weight]
        cards += [f"held with {weight:g} of the most", f"{weight * hold.k_kcal_per_mol_angstrom2 / 2:.8g}"]
        ranges = consecutive(atoms)
        for first in range(0, len(ranges), _RANGES_PER_CARD):
            numbers = (f"{low} {high}" for low, high in ranges[first : first + _RANGES_PER_CARD])
            cards.append(" ".join(["ATOM", *numbers]))
        cards.append("END")
    return "\n".join([*cards, "END", ""])


def consecutive(atoms: Iterable[int]) -> list[tuple[int, int]]:
    """Put atoms together that follow each other.

    Parameters
    ----------
    atoms
        Their numbers, each once, in any order.

    Returns
    -------
    list of tuple
        First and last of each run, both of which belong to it.
    """
    runs = groupby(enumerate(sorted(atoms)), key=lambda pair: pair[1] - pair[0])
    return [(run[0], run[-1]) for _, group in runs for run in [[atom for _, atom in group]]]
