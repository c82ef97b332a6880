"""The conduct of a verb (docs/contracts.md): logging, result.json, and errors turned into exit codes."""

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

from gibbsflow.errors import EXIT_SCIENCE, GibbsflowError, LockedError, StoppedEarly
from gibbsflow.workflow import sentinels
from gibbsflow.workflow.result import Result


@contextmanager
def verb(out: Path | None, *, state: Path | None = None, as_json: bool = False) -> Iterator[Result]:
    """Conduct one verb: log to standard error, write ``result.json``, turn errors into exit codes.

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
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        force=True,
    )
    result = Result()
    start = time.monotonic()
    code = 0
    try:
        if out is not None:
            _writable(out)
        yield result
        if state is not None:
            (Path(state) / "FAILED").unlink(missing_ok=True)  # what failed before has now been done
    except GibbsflowError as error:
        code = error.exit_code
        result.status = "partial" if isinstance(error, StoppedEarly) else "failed"
        if error.cause in ("Unbound", "Unconverged"):
            result.status = "unbound" if error.cause == "Unbound" else "unconverged"
        result.cause, result.message = error.cause, str(error)
        label = "stopped" if isinstance(error, StoppedEarly) else "error"
        typer.echo(f"{label}: {error}\nwhat to do: {error.what_to_do}", err=True)
        # who meets a lock must not write into the folder of its holder
        if state is not None and not isinstance(error, StoppedEarly | LockedError):
            sentinels.failed(error, result.inputs_hash).write(state)
    except Exception as error:  # noqa: BLE001 - a defect of ours: recorded, shown, and the run fails
        code = EXIT_SCIENCE
        result.status, result.cause, result.message = (
            "failed",
            type(error).__name__,
            str(error),
        )
        traceback.print_exc()
        if state is not None:
            sentinels.Sentinel("FAILED", result.inputs_hash, cause=result.cause, message=result.message).write(state)
    result.timings["total_s"] = round(time.monotonic() - start, 3)
    if out is not None and Path(out).is_dir():
        result.write(out)
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=2, default=_plain))
    if code:
        raise typer.Exit(code)


def _writable(out: Path) -> None:
    from gibbsflow.errors import InputError, Problem

    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        probe = Path(out) / ".gibbsflow-write-test"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(Problem(str(out), f"not writable: {error.strerror}", "a folder you may write to")) from error


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
