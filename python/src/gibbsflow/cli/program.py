"""A command line of verbs that speak in one style: its options, an example in each help, completion by the shell."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from gibbsflow.cli.examples import EXAMPLES
from gibbsflow.cli.output import writable_output
from gibbsflow.cli.style import Style, program_begins, speaking, style, tell_of_defect
from gibbsflow.errors import EXIT_SCIENCE
from gibbsflow.workflow.files import storage_fault

Json = Annotated[
    bool, typer.Option("--json", help="Print the result, or the error, as one JSON document on standard output.")
]
_STYLE_OPTIONS = {
    "quiet": typer.Option("--quiet", help="Only warnings and errors on standard error: no notes, no progress."),
    "verbose": typer.Option("--verbose", help="Also what is of use in search of a fault, on standard error."),
    "debug": typer.Option("--debug", envvar="GIBBSFLOW_DEBUG", help="Show the traceback of an error."),
}


class Verbs(TyperGroup):
    """A group whose usage errors are JSON, too, where that is asked for."""

    def main(self, args: Any = None, *, standalone_mode: bool = True, **extra: Any) -> Any:  # type: ignore[override]
        """Run the command line (`args`, or the words of this process), as Click asks for it."""
        words = sys.argv[1:] if args is None else list(args)
        with writable_output():
            if not standalone_mode or "--json" not in words:
                return super().main(words, standalone_mode=standalone_mode, **extra)
            try:
                code = super().main(words, standalone_mode=False, **extra)
            except TyperException as error:
                code = error.exit_code
                typer.echo(f"error: {error.format_message()}", err=True)
                _print_failure("Usage", error.format_message())
            except typer.Abort:
                code = 1
        sys.exit(code if isinstance(code, int) else 0)


class Program(typer.Typer):
    """The command line of a process of its own, which ends with its verb.

    Parameters
    ----------
    name
        Words before a verb, such as ``train export``, by which its examples are found.
    **options
        Of Typer.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(cls=Verbs, **options)
        self.words = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it."""
        program_begins(self.words)
        if Path(sys.argv[0]).stem == self.words:  # by `python -m`: completion and help are about the program in bin/
            kwargs.setdefault("prog_name", self.words)
        return super().__call__(*args, **kwargs)

    def command(self, name: str | None = None, **options: Any) -> Callable[..., Any]:  # type: ignore[override]
        """Make a function a verb of this program.

        Parameters
        ----------
        name
            Its name; default: that of the function.
        **options
            Of Typer; a hidden verb, which only the pipeline calls, gets no options of style.

        Returns
        -------
        Callable
            Decorator, which leaves the function as it is.
        """

        def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
            verb = name or command.__name__.replace("_", "-")
            if options.get("hidden"):
                super(Program, self).command(verb, **options)(command)
                return command
            example = EXAMPLES.get(f"{self.words} {verb}")
            epilog = f"\b\nExample:\n  {example}" if example else None
            super(Program, self).command(verb, epilog=epilog, **options)(in_style(command))
            return command

        return decorate


def _print_failure(cause: str, message: str) -> None:
    typer.echo(json.dumps({"status": "failed", "cause": cause, "message": message}, indent=2))


def in_style(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options that all verbs have.

    Parameters
    ----------
    command
        The verb; one that prints its JSON by itself takes ``as_json``.

    Returns
    -------
    Callable
        The verb with ``--json``, ``--quiet``, ``--verbose`` and ``--debug``.
    """
    signature = inspect.signature(command, eval_str=True)
    own = "as_json" in signature.parameters
    added: dict[str, Any] = {} if own else {"as_json": Json}
    added |= {name: Annotated[bool, option] for name, option in _STYLE_OPTIONS.items()}

    @wraps(command)
    def run(**options: Any) -> Any:
        quiet, verbose, debug = (options.pop(name) for name in _STYLE_OPTIONS)
        as_json = options["as_json"] if own else options.pop("as_json")
        if quiet and verbose:
            raise typer.BadParameter("--quiet and --verbose contradict each other (right: one of them)")
        with speaking(Style(as_json=as_json, own_document=own, quiet=quiet, verbose=verbose, debug=debug)):
            try:
                return command(**options)
            except (typer.Exit, typer.Abort, BrokenPipeError, TyperException):
                raise
            except Exception as error:  # noqa: BLE001 - outside of a verb's body, which tells of its own
                if storage_fault(error) is not None:  # of standard output, by now: no JSON could be printed either
                    raise
                message = tell_of_defect(error)
                if style().as_json:
                    _print_failure(type(error).__name__, message)
                raise typer.Exit(EXIT_SCIENCE) from error

    kind = inspect.Parameter.KEYWORD_ONLY
    more = [inspect.Parameter(name, kind, default=False, annotation=one) for name, one in added.items()]
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *more])  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, **added}
    return run
