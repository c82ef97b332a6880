"""LAMMPS as a separate program: a child process that takes commands and gives arrays back.

LAMMPS is GPL and is only ever run, in a process of its own (:mod:`gibbsflow.engines.lammps_worker`). Units are
``metal``: eV, Å, ps, bar; :func:`timestep_ps` is the one place that turns femtoseconds into them.
"""

from __future__ import annotations

import os
import queue
import re
import resource
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, TypeVar, cast

from gibbsflow.engines import lammps_worker, messages
from gibbsflow.engines.lammps_frame import Frame
from gibbsflow.engines.process import let_end
from gibbsflow.errors import EngineError, MissingProgramError
from gibbsflow.workflow.files import link_name

T = TypeVar("T")
R = TypeVar("R")
_END = object()
FRICTION_PS = 0.1
"""Friction time of Langevin's thermostat, ps, in all MD of potentials."""
CRASHES = tuple(-number for number in (signal.SIGSEGV, signal.SIGFPE, signal.SIGABRT, signal.SIGBUS))
"""Exit codes of a process that has crashed by itself, which LAMMPS does where atoms are out of all measure."""
_BLOWN_UP = re.compile(
    r"lost atoms|atoms lost|non-numeric|simulation unstable|out of range atoms|moved too far|neighbor list overflow"
    r"|(?:domain too large for|too many) neighbor bins|box (?:bounds are invalid|size is zero)|box skew is too large"
    r"|langevin force of 0 atoms|\bnan\b|not finite",
    re.IGNORECASE,
)


def timestep_ps(timestep_fs: float) -> float:
    """Time step in the unit of ``units metal``.

    Parameters
    ----------
    timestep_fs
        Time step, fs.

    Returns
    -------
    float
        The same in ps: 1 fs = 0.001 ps.
    """
    return timestep_fs * 1e-3


def near(folder: Path, target: Path) -> str:
    """Give a folder a short name in another: LAMMPS splits lines at blanks, and reads quotes, ``$``, ``#`` and letters
    beyond ASCII in its own way, so that no path of a user's may stand in a command.

    Parameters
    ----------
    folder
        Working directory of LAMMPS, made where it is not there; gets a link.
    target
        Folder whose files commands shall name.

    Returns
    -------
    str
        Beginning of their paths, with the slash; empty where both are the same folder.
    """
    path = Path(target).resolve()
    if path == Path(folder).resolve():
        return ""
    name = link_name(os.fspath(path))
    Path(folder).mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # made before, perhaps by a process beside this one
        (Path(folder) / name).symlink_to(path, target_is_directory=True)
    return f"{name}/"


class LammpsError(EngineError):
    """LAMMPS itself refused: a command it does not take, atoms lost, numbers that are not finite."""


def blown_up(error: EngineError) -> bool:
    """Tell a simulation that has blown up from commands, files and resources that were wrong.

    Parameters
    ----------
    error
        What LAMMPS ended with.

    Returns
    -------
    bool
        Whether atoms were lost, numbers not finite, or a box out of all measure.
    """
    return isinstance(error, LammpsError) and _BLOWN_UP.search(str(error)) is not None


