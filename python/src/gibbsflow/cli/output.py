"""Standard output that cannot be written to, as on a full disk: one line, and the exit code of storage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from gibbsflow.cli.style import show_traceback
from gibbsflow.workflow.files import storage_fault


@contextmanager
def writable_output() -> Iterator[None]:
    """End this process where what runs within cannot write its output.

    Raises
    ------
    OSError
        For what is no fault of storage.
    """
    try:
        yield
    except OSError as error:
        if (fault := storage_fault(error)) is None:
            raise
        show_traceback()
        said = str(fault) if error.filename else f"standard output: {error.strerror}"
        typer.echo(f"error: {said}\nwhat to do: {fault.what_to_do}", err=True)
        os._exit(fault.exit_code)  # what is left of the output would be tried once more, and change the exit code
