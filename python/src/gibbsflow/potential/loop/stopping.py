"""When the learning loop stops, and which criterion or budget stopped it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gibbsflow.config.potential_config import Convergence

CONVERGED = "converged"
GENERATIONS = "generations"
LABELS = "labels"
NOTHING_NEW = "nothing_new"
STOPS = (CONVERGED, GENERATIONS, LABELS, NOTHING_NEW)


FEWEST_MET = 3
"""Fewer labels of structures that MD met say nothing of all that it met."""
WORST_ATOM = 6.0
"""One atom's force may be off by so many times the wanted mean error: docs/methods/learning_loop.md."""


@dataclass(frozen=True)
class GenerationRecord:
    """What one generation came to.

    Attributes
    ----------
    generation
        From 0.
    labels
        Accepted labels of the training set.
    holdout_labels
        Accepted labels of the hold-out.
    labels_made
        Labels attempted so far, with the hold-out and those that failed: what the budget counts.
    failures
        Failed labels so far, by cause.
    energy_mae_mev_per_atom, force_mae_ev_per_angstrom, force_rmse_ev_per_angstrom, stress_mae_gpa
        Errors on the hold-out in the unit of the name; no stress where nothing is periodic.
    largest_grade
        Largest extrapolation grade on the hold-out.
    lower_grade, upper_grade
        Thresholds of this generation's potential.
    coefficients
        Size of the potential.
    md_steps, md_planned_steps
        Done, and planned, over all trajectories.
    md_stopped_by
        Trajectories by what ended them: ``steps``, ``grade``, ``unstable``.
    fraction_above
        Share of MD at or above the lower threshold; see :func:`share_above`.
    md_largest_grade
        Largest grade met in MD.
    md_largest_spread_ev_per_angstrom
        Largest force error that a committee expected in MD; None where the grade decided.
    candidates
        Frames that MD put up for a label.
    selected
        How many of them the next generation labels.
    validation
        Verdict of ``train validate``; empty where it was not asked.
    validation_reasons
        Why it is not PASS, the worst first.
    held
        Labels that an audit holds, by check; one may count in several.
    met_labels
        Structures of MD that this generation selected, where all of them have a label by now; else 0.
    met_force_mae_ev_per_angstrom
        Mean absolute force error of this generation's potential on the one of them for which it is largest; None
        where there are none.
    met_atom_error_ev_per_angstrom
        Length of the difference of forces on the one of their atoms for which it is largest; None likewise.
    """

    generation: int
    labels: int
    holdout_labels: int
    labels_made: int
    failures: dict[str, int]
    energy_mae_mev_per_atom: float
    force_mae_ev_per_angstrom: float
    force_rmse_ev_per_angstrom: float
    stress_mae_gpa: float | None
    largest_grade: float
    lower_grade: float
    upper_grade: float
    coefficients: int
    md_steps: int
    md_planned_steps: int
    md_stopped_by: dict[str, int]
    fraction_above: float
    md_largest_grade: float
    candidates: int
    selected: int = 0
    validation: str = ""
    validation_reasons: list[str] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)
    met_labels: int = 0
    met_force_mae_ev_per_angstrom: float | None = None
    met_atom_error_ev_per_angstrom: float | None = None
    md_largest_spread_ev_per_angstrom: float | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether to stop.

    Attributes
    ----------
    stopped_by
        One of :data:`STOPS`; empty to go on.
    reason
        The same in words, with the numbers.
    """

    stopped_by: str
    reason: str


def share_above(trajectories: Sequence[dict[str, Any]]) -> float:
    """Share of all planned looks at the grade at which it was, or may have been, at or above the lower threshold.

    What MD did not reach because it was stopped counts as above: a trajectory that is stopped at its tenth step tells
    nothing good of all that would have followed.

    Parameters
    ----------
    trajectories
        One a trajectory: ``looks``, ``fraction_above_lower`` and ``planned_looks``.

    Returns
    -------
    float
        From 0 to 1; 1 where nothing was planned.
    """
    planned = sum(t["planned_looks"] for t in trajectories)
    above = sum(t["fraction_above_lower"] * t["looks"] + t["planned_looks"] - t["looks"] for t in trajectories)
    return above / planned if planned else 1.0


def validated(record: GenerationRecord, limits: Convergence) -> bool:
    """Say whether a validation allows the loop to have converged.

    Parameters
    ----------
    record
        A generation.
    limits
        Section ``convergence``.

    Returns
    -------
    bool
        True also where none is asked for.
    """
    return limits.validation == "none" or record.validation in ("PASS", limits.validation)


def judge(history: Sequence[GenerationRecord], limits: Convergence) -> Verdict:
    """Decide after a generation: converged, out of budget, or on.

    Parameters
    ----------
    history
        All generations so far, the last one judged.
    limits
        Section ``convergence``.

    Returns
    -------
    Verdict
        With the numbers that it rests on.
    """
    last = history[-1]
    recent = range(max(len(history) - limits.generations, 0), len(history))
    vouching = [_vouching(history, k, limits) for k in recent]
    good = [
        history[k].force_mae_ev_per_angstrom <= limits.force_mae_ev_per_angstrom
        and (history[k].fraction_above <= limits.fraction_above or (limits.labels_may_vouch and witness is not None))
        and _stress_is_good(history[k], limits)
        for k, witness in zip(recent, vouching, strict=True)
    ]
    gated = limits.stress_mae_gpa is not None and last.stress_mae_gpa is not None
    stress = f"stress error {last.stress_mae_gpa:.3g} GPa (wanted {limits.stress_mae_gpa:g}), " if gated else ""
    state = (
        f"hold-out force error {last.force_mae_ev_per_angstrom:.4g} eV/Å "
        f"(wanted {limits.force_mae_ev_per_angstrom:g}), {stress}"
        f"{last.fraction_above:.1%} of MD above the threshold (wanted {limits.fraction_above:.1%})"
    )
    witness = vouching[-1]
    if witness is not None and last.fraction_above > limits.fraction_above:
        counts = (
            "does not count:" if limits.labels_may_vouch else "counts (convergence.labels_may_vouch: false), though"
        )
        state += (
            f", which {counts} forces of the {witness.met_labels} structures of MD that generation "
            f"{witness.generation} had labelled were off by {witness.met_force_mae_ev_per_angstrom:.3g} eV/Å at most, "
            f"on no atom by more than {witness.met_atom_error_ev_per_angstrom:.3g}"
        )
    told = _validation(last, limits)
    if len(recent) == limits.generations and all(good) and validated(last, limits):
        return Verdict(CONVERGED, f"{state}, all over {limits.generations} generations{told}")
    state += told
    if len(history) >= limits.max_generations:
        many = "one generation" if limits.max_generations == 1 else f"{limits.max_generations} generations"
        return Verdict(GENERATIONS, f"the budget of {many} is spent: {state}")
    if last.labels_made >= limits.max_labels:
        return Verdict(LABELS, f"the budget of {limits.max_labels} labels is spent: {state}")
    return Verdict("", state)


def _vouching(history: Sequence[GenerationRecord], k: int, limits: Convergence) -> GenerationRecord | None:
    """Find the generation whose labels show that MD of another above the threshold was right all the same.

    Its own; of the last, whose structures have no label yet, the one before, where MD met nothing newer since.
    """
    record = history[k]
    if set(record.md_stopped_by) != {"steps"}:
        return None
    witness = record
    if k == len(history) - 1 and k > 0 and _met_no_newer(record, history[k - 1]):
        witness = history[k - 1]
    mean, atom = witness.met_force_mae_ev_per_angstrom, witness.met_atom_error_ev_per_angstrom
    if witness.met_labels < FEWEST_MET or mean is None or atom is None:
        return None
    wanted = limits.force_mae_ev_per_angstrom
    return witness if mean <= wanted and atom <= WORST_ATOM * wanted else None


def _met_no_newer(record: GenerationRecord, before: GenerationRecord) -> bool:
    """Compare by what decided in MD: a committee's spread, or the grade; a spread and a grade have no order."""
    spread, other = record.md_largest_spread_ev_per_angstrom, before.md_largest_spread_ev_per_angstrom
    if spread is None and other is None:
        return record.md_largest_grade <= before.md_largest_grade
    return spread is not None and other is not None and spread <= other


def _validation(record: GenerationRecord, limits: Convergence) -> str:
    if limits.validation == "none":
        return ""
    if not record.validation:
        return f", not validated yet (wanted {limits.validation})"
    first = f": {record.validation_reasons[0]}" if record.validation_reasons else ""
    return f", validation {record.validation} (wanted {limits.validation}){first}"


def _stress_is_good(record: GenerationRecord, limits: Convergence) -> bool:
    """Whether the stress passes; where nothing is periodic, and without a limit, there is nothing to pass."""
    if limits.stress_mae_gpa is None or record.stress_mae_gpa is None:
        return True
    return record.stress_mae_gpa <= limits.stress_mae_gpa
