"""How every verb runs (docs/contracts.md): logging, result.json, and errors turned into exit codes."""

from __future__ import annotations

import json
import logging
import shlex
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import typer

from gibbsflow.cli.style import program_runs, show_traceback, style, tell_of_defect
from gibbsflow.errors import EXIT_SCIENCE, GibbsflowError, InputError, StateError, StoppedEarly, StorageError
from gibbsflow.version import __version__
from gibbsflow.workflow.credentials import DiscreetFormatter, without_passwords
from gibbsflow.workflow.files import make_writable, storage_fault
from gibbsflow.workflow.log_tail import LogTail, recent_lines
from gibbsflow.workflow.progress import end_line
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

_log = logging.getLogger(__name__)
_MADE_AGAIN = "Nothing was changed. Take that file from a copy, or let the verb that writes it make it again."


@contextmanager
def verb(
    out: Path | None, *, state: Path | None = None, as_json: bool = False, reads: bool = False
) -> Iterator[Result]:
    """Run the body of a verb: log to standard error, write ``result.json``, turn errors into exit codes.

    Parameters
    ----------
    out
        Folder of the result; None for verbs that only print.
    state
        State folder; a failure is recorded there as ``FAILED``.
    as_json
        Print the result on standard output. A verb without this choice has it done where ``--json`` asks for it, and
        what its body prints becomes lines in ``printed``. A failure is printed by the outermost verb in any case.
    reads
        Whether the verb only reads what others wrote: a damaged file of gibbsflow's own is then an input that is wrong.

    Yields
    ------
    Result
        To be filled by the body.
    """
    log = _BesideBars(sys.stderr)
    formatter = DiscreetFormatter("%(asctime)s %(levelname)s %(message)s")
    log.setFormatter(formatter)
    level = logging.WARNING if style().quiet else logging.INFO
    logging.basicConfig(handlers=[log, LogTail(formatter)], level=level, force=True)
    logging.getLogger("gibbsflow").setLevel(logging.DEBUG if style().verbose else logging.NOTSET)
    _log.debug("gibbsflow %s, out %s, state %s: %s", __version__, out, state, shlex.join(sys.argv))
    result = Result()
    start = time.monotonic()
    code = 0
    before = set_stop_handler(raise_signalled)
    nested = raise_signalled in before.values()
    whole = style().as_json and not style().own_document and not nested
    printed = StringIO()
    try:
        try:
            if out is not None:
                make_writable(out)
            with redirect_stdout(printed) if whole else nullcontext():
                yield result
            if state is not None:
                (Path(state) / "FAILED").unlink(missing_ok=True)  # what failed before has now been done
        finally:
            ignore_stop_signals()  # what is left takes a moment, and must not be cut in half
    except (GibbsflowError, Signalled) as raised:
        advice = vars(raised).get("what_to_do", _MADE_AGAIN)  # its own knows more than what is said of any file
        told = InputError(str(raised), what_to_do=advice) if reads and isinstance(raised, StateError) else raised
        code = _tell(told if isinstance(told, GibbsflowError) else StoppedEarly(str(told)), result, state)
    except Exception as raised:  # noqa: BLE001 - storage, or a defect of ours: recorded, shown, and the run fails
        if (fault := storage_fault(raised)) is not None:
            code = _tell(fault, result, state)
        else:
            code = EXIT_SCIENCE
            result.status, result.cause, result.message = "failed", type(raised).__name__, tell_of_defect(raised)
            result.figures["traceback"] = without_passwords(traceback.format_exc()).splitlines()
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
    if nested or not (code and program_runs()):  # else the process ends, and no late signal may change its exit code
        restore_handlers(before)
    if whole:
        result.figures["printed"] = printed.getvalue().splitlines()
    if as_json or whole or (code and style().as_json and not nested):
        typer.echo(json.dumps(result.as_dict(), indent=2, default=_plain))
    _log.debug("done in %.1f s", result.timings["total_s"])
    if code:
        raise typer.Exit(code)


class _BesideBars(logging.StreamHandler):  # type: ignore[type-arg]
    def emit(self, record: logging.LogRecord) -> None:
        end_line()
        super().emit(record)


def _tell(error: GibbsflowError, result: Result, state: Path | None) -> int:
    """Say what happened, on the terminal, in the result and in the state folder; returns the exit code."""
    result.status = "partial" if isinstance(error, StoppedEarly) else failed_status(error.cause)
    result.cause, result.message = error.cause, without_passwords(str(error))
    end_line()
    show_traceback()
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
