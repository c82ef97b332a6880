"""What campaigns take up on disk: state by kind, results, caches, archives."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gibbsflow.errors import StateError, one_line
from gibbsflow.workflow.care.campaign_note import CampaignNote
from gibbsflow.workflow.care.contents import KINDS, SET_ASIDE, bytes_by_kind, contents, human_bytes
from gibbsflow.workflow.care.holding import is_campaign
from gibbsflow.workflow.care.param_entries import param_entries
from gibbsflow.workflow.folders.places import CACHE


@dataclass(frozen=True)
class CampaignUsage:
    """What a campaign takes up.

    Attributes
    ----------
    campaign
        Its name.
    state
        Bytes of its state by kind.
    results
        Bytes of each folder of results, of which ``set aside``; None where no head has noted them.
    remarks
        What could not be looked at.
    """

    campaign: str
    state: dict[str, int]
    results: dict[str, dict[str, int]] | None
    remarks: list[str]


@dataclass(frozen=True)
class Usage:
    """What a folder of state takes up.

    Attributes
    ----------
    campaigns
        The campaigns.
    caches
        Of each cache of parameters its bytes, those that no campaign uses (None: not known) and why that is not known.
    archives
        Bytes of archives that lie beside the campaigns.
    """

    campaigns: list[CampaignUsage]
    caches: dict[str, dict[str, Any]]
    archives: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Give it the form of JSON.

        Returns
        -------
        dict
            All bytes.
        """
        return asdict(self)


def usage(place: Path) -> Usage:
    """Add up what a campaign, or all of a folder of state, takes up. Hard links count once, links are not followed.

    Parameters
    ----------
    place
        State folder of a campaign, or the folder that holds several; absolute.

    Returns
    -------
    Usage
        In bytes of content.
    """
    one = is_campaign(place)
    root = place.parent if one else place
    found = [place] if one else sorted(path for path in root.iterdir() if is_campaign(path))
    seen: set[tuple[int, int]] = set()
    caches = {root / CACHE}
    campaigns = []
    for campaign in found:
        remarks, results = [], None
        state = bytes_by_kind(contents(campaign, seen=seen))
        try:
            note = CampaignNote.read(campaign)
        except StateError as error:
            note = None
            remarks.append(one_line(str(error), 300))
        if note is not None:
            caches.add(Path(note.param_cache))
            results = {}
            for outdir in dict.fromkeys(one.outdir for one in note.results):
                if Path(outdir).is_dir():
                    kinds = bytes_by_kind(contents(Path(outdir), seen=seen, apart={campaign, root}))
                    results[outdir] = {"bytes": sum(kinds.values()), SET_ASIDE: kinds.get(SET_ASIDE, 0)}
                else:
                    remarks.append(f"{one_line(outdir, 300)}: results are not there")
        campaigns.append(CampaignUsage(campaign.name, state, results, remarks))
    told: dict[str, dict[str, Any]] = {}
    for cache in sorted(path for path in caches if path.is_dir()):
        entries = param_entries(cache, root)
        unused = None if entries.unused is None else sum(entries.sizes[path] for path in entries.unused)
        told[str(cache)] = {"bytes": sum(entries.sizes.values()), "unused": unused, "why_unknown": entries.why_unknown}
    files = [path for path in root.iterdir() if path.name.endswith((".tar.gz", ".tar.xz"))]
    archives = {} if one else {path.name: path.stat().st_size for path in files if path.is_file()}
    return Usage(campaigns, told, archives)


def usage_text(found: Usage) -> str:
    """Lay it out for a terminal.

    Parameters
    ----------
    found
        What takes up how much.

    Returns
    -------
    str
        A line each.
    """
    lines = []
    for one in found.campaigns:
        lines.append(f"{one_line(one.campaign)}: {human_bytes(sum(one.state.values()))} of state")
        lines += [f"  {human_bytes(one.state[kind]):>10}  {kind}" for kind in KINDS if kind in one.state]
        for outdir, kinds in (one.results or {}).items():
            aside = f" ({human_bytes(kinds[SET_ASIDE])} set aside)" if kinds[SET_ASIDE] else ""
            lines.append(f"  {human_bytes(kinds['bytes']):>10}  results in {one_line(outdir, 300)}{aside}")
        if one.results is None:
            lines.append(f"  {'?':>10}  results: no head has noted where they are")
        lines += [f"  {remark}" for remark in one.remarks]
    for cache, told in found.caches.items():
        unused = told["unused"]
        free = (
            f"not known how much is used: {told['why_unknown']}" if unused is None else f"{human_bytes(unused)} unused"
        )
        lines.append(f"{human_bytes(told['bytes'])} cache {one_line(cache, 300)}: {free}")
    lines += [f"{human_bytes(size)} archive {one_line(name)}" for name, size in found.archives.items()]
    return "\n".join(lines) or "nothing here"
