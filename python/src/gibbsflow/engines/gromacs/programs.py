"""GROMACS's programs: what is installed, inputs for a run, and runs side by side that end with this process."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from gibbsflow.engines.process import end_tree, end_with_parent, last_line, run_program
from gibbsflow.errors import EngineError, MissingProgramError
from gibbsflow.workflow.files import atomic_open, disk_blamed_first

GMX = "gmx"
GMX_MPI = "gmx_mpi"
MPIRUN = "mpirun"
RIGHT = "GROMACS 2021 or newer on PATH (Debian: gromacs), or --engine openmm"
OLDEST = 2021
"""The first with the C-rescale barostat."""
_MOST_WARNINGS = "9"
_POLL_S = 0.2
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Start:
    """A program to be started.

    Attributes
    ----------
    words
        Program and arguments.
    folder
        Working directory; what it writes goes to ``mdrun.out`` there.
    what
        What messages call it.
    """

    words: tuple[str, ...]
    folder: Path
    what: str


def mpirun() -> str | None:
    """Find the starter of gmx_mpi's own MPI: one of another MPI may stand before it on PATH.

    Returns
    -------
    str or None
        The one beside gmx_mpi, else the first on PATH; None where there is none.
    """
    program = shutil.which(GMX_MPI)
    beside = None if program is None else shutil.which(MPIRUN, path=str(Path(program).parent))
    return beside or shutil.which(MPIRUN)


def gromacs_fault() -> str:
    """Say why GROMACS cannot be used here.

    Returns
    -------
    str
        In words; empty where it can.
    """
    if shutil.which(GMX) is None:
        return f"there is no {GMX} on PATH"
    found = version()
    year = re.match(r"\d+", found)
    if year is None:
        return f"{GMX} --version says no version"
    return f"{GMX} is version {found}, before {OLDEST}" if int(year[0]) < OLDEST else ""


def require_gromacs() -> None:
    """Refuse to go on without GROMACS.

    Raises
    ------
    MissingProgramError
        Naming what is missing and what would do.
    """
    if fault := gromacs_fault():
        raise MissingProgramError(f"engine: gromacs: {fault}; right: {RIGHT}")


@cache
def version(program: str = GMX) -> str:
    """Ask a program for its version.

    Parameters
    ----------
    program
        Name on PATH.

    Returns
    -------
    str
        Such as ``2022.5-Debian_2022.5_2``; empty where it is not there or does not say.
    """
    try:
        done = subprocess.run(
            [program, "-quiet", "--version"], capture_output=True, text=True, errors="replace", timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"^GROMACS version:\s*(\S+)", done.stdout, re.MULTILINE)
    return found[1] if found else ""


def exchange_fault(windows: int) -> str:
    """Say why windows cannot exchange their states here.

    Parameters
    ----------
    windows
        How many there are, each a process; more of them than cores take turns, and lose little by that.

    Returns
    -------
    str
        In words; empty where they can.
    """
    if windows < 2:
        return "one window"
    found = {GMX_MPI: shutil.which(GMX_MPI), MPIRUN: mpirun()}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        return f"no {' and no '.join(missing)} on PATH"
    if version(GMX_MPI) != version():
        return f"{GMX_MPI} is version {version(GMX_MPI) or 'unknown'}, {GMX} {version()}"
    return ""


def make_run_input(
    folder: Path, name: str, parameters: str, frame: str, topology: Path, index: Path | None = None
) -> Path:
    """Make a run input file.

    Parameters
    ----------
    folder
        To work in.
    name
        Of the files there.
    parameters
        A ``.mdp``.
    frame
        A ``.g96``.
    topology
        Of the system.
    index
        Groups of atoms; None for those that every system has.

    Returns
    -------
    Path
        The ``.tpr``, there only when it is whole.

    Raises
    ------
    EngineError
        With what GROMACS said.
    """
    for ending, text in (("mdp", parameters), ("g96", frame)):
        with atomic_open(folder / f"{name}.{ending}", "w") as file:
            file.write(text)
    words = [GMX, "-quiet", "-nobackup", "grompp", "-f", f"{name}.mdp", "-c", f"{name}.g96", "-p", str(topology)]
    words += ["-o", f"{name}.new.tpr", "-po", f"{name}.out.mdp", "-maxwarn", _MOST_WARNINGS]
    words += [] if index is None else ["-n", str(index)]
    log = folder / f"{name}.grompp.log"
    log.unlink(missing_ok=True)
    with disk_blamed_first(folder):
        try:
            run_program(words, folder=folder, log=log)
        except EngineError as error:
            raise EngineError(f"gmx grompp: {fatal_words(log)} (log: {log})", code=error.code) from error
    return (folder / f"{name}.new.tpr").replace(folder / f"{name}.tpr")


def run_all(
    starts: Sequence[Start],
    at_once: int,
    check: Callable[[], None],
    threads: int = 1,
    left_s: Callable[[], float | None] = lambda: None,
) -> None:
    """Run programs side by side, and end them all where one fails or this process is to stop.

    Parameters
    ----------
    starts
        The programs.
    at_once
        How many may run at the same time.
    check
        Called several times a second; may raise `StoppedEarly`.
    threads
        ``OMP_NUM_THREADS`` of each.
    left_s
        Tells how long they may still run, s; None without a limit. ``mdrun`` is told so, and ends in time by itself;
        what has not begun then does not begin.

    Raises
    ------
    EngineError
        For one that fails, with its last words.
    """
    waiting = list(reversed(starts))
    running: list[tuple[Start, subprocess.Popen[bytes], IO[bytes]]] = []
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                left = left_s()
                if left is not None and left <= 0:
                    waiting.clear()
                else:
                    running.append(_begin(waiting.pop(), threads, left))
            if not running:
                return
            _wait([process for _, process, _ in running])
            check()
            for one in [one for one in running if one[1].poll() is not None]:
                running.remove(one)
                one[2].close()
                if one[1].returncode:
                    time.sleep(_POLL_S)
                    check()  # a signal to the whole group has ended it and is noted here
                    raise _failed(one[0], one[1].returncode)
    finally:
        for _, process, _ in running:
            process.terminate()
        deadline = time.monotonic() + _PATIENCE_S
        for _, process, output in running:
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(_POLL_S / 4)
            end_tree(process)
            output.close()


def _wait(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait until one ends, or a moment."""
    end = time.monotonic() + _POLL_S
    while time.monotonic() < end and all(process.poll() is None for process in processes):
        time.sleep(0.01)


