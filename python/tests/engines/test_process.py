"""Foreign programs: found, run with their bounds and log, and ended by a bound or by a signal at any moment."""

import subprocess
import sys
import time

import psutil
import pytest

from gibbsflow.engines import process
from gibbsflow.engines.process import Bounds, find_program, last_line, let_end, run_program
from gibbsflow.errors import EngineError, MissingProgramError

SLEEP = ["/bin/sh", "-c", "sleep 600 & wait"]


def nothing_is_left() -> bool:
    return not [child for child in psutil.Process().children(recursive=True) if child.name() in ("sh", "sleep")]


def test_a_bound_ends_the_program_and_what_it_started(tmp_path):
    with pytest.raises(EngineError, match="ran over its 0 s"):
        run_program(SLEEP, folder=tmp_path, log=tmp_path / "log", bounds=Bounds(time_s=0.3))
    assert nothing_is_left()


@pytest.mark.timeout(30)
def test_a_signal_within_the_wait_leaves_no_lock_that_holds_us_up(tmp_path, monkeypatch):
    def interrupted(self, timeout=None):
        # what a signal leaves that is raised between the lock and the block that lets go of it
        assert self._waitpid_lock.acquire(timeout=10)
        time.sleep(0.2)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_program(SLEEP, folder=tmp_path, log=tmp_path / "log", bounds=Bounds(time_s=60))
    assert nothing_is_left()


def shell(folder, script: str, **options) -> str:
    return run_program(["/bin/sh", "-c", script], folder=folder, log=folder / "log", **options)


@pytest.mark.parametrize(
    ("script", "code"),
    [("sys.stdin.read(); sys.exit(3)", 3), ("signal.pause()", -9), ("sys.stdin.close(); sys.exit(4)", 4)],
)
def test_a_worker_ends_by_itself_or_is_killed(monkeypatch, script, code):
    monkeypatch.setattr(process, "_ENDING_S", 0.5 if code < 0 else 60.0)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    worker = subprocess.Popen([sys.executable, "-c", f"import signal, sys; {script}"], **pipes)
    worker.stdin.write(b"a request")
    let_end(worker)
    assert worker.returncode == code and worker.stdin.closed and worker.stdout.closed


def test_output_of_this_run_is_given_and_the_log_keeps_all(tmp_path):
    assert shell(tmp_path, "echo one; echo two >&2") == "one\ntwo\n"
    assert shell(tmp_path, "pwd") == f"{tmp_path}\n"
    kept = (tmp_path / "log").read_text()
    assert kept.count("$ /bin/sh -c") == 2 and "one\ntwo\n" in kept


def test_variables_and_threads_reach_the_program(tmp_path):
    script = "echo $OMP_NUM_THREADS $MORE"
    assert shell(tmp_path, script) == "1\n"
    assert shell(tmp_path, script, bounds=Bounds(threads=3), environment={"MORE": "x"}) == "3 x\n"


def test_a_failure_names_program_code_log_and_the_telling_line(tmp_path):
    with pytest.raises(EngineError, match=r"/bin/sh ended with code 7 \(log: .*log\): fatal: no disk") as caught:
        shell(tmp_path, "echo fatal: no disk; echo bye; exit 7")
    assert caught.value.code == 7


def test_a_bound_on_memory_holds(tmp_path):
    hungry = "import sys; b = bytearray(600 * 2**20); print(len(b))"
    command = ["python", "-c", hungry]
    assert run_program(command, folder=tmp_path, log=tmp_path / "log") == f"{600 * 2**20}\n"
    with pytest.raises(EngineError, match="MemoryError"):
        run_program(command, folder=tmp_path, log=tmp_path / "log", bounds=Bounds(memory_gb=0.3))


def test_programs_are_found_beside_this_python_first(tmp_path, monkeypatch):
    (tmp_path / "python").touch(mode=0o755)
    (tmp_path / "only-here").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program("only-here") == str(tmp_path / "only-here")
    assert find_program("python") != str(tmp_path / "python")
    with pytest.raises(MissingProgramError, match="program 'nix' is not installed"):
        find_program("nix")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("all well\n  at last  \n", "at last"),
        ("Error: no file\nthe end\n", "Error: no file"),
        ("first error\nsecond: cannot go on\nbye\n", "second: cannot go on"),
        ("done\n--------\n  ***\n", "done"),
        ("", "no output"),
    ],
)
def test_last_line(text, line):
    assert last_line(text) == line
