"""One way to start and end a foreign program: bounds on memory and time, one thread, its log kept."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from gibbsflow.errors import EngineError, MissingProgramError

_ENDING_S = 5.0
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
_LIMITED = 'ulimit -v "$0" && exec "$@"'
_WHOLE_STACK = 'ulimit -S -s "$(ulimit -H -s)" && exec "$0" "$@"'


@dataclass(frozen=True)
class Bounds:
    """What one run of a program may use.

    Attributes
    ----------
    memory_gb
        Address space of each process in GB (``RLIMIT_AS``); None for no bound.
    time_s
        Wall-clock seconds; None for no bound.
    threads
        Value of ``OMP_NUM_THREADS``.
    whole_stack
        Whether it has all of the stack that the hard limit allows, as Fortran's automatic arrays may need.
    """

    memory_gb: float | None = None
    time_s: float | None = None
    threads: int = 1
    whole_stack: bool = False


def find_program(name: str) -> str:
    """Find a program: beside this Python first, since that is the locked environment, then on PATH.

    Parameters
    ----------
    name
        Name of the program's file.

    Returns
    -------
    str
        Path that can be run.

    Raises
    ------
    MissingProgramError
        Where there is none.
    """
    here = Path(sys.executable).parent / name
    found = str(here) if os.access(here, os.X_OK) else shutil.which(name)
    if found is None:
        raise MissingProgramError(f"program {name!r} is not installed")
    return found


def run_program(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end and return what it wrote.

    Parameters
    ----------
    command
        Program name and its arguments.
    folder
        Working directory.
    log
        File that takes standard output and error; appended to.
    bounds
        Memory, time and threads.
    environment
        Variables to set besides those of this process.

    Returns
    -------
    str
        Standard output and error of this run.

    Raises
    ------
    MissingProgramError
        Where the program is not installed.
    EngineError
        When it fails or runs over its time; names the log and its last lines.
    """
    program = [find_program(command[0]), *command[1:]]
    if bounds.memory_gb is not None:
        program = ["/bin/sh", "-c", _LIMITED, str(int(bounds.memory_gb * 1024**2)), *program]
    if bounds.whole_stack:
        program = ["/bin/sh", "-c", _WHOLE_STACK, *program]
    variables = {**os.environ, "OMP_NUM_THREADS": str(bounds.threads), **(environment or {})}
    with open(log, "a+", errors="replace") as output:
        output.write(f"$ {' '.join(command)}\n")
        output.flush()
        start = output.tell()
        process = subprocess.Popen(program, cwd=folder, env=variables, stdout=output, stderr=subprocess.STDOUT)
        try:
            code = process.wait(bounds.time_s)
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"{command[0]} ran over its {bounds.time_s:.0f} s (log: {log})") from error
        finally:
            end_tree(process)
        output.seek(start)
        text = output.read()
    if code:
        raise EngineError(f"{command[0]} ended with code {code} (log: {log}): {last_line(text)}", code=code)
    return text


def last_line(text: str) -> str:
    """Pick the last line of a log that says something, preferring one that speaks of an error.

    Parameters
    ----------
    text
        What a program wrote.

    Returns
    -------
    str
        The line without surrounding blanks; ``no output`` where there is none.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip(" \t-=*!")]
    telling = [line for line in lines if any(word in line.lower() for word in ("error", "fatal", "cannot", "fail"))]
    return (telling or lines or ["no output"])[-1]


def let_end(process: subprocess.Popen[bytes]) -> None:
    """Close the pipes of a worker, which ends by itself then; one that does not within five seconds is killed.

    Parameters
    ----------
    process
        That reads requests from its standard input.
    """
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            # what it did not read before it ended
            with suppress(OSError):
                stream.close()
    try:
        process.wait(_ENDING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs, with all it started (antechamber starts sqm through a shell).

    Parameters
    ----------
    process
        Of this process's own children.
    """
    if process.poll() is not None:
        return
    try:
        tree = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        tree = []
    for child in tree:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    process.kill()
    # not by wait(): a signal that was raised within it can have left its lock taken, for good
    try:
        _, status = os.waitpid(process.pid, 0)
    except ChildProcessError:
        return  # it ended by itself, and poll() has seen it meanwhile
    process.returncode = os.waitstatus_to_exitcode(status)


def end_with_parent(by: int = signal.SIGKILL) -> None:
    """Let the kernel end this process where its parent is killed: a run that goes on alone would only cost time.

    Parameters
    ----------
    by
        Signal that it gets; SIGTERM where it has programs of its own to end.
    """
    if _PRCTL is not None:
        _PRCTL(_DIE_WITH_PARENT, by)


_PRCTL = getattr(ctypes.CDLL(None), "prctl", None)
