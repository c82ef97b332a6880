"""Entries of a cache of parameters, and which of them no campaign beside it uses."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.errors import StateError, one_line
from gibbsflow.workflow.care.campaign_note import CampaignNote
from gibbsflow.workflow.care.contents import contents
from gibbsflow.workflow.care.holding import is_campaign
from gibbsflow.workflow.state.locks import head_holds

_KEY = re.compile(r"[0-9a-f]{64}")
_LISTS = "entry.json"
_OF_LIGAND = "phases/*/param_ligands/result.json"


@dataclass(frozen=True)
class ParamEntries:
    """A cache of parameters.

    Attributes
    ----------
    sizes
        Bytes of each entry, by its folder.
    unused
        Folders that no campaign uses; None where that cannot be told.
    why_unknown
        Why it cannot be told.
    """

    sizes: dict[Path, int]
    unused: tuple[Path, ...] | None
    why_unknown: str = ""


def param_entries(cache: Path, state_root: Path) -> ParamEntries:
    """Look which entries of a cache the campaigns of a folder use, by the results that each has noted.

    Parameters
    ----------
    cache
        The cache.
    state_root
        Folder of the campaigns that share it.

    Returns
    -------
    ParamEntries
        Unused ones only where it lies beside the campaigns, none of them is a link, each says where its results
        are, they are there, and no head is at work.
    """
    places = [path for path in sorted(cache.glob("??/*")) if _KEY.fullmatch(path.name) and (path / _LISTS).is_file()]
    places = [path for path in places if not path.is_symlink() and not path.parent.is_symlink()]
    sizes = {path: sum(one.size for one in contents(path)) for path in places}
    if cache.resolve().parent != state_root.resolve():
        return ParamEntries(sizes, None, f"campaigns of other folders than {state_root} may use it")
    if links := sorted(path.name for path in state_root.iterdir() if path.is_symlink()):
        return ParamEntries(sizes, None, f"{one_line(links[0])} is a link, and may be to a campaign that uses it")
    used: set[str] = set()
    for campaign in sorted(path for path in state_root.iterdir() if is_campaign(path)):
        try:
            note = CampaignNote.read(campaign)
        except StateError as error:
            return ParamEntries(sizes, None, str(error))
        if note is None:
            return ParamEntries(sizes, None, f"{campaign.name} has not noted where its results are")
        if head_holds(campaign):
            return ParamEntries(sizes, None, f"{campaign.name} is at work")
        for one in note.results:
            if not os.path.isdir(one.outdir):
                return ParamEntries(sizes, None, f"the results of {campaign.name} in {one.outdir} are not there")
            for result in Path(one.outdir).glob(_OF_LIGAND):
                used |= set(_KEY.findall(result.read_text(errors="replace")))
    return ParamEntries(sizes, tuple(path for path in places if path.name not in used))
