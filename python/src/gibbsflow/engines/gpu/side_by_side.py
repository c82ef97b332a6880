"""Several runs of one kind on one GPU at the same time, each in a process of its own: none can take others down.

They share the MPS daemon that is begun before them. What a run has done stands in its own state folder; a group that
was stopped goes on where each of its runs was.
"""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gibbsflow.errors import EXIT_DONE, EXIT_INPUT, EXIT_INSTALLATION, EXIT_SCIENCE, EXIT_STOPPED, EXIT_STORAGE

log = logging.getLogger(__name__)
LOOK_S = 0.2
SAVE_S = 240.0
"""What a run that is asked to stop may take to save its state."""
_CRASHES = (-4, -6, -7, -8, -11)
"""SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV: a fault of the run, as an exception is."""
OF_ONE = (EXIT_DONE, EXIT_STOPPED, EXIT_INPUT, EXIT_SCIENCE)
"""Exit codes that say nothing of the other runs."""


def run_side_by_side(commands: Mapping[str, Sequence[str]], logs: Path) -> dict[str, int]:
    """Run commands to their ends, all at the same time.

    Where one meets what concerns all (no disk, no GPU, killed) the others are stopped, with their state saved.

    Parameters
    ----------
    commands
        Command by name of the run.
    logs
        Folder that takes ``<name>.log`` of each.

    Returns
    -------
    dict
        Exit code by name; of one that was killed 128 and the signal, of one that crashed that of failed science.
    """
    codes: dict[str, int] = {}
    with _children() as running:
        for name, command in commands.items():
            with open(logs / f"{name}.log", "ab") as output:
                running[name] = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
                )
        while running:
            time.sleep(LOOK_S)
            for name in [name for name, process in running.items() if process.poll() is not None]:
                codes[name] = _exit_code(running.pop(name).returncode)
                log.info("%s ended with code %d; its log: %s", name, codes[name], logs / f"{name}.log")
                if codes[name] not in OF_ONE:
                    _stop(running)
    return codes


def group_code(codes: Collection[int]) -> int:
    """Exit code of a group.

    Parameters
    ----------
    codes
        Exit codes of its runs.

    Returns
    -------
    int
        The gravest of what concerns all: no disk or GPU, killed; then stopped. A run that failed by itself does not
        count: it has no results, and its state says why.
    """
    shared = [code for code in codes if code not in OF_ONE]
    grave = [code for code in (EXIT_STORAGE, EXIT_INSTALLATION) if code in shared]
    return (grave or shared or [EXIT_STOPPED if EXIT_STOPPED in codes else EXIT_DONE])[0]


def _exit_code(code: int) -> int:
    if code in _CRASHES:
        return EXIT_SCIENCE
    return 128 - code if code < 0 else code


@contextmanager
def _children() -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Processes by name; those that run at the end of the block, a signal's too, are stopped and waited for."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        yield running
    finally:
        _stop(running)
        until = time.monotonic() + SAVE_S
        for process in running.values():
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _stop(running: Mapping[str, subprocess.Popen[bytes]]) -> None:
    for process in running.values():
        if process.poll() is None:
            process.terminate()