def _begin(start: Start, threads: int, left_s: float | None) -> tuple[Start, subprocess.Popen[bytes], IO[bytes]]:
    program = shutil.which(start.words[0])
    if program is None:
        raise MissingProgramError(f"program {start.words[0]!r} is not installed")
    # 0 would be no limit
    limit = [] if left_s is None else ["-maxh", f"{max(left_s / 3600, 1e-6):.6f}"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    if os.getuid() == 0:  # as in a container: Open MPI would refuse
        environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    output = open(start.folder / "mdrun.out", "wb")
    process = subprocess.Popen(
        [program, *start.words[1:], *limit],
        cwd=start.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        preexec_fn=end_with_parent,
    )
    return start, process, output


def _failed(start: Start, code: int) -> EngineError:
    log = start.folder / "mdrun.out"
    if code < 0:
        return EngineError(f"{start.what}: {start.words[0]} was ended by {signal.Signals(-code).name}", code=code)
    return EngineError(f"{start.what}: {start.words[0]} failed: {fatal_words(log)} (log: {log})", code=code)


def fatal_words(log: Path) -> str:
    """Pick what GROMACS says was wrong out of a log.

    Parameters
    ----------
    log
        What a program wrote.

    Returns
    -------
    str
        On one line.
    """
    text = log.read_text(errors="replace")
    found = re.findall(
        r"^(?:Fatal error|Error in user input|Inconsistency in user input|ERROR \d+ \[.*?\]):?\n(.+?)\n\s*\n",
        text,
        re.M | re.S,
    )
    telling = [words for words in found if "error in input file" not in words and "errors in input file" not in words]
    return " ".join((telling or found or [last_line(text)])[0].split())
