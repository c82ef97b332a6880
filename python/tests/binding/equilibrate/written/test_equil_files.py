"""An equilibration as files for AMBER, run by its scripts with sander: killed in mid-segment its coordinates go on."""

import os
import re
import signal
import subprocess
import time

import amber_programs
import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.equilibrate.written.equil_files import write_equil_files
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil
from gibbsflow.engines.amber.restart_file import read_restart
from gibbsflow.engines.process import find_program
from gibbsflow.errors import InputError
from gibbsflow.workflow.state.sentinels import read_sentinel

NOTING = """#!/usr/bin/env bash
echo "$3" >>called.txt
exec "$SANDER" "$@"
"""
NAMES = ["minimise", "1-heating-001", "1-heating-002", "2-free-001", "2-free-002", "2-free-003"]
COUNTS = [0, 200, 200, 200, 200, 200]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("system") / "prepare"
    return hg.prepare_equil(folder, Equil(minimise_steps=20, heat_ps=1, equil_ps=2, equil_segment_ps=0.8))


def written(prepared, out):
    record = write_equil_files(SimSystem.read(prepared), out)
    assert (record["total_steps"], record["segments"], record["stages"]) == (1000, 5, ["heating", "free"])
    return out


def test_inputs(prepared, tmp_path):
    out = written(prepared, tmp_path / "out")
    steps = [line.split() for line in (out / "complex" / "steps").read_text().splitlines()]
    assert [step[0] for step in steps] == NAMES
    assert [int(step[1]) for step in steps] == COUNTS
    heating = [(out / "complex" / f"1-heating-00{n}.in").read_text() for n in (1, 2)]
    assert [re.findall(r"value\d=([\d.]+)", text) for text in heating] == [["10", "154.075"], ["154.075", "298.15"]]
    assert "irest = 0," in heating[0] and "tempi = 10," in heating[0] and "irest = 1," in heating[1]
    assert heating[0].splitlines()[0] == "1-heating-001 ! total_steps=400" and "\n2.5\nATOM 1 31" in heating[0]
    assert all("-ref minimise.rst7" in " ".join(step) for step in steps[1:3])
    assert "-ref" not in " ".join(steps[3]) and "ntr = 1" not in (out / "complex" / "2-free-001.in").read_text()
    halved = amber_programs.safer(out, "complex/1-heating-001.in", 2)
    assert "istep2=400" in halved and "nstlim = 400," in halved and "dt = 0.002," in halved


def start(out, script):
    environment = os.environ | {"SANDER": find_program("sander"), "AMBER_PROGRAM": str(out / "noting")}
    (out / "noting").write_text(NOTING)
    (out / "noting").chmod(0o755)
    words = ["bash", script, "complex"]
    return subprocess.Popen(words, cwd=out, env=environment, start_new_session=True, stderr=subprocess.PIPE)


def test_killed_in_mid_segment_it_goes_on_and_nothing_is_run_again(prepared, tmp_path):
    whole, cut = (written(prepared, tmp_path / name) for name in ("whole", "cut"))
    running = start(whole, "run-local.bash")
    assert running.wait(300) == 0, running.stderr.read()
    running = start(cut, "run-local.bash")
    until = time.monotonic() + 300
    while not (cut / "complex" / "2-free-001.out").exists() and time.monotonic() < until:
        time.sleep(0.001)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait(60)
    assert not (cut / "complex" / "2-free-001.done").exists()
    # on a busy machine the killed sander may hold the folder's lock for a moment yet, which is 75
    while (code := start(cut, "run-segment.bash").wait(300)) == 75 and time.monotonic() < until:
        time.sleep(0.1)
    assert code == 0
    assert (cut / "complex" / "md-current.rst7").resolve().name == "2-free-001.rst7"
    assert (cut / "complex" / "md-previous.rst7").resolve().name == "1-heating-002.rst7"
    assert start(cut, "run-local.bash").wait(300) == 0
    assert read_sentinel(cut / "complex", "FINISHED").steps_done == 1000
    asked = [f"{name}.in" for name in NAMES]
    assert amber_programs.called(whole, "complex") == asked
    assert amber_programs.called(cut, "complex") == [*asked[:4], *asked[3:]]
    ends = [read_restart(folder / "complex" / "md-current.rst7") for folder in (whole, cut)]
    np.testing.assert_array_equal(ends[0].positions_nm, ends[1].positions_nm)
    np.testing.assert_array_equal(ends[0].velocities_nm_per_ps, ends[1].velocities_nm_per_ps)


def test_what_the_engine_refuses_is_refused(prepared, tmp_path, monkeypatch):
    from gibbsflow.binding.equilibrate.written import equil_files

    monkeypatch.setattr(equil_files, "is_periodic", lambda path: True)
    monkeypatch.setattr(equil_files, "is_membrane", lambda path: True)
    with pytest.raises(InputError, match="a membrane"):
        write_equil_files(SimSystem.read(prepared), tmp_path / "out")
    assert not (tmp_path / "out").exists()
