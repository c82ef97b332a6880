"""A snapshot as lines of text, and the words of its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gibbsflow.errors import one_line
from gibbsflow.workflow.progress import duration
from gibbsflow.workflow.state.status import left_text
from gibbsflow.workflow.watch.snapshot import ItemRow, Snapshot


def _number(value: float | None, text: str) -> str:
    return "" if value is None else text.format(value)


COLUMNS: Mapping[str, Callable[[ItemRow], str]] = {
    "item": lambda one: one_line(one.name, 60),
    "state": lambda one: one.state,
    "phase": lambda one: one_line(one.phase, 30),
    "parts": lambda one: parts_text(one.parts),
    "ns": lambda one: (
        f"{'≈' if one.under_way_ns else ''}{one.done_ns + one.under_way_ns:.4g}/{one.total_ns:.4g}"
        if one.total_ns
        else ""
    ),
    "ns/day": lambda one: _number(one.ns_per_day, "{:.4g}"),
    "segments/h": lambda one: _number(one.segments_per_h, "{:.4g}"),
    "left": lambda one: left_text(one.left_s, at_most=one.left_at_most),
    "CPU h": lambda one: f"{one.cpu_h:.3g}" if one.cpu_h else "",
    "GPU h": lambda one: f"{one.gpu_h:.3g}" if one.gpu_h else "",
    "ΔG kcal/mol": lambda one: free_energy(one.dg_kcal_per_mol, one.dg_error_kcal_per_mol),
    "verdict": lambda one: one_line(one.verdict, 20),
    "overlap": lambda one: _number(one.overlap, "{:.3f}"),
    "cause": lambda one: one_line(one.cause, 160),
}
"""How each column of a table of items is written, by its head."""


def parts_text(parts: Mapping[str, int]) -> str:
    """Count windows, equilibrations and phases by status.

    Parameters
    ----------
    parts
        Counts.

    Returns
    -------
    str
        Such as ``3 running, 12 finished``.
    """
    return ", ".join(f"{count} {status}" for status, count in sorted(parts.items()) if count)


def part_text(row: Mapping[str, Any]) -> str:
    """Say how far a window, a trajectory, an equilibration or a fit is, how fast, how long still and what it took.

    Parameters
    ----------
    row
        Fields of :class:`gibbsflow.workflow.state.status.StatusRow`.

    Returns
    -------
    str
        Such as ``500/1000 steps and ≈ 0.004 ns, 12 ns/day, 2.0 min left, 0.033 h``, or of a fit ``3.0 min of
        15.0 min, ...``.
    """
    done = f"{row['steps_done']}/{row['steps']} steps"
    if row["under_way_ns"]:
        done += f" and ≈ {row['under_way_ns']:.3g} ns"
    if row["spent_s"]:
        done = duration(row["spent_s"]) + (f" of {duration(row['budget_s'])}" if row["budget_s"] else "")
    left = left_text(row["left_s"], at_most=row["left_at_most"])
    told = [_number(row["ns_per_day"] or None, "{:.4g} ns/day"), left and f"{left} left"]
    told.append(f"{row['engine_s'] / 3600:.3g} h" if row["engine_s"] else "")
    return ", ".join([done, *filter(None, told)])


def free_energy(dg_kcal_per_mol: float | None, error_kcal_per_mol: float | None) -> str:
    """Write a free energy.

    Parameters
    ----------
    dg_kcal_per_mol, error_kcal_per_mol
        The free energy and its error, kcal/mol.

    Returns
    -------
    str
        Such as ``-6.43 ± 0.12``; empty without one.
    """
    if dg_kcal_per_mol is None:
        return ""
    return f"{dg_kcal_per_mol:.2f}" + _number(error_kcal_per_mol, " ± {:.2f}")


def summary_lines(found: Snapshot) -> list[str]:
    """Say in a few lines how a campaign stands.

    Parameters
    ----------
    found
        The campaign.

    Returns
    -------
    list of str
        Its name and holder, phases, counts, speed, time left and costs; of a learning loop its generations.
    """
    holder = f"held by {found.held_by}" if found.held_by else "held by nobody that this host knows of"
    lines = [f"{one_line(found.campaign)} ({found.mode or 'one calculation'}), {found.at}, {holder}"]
    if found.phases:
        lines.append(
            "  ".join(f"{one.name} {_phase(one.finished, one.states, len(found.items))}" for one in found.phases)
        )
    counts = ", ".join(f"{count} {state}" for state, count in found.counts.items())
    lines.append(f"items: {counts or 'none'}; parts: {parts_text(found.parts) or 'none'}")
    costs = [f"engines {found.engine_h:.3g} h", _number(found.cpu_h, "CPU {:.3g} h")]
    costs += [f"GPU {found.gpu_h:.3g} h"] if found.gpu_h else []
    speed = f"{found.ns_per_day:.4g} ns/day" if found.ns_per_day else ""
    bound = "at most " if found.left_at_most else ""
    left = "" if found.left_s is None else f"{bound}{duration(found.left_s)} left of what is under way"
    lines.append("; ".join(filter(None, [speed, left, *costs])))
    if (loop := found.learning) is not None:
        labels = ", ".join(f"{count} {state}" for state, count in loop.labels.items())
        rate = _number(loop.labels_per_h, ", {:.4g} an hour")
        generation = "none begun" if loop.generation is None else str(loop.generation)
        to_do = "" if loop.labels_to_do is None else f", {loop.labels_to_do} to do in this generation"
        to_do += "" if loop.labels_left_s is None else f" ({duration(loop.labels_left_s)} left)"
        following = f"; next {loop.phase}" if loop.phase else ""
        lines.append(f"generation {generation}{following}; labels: {labels}{rate}{to_do}")
        lines += [one_line(text, 300) for text in (loop.stopped_by, loop.reason) if text]
        lines += [f"label failed: {text}" for text in loop.failed_labels]
    return lines


def _phase(finished: int, states: Mapping[str, int], items: int) -> str:
    at = ", ".join(f"{count} {state}" for state, count in states.items() if state != "waiting")
    return f"{finished}/{items}" + (f" ({at})" if at else "")


def plain_table(found: Snapshot) -> str:
    """Lay a campaign out for a terminal or a file.

    Parameters
    ----------
    found
        The campaign.

    Returns
    -------
    str
        Its summary, a line an item, and what is odd; columns in which nothing stands are left out.
    """
    cells = {head: [write(one) for one in found.items] for head, write in COLUMNS.items()}
    kept = {head: column for head, column in cells.items() if head in ("item", "state") or any(column)}
    widths = [max(len(head), *(len(cell) for cell in column), 0) for head, column in kept.items()]
    lines = [list(kept), *(list(row) for row in zip(*kept.values(), strict=True))]
    table = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines]
    odd = [f"note: {text}" for text in found.remarks]
    labelled = found.learning is not None and any(found.learning.labels.values())
    none = "no fit or MD has begun" if labelled else "nothing has been run here"
    return "\n".join([*summary_lines(found), "", *(table if found.items else [none]), *odd])
