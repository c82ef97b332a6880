"""Enthalpy and entropy of a cycle: those of its legs, of its analytic terms, and over replicates."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gibbsflow.binding.alchemy.protocols import LegSpec, cycle_sum, leg_names
from gibbsflow.binding.analyse.combine import LegOutcome
from gibbsflow.binding.analyse.entropy.leg_split import split_leg
from gibbsflow.binding.analyse.entropy.split import FIGURES, Split
from gibbsflow.binding.analyse.leg_result import LegAnalysis
from gibbsflow.binding.analyse.uncertainty.intervals import combine_replicates, pooled_dof
from gibbsflow.config.binding import Md

_MUCH_LARGER = 3.0
"""Error of ΔH over that of ΔG from which it is noted."""
_STEP_K = 0.5
_PV_KCAL_PER_MOL_BAR = 1.44e-3
"""Of 100 Å³."""


def split_cycle(
    outcomes: Sequence[LegOutcome],
    figures: Mapping[str, Any],
    protocol: Sequence[LegSpec],
    *,
    release_kcal_per_mol: float = 0.0,
) -> dict[str, Any]:
    """Split the free energy of a cycle.

    Parameters
    ----------
    outcomes
        Legs and replicates.
    figures
        Of its record: ``replicate_numbers``, ``replicate_dg_kcal_per_mol``, ``dg_error_kcal_per_mol`` and, where there
        are any, ``finite_size``.
    protocol
        The legs and their signs.
    release_kcal_per_mol
        Enthalpy of letting the restrained, decoupled ligand go (:func:`release_enthalpy`).

    Returns
    -------
    dict
        Figures of the mean over replicates, of ``replicates`` and of ``legs``, kcal/mol.

    Raises
    ------
    InputError
        As :func:`refuse_differences`.
    """
    done = {(o.leg, o.replicate): o.analysis for o in outcomes if o.analysis is not None}
    sizes = {leg: size["dg_kcal_per_mol"] for leg, size in figures.get("finite_size", {}).items()}
    numbers, names = figures["replicate_numbers"], leg_names(protocol)
    of_legs: dict[str, list[Split]] = {name: [] for name in names}
    of_cycles = []
    for number, dg in zip(numbers, figures["replicate_dg_kcal_per_mol"], strict=True):
        splits = {name: _in_kcal_per_mol(done[name, number]) for name in names}
        for name in names:
            of_legs[name].append(splits[name])
        dh = cycle_sum(protocol, {n: s.dh + sizes.get(n, 0.0) for n, s in splits.items()}, release_kcal_per_mol)
        of_h, of_s = [s.dh_error for s in splits.values()], [s.minus_tds_error for s in splits.values()]
        dof = pooled_dof(of_h, [s.dof for s in splits.values()])
        of_cycles.append(Split(dh, math.hypot(*of_h), dg - dh, math.hypot(*of_s), dof))
    return {
        **_mean(of_cycles),
        "replicates": [{"replicate": n} | one.as_dict() for n, one in zip(numbers, of_cycles, strict=True)],
        "legs": {name: _mean(several) for name, several in of_legs.items()},
    }


def release_enthalpy(release_kcal_per_mol: Callable[[float], float], temperature_k: float) -> float:
    """Enthalpy of releasing a restraint, ΔH = −T² d(ΔG/T)/dT: minus the mean energy of the restraint.

    Parameters
    ----------
    release_kcal_per_mol
        ΔG(release) into 1 mol/L at a temperature in K.
    temperature_k
        Temperature, K.

    Returns
    -------
    float
        kcal/mol; about −3 kT of Boresch's six harmonic terms. The volume of the standard state does not change with T.
    """
    low, high = temperature_k - _STEP_K, temperature_k + _STEP_K
    slope = (release_kcal_per_mol(high) / high - release_kcal_per_mol(low) / low) / (2 * _STEP_K)
    return -(temperature_k**2) * slope


def notes(
    split: Mapping[str, Any], outcomes: Sequence[LegOutcome], figures: Mapping[str, Any], md: Md | None
) -> list[str]:
    """Say what is to be borne in mind with a split.

    Parameters
    ----------
    split
        As :func:`split_cycle` gives it.
    outcomes, figures
        Legs and replicates, and the figures of their record.
    md
        Settings of the simulation; None where they are not known.

    Returns
    -------
    list of str
        In words.
    """
    said = []
    ratio = split["dh_error_kcal_per_mol"] / max(figures["dg_error_kcal_per_mol"], 1e-12)
    if ratio > _MUCH_LARGER:
        text = f"the error of ΔH is {ratio:.0f} times that of ΔG: whole energies scatter more than their differences"
        said.append(text)
    weighed = [o.name for o in outcomes if o.analysis is not None and not o.analysis.energies.ends_sampled]
    if weighed:
        said.append(f"an end of the {', '.join(weighed)} has no samples: its energy is that of reweighted others")
    if md is not None and md.explicit:
        pv = _PV_KCAL_PER_MOL_BAR * md.pressure_bar
        said.append(f"pV is left out of ΔH: {pv:.2g} kcal/mol for each 100 Å³ that the box changes by")
    elif md is not None and md.solvent != "vacuum":
        said.append("implicit solvent: its energy is a free energy of solvation, whose entropy counts as enthalpy here")
    if figures.get("finite_size"):
        said.append("corrections for the size of boxes count as enthalpy: how they depend on temperature is not known")
    return said


def _in_kcal_per_mol(leg: LegAnalysis) -> Split:
    split, kt = split_leg(leg.energies, leg.solved_kt, leg.mbar.dg_kt), leg.kt_kcal_per_mol
    return Split(split.dh * kt, split.dh_error * kt, split.minus_tds * kt, split.minus_tds_error * kt, split.dof)


def _mean(splits: Sequence[Split]) -> dict[str, float]:
    """Mean over replicates by the rule of results, with half of the 95 % interval."""
    dofs = [one.dof for one in splits]
    of_h = combine_replicates([one.dh for one in splits], [one.dh_error for one in splits], dofs)
    of_s = combine_replicates([one.minus_tds for one in splits], [one.minus_tds_error for one in splits], dofs)
    values = (of_h.mean, of_h.standard_error, of_s.mean, of_s.standard_error)
    return dict(zip(FIGURES, values, strict=True)) | {
        "dh_t95_kcal_per_mol": of_h.half_width(0.95),
        "minus_tds_t95_kcal_per_mol": of_s.half_width(0.95),
    }
