"""What a campaign cost: hours of cores and GPUs by item and part, from its state, and money at given prices."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.config.binding import Md
from gibbsflow.config.binding_parts import Costs
from gibbsflow.errors import StateError
from gibbsflow.report.tables.cells import cell
from gibbsflow.workflow.files import atomic_open, read_json
from gibbsflow.workflow.state.resumable import PROGRESS

FILE_NAME = "costs.csv"


@dataclass(frozen=True)
class Cost:
    """What one part of an item cost.

    Attributes
    ----------
    item
        Ligand or edge; empty for the sum of all.
    part
        First folder of its state, such as ``equil``, ``complex``, ``solvent``; ``all`` for the item.
    cpu_hours, gpu_hours
        Time of the engine, times the cores, or the share of a GPU, that were held for it.
    money
        At the given prices; None where none is given, or one is lacking that is needed.
    """

    item: str
    part: str
    cpu_hours: float
    gpu_hours: float
    money: float | None


@dataclass(frozen=True)
class CampaignCosts:
    """What a campaign cost.

    Attributes
    ----------
    parts
        By item, then part.
    items
        Each item's sum, by its name.
    whole
        The sum of all.
    currency
        Of money.
    shared
        Whether legs may have shared GPUs, how many is not known, so that GPU hours are the most it can have been.
    unread
        Files that could not be read, and are not in the sums.
    """

    parts: Sequence[Cost]
    items: dict[str, Cost]
    whole: Cost
    currency: str
    shared: bool
    unread: Sequence[str]


def campaign_costs(state: Path | None, md: Md, prices: Costs) -> CampaignCosts | None:
    """Add up the time that engines took: of MD that was saved, failed attempts included.

    Parameters
    ----------
    state
        State folder of the campaign.
    md
        Its cores, platform and legs that share a GPU, which are taken to have been those of the whole campaign.
    prices
        Of hours.

    Returns
    -------
    CampaignCosts or None
        None without a state folder, or where nothing in it was timed.
    """
    if state is None or not Path(state).is_dir():
        return None
    seconds: dict[tuple[str, str], float] = {}
    unread = []
    for folder, below, names in os.walk(state):
        below.sort()
        place = Path(folder).relative_to(state).parts
        if PROGRESS not in names or len(place) < 3:
            continue
        try:
            content = read_json(Path(folder) / PROGRESS)
            taken = content.get("engine_s", 0.0) if isinstance(content, dict) else None
            if isinstance(taken, bool) or not isinstance(taken, int | float) or not 0 <= taken < math.inf:
                raise StateError(f"{folder}/{PROGRESS}: engine_s is no time")
        except StateError as error:
            unread.append(str(error))
            continue
        seconds[place[1], place[2]] = seconds.get((place[1], place[2]), 0.0) + float(taken)
    if not seconds:
        return None
    sharing = int(md.legs_per_gpu) if md.legs_per_gpu.isdigit() else 1
    parts = [
        _cost(
            item,
            part,
            taken / 3600 * md.threads,
            md.on_gpu * taken / 3600 / (sharing if part != "equil" else 1),
            prices,
        )
        for (item, part), taken in sorted(seconds.items())
    ]
    items = {name: _sum(name, [one for one in parts if one.item == name], prices) for name in {p.item for p in parts}}
    shared = md.on_gpu and md.legs_per_gpu == "auto"
    return CampaignCosts(parts, items, _sum("", parts, prices), prices.currency, shared, unread)


def write_costs(costs: CampaignCosts, path: Path) -> None:
    """Write ``costs.csv``: a row for each part of an item, then one for each item, then one for all.

    Parameters
    ----------
    costs
        Of the campaign.
    path
        File to write.
    """
    with atomic_open(path, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("item", "part", "cpu_hours", "gpu_hours", "cost", "currency"))
        for one in (*costs.parts, *(costs.items[name] for name in sorted(costs.items)), costs.whole):
            money = ("", "") if one.money is None else (f"{one.money:.4f}", cell(costs.currency))
            name = cell(one.item) or "(all)"
            writer.writerow((name, cell(one.part), f"{one.cpu_hours:.6f}", f"{one.gpu_hours:.6f}", *money))


def _sum(item: str, parts: Sequence[Cost], prices: Costs) -> Cost:
    return _cost(item, "all", sum(one.cpu_hours for one in parts), sum(one.gpu_hours for one in parts), prices)


def _cost(item: str, part: str, cpu_hours: float, gpu_hours: float, prices: Costs) -> Cost:
    money: float | None = 0.0
    for hours, price in ((cpu_hours, prices.cost_per_cpu_hour), (gpu_hours, prices.cost_per_gpu_hour)):
        if hours and money is not None:
            money = None if price is None else money + hours * price
    return Cost(item, part, cpu_hours, gpu_hours, money)
