"""What is asked of a daemon, and what is done with one that nobody is left to end."""

import json
import os
import subprocess
import time

import psutil
import pytest
from stand_in_mps import daemons, task

from gibbsflow.engines.gpu.mps_keeper import (
    OWNER,
    PREFIX,
    daemon_answer,
    end_daemon,
    end_orphans,
    note_owners,
)


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


@pytest.mark.parametrize("machine_of_it", ["another pid:[4026531836]", None])
def test_what_another_machine_has_in_a_shared_folder_is_left(tmp_path, machine_of_it):
    """Its process numbers say nothing here, where none of them lives."""
    gone = subprocess.Popen(["true"])
    (folder := tmp_path / f"{PREFIX}1").mkdir()
    note_owners(folder, [gone.pid])
    gone.wait()
    owner = json.loads((folder / OWNER).read_text())
    there = {key: value for key, value in (owner | {"machine": machine_of_it}).items() if value is not None}
    (folder / OWNER).write_text(json.dumps(there))
    assert end_orphans([tmp_path]) == 0 and folder.exists()
    (folder / OWNER).write_text(json.dumps(owner))
    assert end_orphans([tmp_path]) == 1 and not folder.exists()


def test_where_there_is_no_daemon_there_is_no_answer_and_nothing_to_end(machine):
    folder = machine / f"{PREFIX}gone"
    folder.mkdir()
    assert daemon_answer("get_server_list", os.environ | {"CUDA_MPS_PIPE_DIRECTORY": str(folder)}) is None
    assert end_orphans([machine]) == 0 and folder.exists()  # nobody says whose it is
    end_daemon(folder)
    assert not folder.exists()
