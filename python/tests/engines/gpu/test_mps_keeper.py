"""What is asked of a daemon, and what is done with one that nobody is left to end."""

import os
import time

import psutil
from stand_in_mps import daemons, task

from gibbsflow.engines.gpu.mps_keeper import PREFIX, daemon_answer, end_daemon, end_orphans


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


def test_where_there_is_no_daemon_there_is_no_answer_and_nothing_to_end(machine):
    folder = machine / f"{PREFIX}gone"
    folder.mkdir()
    assert daemon_answer("get_server_list", os.environ | {"CUDA_MPS_PIPE_DIRECTORY": str(folder)}) is None
    assert end_orphans([machine]) == 0 and folder.exists()  # nobody says whose it is
    end_daemon(folder)
    assert not folder.exists()
