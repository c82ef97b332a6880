"""Campaigns as a whole: `list`, `du`, `clean`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import DryRun, Json, remark, verb

Campaign = Annotated[Path, typer.Argument(help="State folder of a campaign, such as state/demo.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without it, only say what would be done.")]
Root = Annotated[Path, typer.Argument(help="Folder of state, as --state_dir names it.")]


def list_all(root: Root = Path("state"), as_json: Json = False) -> None:
    """Which campaigns there are: mode, items by status, who holds them, when last touched (UTC), size, results.

    Changes nothing. Sizes are of content, in powers of 1000; --json has bytes.
    """
    with verb(None, reads=True):
        from gibbsflow.workflow.care.campaigns import as_json as as_mapping
        from gibbsflow.workflow.care.campaigns import campaigns_table, list_campaigns

        found = list_campaigns(root)
        typer.echo(json.dumps(as_mapping(*found), indent=2) if as_json else campaigns_table(*found))


def du(
    place: Annotated[Path, typer.Argument(help="Folder of state, or state folder of one campaign.")] = Path("state"),
    as_json: Json = False,
) -> None:
    """What takes up how much: state by kind, results, caches with what no campaign uses, archives.

    Changes nothing. Sizes are of content, in powers of 1000; --json has bytes. A file of several names (hard links)
    counts once, links are not followed.
    """
    with verb(None, reads=True):
        from gibbsflow.errors import InputError, Problem
        from gibbsflow.workflow.care.usage import usage, usage_text

        if not place.is_dir():
            right = "the folder that --state_dir names, or a campaign in it"
            raise InputError(Problem(str(place), "no such folder", right))
        found = usage(place.absolute())
        typer.echo(json.dumps(found.as_dict(), indent=2) if as_json else usage_text(found))


def clean(
    campaign: Campaign,
    superseded: Annotated[bool, typer.Option("--superseded", help="State that was set aside.")] = False,
    checkpoints: Annotated[bool, typer.Option("--checkpoints", help="Checkpoints of what has finished.")] = False,
    cache: Annotated[bool, typer.Option("--cache", help="Parameters that no campaign beside it uses.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Remove what neither a resume nor the final table needs; says its size (bytes) and its price first.

    Refused (exit 70) while a head or task is at work. What was removed is written to .cleaned.json in the state.
    Removes nothing without `--yes`, nor with `--dry-run`.
    """
    with verb(None):
        from gibbsflow.errors import InputError, Problem
        from gibbsflow.workflow.care.campaign_note import CampaignNote
        from gibbsflow.workflow.care.holding import check_campaign_folder
        from gibbsflow.workflow.care.removal import clean_campaign, removal_text
        from gibbsflow.workflow.folders.places import CACHE

        home, does = check_campaign_folder(campaign), yes and not dry_run
        if not (superseded or checkpoints or cache):
            raise InputError(Problem("clean", "nothing to remove was named", "--superseded, --checkpoints or --cache"))
        place = None
        if cache:
            note = CampaignNote.read(home)
            place = Path(note.param_cache) if note is not None else home.parent / CACHE
        found = clean_campaign(home, superseded=superseded, checkpoints=checkpoints, cache=place, dry_run=not does)
        typer.echo(removal_text(found, dry_run=not does))
        if not does:
            remark("nothing was removed; --yes removes it")
