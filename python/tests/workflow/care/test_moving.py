"""A move killed anywhere loses nothing, and the same call ends it."""

import itertools
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from kept_campaigns import keep_campaign, whole, window

from gibbsflow.errors import InputError, LockedError, StateError, StorageError
from gibbsflow.workflow.care import moving
from gibbsflow.workflow.care.campaign_note import todays_note
from gibbsflow.workflow.care.moving import move_campaign
from gibbsflow.workflow.care.start.state_of_results import state_doubts
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.folders.published import IDENTITY, MadeFrom
from gibbsflow.workflow.state.locks import folder_lock

STEPS = {"copy2": shutil, "_sync": moving, "_prove": moving, "rename": Path, "unlink": Path}


def move_killed(state, root, step, which):
    """Move in a process of its own, killed before a step by its number or the file it is of: its exit code."""
    if not (child := os.fork()):
        of, plain, calls = STEPS[step], getattr(STEPS[step], step), itertools.count(1)

        def counted(*args, **options):
            if which in (next(calls), getattr(args[0], "name", "")):
                os.kill(os.getpid(), signal.SIGKILL)
            return plain(*args, **options)

        setattr(of, step, counted)
        move_campaign(state, root, dry_run=False)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def two_disks(monkeypatch):
    monkeypatch.setattr(moving, "one_disk", lambda *_: False)


@pytest.fixture(params=[True, False], ids=["one disk", "two disks"])
def disks(request, monkeypatch):
    monkeypatch.setattr(moving, "one_disk", lambda *_: request.param)


@pytest.mark.usefixtures("disks")
def test_it_goes_on_at_the_new_place(tmp_path):
    state = keep_campaign(tmp_path)
    before = whole(state)
    assert "would move" in move_campaign(state, tmp_path / "new", dry_run=True)[0] and whole(state) == before
    told = move_campaign(state, tmp_path / "new", dry_run=False)
    assert f"--state_dir {tmp_path / 'new'} --campaign demo" in told[-1] and "param_cache" in " ".join(told)
    target = tmp_path / "new" / "demo"
    assert whole(target) == before and not (target / ".head.json").exists() and not (target / moving.MARK).exists()
    assert os.listdir(state.parent) == ["param_cache"] and os.listdir(tmp_path / "new") == ["demo"]
    assert window(target / "cb7/b2/vacuum")[0] == []  # nothing is run again
    with pytest.raises(InputError, match="no such folder"):
        move_campaign(state, tmp_path / "new", dry_run=False)


@pytest.mark.usefixtures("disks")
def test_results_name_the_new_place_and_a_run_from_there_says_nothing(tmp_path):
    state, out, other = keep_campaign(tmp_path), tmp_path / "demo", tmp_path / "elsewhere"
    target = tmp_path / "new" / "demo"
    for place, made_with in ((out, state), (other, tmp_path / "another" / "demo")):
        write_json(place / IDENTITY, vars(replace(MadeFrom.read(out), state=str(made_with))))
        todays_note(state, mode="abfe", outdir=place, param_cache=None).write(state)
    (out / "phases/b2/equil").mkdir(parents=True)
    before = whole(other)
    told = move_campaign(state, tmp_path / "new", dry_run=False)
    assert f"{out} names the new place" in told and whole(other) == before  # of another state than was moved
    assert state_doubts(out, target) == ([], [])
    (problem,), _ = state_doubts(out, state)  # as a run without --state_dir would take it
    assert f"--state_dir {target.parent} " in problem.right
    (state / "cb7").mkdir(parents=True)  # another campaign has the old place
    assert state_doubts(out, target) == ([], [])


