"""Doubts that every result of a campaign will have by its settings alone, however long it samples."""

from __future__ import annotations

from gibbsflow.binding.analyse.verdict import Thresholds
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.modes import MODES
from gibbsflow.errors import Problem


def expected_doubts(settings: BindingConfig) -> list[Problem]:
    """Foresee what makes all results of a campaign WARN.

    Parameters
    ----------
    settings
        All of it.

    Returns
    -------
    list of Problem
        With what would be right; empty where nothing is foreseen. One replicate, which is a doubt for itself, is what
        a trial has, and is not named.
    """
    wanted, given = Thresholds().replicates_without_exchange, settings.run.replicates
    if not MODES[settings.run.mode].free_energies or settings.fe.sampler == "exchange" or not 1 < given < wanted:
        return []
    what = f"{given} of windows that do not exchange: every result will be WARN, as slow motion in all goes unseen"
    return [Problem("settings", what, f"{wanted}, or sampler exchange where the engine has it", field="replicates")]
