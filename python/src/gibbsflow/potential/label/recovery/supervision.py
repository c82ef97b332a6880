"""Which handler answers to a failed run, how often, and the trail of what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from gibbsflow.potential.label.recovery.corrections import Attempt, Case, Handler
from gibbsflow.potential.label.recovery.physics_handlers import PHYSICS_HANDLERS
from gibbsflow.potential.label.recovery.resource_handlers import RESOURCE_HANDLERS
from gibbsflow.potential.label.recovery.scf_handlers import MIXING, SCF_HANDLERS
from gibbsflow.potential.label.recovery.scf_outcome import Outcome
from gibbsflow.potential.label.recovery.scf_settings import ScfSettings

HANDLERS = (*RESOURCE_HANDLERS, *SCF_HANDLERS, *PHYSICS_HANDLERS)
"""In the order in which they are asked; those that change the physics come last."""
_MIXING = {handler.name for handler in MIXING} - {"more_steps"}

End = Literal["", "NO_CORRECTION", "EXHAUSTED", "LIMIT"]
"""Why nothing more was tried: no handler knows the error, all that know it are at their end, or the label's limit."""


class Recovery:
    """Corrections of one label.

    Parameters
    ----------
    case
        The label.
    most
        Corrections at most, of all handlers together.
    handlers
        Who is asked, in this order.

    Attributes
    ----------
    audit
        One entry a correction, in order: ``run`` (the one that failed), ``error``, ``message``, ``handler``,
        ``action``, ``changes`` (value before and after, by setting), ``kept``, ``changes_physics``, ``count`` (of this
        handler).
    corrections
        The actions alone.
    end
        Why nothing more was tried.
    """

    def __init__(self, case: Case, most: int, handlers: Sequence[Handler] = HANDLERS) -> None:
        self.case, self.most, self.handlers = case, most, handlers
        self.audit: list[dict[str, Any]] = []
        self.end: End = ""
        self._counts: Counter[str] = Counter()
        self._earlier: list[ScfSettings] = []

    @property
    def corrections(self) -> list[str]:
        """List the actions.

        Returns
        -------
        list of str
            In words, in their order.
        """
        return [entry["action"] for entry in self.audit]

    @property
    def mended_mixing(self) -> bool:
        """Say whether another mixing was what mended the label, so that it may serve others like it.

        Returns
        -------
        bool
            False also where the physics was changed on the way.
        """
        mixing = any(entry["handler"] in _MIXING for entry in self.audit)
        return mixing and not any(entry["changes_physics"] for entry in self.audit)

    def next(self, scf: ScfSettings, outcome: Outcome) -> ScfSettings | None:
        """Choose the settings of the next run after one that failed.

        Parameters
        ----------
        scf
            Settings of the run that failed.
        outcome
            What came of it.

        Returns
        -------
        ScfSettings or None
            None where nothing more is tried; `end` says why.
        """
        self._earlier.append(scf)
        attempt = Attempt(scf, outcome, self.case, tuple(self._earlier))
        known = [handler for handler in self.handlers if handler.check(attempt)]
        if not known:
            self.end = "NO_CORRECTION"
            return None
        if len(self.audit) >= self.most:
            self.end = "LIMIT"
            return None
        for handler in known:
            if self._counts[handler.name] >= handler.most or (correction := handler.correct(attempt)) is None:
                continue
            self._counts[handler.name] += 1
            self.audit.append(
                {
                    "run": len(self._earlier),
                    "error": outcome.error,
                    "message": outcome.message,
                    "handler": handler.name,
                    "action": correction.action,
                    "changes": scf.changes_to(correction.scf),
                    "kept": correction.kept,
                    "changes_physics": correction.scf.changes_physics,
                    "count": self._counts[handler.name],
                }
            )
            return correction.scf
        self.end = "EXHAUSTED"
        return None
