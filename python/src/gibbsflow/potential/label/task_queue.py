"""TaskQueue: many small tasks inside one allocation, on dask.distributed; results come back as they are made."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import psutil
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from gibbsflow.errors import InputError, Problem, StoppedEarly
from gibbsflow.potential.label.own_process import OwnProcess
from gibbsflow.workflow.progress import Progress
from gibbsflow.workflow.signals import ignore_stop_signals
from gibbsflow.workflow.state.segments import Stopper

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")
_POLL_S = 0.3


class TaskQueue(Generic[T, R]):
    """Runs one function over many items, on this machine's processes or on a scheduler's workers.

    Parameters
    ----------
    workers
        Items at a time. One runs in this process, without dask.
    scheduler
        Address of a running dask scheduler, instead of processes here.
    attempts
        Runs of an item whose worker died, or that raised OSError.
    fragile
        Whether the function may end the process that it runs in: one worker is then a process beside this one.

    Raises
    ------
    InputError
        From `run`, where the scheduler does not answer.
    """

    def __init__(
        self, workers: int = 1, scheduler: str | None = None, attempts: int = 3, *, fragile: bool = False
    ) -> None:
        self.workers, self.scheduler, self.attempts, self.fragile = workers, scheduler, attempts, fragile

    def run(
        self,
        function: Callable[[T], R],
        items: Sequence[T],
        *,
        done: Callable[[T, R], None],
        lost: Callable[[T, str], None],
        stopper: Stopper | None = None,
        text: str = "tasks",
    ) -> None:
        """Run the function on each item, in batches that keep every worker fed.

        Parameters
        ----------
        function
            Runs in a worker; must be picklable, as its items and results are.
        items
            What to work on.
        done
            Called here with each result as it comes.
        lost
            Called here for an item whose workers all died, with the reason.
        stopper
            Asked between results; after a signal the running items are given up and all else is kept.
        text
            For the progress bar.

        Raises
        ------
        StoppedEarly
            After a signal, or where the stopper says that no new item may start.
        """
        if not items:
            return
        progress = Progress(text, len(items))
        with self._client() as client:
            waiting = list(enumerate(items))
            tried: dict[int, int] = {}
            running: dict[Any, int] = {}
            finished: SimpleQueue[Any] = SimpleQueue()
            reason: str | None = None
            while waiting or running:
                if stopper is not None:
                    reason = stopper.reason()
                    if reason and (not running or stopper.signal is not None):
                        raise StoppedEarly(f"{reason}; {len(waiting) + len(running)} of {len(items)} left")
                room = 0 if reason else client.slots() - len(running)
                batch, waiting = waiting[:room], waiting[room:]
                for number, item in batch:
                    tried[number] = tried.get(number, 0) + 1
                    future = client.submit(_with_retries, function, item, self.attempts)
                    running[future] = number
                    future.add_done_callback(finished.put)
                for future in _ready(finished):
                    if stopper is not None and stopper.signal is not None:
                        # the signal may have reached the running programs too: what ends now proves nothing
                        break
                    number = running.pop(future)
                    died = client.died(future)
                    if died is None:
                        done(items[number], future.result())
                    elif tried[number] < self.attempts:
                        log.warning("a worker was lost (%s); item %d runs again", died, number)
                        waiting.append((number, items[number]))
                        continue
                    else:
                        lost(items[number], died)
                    progress.add(1)

    @contextmanager
    def _client(self) -> Iterator[_Thread | OwnProcess | _Dask]:
        if self.workers == 1 and self.scheduler is None:
            client = OwnProcess() if self.fragile else _Thread()
            try:
                yield client
            except BaseException:
                client.end_programs()
                raise
            finally:
                client.close()
            return
        from dask import config as dask_config
        from distributed import Client, LocalCluster

        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        with tempfile.TemporaryDirectory(prefix="gibbsflow-dask-", ignore_cleanup_errors=True) as folder:
            cluster = None
            if self.scheduler is None:
                # each death of a worker is ours to count, against the item that ran on it
                with dask_config.set({"distributed.scheduler.allowed-failures": 0}):
                    cluster = LocalCluster(
                        n_workers=self.workers, threads_per_worker=1, processes=True, memory_limit=0,
                        scheduler_kwargs={"dashboard": False}, local_directory=folder, silence_logs=logging.CRITICAL,
                    )  # fmt: skip
            try:
                dask = Client(cluster or self.scheduler, timeout="30s", set_as_default=False)
            except (OSError, TimeoutError, ValueError) as error:
                what = f"{self.scheduler} does not answer ({error})"
                raise InputError(Problem("--scheduler", what, "a running dask scheduler: tcp://host:8786")) from error
            if cluster is not None:
                # Ctrl-C and schedulers signal the whole process group; only this process decides what to do then
                dask.run(ignore_stop_signals)
            queue = _Dask(dask, cluster)
            try:
                yield queue
            except BaseException:
                queue.end_programs()
                raise
            finally:
                try:
                    dask.close(timeout=5)
                    if cluster is not None:
                        cluster.close(timeout=10)
                except (TimeoutError, AssertionError) as error:
                    # distributed asserts where it is closed while it restarts a worker; all results are in by now
                    log.warning("dask did not close cleanly (%s)", error or "not in time")


class _Thread:
    """One item at a time in a thread of this process, so that signals are heard meanwhile.

    A daemon: an engine that computes in this process cannot be interrupted and must not hold up the end of a verb.
    """

    def __init__(self) -> None:
        self._before = {child.pid for child in psutil.Process().children(recursive=True)}

    def end_programs(self) -> None:
        """End what runs below this process and did not when the queue began."""
        _end([child for child in psutil.Process().children(recursive=True) if child.pid not in self._before])

    def close(self) -> None:
        """There is nothing to end."""

    def slots(self) -> int:
        return 1

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(function(*arguments))
            except BaseException as error:  # noqa: BLE001 - for the one who asks for the result
                future.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return future

    def died(self, future: Future[Any]) -> str | None:
        error = future.exception()
        if isinstance(error, OSError):
            return str(error)
        return None


class _Dask:
    """Items on dask's workers."""

    def __init__(self, client: Any, cluster: Any = None) -> None:
        self._client, self._cluster = client, cluster

    def end_programs(self) -> None:
        """End what runs below our own workers; a foreign scheduler's finish what they have."""
        for worker in self._cluster.workers.values() if self._cluster is not None else ():
            if worker.pid is not None and psutil.pid_exists(worker.pid):
                # the worker first, or it would start its next program
                process = psutil.Process(worker.pid)
                _end([process, *process.children(recursive=True)])

    def slots(self) -> int:
        # asked again each time: workers of a scheduler come and go
        threads = sum(self._client.nthreads().values())
        return max(1, threads)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._client.submit(function, *arguments, pure=False)

    def died(self, future: Any) -> str | None:
        from distributed import CancelledError, KilledWorker

        if future.status == "cancelled":
            return "cancelled: its scheduler or worker is gone"
        if future.status != "error":
            return None
        error = future.exception()
        if isinstance(error, KilledWorker | CancelledError | OSError):
            return str(error).splitlines()[0]
        return None


def _ready(finished: SimpleQueue[Any]) -> list[Any]:
    """Wait a moment for what has ended, so that signals are heard in between."""
    try:
        return [finished.get(timeout=_POLL_S)]
    except Empty:
        return []


def _with_retries(function: Callable[[T], R], item: T, attempts: int) -> R:
    """Run in a worker, again where the file system or the network failed for a moment."""
    for attempt in Retrying(
        retry=retry_if_exception_type(OSError),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=0.2, max=10),
        reraise=True,
    ):
        with attempt:
            return function(item)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _end(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
