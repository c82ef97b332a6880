"""A process of its own for engines that compute in Python's: what ends it costs one item and not the verb."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import IO, Any

from gibbsflow.engines.process import last_line
from gibbsflow.workflow.signals import ignore_stop_signals

_PROGRAM = "from gibbsflow.potential.label.own_process import serve; serve()"
_ENDING_S = 5.0


class OwnProcess:
    """One item at a time in a process that is started at the first, and again after one that ended it.

    Fortran and C libraries end the process that they are called from where memory or an array is not as they expect.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

    def slots(self) -> int:
        """Say how many items run at a time.

        Returns
        -------
        int
            One.
        """
        return 1

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Run a function in the process.

        Parameters
        ----------
        function, *arguments
            What to run; both must be picklable, as its result is.

        Returns
        -------
        Future
            Its result, or what it raised; ChildProcessError, with the last words, where the process ended.
        """
        future: Future[Any] = Future()
        threading.Thread(target=self._answer, args=(future, function, arguments), daemon=True).start()
        return future

    def died(self, future: Future[Any]) -> str | None:
        """Say why an item was lost.

        Parameters
        ----------
        future
            Of an item, at its end.

        Returns
        -------
        str or None
            None where it was not.
        """
        error = future.exception()
        return str(error) if isinstance(error, OSError) else None

    def end_programs(self) -> None:
        """End the process, and what it is at."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End the process, and give back what it held."""
        self.end_programs()
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout, self._said):
                with suppress(BrokenPipeError):  # what it did not read before it ended
                    if pipe is not None:
                        pipe.close()
            self._process = None

    def _answer(self, future: Future[Any], function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        try:
            future.set_result(self._ask(function, *arguments))
        except BaseException as error:  # noqa: BLE001 - for the one who asks for the result
            future.set_exception(error)

    def _ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._said = tempfile.TemporaryFile()
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )  # fmt: skip
        process, said = self._process, self._said
        assert process.stdin is not None and process.stdout is not None and said is not None  # noqa: S101 - pipes
        start = said.seek(0, os.SEEK_END)
        try:
            pickle.dump((function, arguments), process.stdin)
            process.stdin.flush()
            worked, answer = pickle.load(process.stdout)  # noqa: S301 - of our own process
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDING_S)  # at its own end, of which the code tells
            process.kill()
            code = process.wait()
            said.seek(start)
            words = last_line(said.read().decode(errors="replace"))
            raise ChildProcessError(f"its process ended with code {code}: {words}") from error
        if worked:
            return answer
        raise answer


def serve() -> None:
    """Run what is asked on standard input, one pickle after another, and answer on standard output until it ends."""
    ignore_stop_signals()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    while True:
        try:
            function, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301 - of the process that started this one
        except EOFError:
            return
        answer: tuple[bool, Any]
        try:
            answer = True, function(*arguments)
        except Exception as error:  # noqa: BLE001 - raised again where it was asked for
            answer = False, error
        answers.write(pickle.dumps(answer))
        answers.flush()
