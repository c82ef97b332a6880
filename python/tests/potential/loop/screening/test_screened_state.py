"""A state of the loop through its screening: what goes on, what keeps its row, what comes back, and what stops."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loop_states import RECORD, config
from silicon import si8
from stillinger_weber import SW

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import ScienceError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.structures import read_frames, structure_id, write_frames
from gibbsflow.potential.loop import label_doubts
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.manager import WorkflowManager
from gibbsflow.potential.loop.screening.screened_state import SCREENING, screen_state
from gibbsflow.potential.loop.state import Phase

STILL, TORN = 0.05, 0.45
"""Rattles (Å) far below and far above the limit."""


def plan(folder: Path, **changes: object) -> PotentialConfig:
    (folder / "Si.sw").write_text(SW)
    section = {"model": "classical", "pair_style": "sw", "pair_file": str(folder / "Si.sw")}
    return config(surrogate={**section, "max_force_ev_per_angstrom": 5.0, **changes})


def begun(folder: Path, settings: PotentialConfig, sigmas: list[float]) -> WorkflowManager:
    write_frames(folder / "training.extxyz", [si8(seed, sigma) for seed, sigma in enumerate(sigmas)])
    write_frames(folder / "holdout.extxyz", [si8(seed, TORN) for seed in range(100, 106)])
    return WorkflowManager.begin(settings, folder / "training.extxyz", folder / "holdout.extxyz", folder / "start")


def screen(before: WorkflowManager, out: Path, state: Path | None = None) -> tuple[WorkflowManager, dict[str, Any]]:
    told = screen_state(before.folder, before.config, out, state=state)
    return WorkflowManager(out, before.config), told


def waiting(manager: WorkflowManager) -> list[str]:
    """Ids of what waits for a label, the hold-out apart."""
    frames = [frame for path in loop_state.batches(manager.folder) for frame in read_frames(path)]
    return [name for frame in frames if (name := structure_id(frame)) not in manager.checkpoint.holdout]


def test_what_is_left_out_keeps_its_row_and_its_cause(tmp_path: Path) -> None:
    start = begun(tmp_path, plan(tmp_path), [STILL, TORN, STILL, TORN, STILL])
    after, told = screen(start, tmp_path / "screened", state=tmp_path / "state")
    assert told["fates"] == {"kept": 3, "screened": 2}
    assert waiting(after) == [structure_id(si8(seed, STILL)) for seed in (0, 2, 4)]
    # the hold-out is as it was, however torn
    assert [p.name for p in loop_state.batches(after.folder)] == ["holdout_000.extxyz", "training_000.extxyz"]
    assert len(read_frames(after.folder / "batches" / "holdout_000.extxyz")) == 3
    database = DatabaseManager(after.folder / loop_state.DATABASE)
    assert (database.counts()["screened"], database.counts()["pending"]) == (2, 6)
    known = database.explain(structure_id(si8(1, TORN)))
    assert (known["status"], known["cause"]) == ("screened", "surrogate")
    assert known["history"][-1]["why"].startswith("largest force ")
    (entry,) = after.checkpoint.screenings
    assert (entry["generation"], entry["offered"], entry["screened"]) == (0, 5, 2)
    # the state that it came from stays as it was, and the same look is not taken twice
    assert DatabaseManager(start.folder / loop_state.DATABASE).counts()["screened"] == 0
    again, nothing = screen(after, tmp_path / "again")
    assert nothing == {} and again.checkpoint == after.checkpoint and waiting(again) == waiting(after)


def test_a_relaxed_structure_is_labelled_in_place_of_the_one_it_was(tmp_path: Path) -> None:
    start = begun(tmp_path, plan(tmp_path, action="relax", steps=200), [STILL, TORN])
    after, told = screen(start, tmp_path / "screened")
    assert told["fates"] == {"kept": 1, "relaxed": 1}
    made = told["records"][1]["becomes"]
    assert waiting(after) == [structure_id(si8(0, STILL)), made]
    database = DatabaseManager(after.folder / loop_state.DATABASE)
    known = database.explain(structure_id(si8(1, TORN)))
    assert (known["status"], known["cause"]) == ("screened", "relaxed")
    assert known["history"][-1]["why"].endswith(f"labelled as {made}")
    assert database.explain(made)["status"] == "pending"


def test_where_all_is_left_out_what_was_set_aside_is_offered(tmp_path: Path) -> None:
    # six are labelled first, all torn; of the two that wait one will do
    start = begun(tmp_path, plan(tmp_path), [TORN] * 8)
    database = DatabaseManager(start.folder / loop_state.DATABASE)
    good = si8(50, STILL)
    database.add([good], RowStatus.HELD, "over the number of initial labels")
    after, told = screen(start, tmp_path / "screened")
    assert told["fates"] == {"screened": 8, "kept": 1}
    assert waiting(after) == [structure_id(good)]


def test_a_first_generation_with_nothing_left_is_refused_and_a_later_one_stops(tmp_path: Path) -> None:
    start = begun(tmp_path, plan(tmp_path), [TORN] * 3)
    with pytest.raises(ScienceError, match=r"generation 0: pair_style sw, Si.sw leaves out all 3 structures"):
        screen(start, tmp_path / "screened")
    replace(start.checkpoint, generation=1, history=(RECORD,)).write(start.folder)
    later, _ = screen(start, tmp_path / "later")
    point = later.checkpoint
    assert (point.phase, point.stopped_by, point.generation) == (Phase.STOPPED, "nothing_new", 0)
    assert "leaves out all 3" in point.reason and loop_state.batches(later.folder) == []


def test_without_a_potential_the_last_generations_screens_nothing_and_says_so(tmp_path: Path) -> None:
    start = begun(tmp_path, config(surrogate={"model": "last_generation"}), [STILL, TORN])
    after, told = screen(start, tmp_path / "screened")
    assert told["notes"] == ["generation 0: no potential yet, so that none of its structures was screened"]
    assert label_doubts.read(after.folder)["notes"] == told["notes"]
    assert waiting(after) == waiting(start) and after.checkpoint.screenings == ()


def test_a_screening_is_told_beside_the_state(tmp_path: Path) -> None:
    start = begun(tmp_path, plan(tmp_path), [STILL, TORN])
    (start.folder / "command.json").write_text("{}")  # of the command that made it, not of this one
    after, told = screen(start, tmp_path / "screened")
    assert json.loads((after.folder / SCREENING).read_text()) == json.loads(json.dumps(told))
    assert not (after.folder / "command.json").exists()
