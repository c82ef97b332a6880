"""One writer a state folder: a kernel lock that ends with its process, plus a record of who holds it."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import psutil

from gibbsflow.errors import LockedError

log = logging.getLogger(__name__)
_ASKED = 10
_FLOCK = "hhqqi4x"
"""Linux' struct flock: type, whence, start, length, pid."""


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
        Where another process holds it, or a SLURM job that still runs left its record in the file.
    OSError
        Where the folder cannot be made or its lock not be written, as on a full disk; names the file.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with open(path, "a+", errors="replace") as file:
        try:
            _take(file)
        except BlockingIOError as error:
            file.seek(0)
            raise LockedError(f"{folder}: held by {describe_holder(file.read())}") from error
        file.seek(0)
        before = file.read().strip()
        if before:
            if job_runs(before):
                raise LockedError(f"{folder}: held by {describe_holder(before)}")
            log.warning(
                "%s: stale lock of %s taken over: it has ended without letting go", folder, describe_holder(before)
            )
        file.truncate(0)
        try:
            os.write(file.fileno(), json.dumps(holder()).encode())
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from error  # a full disk does not say which file
        try:
            yield
        finally:
            file.truncate(0)


@contextmanager
def campaign_lock(state: Path) -> Iterator[None]:
    """Hold a campaign's state folder as its head: the same lock and record as the pipeline's launch takes.

    Parameters
    ----------
    state
        State folder of the campaign; made where absent.

    Raises
    ------
    LockedError
        Another head holds it.
    """
    state = Path(state)
    state.mkdir(parents=True, exist_ok=True)
    record = state / ".head.json"
    with open(state / ".head.lock", "a") as file:
        before = record.read_text(errors="replace") if record.exists() else ""
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of the kind that Java's FileLock is
            free = not job_runs(before)
        except (BlockingIOError, PermissionError):
            free = False
        if not free:
            raise LockedError(f"the campaign in {state} is held by another run: {describe_holder(before)}")
        if before:
            log.warning("%s was held by %s, which ended without letting go: taken over", state, describe_holder(before))
        record.write_text(json.dumps(holder() | {"run": "run-local"}))
        try:
            yield
        finally:
            record.unlink(missing_ok=True)


@dataclass(frozen=True)
class CampaignHead:
    """Who holds a campaign, or held it last, by the record beside its lock; in words for the next that wants it.

    Attributes
    ----------
    refusal
        What to say where the campaign is held.
    takeover
        What to say where the lock turns out to be free: its holder has crashed. None where it let go.
    runs_elsewhere
        Whether it runs on as a SLURM job of another host, wherever the kernel's lock reaches.
    """

    refusal: str
    takeover: str | None
    runs_elsewhere: bool


def campaign_head(state: Path) -> CampaignHead:
    """Read whose a campaign is, without touching its lock.

    Parameters
    ----------
    state
        State folder of the campaign, which need not be there.

    Returns
    -------
    CampaignHead
        The last head; its `refusal` speaks of a run without a record where there is none that can be read.
    """
    record = Path(state) / ".head.json"
    before = record.read_text(errors="replace") if record.exists() else ""
    try:
        told = json.loads(before)
        named = f"{told.get('run') or 'a run'}, {describe_holder(before)}" if told.get("pid") else ""
    except (json.JSONDecodeError, AttributeError):
        named = ""  # half-written in a crash: it holds nobody
    refusal = f"The campaign in {state} is held by another run: {named or 'a run that left no record'}."
    takeover = f"The campaign in {state} was held by {named}, which has ended without letting go: taken over."
    return CampaignHead(refusal, takeover if named else None, job_runs(before))


def head_holds(state: Path) -> bool:
    """Say whether a head of this host, or of one that the kernel's lock reaches, holds a campaign.

    Asked of the kernel without taking the lock, so that no head that begins now is refused for it.

    Parameters
    ----------
    state
        State folder of the campaign.

    Returns
    -------
    bool
        Whether another process holds it.
    """
    path = Path(state) / ".head.lock"
    if path.is_symlink() or not path.is_file():
        return False
    if campaign_head(state).runs_elsewhere:
        return True
    with open(path, "rb") as file:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, *_ = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    return bool(kind != fcntl.F_UNLCK)


