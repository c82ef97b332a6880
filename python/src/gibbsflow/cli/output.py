"""Standard output that cannot be written to, as on a full disk: one line, and the exit code of storage.

Standard error that was closed goes nowhere, and changes no exit code.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from gibbsflow.cli.style import show_traceback
from gibbsflow.workflow.files import storage_fault


def _open_standard_error() -> None:
    """Put the null device in the place of a closed standard error (``2>&-``).

    There bash has left its script, to be read alone; without bash the next file that is opened would stand there.
    """
    try:
        writable = fcntl.fcntl(2, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
    except OSError:
        writable = False
    if not writable:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.set_inheritable(2, True)
        if nowhere != 2:
            os.close(nowhere)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


@contextmanager
def writable_output() -> Iterator[None]:
    """End this process where what runs within cannot write its output.

    Raises
    ------
    OSError
        For what is no fault of storage.
    """
    _open_standard_error()
    try:
        yield
    except OSError as error:
        if (fault := storage_fault(error)) is None:
            raise
        show_traceback()
        said = str(fault) if error.filename else f"standard output: {error.strerror}"
        typer.echo(f"error: {said}\nwhat to do: {fault.what_to_do}", err=True)
        os._exit(fault.exit_code)  # what is left of the output would be tried once more, and change the exit code
