"""What a round of sampling has come to, in one line for who watches a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def progress(told: Mapping[str, Any]) -> str:
    """Say where the rounds stand, what is sampled longer, and why that.

    Parameters
    ----------
    told
        What :func:`~gibbsflow.binding.analyse.enough.rounds.judge_round` says of the last round.

    Returns
    -------
    str
        With the number of the round, its error, the target, and either the legs that are extended or why none is.
    """
    last = told["rounds"][-1]
    error = f"{last['dg_error_kcal_per_mol']:.3g} kcal/mol, {told['target_error_kcal_per_mol']:g} asked for"
    text = f"round {last['round']}: {last['dg_kcal_per_mol']:.2f} kcal/mol, error {error}"
    if not told["next_window_ps"]:
        return f"{text}; stopped by {told['stopped_by']}: {told['stopped_because']}"
    asked = [
        f"{leg} from {last['window_ps'][leg]:g} to {window_ps:g} ps a window (its error is "
        f"{last['error_of_leg_kcal_per_mol'][leg]:.3g})"
        for leg, window_ps in told["next_window_ps"].items()
    ]
    return f"{text}; sampled longer: {', '.join(asked)}"
