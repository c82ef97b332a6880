"""How every verb runs (docs/contracts.md): logging, result.json, and errors turned into exit codes."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from gibbsflow.errors import EXIT_SCIENCE, GibbsflowError, StoppedEarly, StorageError
from gibbsflow.workflow.credentials import DiscreetFormatter, without_passwords
from gibbsflow.workflow.files import make_writable, storage_fault
from gibbsflow.workflow.log_tail import LogTail, recent_lines
from gibbsflow.workflow.result import Result, failed_status
from gibbsflow.workflow.signals import (
    Signalled,
    ignore_stop_signals,
    raise_signalled,
    restore_handlers,
    set_stop_handler,
)
from gibbsflow.workflow.state import sentinels
from gibbsflow.workflow.state.sentinels import failed_sentinel


class Program(typer.Typer):
    """The command line of a process of its own, which ends with its verb."""

    runs = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it."""
        Program.runs = True
        return super().__call__(*args, **kwargs)


@contextmanager
def verb(out: Path | None, *, state: Path | None = None, as_json: bool = False) -> Iterator[Result]:
    """Run the body of a verb: log to standard error, write ``result.json``, turn errors into exit codes.

    Parameters
    ----------
    out
        Folder of the result; None for verbs that only print.
    state
        State folder; a failure is recorded there as ``FAILED``.
    as_json
        Print the result on standard output.

    Yields
    ------
    Result
        To be filled by the body.
    """
    log = logging.StreamHandler(sys.stderr)
    formatter = DiscreetFormatter("%(asctime)s %(levelname)s %(message)s")
    log.setFormatter(formatter)
    logging.basicConfig(handlers=[log, LogTail(formatter)], level=logging.INFO, force=True)
    result = Result()
    start = time.monotonic()
    code = 0
    before = set_stop_handler(raise_signalled)
    try:
        try:
            if out is not None:
                make_writable(out)
            yield result
            if state is not None:
                (Path(state) / "FAILED").unlink(missing_ok=True)  # what failed before has now been done
        finally:
            ignore_stop_signals()  # what is left takes a moment, and must not be cut in half
    except (GibbsflowError, Signalled) as raised:
        code = _tell(raised if isinstance(raised, GibbsflowError) else StoppedEarly(str(raised)), result, state)
    except Exception as raised:  # noqa: BLE001 - storage, or a defect of ours: recorded, shown, and the run fails
        if (fault := storage_fault(raised)) is not None:
            code = _tell(fault, result, state)
        else:
            code = EXIT_SCIENCE
            result.status, result.cause, result.message = (
                "failed",
                type(raised).__name__,
                without_passwords(str(raised)),
            )
            typer.echo(without_passwords(traceback.format_exc()), err=True)
            _record(
                sentinels.Sentinel(
                    "FAILED", result.inputs_hash, cause=result.cause, message=result.message, log=recent_lines()
                ),
                state,
            )
    result.timings["total_s"] = round(time.monotonic() - start, 3)
    try:
        if out is not None and Path(out).is_dir():
            result.write(out)
    except OSError as raised:
        code = code or _tell(StorageError(str(raised)), result, None)
    nested = raise_signalled in before.values()
    if nested or not (code and Program.runs):  # else the process ends, and no late signal may change its exit code
        restore_handlers(before)
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=2, default=_plain))
    if code:
        raise typer.Exit(code)


def _tell(error: GibbsflowError, result: Result, state: Path | None) -> int:
    """Say what happened, on the terminal, in the result and in the state folder; returns the exit code."""
    result.status = "partial" if isinstance(error, StoppedEarly) else failed_status(error.cause)
    result.cause, result.message = error.cause, without_passwords(str(error))
    label = "stopped" if isinstance(error, StoppedEarly) else "error"
    typer.echo(f"{label}: {result.message}\nwhat to do: {error.what_to_do}", err=True)
    if error.of_item and not error.recorded:
        _record(failed_sentinel(error, result.inputs_hash), state)
    return error.exit_code


def _record(sentinel: sentinels.Sentinel, state: Path | None) -> None:
    try:
        if state is not None:
            sentinel.write(state)
    except OSError as error:
        typer.echo(f"the failure could not be recorded: {error}", err=True)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
