"""A stand-in for NVIDIA's MPS that keeps its manners (folder, pid, answers), and tasks that start it."""

import os
import subprocess
import sys
import time

import psutil

from gibbsflow.engines.gpu.mps_keeper import PREFIX, PROGRAM

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
