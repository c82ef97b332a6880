"""Rounds of sampling: what the next one asks for, or why there is none.

A record says what it would be if it were the last: one that asks for a further round says that this was not finished,
and stands as it is where the extension fails, with the number of its own round.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from gibbsflow.binding.alchemy.sampling_plan import Sampling, sampling
from gibbsflow.binding.analyse.enough.allocation import SampledLeg, allocate
from gibbsflow.binding.analyse.enough.progress import progress
from gibbsflow.binding.facts import LegFacts, SettingsFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Analysis, Md
from gibbsflow.errors import InputError, Problem, StateError, shown
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.result import read_results

StoppedBy = Literal["target", "budget", "no progress", "rounds", "failure"]
KEY = "sampling"
"""Of a record, where an error is to be reached."""
MOST_ROUNDS = 5
"""Extensions of a transformation; subworkflows/transformations has as many."""
GROWTH = 3.0
"""Most that a window grows in one round: what it needs was foreseen from what it has had, which may be little."""
MARGIN = 0.95
"""Of the target, what a round aims at: half of the rounds that aimed at the target itself would miss it."""
PROGRESS = 0.95
"""A round that leaves more than this of the smallest error before it has made no progress; two of them end it."""
DEFAULT_MOST = 10.0
"""Times ``window_ps``, where ``max_window_ps`` is not given."""


def longest_ps(settings: Analysis, window_ps: float) -> float:
    """Give the most that a window may be sampled.

    Parameters
    ----------
    settings
        With ``max_window_ps``.
    window_ps
        What each has in the first place, ps.

    Returns
    -------
    float
        In ps.
    """
    return settings.max_window_ps or DEFAULT_MOST * window_ps


def sampled_legs(record: Mapping[str, Any], results: Sequence[Mapping[str, Any]], first_ps: float) -> list[SampledLeg]:
    """Say what each leg has had and contributes to the error of a record.

    Parameters
    ----------
    record
        With a free energy; the error of each leg counts, which comes about as that of the result does, and their sum
        is scaled to ``dg_error_kcal_per_mol``, but for what no sampling lessens.
    results
        Contents of ``result.json`` of all runs that the record rests on.
    first_ps
        Length of windows whose run does not say it, ps.

    Returns
    -------
    list of SampledLeg
        In the record's order; the cost is the engine's seconds as the runs without extensions measured them, or the
        number of windows where some run has not measured any.
    """
    runs = {leg: [one for one in results if one.get("leg") == leg] for leg in record["leg_summary"]}
    measured = all(one.get("timings", {}).get("engine_s_per_ns", 0) > 0 for found in runs.values() for one in found)
    raw = {leg: float(summary["dg_error_kcal_per_mol"] or 0.0) for leg, summary in record["leg_summary"].items()}
    total = math.hypot(*raw.values())
    by_sampling = math.sqrt(max(0.0, record["dg_error_kcal_per_mol"] ** 2 - fixed_error_kcal_per_mol(record) ** 2))
    scale = by_sampling / total if total else 0.0
    found = []
    for leg, error in raw.items():
        windows = sum(one.get("windows", 1) for one in runs[leg]) or 1
        cost = float(windows)
        if measured and runs[leg]:  # seconds for a picosecond of one window, times windows
            cost *= fmean(one["timings"]["engine_s_per_ns"] / 1000 for one in runs[leg])
        window_ps = min((float(one.get("ps_per_window", first_ps)) for one in runs[leg]), default=first_ps)
        found.append(SampledLeg(leg, window_ps, scale * error, cost))
    return found


def fixed_error_kcal_per_mol(record: Mapping[str, Any]) -> float:
    """Give the part of a record's error that sampling does not lessen.

    Parameters
    ----------
    record
        Its corrections for the size of boxes have errors of their own.

    Returns
    -------
    float
        Standard error, kcal/mol.
    """
    return math.hypot(*(leg["dg_error_kcal_per_mol"] for leg in record.get("finite_size", {}).values()))


def judge_round(
    record: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    settings: Analysis,
    plan: Sampling,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Say whether a transformation was sampled enough, and what is sampled longer.

    Parameters
    ----------
    record
        Of this round, with a free energy.
    results
        Contents of ``result.json`` of all runs that it rests on.
    settings
        With a target.
    plan
        Of the legs, without extensions.
    before
        What this said of the round before; None in the first.

    Returns
    -------
    dict
        Part ``sampling`` of the record: the settings, ``rounds``, ``stopped_by``, ``stopped_because`` and
        ``next_window_ps``, the length of the windows of each leg that is to be extended, empty where none is, and
        ``progress``, all of it in one line.
    """
    target = settings.target_error_kcal_per_mol
    if target is None:
        raise ValueError("there is no target")
    first_ps = (plan.samples - plan.discarded) * plan.sample_ps
    most_ps = longest_ps(settings, first_ps)
    legs, error = sampled_legs(record, results, first_ps), record["dg_error_kcal_per_mol"]
    rounds = [*(before["rounds"] if before else []), _row(record, results, legs)]
    rounds[-1]["round"] = len(rounds) - 1
    asked_before = before["next_window_ps"] if before else {}
    short = [leg for leg in legs if asked_before.get(leg.name, 0.0) > leg.window_ps + 1e-6]
    fixed = fixed_error_kcal_per_mol(record)
    asked: dict[str, float] = {}
    by: StoppedBy
    if error <= target:
        by, why = "target", f"the error is {error:.3g} kcal/mol, within the {target:g} asked for"
    elif short:
        texts = [f"{leg.name} has {leg.window_ps:g} of {asked_before[leg.name]:g} ps" for leg in short]
        by, why = "failure", f"an extension failed ({', '.join(texts)}); what there was before counts for it"
    elif fixed >= target * MARGIN:
        by = "no progress"
        why = f"{fixed:.3g} kcal/mol of the error are of the finite-size correction, which no sampling lessens"
    elif not (asked := _longer(legs, math.sqrt((target * MARGIN) ** 2 - fixed**2), plan, first_ps, most_ps)):
        has_ps = max((leg.window_ps for leg in legs if leg.error_kcal_per_mol > 0), default=first_ps)
        why = f"every window that counts has {has_ps:g} of {most_ps:g} ps, with no room for a segment more, and the "
        by, why = "budget", why + f"error is {error:.3g} kcal/mol"
    elif _stuck([one["dg_error_kcal_per_mol"] for one in rounds]):
        by, why = "no progress", f"two rounds have not lowered the error, which is {error:.3g} kcal/mol"
    elif len(rounds) > MOST_ROUNDS:
        by, why = "rounds", f"{MOST_ROUNDS} extensions have been made, and the error is {error:.3g} kcal/mol"
    else:
        texts = [f"{leg} to {window_ps:g} ps" for leg, window_ps in asked.items()]
        why = f"the extension that was asked for ({', '.join(texts)}) has not finished: this is round {len(rounds) - 1}"
        return _told(target, most_ps, rounds, "failure", why, asked)
    return _told(target, most_ps, rounds, by, why, {})


