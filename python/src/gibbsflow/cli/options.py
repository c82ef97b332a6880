"""Options that all commands share, and the words that their values are written in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.program import Json as Json
from gibbsflow.cli.program import Program
from gibbsflow.cli.style import remark as remark
from gibbsflow.cli.style import say as say
from gibbsflow.cli.verb import verb as verb
from gibbsflow.errors import EXIT_INSTALLATION
from gibbsflow.version import __version__

Out = Annotated[Path, typer.Option("--out", help="Folder to write into; made where absent.")]
State = Annotated[
    Path | None,
    typer.Option("--state", help="State folder of this item: checkpoints and sentinels, kept between attempts."),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="YAML or JSON settings; default: the documented defaults."),
]
System = Annotated[
    Path,
    typer.Option("--system", help="Folder with the system.json of the phase before."),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Check everything and say what would be done; compute nothing."),
]
TimeBudget = Annotated[
    str | None,
    typer.Option(
        "--time-budget",
        help="Wall-clock limit, such as 90s, 5m, 2h: saves its state and exits 75 before it.",
    ),
]
Segments = Annotated[
    int | None,
    typer.Option("--segments", min=1, help="Run at most this many segments, then exit 75."),
]


def new_app(name: str, text: str) -> Program:
    """Make a Typer app in the house style, with ``--version`` and completion by the shell.

    Parameters
    ----------
    name
        Words before its verbs.
    text
        What the command is for.

    Returns
    -------
    Program
        The app, without verbs.
    """
    app = Program(
        name,
        help=text,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback(help=text)(_before_all)
    return app


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


def _before_all(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Refuse to work for a pipeline of another version, which containers are told."""
    wanted = os.environ.get("GIBBSFLOW_VERSION", __version__)
    if wanted != __version__:
        typer.echo(
            f"error: this container image holds gibbsflow {__version__}, and the pipeline is {wanted}\n"
            "what to do: make images (builds them from this checkout), or name images of that version with --registry",
            err=True,
        )
        raise typer.Exit(EXIT_INSTALLATION)


def parse_duration_s(text: str | None) -> float | None:
    """Read a duration.

    Parameters
    ----------
    text
        Such as ``90s``, ``5m``, ``1.5h``, or a bare number of seconds.

    Returns
    -------
    float or None
        Seconds; None for None.

    Raises
    ------
    BadParameter
        For any other text.
    """
    if text is None:
        return None
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*(s|m|min|h|d)?\s*", text)
    if not match:
        raise typer.BadParameter(f"{text!r} is no duration; right: 90s, 5m, 2h or a number of seconds")
    return float(match[1]) * {"s": 1, None: 1, "m": 60, "min": 60, "h": 3600, "d": 86400}[match[2]]


def parse_windows(texts: Iterable[str]) -> tuple[int, ...]:
    """Read which windows are meant.

    Parameters
    ----------
    texts
        Such words as ``3`` and ``5-7``.

    Returns
    -------
    tuple of int
        Each once and in order.

    Raises
    ------
    BadParameter
        For any other word.
    """
    found: set[int] = set()
    for text in texts:
        match = re.fullmatch(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?", text)
        if not match or (match[2] and int(match[2]) < int(match[1])):
            raise typer.BadParameter(f"--window {text!r} is no window; right: a number from 0, or a range such as 3-6")
        found |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(found))
