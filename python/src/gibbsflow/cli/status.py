"""What is asked of state folders: `status`, once or again and again, and `clean-failures`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from gibbsflow.cli.options import DryRun, verb

_EVERY_S = "5"

Folder = Annotated[Path, typer.Argument(help="State folder of a campaign, transformation, leg or window.")]
Watch = Annotated[
    float | None,
    typer.Option(
        "--watch",
        metavar="[SECONDS]",
        min=0.1,
        help=f"Show it again every so many seconds (default {_EVERY_S}) until nothing is under way.",
    ),
]


class StatusCommand(TyperCommand):
    """A command whose --watch may stand without its value."""

    def parse_args(self, ctx, args):  # type: ignore[no-untyped-def]
        """Read the words of the command line, as Click asks for it.

        Parameters
        ----------
        ctx
            Click's context.
        args
            The words.

        Returns
        -------
        list of str
            Words left over.
        """
        given: list[str] = []
        for word, after in zip(args, [*args[1:], ""], strict=True):
            given.append(word)
            if word == "--watch" and not after.replace(".", "", 1).isdigit():
                given.append(_EVERY_S)
        return super().parse_args(ctx, given)


def show(folder: Path, *kinds: str, watch_s: float | None, as_json: bool) -> None:
    """Print the status of a state folder.

    Parameters
    ----------
    folder
        The state folder.
    *kinds
        Kinds of rows shown (:class:`gibbsflow.workflow.state.status.StatusRow`); default: all.
    watch_s
        Seconds after which it is shown again, until nothing there is under way or to come; None for once.
    as_json
        Print JSON in place of the table.
    """
    import json
    import sys

    while True:
        with verb(None, reads=True):
            from gibbsflow.workflow.state.status import read_status, settled, status_table

            rows = read_status(folder, *kinds)
        if watch_s is not None and sys.stdout.isatty():
            typer.echo("\x1b[2J\x1b[H", nl=False)
        typer.echo(json.dumps(rows, indent=None if watch_s else 2) if as_json else status_table(rows))
        if watch_s is None or settled(rows):
            return
        try:
            time.sleep(watch_s)
        except KeyboardInterrupt:  # how one ends it
            return


def clean(folder: Folder, dry_run: DryRun = False) -> None:
    """Remove FAILED sentinels, the record of attempts and progress caches, and nothing else."""
    with verb(None):
        from gibbsflow.errors import InputError, Problem
        from gibbsflow.workflow.state.cleaning import clean_failures

        if not folder.is_dir():
            raise InputError(Problem(str(folder), "no such folder", "a state folder"))
        for path in clean_failures(folder, dry_run=dry_run):
            typer.echo(path)