def _take(file: IO[str]) -> None:
    """Lock an open file; asks again for a second, since `is_held` holds it for a moment."""
    for left in range(_ASKED, -1, -1):
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not left:
                raise
            time.sleep(1 / _ASKED)


def describe_holder(record: str) -> str:
    """Say in words whose a lock's record is.

    Parameters
    ----------
    record
        Content of the lock's file: JSON of :func:`holder`, or what is left of it.

    Returns
    -------
    str
        Process, host, SLURM job and time, as far as they are known.
    """
    try:
        content = json.loads(record)
        job = f", SLURM job {content['slurm_job']}" if content.get("slurm_job") else ""
        return f"pid {content['pid']} on {content['host']}{job}, since {content['since']}"
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        return record.strip() or "another process"


def job_runs(record: str) -> bool:
    """Say whether a lock's record is of another host whose SLURM job still runs.

    There the kernel's lock may not reach, depending on the file system; without SLURM it alone decides.

    Parameters
    ----------
    record
        Content of the lock's file.

    Returns
    -------
    bool
        True also where SLURM does not answer.
    """
    try:
        content = json.loads(record)
        job, host = str(content.get("slurm_job") or ""), content.get("host")
    except (json.JSONDecodeError, AttributeError):
        return False
    squeue = shutil.which("squeue")
    if host == socket.gethostname() or not job or job == os.environ.get("SLURM_JOB_ID") or squeue is None:
        return False
    try:
        asked = subprocess.run(
            [squeue, "--noheader", "--jobs", job, "--format", "%T"], capture_output=True, text=True, timeout=60
        )
    except subprocess.TimeoutExpired:
        log.warning("squeue does not answer: whether job %s runs is not known, so it counts as running", job)
        return True
    return asked.returncode == 0 and bool(asked.stdout.strip())


def job_states(jobs: Collection[str]) -> dict[str, str]:
    """Ask SLURM how jobs are, all at once.

    Parameters
    ----------
    jobs
        Their numbers, as SLURM_JOB_ID had them.

    Returns
    -------
    dict
        State in SLURM's words by job; none of those that SLURM does not know, or where there is no SLURM.
    """
    known = sorted({job for job in jobs if job.isdigit()})
    states: dict[str, str] = {}
    for command in (
        ["sacct", "-X", "-n", "-P", "-o", "JobIDRaw,State", "-j", ",".join(known)],
        ["squeue", "-h", "-r", "-t", "all", "-o", "%A|%T", "-j", ",".join(known)],  # the controller knows best
    ):
        if not known or (program := shutil.which(command[0])) is None:
            continue
        with suppress(subprocess.TimeoutExpired):
            asked = subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=60)
            lines = [line.split("|") for line in asked.stdout.splitlines() if line.count("|") == 1]
            states |= {job: state.split()[0] for job, state in lines if state.strip()}
    return states


def is_held(folder: Path, name: str = ".lock") -> bool:
    """Say whether a process on this host holds a folder, without touching the lock.

    Parameters
    ----------
    folder
        The folder.
    name
        File name of the lock.

    Returns
    -------
    bool
        Whether it is held.
    """
    path = Path(folder) / name
    if not path.exists():
        return False
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def holder() -> dict[str, str | int | float]:
    """Say who this process is, in the words of a lock or an attempt.

    Returns
    -------
    dict
        ``host``, ``pid``, ``process_started`` (seconds since the epoch), ``slurm_job`` (empty outside SLURM) and
        ``since`` (now, UTC).
    """
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "process_started": process_started(os.getpid()),
        "slurm_job": os.environ.get("SLURM_JOB_ID", ""),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def process_started(pid: int) -> float:
    """Look up when a process of this host started.

    With it a pid is told apart from the same number given to another process later.

    Parameters
    ----------
    pid
        Number of the process.

    Returns
    -------
    float
        Seconds since the epoch; 0 where there is no such process.
    """
    try:
        return round(float(psutil.Process(pid).create_time()), 2)
    except psutil.Error:
        return 0.0
