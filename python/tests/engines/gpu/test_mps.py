"""A daemon of the task's own: begun, used, ended with it whatever happens; one that is there already is left alone.

The program is a stand-in; real contexts need a card.
"""

import os
import signal
import subprocess

import psutil
import pytest
from stand_in_mps import daemons, ended, task

from gibbsflow.engines.gpu import mps
from gibbsflow.engines.gpu.mps_keeper import PREFIX, PROGRAM


@pytest.mark.parametrize("end", ["returns", "raises", signal.SIGTERM, signal.SIGKILL])
def test_a_daemon_of_its_own_ends_with_the_task_however_that_ends(machine, end):
    running = task(machine, "waits" if isinstance(end, signal.Signals) else end, CUDA_VISIBLE_DEVICES="2,5")
    said = running.stdout.readline()
    assert said.startswith("on (a daemon of this task's own, in ") and said.endswith(" 0,1\n")
    if isinstance(end, signal.Signals):
        (daemon,) = daemons(machine)
        assert daemon.environ()["CUDA_VISIBLE_DEVICES"] == "2,5"  # its clients count from 0 on
        running.send_signal(end)
    running.wait(20)
    assert ended(machine)


@pytest.mark.slow
def test_one_that_does_not_leave_is_killed(machine, monkeypatch):
    monkeypatch.setenv("MANNER", "stays")
    running = task(machine, "returns")
    assert running.stdout.readline().startswith("on ")
    running.wait(20)
    assert ended(machine)


def test_one_that_is_there_already_is_used_and_left(machine, monkeypatch):
    home = machine / "nvidia-mps"
    home.mkdir()
    environment = os.environ | {"CUDA_MPS_PIPE_DIRECTORY": str(home)}
    subprocess.run([PROGRAM, "-d"], env=environment, check=True)
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(home))
    for several in (True, False):
        made = mps.shared_card(several=several, first_context=("true",))
        assert str(made) == f"on (a daemon that was there already, in {home})"
    (daemon,) = daemons(machine)
    assert not list(machine.glob(f"{PREFIX}*"))
    made = mps.shared_card(first_context=("false",))  # nor is it touched where it does not work
    assert not made.on and "was there already" in made.why
    assert os.environ["CUDA_MPS_PIPE_DIRECTORY"] != str(home)
    assert daemon.is_running()
    daemon.kill()
    psutil.wait_procs([daemon])


@pytest.mark.parametrize(
    ("manner", "first_context", "why"),
    [
        ("refuses", ("true",), "ended with code 1: no permission for this GPU"),
        ("hangs", ("true",), "did not return within"),
        ("", ("sleep", "600"), "a first CUDA context did not come within"),
        ("", ("false",), "a first CUDA context was not to be had"),
        ("no server", ("true",), "its server did not start"),
    ],
)
def test_what_does_not_work_leaves_the_task_without(machine, monkeypatch, manner, first_context, why):
    monkeypatch.setenv("MANNER", manner)
    if manner == "hangs":
        monkeypatch.setattr(mps, "START_S", 0.5)
    if first_context[0] == "sleep":
        monkeypatch.setattr(mps, "FIRST_CONTEXT_S", 0.5)
    made = mps.shared_card(first_context=first_context)
    assert not made.on and why in made.why
    assert "CUDA_MPS_PIPE_DIRECTORY" not in os.environ
    assert ended(machine)


def test_no_program_one_walker_and_folders_with_long_names(machine, monkeypatch):
    made = mps.shared_card(several=False)
    assert str(made) == "off (one walker at a time, which has the card for itself)"
    monkeypatch.setattr(mps, "_places", lambda: [machine / ("long" * 20)])
    made = mps.shared_card()
    assert not made.on and "short enough" in made.why
    monkeypatch.setenv("PATH", "/nowhere")
    made = mps.shared_card()
    assert str(made) == f"off ({PROGRAM} is not installed here)"
