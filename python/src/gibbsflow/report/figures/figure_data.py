"""The data behind the figures of a record, as CSV: units in the heads of columns, full precision."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

from gibbsflow.binding.facts import ENDS
from gibbsflow.report.figures.leg_figures import analysed_replicates
from gibbsflow.report.tables.cells import cell

_SEEN = ("ligand_rmsd_angstrom", "site_rmsd_angstrom", "buried_waters")


def figure_data(record: Mapping[str, Any]) -> dict[str, str]:
    """Give what is drawn in the figures of a record.

    Parameters
    ----------
    record
        Content of a ``record.json``.

    Returns
    -------
    dict
        CSV by the name that the figure has in :func:`gibbsflow.report.figures.leg_figures.record_figures`; energies
        in kcal/mol, times in ps, distances in Å. Of the cycle the terms as they were computed, before their signs.
    """
    found: dict[str, str] = _of_motion(record.get("motion") or {})
    if "poses" in record:
        names = ("transformation", "dg_kcal_per_mol", "dg_error_kcal_per_mol", "weight")
        return {"poses": _csv(names, ([pose.get(name) for name in names] for pose in record["poses"]))}
    if record["dg_kcal_per_mol"] is not None:
        found |= {"cycle": _cycle(record), "replicates": _replicates(record)}
    for leg in record.get("leg_summary", {}):
        if items := analysed_replicates(record, leg):
            found |= _of_leg(leg, items)
    return found


def _cycle(record: Mapping[str, Any]) -> str:
    rows = [
        (leg, summary.get("dg_kcal_per_mol"), summary.get("dg_error_kcal_per_mol"))
        for leg, summary in record.get("leg_summary", {}).items()
    ]
    if state := record.get("standard_state"):
        rows.append(("standard state", state["numeric_kcal_per_mol"], None))
    rows += [
        (f"finite size, {leg}", size["dg_kcal_per_mol"], size["dg_error_kcal_per_mol"])
        for leg, size in record.get("finite_size", {}).items()
    ]
    rows.append(("result", record["dg_kcal_per_mol"], record["dg_error_kcal_per_mol"]))
    return _csv(("term", "dg_kcal_per_mol", "dg_error_kcal_per_mol"), rows)


def _replicates(record: Mapping[str, Any]) -> str:
    keys = ("replicate_numbers", "replicate_dg_kcal_per_mol", "replicate_error_kcal_per_mol")
    rows = [*zip(*(record[key] for key in keys), strict=True)]
    rows.append(("mean", record["dg_kcal_per_mol"], record["dg_error_kcal_per_mol"]))
    if record.get("experimental_dg_kcal_per_mol") is not None:
        rows.append(("experiment", record["experimental_dg_kcal_per_mol"], None))
    return _csv(("replicate", "dg_kcal_per_mol", "dg_error_kcal_per_mol"), rows)


def _of_leg(leg: str, items: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Profile, convergence, and overlap in the replicate where neighbours overlap least."""
    columns = ("dg_kcal_per_mol", "dg_error_kcal_per_mol")
    lambdas = list(items[0]["states"][0])
    profile = [
        (item["replicate"], state, dg, error, *item["states"][state].values())
        for item in items
        for state, dg, error in zip(*(item["profile"][key] for key in ("state", *columns)), strict=True)
    ]
    convergence = [
        (item["replicate"], way, *row)
        for item in items
        for way in ("forward", "backward")
        for row in zip(*(item[way][key] for key in ("fraction", *columns)), strict=True)
    ]
    worst = min(items, key=lambda item: item["overlap"]["min_neighbour"])
    states = worst["sampled_states"]
    overlap = [(state, *row) for state, row in zip(states, worst["overlap"]["matrix"], strict=True)]
    return {
        f"profile_{leg}": _csv(("replicate", "window", *columns, *lambdas), profile),
        f"convergence_{leg}": _csv(("replicate", "from", "part_of_the_data", *columns), convergence),
        f"overlap_{leg}": _csv(("window", *(f"window_{state}" for state in states)), overlap),
    }


def _of_motion(motion: Mapping[str, Any]) -> dict[str, str]:
    """What the frames show: of the equilibration, and of each leg with its walkers."""
    found: dict[str, str] = {}
    if seen := motion.get("equilibration"):
        found |= _over_time("equilibration", [("", "", seen)])
    for leg in dict.fromkeys(part["leg"] for part in motion.get("legs", [])):
        parts = [part for part in motion["legs"] if part["leg"] == leg]
        ends = [
            (part["replicate"], part[end].get("ligand", end), part[end])
            for part in parts
            for end in ("coupled", "decoupled", *ENDS)
            if end in part
        ]
        found |= _over_time(leg, ends)
        if walks := [part["walk"] for part in parts if part.get("walk")]:
            walk = min(walks, key=lambda one: sum(one["round_trips"]))
            heads = ("time_ps", *(f"walker_{walker}" for walker in walk["walkers"]))
            found[f"walk_{leg}"] = _csv(heads, zip(walk["time_ps"], *walk["window_of_walker"], strict=True))
    return found


def _over_time(name: str, parts: Sequence[tuple[Any, str, Mapping[str, Any]]]) -> dict[str, str]:
    """RMSD and waters; they are two figures, and one table."""
    keys = [key for key in _SEEN if all(key in seen for _, _, seen in parts)]
    if not parts or not keys:
        return {}
    rows = [
        (replicate, end, *row)
        for replicate, end, seen in parts
        for row in zip(*(seen[key] for key in ("time_ps", *keys)), strict=True)
    ]
    text = _csv(("replicate", "ligand", "time_ps", *keys), rows)
    return {f"rmsd_{name}": text} | ({f"waters_{name}": text} if "buried_waters" in keys else {})


def _csv(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([cell(head) for head in heads])
    writer.writerows([["" if value is None else cell(value) for value in row] for row in rows])
    return text.getvalue()
