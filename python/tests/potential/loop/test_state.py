"""The loop's state folder: phases, checkpoint, and what is copied on."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from pathlib import Path

import pytest
from loop_states import RECORD
from silicon import si2

from gibbsflow.errors import InputError, StateError
from gibbsflow.potential.data.structures import read_frames
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.state import TRANSITIONS, LoopCheckpoint, Phase
from gibbsflow.potential.loop.stopping import GenerationRecord


def test_phases_follow_their_order_and_no_other() -> None:
    point = LoopCheckpoint(0, Phase.GENERATE, 1)
    for phase in (
        "select",
        "label",
        "train",
        "validate",
        "explore",
        "decide",
        "select",
        "stopped",
        "decide",
        "stopped",
    ):
        point = point.to(Phase(phase))
    allowed = {(a, b) for a, after in TRANSITIONS.items() for b in after}
    for a in Phase:
        for b in Phase:
            if (a, b) not in allowed:
                with pytest.raises(StateError, match=f"{a} cannot be followed by {b}"):
                    replace(point, phase=a).to(b)


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    point = LoopCheckpoint(1, Phase.LABEL, 7, ("gf-1",), 9, "", "on", (RECORD,))
    point.write(tmp_path)
    assert LoopCheckpoint.read(tmp_path) == point
    assert "held" not in (tmp_path / "checkpoint.json").read_text()
    held = replace(point, history=(replace(RECORD, held={"net_force": 2}),))
    held.write(tmp_path)
    assert LoopCheckpoint.read(tmp_path) == held
    assert "screenings" not in (tmp_path / "checkpoint.json").read_text()
    screened = replace(point, screenings=({"generation": 1, "screened": 3},))
    screened.write(tmp_path)
    assert LoopCheckpoint.read(tmp_path) == screened
    errors = ("met_force_mae_ev_per_angstrom", "met_atom_error_ev_per_angstrom", "md_largest_spread_ev_per_angstrom")
    exact = replace(point, history=(replace(RECORD, met_labels=3, **dict.fromkeys(errors, 0.0)),))
    exact.write(tmp_path)
    # an error of nothing is not one that is not known
    assert LoopCheckpoint.read(tmp_path) == exact


def test_what_a_checkpoint_leaves_out_is_read_as_it_was() -> None:
    left = {f.name: f.default for f in fields(GenerationRecord) if f.name in loop_state._SAID_WHERE_THERE_IS_ANY}
    made = {f.name: f.default_factory() for f in fields(GenerationRecord) if f.default_factory is not MISSING}
    assert {name: made.get(name, value) for name, value in left.items()} == loop_state._SAID_WHERE_THERE_IS_ANY


@pytest.mark.parametrize(
    "content", [None, "", '{"version": 1, "generation"', '{"version": 2}', "[]", '{"version": 1, "phase": "label"}']
)
def test_an_unreadable_checkpoint_is_an_error_that_names_it(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "checkpoint.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StateError, match=str(path)):
        LoopCheckpoint.read(tmp_path)


def test_what_is_copied_is_whole_or_named(tmp_path: Path) -> None:
    source, target = tmp_path / "generation_00", tmp_path / "next"
    (source / "potential").mkdir(parents=True)
    (source / "potential" / "potential.json").write_text("{}")
    (source / "config.json").write_text("settings")
    loop_state.copy_state(source, target, ("config.json", "potential"))
    assert (target / "config.json").read_text() == "settings" and (target / "potential" / "potential.json").exists()
    with pytest.raises(StateError, match=r"structures\.db: missing, so the loop cannot go on from .*generation_00"):
        loop_state.copy_state(source, target)


def test_a_state_made_again_has_nothing_of_the_attempt_before(tmp_path: Path) -> None:
    frames = [si2(seed) for seed in range(5)]
    loop_state.write_batches(tmp_path, "training", frames, 2)
    (tmp_path / "checkpoint.json").write_text("{}")
    (tmp_path / "structures.db").write_text("stays")
    assert [path.name for path in loop_state.batches(tmp_path)] == [f"training_00{k}.extxyz" for k in range(3)]
    assert [len(read_frames(path)) for path in loop_state.batches(tmp_path)] == [2, 2, 1]
    loop_state.clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["structures.db"]


@pytest.mark.parametrize("name", ["$(touch x).extxyz", "-x.extxyz", "a b.extxyz", "a\nb.extxyz", "é.extxyz"])
def test_a_batch_whose_name_could_not_name_a_task_is_refused(tmp_path: Path, name: str) -> None:
    loop_state.write_batches(tmp_path, "training", [si2()], 1)
    assert [path.name for path in loop_state.batches(tmp_path)] == ["training_000.extxyz"]
    (tmp_path / "batches" / name).touch()
    with pytest.raises(InputError, match="a batch is called") as refused:
        loop_state.batches(tmp_path)
    assert str(refused.value).isascii() and "\n" not in str(refused.value)
