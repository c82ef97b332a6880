"""A daemon of the task's own: begun, used, ended with it whatever happens; one that is there already is left alone.

The program is a stand-in that keeps MPS's manners (folder, pid, answers); real contexts need a card.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from gibbsflow.engines.gpu import mps
from gibbsflow.engines.gpu.mps_keeper import PREFIX, PROGRAM, end_orphans

STAND_IN = f"""#!{sys.executable}
import os, sys, time
manner, pipes = os.environ.get("MANNER", ""), os.environ.get("CUDA_MPS_PIPE_DIRECTORY") or "/nowhere"
pid_file = os.path.join(pipes, "pid")
def lives():
    try:
        os.kill(int(open(pid_file).read()), 0)
    except (OSError, ValueError):
        return False
    return True
if sys.argv[1:] == ["-d"]:
    if manner == "hangs":
        time.sleep(600)
    if manner == "refuses":
        sys.exit("no permission for this GPU")
    if os.fork():
        while not lives():
            time.sleep(0.01)
        sys.exit()
    os.setsid()
    open(os.path.join(pipes, "control"), "w").close()
    open(os.path.join(pipes, "visible"), "w").write(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    open(pid_file + ".new", "w").write(str(os.getpid()))
    os.rename(pid_file + ".new", pid_file)
    time.sleep(600)
command = sys.stdin.read().strip()
if not lives():
    sys.exit("Cannot find MPS control daemon process")
if command == "get_server_list":
    print("" if manner == "no server" else "4242")
elif command == "quit" and manner != "stays":
    os.kill(int(open(pid_file).read()), 15)
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with the stand-in on PATH, without a daemon; the folder of its temporary files."""
    program = tmp_path / "bin" / PROGRAM
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    short = Path(f"/tmp/gf-{os.getpid()}-{abs(hash(tmp_path.name)) % 10**6}")
    short.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(short))
    for name in ("CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(mps, "_places", lambda: [short])
    monkeypatch.setattr(mps, "DEFAULT_PIPES", short / "nvidia-mps")
    yield short
    for keeper in list(mps._KEEPERS):
        keeper.stdin.close()
        keeper.wait(30)
        mps._KEEPERS.remove(keeper)
    assert not daemons(short)
    shutil.rmtree(short)


def daemons(place):
    found = []
    for process in psutil.process_iter():
        try:
            if PROGRAM in " ".join(process.cmdline()) and str(place) in process.environ().get(
                "CUDA_MPS_PIPE_DIRECTORY", ""
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


def ended(place, within_s=20):
    until = time.monotonic() + within_s
    while (daemons(place) or list(place.glob(f"{PREFIX}*"))) and time.monotonic() < until:
        time.sleep(0.05)
    return not daemons(place) and not list(place.glob(f"{PREFIX}*"))


TASK = """
import os, sys, time
from pathlib import Path
from gibbsflow.engines.gpu import mps
place = Path(sys.argv[1])
mps._places, mps.DEFAULT_PIPES = (lambda: [place]), place / "nvidia-mps"
made = mps.shared_card(first_context=("true",))
print(made, os.environ["CUDA_MPS_PIPE_DIRECTORY"], os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
if sys.argv[2] == "raises":
    raise RuntimeError("NaN")
if sys.argv[2] == "waits":
    time.sleep(600)
"""


def task(place, how, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", TASK, str(place), how],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | environment,
    )  # fmt: skip


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


def test_what_a_killed_task_and_a_killed_keeper_left_is_ended(machine):
    running = task(machine, "waits")
    running.stdout.readline()
    (folder,) = machine.glob(f"{PREFIX}*")
    assert end_orphans([machine]) == 0  # it lives
    (keeper,) = psutil.Process(running.pid).children()
    keeper.kill()
    while keeper.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    running.kill()
    running.wait()
    assert daemons(machine)
    assert end_orphans([machine]) == 1
    assert not daemons(machine) and not folder.exists()
