"""Handlers that change what is computed, and the one that comes back from there.

Such a run only makes a density to start from. What counts is the run at the reference settings after it; without one
that converges, the label is tagged and does not count.
"""

from __future__ import annotations

from gibbsflow.potential.label.recovery.corrections import Attempt, Correction, Handler
from gibbsflow.potential.label.recovery.scf_outcome import DIAGONALIZATION, ScfError

_WIDENINGS = (2.0, 5.0)
_GENTLE_BETA = 0.2
_LOST: frozenset[ScfError] = DIAGONALIZATION | {"UNCONVERGED", "CHARGE_WRONG"}


def _reference(attempt: Attempt) -> Correction | None:
    """Converged with changed physics: the reference settings again, from that density."""
    beta = min(attempt.scf.beta, _GENTLE_BETA)
    return attempt.change(
        f"the reference settings again {attempt.origin}",
        widening=1.0, fixed_moment_ub=None, beta=beta, steps=max(attempt.scf.steps, 120),
    )  # fmt: skip


def _wider_smearing(attempt: Attempt) -> Correction | None:
    """Occupations that jump from step to step: a wider smearing, for a density to start from."""
    widest = max(scf.widening for scf in (*attempt.earlier, attempt.scf))
    wider = next((factor for factor in _WIDENINGS if factor > widest), None)
    if wider is None:
        return None
    return attempt.change(
        f"smearing {wider:g} times as wide, from scratch (changes the physics)",
        widening=wider, beta=0.4, mode="plain", history=8, steps=80, from_density=False,
    )  # fmt: skip


def _held_moment(attempt: Attempt) -> Correction | None:
    """A moment that flips from step to step: held where it starts, for a density to start from."""
    return attempt.change(
        f"total moment held at {attempt.case.free_moment_ub:g} μB, from scratch (changes the physics)",
        fixed_moment_ub=attempt.case.free_moment_ub, widening=1.0,
        beta=0.2, mode="plain", history=8, steps=120, from_density=False,
    )  # fmt: skip


def _moment_is_free(attempt: Attempt) -> bool:
    return attempt.case.free_moment_ub is not None


PHYSICS_HANDLERS = (
    Handler("reference", frozenset({"CHANGED_PHYSICS"}), 4, _reference),
    Handler("wider_smearing", _LOST, len(_WIDENINGS), _wider_smearing),
    Handler("held_moment", _LOST, 1, _held_moment, _moment_is_free),
)
"""In the order in which they are asked, after all others."""
