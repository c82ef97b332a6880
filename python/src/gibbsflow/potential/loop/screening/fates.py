"""What a surrogate has saved: structures of each generation that were offered, left out, labelled, and failed."""

from __future__ import annotations

from typing import Any

from gibbsflow.potential.loop.state import LoopCheckpoint

FATES = ("screened", "relaxed", "unknown")


def fates_by_generation(point: LoopCheckpoint) -> list[dict[str, Any]]:
    """Count what became of the structures of each generation.

    Parameters
    ----------
    point
        Of a loop.

    Returns
    -------
    list of dict
        ``generation, surrogate, offered, screened, relaxed, unknown`` (let through, since the model failed), ``labels``
        (made, with the hold-out, at which no surrogate looks), ``failed`` and ``labelled`` of them; the last three None
        where they are not made yet. Empty where no surrogate was asked.
    """
    if not point.screenings:
        return []
    numbers = range(max([len(point.history), *(entry["generation"] + 1 for entry in point.screenings)]))
    return [{"generation": number, **_screened(point, number), **_labelled(point, number)} for number in numbers]


def _screened(point: LoopCheckpoint, number: int) -> dict[str, Any]:
    """Of all looks at a generation: with other limits there may be several."""
    own = [entry for entry in point.screenings if entry["generation"] == number]
    sums = {fate: sum(entry[fate] for entry in own) for fate in FATES}
    names = list(dict.fromkeys(entry["surrogate"] for entry in own))
    return {"surrogate": ", ".join(names), "offered": own[0]["offered"] if own else 0, **sums}


def _labelled(point: LoopCheckpoint, number: int) -> dict[str, int | None]:
    if number >= len(point.history):
        return {"labels": None, "failed": None, "labelled": None}
    made, failed = 0, 0
    for record in point.history[max(number - 1, 0) : number]:
        made, failed = record.labels_made, sum(record.failures.values())
    now = point.history[number]
    labels, lost = now.labels_made - made, sum(now.failures.values()) - failed
    return {"labels": labels, "failed": lost, "labelled": labels - lost}
