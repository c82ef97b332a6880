"""Ends an MPS daemon once the process that started it is gone: run beside it, and told by the end of its input.

python -m gibbsflow.engines.gpu.mps_keeper FOLDER
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

PROGRAM = "nvidia-cuda-mps-control"
PREFIX = "gibbsflow-mps-"
ANSWER_S = 10.0
LEAVE_S = 5.0
OWNER = "owner.json"


def daemon_answer(command: str, environment: Mapping[str, str]) -> str | None:
    """Ask a daemon.

    Parameters
    ----------
    command
        In the words of its control program.
    environment
        Says by ``CUDA_MPS_PIPE_DIRECTORY`` which daemon.

    Returns
    -------
    str or None
        Its answer; None where there is no daemon, or none that answers.
    """
    try:
        ended = subprocess.run(
            [PROGRAM], input=f"{command}\n", env=environment, capture_output=True, text=True, timeout=ANSWER_S,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if ended.returncode or "Cannot find MPS" in ended.stdout + ended.stderr else ended.stdout


def end_daemon(folder: Path) -> None:
    """End a daemon with its servers: it is asked, and where it does not go it is killed; then its folder goes.

    Parameters
    ----------
    folder
        Its pipe folder, which it was started with.
    """
    environment = {**os.environ, "CUDA_MPS_PIPE_DIRECTORY": str(folder), "CUDA_MPS_LOG_DIRECTORY": str(folder / "log")}
    daemon_answer("quit", environment)
    until = time.monotonic() + LEAVE_S
    while (left := _processes(folder)) and time.monotonic() < until:
        time.sleep(0.1)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=LEAVE_S)
    shutil.rmtree(folder, ignore_errors=True)


def note_owners(folder: Path, pids: Iterable[int]) -> None:
    """Note in a daemon's folder whose it is, and where its process numbers count.

    Parameters
    ----------
    folder
        Its pipe folder.
    pids
        The processes that will end it.
    """
    processes = [[pid, psutil.Process(pid).create_time()] for pid in pids]
    (folder / OWNER).write_text(json.dumps({"machine": _machine(), "processes": processes}))


def end_orphans(places: Iterable[Path]) -> int:
    """End daemons whose owner and keeper are both gone, which only a kill of both leaves.

    A folder for temporary files may be one that machines, or containers, share: those of others are left alone.

    Parameters
    ----------
    places
        Where their folders lie.

    Returns
    -------
    int
        How many there were.
    """
    ended = 0
    for folder in (folder for place in places for folder in place.glob(f"{PREFIX}*")):
        with suppress(OSError, ValueError, KeyError):
            if folder.stat().st_uid == os.getuid():
                owner = json.loads((folder / OWNER).read_text())
                if owner["machine"] == _machine() and not any(_lives(pid, begun) for pid, begun in owner["processes"]):
                    end_daemon(folder)
                    ended += 1
    return ended


def _machine() -> str:
    """Name this machine and, of its spaces of process numbers, this one."""
    return f"{platform.node()} {os.readlink('/proc/self/ns/pid')}"


def _lives(pid: int, begun: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - begun) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _processes(folder: Path) -> list[psutil.Process]:
    """MPS's processes that were started with this folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            named = any(Path(word).name.startswith("nvidia-cuda-mps") for word in process.cmdline()[:2])
            if named and process.environ().get("CUDA_MPS_PIPE_DIRECTORY") == str(folder):
                found.append(process)
    return found


def main() -> None:
    """Wait for the end of standard input, then end the daemon."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a scheduler signals every process of a job; this one ends after it
    sys.stdin.buffer.read()
    end_daemon(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
