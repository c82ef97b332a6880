"""Legs and replicates of a transformation, combined into its record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from gibbsflow.binding.alchemy.protocols import DOUBLE_DECOUPLING, LegSpec, cycle_sum, leg_names, restrains
from gibbsflow.binding.analyse.collect import read_undamaged
from gibbsflow.binding.analyse.estimators import Decorrelate
from gibbsflow.binding.analyse.leg_result import MBAR_ALONE_RATIO, LegAnalysis, analyse_leg, name_windows
from gibbsflow.binding.analyse.side_by_side import judge_estimates, other_estimates
from gibbsflow.binding.analyse.uncertainty.blocks import exchanged
from gibbsflow.binding.analyse.uncertainty.intervals import Combined, combine_replicates, pooled_dof
from gibbsflow.binding.analyse.uncertainty.slow_motion import SlowMotion, slow_motion, too_short
from gibbsflow.binding.analyse.verdict import (
    Finding,
    Level,
    Thresholds,
    how_bridged,
    judge_leg,
    judge_result,
    judge_slow_motion,
    overall,
    sentences,
)
from gibbsflow.binding.sample.energies import in_order, join_windows
from gibbsflow.errors import GibbsflowError, StoppedEarly
from gibbsflow.workflow.state.state_folder import window_folder


@dataclass(frozen=True)
class LegOutcome:
    """One leg of one replicate: analysed, or why not.

    Attributes
    ----------
    leg, replicate
        Which.
    analysis
        None where it failed.
    cause, message
        Class of the failure and what happened.
    missing
        Windows without samples.
    damaged
        Files that cannot be read, with the reason: their windows are missing too.
    """

    leg: str
    replicate: int
    analysis: LegAnalysis | None = None
    cause: str = ""
    message: str = ""
    missing: tuple[int, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What to call it in a sentence.

        Returns
        -------
        str
            Leg and replicate.
        """
        return f"{self.leg} leg, replicate {self.replicate}"

    @property
    def missing_names(self) -> list[str]:
        """Name the windows without samples.

        Returns
        -------
        list of str
            Each as ``leg/replicate_R/window_KK``.
        """
        return [f"{self.leg}/replicate_{self.replicate}/{window_folder(window)}" for window in self.missing]

    @property
    def why_partial(self) -> str:
        """What is missing and what stands in for it.

        Returns
        -------
        str
            In words; empty where nothing is missing.
        """
        if self.analysis is None:
            return f"{self.name}: {self.message}"
        if not self.missing:
            return ""
        text = f"{self.name}: {name_windows(self.missing)} missing; {how_bridged(self.analysis)}"
        return "; ".join([text, *self.damaged])

    def as_dict(self) -> dict[str, Any]:
        """Give the figures of ``record.json``.

        Returns
        -------
        dict
            JSON-serialisable, units in the names.
        """
        head = {"leg": self.leg, "replicate": self.replicate, "cause": self.cause, "message": self.message}
        if self.analysis is None:
            return {**head, "status": "failed", "dg_kcal_per_mol": None, "missing_windows": list(self.missing)}
        figures = self.analysis.as_dict()
        mbar, bar, ti = figures.pop("mbar"), figures.pop("bar"), figures.pop("ti")
        return {
            **head,
            "message": self.why_partial,
            "status": "partial" if self.missing else "finished",
            "dg_kcal_per_mol": mbar["dg_kcal_per_mol"],
            "mbar_error_kcal_per_mol": mbar["dg_error_kcal_per_mol"],
            "error_method": mbar["error_method"],
            "bar_dg_kcal_per_mol": bar["dg_kcal_per_mol"],
            "bar_error_kcal_per_mol": bar["dg_error_kcal_per_mol"],
            "ti_dg_kcal_per_mol": ti["dg_kcal_per_mol"],
            "ti_error_kcal_per_mol": ti["dg_error_kcal_per_mol"],
            "ti_integration_error_kcal_per_mol": ti.get("integration_error_kcal_per_mol"),
            **figures,
        }


