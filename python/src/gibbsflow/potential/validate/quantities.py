"""The quantities that are compared: units, tolerances, and which property they belong to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import constants

from gibbsflow.config.potential_validation import ReferenceValue, Validation
from gibbsflow.config.section import nearest, nearest_name
from gibbsflow.errors import InputError, Problem, shown
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3, RYDBERG_EV

_CM_PER_THZ = constants.c * 100 / 1e12
_MEV_THZ = constants.e / constants.h * 1e-15
UNITS: Mapping[str, Mapping[str, float]] = {
    "Å": {"Å": 1.0, "A": 1.0, "angstrom": 1.0, "nm": 10.0, "bohr": constants.value("Bohr radius") * 1e10},
    "Å^3/atom": {"Å^3/atom": 1.0, "A^3/atom": 1.0, "angstrom^3/atom": 1.0, "nm^3/atom": 1000.0},
    "GPa": {"GPa": 1.0, "kbar": 0.1, "Mbar": 100.0, **dict.fromkeys(("eV/Å^3", "eV/A^3"), GPA_PER_EV_PER_ANGSTROM3)},
    "THz": {"THz": 1.0, "cm^-1": _CM_PER_THZ, "1/cm": _CM_PER_THZ, "meV": _MEV_THZ},
    "eV": {"eV": 1.0, "meV": 1e-3, "Ry": RYDBERG_EV, "kJ/mol": 1000 / constants.N_A / constants.e},
    "J/m^2": {"J/m^2": 1.0, "mJ/m^2": 1e-3, "J/m²": 1.0, "mJ/m²": 1e-3,
              **dict.fromkeys(("eV/Å^2", "eV/A^2"), GPA_PER_EV_PER_ANGSTROM3 / 10)},
    "1e-6/K": {"1e-6/K": 1.0, "ppm/K": 1.0, "1/K": 1e6, "K^-1": 1e6},
    "meV/atom/ps": {"meV/atom/ps": 1.0},
    "K": {"K": 1.0, "kK": 1000.0},
    "": {"": 1.0, "1": 1.0},
}  # fmt: skip
"""By unit that is reported: units that references may have, and what one of them is in it."""


@dataclass(frozen=True)
class Quantity:
    """One kind of quantity.

    Attributes
    ----------
    names
        Pattern of its names.
    property
        Property that measures it.
    unit
        Unit that it is reported in.
    tolerance
        Setting of its relative tolerance; empty for what is only reported.
    floor
        Setting of the difference that does not count; empty for none.
    example
        A name, for messages.
    times
        Factor on the tolerance.
    """

    names: str
    property: str
    unit: str
    tolerance: str
    floor: str
    example: str
    times: float = 1.0


_LATTICE, _MODULUS = ("lattice_tolerance", ""), ("modulus_tolerance", "modulus_floor_gpa")
_FREQUENCY, _DEFECT = ("frequency_tolerance", "frequency_floor_thz"), ("defect_tolerance", "defect_floor_ev")
_NONE = ("", "")
# three edges make a volume
_OF_VOLUME = 3.0
QUANTITIES = (
    Quantity("lattice_[abc]", "cell", "Å", *_LATTICE, "lattice_a"),
    Quantity("volume", "cell", "Å^3/atom", *_LATTICE, "volume", _OF_VOLUME),
    Quantity("pressure", "cell", "GPa", *_NONE, "pressure"),
    Quantity("bulk_modulus", "eos", "GPa", *_MODULUS, "bulk_modulus"),
    Quantity("bulk_modulus_derivative", "eos", "", *_NONE, "bulk_modulus_derivative"),
    Quantity("eos_volume", "eos", "Å^3/atom", *_LATTICE, "eos_volume", _OF_VOLUME),
    Quantity("c[1-6][1-6]", "elastic", "GPa", *_MODULUS, "c11"),
    Quantity("elastic_bulk_modulus", "elastic", "GPa", *_MODULUS, "elastic_bulk_modulus"),
    Quantity("shear_modulus", "elastic", "GPa", *_MODULUS, "shear_modulus"),
    Quantity("(highest|mean)_frequency", "phonons", "THz", *_FREQUENCY, "highest_frequency"),
    Quantity("lowest_frequency", "phonons", "THz", *_NONE, "lowest_frequency"),
    Quantity("vacancy_energy", "vacancy", "eV", *_DEFECT, "vacancy_energy"),
    Quantity("schottky_energy", "vacancy", "eV", *_DEFECT, "schottky_energy"),
    Quantity("interstitial_energy", "interstitial", "eV", *_DEFECT, "interstitial_energy"),
    Quantity("frenkel_energy_[a-z]{1,2}", "interstitial", "eV", *_DEFECT, "frenkel_energy_mg"),
    Quantity("surface_energy_(m?[0-9]){3}", "surface", "J/m^2", "surface_tolerance", "surface_floor_j_per_m2",
             "surface_energy_111"),
    Quantity("thermal_expansion", "thermal_expansion", "1e-6/K", "expansion_tolerance", "", "thermal_expansion"),
    Quantity("warm_volume", "thermal_expansion", "Å^3/atom", *_LATTICE, "warm_volume", _OF_VOLUME),
    Quantity("npt_expansion", "npt_expansion", "1e-6/K", "expansion_tolerance", "", "npt_expansion"),
    Quantity("npt_volume", "npt_expansion", "Å^3/atom", *_LATTICE, "npt_volume", _OF_VOLUME),
    Quantity("rdf_peak_[0-9]{1,5}K", "rdf", "Å", *_LATTICE, "rdf_peak_300K"),
    Quantity("melting_temperature", "melting", "K", "melting_tolerance", "", "melting_temperature"),
    Quantity("energy_drift", "md", "meV/atom/ps", *_NONE, "energy_drift"),
    Quantity("mean_temperature", "md", "K", *_NONE, "mean_temperature"),
    Quantity("rdf_first_peak", "md", "Å", *_LATTICE, "rdf_first_peak"),
    Quantity("mode_[0-9]{2,4}", "modes", "THz", *_FREQUENCY, "mode_01"),
)  # fmt: skip


def quantity(name: str) -> Quantity | None:
    """Find what a name stands for.

    Parameters
    ----------
    name
        Such as ``c11``.

    Returns
    -------
    Quantity or None
        None for no quantity of ours.
    """
    return next((one for one in QUANTITIES if re.fullmatch(one.names, name)), None)


def bounds(name: str, reference: float, settings: Validation) -> tuple[float, float] | None:
    """Say how far a value may be from its reference.

    Parameters
    ----------
    name
        Quantity.
    reference
        Its reference, in the unit of the quantity.
    settings
        Tolerances.

    Returns
    -------
    good, bearable : float
        Differences up to which it is PASS and WARN, in the unit of the quantity; None for what is only reported.
    """
    kind = quantity(name)
    if kind is None or not kind.tolerance:
        return None
    floor = getattr(settings, kind.floor) if kind.floor else 0.0
    first, second = (kind.times * share for share in getattr(settings, kind.tolerance))
    return max(first * abs(reference), floor), max(second * abs(reference), floor)


def checked(references: Sequence[ReferenceValue], where: str) -> tuple[ReferenceValue, ...]:
    """Hold references against the quantities there are, and bring them to our units.

    Parameters
    ----------
    references
        As they were given.
    where
        File they came from.

    Returns
    -------
    tuple of ReferenceValue
        The same in the units of the quantities.

    Raises
    ------
    InputError
        For properties and units that are not known, all of them at once.
    """
    problems, made = [], []
    for number, one in enumerate(references):
        field = f"references[{number}]"
        kind = quantity(one.property)
        if kind is None:
            names = [known.example for known in QUANTITIES]
            close = nearest_name(one.property, names)
            right = nearest(one.property, names) if close else f"one of {', '.join(names)}"
            problems.append(Problem(where, f"{shown(one.property)} is no quantity", right, field=f"{field}.property"))
            continue
        factor = UNITS[kind.unit].get(one.unit)
        if factor is None:
            right = " or ".join(unit or "no unit" for unit in UNITS[kind.unit])
            what = f"{shown(one.unit)} is no unit of {one.property}"
            problems.append(Problem(where, what, right, field=f"{field}.unit"))
            continue
        made.append(one.model_copy(update={"value": one.value * factor, "unit": kind.unit}))
    if problems:
        raise InputError(problems)
    return tuple(made)