def judge_system(
    system: SimSystem,
    record: Mapping[str, Any],
    runs: Sequence[Path],
    settings: Analysis,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Say the same of a transformation as it lies in its folders.

    Parameters
    ----------
    system
        What `fe prepare` left.
    record
        Content of its ``record.json``, or the part of it that :func:`judge_round` reads.
    runs
        Folders of `fe run` and `fe extend` that the record rests on.
    settings
        With a target.
    before
        What was said of the round before; None in the first.

    Returns
    -------
    dict
        As :func:`judge_round`.

    Raises
    ------
    InputError
        Without a target, for a record of another transformation, without a free energy, or without errors of legs, and
        for results of runs that hold no amounts of sampling.
    """
    if settings.target_error_kcal_per_mol is None:
        raise InputError(Problem("analysis", "missing", "an error to be reached", field="target_error_kcal_per_mol"))
    refuse_other(system, record)
    if (dg := record.get("dg_kcal_per_mol")) is None:
        raise InputError(Problem(f"record of {system.name}", "has no free energy", "the record of one that has"))
    if not isinstance(dg, int | float):
        what, right = f"{shown(dg)} is no free energy", "kcal/mol"
        raise InputError(Problem(f"record of {system.name}", what, right, field="dg_kcal_per_mol"))
    legs = record.get("leg_summary")
    of_legs = list(legs.values()) if isinstance(legs, dict) else []
    sizes = record.get("finite_size", {})
    of_sizes = list(sizes.values()) if isinstance(sizes, dict) else [None]
    known = all(isinstance(one, dict) and _is_amount(one.get("dg_error_kcal_per_mol")) for one in of_legs + of_sizes)
    if not of_legs or not known or not _is_amount(record.get("dg_error_kcal_per_mol")):
        what = "does not say what each leg contributes to its error"
        right = "what `analysis transformation` of this version writes, of a transformation with legs"
        raise InputError(Problem(f"record of {system.name}", what, right, field="leg_summary"))
    simulated = system.find(SettingsFacts)
    plan = sampling(simulated.md if simulated else Md(), system.facts(LegFacts).fe)
    results = read_results(runs)
    if problems := [
        Problem(str(path), f"{result[key]!r:.80} is no amount of sampling", right, field=key)
        for path, result in results.items()
        for key, (holds, right) in _RESULT_HOLDS.items()
        if key in result and not holds(result[key])
    ]:
        raise InputError(problems)
    return judge_round(record, list(results.values()), settings, plan, before)


def read_record(path: Path) -> dict[str, Any]:
    """Read a record that is to say what was sampled.

    Parameters
    ----------
    path
        The ``record.json``.

    Returns
    -------
    dict
        Its content.

    Raises
    ------
    StateError
        Where it is no record of a transformation.
    """
    record = read_json(path)
    if not isinstance(record, dict) or not isinstance(record.get("transformation"), str):
        raise StateError(f"{path}: damaged, not as `analysis transformation` writes it (no transformation)")
    return record


def refuse_other(system: SimSystem, record: Mapping[str, Any]) -> None:
    """Refuse the record of another transformation, or one that does not say what its rounds of sampling were.

    Parameters
    ----------
    system
        Of the transformation.
    record
        Content of ``record.json``, or a part of it that does not say what it is of.

    Raises
    ------
    InputError
        Naming both, or what the record should hold.
    """
    if (name := record.get("transformation", system.name)) != system.name:
        raise InputError(Problem(f"record of {name}", "another transformation", f"the record of {system.name}"))
    told = record.get(KEY, {"rounds": [], "next_window_ps": {}})
    rounds, asked = (told.get("rounds"), told.get("next_window_ps")) if isinstance(told, dict) else (None, None)
    rows = isinstance(rounds, list) and all(isinstance(one, dict) for one in rounds)
    amounts = [one.get("dg_error_kcal_per_mol") for one in rounds or ()] if rows else [None]
    if not all(map(_is_amount, [*amounts, *(asked.values() if isinstance(asked, dict) else [None])])):
        right = "rounds with their errors, and next_window_ps, as `analysis transformation` writes them"
        raise InputError(Problem(f"record of {name}", "does not say what its rounds were", right, field=KEY))


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0


def _is_rate(value: object) -> bool:
    return isinstance(value, dict) and _is_amount(value.get("engine_s_per_ns", 0))


_RESULT_HOLDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "windows": (lambda value: type(value) is int and value >= 0, "a whole number, 0 or more"),
    "ps_per_window": (lambda value: _is_amount(value) and value != 0, "ps of a window, above 0"),
    "sampled_ns": (_is_amount, "ns of all windows, 0 or more"),
    "timings": (_is_rate, "seconds by name, engine_s_per_ns 0 or more"),
}
"""What of a run's result is read here, and what to call it."""


def _told(
    target: float, most_ps: float, rounds: list[dict[str, Any]], by: StoppedBy, why: str, asked: Mapping[str, float]
) -> dict[str, Any]:
    told = {
        "target_error_kcal_per_mol": target,
        "max_window_ps": most_ps,
        "rounds": rounds,
        "stopped_by": by,
        "stopped_because": why,
        "next_window_ps": dict(asked),
    }
    return told | {"progress": progress(told)}


def _row(record: Mapping[str, Any], results: Sequence[Mapping[str, Any]], legs: Sequence[SampledLeg]) -> dict[str, Any]:
    return {
        "dg_kcal_per_mol": record["dg_kcal_per_mol"],
        "dg_error_kcal_per_mol": record["dg_error_kcal_per_mol"],
        "window_ps": {leg.name: leg.window_ps for leg in legs},
        "error_of_leg_kcal_per_mol": {leg.name: leg.error_kcal_per_mol for leg in legs},
        "sampled_ns": round(sum(one.get("sampled_ns", 0.0) for one in results), 6),
    }


def _longer(
    legs: Sequence[SampledLeg], error_kcal_per_mol: float, plan: Sampling, first_ps: float, most_ps: float
) -> dict[str, float]:
    """The legs that grow, by whole segments: towards what the error asks for, as far as one round goes.

    One that needs more than a round is no reason to sample the others longer than the error asks of them.
    """
    segment_ps = plan.samples_per_segment * plan.sample_ps
    last_ps = first_ps + math.floor((most_ps - first_ps) / segment_ps + 1e-9) * segment_ps
    wanted, found = allocate(legs, error_kcal_per_mol, dict.fromkeys([leg.name for leg in legs], last_ps)), {}
    for leg in legs:
        wanted_ps = min(wanted[leg.name], GROWTH * leg.window_ps)
        whole = first_ps + math.ceil((wanted_ps - first_ps) / segment_ps - 1e-6) * segment_ps
        if min(whole, last_ps) > leg.window_ps + 1e-6:
            found[leg.name] = round(min(whole, last_ps), 6)
    return found


def _stuck(errors: Sequence[float]) -> bool:
    """Whether each of the last two rounds has left the error about where the best before it was."""
    return len(errors) > 2 and all(errors[k] > PROGRESS * min(errors[:k]) for k in (len(errors) - 2, len(errors) - 1))
