"""How far a learning loop is."""

import json
import os

import pytest
from left_states import leave

from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state.sentinels import Sentinel
from gibbsflow.workflow.watch.learning import Loop

PAST = {"generation": 0, "labels": 9, "failures": {}, "force_mae_ev_per_angstrom": 0.2, "other": 1}


@pytest.fixture
def loop(tmp_path):
    state = tmp_path / "si"
    for number in range(3):
        Sentinel("FINISHED", "h").write(label(state, number))
    Sentinel("FAILED", "h", cause="UNCONVERGED", message="80\nsteps").write(label(state, 3))
    leave(state / "generation_01" / "fit", kind="phase")
    return state


def label(state, number):
    home = state / "labels" / "tblite-1" / f"gf-{number}"
    home.mkdir(parents=True, exist_ok=True)
    return home


def test_labels_generations_and_history(loop, tmp_path):
    write_json(tmp_path / "out/generation_00/checkpoint.json", {"generation": 1, "phase": "label", "history": [PAST]})
    found, remarks = Loop(loop).look([tmp_path / "out"])
    assert remarks == [] and (found.generation, found.phase) == (1, "label")
    assert found.labels == {"finished": 3, "failed": 1} and found.failed_labels == ["gf-3: UNCONVERGED: 80\\nsteps"]
    assert found.labels_per_h == pytest.approx(240, rel=0.01)  # four within less than a minute
    (past,) = found.history
    assert past["force_mae_ev_per_angstrom"] == 0.2 and past["fraction_above"] is None and "other" not in past


def test_what_follows_is_seen(loop):
    watched = Loop(loop)
    watched.look([])
    Sentinel("FINISHED", "h").write(label(loop, 4))
    Sentinel("FINISHED", "h").write(label(loop, 3))
    os.utime(label(loop, 0) / "FINISHED", (1, 1))
    found, _ = watched.look([])
    assert found.labels == {"finished": 5, "failed": 0} and found.failed_labels == []


def test_a_damaged_checkpoint_is_a_remark(loop):
    (loop / "generation_01" / "recorded").mkdir()
    path = loop / "generation_01" / "recorded" / "checkpoint.json"
    for text in ('{"gen', "[]", json.dumps({"history": 3, "generation": 1})):
        path.write_text(text)
        found, (remark,) = Loop(loop).look([])
        assert found.labels["finished"] == 3 and "half-written" in remark


def test_what_is_to_do_in_a_generation(loop, tmp_path):
    write_json(loop / "start/checkpoint.json", {"generation": 0, "phase": "label", "history": []})
    ids = "".join(f'1\nProperties=species:S:1:pos:R:3 gibbsflow_id="gf-{k}" pbc="F F F"\nH 0 0 0\n' for k in range(6))
    (loop / "start/batches").mkdir()
    (loop / "start/batches/batch_00.extxyz").write_text(ids)
    watched = Loop(loop)
    found, _ = watched.look([])
    # three labels and a failure within a minute, as many as 240 an hour; two of six are left
    assert found.labels_to_do == 2 and found.labels_left_s == pytest.approx(2 / found.labels_per_h * 3600)
    for number in range(4):
        for name in ("FINISHED", "FAILED"):
            if (label(loop, number) / name).exists():
                os.utime(label(loop, number) / name, (1, 1))
    found, _ = Loop(loop).look([])  # after a night
    assert (found.labels_to_do, found.labels_per_h, found.labels_left_s) == (2, None, None)
    write_json(loop / "generation_00/recorded/checkpoint.json", {"generation": 0, "phase": "train", "history": []})
    found, _ = watched.look([])
    assert (found.phase, found.labels_to_do, found.labels_left_s) == ("train", None, None)
    published = {"generation": 1, "phase": "label", "history": [PAST]}
    write_json(tmp_path / "out/generation_00/checkpoint.json", published)
    assert watched.look([tmp_path / "out"])[0].labels_to_do is None  # none says which
    write_json(loop / "generation_01/recorded/checkpoint.json", published | {"phase": "train"})
    assert watched.look([tmp_path / "out"])[0].phase == "train"


def test_no_loop(tmp_path):
    assert Loop(tmp_path).look([]) == (None, [])
