"""NVIDIA's MPS: what lets several Contexts compute on a card at the same time.

A task starts a daemon in a folder of its own, which needs no root, and a keeper (`mps_keeper`) that ends it once the
task's process is gone, for whatever reason it went: the Contexts of a process must not outlive the daemon that they
compute through. A daemon that is there already, a user's or a site's, is used and left alone. Every wait has an end;
whatever does not work leaves the task without MPS, and says why.

    https://docs.nvidia.com/deploy/mps
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.engines.gpu.mps_keeper import PREFIX, PROGRAM, daemon_answer, end_daemon, end_orphans, note_owners

log = logging.getLogger(__name__)
LONGEST_FOLDER = 87
"""Characters of the pipe folder; with more the daemon does not start, as its sockets' names become too long."""
START_S = 20.0
FIRST_CONTEXT_S = 60.0
END_S = 45.0
"""More than the keeper's own waits together."""
DEFAULT_PIPES = Path("/tmp/nvidia-mps")
_PIPES, _LOGS, _DEVICES = "CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY", "CUDA_VISIBLE_DEVICES"
FIRST_CONTEXT = (
    sys.executable,
    "-P",
    "-c",
    "import ctypes, sys\n"
    "cuda, device, context = ctypes.CDLL('libcuda.so.1'), ctypes.c_int(), ctypes.c_void_p()\n"
    "calls = (lambda: cuda.cuInit(0), lambda: cuda.cuDeviceGet(ctypes.byref(device), 0),\n"
    "         lambda: cuda.cuCtxCreate_v2(ctypes.byref(context), 0, device), lambda: cuda.cuCtxDestroy_v2(context))\n"
    "fault = next((f'CUDA error {code}' for call in calls if (code := call())), 0)\n"
    "enabled = ctypes.c_int()\n"
    "if not fault and cuda.cuDeviceGetAttribute(ctypes.byref(enabled), 133, device) == 0 and enabled.value:\n"
    "    print('through MPS')\n"
    "sys.exit(fault)",
)
"""Makes a CUDA context and lets it go, in a process of its own that can be ended where it hangs.

It says whether contexts go through MPS (CU_DEVICE_ATTRIBUTE_MPS_ENABLED = 133, which older drivers do not have)."""


@dataclass(frozen=True)
class Mps:
    """Whether Contexts compute at the same time.

    Attributes
    ----------
    on
        Whether MPS is there.
    why
        Whose it is, or why there is none.
    """

    on: bool
    why: str

    def __str__(self) -> str:
        return f"{'on' if self.on else 'off'} ({self.why})"


def shared_card(*, several: bool = True, first_context: Sequence[str] = FIRST_CONTEXT) -> Mps:
    """Share the card of this process and of those it starts, before the first Context is made.

    Parameters
    ----------
    several
        Whether there will be more than one Context at a time; else no daemon is started.
    first_context
        Command that tries the card.

    Returns
    -------
    Mps
        What was done. Its daemon goes when this process has gone, however that ends.
    """
    mps = _found(first_context) or (
        _started(first_context) if several else Mps(False, "one walker at a time, which has the card for itself")
    )
    log.info("mps: %s", mps)
    return mps


def _found(first_context: Sequence[str]) -> Mps | None:
    """Look for a daemon that is there already; None where there is none."""
    pipes = Path(os.environ.get(_PIPES) or DEFAULT_PIPES)
    if shutil.which(PROGRAM) is None or not (pipes / "control").exists():
        return None
    if daemon_answer("get_server_list", os.environ) is None:
        return None
    fault = _fault(first_context)
    if fault is None:
        return Mps(True, f"a daemon that was there already, in {pipes}")
    os.environ[_PIPES] = str(DEFAULT_PIPES.with_name("no-mps"))  # where none listens, CUDA does without
    return Mps(False, f"with the daemon that was there already, in {pipes}, {fault}")


