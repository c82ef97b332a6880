"""Runs side by side: one that fails leaves the others; what concerns all stops all; a signal reaches each."""

import os
import signal
import subprocess
import sys
import time

import pytest

from gibbsflow.engines.gpu.side_by_side import group_code, run_side_by_side

SAVES = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(75)); print('up', flush=True); time.sleep(60)"


def python(text):
    return [sys.executable, "-c", text]


def test_one_that_fails_or_crashes_leaves_the_others(tmp_path):
    commands = {
        "good": python("print('fine')"),
        "bad": python("import sys; sys.exit(70)"),
        "crashed": python("import os; os.abort()"),
    }
    codes = run_side_by_side(commands, tmp_path)
    assert codes == {"good": 0, "bad": 70, "crashed": 70}
    assert group_code(codes.values()) == 0
    assert (tmp_path / "good.log").read_text() == "fine\n"


@pytest.mark.parametrize("code", [74, 78, 137])
def test_what_concerns_all_stops_all_with_their_state_saved(tmp_path, code):
    wait = f"import os, time\nwhile 'up' not in open({str(tmp_path / 'other.log')!r}).read(): time.sleep(0.05)\n"
    end = "os.kill(os.getpid(), 9)" if code == 137 else f"os._exit({code})"
    codes = run_side_by_side({"other": python(SAVES), "first": python(wait + end)}, tmp_path)
    assert codes == {"first": code, "other": 75}
    assert group_code(codes.values()) == code


def test_a_group_goes_on_where_one_was_stopped():
    assert group_code([0, 75, 70]) == 75
    assert group_code([0, 65]) == 0
    assert group_code([137, 78, 75]) == 78


def test_a_signal_reaches_every_run(tmp_path):
    text = (
        "import sys\nfrom pathlib import Path\n"
        "from gibbsflow.workflow.signals import raise_signalled, set_stop_handler\n"
        "from gibbsflow.engines.gpu.side_by_side import run_side_by_side\n"
        "set_stop_handler(raise_signalled)\n"
        f"run_side_by_side({{n: [sys.executable, '-c', {SAVES + chr(10)!r}] for n in 'ab'}}, Path({str(tmp_path)!r}))"
    )
    parent = subprocess.Popen(python(text), stderr=subprocess.PIPE)
    logs = [tmp_path / f"{name}.log" for name in "ab"]
    until = time.monotonic() + 30
    while not all(log.exists() and log.read_text() for log in logs) and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(parent.pid, signal.SIGTERM)
    assert b"Signalled" in parent.communicate(timeout=30)[1]
    assert subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True).returncode == 1