@dataclass(frozen=True)
class Binding:
    """Free energy of a cycle over replicates; of double decoupling, the standard binding free energy.

    Attributes
    ----------
    replicates
        Numbers of the replicates with all legs.
    values_kcal_per_mol, errors_kcal_per_mol, mbar_errors_kcal_per_mol
        Result of each, its error from within it, and the propagated MBAR error.
    mbar_error_kcal_per_mol
        Propagated MBAR error of the mean.
    combined
        Mean, its error and its intervals.
    error_method
        Where the error comes from, in words.
    """

    replicates: tuple[int, ...]
    values_kcal_per_mol: tuple[float, ...]
    errors_kcal_per_mol: tuple[float, ...]
    mbar_errors_kcal_per_mol: tuple[float, ...]
    mbar_error_kcal_per_mol: float
    combined: Combined
    error_method: str

    @property
    def figures(self) -> dict[str, Any]:
        """Result, errors and the 95 % interval, as in ``record.json``.

        Returns
        -------
        dict
            Units in the names.
        """
        mean, half = self.combined.mean, self.combined.half_width(0.95)
        return {
            "dg_kcal_per_mol": mean,
            "dg_error_kcal_per_mol": self.combined.standard_error,
            "error_method": self.error_method,
            "mbar_error_kcal_per_mol": self.mbar_error_kcal_per_mol,
            "t95_kcal_per_mol": half,
            "ci95_low_kcal_per_mol": mean - half,
            "ci95_high_kcal_per_mol": mean + half,
        }


@dataclass(frozen=True)
class Expected:
    """What a transformation must consist of.

    Attributes
    ----------
    replicates
        Independent repeats of each leg, numbered from 0.
    windows
        States of each leg, by its name.
    """

    replicates: int
    windows: Mapping[str, int] = field(default_factory=dict)


def analyse_legs(
    groups: Mapping[tuple[str, int], Sequence[Path]],
    expected: Expected,
    *,
    temperature_k: float | None,
    decorrelate: Decorrelate,
    bridge_overlap: float,
    protocol: Sequence[LegSpec] = DOUBLE_DECOUPLING,
) -> list[LegOutcome]:
    """Analyse every leg and replicate; one that fails is recorded with its cause and stops no other.

    Parameters
    ----------
    groups
        Window files by leg and replicate.
    expected
        What there must be: what is not among the files is missing.
    temperature_k
        Temperature that the files must say, K; None for any.
    decorrelate
        Which samples to use.
    bridge_overlap
        Overlap that must bridge a missing window.
    protocol
        The legs.

    Returns
    -------
    list of LegOutcome
        By leg in the protocol's order, then by replicate.

    Raises
    ------
    StoppedEarly
        Where a signal came.
    """
    outcomes = []
    replicates = sorted({replicate for _, replicate in groups} | set(range(expected.replicates)))
    for leg in leg_names(protocol):
        for replicate in replicates:
            windows, damaged = read_undamaged(groups.get((leg, replicate), []))
            if not windows:
                every = tuple(range(expected.windows.get(leg, 0)))
                message = "; ".join(["all windows are missing: the leg did not finish", *damaged])
                outcomes.append(LegOutcome(leg, replicate, None, "MissingWindows", message, every, damaged))
                continue
            missing: tuple[int, ...] = ()
            try:
                energies = join_windows(in_order(windows), temperature_k=temperature_k, allow_missing=True)
                missing = energies.missing
                energies.account.settle()
                analysis = analyse_leg(energies, decorrelate=decorrelate, bridge_overlap=bridge_overlap)
                cause = "MissingWindows" if missing else ""
                outcomes.append(LegOutcome(leg, replicate, analysis, cause, missing=missing, damaged=damaged))
            except StoppedEarly:
                raise
            except GibbsflowError as error:
                cause = "MissingWindows" if missing else error.cause
                told = str(error)
                if missing and name_windows(missing) not in told:
                    told = f"{name_windows(missing)} missing, and {told}"
                message = "; ".join([told, *damaged])
                outcomes.append(LegOutcome(leg, replicate, None, cause, message, missing, damaged))
    return outcomes


