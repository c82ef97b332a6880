"""SIGTERM and SIGUSR1: every long verb ends within seconds with exit code 75, whatever it is at, and goes on after."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import host_guest as hg
import psutil
import pytest
from ase.build import bulk
from ase.io import write
from faults import small
from faults.child import Running, run
from known_molecules import CB7
from labelled_sets import fitted_copper, rattled
from silicon import si8

from gibbsflow.binding.prepare.complex import prepare_system, row_from_options
from gibbsflow.config.binding import BindingConfig, Equil, Fe
from gibbsflow.potential.data.structures import write_frames

LIMIT_S = 20.0


def fe(sampler: str):
    """The complex of CB7 and its guest with its whole schedule, and segments of hours."""

    def start(root: Path) -> tuple[Running, Path]:
        settings = Fe(window_ps=10000, segment_ps=10000, sampler=sampler)
        leg = hg.make_leg(root / "leg", "complex", fe=settings)
        state = root / "state" / ("window_00" if sampler == "independent" else ".")
        return small.fe_start(leg, root), state / "progress.json"

    return start


def equil(root: Path) -> tuple[Running, Path]:
    settings = Equil(minimise_steps=50000, heat_ps=1000, equil_ps=1000, equil_segment_ps=1000)
    system = hg.prepare_equil(root / "system", settings)
    running = Running("equil", "run", "--system", system, "--state", root / "state", "--out", root / "out")
    return running, root / "state" / "progress.json"


def param(root: Path) -> tuple[Running, Path]:
    row = row_from_options("b2", None, "OCC12CCC(CC1)(CC2)CO", None, None)
    (root / "system").mkdir()
    prepare_system(row, CB7, BindingConfig(), root / "system")[0].write()
    words = ["ligand", "--system", root / "system", "--cache", root / "cache", "--out", root / "out"]
    return Running("param", *words), root / "out"


def label(root: Path) -> tuple[Running, Path]:
    pytest.importorskip("tblite")
    large = bulk("Si", cubic=True).repeat(4)
    write_frames(root / "s.extxyz", [si8(seed) for seed in range(2)] + [large])
    (root / "run.yaml").write_text("target: {elements: [Si]}\ndft: {engine: tblite}\n")
    words = ["label", "--input", root / "s.extxyz", "--config", root / "run.yaml", "--state", root / "state"]
    return Running("dft", *words, "--out", root / "out"), root / "state"


def fit(root: Path) -> tuple[Running, Path]:
    write(root / "train.extxyz", rattled(24, 1))
    write(root / "test.extxyz", rattled(6, 2))
    words = ["fit", "--train", root / "train.extxyz", "--test", root / "test.extxyz", "--out", root / "out"]
    return Running("train", *words), root / "out"


def explore(root: Path) -> tuple[Running, Path]:
    write(root / "start.extxyz", bulk("Cu", cubic=True).repeat(4))
    (root / "run.yaml").write_text(
        "exploration: {steps: 10000000, segment_steps: 10000000, grade_interval: 1000000, upper_grade: 1.0e+9}\n"
    )
    words = ["--potential", fitted_copper()[0] / "potential", "--structure", root / "start.extxyz"]
    words += ["--config", root / "run.yaml", "--state", root / "state", "--out", root / "out"]
    return Running("infer", "explore", *words), root / "state" / "lammps" / "grade.pod"


LONG = {"exchange": fe("exchange"), "independent": fe("independent"), "equil": equil, "param": param, "dft": label}
LONG |= {"train": fit, "infer": explore}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1], ids=["TERM", "USR1"])
@pytest.mark.parametrize("verb", LONG)
def test_ends_in_time_and_leaves_nothing_running(tmp_path, verb, number):
    if number == signal.SIGUSR1 and verb not in ("exchange", "param"):
        pytest.skip("the same handler as for SIGTERM, seen there")
    running, there = LONG[verb](tmp_path)
    running.wait_for(there)
    if verb == "param":
        running.wait_for_child("sqm")
    else:
        time.sleep(1.5)
    family = psutil.Process(running.pid).children(recursive=True)
    begin = time.monotonic()
    running.send(number)
    ended = running.wait()
    assert ended.code == 75, ended.text
    assert time.monotonic() - begin < LIMIT_S
    assert "stopped" in ended.text and "Traceback" not in ended.text
    assert psutil.wait_procs(family, timeout=10)[1] == []
    assert not list(tmp_path.rglob("FAILED"))


def test_twice_and_while_it_ends(exchange, tmp_path):
    leg, whole = exchange
    running = small.fe_start(leg, tmp_path)
    running.wait_for(tmp_path / "state" / "segment-00000.npz")
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGTERM):
        running.send(number)
        time.sleep(0.002)
    ended = running.wait()
    assert ended.code in (75, 0) and "Traceback" not in ended.text
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)


def test_a_segment_at_a_time_and_a_budget_that_holds_none(exchange, tmp_path):
    leg, whole = exchange
    for number in range(small.SEGMENTS):
        more = ("--segments", 1) if number % 2 else ("--segments", 1, "--time-budget", "1h")
        ended = small.fe_run(leg, tmp_path, *more)
        assert ended.code == (75 if number < small.SEGMENTS - 1 else 0), ended.text
        if number == 1:
            none = small.fe_run(leg, tmp_path, "--time-budget", "0.001s")
            assert none.code == 75 and "time budget" in none.text
    small.same_answer(tmp_path, whole)


def test_before_the_verb_has_begun_its_work(exchange, tmp_path):
    """A signal while settings are read: no state yet, the same exit code."""
    leg, _ = exchange
    ended = run(
        "fe", *small.words(leg, tmp_path), before=lambda: signal.signal(signal.SIGALRM, _to_term) or _alarm(0.01)
    )
    assert ended.code in (75, -signal.SIGTERM) and "Traceback" not in ended.text


def _alarm(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _to_term(*_: object) -> None:
    signal.raise_signal(signal.SIGTERM)