@pytest.mark.usefixtures("disks")
def test_results_that_cannot_be_written_hold_no_move_up(tmp_path, monkeypatch):
    state, out = keep_campaign(tmp_path), tmp_path / "demo"
    write_json(out / IDENTITY, vars(replace(MadeFrom.read(out), state=str(state))))

    def read_only(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(moving, "name_new_state", read_only)
    told = move_campaign(state, tmp_path / "new", dry_run=False)
    assert f"{out} names the old place, and cannot be written: Read-only file system" in told
    assert (tmp_path / "new" / "demo").is_dir() and not state.exists()


@pytest.mark.usefixtures("two_disks")
@pytest.mark.parametrize(
    ("step", "which"),
    [
        ("copy2", 1), ("copy2", 9), ("_sync", 1), ("rename", 1), ("_prove", 1), ("rename", 2), ("unlink", 1),
        ("unlink", 9), ("unlink", moving.MARK),
    ],
)  # fmt: skip
def test_killed_it_is_ended_by_the_same_call(tmp_path, step, which):
    state = keep_campaign(tmp_path)
    before = whole(state)
    assert move_killed(state, tmp_path / "new", step, which) == -signal.SIGKILL
    places = (state, state.with_name(".demo.moved"), tmp_path / "new" / "demo")
    assert any(whole(place).items() >= before.items() for place in places if place.is_dir())
    move_campaign(state, tmp_path / "new", dry_run=False)
    assert whole(tmp_path / "new" / "demo") == before
    assert os.listdir(state.parent) == ["param_cache"] and os.listdir(tmp_path / "new") == ["demo"]


@pytest.mark.usefixtures("two_disks")
def test_what_changed_since_it_was_killed_is_not_removed(tmp_path):
    state = keep_campaign(tmp_path)
    target = tmp_path / "new" / "demo"
    move = moving.Move.of(state, target.parent)
    target.parent.mkdir()
    moving._copy(move)
    move.partial.rename(target)  # as one leaves it that was killed here
    (target / "cb7/b2/vacuum/FINISHED").write_text("newer")
    with pytest.raises(StateError, match="differ: cb7/b2/vacuum/FINISHED"):
        move_campaign(state, target.parent, dry_run=False)
    assert state.is_dir() and target.is_dir()


@pytest.mark.usefixtures("two_disks")
def test_what_comes_to_the_old_place_while_it_is_removed_stays(tmp_path, monkeypatch):
    state = keep_campaign(tmp_path)
    before, going = whole(state), state.with_name(".demo.moved")
    ended = moving._end

    def late(move):
        (going / "late").write_text("x")
        (going / "cb7/b2/vacuum/FINISHED").write_text("newer")
        return ended(move)

    monkeypatch.setattr(moving, "_end", late)
    told = move_campaign(state, tmp_path / "new", dry_run=False)
    monkeypatch.undo()
    assert [line for line in told if "stays" in line] == [
        f"stays: {going / 'cb7/b2/vacuum/FINISHED'}",
        f"stays: {going / 'late'}",
    ]
    assert whole(going) == {"late": b"x", "cb7/b2/vacuum/FINISHED": b"newer"}
    (going / "late").unlink()
    (going / "cb7/b2/vacuum/FINISHED").unlink()
    assert move_campaign(state, tmp_path / "new", dry_run=False) and not going.exists()
    assert whole(tmp_path / "new" / "demo") == before


@pytest.mark.usefixtures("two_disks")
def test_what_goes_on_at_the_new_place_does_not_keep_the_old_one(tmp_path):
    state = keep_campaign(tmp_path)
    assert move_killed(state, tmp_path / "new", "unlink", 1) == -signal.SIGKILL
    (tmp_path / "new/demo/cb7/b2/vacuum/FINISHED").write_text("newer")
    move_campaign(state, tmp_path / "new", dry_run=False)
    assert os.listdir(state.parent) == ["param_cache"]
    assert (tmp_path / "new/demo/cb7/b2/vacuum/FINISHED").read_text() == "newer"


@pytest.mark.usefixtures("two_disks")
def test_a_copy_killed_before_it_had_its_mark_is_made_again(tmp_path):
    state = keep_campaign(tmp_path)
    before = whole(state)
    (tmp_path / "new" / ".demo.moving").mkdir(parents=True)
    move_campaign(state, tmp_path / "new", dry_run=False)
    assert whole(tmp_path / "new" / "demo") == before and os.listdir(tmp_path / "new") == ["demo"]


@pytest.mark.usefixtures("two_disks")
def test_a_place_that_is_taken_is_refused(tmp_path):
    state = keep_campaign(tmp_path)
    (tmp_path / "new" / "demo").mkdir(parents=True)
    (tmp_path / "half" / ".demo.moving" / "x").mkdir(parents=True)
    for root, why in (
        ("new", "there already"),
        ("half", "there already"),
        ("state", "lies there"),
        ("state/demo", "in"),
    ):
        with pytest.raises(InputError, match=why):
            move_campaign(state, tmp_path / root, dry_run=False)
    assert state.is_dir()


@pytest.mark.usefixtures("two_disks")
def test_refused_without_room_and_while_a_task_is_at_work(tmp_path, monkeypatch):
    state = keep_campaign(tmp_path)
    with folder_lock(state / "cb7/b2/equil"), pytest.raises(LockedError):
        move_campaign(state, tmp_path / "new", dry_run=False)
    monkeypatch.setattr(moving.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 10}))
    with pytest.raises(StorageError, match="10 are free"):
        move_campaign(state, tmp_path / "new", dry_run=False)
    assert whole(state)


def test_records_that_name_the_old_place_are_told(tmp_path):
    state = keep_campaign(tmp_path)
    (state / ".killed").mkdir()
    (state / ".killed" / "a.json").write_text(f'{{"log": "{state}/x"}}')
    assert "1 records name the old place, such as .killed/a.json" in move_campaign(state, tmp_path / "n", dry_run=False)


def test_folders_of_one_place_are_of_one_disk(tmp_path):
    assert moving.one_disk(tmp_path, tmp_path)
    assert not moving.one_disk(tmp_path, Path("/proc"))


def test_no_campaign_is_put_into_one(tmp_path):
    state, other = keep_campaign(tmp_path), keep_campaign(tmp_path, "other")
    (tmp_path / "link").symlink_to(state)
    for root in (other, other / "new", tmp_path / "link", tmp_path / "link" / "new"):
        with pytest.raises(InputError, match="lies in"):
            move_campaign(state, root, dry_run=False)
    assert not (state / "new").exists() and not (other / "demo").exists()
