"""One writer a state folder: a kernel lock that ends with its process, plus a record of who holds it."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gibbsflow.errors import LockedError

log = logging.getLogger(__name__)


@contextmanager
def folder_lock(folder: Path, name: str = ".lock") -> Iterator[None]:
    """Hold a folder for writing.

    The lock is the kernel's (``flock``), so it cannot outlive its process on this host. The file also records host,
    pid and SLURM job for file systems on which ``flock`` does not reach other hosts.

    Parameters
    ----------
    folder
        Folder to hold; made where absent.
    name
        File name of the lock.

    Raises
    ------
    LockedError
        Another process holds it.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with open(path, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise LockedError(f"{folder}: held by {file.read().strip() or 'another process'}") from error
        file.seek(0)
        before = file.read().strip()
        if before:
            log.warning("%s: stale lock of %s taken over", folder, before)
        file.truncate(0)
        file.write(json.dumps(holder()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def is_held(folder: Path, name: str = ".lock") -> bool:
    """Say whether a process on this host holds a folder, without touching the lock."""
    path = Path(folder) / name
    if not path.exists():
        return False
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def holder() -> dict[str, str | int]:
    """Who this process is, in the words of a lock or an attempt."""
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "slurm_job": os.environ.get("SLURM_JOB_ID", ""),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
