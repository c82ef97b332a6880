"""Campaigns put elsewhere: `archive`, `restore`, `move`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.care import Campaign, Yes
from gibbsflow.cli.options import DryRun, remark, verb
from gibbsflow.errors import one_line


def archive(
    campaign: Campaign,
    out: Annotated[Path, typer.Option("--out", help="The archive: FILE.tar.gz, or .tar.xz (smaller, slower).")],
    results: Annotated[
        list[Path] | None, typer.Option("--results", help="Folder of its results; default: those it has noted.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Then remove what went into it; needs --yes.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Put state and results of a campaign into one file, with the SHA-256 of each file, and read it back.

    FILE has its name only once it was read back as a whole; one that is there is never written over. Sizes are in
    bytes. `gibbsflow restore FILE` puts it back.
    """
    with verb(None):
        from gibbsflow.errors import InputError, Problem
        from gibbsflow.workflow.care.archive import check_free, ending_of, parts_of, write_archive
        from gibbsflow.workflow.care.contents import human_bytes
        from gibbsflow.workflow.care.holding import HEAD, check_campaign_folder, whole_campaign
        from gibbsflow.workflow.care.inventory import remove_copied

        home = check_campaign_folder(campaign)
        ending_of(out)
        check_free(out)
        if remove and not (yes or dry_run):
            raise InputError(Problem("--remove", "removes state and results", "--yes with it, or --dry-run"))
        with whole_campaign(home):
            parts = parts_of(home, results or (), remove=remove)
            for name, folder in parts.folders.items():
                told = f"{len(folder.items)} files, {human_bytes(folder.size)} in {folder.folder}"
                typer.echo(f"{name}: {one_line(told, 600)}")
            for remark in parts.remarks:
                typer.echo(one_line(remark, 600))
            if dry_run:
                return
            write_archive(parts, out)
            typer.echo(f"{one_line(str(out), 600)}: {human_bytes(out.stat().st_size)}, read back as a whole")
            if remove:
                for folder in [*parts.folders.values()][::-1]:  # the state last
                    for path in remove_copied(folder, also=HEAD if folder.folder == home else ()):
                        typer.echo(f"stays, for it is not in the archive as it is now: {one_line(path, 600)}")


def restore(
    file: Annotated[Path, typer.Argument(help="Archive that `gibbsflow archive` has written.")],
    into: Annotated[
        Path, typer.Option("--into", help="Launch folder that gets state/CAMPAIGN, and the results where they were.")
    ] = Path(),
    dry_run: DryRun = False,
) -> None:
    """Put an archived campaign back: looked at as a whole first, and never over anything that is there.

    In the folder of --into the campaign's command with -resume then goes on.
    """
    with verb(None):
        from gibbsflow.workflow.care.restoring import restore as put_back
        from gibbsflow.workflow.care.restoring import restored_text

        typer.echo(restored_text(put_back(file, into, dry_run=dry_run), dry_run=dry_run))


def move(
    campaign: Campaign,
    new_root: Annotated[Path, typer.Argument(help="Folder of state that it shall lie in, also on another disk.")],
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Move a campaign's state: copied, proved by hashes (SHA-256), and only then removed at the old place.

    A call that was killed is ended by the same call again. Results stay where they are, and name the new place. Moves
    nothing without `--yes`, nor with `--dry-run`; runs then go on with `--state_dir` and the new folder.
    """
    with verb(None):
        from gibbsflow.workflow.care.moving import move_campaign

        does = yes and not dry_run
        for line in move_campaign(campaign, new_root, dry_run=not does):
            typer.echo(line)
        if not does:
            remark("nothing was moved; --yes moves it")
