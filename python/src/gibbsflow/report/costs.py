"""What a campaign cost: hours of cores and GPUs by item and part, from its state, and money at given prices."""

from __future__ import annotations

import csv
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.binding.workload import held
from gibbsflow.config.binding import Md
from gibbsflow.config.binding_parts import Costs
from gibbsflow.report.tables.cells import cell
from gibbsflow.workflow.files import atomic_open
from gibbsflow.workflow.folders.places import FITS, GENERATION
from gibbsflow.workflow.hours.engine_hours import CampaignHours, Hours, campaign_hours

log = logging.getLogger(__name__)
FILE_NAME = "costs.csv"
_EQUILIBRATION = "equil"
LOOP_PARTS = ("labels", "fits", "MD", "other")
"""Parts of a learning loop, in their order."""


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
        Cores, platform and legs that share a GPU of what a version before this one has run, which did not note them.
    prices
        Of hours.

    Returns
    -------
    CampaignCosts or None
        None without a state folder, or where nothing in it was timed.
    """
    if state is None or not Path(state).is_dir():
        return None
    hours = campaign_hours(Path(state), lambda part: held(md, leg=part != _EQUILIBRATION))
    if not hours.parts:
        return None
    parts = [_cost(item, part, one, prices) for (item, part), one in hours.parts.items()]
    items = {item: _cost(item, "all", one, prices) for item, one in hours.items.items()}
    whole = _cost("", "all", hours.whole, prices)
    shared = md.on_gpu and md.legs_per_gpu == "auto"
    return CampaignCosts(parts, items, whole, prices.currency, shared, hours.unread)


@dataclass(frozen=True)
class LoopCost:
    """What one part of a learning loop took.

    Attributes
    ----------
    part
        ``labels``, ``fits``, ``MD``, ``other`` (what else was timed in its state); ``all`` for the sum.
    cpu_hours, gpu_hours
        Time of programs, times the cores, or the share of a GPU, that were held for it.
    """

    part: str
    cpu_hours: float
    gpu_hours: float


@dataclass(frozen=True)
class LoopCosts:
    """What a learning loop took.

    Attributes
    ----------
    parts
        Those that took anything, then the sum of all.
    unread
        Files that could not be read, and are not in the sums.
    missing
        Generations of which nothing but labels is counted: the state holds no hours of them.
    """

    parts: Sequence[LoopCost]
    unread: Sequence[str]
    missing: Sequence[int]


def loop_costs(state: Path | None, generations: Sequence[int], label_s: float, cores: int) -> LoopCosts:
    """Add up the time that labels, fits and MD of a learning loop took, as far as it was saved.

    Parameters
    ----------
    state
        State folder of its campaign; None where it is not known. One that holds none of its generations, as the
        folder that campaigns lie in, counts as not known, with a warning.
    generations
        Their numbers.
    label_s
        Time of all its labels, s, those that failed included.
    cores
        Cores that a label held.

    Returns
    -------
    LoopCosts
        Labels by their own records, since a campaign may have them of another; the rest by the state.
    """
    found = {"labels": Hours(label_s / 3600, label_s * cores / 3600)}
    names = {number: f"{GENERATION}{number:02d}" for number in generations}
    hours = CampaignHours()
    if state is not None and any((Path(state) / name).is_dir() for name in names.values()):
        hours = campaign_hours(Path(state))
    elif state is not None:
        log.warning("%s: holds no generation of this loop, so that hours of fits and MD are not counted", state)
    for (item, part), one in hours.parts.items():
        of_loop = item.startswith(GENERATION)
        name = ("fits" if part in FITS else "MD") if of_loop else "other"
        before = found.get(name, Hours())
        found[name] = Hours(before.engine_h + one.engine_h, before.cpu_h + one.cpu_h, before.gpu_h + one.gpu_h)
    parts = [LoopCost(name, found[name].cpu_h, found[name].gpu_h) for name in LOOP_PARTS if name in found]
    total = LoopCost("all", sum(one.cpu_hours for one in parts), sum(one.gpu_hours for one in parts))
    missing = [number for number, name in names.items() if name not in hours.items]
    return LoopCosts([*parts, total], hours.unread, missing)


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


def _cost(item: str, part: str, hours: Hours, prices: Costs) -> Cost:
    money: float | None = 0.0
    for amount, price in ((hours.cpu_h, prices.cost_per_cpu_hour), (hours.gpu_h, prices.cost_per_gpu_hour)):
        if amount and money is not None:
            money = None if price is None else money + amount * price
    return Cost(item, part, hours.cpu_h, hours.gpu_h, money)
