"""State that was damaged while nobody looked: checkpoints, samples, sentinels, counters, folders."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from faults import small

from gibbsflow.workflow.state.checkpoints import RollingCheckpoints

DAMAGES = {
    "truncated": lambda content: content[: len(content) // 2],
    "last byte gone": lambda content: content[:-1],
    "empty": lambda content: b"",
    "one byte flipped": lambda content: content[:-2000] + bytes([content[-2000] ^ 1]) + content[-1999:],
    "of another version": lambda content: content.replace(b"checkpoint-1\n", b"checkpoint-2\n", 1),
    "something else": lambda content: b"hello\n" * 400,
}


def stopped(leg, root, segments=2):
    """State after some segments."""
    ended = small.fe_run(leg, root, "--segments", segments)
    assert ended.code == 75, ended.text
    return root / "state"


def damage(path, how):
    path.write_bytes(DAMAGES[how](path.read_bytes()))


@pytest.mark.parametrize("how", DAMAGES)
def test_one_bad_checkpoint_costs_a_segment(exchange, tmp_path, how):
    leg, whole = exchange
    state = stopped(leg, tmp_path)
    before = small.kept(state)
    damage(state / "checkpoint-current.bin", how)
    again = small.fe_run(leg, tmp_path)
    assert again.code == 0, again.text
    assert "checkpoint-current.bin" in again.text and "falling back" in again.text
    small.same_answer(tmp_path, whole)
    assert small.kept(state)["segment-00000.npz"] == before["segment-00000.npz"]


def test_every_byte_of_a_checkpoint_is_watched(exchange, tmp_path):
    leg, _ = exchange
    state = stopped(leg, tmp_path)
    good = (state / "checkpoint-current.bin").read_bytes()
    inputs = json.loads((state / "inputs.json").read_text())["inputs_hash"]
    assert RollingCheckpoints(state).load(inputs).segment == 2
    for place in [*range(400), *range(400, len(good), 211)]:
        (state / "checkpoint-current.bin").write_bytes(good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1 :])
        assert RollingCheckpoints(state).load(inputs).segment == 1, f"byte {place}"


@pytest.mark.parametrize("how", ["truncated", "of another version"])
def test_both_bad_is_one_clear_message_and_the_next_run_begins_that_window_afresh(independent, tmp_path, how):
    leg, whole = independent
    stopped(leg, tmp_path, segments=small.SEGMENTS + 2)
    first, second = tmp_path / "state" / "window_00", tmp_path / "state" / "window_01"
    done = small.kept(first)
    for name in ("checkpoint-current.bin", "checkpoint-previous.bin"):
        damage(second / name, how)
    again = small.fe_run(leg, tmp_path)
    one_error(again, "checkpoint-current.bin", "checkpoint-previous.bin")
    if how == "of another version":
        assert "another version" in again.text
    assert small.fe_run(leg, tmp_path).code == 0
    assert (second / "superseded-000" / "checkpoint-current.bin").exists()
    small.same_answer(tmp_path, whole)
    assert small.kept(first) == done


def one_error(ended, *told):
    assert ended.code == 70, ended.text
    (error,) = [line for line in ended.text.splitlines() if line.startswith("error:")]
    assert all(word in error for word in told) and "what to do:" in ended.text and "Traceback" not in ended.text


def test_checkpoints_without_hard_links(exchange, tmp_path, monkeypatch):
    """As on file systems that have none."""
    leg, whole = exchange

    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    state = stopped(leg, tmp_path)
    damage(state / "checkpoint-current.bin", "truncated")
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)


@pytest.mark.parametrize("name", ["FINISHED", "attempts.json", "progress.json", "FAILED"])
@pytest.mark.parametrize("content", [b"", b"\xff\x00garbage", b"[1, 2]", b'{"kind": "FINISHED"}'])
def test_garbage_in_a_small_file_costs_nothing(exchange, tmp_path, name, content):
    leg, whole = exchange
    shutil.copytree(whole / "state", tmp_path / "state", copy_function=shutil.copy2)
    (tmp_path / "state" / name).write_bytes(content)
    before = small.kept(tmp_path / "state")
    before.pop("FINISHED")
    again = small.fe_run(leg, tmp_path)
    assert again.code == 0, again.text
    assert "Traceback" not in again.text
    small.same_answer(tmp_path, whole)
    now = small.kept(tmp_path / "state")
    assert {key: now[key] for key in before} == before
    assert json.loads((tmp_path / "state" / "FINISHED").read_text())["steps_done"] == 1200


@pytest.mark.parametrize("name", ["FINISHED", "attempts.json", "progress.json", "FAILED", "inputs.json"])
def test_garbage_in_the_middle_of_a_run(exchange, tmp_path, name):
    leg, whole = exchange
    state = stopped(leg, tmp_path)
    (state / name).write_bytes(b"{")
    again = small.fe_run(leg, tmp_path)
    assert again.code == 0, again.text
    small.same_answer(tmp_path, whole)


@pytest.mark.parametrize("how", ["empty", "truncated", "one byte flipped", "gone"])
def test_bad_samples_are_named_and_the_next_run_begins_afresh(exchange, tmp_path, how):
    leg, whole = exchange
    path = stopped(leg, tmp_path, 3) / "segment-00001.npz"
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(_flip(content) if how == "one byte flipped" else DAMAGES[how](content))
    one_error(small.fe_run(leg, tmp_path), path.name)
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)


def _flip(content):
    return content[:300] + bytes([content[300] ^ 1]) + content[301:]


def test_an_empty_result_of_a_finished_window_is_written_again(exchange, tmp_path):
    leg, whole = exchange
    assert small.fe_run(leg, tmp_path).code == 0
    done = small.kept(tmp_path / "state")
    for path in (tmp_path / "out").iterdir():
        path.write_bytes(b"")
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)
    assert small.kept(tmp_path / "state") == done


def test_a_deleted_window_runs_again_alone(independent, tmp_path):
    leg, whole = independent
    assert small.fe_run(leg, tmp_path).code == 0
    done = {k: small.kept(tmp_path / "state" / f"window_{k:02d}") for k in (0, 2)}
    shutil.rmtree(tmp_path / "state" / "window_01")
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)
    assert {k: small.kept(tmp_path / "state" / f"window_{k:02d}") for k in (0, 2)} == done


def test_a_deleted_leg_is_named(exchange, tmp_path):
    leg, _ = exchange
    ended = small.run("fe", "run", "--leg", tmp_path / "gone", "--replicate", 0, "--state", tmp_path / "state", "--out", tmp_path / "out")  # fmt: skip # noqa: E501
    assert ended.code == 65 and "holds no leg.json" in ended.text


def test_a_state_folder_behind_a_link(exchange, tmp_path):
    leg, whole = exchange
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    stopped(leg, tmp_path)
    status = small.run("fe", "status", tmp_path / "state", "--json")
    assert status.code == 0 and '"stopped"' in status.text
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)


def test_a_link_that_leads_nowhere(exchange, tmp_path):
    leg, _ = exchange
    (tmp_path / "state").symlink_to(tmp_path / "gone")
    ended = small.fe_run(leg, tmp_path)
    assert ended.code not in (0, 70) and "Traceback" not in ended.text
    assert str(tmp_path / "state") in ended.text
