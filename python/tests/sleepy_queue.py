"""Tasks that trouble a queue, importable by its workers. As a program: slow ones, to be stopped (FOLDER WORKERS)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from gibbsflow.errors import StoppedEarly
from gibbsflow.potential.label.task_queue import TaskQueue
from gibbsflow.workflow.state.segments import Stopper


def work(folder: str, number: int) -> int:
    # a foreign program, as pw.x is: from the third on, one that takes far too long
    subprocess.run(["sleep", "0.05" if number < 2 else "987"], check=False)
    (Path(folder) / f"ended-{number}").touch()
    return number


def deadly(folder: str, number: int) -> int:
    """Kills its own worker: once for 1, always for 2."""
    mark = Path(folder) / f"killed-{number}"
    if number == 2 or (number == 1 and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def main() -> int:
    folder, workers = Path(sys.argv[1]), int(sys.argv[2])
    queue: TaskQueue[int, int] = TaskQueue(workers)
    try:
        with Stopper() as stopper:
            queue.run(
                partial(work, str(folder)), list(range(6)), stopper=stopper, lost=lambda number, why: None,
                done=lambda number, result: (folder / f"recorded-{number}").touch(),
            )  # fmt: skip
    except StoppedEarly as stopped:
        sys.stdout.write(str(stopped))
        return stopped.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
