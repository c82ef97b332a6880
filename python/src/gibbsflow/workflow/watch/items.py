"""One row for each ligand, edge or generation, from what its calculations and its results tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gibbsflow.errors import GibbsflowError
from gibbsflow.workflow.credentials import masked
from gibbsflow.workflow.hours.engine_hours import Hours, whose
from gibbsflow.workflow.state.killed import Killed
from gibbsflow.workflow.state.status import StatusRow
from gibbsflow.workflow.watch.results import ItemResults, read_record
from gibbsflow.workflow.watch.snapshot import STATES, ItemRow, PhaseRow
from gibbsflow.workflow.watch.state_rows import HomeRows, all_rows

SAMPLING = "fe"
EQUILIBRATION = "equil"


@dataclass(frozen=True)
class ItemPlace:
    """Which item a state folder belongs to.

    Attributes
    ----------
    system
        Its receptor; empty where there is none.
    name
        Its name.
    part
        What of the item it is: a phase, or a leg.
    """

    system: str
    name: str
    part: str


def item_place(parts: Sequence[str], *, of_campaign: bool) -> ItemPlace:
    """Tell an item by the path of a state folder.

    Parameters
    ----------
    parts
        The path below the folder that is watched.
    of_campaign
        Whether that is a campaign's; else it is the state folder of one calculation.

    Returns
    -------
    ItemPlace
        Of receptor, item and part; of a generation of a learning loop and its part.
    """
    return ItemPlace(*whose(tuple(parts), of_campaign=of_campaign))


def item_row(
    place: ItemPlace,
    homes: Mapping[str, HomeRows],
    results: ItemResults,
    phases: Sequence[str],
    hours: Hours | None = None,
    *,
    pruned: bool,
    now_s: float,
) -> ItemRow:
    """Put together what is known of an item.

    Parameters
    ----------
    place
        The item.
    homes
        Its state folders.
    results
        Its results.
    phases
        Phases of the mode in their order; empty where it has none.
    hours
        What it took; None where nothing was timed.
    pruned
        Whether the campaign goes on, or has ended, without what has failed.
    now_s
        Time now, s since 1970.

    Returns
    -------
    ItemRow
        The item.
    """
    rows = all_rows(homes, now_s)
    counts = Counter(row.status for row in rows.values())
    phase, through = _phase(homes, rows, results, phases)
    bad = {key: text for key, text in results.phases.items() if text in ("failed", "unbound", "unconverged")}
    state = next((one for one in STATES if counts[one]), "waiting")
    if through and not counts["running"]:
        state = "finished"
    elif state == "failed" or (bad and state in ("waiting", "finished")):
        state = "pruned" if pruned else "failed"
    elif state == "finished" and not through:
        state = "waiting"
    running = [home.rows for home in homes.values() if home.rows and home.rows[0].status == "running"]
    speeds = [rows[0].ns_per_day for rows in running if rows[0].ns_per_day]
    segments = [rows[0].segments_per_h for rows in running if rows[0].segments_per_h]
    left = [
        (row.left_s, row.left_at_most)
        for row in rows.values()
        if row.left_s is not None and row.status not in ("failed", "finished")
    ]
    left_s, left_at_most = max(left, default=(None, False))
    told = [
        row for row in rows.values() if row.cause and row.status in ("failed", "unreadable", "lost", "stopped", "stale")
    ]
    told.sort(key=lambda row: STATES.index(row.status))
    values = _analysis(results)
    return ItemRow(
        place.name,
        place.system,
        state,
        phase,
        dict(counts),
        round(sum(row.done_ns for row in rows.values()), 6),
        round(sum(row.total_ns for row in rows.values()), 6),
        round(sum(speeds), 1) if speeds else None,
        round(sum(segments), 1) if segments else None,
        left_s,
        left_at_most,
        hours.engine_h if hours is not None else 0.0,
        hours.cpu_h if hours is not None else None,
        hours.gpu_h if hours is not None else None,
        values.get("dg_kcal_per_mol"),
        values.get("dg_error_kcal_per_mol"),
        str(values.get("verdict") or ""),
        values.get("overlap"),
        round(sum(row.under_way_ns for row in rows.values()), 6),
        f"{told[0].item}: {masked(told[0].cause)}"
        if told
        else "; ".join([*(f"{k}: {v}" for k, v in bad.items()), *results.damaged]),
    )


def lost_before_state(item: ItemRow, killed: Sequence[Killed]) -> ItemRow:
    """Tell of an item that waits since its task was killed before it had a state folder, or has none.

    Parameters
    ----------
    item
        The item.
    killed
        What is noted of killed tasks, oldest first.

    Returns
    -------
    ItemRow
        The item, lost where the phase that it waits for was killed.
    """
    mine = [one for one in killed if item.state == "waiting" and one.is_of(("", item.name, item.phase))]
    return replace(item, state="lost", cause=masked(f"{mine[-1].cause}: {mine[-1].text}")) if mine else item


def _phase(
    homes: Mapping[str, HomeRows], rows: Mapping[str, StatusRow], results: ItemResults, phases: Sequence[str]
) -> tuple[str, bool]:
    """The phase that an item has come to, and whether it is through with the last one."""
    if not phases:
        through = bool(rows) and all(row.status == "finished" for row in rows.values())
        return max((home.parts[-1] for home in homes.values() if home.parts), default=""), through
    failed = {home.parts[2] for home in homes.values() if len(home.parts) > 2 and _is(home, "failed", "phase", "equil")}
    done = {phase for phase in results.phases if phase != SAMPLING} - failed
    windows = [row for row in rows.values() if row.kind == "window"]
    if windows and all(row.status == "finished" for row in windows):
        done.add(SAMPLING)
    if any(_is(home, "finished", "equil") for home in homes.values()):
        done.add(EQUILIBRATION)
    reached = [phases.index(one) for one in done if one in phases]
    begun = {home.parts[2] for home in homes.values() if len(home.parts) > 2}
    reached += [phases.index(one) - 1 for one in begun if one in phases]
    if windows:
        reached.append(phases.index(SAMPLING) - 1 if SAMPLING in phases else -1)
    broken = [phases.index(one) for one in failed if one in phases]
    last = max(reached, default=-1)
    if broken:
        return phases[min(broken)], False
    return (phases[-1], True) if last == len(phases) - 1 else (phases[last + 1], False)


def _is(home: HomeRows, status: str, *kinds: str) -> bool:
    return any(row.status == status and row.kind in kinds for row in home.rows)


def _analysis(results: ItemResults) -> dict[str, Any]:
    """Free energy, verdict and overlap of the last analysis."""
    told: dict[str, Any] = {
        key: float(value)
        for key in ("dg_kcal_per_mol", "dg_error_kcal_per_mol")
        if isinstance(value := results.analysis.get(key), int | float)
    }
    told["verdict"] = results.analysis.get("verdict")
    if results.record is not None:
        try:
            _, legs = read_record(results.record)
        except (GibbsflowError, OSError):  # shown where the item is opened
            legs = []
        overlaps = [leg["overlap"] for leg in legs if isinstance(leg["overlap"], int | float)]
        told["overlap"] = min(overlaps, default=None)
    return told


def phase_rows(items: Sequence[ItemRow], phases: Sequence[str]) -> list[PhaseRow]:
    """Count how many items have come how far.

    Parameters
    ----------
    items
        The items.
    phases
        Phases in their order.

    Returns
    -------
    list of PhaseRow
        One a phase.
    """
    found = []
    for number, name in enumerate(phases):
        places = [phases.index(one.phase) if one.phase in phases else -1 for one in items]
        at = [
            one.state for one, place in zip(items, places, strict=True) if place == number and one.state != "finished"
        ]
        through = sum(place > number or one.state == "finished" for one, place in zip(items, places, strict=True))
        found.append(PhaseRow(name, through, dict(Counter(at))))
    return found
