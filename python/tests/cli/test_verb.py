"""How a verb ends: exit code, result and FAILED of each kind of end; signals on the way, at the end and after it."""

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
from gibbsflow.errors import (
    EXIT_INPUT,
    EXIT_STOPPED,
    InputError,
    LockedError,
    NumericalError,
    Problem,
    StateError,
    StoppedEarly,
    UnboundError,
)
from gibbsflow.workflow.signals import STOP_SIGNALS
from gibbsflow.workflow.state.sentinels import Sentinel, read_sentinel


class _SignalledWhileTold(StoppedEarly):
    """A stop that is signalled once more while it is put into words."""

    def __str__(self) -> str:
        for number in STOP_SIGNALS:
            os.kill(os.getpid(), number)
        return super().__str__()


def test_while_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(typer.Exit) as end, verb(tmp_path):
        raise _SignalledWhileTold("stopped by SIGTERM")
    assert end.value.exit_code == EXIT_STOPPED
    assert json.loads((tmp_path / "result.json").read_text())["message"] == "stopped by SIGTERM"


@pytest.mark.parametrize("number", STOP_SIGNALS)
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
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    with verb(None):
        pass
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before


class _RecordedError(StateError):
    recorded = True


@pytest.mark.parametrize(
    ("error", "code", "status", "cause", "failed"),
    [
        (InputError(Problem("a.csv", "wrong")), 65, "failed", "Input", True),
        (NumericalError("NaN"), 70, "failed", "Numerical", True),
        (UnboundError("left"), 70, "unbound", "Unbound", True),
        (_RecordedError("held by its folder"), 70, "failed", "_Recorded", False),
        (LockedError("held"), 70, "failed", "Locked", False),
        (StoppedEarly("budget"), 75, "partial", "StoppedEarly", False),
        (OSError(28, "No space left on device", "x.npz"), 74, "failed", "Storage", False),
        (KeyError("defect"), 70, "failed", "KeyError", True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_end_has_its_code_its_result_and_its_sentinel(
    tmp_path: Path, error: Exception, code: int, status: str, cause: str, failed: bool
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with pytest.raises(typer.Exit) as end, verb(tmp_path / "out", state=state) as result:
        result.inputs_hash = "h"
        result.figures["n"] = 3
        raise error
    told = json.loads((tmp_path / "out" / "result.json").read_text())
    assert end.value.exit_code == code
    assert (told["status"], told["cause"], told["n"]) == (status, cause, 3) and told["timings"]["total_s"] >= 0
    sentinel = read_sentinel(state, "FAILED")
    assert (sentinel is not None) == failed
    assert sentinel is None or (sentinel.cause, sentinel.inputs_hash) == (cause, "h")


def test_what_failed_before_and_is_done_now_has_failed_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Sentinel("FAILED", "h", cause="Numerical").write(tmp_path / "state")
    with verb(tmp_path / "out", state=tmp_path / "state", as_json=True) as result:
        result.seed = 7
    assert read_sentinel(tmp_path / "state", "FAILED") is None
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "out" / "result.json").read_text())
    assert (printed["status"], printed["seed"]) == ("finished", 7)


def test_a_folder_that_cannot_be_written_to_is_told_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(typer.Exit) as end, verb(tmp_path / "file" / "out"):
        pytest.fail("began")
    assert end.value.exit_code == EXIT_INPUT


@pytest.mark.parametrize("own", ["Give a folder as `train fit` wrote it.", None])
def test_a_verb_that_only_reads_takes_damaged_files_for_wrong_input_with_advice_of_their_own(
    own: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, verb(None, reads=True):
        raise StateError("potential/pod.json: not a potential", what_to_do=own)
    assert ended.value.exit_code == EXIT_INPUT
    assert f"what to do: {own or 'Nothing was changed. Take that file from a copy'}" in capsys.readouterr().err
