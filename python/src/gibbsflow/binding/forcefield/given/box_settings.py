"""Settings of systems that come solvated, held against their boxes: what these hold cannot be set otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gibbsflow.binding.forcefield.given.coordinate_files import BoxedCoordinates
from gibbsflow.binding.forcefield.given.rebuilt.box_parts import BREATHES, BoxParts
from gibbsflow.config.binding import Fe, Md
from gibbsflow.errors import InputError, Problem

AS_GIVEN = "given"
"""Stands for the force field of what was not parametrised here."""


def as_given(md: Md) -> Md:
    """Settings of MD for a system that comes solvated, before its topologies are read.

    Parameters
    ----------
    md
        As asked for; obc2, the default, stands for whatever it comes in.

    Returns
    -------
    Md
        With solvent `AS_GIVEN` for it.
    """
    return md.model_copy(update={"solvent": AS_GIVEN}) if md.solvent == "obc2" else md


def solvent_of(boxes: Mapping[str, str | None], md: Md, *, where: str) -> Md:
    """Settings of MD with the solvent that is in the files.

    Parameters
    ----------
    boxes
        Water model of each box; None for one that is not known.
    md
        As asked for; obc2, the default, stands for whatever there is.
    where
        What messages call it.

    Returns
    -------
    Md
        A copy.

    Raises
    ------
    InputError
        Where another solvent is asked for.
    """
    found = next(iter(boxes.values()))
    if md.solvent not in ("obc2", AS_GIVEN, found):
        what = f"solvent {md.solvent} is asked for, and the water of the topologies is {found or 'another'}"
        raise InputError(Problem(where, what, "no solvent in the settings: it is what the files hold", field="solvent"))
    named = found if found in Md.model_fields["solvent"].annotation.__args__ else AS_GIVEN  # type: ignore[union-attr]
    return md.model_copy(update={"solvent": named})


def cutoff_problems(widths_angstrom: Mapping[str, float], md: Md, *, where: str) -> list[Problem]:
    """Say which boxes are too small for the cutoff.

    Parameters
    ----------
    widths_angstrom
        Least width of each box, by role.
    md
        The cutoff.
    where
        What messages call it.

    Returns
    -------
    list of Problem
        Empty where it fits into half of each.
    """
    problems = []
    for role, width in widths_angstrom.items():
        if width * BREATHES < 2 * md.cutoff_angstrom:
            what = f"the {role}'s box of {width:.1f} Å is too small for a cutoff of {md.cutoff_angstrom:g} Å"
            right = f"a larger box, or cutoff_angstrom of {width * BREATHES / 2:.1f} at most"
            problems.append(Problem(where, what, right, field="cutoff_angstrom"))
    return problems


def width_angstrom(box_angstrom: Sequence[float]) -> float:
    """Least width of a box.

    Parameters
    ----------
    box_angstrom
        Lengths in Å and angles in degrees.

    Returns
    -------
    float
        Å.
    """
    return float(np.diag(BoxedCoordinates(np.empty((0, 3)), tuple(box_angstrom)).vectors_angstrom).min())


def medium_problems(
    boxes: Mapping[str, BoxParts], ligand_charge_e: int, md: Md, fe: Fe | None, *, where: str
) -> list[Problem]:
    """Say what of a box the analytic correction of a charge has no theory for.

    Parameters
    ----------
    boxes
        By role.
    ligand_charge_e
        Of the ligand, in e.
    md
        With the water model as :func:`solvent_of` has named it.
    fe
        Which correction; None for none.
    where
        What messages call the system.

    Returns
    -------
    list of Problem
        Empty for another correction, and for a neutral ligand.
    """
    if fe is None or fe.charge_correction != "analytic" or not ligand_charge_e:
        return []
    problems = []
    if md.solvent == AS_GIVEN:
        what = "analytic: the permittivity of this water model is not known here"
        right = "tip3p, spce, opc or tip4pew in the files, counter_ion, or abfe_protocol sdr"
        problems.append(Problem(where, what, right, field="charge_correction"))
    for role, parts in boxes.items():
        if strange := [int(molecule) for molecule in parts.others if parts.sizes[molecule] > 1]:
            label = parts.label_of(int(parts.starts[strange[0]]))
            what = f"analytic: the {role}'s box holds {label} beside the solute, and the theory knows water and ions"
            problems.append(Problem(where, what, "counter_ion", field="charge_correction"))
    return problems
