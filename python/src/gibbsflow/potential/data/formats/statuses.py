"""Statuses of a structure in the database, and the one list of what may follow what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from gibbsflow.errors import StateError


class RowStatus(StrEnum):
    """Where a structure stands; the value is what the database holds."""

    PENDING = "pending"
    """Waits for its label."""
    CLAIMED = "claimed"
    """Somebody works on its label."""
    LABELLED = "labelled"
    """Has an accepted label."""
    FAILED = "failed"
    """Has none, and a cause."""
    HELD = "held"
    """Set aside: by selection, may be wanted later; or a label that an audit speaks against, which does not count."""
    SCREENED = "screened"
    """Left out by a surrogate before its label, as it was: no candidate again, but a label made by hand counts."""
    REJECTED = "rejected"
    """Never to be labelled: broken, or equal to another."""


TRANSITIONS: Mapping[RowStatus, frozenset[RowStatus]] = {
    RowStatus.PENDING: frozenset({RowStatus.CLAIMED, RowStatus.HELD, RowStatus.SCREENED, RowStatus.REJECTED}),
    RowStatus.CLAIMED: frozenset({RowStatus.LABELLED, RowStatus.FAILED, RowStatus.PENDING}),
    RowStatus.LABELLED: frozenset({RowStatus.FAILED, RowStatus.HELD}),
    RowStatus.FAILED: frozenset({RowStatus.PENDING, RowStatus.REJECTED, RowStatus.LABELLED}),
    RowStatus.HELD: frozenset({RowStatus.PENDING, RowStatus.REJECTED, RowStatus.LABELLED}),
    RowStatus.SCREENED: frozenset({RowStatus.PENDING}),
    RowStatus.REJECTED: frozenset(),
}
"""From each status, those that may follow; `rejected` is final. A label that was computed fails, and counts again, by a
threshold or an audit alone."""


def check_transition(name: str, old: RowStatus, new: RowStatus) -> None:
    """Refuse a transition that is not in the list.

    Parameters
    ----------
    name
        `gibbsflow_id` of the structure, for the message.
    old, new
        Status that it has, and the one that it should get.

    Raises
    ------
    StateError
        Naming the structure and what would be allowed.
    """
    if new not in TRANSITIONS[old]:
        allowed = ", ".join(sorted(TRANSITIONS[old])) or "nothing: it is final"
        raise StateError(f"{name}: {old} cannot become {new} (allowed: {allowed})")


def event(status: RowStatus, why: str) -> dict[str, str]:
    """Make an entry of a structure's history, of now.

    Parameters
    ----------
    status
        That it gets.
    why
        In words.

    Returns
    -------
    dict
        ``time`` (UTC), ``status``, ``why``.
    """
    return {"time": datetime.now(UTC).isoformat(timespec="seconds"), "status": str(status), "why": why}