def _started(first_context: Sequence[str]) -> Mps:
    """Start a daemon for this process; without one where that does not work."""
    if shutil.which(PROGRAM) is None:
        return Mps(False, f"{PROGRAM} is not installed here")
    end_orphans(_places())
    folder = _folder()
    if folder is None:
        return Mps(False, "no folder whose name is short enough for its sockets; set TMPDIR to one")
    keeper = _keep(folder)
    before = {name: os.environ.get(name) for name in (_PIPES, _LOGS, _DEVICES)}
    os.environ |= {_PIPES: str(folder), _LOGS: str(folder / "log")}
    fault = _start(folder)
    if fault is None:
        # the daemon counts the devices that it was given from 0 on, and so do its clients
        if re.fullmatch(r"\d+(,\d+)*", before[_DEVICES] or ""):
            os.environ[_DEVICES] = ",".join(str(i) for i in range(len(before[_DEVICES].split(","))))  # type: ignore[union-attr]
        fault = _fault(first_context)
    if fault is None:
        return Mps(True, f"a daemon of this task's own, in {folder}")
    for name, value in before.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})
    _let_go(keeper, folder)
    return Mps(False, fault)


def _places() -> list[Path]:
    """Folders that a daemon's may be made in."""
    return list(dict.fromkeys([Path(tempfile.gettempdir()), Path("/tmp")]))


def _folder() -> Path | None:
    for place in _places():
        with suppress(OSError):
            if len(str(place / PREFIX)) + 8 <= LONGEST_FOLDER:
                return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    return None


_KEEPERS: list[subprocess.Popen[bytes]] = []
"""Their standard inputs must stay open as long as this process lives."""


def _keep(folder: Path) -> subprocess.Popen[bytes]:
    """Start the keeper: it notices the end of this process by the end of its standard input."""
    (folder / "log").mkdir()
    keeper = subprocess.Popen(
        [sys.executable, "-P", "-m", "gibbsflow.engines.gpu.mps_keeper", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    _KEEPERS.append(keeper)
    note_owners(folder, (os.getpid(), keeper.pid))
    return keeper


def _let_go(keeper: subprocess.Popen[bytes], folder: Path) -> None:
    """Have the keeper end its daemon now; where it does not answer that is done here."""
    assert keeper.stdin is not None
    keeper.stdin.close()
    try:
        keeper.wait(END_S)
    except subprocess.TimeoutExpired:
        keeper.kill()
        end_daemon(folder)
    _KEEPERS.remove(keeper)


def _start(folder: Path) -> str | None:
    """Start the daemon; returns what was wrong."""
    begin = time.monotonic()
    with open(folder / "log" / "start.log", "wb") as output:
        try:
            code = subprocess.run(
                [PROGRAM, "-d"], stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=START_S, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            return f"{PROGRAM} -d did not return within {START_S:.0f} s"
    if code:
        return f"{PROGRAM} -d ended with code {code}: {_last_words(folder)}"
    while daemon_answer("get_server_list", os.environ) is None:
        if time.monotonic() - begin > START_S:
            return f"its daemon did not answer within {START_S:.0f} s: {_last_words(folder)}"
        time.sleep(0.2)
    return None


def _fault(first_context: Sequence[str]) -> str | None:
    """Make a first context, through the daemon that the environment names; returns what was wrong."""
    try:
        ended = subprocess.run(
            first_context, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=FIRST_CONTEXT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"a first CUDA context did not come within {FIRST_CONTEXT_S:.0f} s"
    if ended.returncode:
        words = (ended.stderr.strip().splitlines() or [f"code {ended.returncode}"])[-1]
        return f"a first CUDA context was not to be had ({words})"
    if "through MPS" not in ended.stdout and not (daemon_answer("get_server_list", os.environ) or "").strip():
        return "its server did not start"
    return None


def _last_words(folder: Path) -> str:
    """Last line of the newest log that has any."""
    for log_file in sorted((folder / "log").iterdir(), key=lambda file: -file.stat().st_mtime):
        if lines := log_file.read_text(errors="replace").strip().splitlines():
            return lines[-1]
    return "it said nothing"