def combine(
    outcomes: Sequence[LegOutcome],
    release_kcal_per_mol: float,
    protocol: Sequence[LegSpec] = DOUBLE_DECOUPLING,
    *,
    symmetry_kcal_per_mol: float = 0.0,
    finite_size: Mapping[str, Mapping[str, Any]] | None = None,
) -> Binding | None:
    """Combine legs into the free energy of their cycle.

    Parameters
    ----------
    outcomes
        Legs and replicates.
    release_kcal_per_mol
        Free energy of letting the restrained, decoupled ligand go into the standard state.
    protocol
        The legs and their signs.
    symmetry_kcal_per_mol
        What a symmetry number adds, −kT ln σ.
    finite_size
        What is added to G(last) − G(first) of a leg for the size of its box, by leg, with its error.

    Returns
    -------
    Binding or None
        None where no replicate has all legs.

    Notes
    -----
    Error and intervals take the spread over replicates and the error within each together
    (:func:`.intervals.combine_replicates`). The error of the finite-size correction, which is the same in all
    replicates, comes on top.
    """
    done = {(o.leg, o.replicate): o.analysis for o in outcomes if o.analysis is not None}
    names = leg_names(protocol)
    replicates = sorted({replicate for _, replicate in done if all((leg, replicate) in done for leg in names)})
    if not replicates:
        return None
    values, errors, mbar_errors, dofs = [], [], [], []
    corrections = finite_size or {}
    for replicate in replicates:
        legs = {leg: done[leg, replicate] for leg in names}
        terms = {leg: a.mbar.dg_kt * a.kt_kcal_per_mol for leg, a in legs.items()}
        terms = {leg: dg + corrections.get(leg, {}).get("dg_kcal_per_mol", 0.0) for leg, dg in terms.items()}
        values.append(cycle_sum(protocol, terms, release_kcal_per_mol) + symmetry_kcal_per_mol)
        mbar_errors.append(math.hypot(*(a.mbar.dg_error_kt * a.kt_kcal_per_mol for a in legs.values())))
        of_legs = [a.error_kt * a.kt_kcal_per_mol for a in legs.values()]
        errors.append(math.hypot(*of_legs))
        dofs.append(pooled_dof(of_legs, [a.error_dof for a in legs.values()]))
    of_size = math.hypot(*(leg["dg_error_kcal_per_mol"] for leg in corrections.values()))
    combined = combine_replicates(values, errors, dofs, of_size)
    short = [leg for leg in names if any(done[leg, replicate].blocks is None for replicate in replicates)]
    if len(values) == 1:
        blocks = errors[0] != mbar_errors[0] and len(short) < len(names)
        method = f"{'blocks of time' if blocks else 'MBAR error'} (one replicate)"
    else:
        method = f"spread of {len(values)} replicates and the error within each, by Bayes' rule"
    if short:
        of_legs_named = f"{' and '.join(short)} leg{'s' * (len(short) > 1)}"
        method += f"; MBAR's error {MBAR_ALONE_RATIO:g}-fold in the {of_legs_named}: too few samples for blocks"
    if corrections:
        method += f", and {of_size:.2f} of the finite-size correction"
    mbar_error = math.hypot(*mbar_errors) / len(values)
    return Binding(tuple(replicates), tuple(values), tuple(errors), tuple(mbar_errors), mbar_error, combined, method)


def leg_summary(
    outcomes: Sequence[LegOutcome], result: Binding | None, protocol: Sequence[LegSpec] = DOUBLE_DECOUPLING
) -> dict[str, dict[str, Any]]:
    """Mean, spread and errors of each leg, over the replicates that the result rests on.

    Parameters
    ----------
    outcomes
        Legs and replicates.
    result
        What they were combined to; None for nothing.
    protocol
        The legs.

    Returns
    -------
    dict
        Figures by leg, kcal/mol; None where there are none; whether windows exchanged in all of its replicates, None of
        a single window.
    """
    summary = {}
    for leg in leg_names(protocol):
        chosen = [o for o in outcomes if o.leg == leg and (result is None or o.replicate in result.replicates)]
        done = [o.analysis for o in chosen if o.analysis is not None]
        numbers = [o.replicate for o in chosen if o.analysis is not None]
        short = [numbers[place] for place in too_short([a.energies for a in done])]
        values = [a.mbar.dg_kt * a.kt_kcal_per_mol for a in done]
        errors = [a.mbar.dg_error_kt * a.kt_kcal_per_mol for a in done]
        within, dofs = [a.error_kt * a.kt_kcal_per_mol for a in done], [a.error_dof for a in done]
        motion = slow_motion([a.energies for a in done]) if done else None
        several = [a.energies for a in done if len(a.energies.sampled) > 1]
        summary[leg] = {
            "dg_kcal_per_mol": fmean(values) if values else None,
            "dg_error_kcal_per_mol": combine_replicates(values, within, dofs).standard_error if values else None,
            "sd_kcal_per_mol": stdev(values) if len(values) > 1 else None,
            "mbar_error_kcal_per_mol": math.hypot(*errors) / len(errors) if errors else None,
            "slow_motion": asdict(motion) if motion else None,
            "too_short_for_slow_motion": short,
            "exchanged": all(map(exchanged, several)) if several else None,
            "replicates": len(values),
        }
    return summary


