"""Signals that arrive while a verb ends, or after it: its exit code and its result stand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from gibbsflow.cli.verb import verb
from gibbsflow.errors import EXIT_INPUT, EXIT_STOPPED, InputError, Problem, StoppedEarly

_NUMBERS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


class _SignalledWhileTold(StoppedEarly):
    """A stop that is signalled once more while it is put into words."""

    def __str__(self) -> str:
        for number in _NUMBERS:
            os.kill(os.getpid(), number)
        return super().__str__()


def test_while_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(typer.Exit) as end, verb(tmp_path):
        raise _SignalledWhileTold("stopped by SIGTERM")
    assert end.value.exit_code == EXIT_STOPPED
    assert json.loads((tmp_path / "result.json").read_text())["message"] == "stopped by SIGTERM"


@pytest.mark.parametrize("number", _NUMBERS)
def test_while_python_ends(number: int) -> None:
    code = (
        "import atexit, os, sys; from gibbsflow.cli.fe import app\n"
        f"atexit.register(os.kill, os.getpid(), {int(number)}); app(['status', 'no-such-folder'])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == EXIT_INPUT and "no-such-folder" in ended.stderr


def test_of_a_verb_within_another() -> None:
    """The inner one fails and the outer goes on: signals still stop it."""
    with pytest.raises(typer.Exit) as end, verb(None):
        with pytest.raises(typer.Exit), verb(None):
            raise InputError(Problem("a.csv", "wrong", "right"))
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("went on after a signal")
    assert end.value.exit_code == EXIT_STOPPED


def test_of_what_follows_a_verb_that_is_done() -> None:
    before = [signal.getsignal(number) for number in _NUMBERS]
    with verb(None):
        pass
    assert [signal.getsignal(number) for number in _NUMBERS] == before
