"""The free energy of a cycle by each estimator: MBAR, BAR and TI side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from gibbsflow.binding.alchemy.protocols import LegSpec, cycle_sum, leg_names
from gibbsflow.binding.analyse.leg_result import LegAnalysis
from gibbsflow.binding.analyse.verdict import Finding, Thresholds

OTHERS = ("bar", "ti")


def other_estimates(
    cycles: Sequence[dict[str, LegAnalysis]],
    dg_kcal_per_mol: float,
    errors_kcal_per_mol: Sequence[float],
    protocol: Sequence[LegSpec],
) -> dict[str, dict[str, Any] | None]:
    """Free energy of a cycle by BAR and by TI in place of MBAR, corrections and releases as they are.

    Parameters
    ----------
    cycles
        Legs of each replicate, by name.
    dg_kcal_per_mol
        Result, by MBAR.
    errors_kcal_per_mol
        Error of each replicate from within it.
    protocol
        The legs and their signs.

    Returns
    -------
    dict
        By ``bar`` and ``ti``: value, standard error and error of integration, difference from MBAR's in kcal/mol and in
        combined errors; None where a leg has no such estimate.
    """
    found: dict[str, dict[str, Any] | None] = {}
    for name in OTHERS:
        estimates = [{leg: getattr(cycle[leg], name) for leg in leg_names(protocol)} for cycle in cycles]
        if any(estimate is None for of_cycle in estimates for estimate in of_cycle.values()):
            found[name] = None
            continue
        differences, errors, rules = [], [], []
        for cycle, of_cycle in zip(cycles, estimates, strict=True):
            kt = {leg: cycle[leg].kt_kcal_per_mol for leg in of_cycle}
            off = {leg: (of_cycle[leg].dg_kt - cycle[leg].mbar.dg_kt) * kt[leg] for leg in of_cycle}
            differences.append(cycle_sum(protocol, off, 0.0))
            errors += [of_cycle[leg].dg_error_kt * kt[leg] for leg in of_cycle]
            rules.append(sum(of_cycle[leg].integration_error_kt * kt[leg] for leg in of_cycle))
        difference, error = fmean(differences), math.hypot(*errors) / len(cycles)
        rule = fmean(rules)  # the same in all replicates, whose spacing is the same
        both = math.hypot(error, rule, math.hypot(*errors_kcal_per_mol) / len(cycles))
        found[name] = {
            "dg_kcal_per_mol": dg_kcal_per_mol + difference,
            "dg_error_kcal_per_mol": error,
            "integration_error_kcal_per_mol": rule,
            "difference_kcal_per_mol": difference,
            "combined_errors": abs(difference) / max(both, 1e-12),
        }
    return found


def judge_estimates(found: dict[str, dict[str, Any] | None], limits: Thresholds) -> list[Finding]:
    """Doubt a result that depends on its estimator.

    Parameters
    ----------
    found
        As :func:`other_estimates` gives it.
    limits
        Thresholds.

    Returns
    -------
    list of Finding
        One WARN an estimator that differs from MBAR.
    """
    doubts = []
    for name, told in found.items():
        far = told is not None and abs(told["difference_kcal_per_mol"]) > limits.estimators_warn_kcal_per_mol
        if told is not None and far and told["combined_errors"] > limits.estimators_sigma:
            reason = (
                f"the result by {name.upper()} differs from that by MBAR by {told['difference_kcal_per_mol']:+.2f} "
            )
            reason += f"kcal/mol, {told['combined_errors']:.1f} combined errors"
            doubts.append(Finding("WARN", f"{name.upper()} of the result", reason))
    return doubts
