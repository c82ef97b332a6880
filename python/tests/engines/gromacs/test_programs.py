"""Programs side by side: they end with who started them, and say what went wrong."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from gibbsflow.engines.gromacs import programs
from gibbsflow.engines.gromacs.programs import (
    Start,
    exchange_fault,
    fatal_words,
    gromacs_fault,
    require_gromacs,
    run_all,
)
from gibbsflow.errors import EngineError, MissingProgramError, StoppedEarly


def start(tmp_path, name, *words):
    folder = tmp_path / name
    folder.mkdir()
    return Start(words, folder, name)


def test_without_the_program_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    programs.version.cache_clear()
    assert gromacs_fault() == "there is no gmx on PATH" and "no gmx_mpi" in exchange_fault(3)
    with pytest.raises(MissingProgramError, match="engine: gromacs: there is no gmx on PATH; right: GROMACS 2021"):
        require_gromacs()
    old = tmp_path / "gmx"
    old.write_text("#!/bin/sh\necho 'GROMACS version:    2019.6'\n")
    old.chmod(0o755)
    assert gromacs_fault() == "gmx is version 2019.6, before 2021"
    programs.version.cache_clear()


def test_no_more_run_at_once_than_may(tmp_path):
    words = ("sh", "-c", "date +%s%N > begun; sleep 0.3; date +%s%N > ended")
    starts = [start(tmp_path, f"w{k}", *words) for k in range(4)]
    run_all(starts, 2, lambda: None)
    times = [[int((one.folder / name).read_text()) for name in ("begun", "ended")] for one in starts]
    assert max(sum(a <= begun < b for a, b in times) for begun, _ in times) == 2


def test_a_time_limit_is_passed_on_and_what_is_late_does_not_begin(tmp_path):
    starts = [start(tmp_path, f"w{k}", "sh", "-c", 'echo "$0 $@" > told; sleep 0.2') for k in range(3)]
    left = iter([7.2, 1e-9, -1.0])
    run_all(starts, 1, lambda: None, left_s=lambda: next(left))
    told = [(one.folder / "told").read_text() for one in starts[:2]]
    assert told == ["-maxh 0.002000\n", "-maxh 0.000001\n"] and not (starts[2].folder / "told").exists()


def test_one_that_fails_ends_the_others_and_is_named(tmp_path):
    failing = start(
        tmp_path, "window 1", "sh", "-c", "printf 'Fatal error:\\nToo many LINCS\\nwarnings\\n\\nx\\n'; exit 1"
    )
    began = time.monotonic()
    with pytest.raises(EngineError, match=r"window 1: sh failed: Too many LINCS warnings \(log: "):
        run_all([start(tmp_path, "window 0", "sleep", "60"), failing], 2, lambda: None)
    assert time.monotonic() - began < 20
    assert not [child for child in psutil.Process().children() if child.name() == "sleep"]


def test_a_stop_is_heard(tmp_path):
    def check():
        raise StoppedEarly("stopped")

    with pytest.raises(StoppedEarly):
        run_all([start(tmp_path, "w", "sleep", "60")], 1, check)
    assert not [child for child in psutil.Process().children() if child.name() == "sleep"]


def test_killed_itself_it_leaves_none_behind(tmp_path):
    code = (
        "import pathlib, sys; from gibbsflow.engines.gromacs.programs import Start, run_all;"
        "run_all([Start(('sleep', '61'), pathlib.Path(sys.argv[1]), 'w')], 1, lambda: print('up', flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, env=os.environ
    ) as parent:
        assert parent.stdout is not None and parent.stdout.readline() == b"up\n"
        children = psutil.Process(parent.pid).children()
        assert [child.name() for child in children] == ["sleep"]
        parent.kill()
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert gone and not alive


def test_the_reason_is_found_in_what_gromacs_writes(tmp_path):
    log = tmp_path / "log"
    log.write_text(
        "ERROR 1 [file t.top, line 53]:\n  Incorrect number of\n  parameters\n\n"
        "Fatal error:\nThere was 1 error in input file(s)\n\nFor more\n"
    )
    assert fatal_words(log) == "Incorrect number of parameters"


def test_the_starter_is_that_of_the_same_mpi(tmp_path, monkeypatch):
    """An environment may bring along an mpirun of another MPI, before it on PATH."""
    for folder, names in {"other": ["mpirun"], "own": ["gmx_mpi", "mpirun"], "alone": ["gmx_mpi"]}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_text("#!/bin/sh\n")
            (tmp_path / folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/other:{tmp_path}/own")
    assert programs.mpirun() == str(tmp_path / "own" / "mpirun")
    monkeypatch.setenv("PATH", f"{tmp_path}/other:{tmp_path}/alone")
    assert programs.mpirun() == str(tmp_path / "other" / "mpirun")
    monkeypatch.setenv("PATH", f"{tmp_path}/alone")
    assert programs.mpirun() is None