class Lammps:
    """One LAMMPS process.

    Parameters
    ----------
    folder
        Working directory; its ``lammps.log`` keeps what LAMMPS says.
    memory_gb
        Address space the process may use.
    name
        Names the log, where several processes share a folder.
    check
        Called every second while LAMMPS works; what it raises ends the wait.

    Raises
    ------
    MissingProgramError
        Where LAMMPS, its MPI library or ``pair_style pod`` is missing.
    """

    def __init__(
        self, folder: Path, *, memory_gb: float = 16.0, name: str = "lammps", check: Callable[[], None] = lambda: None
    ) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name, self.check = name, check
        self.log = self.folder / f"{name}.log"
        limit = int(memory_gb * 1024**3)
        self._errors = open(self.folder / f"{name}.err", "w")  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", lammps_worker.__name__, self.log.name],
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
            start_new_session=True,
        )
        header, _ = self._answer(60.0)
        if "missing" in header:
            self.close()
            raise MissingProgramError(
                f"LAMMPS cannot be loaded: {header['missing']}",
                what_to_do="Install the extra 'potential' (lammps[mpi], with MPICH's libmpi).",
            )
        self.version = str(header["version"])
        self.styles = frozenset(header["styles"])

    def require(self, style: str) -> None:
        """Check that a pair style is there.

        Parameters
        ----------
        style
            Its name, as in ``pair_style``.

        Raises
        ------
        MissingProgramError
            Where this LAMMPS was built without its package.
        """
        if style not in self.styles:
            raise MissingProgramError(
                f"this LAMMPS ({self.version}) has no pair_style {style}",
                what_to_do="Use a LAMMPS with that package (ML-POD is in the PyPI wheel, ML-PACE is not).",
            )

    def run(self, commands: Sequence[str], results: Sequence[str] = (), *, time_s: float = 600.0) -> dict[str, Any]:
        """Run commands and fetch results.

        Parameters
        ----------
        commands
            LAMMPS commands, one an entry, in metal units.
        results
            Names as :func:`gibbsflow.engines.lammps_worker.extract` knows them.
        time_s
            Wall-clock seconds after which the process is ended.

        Returns
        -------
        dict
            Arrays by the names asked for, in metal units, and ``atoms``, the number of atoms.

        Raises
        ------
        EngineError
            When LAMMPS refuses a command, dies, or takes longer than `time_s`; it names the log.
        """
        self.post(commands, results)
        return self.fetch(time_s)

    def post(self, commands: Sequence[str], results: Sequence[str]) -> None:
        """Send commands without waiting; :meth:`fetch` gives the results.

        Parameters
        ----------
        commands
            LAMMPS commands, one an entry, in metal units.
        results
            Names as :func:`gibbsflow.engines.lammps_worker.extract` knows them.

        Raises
        ------
        EngineError
            Where the process has died.
        """
        try:
            request = {"commands": list(commands), "results": list(results)}
            messages.send(cast(BinaryIO, self.process.stdin), request, {})
        except BrokenPipeError as error:
            code = self.process.wait()
            raise EngineError(f"LAMMPS is gone (log: {self.log}): {self._last_words()}", code=code) from error

    def fetch(self, time_s: float = 600.0) -> dict[str, Any]:
        """Wait for the results of the last :meth:`post`.

        Parameters
        ----------
        time_s
            Wall-clock seconds after which the process is ended.

        Returns
        -------
        dict
            Arrays by the names asked for, in metal units, and ``atoms``, the number of atoms.

        Raises
        ------
        LammpsError
            Where LAMMPS refused a command.
        EngineError
            Where it has died or took too long.
        """
        header, arrays = self._answer(time_s)
        if "error" in header:
            raise LammpsError(f"LAMMPS failed (log: {self.log}): {header['error'].strip()}")
        return {"atoms": header["atoms"], **arrays}

    def load(self, frame: Frame) -> list[str]:
        """Commands that clear everything and load a frame; its data file is written into the folder.

        Parameters
        ----------
        frame
            Atoms in LAMMPS' conventions.

        Returns
        -------
        list of str
            To be followed by a pair style.
        """
        path = self.folder / f"{self.name}.data"
        path.write_text(frame.data_file())
        return [
            "clear", "units metal", "atom_style atomic", "atom_modify map array sort 0 0.0", "box tilt large",
            f"read_data {path.name}", "neighbor 1.0 bin", "neigh_modify every 1 delay 0 check yes",
        ]  # fmt: skip

    def _answer(self, time_s: float) -> tuple[dict[str, Any], dict[str, Any]]:
        stream = cast(BinaryIO, self.process.stdout)
        if not messages.arrives(stream, time_s, self.check):
            self.process.kill()
            self.close()
            raise EngineError(f"LAMMPS ran over its {time_s:.0f} s (log: {self.log})")
        message = messages.receive(stream)
        if message is None:
            code = self.process.wait()
            raise EngineError(f"LAMMPS ended with code {code} (log: {self.log}): {self._last_words()}", code=code)
        return message

    def _last_words(self) -> str:
        for path in (self.log, Path(self._errors.name)):
            lines = path.read_text(errors="replace").split("\n") if path.exists() else []
            telling = [line.strip() for line in lines if "ERROR" in line or "Error" in line]
            if telling:
                return telling[-1]
        return "no message"

    def close(self) -> None:
        """End the process."""
        let_end(self.process)
        self._errors.close()

    def __enter__(self) -> Lammps:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.process.kill()
        self.close()


class LammpsPool:
    """Several LAMMPS processes that work through a list side by side.

    Parameters
    ----------
    folder
        Working directory of all.
    processes
        How many.
    """

    def __init__(self, folder: Path, processes: int) -> None:
        self.members = [Lammps(folder, name=f"lammps{i}") for i in range(processes)]
        self._idle: queue.SimpleQueue[Lammps] = queue.SimpleQueue()
        for member in self.members:
            self._idle.put(member)
        self._threads = ThreadPoolExecutor(processes)

    def map(self, work: Callable[[Lammps, T], R], items: Iterable[T]) -> Iterator[R]:
        """Work through a list; when the caller leaves early, what is not begun is dropped.

        Parameters
        ----------
        work
            Called with a process that is free and an item, in a thread.
        items
            What to work on.

        Yields
        ------
        object
            Results of `work`, in the order of the items.
        """
        pending: deque[Future[R]] = deque()
        source = iter(items)
        try:
            while True:
                # a short queue bounds the results that wait in memory
                while len(pending) < 2 * len(self.members) and (item := next(source, _END)) is not _END:
                    pending.append(self._threads.submit(self._one, work, cast(T, item)))
                if not pending:
                    return
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
            wait(pending)

    def _one(self, work: Callable[[Lammps, T], R], item: T) -> R:
        member = self._idle.get()
        try:
            return work(member, item)
        finally:
            self._idle.put(member)

    def __enter__(self) -> LammpsPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for member in self.members:
            if kind is not None:
                member.process.kill()
            member.close()
        self._threads.shutdown()
