from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from stillinger_weber import SwPotential

from gibbsflow.engines.lammps_frame import to_frame
from gibbsflow.errors import NumericalError, StoppedEarly
from gibbsflow.potential.validate.ensembles.md_runs import Conditions, MdRuns, too_hot
from gibbsflow.workflow.state.segments import Stopper

START = to_frame(bulk("Si", a=5.43, cubic=True) * (2, 2, 2), ("Si",), 3.78)


def runs(state: Path, stopper: Stopper | None = None) -> MdRuns:
    return MdRuns(SwPotential(), "k", state, stopper or Stopper(), look_steps=5)


def run(md: MdRuns, **changes):  # type: ignore[no-untyped-def]
    given = {"length_ps": 0.25, "step_fs": 1.0, "seed": 3, "observe": lambda frame: {"edge": frame.cell[0, 0]}}
    return md.run("npt", START, changes.pop("conditions", Conditions("npt", 600.0)), **(given | changes))


def test_what_was_killed_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    whole = runs(tmp_path / "a")
    first = run(whole)
    assert len(first.temperature_k) == 50 and whole.steps_run == 250
    assert np.linalg.det(first.end.cell) == pytest.approx(first.volume_angstrom3[-1])
    (folder,) = (tmp_path / "a").glob("npt-*")
    segments = sorted(folder.iterdir())
    assert len(segments) == 2
    segments[1].write_bytes(segments[1].read_bytes()[:-40])
    again = runs(tmp_path / "a")
    second = run(again)
    assert again.steps_run == 50  # the damaged one alone
    assert (second.observed["edge"] == first.observed["edge"]).all()
    assert (second.end.positions == first.end.positions).all()


def test_time_that_is_up_ends_between_segments(tmp_path: Path) -> None:
    with pytest.raises(StoppedEarly, match="0 of 50 looks done"):
        run(runs(tmp_path, Stopper(time_budget_s=0.0)))


def test_what_blows_up_is_said(tmp_path: Path) -> None:
    with pytest.raises(NumericalError, match="MD at 600 K blows up"):
        run(runs(tmp_path), step_fs=60.0, length_ps=3.0)


def test_what_is_too_hot_for_a_thermostat() -> None:
    assert [too_hot(k, 600.0) for k in (2999.0, 3000.0, float("inf"), float("nan"))] == [False, True, True, True]
    assert not too_hot(1400.0, 10.0) and too_hot(1600.0, 10.0)


def test_atoms_that_are_held_stay(tmp_path: Path) -> None:
    moving = tuple(range(1, 33))
    found = run(runs(tmp_path), conditions=Conditions("nvt", 2000.0, moving=moving), length_ps=0.1)
    moved = np.linalg.norm(found.end.positions - START.positions, axis=1)
    assert (moved[32:] < 1e-9).all() and np.median(moved[:32]) > 0.05