def summarise(
    outcomes: Sequence[LegOutcome],
    standard_state: Mapping[str, float] | None,
    expected: Expected,
    limits: Thresholds,
    protocol: Sequence[LegSpec] = DOUBLE_DECOUPLING,
    *,
    doubts: Sequence[Finding] = (),
    symmetry_kcal_per_mol: float = 0.0,
    finite_size: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Figures, status and verdict of a transformation, as in ``record.json``.

    Parameters
    ----------
    outcomes
        Legs and replicates.
    standard_state
        ``analytic_kcal_per_mol`` and ``numeric_kcal_per_mol``; None for a protocol that restrains nothing.
    expected
        What it must consist of.
    limits
        Thresholds of the verdict.
    protocol
        The legs and their signs.
    doubts
        What speaks against the number besides its legs, such as grave assumptions of the preparation.
    symmetry_kcal_per_mol
        What a symmetry number adds, −kT ln σ.
    finite_size
        Corrections by leg, as for :func:`combine`.

    Returns
    -------
    dict
        JSON-serialisable, units in the names.
    """
    release = None
    if standard_state:
        release = (standard_state["analytic_kcal_per_mol"], standard_state["numeric_kcal_per_mol"])
    released = release[1] if release else 0.0
    result = combine(outcomes, released, protocol, symmetry_kcal_per_mol=symmetry_kcal_per_mol, finite_size=finite_size)
    findings: list[Finding] = list(doubts)
    for outcome in outcomes:
        if outcome.analysis is None:
            level: Level = "WARN" if result else "FAIL"
            findings.append(Finding(level, "legs", outcome.message, outcome.leg, outcome.replicate))
        else:
            findings += judge_leg(outcome.analysis, limits, name=outcome.leg, replicate=outcome.replicate)
    summary = leg_summary(outcomes, result, protocol)
    for leg, told in summary.items():
        motion = SlowMotion(**told["slow_motion"]) if told["slow_motion"] else None
        short = told["too_short_for_slow_motion"]
        findings += judge_slow_motion(leg, motion, limits, replicates=told["replicates"], short=short)
    record: dict[str, Any] = {
        "legs": [outcome.as_dict() for outcome in outcomes],
        "missing_windows": [name for outcome in outcomes for name in outcome.missing_names],
        "leg_summary": summary,
        **({"standard_state": {**standard_state, "used": "numeric"}} if standard_state else {}),
        **({"finite_size": dict(finite_size)} if finite_size else {}),
        "cause": "",
    }
    failures = [outcome for outcome in outcomes if outcome.analysis is None]
    if result is None:
        which = "both" if len(protocol) == 2 else "all"
        what = "binding free energy" if restrains(protocol) else "free energy"
        findings.append(Finding("FAIL", "result", f"no replicate has {which} legs: no {what}"))
        status, cause = "failed", f"{failures[0].cause}: {failures[0].name}: {failures[0].message}"
        figures: dict[str, Any] = dict.fromkeys(_FIGURES)
        figures |= {"replicates": 0, "cause": cause}
    else:
        findings += judge_result(
            result.values_kcal_per_mol,
            result.errors_kcal_per_mol,
            result.combined.standard_error,
            limits,
            standard_state_kcal_per_mol=release,
            without_exchange=[leg for leg, told in summary.items() if told["exchanged"] is False],
        )
        done = {(o.leg, o.replicate): o.analysis for o in outcomes if o.analysis is not None}
        cycles = [{leg: done[leg, number] for leg in leg_names(protocol)} for number in result.replicates]
        others = other_estimates(cycles, result.combined.mean, result.errors_kcal_per_mol, protocol)
        findings += judge_estimates(others, limits)
        whole = len(result.replicates) >= expected.replicates and not any(o.missing for o in outcomes)
        status = "finished" if whole and not failures else "partial"
        if status == "partial":
            lacking = [outcome for outcome in outcomes if outcome.why_partial]
            record["cause"] = f"{lacking[0].cause}: " + "; ".join(outcome.why_partial for outcome in lacking)
        figures = result.figures
        figures["replicates"] = len(result.replicates)
        figures["replicate_numbers"] = list(result.replicates)
        figures["replicate_dg_kcal_per_mol"] = list(result.values_kcal_per_mol)
        figures["replicate_error_kcal_per_mol"] = list(result.errors_kcal_per_mol)
        figures["hidden_spread_probability"] = result.combined.hidden
        figures["other_estimates"] = others
    verdict = overall(findings)
    return {
        "status": status,
        "verdict": verdict,
        "reasons": sentences(findings),
        "findings": [vars(finding) for finding in findings],
        **record,
        **figures,
    }


_FIGURES = (
    "dg_kcal_per_mol",
    "dg_error_kcal_per_mol",
    "error_method",
    "mbar_error_kcal_per_mol",
    "t95_kcal_per_mol",
    "ci95_low_kcal_per_mol",
    "ci95_high_kcal_per_mol",
)
