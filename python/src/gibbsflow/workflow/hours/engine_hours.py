"""Hours of a campaign by item and part, from its state: what its report and the live view both tell."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gibbsflow.errors import StateError, one_line
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.folders.folder_tree import FolderTree, Seen
from gibbsflow.workflow.folders.places import GENERATION, LABELS
from gibbsflow.workflow.hours.pace import PROGRESS, Held, engine_times

Parts = tuple[str, ...]
"""Path of a state folder below its campaign's."""
_Read = tuple[tuple[str, str], tuple[float, float, float] | str]
_S_PER_H = 3600.0
_GENERATION = re.compile(GENERATION + r"\d+")


@dataclass(frozen=True)
class Hours:
    """What something took.

    Attributes
    ----------
    engine_h
        Wall-clock hours of engines, added up over calculations.
    cpu_h, gpu_h
        The same times the cores, and the part of a GPU, that were held.
    """

    engine_h: float = 0.0
    cpu_h: float = 0.0
    gpu_h: float = 0.0


@dataclass(frozen=True)
class CampaignHours:
    """What a campaign took.

    Attributes
    ----------
    parts
        By item and part, sorted: a ligand or edge and the first folder of its state, such as ``equil``, ``complex``; a
        generation of a learning loop and ``fit`` or its trajectories.
    items
        Sums by item.
    whole
        The sum of all.
    unread
        Why files could not be read, whose hours are not in the sums.
    """

    parts: Mapping[tuple[str, str], Hours] = field(default_factory=dict)
    items: Mapping[str, Hours] = field(default_factory=dict)
    whole: Hours = Hours()
    unread: tuple[str, ...] = ()


def whose(parts: Parts, *, of_campaign: bool = True) -> tuple[str, str, str]:
    """Tell whose a state folder is.

    Parameters
    ----------
    parts
        Its path below the folder that is looked at.
    of_campaign
        Whether that is a campaign's; else it is the state folder of one calculation.

    Returns
    -------
    system : str
        Receptor; empty where there is none.
    item : str
        Ligand or edge; generation of a learning loop; ``.`` for one calculation.
    part : str
        What of the item it is.
    """
    if not of_campaign:
        return "", ".", parts[0] if parts else "."
    if len(parts) >= 3 and not _GENERATION.fullmatch(parts[0]):
        return parts[0], parts[1], parts[2]
    padded = [*parts, "."]
    return "", padded[0], padded[1]


def looked_into(above: str, name: str) -> bool:
    """Say whether what is in a folder counts: not what programs work in, nor labels, which are counted apart.

    Parameters
    ----------
    above
        Path of the folder that it lies in, below the campaign's; empty for the campaign's own.
    name
        Its name.

    Returns
    -------
    bool
        True also for state that was set aside: failed attempts took hours, too.
    """
    return not name.startswith(".") and (bool(above) or name != LABELS)


class EngineHours:
    """Hours of a campaign that are asked for again and again: only progress files that have changed are read again.

    Parameters
    ----------
    root
        State folder of the campaign, or of one calculation.
    before
        What parts held whose progress files do not say, since a version before this one wrote them, by part.
    of_campaign
        As :func:`whose` takes it.
    """

    def __init__(
        self, root: Path, before: Callable[[str], Held] = lambda _: Held(), *, of_campaign: bool = True
    ) -> None:
        self.root, self._before, self._of_campaign = Path(root), before, of_campaign
        self._known: dict[str, _Read] = {}
        self._told = CampaignHours()

    def take(self, seen: Iterable[Seen], read: Callable[[Path], Any] = read_json) -> CampaignHours:
        """Add up what progress files tell.

        Parameters
        ----------
        seen
            All folders of :attr:`root` that are :func:`looked_into`, with :data:`.PROGRESS` among the files asked for.
        read
            Reads a progress file: for who reads it, too.

        Returns
        -------
        CampaignHours
            The same object as before where nothing has changed.
        """
        found: dict[str, _Read] = {}
        for one in seen:
            # one right in the campaign's folder is nobody's
            if PROGRESS not in one.names or (self._of_campaign and one.path == str(self.root)):
                continue
            known = self._known.get(one.path)
            found[one.path] = self._read(one.path, read) if known is None or one.changed else known
        if found != self._known:
            self._known, self._told = found, self._added(found)
        return self._told

    def _read(self, path: str, read: Callable[[Path], Any]) -> _Read:
        _, item, part = whose(Path(path).relative_to(self.root).parts, of_campaign=self._of_campaign)
        file = Path(path) / PROGRESS
        try:
            return (item, part), engine_times(read(file), file, self._before(part))
        except (StateError, OSError) as error:
            return (item, part), one_line(str(error), 300)

    @staticmethod
    def _added(found: Mapping[str, _Read]) -> CampaignHours:
        times: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
        for place, told in found.values():
            if not isinstance(told, str):
                times.setdefault(place, []).append(told)
        items: dict[str, list[tuple[float, float, float]]] = {}
        for (item, _), mine in times.items():
            items.setdefault(item, []).extend(mine)
        return CampaignHours(
            {place: _sum(mine) for place, mine in sorted(times.items())},
            {item: _sum(mine) for item, mine in sorted(items.items())},
            _sum([one for mine in times.values() for one in mine]),
            tuple(told for _, (_, told) in sorted(found.items()) if isinstance(told, str)),
        )


def campaign_hours(root: Path, before: Callable[[str], Held] = lambda _: Held()) -> CampaignHours:
    """Add up what a campaign took, once.

    Parameters
    ----------
    root
        Its state folder.
    before
        As :class:`EngineHours` takes it.

    Returns
    -------
    CampaignHours
        Nothing of it where nothing was timed.
    """
    return EngineHours(root, before).take(FolderTree(str(root), (PROGRESS,), looked_into).look())


def _sum(times: Iterable[tuple[float, float, float]]) -> Hours:
    """Hours of times in seconds, to the last digit whatever their order."""
    return Hours(*(math.fsum(column) / _S_PER_H for column in zip(*times, strict=True)))
