"""Commands in a process of their own, which can be made to die at an exact moment of a write."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil


@dataclass(frozen=True)
class Moment:
    """When a command dies while it writes a file atomically.

    Parameters
    ----------
    file
        Name of the file.
    part
        ``half``: half of the temporary file is on disk; ``written``: all of it, not yet renamed; ``renamed``: the file
        stands.
    nth
        Which write of that file.
    number
        Signal that it dies of.
    """

    file: str
    part: Literal["half", "written", "renamed"]
    nth: int = 1
    number: int = signal.SIGKILL

    def __str__(self) -> str:
        return f"{self.file}-{self.part}-{self.nth}"


@dataclass(frozen=True)
class Ended:
    """A command that has ended: exit code (negative: the signal it died of), what it wrote, and seconds."""

    code: int
    text: str
    seconds: float


ALIVE: set[Running] = set()
"""Commands that nobody has waited for; what a failed test leaves is ended after it."""


class Running:
    """A verb that runs in a forked process: the command line's own code, without its seconds of imports."""

    def __init__(self, program: str, *words: object, dies: Moment | None = None, before: Callable[[], object] = int):
        module = importlib.import_module(f"gibbsflow.cli.{program}")
        self.log = Path(tempfile.mkstemp(prefix="fault-", suffix=".log")[1])
        self.start = time.monotonic()
        self.pid = os.fork()
        if self.pid:
            ALIVE.add(self)
        else:
            code = 70
            try:
                os.setsid()
                output = os.open(self.log, os.O_WRONLY)
                os.dup2(output, 1)
                os.dup2(output, 2)
                sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")  # not those of pytest
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
                    signal.signal(number, signal.SIG_DFL)
                before()
                if dies is not None:
                    _die_at(dies)
                module.app([str(word) for word in words])
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
            except BaseException:  # noqa: BLE001 - told in the log and in the exit code of this forked child
                import traceback

                traceback.print_exc()
                code = 1
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)

    def send(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def wait_for(self, path: Path, timeout_s: float = 120) -> None:
        """Wait until a file is there."""
        end = time.monotonic() + timeout_s
        while not path.exists():
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                ALIVE.discard(self)
            assert not done, f"ended with {status} before {path.name} was there: {self.log.read_text()}"
            assert time.monotonic() < end, f"{path} did not come"
            time.sleep(0.01)

    def wait_for_child(self, name: str, timeout_s: float = 60) -> None:
        """Wait until it runs a program, itself or through another."""
        end = time.monotonic() + timeout_s
        while True:
            for child in psutil.Process(self.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):  # ended just now
                    if child.name() == name:
                        return
            assert time.monotonic() < end, f"no {name} was started: {self.log.read_text()}"
            time.sleep(0.005)

    def wait(self) -> Ended:
        """Wait for its end."""
        _, status = os.waitpid(self.pid, 0)
        ALIVE.discard(self)
        text = self.log.read_text(errors="replace")
        self.log.unlink()
        return Ended(os.waitstatus_to_exitcode(status), text, time.monotonic() - self.start)


def run(program: str, *words: object, dies: Moment | None = None, before: Callable[[], object] = int) -> Ended:
    """Run a verb to its end."""
    return Running(program, *words, dies=dies, before=before).wait()


def _die_at(moment: Moment) -> None:
    """Make this process kill itself when it comes to the moment."""
    fsync, replace = os.fsync, os.replace
    seen = 0

    def counted() -> bool:
        nonlocal seen
        seen += 1
        return seen == moment.nth

    def dying_fsync(fd: int) -> None:
        name = os.path.basename(os.readlink(f"/proc/self/fd/{fd}"))
        if moment.part != "renamed" and name.startswith(f".{moment.file}.") and counted():
            if moment.part == "half":
                os.ftruncate(fd, os.fstat(fd).st_size // 2)
            os.kill(os.getpid(), moment.number)
        fsync(fd)

    def dying_replace(source: str, target: str) -> None:
        replace(source, target)
        if moment.part == "renamed" and os.path.basename(target) == moment.file and counted():
            os.kill(os.getpid(), moment.number)

    os.fsync, os.replace = dying_fsync, dying_replace  # type: ignore[assignment]
