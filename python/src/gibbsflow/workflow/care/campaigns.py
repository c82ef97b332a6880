"""Which campaigns there are below a folder of state, and how far each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gibbsflow.errors import GibbsflowError, InputError, Problem, one_line
from gibbsflow.workflow.care.campaign_note import CampaignNote, generations, mode_by_folders
from gibbsflow.workflow.care.contents import contents, human_bytes
from gibbsflow.workflow.care.holding import HEAD, has_head, is_campaign
from gibbsflow.workflow.folders.places import CACHE, LABELS
from gibbsflow.workflow.state.locks import describe_holder, head_holds
from gibbsflow.workflow.state.status import read_status

_ARCHIVES = (".tar.gz", ".tar.xz")


@dataclass(frozen=True)
class CampaignRow:
    """A campaign at a glance.

    Attributes
    ----------
    campaign
        Its name.
    mode
        As its head noted it; of earlier state ``potential`` or ``binding`` by its folders.
    counts
        Items by status, as `fe status` has them; of a potential without its labels.
    held_by
        Who runs it now; empty where nobody does.
    last_touched
        When a file of it was last written (UTC, ISO 8601).
    size_bytes
        Bytes of its state.
    results
        Folders of results; None where that is not known.
    generation
        Of a potential: the last one begun.
    labels
        Of a potential: labels by ``finished`` and ``failed``.
    remarks
        What is odd about it.
    """

    campaign: str
    mode: str
    counts: dict[str, int]
    held_by: str
    last_touched: str
    size_bytes: int
    results: list[str] | None
    generation: int | None
    labels: dict[str, int] | None
    remarks: list[str]


def list_campaigns(root: Path) -> tuple[list[CampaignRow], list[str]]:
    """Look at all campaigns of a folder of state; changes nothing.

    Parameters
    ----------
    root
        Folder of state.

    Returns
    -------
    rows : list of CampaignRow
        By name.
    foreign : list of str
        What else lies there, in words.

    Raises
    ------
    InputError
        Where there is no such folder, or it is a campaign's own.
    """
    if not root.is_dir():
        raise InputError(Problem(str(root), "no such folder", "the folder that --state_dir names, such as state"))
    if has_head(root):
        raise InputError(Problem(str(root), "a campaign by itself", "the folder that it lies in (`du` takes both)"))
    rows, foreign = [], []
    for path in sorted(root.iterdir()):
        if is_campaign(path):
            rows.append(_row(path))
        elif path.is_symlink():
            foreign.append(f"{one_line(path.name)}: a link, not followed")
        elif path.name != CACHE and not path.name.endswith(_ARCHIVES):
            foreign.append(f"{one_line(path.name)}: nothing of gibbsflow's")
    return rows, foreign


def _row(campaign: Path) -> CampaignRow:
    remarks: list[str] = []
    results: list[str] | None = None
    labelled, mode = campaign / LABELS, mode_by_folders(campaign)
    counts: Counter[str] = Counter()
    size, touched = 0, campaign.stat().st_mtime
    try:
        if (note := CampaignNote.read(campaign)) is None:
            remarks.append("results unknown: no head has noted them")
        else:
            mode, results = note.mode, [one.outdir for one in note.results]
            remarks += [
                f"{one_line(place, 300)}: results are not there" for place in results if not Path(place).is_dir()
            ]
    except GibbsflowError as error:
        remarks.append(one_line(str(error), 300))
    try:
        items = [row for row in read_status(campaign) if not str(row["item"]).startswith(f"{LABELS}/")]
        counts.update(str(row["status"]) for row in items)
        remarks += [f"{one_line(row['item'], 200)}: {row['cause']}" for row in items if row["status"] == "unreadable"]
        for one in contents(campaign):
            size += one.size
            touched = max(touched, one.modified_s) if one.path.name not in HEAD else touched
    except (GibbsflowError, OSError) as error:  # of one campaign: the others are listed all the same
        remarks.append(f"cannot be read: {one_line(str(error), 300)}")
    record = campaign / HEAD[1]
    told = record.read_text(errors="replace") if record.is_file() and not record.is_symlink() else ""
    return CampaignRow(
        campaign.name,
        mode,
        dict(counts.most_common()),
        describe_holder(told) if head_holds(campaign) else "",
        datetime.fromtimestamp(touched, UTC).isoformat(timespec="seconds"),
        size,
        results,
        max(generations(campaign), default=None),
        {end.lower(): len(list(labelled.glob(f"*/*/{end}"))) for end in ("FINISHED", "FAILED")}
        if labelled.is_dir()
        else None,
        remarks,
    )


def campaigns_table(rows: Sequence[CampaignRow], foreign: Sequence[str]) -> str:
    """Lay campaigns out for a terminal.

    Parameters
    ----------
    rows
        The campaigns.
    foreign
        What else was found.

    Returns
    -------
    str
        A line each, with what is odd below.
    """
    head = ["campaign", "mode", "items", "held by", "last touched", "size", "results"]
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines]
    if not rows:
        text = ["no campaign here"]
    odd = [f"{one_line(row.campaign)}: {remark}" for row in rows for remark in row.remarks]
    return "\n".join([*text, *([""] if odd or foreign else []), *odd, *foreign])


def _cells(row: CampaignRow) -> list[str]:
    told = [f"{count} {status}" for status, count in row.counts.items()]
    if row.labels is not None:
        told += [f"{count} labels {end}" for end, count in row.labels.items() if count]
    if row.generation is not None:
        told.insert(0, f"generation {row.generation}")
    results = "unknown" if row.results is None else ", ".join(one_line(place, 200) for place in row.results)
    return [
        one_line(row.campaign),
        row.mode,
        ", ".join(told),
        row.held_by or "-",
        row.last_touched,
        human_bytes(row.size_bytes),
        results,
    ]


def as_json(rows: Sequence[CampaignRow], foreign: Sequence[str]) -> dict[str, Any]:
    """Give campaigns the form of JSON.

    Parameters
    ----------
    rows
        The campaigns.
    foreign
        What else was found.

    Returns
    -------
    dict
        ``campaigns`` with the fields of :class:`CampaignRow`, ``foreign``.
    """
    return {"campaigns": [vars(row) for row in rows], "foreign": list(foreign)}
