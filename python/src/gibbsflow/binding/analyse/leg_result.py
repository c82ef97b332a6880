"""One leg and replicate, analysed: the free energies, and all that tells whether to believe them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gibbsflow.binding.analyse import convergence, reweighting
from gibbsflow.binding.analyse.estimators import (
    Correlation,
    Decorrelate,
    Estimate,
    decorrelated,
    dg_of_leg_kt,
    estimate_bar,
    estimate_mbar,
    fit_mbar,
    neighbour_overlap,
    refuse_disjoint,
)
from gibbsflow.binding.analyse.integration import Integral, estimate_ti, why_no_integral
from gibbsflow.binding.analyse.uncertainty.blocks import BlockError, block_error
from gibbsflow.binding.sample.energies import Energies
from gibbsflow.errors import UnconvergedError
from gibbsflow.units import Floats, kt_kcal_per_mol

MBAR_ALONE_RATIO = 2.2
"""Spread between repeats over MBAR's own error, by which that is multiplied where there are too few samples for blocks.

The root of the scale of a scaled inverse χ² distribution fitted to 1,198 public edges with three repeats each
(benchmarks/coverage/VERDICTS.md).
"""
MBAR_ALONE_DOF = 2.0
"""Its degrees of freedom."""


@dataclass(frozen=True)
class LegAnalysis:
    """Free energy G(last state) − G(first state) of one leg and replicate, and what tells whether to believe it.

    Attributes
    ----------
    energies
        All its samples.
    decorrelate
        Which samples were used, as in :func:`.estimators.estimate_mbar`.
    mbar, bar, ti
        Estimates; BAR is None where it does not converge (`bar_reason` says why), TI where no dH/dλ was recorded.
    bar_reason
        Empty where there is a BAR estimate.
    correlation
        Correlation in time of each sampled window.
    overlap
        MBAR overlap matrix over the sampled states, shape (K, K).
    profile_kt, profile_error_kt
        Free energy along all states, those without samples included, relative to the first, shape (K,).
    effective_samples
        Effective samples (of uncorrelated ones) that carry the weight of each state without samples of its own.
    forward, backward
        Estimates over growing parts of the data.
    mixing
        How walkers move along λ; None without exchange.
    equilibration
        Start of the data that looks unequilibrated.
    blocks
        Error from blocks of time; None where there are too few samples for it.
    solved_kt
        Free energies of all states that solve MBAR's equations for all samples, shape (K,), kT: `profile_kt`, unless
        that is of uncorrelated samples alone.
    """

    energies: Energies
    decorrelate: Decorrelate
    mbar: Estimate
    bar: Estimate | None
    bar_reason: str
    ti: Integral | None
    correlation: Correlation
    overlap: Floats
    profile_kt: Floats
    profile_error_kt: Floats
    effective_samples: Mapping[int, float]
    forward: convergence.PartialEstimates
    backward: convergence.PartialEstimates
    mixing: convergence.Mixing | None
    equilibration: convergence.Equilibration
    blocks: BlockError | None
    solved_kt: Floats

    @property
    def error_kt(self) -> float:
        """Standard error from within this replicate: that of blocks of time, where these are near independent.

        The larger of two estimates is too large on the average. It is taken where blocks correlate, and where the value
        does not rest on all samples of all windows, as their blocks do.

        Returns
        -------
        float
            In kT; without blocks MBAR's, times what public repeats say that it lacks.
        """
        if self.blocks is None:
            return MBAR_ALONE_RATIO * self.mbar.dg_error_kt
        if self._blocks_stand_alone:
            return self.blocks.error_kt
        return max(self.mbar.dg_error_kt, self.blocks.error_kt)

    @property
    def error_method(self) -> str:
        """Where :attr:`error_kt` comes from.

        Returns
        -------
        str
            In words.
        """
        if self.blocks is None:
            return f"MBAR's error {MBAR_ALONE_RATIO:g}-fold: too few samples for blocks"
        return "blocks of time" if self._blocks_stand_alone else "the larger of MBAR's error and that of blocks of time"

    @property
    def _blocks_stand_alone(self) -> bool:
        whole = self.decorrelate != "always" and not self.energies.missing
        return whole and self.blocks is not None and self.blocks.independent

    @property
    def error_dof(self) -> float:
        """Degrees of freedom that :attr:`error_kt` is known with.

        Returns
        -------
        float
            Those of the blocks; few without.
        """
        return self.blocks.dof if self.blocks else MBAR_ALONE_DOF

    @property
    def disagreement(self) -> dict[str, float]:
        """Difference of BAR and of TI from MBAR, in units of the combined error of the two.

        Returns
        -------
        dict
            By ``bar`` and ``ti``, those that there are; ≥ 0. All come from the same samples, so that differences of
            equally good estimators are smaller than this unit. That of TI holds its error of integration.
        """
        found = {}
        for name, other in {"bar": self.bar, "ti": self.ti}.items():
            if other is not None:
                both = math.hypot(other.dg_error_kt, other.integration_error_kt, self.error_kt)
                found[name] = abs(other.dg_kt - self.mbar.dg_kt) / max(both, 1e-12)
        return found

    @property
    def kt_kcal_per_mol(self) -> float:
        """Thermal energy kT of this leg.

        Returns
        -------
        float
            In kcal/mol.
        """
        return kt_kcal_per_mol(self.energies.temperature_k)

    @property
    def min_overlap(self) -> float:
        """Smallest overlap of neighbouring states.

        Returns
        -------
        float
            As :func:`.estimators.neighbour_overlap`.
        """
        return neighbour_overlap(self.overlap)

    def as_dict(self) -> dict[str, Any]:
        """JSON-serialisable figures, units in the names.

        Returns
        -------
        dict
            As in ``result.json`` of ``analysis leg``; free energies in kT and kcal/mol.
        """
        kt = self.kt_kcal_per_mol
        sampled = self.energies.sampled
        return {
            "mbar": self.mbar.as_dict(),
            "bar": self.bar.as_dict() if self.bar else _absent(self.bar_reason),
            "ti": self.ti.as_dict() if self.ti else _absent(why_no_integral(self.energies)),
            "temperature_k": self.energies.temperature_k,
            "decorrelate": self.decorrelate,
            "overlap": {"matrix": self.overlap.tolist(), "min_neighbour": self.min_overlap},
            "forward": _series(self.forward, kt),
            "backward": _series(self.backward, kt),
            "samples": list(self.correlation.samples),
            "decorrelated": list(self.correlation.uncorrelated),
            "statistical_inefficiency": self.correlation.inefficiency.tolist(),
            "states": [dict(state) for state in self.energies.states],
            "sampled_states": sampled,
            "missing_windows": list(self.energies.missing),
            "effective_samples_of_missing": {
                str(state): round(count, 1) for state, count in self.effective_samples.items()
            },
            "profile": {
                "state": list(range(len(self.energies.states))),
                "dg_kcal_per_mol": (self.profile_kt * kt).tolist(),
                "dg_error_kcal_per_mol": (self.profile_error_kt * kt).tolist(),
            },
            "mixing": _mixing(self.mixing),
            "equilibration": asdict(self.equilibration),
            "dg_error_kcal_per_mol": self.error_kt * kt,
            "dg_error_method": self.error_method,
            "disagreement": self.disagreement,
            "blocks": _blocks(self.blocks, kt),
        }


def analyse_leg(energies: Energies, *, decorrelate: Decorrelate = "auto", bridge_overlap: float = 0.03) -> LegAnalysis:
    """Analyse one leg and replicate.

    Parameters
    ----------
    energies
        All its samples.
    decorrelate
        Which samples to use, as in :func:`.estimators.estimate_mbar`.
    bridge_overlap
        Overlap that must bridge a missing window.

    Returns
    -------
    LegAnalysis
        Estimates and diagnostics.

    Raises
    ------
    UnconvergedError
        Where the estimators do not converge, or the samples that are there do not reach across what is missing.
    """
    if len(energies.sampled) < 2:
        raise UnconvergedError("samples of one state only: no free energy difference")
    refuse_disjoint(energies.u_nk)
    correlation, uncorrelated = decorrelated(energies)
    mbar, estimate = estimate_mbar(energies, correlation, uncorrelated, decorrelate)
    overlap = np.asarray(mbar.overlap_matrix, dtype=float)
    _refuse_unbridged(energies, overlap, bridge_overlap)
    # correlated samples count for less: one in g
    rows = uncorrelated.index if decorrelate == "always" else None
    effective = reweighting.effective_samples(mbar, energies, rows)
    if decorrelate != "always":
        effective = {state: count / float(correlation.inefficiency.max()) for state, count in effective.items()}
    _refuse_unreached(energies, effective, correlation)
    bar, bar_reason = None, ""
    try:
        bar = estimate_bar(energies, correlation, uncorrelated, decorrelate)
    except UnconvergedError as error:
        bar_reason = str(error)
    factor = estimate.dg_error_kt / max(dg_of_leg_kt(mbar, energies, rows)[1], 1e-12)
    profile_kt, profile_error_kt = reweighting.profile(mbar, energies, rows)
    whole, solved_kt = mbar, profile_kt
    if rows is not None:  # sums over all samples say nothing where the equations were solved for a part of them
        whole = fit_mbar(energies.u_nk, mbar.delta_f_.iloc[0].to_numpy())
        solved_kt = reweighting.profile(whole, energies)[0]
    forward, backward = convergence.forward_backward(energies, whole, factor)
    return LegAnalysis(
        energies=energies,
        decorrelate=decorrelate,
        mbar=estimate,
        bar=bar,
        bar_reason=bar_reason,
        ti=estimate_ti(energies, decorrelate),
        correlation=correlation,
        overlap=overlap,
        profile_kt=profile_kt,
        profile_error_kt=profile_error_kt,
        effective_samples=effective,
        forward=forward,
        backward=backward,
        mixing=convergence.mixing(energies),
        equilibration=convergence.equilibration(energies),
        blocks=block_error(energies, solved_kt),
        solved_kt=solved_kt,
    )


def integrate_leg(energies: Energies, *, decorrelate: Decorrelate = "auto") -> dict[str, Any]:
    """Integrate dH/dλ of a leg that has no energies in foreign states.

    Parameters
    ----------
    energies
        With dH/dλ, and no reduced potentials.
    decorrelate
        Which samples to use, as in :func:`.integration.estimate_ti`.

    Returns
    -------
    dict
        The figures of :meth:`LegAnalysis.as_dict` that there are; MBAR and BAR are absent, with the reason.

    Raises
    ------
    UnconvergedError
        For samples of one state only.
    """
    if len(energies.sampled) < 2:
        raise UnconvergedError("samples of one state only: no free energy difference")
    integral = estimate_ti(energies, decorrelate)
    absent = _absent("no energies in foreign states in the data")
    return {
        "mbar": absent,
        "bar": absent,
        "ti": integral.as_dict() if integral else _absent(why_no_integral(energies)),
        "temperature_k": energies.temperature_k,
        "decorrelate": decorrelate,
        "samples": list(energies.account.facts.get("samples", {}).values()),
        "states": [dict(state) for state in energies.states],
        "sampled_states": energies.sampled,
        "missing_windows": list(energies.missing),
    }


def _absent(reason: str) -> dict[str, Any]:
    return {**dict.fromkeys(("dg_kt", "dg_error_kt", "dg_kcal_per_mol", "dg_error_kcal_per_mol")), "reason": reason}


def _refuse_unbridged(energies: Energies, overlap: Floats, bridge_overlap: float) -> None:
    sampled = energies.sampled
    for place, (left, right) in enumerate(zip(sampled, sampled[1:], strict=False)):
        across = min(overlap[place, place + 1], overlap[place + 1, place])
        if right - left > 1 and across < bridge_overlap:
            raise UnconvergedError(
                f"{name_windows(energies.missing)} missing, and the overlap of {left} and {right} is {across:.3f}, "
                f"below {bridge_overlap:g}",
                what_to_do="Finish the missing windows; their neighbours do not overlap enough to do without them.",
            )


def _refuse_unreached(energies: Energies, effective: Mapping[int, float], correlation: Correlation) -> None:
    """Refuse an end state that too few samples reach: unlike a gap between neighbours, nothing else fixes it."""
    ends_of_leg = {0: correlation.uncorrelated[0], len(energies.states) - 1: correlation.uncorrelated[-1]}
    for end, neighbour in ends_of_leg.items():
        fewest = max(reweighting.MIN_EFFECTIVE, reweighting.MIN_SHARE * neighbour)
        if effective.get(end, fewest) < fewest:
            raise UnconvergedError(
                f"{name_windows(energies.missing)} missing, and only {effective[end]:.0f} effective samples reach the "
                f"end state {end}, fewer than {fewest:.0f}",
                what_to_do="Finish the missing windows; those that are there do not tell the end of the leg.",
            )


def name_windows(missing: Sequence[int]) -> str:
    """Name windows as the subject of a sentence.

    Parameters
    ----------
    missing
        Numbers of the windows, one or more.

    Returns
    -------
    str
        ``window 3 is`` or ``windows 3, 4 are``, to go on with what they are.
    """
    return f"window{'s' * (len(missing) > 1)} {', '.join(map(str, missing))} {'are' if len(missing) > 1 else 'is'}"


def _blocks(blocks: BlockError | None, kt: float) -> dict[str, Any] | None:
    if blocks is None:
        return None
    figures = asdict(blocks)
    return {"dg_error_kcal_per_mol": figures.pop("error_kt") * kt, **figures}


def _mixing(mixing: convergence.Mixing | None) -> dict[str, Any] | None:
    if mixing is None:
        return None
    return {**{key: _finite(value) for key, value in asdict(mixing).items()}, "round_trips": mixing.round_trips}


def _series(series: convergence.PartialEstimates, kt: float) -> Mapping[str, list[float | None]]:
    return {
        "fraction": series.fractions.tolist(),
        "dg_kcal_per_mol": [_finite(value * kt) for value in series.dg_kt],
        "dg_error_kcal_per_mol": [_finite(value * kt) for value in series.dg_error_kt],
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
