"""PASS, WARN or FAIL with reasons in words; every threshold is in `Thresholds`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.stats import chi2

from gibbsflow.binding.alchemy.restraint import standard_state
from gibbsflow.binding.analyse.entropy.leg_split import refuse_differences, split_leg
from gibbsflow.binding.analyse.entropy.split import KEY as SPLIT
from gibbsflow.binding.analyse.estimators import Decorrelate
from gibbsflow.binding.analyse.leg_result import LegAnalysis, analyse_leg, integrate_leg, name_windows
from gibbsflow.binding.analyse.uncertainty.blocks import BlockError
from gibbsflow.binding.analyse.uncertainty.slow_motion import FEWEST_SAMPLES, SlowMotion, slow_motion, too_short
from gibbsflow.binding.sample.energies import Energies
from gibbsflow.workflow.account import Account

Level = Literal["PASS", "WARN", "FAIL"]
_ORDER: tuple[Level, ...] = ("PASS", "WARN", "FAIL")


@dataclass(frozen=True)
class Thresholds:
    """Where a number begins to be doubted (warn) and where it must not be used (fail).

    Attributes
    ----------
    overlap_warn, overlap_fail
        Overlap of neighbouring windows, below which.
    error_warn_kcal_per_mol, error_fail_kcal_per_mol
        Error of the result, above which.
    halves_sigma, halves_warn_kcal_per_mol, halves_fail_kcal_per_mol
        Difference of the estimates from the first and the second half: in doubt where it is above both the number of
        its own standard errors and the amount.
    replicates_p
        Probability (χ²) of a spread as large between replicates, if their errors were right, below which.
    replicates_warn_kcal_per_mol
        Spread (largest less smallest) that is never doubted.
    samples_warn, samples_fail
        Uncorrelated samples of a window, below which.
    estimators_sigma, estimators_warn_kcal_per_mol
        Difference of BAR, or of TI, from MBAR, above both: the first in units of their combined error.
    relaxation_times_warn
        Length of replica exchange in relaxation times along λ, below which.
    equilibration_warn
        Part of the data that looks unequilibrated, above which.
    contradiction_sigma
        How far the samples of a window are from where those of the others say they are, in its own errors, above which.
    block_correlation_warn
        Correlation of neighbouring blocks of time, above which what moves is as slow as the data are long.
    slow_motion_p
        Probability of windows as different, between replicates and halves, if their blocks were right, below which.
    replicates_without_exchange
        Replicates of windows that do not exchange, below which a slow motion may be in all of them unseen.
    """

    overlap_warn: float = 0.03
    overlap_fail: float = 0.003
    error_warn_kcal_per_mol: float = 0.5
    error_fail_kcal_per_mol: float = 2.0
    halves_sigma: float = 2.5
    halves_warn_kcal_per_mol: float = 0.3
    halves_fail_kcal_per_mol: float = 3.0
    replicates_p: float = 0.01
    replicates_warn_kcal_per_mol: float = 0.5
    samples_warn: int = 10
    samples_fail: int = 5
    estimators_sigma: float = 3.0
    estimators_warn_kcal_per_mol: float = 0.3
    relaxation_times_warn: float = 2.0
    equilibration_warn: float = 0.5
    contradiction_sigma: float = 3.0
    block_correlation_warn: float = 0.7
    slow_motion_p: float = 0.02
    replicates_without_exchange: int = 5

    @classmethod
    def from_settings(cls, overlap_warn: float, error_warn_kcal_per_mol: float) -> Thresholds:
        """Thresholds with the two that users set.

        Parameters
        ----------
        overlap_warn
            Overlap of neighbouring windows below which it is doubted; a tenth of it fails, or 0.003 if that is less.
        error_warn_kcal_per_mol
            Error above which a result is doubted; four times as much fails.

        Returns
        -------
        Thresholds
            The others as they are by default.
        """
        return cls(
            overlap_warn=overlap_warn,
            overlap_fail=min(cls.overlap_fail, overlap_warn / 10),
            error_warn_kcal_per_mol=error_warn_kcal_per_mol,
            error_fail_kcal_per_mol=4 * error_warn_kcal_per_mol,
        )


@dataclass(frozen=True)
class Finding:
    """One reason for doubt, and where it was found.

    Attributes
    ----------
    level
        How much it weighs.
    check
        Name of the check that found it.
    reason
        In words, with its number and threshold.
    leg, replicate
        Where; empty and None for the result as a whole.
    """

    level: Level
    check: str
    reason: str
    leg: str = ""
    replicate: int | None = None


def overall(findings: Iterable[Finding]) -> Level:
    """Take the worst level of all findings.

    Parameters
    ----------
    findings
        Any number.

    Returns
    -------
    Level
        PASS where there are none.
    """
    return _ORDER[max((_ORDER.index(finding.level) for finding in findings), default=0)]


def sentences(findings: Sequence[Finding]) -> list[str]:
    """Put reasons in words, the worst first; what several replicates of a leg share is said once.

    Parameters
    ----------
    findings
        Of all legs and the result.

    Returns
    -------
    list of str
        One sentence for each reason and leg.
    """
    groups: dict[tuple[Level, str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: -_ORDER.index(finding.level)):
        same = finding.leg or finding.reason  # only replicates of one leg are said together
        groups.setdefault((finding.level, finding.check, same), []).append(finding)
    said = []
    for members in groups.values():
        leg = members[0].leg
        first, others = members[0], [str(member.replicate) for member in members[1:]]
        head = f"{leg} leg, replicate {first.replicate}" if leg else ""
        head += f" (likewise {', '.join(others)})" if others and leg else ""
        said.append(f"{head}: {first.reason}" if head else first.reason)
    return said


def judge_account(account: Account) -> list[Finding]:
    """Judge what was assumed before anything was simulated: a grave assumption is a reason for doubt.

    Parameters
    ----------
    account
        Of the system.

    Returns
    -------
    list of Finding
        One WARN a warning.
    """
    return [Finding("WARN", "preparation", text) for text in account.as_dict()["warnings"]]


def judge_length(uncorrelated: float | None, limits: Thresholds) -> list[Finding]:
    """Judge whether an equilibration is long enough to tell where its ligand stays.

    Parameters
    ----------
    uncorrelated
        Samples that its judged half amounts to (`uncorrelated_samples`); None where not known.
    limits
        Thresholds.

    Returns
    -------
    list of Finding
        One WARN where they are fewer than those of a window have to be.
    """
    if uncorrelated is None or uncorrelated >= limits.samples_warn:
        return []
    reason = (
        f"the judged half of the equilibration has {uncorrelated:g} uncorrelated samples, fewer than "
        f"{limits.samples_warn}: too short to tell whether the ligand stays; a longer equil_ps"
    )
    return [Finding("WARN", "length", reason)]


def account_figures(energies: Energies) -> dict[str, Any]:
    """Say what was read of a leg.

    Parameters
    ----------
    energies
        All its samples.

    Returns
    -------
    dict
        `missing_windows`, `notes`, `warnings` and `account` of its ``result.json``.
    """
    return {"missing_windows": list(energies.missing), **energies.account.as_figures()}


def leg_figures(energies: Energies, decorrelate: Decorrelate, *, entropy: bool = False) -> dict[str, Any]:
    """Analyse and judge one leg and replicate, by itself.

    Parameters
    ----------
    energies
        All its samples; without reduced potentials it is integrated alone.
    decorrelate
        Which samples to use, as in :func:`.estimators.estimate_mbar`.
    entropy
        Whether to split its free energy into enthalpy and entropy.

    Returns
    -------
    dict
        Estimates, diagnostics, `verdict` and `reasons` of its ``result.json``; missing windows are the first reason.

    Raises
    ------
    UnconvergedError
        As :func:`.leg_result.analyse_leg` and :func:`.leg_result.integrate_leg`.
    InputError
        Where energies are to be split that are no whole ones.
    """
    if entropy:
        refuse_differences(energies)
    if energies.u_nk.empty:
        figures = integrate_leg(energies, decorrelate=decorrelate)
        findings = [Finding("WARN", "TI", "thermodynamic integration alone: nothing tells whether neighbours overlap")]
        findings += _judge_input(energies)
    else:
        leg = analyse_leg(energies, decorrelate=decorrelate)
        figures, findings = leg.as_dict(), judge_leg(leg, Thresholds())
        motion = slow_motion([energies])
        figures["slow_motion"] = asdict(motion) if motion else None
        findings += judge_slow_motion("", motion, Thresholds(), replicates=1, short=too_short([energies]))
        if entropy:
            figures[SPLIT] = split_leg(energies, leg.solved_kt, leg.mbar.dg_kt).as_dict(leg.kt_kcal_per_mol)
    reasons = sorted(sentences(findings), key=lambda text: not text.startswith(_missing(energies)))
    return figures | {"verdict": overall(findings), "reasons": reasons}


def judge_leg(leg: LegAnalysis, limits: Thresholds, *, name: str = "", replicate: int | None = None) -> list[Finding]:
    """Judge one leg and replicate.

    Parameters
    ----------
    leg
        Its analysis.
    limits
        Thresholds.
    name, replicate
        Which leg and replicate it is.

    Returns
    -------
    list of Finding
        Empty where nothing is doubted.
    """
    kt = leg.kt_kcal_per_mol
    findings: list[Finding] = []

    def _add(level: Level, check: str, reason: str) -> None:
        findings.append(Finding(level, check, reason, name, replicate))

    findings += [replace(finding, leg=name, replicate=replicate) for finding in _judge_input(leg.energies)]
    if leg.energies.missing:
        _add("WARN", "windows", f"{_missing(leg.energies)} {how_bridged(leg)}")
    if leg.min_overlap < limits.overlap_warn:
        level: Level = "FAIL" if leg.min_overlap < limits.overlap_fail else "WARN"
        place = _weakest(leg)
        reason = f"overlap of windows {place} is {leg.min_overlap:.3f}, below {limits.overlap_warn:g}"
        _add(level, "overlap", reason + ": add a window between them")
    (first, first_error), (second, second_error) = leg.forward.at(0.5), leg.backward.at(0.5)
    difference, sigma = abs(first - second) * kt, math.hypot(first_error, second_error) * kt
    if difference > max(limits.halves_sigma * sigma, limits.halves_warn_kcal_per_mol):
        level = "FAIL" if difference > limits.halves_fail_kcal_per_mol else "WARN"
        reason = f"first and second half differ by {difference:.2f} ± {sigma:.2f} kcal/mol: not yet converged"
        _add(level, "convergence", reason)
    fewest = min(leg.correlation.uncorrelated)
    if fewest < limits.samples_warn:
        level = "FAIL" if fewest < limits.samples_fail else "WARN"
        state = leg.energies.sampled[leg.correlation.uncorrelated.index(fewest)]
        reason = f"window {state} has {fewest} uncorrelated samples, fewer than {limits.samples_warn}: sample longer"
        _add(level, "samples", reason)
    if still := _still(leg.energies):
        reason = "of one energy to the last digit in all samples: an error of nothing, unless nothing can move"
        _add("WARN", "still", f"{name_windows(still)} {reason}")
    if leg.bar is None:
        _add("WARN", "BAR", leg.bar_reason)
    for other, sigmas in leg.disagreement.items():
        estimate = leg.bar if other == "bar" else leg.ti
        difference = abs(estimate.dg_kt - leg.mbar.dg_kt) * kt if estimate else 0.0
        if sigmas > limits.estimators_sigma and difference > limits.estimators_warn_kcal_per_mol:
            reason = f"{other.upper()} and MBAR differ by {difference:.2f} kcal/mol, {sigmas:.1f} combined errors"
            _add("WARN", other.upper(), reason)
    if leg.blocks is not None:
        findings += [replace(finding, leg=name, replicate=replicate) for finding in _judge_blocks(leg.blocks, limits)]
    if leg.mixing is not None and leg.mixing.relaxation_times < limits.relaxation_times_warn:
        reason = f"replica exchange mixes slowly: {leg.mixing.relaxation_times:.1f} relaxation times sampled, "
        _add("WARN", "mixing", reason + f"{limits.relaxation_times_warn:g} wanted")
    if leg.equilibration.fraction > limits.equilibration_warn:
        _add("WARN", "equilibration", f"the first {leg.equilibration.fraction:.0%} of the data look unequilibrated")
    return findings


def _judge_input(energies: Energies) -> list[Finding]:
    warnings = account_figures(energies)["warnings"]
    return [Finding("WARN", f"input {number}", text) for number, text in enumerate(warnings)]


def _judge_blocks(blocks: BlockError, limits: Thresholds) -> list[Finding]:
    findings = []
    if blocks.contradiction > limits.contradiction_sigma:
        reason = f"window {blocks.window} contradicts the others: {blocks.contradiction:.1f} of its errors from where "
        findings.append(Finding("WARN", "windows agree", reason + "they put it; some motion is too slow for it"))
    if blocks.correlation > limits.block_correlation_warn:
        reason = (
            f"blocks of time are correlated ({blocks.correlation:.2f}): some motion is as slow as the data are long"
        )
        findings.append(Finding("WARN", "blocks", reason))
    return findings


def judge_slow_motion(
    leg: str, motion: SlowMotion | None, limits: Thresholds, *, replicates: int, short: Sequence[int] = ()
) -> list[Finding]:
    """Judge whether the windows of a leg are alike over its replicates and from half to half.

    Parameters
    ----------
    leg
        Its name; empty for one leg and replicate by itself.
    motion
        How they differ; None where that is not known.
    limits
        Thresholds.
    replicates
        How many there are.
    short
        Numbers of those that are too short to be compared.

    Returns
    -------
    list of Finding
        Empty where nothing is doubted.
    """
    head, seen = f"{leg} leg: " if leg else "", replicates - len(short)
    findings = []
    if short:
        where = f"of replicate{'' if len(short) == 1 else 's'} {', '.join(map(str, short))} " if seen else ""
        then = "slow motion was looked for in the others alone" if seen else "nothing tells of motion as slow as it is"
        reason = f"{head}no window {where}has {FEWEST_SAMPLES} samples, so that {then}; sample longer, or more often"
        findings.append(Finding("WARN", "slow motion", reason))
    if motion is not None and motion.p < limits.slow_motion_p:
        among = f"its {seen} replicates and their halves" if seen > 1 else "its first and second half"
        reason = (
            f"{head}windows differ between {among} by more than their blocks of time allow (p = {motion.p:.1g}; window "
            f"{motion.window} most, {motion.ratio:.1f} times as much): some motion is slower than a window is long, "
            "and the error may be too small; sample longer, or with exchange"
        )
        findings.append(Finding("WARN", "slow motion", reason))
    return findings


def judge_result(
    values_kcal_per_mol: Sequence[float],
    errors_kcal_per_mol: Sequence[float],
    error_kcal_per_mol: float,
    limits: Thresholds,
    *,
    standard_state_kcal_per_mol: tuple[float, float] | None = None,
    without_exchange: Sequence[str] = (),
) -> list[Finding]:
    """Judge the result of a transformation.

    Parameters
    ----------
    values_kcal_per_mol, errors_kcal_per_mol
        Result of each replicate and its error from within it.
    error_kcal_per_mol
        Error of the mean that is reported.
    limits
        Thresholds.
    standard_state_kcal_per_mol
        Analytic and numeric standard-state term.
    without_exchange
        Legs of several windows among which no walker moved.

    Returns
    -------
    list of Finding
        Empty where nothing is doubted.
    """
    findings: list[Finding] = []
    if error_kcal_per_mol > limits.error_warn_kcal_per_mol:
        level: Level = "FAIL" if error_kcal_per_mol > limits.error_fail_kcal_per_mol else "WARN"
        reason = f"error of {error_kcal_per_mol:.2f} kcal/mol is above {limits.error_warn_kcal_per_mol:g}"
        findings.append(Finding(level, "error", reason))
    count = len(values_kcal_per_mol)
    if count == 1:
        reason = "one replicate only: its own error cannot tell what it never came to see"
        findings.append(Finding("WARN", "replicates", reason))
    elif (spread := max(values_kcal_per_mol) - min(values_kcal_per_mol)) > limits.replicates_warn_kcal_per_mol:
        weights = [1.0 / max(error, 1e-6) ** 2 for error in errors_kcal_per_mol]
        mean = sum(w * v for w, v in zip(weights, values_kcal_per_mol, strict=True)) / sum(weights)
        statistic = sum(w * (v - mean) ** 2 for w, v in zip(weights, values_kcal_per_mol, strict=True))
        if (p := float(chi2.sf(statistic, count - 1))) < limits.replicates_p:
            reason = f"replicates spread over {spread:.2f} kcal/mol, more than their errors allow (p = {p:.1g})"
            findings.append(Finding("WARN", "replicates", reason))
    if without_exchange and 1 < count < limits.replicates_without_exchange:
        legs = f"{' and '.join(without_exchange)} leg{'s' * (len(without_exchange) > 1)}"
        reason = (
            f"windows of the {legs} did not exchange, and {count} replicates are too few to see a motion that is slow "
            f"in all of them: the error may be too small; {limits.replicates_without_exchange} replicates, or exchange"
        )
        findings.append(Finding("WARN", "exchange", reason))
    if standard_state_kcal_per_mol and (reason := standard_state.differ(*standard_state_kcal_per_mol) or ""):
        findings.append(Finding("WARN", "standard state", reason))
    return findings


def how_bridged(leg: LegAnalysis) -> str:
    """Say what stands in for windows that are missing.

    Parameters
    ----------
    leg
        Its analysis.

    Returns
    -------
    str
        A clause to follow ``window 3 is missing;``.
    """
    ends = (0, len(leg.energies.states) - 1)
    counts = [f"{leg.effective_samples[end]:.0f}" for end in ends if end in leg.effective_samples]
    if counts:
        return f"{' and '.join(counts)} effective samples of the others reach the end state"
    return "the overlap of the neighbours bridges the gap"


def _still(energies: Energies) -> list[int]:
    """Name the windows whose samples are all one; an own energy of 0 is a difference, which may well be constant."""
    windows = ((int(state), own) for state, own in energies.u_nk.groupby(level="state"))
    alike = ((state, own) for state, own in windows if len(own) > 1 and not np.ptp(own.to_numpy(), axis=0).any())
    return [state for state, own in alike if own[state].iloc[0]]


def _missing(energies: Energies) -> str:
    return f"{name_windows(energies.missing)} missing;"


def _weakest(leg: LegAnalysis) -> str:
    pairs = range(len(leg.overlap) - 1)
    place = min(pairs, key=lambda i: min(leg.overlap[i, i + 1], leg.overlap[i + 1, i]))
    return f"{leg.energies.sampled[place]} and {leg.energies.sampled[place + 1]}"
