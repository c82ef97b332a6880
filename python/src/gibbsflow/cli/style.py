"""How a verb speaks: a JSON document in place of text, less or more on standard error, what is said of a defect."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer

from gibbsflow.workflow.credentials import without_passwords
from gibbsflow.workflow.progress import Progress, end_line

WHAT_TO_DO_OF_A_DEFECT = (
    "this is a defect of gibbsflow, or a machine that it does not foresee: the same command with --debug shows where; "
    "please report it"
)


@dataclass(frozen=True)
class Style:
    """How the verb of this process speaks.

    Attributes
    ----------
    as_json
        Standard output is one JSON document, of a failure too.
    own_document
        The verb prints that document by itself where all is well.
    quiet
        Standard error has warnings and errors alone.
    verbose
        Standard error has what is of use in search of a fault, too.
    debug
        Tracebacks are shown.
    """

    as_json: bool = False
    own_document: bool = False
    quiet: bool = False
    verbose: bool = False
    debug: bool = False


_styles = [Style()]
_programs: list[str] = []


def program_begins(name: str) -> None:
    """Note that this process is that of a program, and ends with its verb.

    Parameters
    ----------
    name
        The program.
    """
    _programs.append(name)


def program_runs() -> bool:
    """Tell whether this process ends with the verb that runs.

    Returns
    -------
    bool
        Not so in a library's use.
    """
    return bool(_programs)


def style() -> Style:
    """Tell how this process speaks.

    Returns
    -------
    Style
        That of the verb that was asked for; in a library's use the default one.
    """
    return _styles[-1]


@contextmanager
def speaking(one: Style) -> Iterator[None]:
    """Speak so within; before and after it as before."""
    before, Progress.quiet = Progress.quiet, one.quiet
    _styles.append(one)
    try:
        yield
    finally:
        _styles.pop()
        Progress.quiet = before


def remark(text: str) -> None:
    """Say on standard error what is good to know and no warning; nothing where that is not wanted.

    Parameters
    ----------
    text
        One line or more.
    """
    if not style().quiet:
        end_line()
        typer.echo(text, err=True)


def say(text: str, as_json: bool) -> None:
    """Say what a verb has found: on standard output, or where JSON stands there as a remark.

    Parameters
    ----------
    text
        One line or more.
    as_json
        Whether the verb prints JSON.
    """
    if as_json:
        remark(text)
    else:
        typer.echo(text)


def tell_of_defect(error: Exception) -> str:
    """Say in one line on standard error that something was not foreseen; its traceback too where that is wanted.

    Parameters
    ----------
    error
        What was raised; it is being handled.

    Returns
    -------
    str
        Its message.
    """
    end_line()
    show_traceback()
    message = without_passwords(str(error))
    said = " ".join(message.split())
    typer.echo(f"error: {type(error).__name__}: {said}\nwhat to do: {WHAT_TO_DO_OF_A_DEFECT}", err=True)
    return message


def show_traceback() -> None:
    """Print the traceback of what is being handled on standard error, where ``--debug`` asks for it."""
    if style().debug:
        typer.echo(without_passwords(traceback.format_exc()), err=True)
